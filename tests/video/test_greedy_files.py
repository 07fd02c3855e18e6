"""Files that ask for much cost the process that reads them little, and the caller nothing."""

import sys
from pathlib import Path

import pytest

from gymform.errors import DamagedVideoError, ReadingStoppedError
from gymform.video.sandbox import PROBING, decoding, probe_apart, run_apart
from tests.corpus.greedy import GREEDY, greedy_file
from tests.video import expense
from tests.video.test_bad_files import check_text

MAX_BYTES = 500_000_000
MAX_CPU_S = 10.0

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits and tells a process's memory"
)

SAMPLE = bytes.fromhex(
    "000000186674797069736f6d0000020069736f6d6d703431000000516d6f6f76000000496d657461000000000000"
    "002168646c7200000000000000006d647461000000000000000000000000000000001c6b657973000000000fffff"
    "fe0000000c6d64746161616161"
)
"""105 bytes for which FFmpeg takes 2.1 GB: metadata with 268 million keys."""


def test_there_are_enough_kinds():
    assert len(GREEDY) >= 60
    assert greedy_file("iso_keys", 1) == greedy_file("iso_keys", 1) != greedy_file("iso_keys", 2)


HIDDEN = SAMPLE.replace(b"\x1ckeys", b"\xffkeys")
"""The same where the box claims to reach past the end of the file: FFmpeg reads it all the same."""


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (SAMPLE, DamagedVideoError, "announces 268,435,454 entries"),
        (HIDDEN, ReadingStoppedError, "more memory than any clip needs"),
    ],
)
def test_a_hundred_bytes_cannot_take_two_gigabytes(tmp_path, content, error, words):
    (tmp_path / "clip.mp4").write_bytes(content)
    before = expense.resident_bytes()
    with pytest.raises(error, match=words) as caught:
        probe_apart(tmp_path / "clip.mp4")
    check_text(caught.value, tmp_path)
    assert expense.resident_bytes() - before < 30_000_000


@pytest.fixture(scope="module")
def grown():
    """How much this process grew while the files of this module were read, bytes."""
    start = expense.resident_bytes()
    return lambda: expense.resident_bytes() - start


@pytest.mark.parametrize("kind", GREEDY)
def test_files_that_ask_for_much_cost_little(tmp_path, kind, grown):
    path = tmp_path / "clip"
    path.write_bytes(greedy_file(kind, 0))
    cost = run_apart(PROBING, expense.probed, path)
    check_cost(cost, tmp_path)
    if cost["clip"] is not None:
        check_cost(run_apart(decoding(cost["clip"]), expense.decoded, path), tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    path.unlink()
    assert grown() < 30_000_000


def check_cost(cost: dict, folder: Path) -> None:
    assert cost["peak_bytes"] < MAX_BYTES
    assert cost["cpu_s"] < MAX_CPU_S
    assert cost["kind"] == "read" or len(cost["text"]) > 20
    assert str(folder) not in cost["text"]
