"""Real clips: what the probe says and what decoding finds agree."""

import csv

import numpy as np
import pytest

from gymform.video.read import probe, read_frames

COUNT = 8


@pytest.mark.shared
def test_real_clips_probe_and_decode_alike(shared_data):
    with (shared_data / "clips" / "index.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    chosen = names[:: len(names) // COUNT]
    assert len(chosen) >= COUNT
    for name in chosen:
        path = shared_data / "clips" / name
        clip = probe(path)
        with read_frames(path, max_side=160) as frames:
            times = np.array([frame.time_s for frame in frames])
            assert max(frames.width, frames.height) == 160, name
        assert len(times) == clip.frames, name
        assert times[0] == 0, name
        assert (np.diff(times) > 0).all(), name
        assert clip.duration_s == pytest.approx(times[-1] + times[-1] / (len(times) - 1)), name
        assert clip.problems == frames.problems == (), name
