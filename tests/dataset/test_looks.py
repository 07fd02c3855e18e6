"""What a clip looks like: clothes and place are told apart, and kept exactly enough."""

import cv2
import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.dataset.looks import FRAMES, PARTS, SIDE, load_look, look_of, save_look
from gymform.video.sparse import only, sample_frames
from gymform.video.write import VideoWriter
from tests.fakes import make_pose

RED, BLUE, GREEN, SKIN = (200, 40, 40), (40, 60, 200), (40, 160, 60), (190, 150, 120)
SIZE = (180, 240)
POSE = make_pose(60, size=SIZE, noise=0.0)
TRUNK = [sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER, sk.RIGHT_HIP, sk.LEFT_HIP]


def film(path, shirt, trousers, wall):
    """Somebody in a shirt and trousers of these colours, who squats before a wall."""
    legs = [(sk.LEFT_HIP, sk.LEFT_KNEE), (sk.RIGHT_HIP, sk.RIGHT_KNEE),
            (sk.LEFT_KNEE, sk.LEFT_ANKLE), (sk.RIGHT_KNEE, sk.RIGHT_ANKLE)]  # fmt: skip
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], fps=30.0) as writer:
        for row, moment in enumerate(POSE.time_s):
            picture = np.full((SIZE[1], SIZE[0], 3), wall, np.uint8)
            picture[: SIZE[1] // 3, : SIZE[0] // 2] = np.array(wall) // 2
            xy = np.round(POSE.xy[row]).astype(int)
            centre = xy[TRUNK].mean(0).astype(int)
            axes = (26, int(np.linalg.norm(xy[sk.LEFT_SHOULDER] - xy[sk.LEFT_HIP]) / 2) + 8)
            cv2.ellipse(picture, tuple(map(int, centre)), axes, 20, 0, 360, shirt, -1)
            for a, b in legs:
                cv2.line(picture, tuple(map(int, xy[a])), tuple(map(int, xy[b])), trousers, 16)
            writer.write(picture, moment)


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    scenes = {
        "one": (RED, BLUE, (90, 90, 90)),
        "again": (RED, BLUE, (90, 90, 90)),
        "elsewhere": (RED, BLUE, (30, 120, 140)),
        "another": (GREEN, SKIN, (90, 90, 90)),
    }
    made = {}
    for name, colours in scenes.items():
        film(folder / f"{name}.mp4", *colours)
        frames = sample_frames(folder / f"{name}.mp4", 0.1, choose=only(POSE.time_s))
        made[name] = look_of(frames, POSE)
    return made


def clothes(a, b):
    return float(np.nanmean(np.sqrt(a.colours * b.colours).sum(-1)))


def test_the_same_clothes_are_alike_wherever_they_are_worn(looks):
    one = looks["one"]
    assert clothes(one, looks["again"]) > 0.95
    assert clothes(one, looks["elsewhere"]) > 0.85
    assert clothes(one, looks["another"]) < 0.7


def test_the_place_is_seen_without_the_lifter(looks):
    one, elsewhere, another = looks["one"], looks["elsewhere"], looks["another"]

    def apart(a, b):
        return float(np.nanmean(np.abs(a.background - b.background)))

    assert apart(one, another) < 3
    assert apart(one, elsewhere) > 10
    assert np.isnan(one.background).any()
    assert not np.isnan(one.background).all()


def test_a_look_is_of_its_shape_and_sums_to_one(looks):
    one = looks["one"]
    assert one.colours.shape[0] == len(PARTS)
    assert one.background.shape == (SIDE, SIDE, 3)
    shown = np.isfinite(one.colours).all(1)
    np.testing.assert_allclose(one.colours[shown].sum(1), 1, atol=1e-5)


def test_it_comes_back_from_its_file(looks, tmp_path):
    path = tmp_path / "looks" / "a.json"
    save_look(path, looks["one"])
    found = load_look(path)
    np.testing.assert_allclose(found.colours, looks["one"].colours, atol=1e-4)
    np.testing.assert_allclose(found.background, looks["one"].background, atol=1e-4)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 1}', '{"schema": 0, "colours": []}',
                                  '{"schema": 1, "colours": [1], "background": [2]}'])  # fmt: skip
def test_another_file_is_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert load_look(tmp_path / "a.json") is None
    assert load_look(tmp_path / "none.json") is None


def test_somebody_who_is_hardly_seen_has_parts_that_are_unknown(tmp_path):
    film(tmp_path / "a.mp4", RED, BLUE, (90, 90, 90))
    frames = sample_frames(tmp_path / "a.mp4", 0.1, choose=only(POSE.time_s))
    hidden = make_pose(60, size=SIZE, missing=slice(0, 60))
    look = look_of(frames, hidden)
    assert np.isnan(look.colours).all()
    assert np.isfinite(look.background).all()
    assert FRAMES > 1
