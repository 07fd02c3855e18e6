"""Animated WebP: each picture at its time, laid over the others as elsewhere."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gymform import limits
from gymform.errors import NoFramesError, TooLongError, VideoError
from gymform.video.read import probe
from gymform.video.webp import UNSTATED_S
from tests.corpus.animations import (
    UNEVEN_MS,
    animation,
    as_shown,
    encoded,
    everything,
    many_pictures,
    pieces,
    sized,
    webp_bytes,
    written,
)
from tests.corpus.clips import is_upright, read_number


def starts(durations_ms) -> np.ndarray:
    return np.cumsum([0, *durations_ms[:-1]]) / 1000


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 90}])
def test_every_picture_comes_at_its_time(tmp_path, options):
    path = written(tmp_path, animation("WEBP", **options))
    clip = probe(path)
    frames, problems = everything(path)
    assert [read_number(frame.rgb) for frame in frames] == list(range(len(UNEVEN_MS)))
    assert all(is_upright(frame.rgb) for frame in frames)
    assert [frame.time_s for frame in frames] == pytest.approx(starts(UNEVEN_MS))
    assert (clip.container, clip.codec, clip.frames) == ("webp", "webp", len(UNEVEN_MS))
    assert (clip.width, clip.height) == (128, 96)
    assert clip.problems == problems == ()


def see_through(number: int) -> Image.Image:
    """A disc that fades towards its edge, at another place each time, on nothing."""
    rgba = Image.new("RGBA", (120, 90))
    draw = ImageDraw.Draw(rgba)
    for step in range(8):
        inset, alpha = 2 * step, 255 * (step + 1) // 8
        box = (10 * number + inset, 20 + inset, 10 * number + 50 - inset, 70 - inset)
        draw.ellipse(box, (220, 40 * number, 90, alpha))
    return rgba


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("smallest", [True, False])
def test_see_through_pictures_are_laid_one_over_the_other(tmp_path, lossless, smallest):
    content = encoded(
        "WEBP",
        [see_through(number) for number in range(6)],
        (100,) * 6,
        lossless=lossless,
        minimize_size=smallest,
    )
    path = written(tmp_path, content)
    frames, _ = everything(path)
    expected = as_shown(path)
    assert len(frames) == len(expected) == 6
    for frame, shown in zip(frames, expected, strict=True):
        apart = np.abs(frame.rgb.astype(int) - shown)
        assert apart.max() <= (1 if lossless else 40)
        assert apart.mean() < 1.5


def with_flags(content: bytes, flags: int) -> bytes:
    """The animation with these flags of blending and clearing for all pictures after the first."""
    start = content.index(b"ANMF")
    first, *rest = pieces(content[start:])
    rest = [piece[:23] + bytes([flags]) + piece[24:] for piece in rest]
    return content[:start] + first[:23] + b"\3" + first[24:] + b"".join(rest)


@pytest.mark.parametrize("flags", range(4))
def test_what_each_picture_does_to_the_ones_below_is_obeyed(tmp_path, flags):
    pictures = [see_through(number) for number in range(5)]
    path = written(
        tmp_path, with_flags(encoded("WEBP", pictures, (100,) * 5, lossless=True), flags)
    )
    frames, _ = everything(path)
    for frame, shown in zip(frames, as_shown(path), strict=True):
        assert np.abs(frame.rgb.astype(int) - shown).max() <= 3


def test_pictures_without_a_length_are_shown_as_in_a_browser(tmp_path):
    frames, _ = everything(written(tmp_path, animation("WEBP", (0, 10, 0, 40))))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [0, UNSTATED_S, UNSTATED_S + 0.01, 2 * UNSTATED_S + 0.01]
    )


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_cut_animation_gives_its_whole_pictures_and_says_so(tmp_path, tenths):
    content = animation("WEBP", (100,) * 20)
    path = written(tmp_path, content[: len(content) * tenths // 10])
    try:
        clip = probe(path)
    except VideoError:
        assert tenths <= 2
        return
    frames, problems = everything(path)
    assert 1 < clip.frames == len(frames) < 20
    assert [read_number(frame.rgb) for frame in frames] == list(range(len(frames)))
    assert any("cut off" in problem for problem in problems)
    assert clip.problems == problems


def test_a_damaged_picture_is_left_out_and_told(tmp_path):
    content = animation("WEBP", (100,) * 6, lossless=True)
    start = content.index(b"ANMF")
    chunks = list(pieces(content[start:]))
    chunks[3] = chunks[3][:32] + bytes(len(chunks[3]) - 32)
    frames, problems = everything(written(tmp_path, content[:start] + b"".join(chunks)))
    assert [round(frame.time_s, 3) for frame in frames] == [0, 0.1, 0.2, 0.4, 0.5]
    assert problems == ("1 damaged frame was left out.",)


def test_a_picture_outside_the_canvas_is_left_out(tmp_path):
    content = webp_bytes(4)
    at = content.rindex(b"ANMF") + 8
    frames, problems = everything(written(tmp_path, content[:at] + b"\xff" + content[at + 1 :]))
    assert len(frames) == 3
    assert problems == ("1 damaged frame was left out.",)


def test_nothing_but_damage_is_no_film(tmp_path):
    content = webp_bytes(3)
    start = content.index(b"ANMF")
    chunks = [piece[:32] + bytes(len(piece) - 32) for piece in pieces(content[start:])]
    path = written(tmp_path, content[:start] + b"".join(chunks))
    with pytest.raises(NoFramesError):
        probe(path)
    with pytest.raises(NoFramesError):
        everything(path)


def test_the_caps_of_frames_and_seconds_hold(tmp_path):
    with pytest.raises(TooLongError, match=f"{limits.MAX_FRAMES:,} frames"):
        probe(written(tmp_path, many_pictures("WEBP", limits.MAX_FRAMES + 1, 1)))
    with pytest.raises(TooLongError, match="120 s"):
        probe(written(tmp_path, many_pictures("WEBP", 100_000, 0)))
    with pytest.raises(TooLongError, match="120 s"):
        probe(written(tmp_path, animation("WEBP", (15_000,) * 10)))
    assert sized(webp_bytes(3)) == webp_bytes(3)
