"""What an exercise is made of: measures, rules with their limits, and what repeats in it.

Measures are named here and computed in ``form/metrics.py``, signals in ``motion/signals.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from gymform.skeleton import BODY, NOSE
from gymform.types import Verdict

SIDE, FRONT, ANY = "side", "front", "any"
"""The view that a measure needs."""

PROPER = ("Romanian",)
"""Words that begin a title and keep their capital inside a sentence."""

WHOLE_BODY = (NOSE, *BODY)
"""Keypoints whose movement shows repetitions, unless an exercise says otherwise."""


@dataclass(frozen=True)
class At:
    """A quantity at the bottom or the top of a repetition.

    ``quantity`` is one of ``form.quantities.QUANTITIES``: the angle of a joint ("knee", "hip",
    "elbow", "shoulder"), the "lean" of the trunk, or the "depth", how far the hips are below the
    knees; ``moment`` is "bottom" or "top", the lowest and the highest frame by ``signal`` or
    ``phases_by``.
    """

    key: str
    title: str
    quantity: str
    moment: str
    view: str = SIDE


@dataclass(frozen=True)
class Most:
    """The largest value of a quantity while a repetition lasts."""

    key: str
    title: str
    quantity: str
    view: str = SIDE


@dataclass(frozen=True)
class Spread:
    """How far a quantity goes to and fro while a repetition lasts; little where it is steady."""

    key: str
    title: str
    quantity: str
    view: str = SIDE


@dataclass(frozen=True)
class Computed:
    """Measures that take more than a look at one moment: a name in ``form.metrics.COMPUTED``."""

    name: str
    view: str = ANY


@dataclass(frozen=True)
class Speed:
    """How far and how fast the load rises: the middle of two ``joints``; None: the signal."""

    joints: tuple[int, int] | None
    what: str


Measured = At | Most | Spread | Computed | Speed


@dataclass(frozen=True)
class Rule:
    """A limit of one measure.

    ``limit`` is where good ends; ``margin`` is how uncertain the measure is from the side,
    ``oblique`` from elsewhere (None: not measured there). ``more`` says whether more is better.
    ``good`` and ``look`` are titles; ``means`` says what the measure is, with ``{value}`` for it;
    ``basis`` is where the limit comes from. ``subject`` names what is judged in a sentence that
    says why it could not be. ``level``: what is within ``margin`` of the limit is good enough and
    has this title; from elsewhere it is not judged. What is farther from the limit, but by less
    than ``gap``, may be level or not, and is called so.
    """

    key: str
    limit: float
    margin: float
    more: bool
    good: str
    look: str
    means: str
    basis: str
    oblique: float | None = None
    subject: str = "One measure"
    level: str | None = None
    gap: float = 0.0

    def is_level(self, value: float, margin: float) -> bool:
        """Is a value near enough to the limit to be called level, where there is such a title?"""
        return self.level is not None and abs(value - self.limit) < margin

    def beside_level(self, value: float, margin: float) -> str | None:
        """The title of a value that may just be level, or a little deeper or higher; None else."""
        if self.level is None or not margin <= abs(value - self.limit) < margin + self.gap:
            return None
        side = "deeper" if self._beyond(value) > 0 else "higher"
        return f"{self.level.partition(':')[0]} or a little {side}"

    def _beyond(self, value: float) -> float:
        """How far a value is on the good side of the limit."""
        return (value - self.limit) * (1 if self.more else -1)

    def is_good(self, value: float, margin: float) -> bool:
        """Is a value good, or level, or one of both?"""
        if self.level is not None:
            return self._beyond(value) > -margin
        return self.verdict(value, margin) is Verdict.GOOD

    def verdict(self, value: float, margin: float) -> Verdict:
        """Good, something to look at, or too close to the limit to say."""
        beyond = self._beyond(value)
        if abs(beyond) < margin + self.gap:
            return Verdict.CLOSE
        return Verdict.GOOD if beyond > 0 else Verdict.LOOK


@dataclass(frozen=True)
class Resting:
    """The pose between two repetitions: where the middle of two ``joints`` is ``high``, or low.

    ``strictly``: also of a clip that begins still at the other end. A squat that begins at the
    bottom is cut off; a deadlift may be lowered from a rack first.
    """

    joints: tuple[int, int]
    high: bool
    strictly: bool = False


@dataclass(frozen=True)
class Signal:
    """What rises and falls with every repetition: one of ``motion.signals.SIGNALS``.

    ``high``: the lifter rests where it is high, as in a bench press; else where it is low, as in a
    curl. A clip that begins and ends at the other end is counted from there, unless ``strictly``.
    ``by_side``: arms may take turns, and each side's repetitions then count. ``least`` is the
    smallest movement that can be a repetition, in statures.
    """

    name: str
    high: bool
    by_side: bool = False
    least: float = 0.08
    strictly: bool = False


@dataclass(frozen=True)
class BlindSpot:
    """What form cannot judge, in a sentence; from the view ``seen_from`` it can."""

    text: str
    seen_from: str | None = None


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``key`` is its class in data and models, ``aliases`` other keys that mean the same. ``moving``
    are the keypoints whose movement shows repetitions, ``resting`` is where they begin and end
    (None: where the clip begins still); ``signal`` stands in for both where a single quantity shows
    them better. ``phases_by`` are the two keypoints whose height over the feet tells lowering from
    lifting, where no signal does; None where the measures do without phases. Somebody ``lying`` has
    a trunk that is level for most of the exercise; a ``barbell`` may be lifted in it.
    Without ``measures`` it gets those that any movement has: duration and ranges of joints.
    ``training_share`` is how much of the shipped classifier's training shows it, None where that
    does not know it.
    """

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    moving: tuple[int, ...] = WHOLE_BODY
    resting: Resting | None = None
    signal: Signal | None = None
    phases_by: tuple[int, int] | None = None
    measures: tuple[Measured, ...] = ()
    rules: tuple[Rule, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    lying: bool = False
    barbell: bool = False
    training_share: float | None = None

    @property
    def has_phases(self) -> bool:
        """Can lowering be told from lifting?"""
        return self.signal is not None or self.phases_by is not None

    @property
    def name(self) -> str:
        """The title inside a sentence."""
        is_proper = self.title.startswith(PROPER)
        return self.title if is_proper else self.title[0].lower() + self.title[1:]

    @property
    def article(self) -> str:
        """ "a" or "an", as the name asks for."""
        return "an" if self.name[0].lower() in "aeiou" else "a"
