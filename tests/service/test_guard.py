"""The guard: what it lets through to the app, and what it answers itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gymform.roles import Role, Visitor
from gymform.service.access import Settings
from gymform.service.guard import CLOSED, COOKIE, RUN_HEADER, Guard, is_secret, run_name
from gymform.service.passwords import Account
from gymform.service.quotas import DailyBytes, UploadRoom
from gymform.service.visits import Visits

HOST = {"host": "localhost:8501"}
OWN = {**HOST, "origin": "http://localhost:8501"}
EVIL = {**HOST, "origin": "http://evil.example"}
UPLOAD = "/_stcore/upload_file/session-1/file-1"


class Inner:
    """An app that answers 200 to everything it is asked."""

    def __init__(self, kind: bytes = b"text/plain") -> None:
        self.asked: list[str] = []
        self.kind = kind

    async def __call__(self, scope, receive, send) -> None:
        self.asked.append(scope.get("path", scope["type"]))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200,
                        "headers": [(b"a", b"b"), (b"content-type", self.kind)]})  # fmt: skip
            await send({"type": "http.response.body", "body": b"fine"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.accept"})


def ask(
    headers: dict[str, str] | list[tuple[str, str]],
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "GET",
    settings: Settings | None = None,
    visits: Visits | None = None,
    uploads: DailyBytes | None = None,
    room: UploadRoom | None = None,
    address: str = "127.0.0.1",
    inner: Inner | None = None,
    scheme: str = "http",
) -> tuple[list[str], dict[str, Any]]:
    """What the app was asked, and the first message that came back."""
    inner, sent = inner or Inner(), []
    guard = Guard(
        inner,
        settings=lambda: settings or Settings(),
        visits=visits or Visits(),
        uploads=uploads or DailyBytes(),
        room=room or UploadRoom(lambda _: {}, lambda *_: None),
    )
    pairs = headers.items() if isinstance(headers, dict) else headers
    raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    scope = {
        "type": kind,
        "path": path,
        "headers": raw,
        "client": (address, 1),
        "method": method,
        "scheme": scheme,
    }

    async def send(message) -> None:
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": False}

    asyncio.run(guard(scope, receive, send))
    return inner.asked, sent[0] if sent else {}


def cookie_of(headers: dict[str, str], kind: bytes = b"text/html; charset=utf-8", **more) -> str:
    """The cookie that comes with a response of this kind; "" without one."""
    _, answer = ask(headers, inner=Inner(kind), **more)
    found = [value.decode() for name, value in answer["headers"] if name == b"set-cookie"]
    return "".join(found)


def test_a_browser_gets_a_secret_once_and_only_with_a_page():
    first, second = cookie_of(OWN), cookie_of(OWN)
    name, _, secret = first.partition(";")[0].partition("=")
    assert name == COOKIE
    assert is_secret(secret)
    assert first != second
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert "Secure" not in first
    assert cookie_of(OWN, b"text/javascript") == ""
    assert cookie_of(OWN, method="POST") == ""
    assert cookie_of({**OWN, "cookie": f"a=b; {COOKIE}={secret}"}) == ""
    for bad in ("", "short", secret + "x", "=" * 43):  # somebody's guess becomes no owner
        assert cookie_of({**OWN, "cookie": f"{COOKIE}={bad}"})


@pytest.mark.parametrize("more", [{"scheme": "https"}, {"forwarded": "https"}])
def test_over_tls_the_secret_is_never_sent_in_the_open(more):
    headers = {**OWN, **({"x-forwarded-proto": "https"} if "forwarded" in more else {})}
    assert "Secure" in cookie_of(headers, scheme=more.get("scheme", "http"))


def test_our_own_pages_are_served_and_no_site_frames_them():
    asked, answer = ask(OWN)
    assert asked == ["/"]
    headers = dict(answer["headers"])
    assert headers[b"a"] == b"b"
    assert headers[b"content-security-policy"] == b"frame-ancestors 'self'"
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"
    assert headers[RUN_HEADER.encode()] == run_name().encode()


def test_each_run_of_the_server_has_a_name_of_its_own():
    names = {run_name()}
    run_name.forget()
    assert run_name() not in names


def test_an_address_that_is_typed_has_no_origin():
    assert ask(HOST)[1]["status"] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 421),
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example", "origin": "http://evil.example"}, 421),
        (EVIL, 403),
        ({**HOST, "origin": "null"}, 403),
        ([("host", "localhost"), ("host", "evil.example")], 400),
        ([*OWN.items(), ("origin", "http://evil.example")], 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", UPLOAD, "/media/file.mp4", "/_stcore/health"])
def test_strangers_do_not_reach_the_app(headers, status, method, path):
    asked, answer = ask(headers, path, method=method)
    assert asked == []
    assert answer["status"] == status


@pytest.mark.parametrize("headers", [{}, HOST, EVIL, {"host": "evil.example"}])
def test_no_websocket_is_opened_for_a_stranger(headers):
    asked, answer = ask(headers, "/_stcore/stream", kind="websocket")
    assert asked == []
    assert answer["type"] == "websocket.close"


def test_our_own_websocket_is():
    assert ask(OWN, "/_stcore/stream", kind="websocket")[1]["type"] == "websocket.accept"


@pytest.mark.parametrize("door", [*CLOSED, "/base/_stcore/metrics", "/_stcore/agent/interact"])
def test_side_doors_are_closed(door):
    asked, answer = ask(OWN, door)
    assert asked == []
    assert answer["status"] == 404


def test_the_start_and_end_of_the_server_pass():
    assert ask({}, "lifespan", kind="lifespan")[0] == ["lifespan"]


# -- uploads ---------------------------------------------------------------------------------

ON_A_NETWORK = Settings(address="0.0.0.0", upload_bytes=1000)


def put(size: str | None, **options) -> int:
    headers = OWN if size is None else {**OWN, "content-length": size}
    return int(ask(headers, UPLOAD, method="PUT", **options)[1]["status"])


def test_a_visitor_s_uploads_are_counted_in_all_sessions():
    uploads = DailyBytes()
    at = {"settings": ON_A_NETWORK, "uploads": uploads, "address": "192.168.1.9"}
    assert put("600", **at) == 200
    assert put("600", **at) == 429
    assert put("400", **at) == 200
    assert put("1", **at) == 429
    assert put("600", **at | {"address": "192.168.1.10"}) == 200


@pytest.mark.parametrize("size", [None, "", "-5", "1e3", "many"])
def test_an_upload_says_how_long_it_is(size):
    assert put(size, settings=ON_A_NETWORK) == 411


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "gzip, chunked", "identity", ""])
def test_an_upload_in_chunks_could_be_longer_than_it_says(coding):
    headers = {**OWN, "content-length": "10", "Transfer-Encoding": coding}
    asked, answer = ask(headers, UPLOAD, method="PUT", settings=ON_A_NETWORK)
    assert (asked, answer["status"]) == ([], 411)


def test_uploads_in_memory_make_way_while_one_arrives_and_others_wait_for_it():
    visits, dropped = Visits(), []
    for session, key in (("session-0", "eve"), ("session-1", "eve"), ("session-2", "anna")):
        visits.note(session, Visitor(Role.VISITOR, key=key))
    room = UploadRoom(lambda one: {f"file of {one}": 80}, lambda *one: dropped.append(one), 100)
    assert put("60", settings=ON_A_NETWORK, visits=visits, room=room) == 200
    assert dropped == [("session-0", "file of session-0"), ("session-1", "file of session-1")]
    with room.taken("eve", 60, []):
        assert put("60", settings=ON_A_NETWORK, visits=visits, room=room) == 429
    assert put("60", settings=ON_A_NETWORK, visits=visits, room=room) == 200


def test_an_upload_over_the_day_s_quota_takes_no_room():
    room = UploadRoom(lambda _: {}, lambda *_: None, 1500)
    for _ in range(3):
        assert put("1200", settings=ON_A_NETWORK, room=room) == 429


def test_what_the_page_found_out_counts_more_than_the_address():
    visits = Visits()
    visits.note("session-1", Visitor(Role.CURATOR, "Anna", "Anna"))
    assert put("5000", settings=ON_A_NETWORK, visits=visits) == 200
    visits.note("session-1", Visitor(Role.VISITOR, key="somebody"))
    assert put("5000", settings=ON_A_NETWORK, visits=visits) == 429


def test_nobody_uploads_where_visitors_have_a_password():
    locked = Settings(accounts=(Account(Role.VISITOR, "", "x"),))
    assert put("5", settings=locked) == 403


def test_on_this_computer_nobody_counts():
    assert put("5000", settings=Settings(upload_bytes=1000)) == 200


def test_not_all_sessions_are_remembered_for_ever(monkeypatch):
    monkeypatch.setattr("gymform.service.visits._KEPT", 2)
    visits = Visits()
    for name in "abc":
        visits.note(name, Visitor(Role.VISITOR))
    assert visits.of("a") is None
    assert visits.of("c") is not None
