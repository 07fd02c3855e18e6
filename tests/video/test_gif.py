"""Animated GIFs: each picture at its time, and whether the file is whole."""

import numpy as np
import pytest

from gymform.errors import TooLongError, VideoError
from gymform.video.gif import is_whole_gif
from gymform.video.read import probe
from tests.corpus.animations import (
    UNEVEN_MS,
    animation,
    as_shown,
    everything,
    many_pictures,
    written,
)
from tests.corpus.clips import is_upright, read_number


def test_every_picture_comes_at_its_time(tmp_path):
    path = written(tmp_path, animation("GIF"))
    clip = probe(path)
    frames, problems = everything(path)
    assert [read_number(frame.rgb) for frame in frames] == list(range(len(UNEVEN_MS)))
    assert all(is_upright(frame.rgb) for frame in frames)
    assert [frame.time_s for frame in frames] == pytest.approx(
        np.cumsum([0, *UNEVEN_MS[:-1]]) / 1000
    )
    assert (clip.container, clip.codec, clip.frames) == ("gif", "gif", len(UNEVEN_MS))
    assert (clip.width, clip.height) == (128, 96)
    assert clip.problems == problems == ()


@pytest.mark.parametrize("disposal", range(4))
def test_any_way_of_disposal_is_read(tmp_path, disposal):
    path = written(tmp_path, animation("GIF", disposal=disposal))
    frames, _ = everything(path)
    numbers = [read_number(rgb) for rgb in as_shown(path)]
    assert [read_number(frame.rgb) for frame in frames] == numbers
    assert disposal == 3 or numbers == list(range(len(UNEVEN_MS)))


def test_pictures_without_a_length_are_shown_as_in_a_browser(tmp_path):
    frames, _ = everything(written(tmp_path, animation("GIF", (0, 10, 0, 40))))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.11, 0.21])


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_cut_animation_gives_what_is_there_and_says_so(tmp_path, tenths):
    content = animation("GIF", (100,) * 20)
    path = written(tmp_path, content[: len(content) * tenths // 10])
    try:
        clip = probe(path)
    except VideoError:
        assert tenths <= 2
        return
    frames, problems = everything(path)
    assert 0 < len(frames) <= clip.frames < 20
    numbers = [read_number(frame.rgb) for frame in frames]
    assert numbers[:-1] == list(range(len(numbers) - 1))
    assert any("cut off" in problem for problem in problems)
    assert any("cut off" in problem for problem in clip.problems)


def test_what_follows_the_trailer_does_not_matter(tmp_path):
    assert is_whole_gif(written(tmp_path, animation("GIF") + b"a comment"))
    assert not is_whole_gif(written(tmp_path, animation("GIF")[:-1]))
    assert not is_whole_gif(written(tmp_path, b"GIF89a"))


def test_the_caps_of_frames_and_seconds_hold(tmp_path):
    for delay in (0, 1, 2):
        with pytest.raises(TooLongError, match=r"120 s|15,000 frames"):
            probe(written(tmp_path, many_pictures("GIF", 100_000, delay)))
    with pytest.raises(TooLongError, match="120 s"):
        probe(written(tmp_path, animation("GIF", (15_000,) * 10)))
