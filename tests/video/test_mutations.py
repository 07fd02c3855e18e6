"""Files broken at random end in a typed error or a usable clip, quickly, and never in a crash.

``GYMFORM_MUTATIONS`` raises the number of broken files (R2 of the reliability goals: 10,000).
"""

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

from gymform.errors import VideoError
from gymform.video.read import probe, read_frames
from tests.corpus.bad import good_bytes
from tests.corpus.mutate import MUTATIONS, mutants

SEEDS = (
    "h264_mp4",
    "fragmented",
    "moov_in_front",
    "hevc_10bit_mov",
    "mpeg4_avi_b_frames",
    "mjpeg_avi",
    "vp8_webm",
    "vp9_webm",
    "av1_mkv",
    "with_aac",
    "h264_ts",
    "avchd",
    "gif",
    "webp",
    "webp_lossy",
)
COUNT = int(os.environ.get("GYMFORM_MUTATIONS", "600"))
MAX_SECONDS_A_FILE = 10.0


def use(path: Path) -> tuple[str, str]:
    """Probe and decode the file as far as it goes; what came of it, and the error's text."""
    try:
        clip = probe(path)
        assert clip.frames > 0
        assert clip.duration_s > 0
        assert min(clip.width, clip.height) > 0
        with read_frames(path) as frames:
            times = [check_frame(frame, frames.width, frames.height) for frame in frames]
        assert (np.diff(times) > 0).all()
    except VideoError as error:
        return type(error).__name__, str(error)
    return "partial" if frames.problems else "clip", ""


def check_frame(frame, width: int, height: int) -> float:
    assert frame.rgb.shape == (height, width, 3)
    assert frame.rgb.dtype == np.uint8
    return frame.time_s


@pytest.mark.timeout(0 if COUNT > 1000 else 300)
@pytest.mark.parametrize("name", SEEDS)
def test_broken_files_never_crash_nor_hang(tmp_path, name, capfd):
    path = tmp_path / "broken"
    outcomes = set()
    for content in mutants(good_bytes(name), COUNT // len(SEEDS), seed=SEEDS.index(name)):
        path.write_bytes(content)
        start = time.perf_counter()
        outcome, text = use(path)
        assert str(tmp_path) not in text
        outcomes.add(outcome)
        assert time.perf_counter() - start < MAX_SECONDS_A_FILE
    assert len(outcomes) > 1, "the mutations should do different harm"
    assert list(tmp_path.iterdir()) == [path]
    assert capfd.readouterr() == ("", ""), "FFmpeg's messages must not reach the terminal"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_each_mutation_changes_the_file_and_repeats_with_its_seed(mutation):
    data = good_bytes("h264_mp4")
    one, two = bytearray(data), bytearray(data)
    changed = 0
    for seed in range(5):
        mutation(one, random.Random(seed))
        mutation(two, random.Random(seed))
        changed += one != data
    assert one == two
    assert changed
