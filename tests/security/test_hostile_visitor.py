"""A hostile visitor of the real app, over HTTP and the websocket on the loopback, gets nothing.

The app is set up as for a gym: reached under another name, with a password for curators and one for
admins. The visitor speaks Streamlit's own protocol, so that nothing depends on what is shown: ids
of widgets that only admins see are forged as well.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

import gymform
from gymform.dataset.items import ACCEPTED
from gymform.dataset.reviews import ReviewStore
from gymform.roles import Role
from gymform.service import passwords
from tests import made_runs
from tests.security.visitor import Browser, browser, refused, said

PROJECT = Path(__file__).parents[2]
SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"
CURATOR, ADMIN, GONE = "curators lift as well", "the owner of the gym", "whoever was the owner"
UPLOADS = 6_000_000
CLIENT = httpx.Client(timeout=30, trust_env=False)
SECRET = "root:x:0:0:secret line"


@dataclass
class Gym:
    """The app under attack: its port, its data, and folders that are closed and open."""

    port: int
    home: Path
    closed: Path
    open: Path

    @property
    def store(self) -> ReviewStore:
        return ReviewStore.open(self.home / "datasets" / "gym-secret")

    @property
    def runs(self) -> list[str]:
        return sorted(path.name for path in (self.home / "datasets/gym-secret/runs").iterdir())


@pytest.fixture(name="gym", scope="module")
def _gym(serve, tmp_path_factory) -> Gym:
    """The app with a data set on which Anna has decided, a training, and somebody's upload."""
    root = tmp_path_factory.mktemp("gym")
    home, closed, opened = (root / name for name in ("home", "closed", "open"))
    for folder in (home, closed, opened):
        folder.mkdir()
    dataset = made_runs.make_accepted(home / "datasets" / "gym-secret", 4)
    made_runs.make_run(dataset, "run-1")
    with ReviewStore.open(dataset) as store:
        store.decide(store.judged()[0].item.id, ACCEPTED, reviewer="Anna")
    for name in ("closed/theirs.mp4", "home/uploads/theirs/theirs.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE, root / name)
    (closed / "passwd").write_text(f"{SECRET}\nmore\n")
    (opened / "way out").symlink_to(closed)
    (opened / "passwd.csv").symlink_to(closed / "passwd")
    make = passwords.make_account
    kept = [make(Role.CURATOR, CURATOR), make(Role.ADMIN, ADMIN)]
    gone = make(Role.ADMIN, GONE, "Gone")
    (home / "access.json").write_text(
        json.dumps({"accounts": [{"role": "admin", "name": "Gone", "hash": gone.hash}]})
    )
    address = serve(
        PROJECT / "serve.py",
        GYMFORM_HOME=str(home),
        GYMFORM_ALLOWED_HOSTS="gym.example",
        GYMFORM_IMPORT_ROOTS=str(opened),
        GYMFORM_PASSWORDS=",".join(map(passwords.as_setting, kept)),
        GYMFORM_UPLOAD_BYTES_PER_DAY=str(UPLOADS),
        GYMFORM_MAX_WAITING="1",
    )
    return Gym(int(urlsplit(address).port or 0), home, closed, opened)


@pytest.fixture(name="eve")
def _eve(gym) -> Iterator[Browser]:
    """The visitor's session."""
    with browser(gym.port) as eve:
        yield eve


def log_in(one: Browser, page: str, password: str, name: str = ""):
    """Give a password on a page; what is shown then."""
    seen = one.open(page)
    fields = [WidgetState(id=seen.id_of("Password"), string_value=password)]
    if name:
        fields.append(WidgetState(id=seen.id_of("Name"), string_value=name))
    shown = one.run(*fields, WidgetState(id=seen.id_of("Log in"), trigger_value=True))
    one.state = {}
    return shown


def workers(gym: Gym) -> list[int]:
    """Processes of the app that analyse."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and b"gymform.service.analysis_worker" in command_of(entry)
        and f"GYMFORM_HOME={gym.home}".encode() in environment_of(entry)
    ]


def command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


# -- names and pages of others ---------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8501", "Origin": "http://evil.example:8501"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/host-config", "/review"])
def test_pages_of_others_get_no_answer_over_http(gym, headers, path):
    response = CLIENT.get(f"http://127.0.0.1:{gym.port}{path}", headers=headers)
    assert response.status_code in (403, 421)
    assert "_streamlit_xsrf" not in response.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "client",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:1"},
        {"origin": "null"},
        {"origin": None},
        {"host": "evil.example", "origin": "http://evil.example"},
        {"host": "evil.example"},
    ],
)
def test_pages_of_others_get_no_websocket(gym, client):
    assert refused(gym.port, **client)


def test_without_the_guard_the_page_itself_turns_them_away(serve):
    """Somebody may start app.py alone; Streamlit then lets any Host through."""
    port = int(urlsplit(serve(PROJECT / "app.py")).port or 0)
    with browser(port, host="evil.example", origin=f"http://evil.example:{port}") as eve:
        seen = eve.open()
        assert "does not respond to this name" in said(seen)
        assert seen.widgets == {}
    with browser(port) as anna:
        assert "How good is the lift?" in said(anna.open())


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"],
)
def test_side_doors_are_closed(gym, path):
    for method in ("GET", "POST"):
        assert CLIENT.request(method, f"http://127.0.0.1:{gym.port}{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/serve.py", "/pages/review.py", "/.streamlit/config.toml", "/app/static/serve.py",
     "/static/..%2f..%2fserve.py", "/media/..%2f..%2faccess.json", "/media/%2fetc%2fpasswd",
     "/component/..%2f..%2fserve.py", "/_stcore/bidi-components/../../serve.py", "//etc/passwd"],
)  # fmt: skip
def test_files_of_the_server_are_not_served(gym, path):
    text = CLIENT.get(f"http://127.0.0.1:{gym.port}{path}").text
    for word in ("import", "root:", "scrypt", "[server]"):
        assert word not in text or "<!doctype html>" in text.lower()
    assert "scrypt" not in text
    assert "come_through_app" not in text


# -- what a visitor sees and does ------------------------------------------------------------


def test_a_visitor_analyses_and_sees_nothing_of_the_data_sets(gym, eve):
    assert "How good is the lift?" in said(eve.open())
    for page in ("review", "models"):
        assert "role curator" in said(eve.open(page))
    for word in ("Anna", "gym-secret", "run-1", str(gym.home), "theirs"):
        assert word not in eve.everything


def test_buttons_of_admins_that_are_forged_do_nothing(gym, eve):
    with browser(gym.port) as admin:
        seen = log_in(admin, "models", ADMIN)
        ids = [one.id for one in seen.widgets.values() if one.DESCRIPTOR.name == "Button"]
        labels = set(seen.widgets)
    assert {"Use it all the same", "Delete this training", "Start training"} <= labels
    before = gym.runs, gym.store.revision()
    for page in ("models", ""):
        eve.open(page)
        for widget in ids:
            eve.press(widget)
    assert (gym.runs, gym.store.revision()) == before
    assert not (gym.home / "weights").exists()


def test_buttons_that_were_shown_do_nothing_once_the_role_is_gone(gym):
    """The page still knows its buttons; the functions behind them have to refuse."""
    with browser(gym.port) as admin:
        seen = log_in(admin, "models", GONE, "Gone")
        assert "Delete this training" in seen.widgets
        kept = (gym.home / "access.json").read_text()
        (gym.home / "access.json").unlink()
        try:
            for label in ("Delete this training", "Use it all the same", "Start training"):
                admin.press(seen.id_of(label))
            assert "role admin" in admin.everything
        finally:
            (gym.home / "access.json").write_text(kept)
    assert gym.runs == ["run-1"]
    assert not (gym.home / "weights").exists()


def test_guessing_passwords_is_slow(gym, eve):
    for number in range(7):
        log_in(eve, "models", f"guess number {number}")
    assert "Wait" in eve.everything
    assert "no password of gymform" in eve.everything
    assert "Delete this training" not in eve.everything


def test_a_forged_login_is_none(gym):
    cookie = "_streamlit_user=eyJlbWFpbCI6ImFubmFAZ3ltLmV4YW1wbGUifQ.ZZZZZZ.AAAA; _streamlit_xsrf=x"
    with browser(gym.port, headers={"Cookie": cookie, "X-Email": "anna@gym.example"}) as eve:
        assert "role curator" in said(eve.open("models"))


# -- folders and tables ----------------------------------------------------------------------


@pytest.fixture(name="admin")
def _admin(gym) -> Iterator[Browser]:
    """Somebody who got hold of an admin's password."""
    with browser(gym.port) as one:
        time.sleep(1.1)  # the guesses of other tests came from this address too
        log_in(one, "review", ADMIN)
        yield one


def import_from(one: Browser, folder: str, grouping: str = "", table: str = "") -> str:
    """Fill in the form for an import from a folder of the server; all that was ever shown."""
    one.everything = ""
    seen = one.run()
    seen = one.run(choice(seen, "View", "Clips"))
    seen = one.run(choice(seen, "From where", "Folder on this computer"))
    seen = one.run(WidgetState(id=seen.id_of("Folder"), string_value=folder))
    if grouping:
        seen = one.run(text(seen, "Person or source", grouping))
        seen = one.run(text(seen, "Table", table))
    seen = one.press(seen.id_of("Import"))
    deadline = time.monotonic() + 20
    while "Importing" in seen.text and time.monotonic() < deadline:
        seen = one.run()
    return one.everything


def choice(seen, label: str, value: str) -> WidgetState:
    state = WidgetState(id=seen.id_of(label))
    state.string_array_value.data.append(value)
    return state


def text(seen, label: str, value: str) -> WidgetState:
    return WidgetState(id=seen.id_of(label), string_value=value)


@pytest.mark.parametrize(
    "folder",
    ["{closed}", "{home}/uploads", "{home}/uploads/theirs", "{home}", "/", "/etc", "~",
     "{open}/../closed", "{open}/way out", "{closed}/no such folder"],
)  # fmt: skip
def test_folders_that_are_closed_are_not_imported(gym, admin, folder):
    names = {"closed": gym.closed, "home": gym.home, "open": gym.open}
    seen = import_from(admin, folder.format(**names))
    assert "Clips can be imported below open" in seen.replace("\\", "")
    assert "theirs" not in seen.replace("uploads/theirs", "")
    assert len(gym.store.clips()) == 4


@pytest.mark.parametrize(
    "table", ["/etc/passwd", "{closed}/passwd", "passwd.csv", "../closed/passwd"]
)
def test_the_lines_of_files_are_not_shown(gym, admin, table):
    seen = import_from(admin, str(gym.open), "A table (CSV)", table.format(closed=gym.closed))
    assert "outside the folders" in seen
    assert "secret line" not in seen
    assert "root:x:" not in seen  # as the line of the file begins


# -- decisions of others ---------------------------------------------------------------------


def test_another_reviewer_s_decision_is_not_undone(gym):
    before = gym.store.revision()
    with browser(gym.port) as eve:
        time.sleep(1.1)
        log_in(eve, "review", CURATOR)
        seen = eve.run()
        seen = eve.run(choice(seen, "View", "Accept many"))
        eve.run(
            text(seen, "Your name", "Anna"), WidgetState(id=seen.id_of("Begin"), trigger_value=True)
        )
        seen = eve.run()
        seen = eve.press(seen.id_of("Undo my last decision"))
        assert "nothing of yours to undo" in said(seen)
    assert gym.store.revision() == before


# -- what is not one's own -------------------------------------------------------------------


def test_uploads_need_a_session_and_its_token(gym, eve):
    eve.open()
    assert eve.put(b"x", **{"X-Xsrftoken": "guess"}).status_code == 403
    own, eve.session = eve.session, "00000000-0000-0000-0000-000000000000"
    assert eve.put(b"x").status_code == 400
    eve.session = own
    assert eve.put(b"x").status_code == 204
    assert eve.put(b"x", Origin="http://evil.example").status_code == 403


def test_a_guessed_session_is_a_new_one(gym):
    with browser(gym.port) as anna:
        anna.open()
        with browser(gym.port, session="0" * 8 + anna.session[8:]) as eve:
            eve.open()
            assert eve.session != anna.session


def test_nonsense_ends_the_session_that_sent_it_and_no_other(gym, eve):
    eve.open()
    for nonsense in (os.urandom(200), b"\xff" * 10_000, b""):
        with browser(gym.port) as fool:
            fool.send_raw(nonsense)
    assert "How good is the lift?" in said(eve.run())


# -- what costs others -----------------------------------------------------------------------


def test_a_cleared_cache_starts_no_second_worker(gym, eve):
    eve.open()
    before = workers(gym)
    assert len(before) == 1
    message = BackMsg()
    message.clear_cache = True
    for _ in range(5):
        eve.send(message)
        eve.open()
    assert workers(gym) == before


def clip(number: int) -> bytes:
    """The sample with a box behind it that players skip: other bytes, the same film."""
    return SAMPLE.read_bytes() + (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")


def test_a_visitor_s_analyses_do_not_fill_the_queue(gym):
    """Each comes from a session of its own; the third would wait beside the second."""
    sessions = [Browser(gym.port) for _ in range(3)]
    try:
        shown = [
            said(one.drop(one.open(), clip(number), f"my secret {number}.mp4", f"file-{number}"))
            for number, one in enumerate(sessions)
        ]
        assert "1 of your analyses are waiting already" in shown[2]
        assert "number 1 in the queue" in shown[2]
        for number, one in enumerate(sessions):
            others = set(range(3)) - {number}
            assert not [n for n in others if f"my secret {n}" in one.everything.replace("\\", "")]
    finally:
        for one in sessions:
            one.close()


def test_a_day_s_uploads_are_counted_over_all_sessions(gym):
    answers = []
    for number in range(4):
        with browser(gym.port) as eve:
            eve.open()
            answers.append(eve.put(b"x" * (UPLOADS * 2 // 5), f"big-{number}").status_code)
    assert answers[0] == 204
    assert answers[-1] == 429
    with browser(gym.port) as eve:
        seen = eve.open()
        assert "that one visitor may upload in 24 hours are left" in said(seen)


def test_an_upload_is_not_longer_than_it_says(gym, eve):
    """A server that gets both believes the chunks, and the quota would count ten bytes."""
    eve.open()
    eve.http.get("/_stcore/health")
    token = eve.http.cookies.get("_streamlit_xsrf", "")
    answer = eve.http.put(
        f"/_stcore/upload_file/{eve.session}/file-1",
        content=iter([b"x" * 1000] * 100),
        headers={"X-Xsrftoken": token, "Origin": eve.base, "Content-Length": "10",
                 "Transfer-Encoding": "chunked"},
    )  # fmt: skip
    assert answer.status_code == 411
