"""Cuts, dissolves and standing pictures are found in painted films, and nothing else is."""

import cv2
import numpy as np
import pytest

from gymform.video.shots import (
    SIDE,
    STANDING,
    cut_times,
    find_shots,
    standing_spans,
    without_standing,
)
from gymform.video.sparse import sample_frames
from gymform.video.write import VideoWriter

FPS = 30
SIZE = (64, SIDE)
NOISE = np.random.default_rng(0).normal(0, 4, (7, 240, 360, 3)).astype(np.int16)


def room(seed: int) -> np.ndarray:
    """A gym without people: blocks and stripes of all sizes, uint8 (240, 360, 3)."""
    rng = np.random.default_rng(seed)
    picture = np.full((240, 360, 3), rng.integers(60, 190, 3), np.uint8)
    for _ in range(60):
        x, y = rng.integers(0, 340), rng.integers(0, 220)
        w, h = rng.integers(6, 70, 2)
        colour = tuple(int(value) for value in rng.integers(20, 235, 3))
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    return picture


def filmed(picture: np.ndarray, count: int, *, start: int = 0) -> list[np.ndarray]:
    """The room with a lifter who goes up and down in it, and the noise of a camera."""
    frames = []
    for t in range(start, start + count):
        frame = picture.copy()
        y = 110 + int(45 * np.sin(2 * np.pi * t / 45))
        cv2.rectangle(frame, (150, y), (210, y + 90), (200, 60, 50), -1)
        cv2.circle(frame, (180, y - 15), 18, (225, 180, 150), -1)
        noisy = frame + NOISE[t % len(NOISE)]
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return frames


def small(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA) for frame in frames]


def zoomed(frames: list[np.ndarray], factor: float) -> list[np.ndarray]:
    height, width = frames[0].shape[:2]
    growth = np.float32([[factor, 0, (1 - factor) * 190], [0, factor, (1 - factor) * 110]])
    return [cv2.warpAffine(frame, growth, (width, height)) for frame in frames]


def grey(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [cv2.merge([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)] * 3) for frame in frames]


def shots_of(frames: list[np.ndarray], fps: float = FPS) -> np.ndarray:
    return find_shots(small(frames), np.arange(len(frames)) / fps)


def cuts_in(frames: list[np.ndarray], fps: float = FPS) -> list[int]:
    return [
        round(second * fps) for second in cut_times(shots_of(frames, fps), frame_times(frames, fps))
    ]


def frame_times(frames: list[np.ndarray], fps: float = FPS) -> np.ndarray:
    return np.arange(len(frames)) / fps


ONE, OTHER = room(1), room(2)


# -- cuts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 2, 3, 20, 37, 38, 39])
def test_a_cut_to_another_scene_is_found_wherever_it_is(at):
    assert cuts_in(filmed(ONE, at) + filmed(OTHER, 40 - at)) == [at]


@pytest.mark.parametrize("factor", [1.1, 1.15, 1.3, 1.5, 1 / 1.3])
@pytest.mark.parametrize("left_out", [0, 12])
def test_a_zoom_at_once_on_the_same_scene_is_a_cut(factor, left_out):
    before = filmed(ONE, 20)
    after = filmed(ONE, 20, start=20 + left_out)
    inside = max(1.0, 1 / factor)
    film = zoomed(before, inside) + zoomed(after, inside * factor)
    assert cuts_in(film) == [20]


@pytest.mark.parametrize("grey_first", [True, False])
def test_grey_film_that_goes_on_in_colour_is_cut_there(grey_first):
    halves = filmed(ONE, 20), filmed(ONE, 20, start=20)
    film = [*grey(halves[0]), *halves[1]] if grey_first else [*halves[0], *grey(halves[1])]
    assert cuts_in(film) == [20]


@pytest.mark.parametrize("span", [6, 15, 30, 45])
def test_a_dissolve_is_one_cut_in_its_middle(span):
    first, second = filmed(ONE, 20 + span), filmed(OTHER, span + 20)
    shares = np.linspace(0, 1, span + 2)[1:-1]
    mixed = [
        cv2.addWeighted(a, 1 - s, b, s, 0)
        for a, b, s in zip(first[20:], second[:span], shares, strict=True)
    ]
    [cut] = cuts_in(first[:20] + mixed + second[span:])
    assert abs(cut - (20 + span / 2)) <= 1 + span / 4


def test_a_fade_through_black_is_one_cut_where_it_is_black():
    down, up = np.linspace(1, 0, 12), np.linspace(0, 1, 12)
    out = [(f * s).astype(np.uint8) for f, s in zip(filmed(ONE, 12), down, strict=True)]
    into = [(f * s).astype(np.uint8) for f, s in zip(filmed(OTHER, 12), up, strict=True)]
    [cut] = cuts_in(filmed(ONE, 20) + out + into + filmed(OTHER, 20))
    assert 28 <= cut <= 36


def test_shots_are_numbered_one_after_the_other():
    film = filmed(ONE, 15) + filmed(OTHER, 20) + filmed(room(3), 25)
    assert shots_of(film).tolist() == [0] * 15 + [1] * 20 + [2] * 25


# -- no cuts ---------------------------------------------------------------------------------


def flash(frames):
    return [np.clip(f * 0.2 + 204, 0, 255).astype(np.uint8) if 20 <= i < 23 else f
            for i, f in enumerate(frames)]  # fmt: skip


def darker(frames):
    return [(f * (0.5 if i >= 20 else 1)).astype(np.uint8) for i, f in enumerate(frames)]


def warmer(frames):
    gains = np.array([1.1, 1.0, 0.75])
    return [np.clip(f * (gains if i >= 20 else 1), 0, 255).astype(np.uint8)
            for i, f in enumerate(frames)]  # fmt: skip


def passed_by(frames):
    """Somebody as wide as two thirds of the picture walks through it in half a second."""
    coat = cv2.GaussianBlur(OTHER, (0, 0), 5)[:, :240]
    shown = []
    for i, frame in enumerate(frames):
        x = (i - 12) * 40 - 240
        left, right = max(0, x), min(360, x + 240)
        frame = frame.copy()
        if left < right:
            frame[:, left:right] = coat[:, left - x : right - x]
        shown.append(frame)
    return shown


def panned(frames):
    """The camera swings by a third of the picture in eight frames."""
    way = np.clip((np.arange(len(frames)) - 15) / 8, 0, 1) * 120
    return [cv2.resize(f[20:200, round(x) : round(x) + 240], (360, 240))
            for f, x in zip(frames, way, strict=True)]  # fmt: skip


def shaken(frames):
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 7, (len(frames), 2))
    return [cv2.warpAffine(f, np.float32([[1, 0, x], [0, 1, y]]), (360, 240),
                           borderMode=cv2.BORDER_REFLECT)
            for f, (x, y) in zip(frames, moves, strict=True)]  # fmt: skip


def slowly_zoomed(frames):
    factors = np.linspace(1, 1.4, len(frames))
    return [zoomed([f], s)[0] for f, s in zip(frames, factors, strict=True)]


@pytest.mark.parametrize(
    "disturb", [flash, darker, warmer, passed_by, panned, shaken, slowly_zoomed, list]
)
def test_what_disturbs_a_shot_is_no_cut(disturb):
    film = disturb(filmed(ONE, 50))
    assert (shots_of(film) == 0).all()


def test_lost_frames_of_a_slow_clip_are_no_cuts():
    frames = filmed(ONE, 120)
    kept = [i for i in range(0, 120, 3) if i % 12 != 6]
    shots = find_shots(small([frames[i] for i in kept]), np.array(kept) / FPS)
    assert (shots == 0).all()


def test_a_lifter_before_a_plain_wall_is_no_cut():
    plain = np.full((240, 360, 3), 235, np.uint8)
    fast = filmed(plain, 90)[::2]
    assert (shots_of(fast) == 0).all()


# -- standing pictures -----------------------------------------------------------------------


def again(frame: np.ndarray, count: int) -> list[np.ndarray]:
    """A frame repeated and compressed anew: hardly anything changes."""
    return [np.clip(frame + NOISE[i % len(NOISE)] // 8, 0, 255).astype(np.uint8)
            for i in range(count)]  # fmt: skip


@pytest.mark.parametrize("count", [9, 30])
@pytest.mark.parametrize("skipped", [0, 1])
def test_a_picture_that_stands_still_has_no_number(count, skipped):
    frames = filmed(ONE, 90)
    film = frames[:24] + again(frames[23], count) + frames[24 + skipped * count :][:20]
    shots = shots_of(film)
    assert np.flatnonzero(shots == STANDING).tolist() == list(range(24, 24 + count))
    assert (without_standing(shots) == 0).all()
    [(first, last)] = standing_spans(shots, frame_times(film))
    assert (first, last) == pytest.approx((23 / FPS, (23 + count) / FPS))


def test_an_end_that_stands_still_has_no_number():
    frames = filmed(ONE, 24)
    shots = shots_of(frames + again(frames[-1], 20))
    assert (shots[:24] == 0).all()
    assert (shots[24:] == STANDING).all()


def test_a_standing_picture_at_a_cut_belongs_to_the_shot_before():
    frames = filmed(ONE, 24)
    shots = shots_of(frames + again(frames[-1], 20) + filmed(OTHER, 20))
    assert without_standing(shots).tolist() == [0] * 44 + [1] * 20


@pytest.mark.parametrize(("times", "fps"), [((2, 2), 60), ((2, 3), 60), ((3, 3), 30)])
def test_frames_repeated_for_a_higher_rate_do_not_stand_still(times, fps):
    film = [f for i, frame in enumerate(filmed(ONE, 40)) for f in again(frame, times[i % 2])]
    assert (shots_of(film, fps) == 0).all()


def test_a_short_hitch_does_not_stand_still():
    frames = filmed(ONE, 50)
    assert (shots_of(frames[:24] + again(frames[23], 4) + frames[24:]) == 0).all()


def test_a_scene_in_which_nobody_moves_does_not_stand_still():
    film = [np.clip(ONE + 3 * NOISE[i % len(NOISE)], 0, 255).astype(np.uint8)
            for i in range(40)]  # fmt: skip
    assert (shots_of(film) == 0).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_shortest_clips_of_any_pictures_have_shots(count, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    pictures = [cv2.resize(one, (120, 90), interpolation=cv2.INTER_CUBIC) for one in coarse]
    shots = find_shots(pictures, np.arange(count) / 30)
    assert len(shots) == count
    assert shots[0] == 0
    assert (np.diff(without_standing(shots)) >= 0).all()


def test_one_frame_is_one_shot():
    assert shots_of(filmed(ONE, 1)).tolist() == [0]


# -- from files ------------------------------------------------------------------------------


def test_cuts_and_standing_pictures_are_found_in_a_file(tmp_path):
    frames = filmed(ONE, 60)
    film = frames[:25] + [frames[24]] * 15 + frames[40:50] + filmed(OTHER, 20)
    with VideoWriter(tmp_path / "clip.mp4", width=360, height=240, fps=FPS) as writer:
        for i, frame in enumerate(film):
            writer.write(frame, i / FPS)
    frames = sample_frames(tmp_path / "clip.mp4", 0.2)
    assert frames.frame_shots.dtype == np.int32
    assert cut_times(frames.frame_shots, frames.time_s) == pytest.approx([50 / FPS], abs=1e-3)
    [(first, last)] = standing_spans(frames.frame_shots, frames.time_s)
    assert (first, last) == pytest.approx((24 / FPS, 39 / FPS), abs=1.5 / FPS)
    # samples of the standing stretch belong to the shot around it
    assert frames.shots.tolist() == (frames.positions >= 50).astype(int).tolist()
