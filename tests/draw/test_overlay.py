"""The overlay: what is drawn where, what is left out, and that the frame given is untouched."""

import time

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.draw.overlay import (
    MIN_DRAWN_SCORE,
    SURE_SCORE,
    draw_bar,
    draw_depth,
    draw_ghosts,
    draw_overlay,
    hand_trail,
    line_width,
)
from tests import fakes

WIDTH, HEIGHT = 640, 480
LEFT, RIGHT, CENTRE = (0, 114, 178), (230, 159, 0), (0, 158, 115)


def grey(value: int = 128, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def nobody() -> tuple[np.ndarray, np.ndarray]:
    return np.full((17, 2), np.nan, np.float32), np.zeros(17, np.float32)


def joints(**places: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Only the named keypoints, with a score of 1."""
    xy, score = nobody()
    for name, place in places.items():
        xy[sk.INDEX[name]], score[sk.INDEX[name]] = place, 1
    return xy, score


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=-1)


@pytest.mark.parametrize(
    ("first", "second", "colour"),
    [
        ("left_hip", "left_knee", LEFT),
        ("right_hip", "right_knee", RIGHT),
        ("left_shoulder", "right_shoulder", CENTRE),
        ("left_hip", "right_hip", CENTRE),
        ("nose", "left_eye", LEFT),
        ("right_elbow", "right_wrist", RIGHT),
    ],
)
def test_limb_has_the_colour_of_its_side(first, second, colour):
    xy, score = joints(**{first: (60, 120), second: (260, 120)})
    assert tuple(draw_overlay(grey(), xy, score)[120, 160]) == colour


@pytest.mark.parametrize("background", [0, 255, 128])
def test_limb_is_outlined_in_the_dark(background):
    xy, score = joints(left_hip=(60, 120), left_knee=(260, 120))
    column = draw_overlay(grey(background), xy, score)[:, 160].astype(int)
    rows = np.flatnonzero((column == LEFT).all(axis=1))
    around = column[[rows[0] - 1, rows[-1] + 1]]
    assert (around < 110).all()
    assert (column[:80] == background).all()


def test_unsure_limb_is_thinner_and_its_joint_hollow():
    xy, score = joints(left_hip=(60, 120), left_knee=(260, 120))
    sure = draw_overlay(grey(), xy, score)
    score[sk.LEFT_KNEE] = (SURE_SCORE + MIN_DRAWN_SCORE) / 2
    unsure = draw_overlay(grey(), xy, score)
    assert changed(grey(), unsure)[:, 160].sum() < changed(grey(), sure)[:, 160].sum()
    alone_xy, alone_score = joints(left_knee=(260, 120))
    assert tuple(draw_overlay(grey(), alone_xy, alone_score)[120, 260]) == LEFT
    alone_score[sk.LEFT_KNEE] = score[sk.LEFT_KNEE]
    ring = draw_overlay(grey(), alone_xy, alone_score, scale=4)
    assert tuple(ring[120, 260]) == (128, 128, 128)
    assert changed(grey(), ring).any()


@pytest.mark.parametrize(
    ("xy", "score"),
    [
        pytest.param(*nobody(), id="nobody"),
        pytest.param(
            np.full((17, 2), 100.0), np.full(17, MIN_DRAWN_SCORE * 0.9), id="no confidence"
        ),
        pytest.param(np.full((17, 2), 1e30), np.ones(17), id="far outside"),
        pytest.param(np.full((17, 2), np.nan), np.ones(17), id="NaN with a score"),
        pytest.param(np.full((17, 2), np.inf), np.ones(17), id="infinite"),
        pytest.param(np.full((17, 2), 100.0), np.full(17, np.nan), id="NaN score"),
    ],
)
@pytest.mark.parametrize("box", [None, np.full(4, np.nan), np.array([np.inf, 0, 5, 5])])
def test_nothing_to_see_nothing_drawn(xy, score, box):
    frame = grey()
    np.testing.assert_array_equal(draw_overlay(frame, xy, score, box), frame)


def test_missing_joint_takes_only_its_own_limbs_away():
    xy, score = joints(left_hip=(40, 120), left_knee=(160, 120), left_ankle=(280, 120))
    xy[sk.LEFT_ANKLE], score[sk.LEFT_ANKLE] = np.nan, 0
    seen = changed(grey(), draw_overlay(grey(), xy, score))
    assert seen[120, 100]
    assert not seen[:, 200:].any()


def test_frame_given_stays_as_it_was_even_when_read_only():
    pose = fakes.make_pose()
    frame = grey(width=pose.image_size[0], height=pose.image_size[1])
    frame.setflags(write=False)
    drawn = draw_overlay(frame, pose.xy[0], pose.score[0], pose.boxes[0], label="squat")
    assert (frame == 128).all()
    assert changed(frame, drawn).any()
    assert drawn.flags.writeable
    again = draw_overlay(frame, pose.xy[0], pose.score[0], pose.boxes[0], label="squat")
    np.testing.assert_array_equal(drawn, again)


def test_arrays_with_odd_strides_draw_as_their_copies_do():
    """np.rot90 and [..., ::-1] give such arrays."""
    xy, score = joints(left_hip=(60, 120), left_knee=(200, 120))
    rotated = np.rot90(grey(width=HEIGHT, height=WIDTH))
    np.testing.assert_array_equal(
        draw_overlay(rotated, xy, score), draw_overlay(rotated.copy(), xy, score)
    )


def test_box_is_thin_and_dashed():
    frame = grey()
    drawn = draw_overlay(frame, *nobody(), np.array([20.0, 30, 600, 450]))
    seen = changed(frame, drawn)
    assert seen[30, 25:295].all()
    assert not seen[50:400, 50:560].any()
    top = drawn[30, 25:295].mean(axis=-1)
    assert (top > 200).any()
    assert (top < 60).any()


@pytest.mark.parametrize(
    "box", [(-500, -500, 900, 900), (400, 400, 500, 500), (50, 50, 50, 50), (300, 200, 20, 30)]
)
def test_odd_boxes_are_drawn_without_complaint(box):
    assert draw_overlay(grey(), *nobody(), np.array(box, np.float32)).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    "label", ["squat 91%   1.20 s", "overhead press", "x" * 400, "Kniebeuge ü"]
)
def test_label_stays_in_the_upper_left_corner(label):
    seen = changed(grey(), draw_overlay(grey(), *nobody(), label=label))
    assert seen[:10, :10].any()
    assert not seen[80:].any()
    assert not seen[:, -5:].any()


def test_trail_leaves_gaps_and_grows_bolder():
    path = np.stack([np.linspace(20, 300, 29), np.full(29, 120.0)], axis=1)
    path[14] = np.nan
    seen = changed(grey(), draw_overlay(grey(), *nobody(), trail=path, scale=4))
    assert not seen[:, 160].any()
    assert 0 < seen[:, 40].sum() < seen[:, 280].sum()


@pytest.mark.parametrize("shape", [(0, 2), (1, 2), (5, 2), (5, 2, 2)])
def test_trail_shapes(shape):
    drawn = draw_overlay(grey(), *nobody(), trail=np.zeros(shape))
    assert drawn.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(("frame", "expected"), [(0, 1), (3, 4), (9, 5)])
def test_hand_trail_ends_with_the_frame(frame, expected):
    xy = np.arange(10 * 34, dtype=np.float32).reshape(10, 17, 2)
    trail = hand_trail(xy, frame, 5)
    assert trail.shape == (expected, 2, 2)
    np.testing.assert_array_equal(trail[-1], xy[frame, [sk.LEFT_WRIST, sk.RIGHT_WRIST]])


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(16, 16, 2), (640, 480, 3), (480, 640, 3), (1920, 1080, 8), (3840, 2160, 16)],
)
def test_line_width_follows_the_frame(width, height, expected):
    assert line_width(width, height) == expected


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (64, 2000)])
def test_small_and_narrow_frames(size):
    width, height = size
    xy = np.random.default_rng(0).uniform(0, 1, (17, 2)) * size
    frame = grey(width=width, height=height)
    drawn = draw_overlay(frame, xy, np.ones(17), np.array([1, 1, width - 2, height - 2]), label="a")
    assert drawn.shape == frame.shape


@pytest.mark.parametrize(
    ("rgb", "xy", "score", "words"),
    [
        (grey().astype(float), *nobody(), "rgb: expected uint8"),
        (grey()[..., 0], *nobody(), "rgb: expected"),
        (grey(), np.zeros((2, 17)), np.zeros(17), "xy: expected"),
        (grey(), np.zeros((17, 2)), np.zeros(16), "score: expected"),
    ],
)
def test_wrong_shapes_are_named(rgb, xy, score, words):
    with pytest.raises(ValueError, match=words):
        draw_overlay(rgb, xy, score)


def test_a_full_hd_frame_takes_milliseconds():
    pose = fakes.make_pose()
    xy = pose.xy[10] * 3
    frame = grey(width=1920, height=1080)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        draw_overlay(frame, xy, pose.score[10], pose.boxes[10] * 3, label="squat")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_the_line_of_depth_is_where_it_is_said_and_nowhere_else():
    plain = np.full((200, 300, 3), 90, np.uint8)
    points = np.array([(60.0, 100.0), (240.0, 100.0), (150.0, 130.0)])
    drawn = draw_depth(plain, points)
    changed = (drawn != plain).any(2)
    assert changed[100, 70:230].all()
    assert changed[130, 150]
    assert not changed[:, :50].any()
    assert not changed[:90].any()
    assert not changed[140:].any()
    assert (plain == 90).all()
    far = np.array([(-1e9, 100.0), (1e9, 100.0), (1e9, 1e9)])
    assert (draw_depth(plain, far)[100] != 90).any()


def test_the_path_of_the_bar_leaves_gaps_and_is_coloured_by_its_speed():
    path = np.array([(10, 50), (30, 50), (np.nan, np.nan), (60, 50), (90, 50)], float)
    speed = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    picture = draw_bar(np.zeros((100, 120, 3), np.uint8), path, speed, 0.0)
    assert picture[50, 20].tolist() == [0, 114, 178]  # slow
    assert picture[50, 75].tolist() == [240, 228, 66]  # fast
    assert not picture[50, 45].any()


def test_the_rim_of_the_plate_is_drawn_where_the_bar_is():
    path = np.array([(60.0, 50.0)])
    picture = draw_bar(np.full((100, 120, 3), 90, np.uint8), path, np.zeros(1), 20.0)
    assert (picture[50, 80] != 90).any()
    assert (picture[30, 60] != 90).any()
    assert (picture[50, 60] == 90).all()


def test_ghosts_are_faint_and_leave_gaps():
    grey = np.full((200, 200, 3), 60, np.uint8)
    path = np.array(
        [[100.0, 20.0], [100.0, 80.0], [np.nan, np.nan], [100.0, 120.0], [100.0, 180.0]]
    )
    drawn = draw_ghosts(grey, [path])
    assert 60 < drawn[50, 100, 0] < 245
    assert (drawn[100] == 60).all()
    assert (grey == 60).all()
    assert draw_ghosts(grey, []) is grey
