"""The real app's memory while visitors upload: what is on disk, or refused, is not kept in it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from gymform.dataset.reviews import ReviewStore
from tests.security.visitor import Browser, browser, said

PROJECT = Path(__file__).parents[2]
MP4 = b"\0\0\0\x18ftypmp42"
SIZE = 60_000_000
COUNT = 3
LARGE = 270_000_000
"""More than half of what one visitor may have in memory, bytes."""
ALLOWED = 30_000_000
"""Growth after all of them, bytes; Streamlit alone keeps all of them."""


@dataclass
class App:
    """The running app: where it answers, where its data lies, its process."""

    port: int
    home: Path
    process: int

    def resident(self) -> int:
        """The memory of the app's own process, without its workers, bytes."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return 1024 * int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    def steady(self) -> int:
        """Its memory once it has neither grown nor shrunk by 1 MB for a second."""
        seen, deadline = [self.resident()], time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.1)
            seen.append(self.resident())
            if len(seen) > 10 and max(seen[-10:]) - min(seen[-10:]) < 1_000_000:
                break
        return seen[-1]


@pytest.fixture(name="app", scope="module")
def _app(serve, tmp_path_factory) -> App:
    if not Path("/proc/self/environ").exists():
        pytest.skip("memory is read from /proc")
    home = tmp_path_factory.mktemp("home")
    ReviewStore.open(home / "datasets" / "lifts", create=True).close()
    address = serve(PROJECT / "serve.py", GYMFORM_HOME=str(home))
    return App(int(urlsplit(address).port or 0), home, _process(home))


def _process(home: Path) -> int:
    """The id of the process that serves the app with this home."""
    wanted = f"GYMFORM_HOME={home}".encode()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            serves = entry.name.isdigit() and b"serve.py" in (entry / "cmdline").read_bytes()
            if serves and wanted in (entry / "environ").read_bytes().split(b"\0"):
                return int(entry.name)
    raise AssertionError("the app's process is not there")


@pytest.fixture(name="visitor")
def _visitor(app) -> Iterator[Browser]:
    with browser(app.port) as one:
        yield one


def upload(visitor: Browser, head: bytes, number: int, size: int = SIZE) -> str:
    """Drop a file on page Analyze, after leaving the last one; what the page says of it."""
    seen = visitor.run()
    if "Another clip" in seen.widgets:
        seen = visitor.press(seen.id_of("Another clip"))
    data = head + number.to_bytes(4, "big") + bytes(size)
    return said(visitor.drop(seen, data, f"{number}.mp4", f"file-{number}"))


def import_clips(visitor: Browser, count: int, size: int) -> None:
    """Upload clips on page Review and press Import."""
    seen = visitor.run()
    (uploader,) = (one for one in seen.widgets.values() if hasattr(one, "max_upload_size_mb"))
    dropped = WidgetState(id=uploader.id)
    for number in range(count):
        data = MP4 + bytes([number]) + bytes(size)
        file = f"import-{size}-{number}"
        assert visitor.put(data, file).status_code == 204
        info = dropped.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = f"{number}.mp4", len(data), file
    exercise = WidgetState(id=seen.id_of("Exercise"), string_value="squat")
    seen = visitor.run(dropped, exercise)
    visitor.press(seen.id_of("Import"))
    while "Stop" in visitor.run().widgets:
        pass


@pytest.mark.parametrize("head", [MP4, b"%PDF-1.7"], ids=["kept on disk", "refused"])
def test_uploads_leave_memory_once_they_are_on_disk_or_refused(app, visitor, head):
    visitor.open()
    upload(visitor, head, 0, size=1000)  # what is loaded once
    before = app.steady()
    for number in range(1, COUNT + 1):
        upload(visitor, head, number)
    grown = app.steady() - before
    assert grown <= ALLOWED, f"{grown / 1e6:.0f} MB after {COUNT} uploads of {SIZE / 1e6:.0f} MB"
    kept = [file.stat().st_size for file in (app.home / "uploads").glob("*/clip.mp4")]
    assert len([size for size in kept if size > SIZE]) == COUNT  # of the first kind alone


def test_clips_that_are_imported_leave_memory(app, visitor):
    visitor.open("review")
    import_clips(visitor, 1, 1000)  # what is loaded once
    before = app.steady()
    import_clips(visitor, COUNT, SIZE)
    grown = app.steady() - before
    assert grown <= ALLOWED, f"{grown / 1e6:.0f} MB after {COUNT} imports of {SIZE / 1e6:.0f} MB"


def test_uploads_of_which_no_page_is_told_make_way_for_each_other(serve, tmp_path):
    """A stranger's client may upload again and again, in session after session, and say nothing."""
    address = serve(PROJECT / "serve.py", GYMFORM_HOME=str(tmp_path), GYMFORM_ALLOWED_HOSTS="a.b")
    app = App(int(urlsplit(address).port or 0), tmp_path, _process(tmp_path))
    with contextlib.ExitStack() as sessions:
        visitors = [sessions.enter_context(browser(app.port)) for _ in range(2)]
        for visitor in visitors:
            visitor.open()
        before = app.steady()
        for visitor in visitors:
            assert visitor.put(bytes(LARGE), "file-1").status_code == 204
        grown = app.steady() - before
    assert grown <= LARGE + ALLOWED, f"{grown / 1e6:.0f} MB after 2 uploads of {LARGE / 1e6:.0f} MB"
