"""Stored pixels end upright, with square pixels, whatever the display matrix says."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.video.geometry import fit, geometry_of
from gymform.video.read import probe, read_frames
from tests.corpus.clips import H264, is_upright, picture, write_clip


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turning_is_np_rot90_by_the_frames_rotation(tmp_path, rotation):
    path = write_clip(tmp_path / "clip.mp4", H264.but(rotation=rotation, pix_fmt="yuv444p"))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    stored = frame.to_ndarray(format="rgb24")
    geometry = geometry_of(frame, None)
    assert np.array_equal(geometry.upright(stored), np.rot90(stored, k=frame.rotation // 90))
    assert geometry.rotation == rotation


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_all_eight_ways_to_hold_a_camera(tmp_path, rotation, mirrored):
    recipe = H264.but(rotation=rotation, mirrored=mirrored)
    path = write_clip(tmp_path / "clip.mp4", recipe)
    clip = probe(path)
    assert (clip.width, clip.height, clip.rotation) == (128, 96, rotation)
    with read_frames(path) as frames:
        first = next(frames)
    assert is_upright(first.rgb)
    assert np.abs(first.rgb.astype(int) - picture(0)).mean() < 6


def test_an_odd_angle_is_rounded_and_told(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", H264.but(rotation=90))
    content = path.read_bytes()
    at = content.index(b"tkhd") + 4 + 40
    matrix = np.array([0x8000, 0xC000, 0, -0xC000, 0x8000, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(content[:at] + matrix + content[at + 36 :])
    clip = probe(path)
    assert clip.rotation == 270
    assert any("odd angle" in problem for problem in clip.problems)
    with read_frames(path) as frames:
        list(frames)
    assert frames.problems == clip.problems


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (None, (128, 96)),
        (Fraction(1), (128, 96)),
        (Fraction(4, 3), (171, 96)),
        (Fraction(1, 2), (128, 192)),
        (Fraction(1, 100), (128, 96)),
        (Fraction(100), (128, 96)),
    ],
)
def test_pixels_become_square_by_growing_unless_the_header_lies(aspect, size):
    assert geometry_of(av.VideoFrame(128, 96, "yuv420p"), aspect).size == size


def test_square_pixels_keep_the_pictures_proportions(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", H264.but(pixel_aspect=Fraction(3, 2), rotation=90))
    clip = probe(path)
    assert (clip.width, clip.height) == (128, 144)
    with read_frames(path) as frames:
        assert all(is_upright(frame.rgb) for frame in frames)
        assert (frames.width, frames.height) == (128, 144)


sides = st.integers(1, 9000)


@given(sides, sides, st.one_of(st.none(), st.integers(1, 5000)))
def test_fitting_never_enlarges_and_keeps_proportions(width, height, max_side):
    (new_width, new_height), scale = fit((width, height), max_side)
    assert 1 <= new_width <= width
    assert 1 <= new_height <= height
    assert 0 < scale <= 1
    if max_side is not None:
        assert max(new_width, new_height) <= max(max_side, 1)
    assert abs(new_width - width * scale) <= 0.5 or new_width == 1
    assert abs(new_height - height * scale) <= 0.5 or new_height == 1
