"""Limits on memory: an allocation over them fails, and they end where they should."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest

from gymform.video import memory
from gymform.video.memory import memory_limited, memory_of_analysis

MB = 1024**2
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")


def take(size: int) -> None:
    """Allocate so many bytes and write to them."""
    np.ones(size, np.uint8)


@on_linux
def test_within_the_limit_memory_can_be_taken_and_over_it_not():
    with memory_limited(300 * MB):
        take(100 * MB)
        with pytest.raises(MemoryError):
            take(400 * MB)
        take(100 * MB)


@on_linux
@pytest.mark.parametrize("ending", [lambda: None, lambda: 1 / 0], ids=["well", "with an error"])
def test_afterwards_there_is_the_limit_of_before(ending):
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ZeroDivisionError), memory_limited(300 * MB):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
        ending()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    take(400 * MB)


def test_nothing_is_limited_where_the_system_does_not_hold_to_it(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with memory_limited(0):
        take(10 * MB)


@on_linux
def test_a_hard_limit_stays_the_upper_bound():
    code = (
        "import resource\nfrom gymform.video.memory import lower\n"
        f"resource.setrlimit(resource.RLIMIT_DATA, ({900 * MB}, {900 * MB}))\n"
        f"lower(resource.RLIMIT_DATA, {1000 * MB})\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 900 * MB


@on_linux
def test_a_process_that_goes_first_is_ended_before_others():
    code = (
        "from pathlib import Path\nfrom gymform.video.memory import go_first\n"
        "go_first()\nprint(Path('/proc/self/oom_score_adj').read_text())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 500


def test_the_room_for_an_analysis_grows_with_the_picture_and_with_the_cores(monkeypatch):
    rooms = []
    for cores, size in ((2, (640, 480)), (2, (4096, 2304)), (64, (4096, 2304))):
        monkeypatch.setattr(memory.os, "cpu_count", lambda cores=cores: cores)
        rooms.append(memory_of_analysis(*size))
    assert rooms == sorted(set(rooms))
    assert rooms[0] < 2.5 * 1024**3
    assert rooms[1] < 5 * 1024**3
