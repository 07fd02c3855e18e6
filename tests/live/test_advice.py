"""Advice on how to stand in the picture, which must not flicker."""

from __future__ import annotations

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.live.advice import Advice, Scene, SteadyAdvice, advise, tilt_deg
from gymform.pose.detection import Detection
from tests.live.makers import SIZE, detect
from tests.live.people import Person


def scene(person: Person | None = None, light: float = 120, on: float = 110, others: int = 0, **s):
    return Scene(detect(person, **s) if person else None, SIZE, light, on, others)


GOOD = Person(320, 190, 250)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (scene(GOOD), ()),
        (scene(), (Advice.NOBODY,)),
        (scene(light=20), (Advice.NOBODY, Advice.DARK)),
        (scene(Person(320, 250, 250), ankle=0.0, knee=0.5), (Advice.FEET,)),
        (scene(Person(320, 235, 240)), (Advice.FEET,)),  # ankles in the picture, toes not
        (scene(Person(320, 250, 250, score=0.4)), (Advice.FEET,)),  # guessed joints of the legs
        (scene(GOOD, ankle=0.0), ()),  # hidden by a plate, but not at the edge
        (scene(Person(320, 130, 270), eye=0, ear=0, nose=0), (Advice.HEAD,)),
        (scene(Person(320, 115, 270)), (Advice.HEAD,)),  # half of a face
        (scene(Person(320, 150, 280)), (Advice.ROOM,)),
        (scene(Person(320, 180, 100)), (Advice.FAR,)),
        (scene(Person(70, 190, 250)), (Advice.SIDE,)),
        (scene(GOOD, light=30, on=30), (Advice.DARK,)),
        (scene(GOOD, light=150, on=40), (Advice.BACKLIT,)),
        (scene(GOOD, others=1), (Advice.SEVERAL,)),
    ],
)
def test_advice(seen, expected):
    assert advise(seen) == expected


def rolled(person: Person, degrees: float) -> Detection:
    """The person in a picture rotated clockwise about their centre."""
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = np.array([person.x, person.y])
    seen = detect(person)
    return Detection(((seen.xy - centre) @ rotation + centre).astype(np.float32), seen.score, 0.8)


@pytest.mark.parametrize("degrees", [-15.0, -3.0, 0.0, 3.0, 12.0])
def test_a_tilted_camera_is_seen_from_somebody_who_stands(degrees):
    lifter = rolled(GOOD, degrees)
    assert tilt_deg(lifter) == pytest.approx(degrees, abs=0.5)
    assert (Advice.TILTED in advise(Scene(lifter, SIZE, 120, 110))) == (abs(degrees) > 7)


def test_somebody_who_bends_says_nothing_about_the_camera():
    xy = GOOD.xy
    xy[[sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER]] += [80, 40]
    bent = Detection(xy.astype(np.float32), np.full(17, 0.8, np.float32), 0.8)
    assert tilt_deg(bent) == 0.0


def test_advice_does_not_flicker():
    steady = SteadyAdvice()
    for number in range(30):
        steady.add(number / 10, (Advice.FAR,) if number % 5 == 0 else ())
        assert number < 3 or steady.current() == ()
    for number in range(30, 45):
        steady.add(number / 10, (Advice.FAR,))
    assert steady.current() == (Advice.FAR,)
