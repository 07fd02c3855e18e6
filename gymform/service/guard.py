"""An ASGI middleware between the network and the app that checks every request.

It accepts only requests for an allowed Host (a foreign name that leads here is DNS rebinding) and
from pages of the app, blocks endpoints of the server that are not needed, counts what visitors
upload, and forbids other sites to show the app in a frame (clickjacking).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from gymform.errors import QuotaError
from gymform.roles import Role, Visitor
from gymform.service.access import Client, Settings
from gymform.service.once import Once
from gymform.service.quotas import DailyBytes, UploadRoom
from gymform.service.visits import Visits

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

CLOSED = ("/_stcore/metrics", "/_stcore/agent/", "/_stcore/script-health-check")
"""Endpoints of the server that are not needed: they reveal all sessions, or control the app."""

UPLOAD = "/_stcore/upload_file/"
"""The path of uploads, followed by the session and the file's id."""

COOKIE = "gymform_browser"
"""The cookie with a secret by which a browser finds its own results again."""

COOKIE_S = 400 * 24 * 3600
"""How long a browser keeps it, seconds: the most that browsers allow."""

RUN_HEADER = "x-gymform-run"
"""The header of every response that names this run of the server: pages notice another one."""


@Once
def run_name() -> str:
    """A name for this run of the server, which no other run has."""
    return secrets.token_hex(8)


_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")

_POLICY_VIOLATION = 1008
_TOO_MUCH = 429

_DRAIN_S = 0.5
"""The body of a refused request is read for this long, seconds."""

_HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

WRONG_HOST = (
    "gymform does not respond to this name. Whoever runs it can allow it: GYMFORM_ALLOWED_HOSTS."
)
WRONG_ORIGIN = "A page of another site may not talk to gymform."


class Refused(Exception):
    """A request that is not passed on: the HTTP status and the reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Guard:
    """The middleware around ``app``."""

    def __init__(
        self,
        app: App,
        *,
        settings: Callable[[], Settings],
        visits: Visits,
        uploads: DailyBytes,
        room: UploadRoom,
    ) -> None:
        self._app = app
        self._read = settings
        self._settings = settings()
        self._visits = visits
        self._uploads = uploads
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reply with the reason why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            with self._upload(scope):
                await self._app(scope, receive, _with_headers(send, scope))
        except Refused as refused:
            _log.warning("refused %s: %s", scope["type"], refused)
            await _reply(scope, receive, send, refused)

    def _check(self, scope: Scope) -> None:
        """Raise Refused unless the request may be passed on."""
        headers = _headers(scope)
        host, origin = headers.get("host"), headers.get("origin")
        if not self._settings.host_allowed(host):
            raise Refused(421, WRONG_HOST)
        # Browsers send an Origin with every websocket; without one, it is not a browser.
        needed = scope["type"] == "websocket"
        if (origin or needed) and not self._settings.origin_allowed(origin, host):
            raise Refused(403, WRONG_ORIGIN)
        if any(door in scope["path"] for door in CLOSED):
            raise Refused(404, "There is nothing here.")

    @contextlib.contextmanager
    def _upload(self, scope: Scope) -> Iterator[None]:
        """Count an upload by its Content-Length, which the server enforces, while it arrives.

        Raises Refused when it may not come. Other requests pass.
        """
        is_put = scope["type"] == "http" and scope["method"] == "PUT"
        if not is_put or UPLOAD not in scope["path"]:
            yield
            return
        session = scope["path"].split(UPLOAD, 1)[1].partition("/")[0]
        headers = _headers(scope)
        visitor, length = self._uploader(scope, headers, session), headers.get("content-length", "")
        # In chunks more may come than was announced: the server then ignores the length.
        if not length.isdecimal() or "transfer-encoding" in headers:
            raise Refused(411, "An upload needs a Content-Length, and no Transfer-Encoding.")
        if visitor.role > Role.VISITOR:
            yield
            return
        sessions = [*self._visits.sessions(visitor.key), session]
        try:
            with self._room.taken(visitor.key, int(length), dict.fromkeys(sessions)):
                self._uploads.charge(visitor.key, int(length), self._settings.upload_bytes)
                yield
        except QuotaError as error:
            raise Refused(_TOO_MUCH, str(error)) from None

    def _uploader(self, scope: Scope, headers: dict[str, str], session: str) -> Visitor:
        """Who uploads to the session. Raises Refused for somebody without a role."""
        address = (scope.get("client") or ("",))[0]
        client = Client(headers.get("host", ""), address, is_forwarded(headers))
        visitor = self._visits.of(session) or self._read().visitor(client)
        if visitor.role < Role.VISITOR:
            raise Refused(403, "Log in first.")
        return visitor


def is_forwarded(headers: MutableMapping[str, str]) -> bool:
    """Whether a proxy passed the request on."""
    names = {name.lower() for name in headers}
    return not names.isdisjoint({"x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip"})


def _headers(scope: Scope) -> dict[str, str]:
    """The request's headers. Raises Refused when one of those that are checked occurs twice."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "content-length"):
            raise Refused(400, f"The header {name} occurs twice.")
        found[name] = value.decode("latin-1")
    return found


def is_secret(text: str) -> bool:
    """Whether this may be a secret that :data:`COOKIE` holds."""
    return _SECRET.fullmatch(text) is not None


def _new_cookie(scope: Scope) -> bytes:
    """A cookie for a browser that has none yet; scripts cannot read it, other sites not send it."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return b""
    headers = _headers(scope)
    for one in headers.get("cookie", "").split(";"):
        name, _, value = one.strip().partition("=")
        if name == COOKIE and is_secret(value):
            return b""
    is_https = "https" in (scope.get("scheme"), headers.get("x-forwarded-proto"))
    kept = f"Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Lax{'; Secure' if is_https else ''}"
    return f"{COOKIE}={secrets.token_urlsafe(32)}; {kept}".encode()


def _with_headers(send: Send, scope: Scope) -> Send:
    """A ``send`` that adds security headers and the run's name, and to a page a cookie."""
    cookie = _new_cookie(scope)
    run = (RUN_HEADER.encode(), run_name().encode())

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if cookie and _is_page(headers):
                headers.append((b"set-cookie", cookie))
            message["headers"] = [*headers, *_HEADERS, run]
        await send(message)

    return sending


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a response with these headers is a page, not one of its files."""
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html")
        for name, value in headers
    )


async def _drain(receive: Receive) -> None:
    """Read the rest of a request and discard it."""
    while (await receive()).get("more_body"):
        pass


async def _reply(scope: Scope, receive: Receive, send: Send, refused: Refused) -> None:
    """Reply to a request that is not passed on; a websocket is not even opened.

    The rest of an upload over a quota is read and discarded, and of any other request what comes
    within a moment: a client that is cut off while sending does not read the reply.
    """
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refused.text})
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_drain(receive), None if refused.status == _TOO_MUCH else _DRAIN_S)
    body = f"{refused.text}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
