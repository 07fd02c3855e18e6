"""Whatever a file does to the process that reads it, the app gets a value or words, in time."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gymform import errors
from gymform.video import sandbox
from gymform.video.read import probe
from gymform.video.sandbox import Limits, Workers, decoding, probe_apart, run_apart
from tests.corpus.clips import make_good
from tests.fakes import make_clip
from tests.video import misdeeds
from tests.video.test_bad_files import check_text

LIMITS = Limits(memory_bytes=300 * 1024**2, cpu_s=20, wall_s=60)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")


def but(**changes) -> Limits:
    return Limits(**{**vars(LIMITS), **changes})


def is_alive(process: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_clip_is_the_same_apart(tmp_path):
    path = make_good("rotated_90", tmp_path)
    assert probe_apart(path) == probe(path)
    assert probe_apart(path, "my clip").name == "my clip"


def test_a_path_from_the_current_folder_works(tmp_path, monkeypatch):
    make_good("h264_mp4", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert probe_apart(Path("h264_mp4.mp4")).frames == 12


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2.5, "ä\ud800\n", b"", b"\0\n\xff", [], (1, [2, (3,)]), {"a": ("b", None)},
     Path("x/é"), ["path", "list"], make_clip()],
)  # fmt: skip
def test_values_come_back_as_they_are(value):
    (back,) = run_apart(LIMITS, misdeeds.give_back, value)
    assert back == value
    assert type(back) is type(value)


def test_arrays_come_back_as_they_are():
    sent = (np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4), bool), np.uint8([7]))
    back = run_apart(LIMITS, misdeeds.give_back, *sent)
    for one, other in zip(sent, back, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_what_no_message_can_hold_is_refused_before_it_is_sent():
    with pytest.raises(TypeError, match="set"):
        run_apart(LIMITS, misdeeds.give_back, {1})
    assert run_apart(LIMITS, misdeeds.give_back, 1) == (1,)


def test_errors_come_back_with_their_kind_and_text():
    with pytest.raises(errors.TooLongError, match=r"^This clip is too long for a test\.$"):
        run_apart(LIMITS, misdeeds.too_long)
    with pytest.raises(errors.GymformError, match="no special kind"):
        run_apart(LIMITS, misdeeds.other_error)


def test_a_bug_is_told_without_its_words():
    with pytest.raises(errors.VideoError, match="ZeroDivisionError") as caught:
        run_apart(LIMITS, misdeeds.bug)
    assert "secret" not in str(caught.value)


def test_what_is_printed_is_not_taken_for_a_reply():
    assert run_apart(LIMITS, misdeeds.babble) == 5


def test_one_process_stays_warm():
    assert run_apart(LIMITS, misdeeds.pid) == run_apart(LIMITS, misdeeds.pid) != os.getpid()


def test_the_process_loads_no_network_library():
    assert not {"torch", "streamlit"} & set(run_apart(LIMITS, misdeeds.what_is_imported))


# --- limits -------------------------------------------------------------------------------------


@linux
def test_the_limits_of_each_call_hold_for_it():
    for megabytes in (300, 200, 400):
        limits = but(memory_bytes=megabytes * 1024**2)
        assert run_apart(limits, misdeeds.limits_now) == (limits.memory_bytes, 0)


@linux
def test_too_much_memory_is_refused_in_words():
    with pytest.raises(errors.ReadingStoppedError, match="more than 300 MB of memory") as caught:
        run_apart(LIMITS, misdeeds.eat_memory, 400 * 1024**2)
    check_text(caught.value, "/")
    assert run_apart(LIMITS, misdeeds.eat_memory, 10) == 10


@linux
def test_memory_that_a_library_asks_for_is_refused_too():
    assert run_apart(LIMITS, misdeeds.eat_memory_in_c, 1024**2) is True
    assert run_apart(LIMITS, misdeeds.eat_memory_in_c, 400 * 1024**2) is False


@linux
def test_computing_without_end_is_stopped_in_words():
    with pytest.raises(errors.ReadingStoppedError, match="1 s of computing time") as caught:
        run_apart(but(cpu_s=1), misdeeds.burn)
    check_text(caught.value, "/")
    assert run_apart(LIMITS, misdeeds.give_back, 1) == (1,)


def test_computing_time_is_counted_anew_for_each_file():
    for _ in range(5):
        run_apart(but(cpu_s=1), misdeeds.eat_memory, 10**7)


def test_waiting_without_end_is_stopped_in_words(tmp_path):
    with pytest.raises(errors.ReadingStoppedError, match="longer than 1 s") as caught:
        run_apart(but(wall_s=1), misdeeds.hang, tmp_path / "note")
    check_text(caught.value, tmp_path)
    assert run_apart(LIMITS, misdeeds.give_back, 1) == (1,)


def test_a_long_clip_gets_more_time_and_a_large_one_more_memory():
    small, large = make_clip(), make_clip(width=3840, height=2160, frames=3000)
    assert decoding(small).memory_bytes < decoding(large).memory_bytes < 2 * 1024**3
    assert decoding(small).cpu_s < decoding(large).cpu_s


# --- a process that ends ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "arguments"),
    [
        (misdeeds.die, (signal.SIGKILL,)),
        (misdeeds.die, (signal.SIGTERM,)),
        (misdeeds.segfault, ()),
        (misdeeds.abort, ()),
        (misdeeds.leave, ()),
    ],
)
def test_a_process_that_dies_costs_one_file(deed, arguments):
    with pytest.raises(errors.ReadingStoppedError, match="ended in the middle") as caught:
        run_apart(LIMITS, deed, *arguments)
    check_text(caught.value, "/")
    assert run_apart(LIMITS, misdeeds.give_back, 1) == (1,)


def test_a_process_killed_while_it_waits_costs_nothing():
    process = run_apart(LIMITS, misdeeds.pid)
    os.kill(process, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(process))
    assert run_apart(LIMITS, misdeeds.pid) != process


@linux
def test_a_process_that_holds_on_to_memory_is_replaced():
    before = run_apart(LIMITS, misdeeds.pid)
    run_apart(but(memory_bytes=600 * 1024**2), misdeeds.keep, 250)
    assert run_apart(LIMITS, misdeeds.pid) != before
    assert wait_until(lambda: not is_alive(before))


def test_no_more_processes_than_allowed_and_one_is_kept(tmp_path):
    workers = Workers(2)
    busy, most = [], []
    lock = threading.Lock()

    def look(number: int) -> int:
        with lock:
            busy.append(number)
        name = f"{misdeeds.__name__}:pid"
        process: int = workers.run(LIMITS, name, ())
        with lock:
            most.append(process)
        return process

    with ThreadPoolExecutor(6) as threads:
        seen = set(threads.map(look, range(24)))
    assert len(busy) == len(most) == 24
    assert wait_until(lambda: sum(map(is_alive, seen)) == 1)
    workers.close()
    assert wait_until(lambda: not any(map(is_alive, seen)))


def test_an_app_that_is_killed_leaves_no_process(tmp_path):
    """Not even one that is busy: its standard input ends."""
    note = tmp_path / "note"
    script = textwrap.dedent(f"""
        from pathlib import Path
        from gymform.video.sandbox import Limits, run_apart
        from tests.video import misdeeds
        run_apart(Limits(10**9, 60, 60), misdeeds.hang, Path({str(note)!r}))
    """)
    app = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    assert wait_until(lambda: note.exists() and note.read_text() != "", 60)
    app.kill()
    app.wait()
    assert wait_until(lambda: not is_alive(int(note.read_text())))


def test_a_fork_has_a_process_of_its_own():
    mine = run_apart(LIMITS, misdeeds.pid)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(run_apart(LIMITS, misdeeds.pid)).encode())
            sandbox._workers().close()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        assert int(stream.read()) != mine
    os.waitpid(child, 0)
    assert run_apart(LIMITS, misdeeds.pid) == mine


def test_a_process_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "executable", "/nowhere/python")
    with pytest.raises(errors.WorkerError, match="cannot be started"):
        Workers().run(LIMITS, f"{misdeeds.__name__}:pid", ())
