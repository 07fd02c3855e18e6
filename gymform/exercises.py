"""What an exercise is, once: its name, how its repetitions are measured, and what good form is.

To add one that users train themselves, add an :class:`Exercise` to :data:`EXERCISES`: pages,
terminal and cards know it from then on by its key, and by its aliases. To add one to the shipped
classifier, give it a ``training_share`` as well, and train (see CONTRIBUTING.md). What is measured
is named here and computed in ``form/metrics.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gymform.skeleton import BODY, HIPS, NOSE, SHOULDERS, WRISTS
from gymform.types import OTHER, UNKNOWN, Verdict

SIDE, FRONT, ANY = "side", "front", "any"
"""The view that a measure needs."""

WHOLE_BODY = (NOSE, *BODY)
"""Keypoints whose movement shows repetitions, unless an exercise says otherwise."""


@dataclass(frozen=True)
class At:
    """A quantity at the bottom or the top of a repetition.

    ``quantity`` is one of ``form.metrics.QUANTITIES``: the angle of a joint ("knee", "hip",
    "elbow", "shoulder"), the "lean" of the trunk, or the "depth", how far the hips are below the
    knees; ``moment`` is "bottom" or "top", the lowest and the highest frame by ``phases_by``.
    """

    key: str
    title: str
    quantity: str
    moment: str
    view: str = SIDE


@dataclass(frozen=True)
class Computed:
    """Measures that take more than a look at one moment: a name in ``form.metrics.COMPUTED``."""

    name: str
    view: str = ANY


@dataclass(frozen=True)
class Speed:
    """How far and how fast the middle of two keypoints rises: where the load is."""

    joints: tuple[int, int]
    what: str


Measured = At | Computed | Speed


@dataclass(frozen=True)
class Rule:
    """A limit of one measure.

    ``limit`` is where good ends; ``margin`` is how uncertain the measure is from the side,
    ``oblique`` from elsewhere (None: not measured there). ``more`` says whether more is better.
    ``good`` and ``look`` are titles; ``means`` says what the measure is, with ``{value}`` for it;
    ``basis`` is where the limit comes from. ``subject`` names what is judged in a sentence that
    says why it could not be. ``level``: what is within ``margin`` of the limit is good enough and
    has this title; from elsewhere it is not judged. Only what is farther from the limit by ``gap``
    than that is good or bad.
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

    def verdict(self, value: float, margin: float) -> Verdict:
        """Good, something to look at, or too close to the limit to say."""
        beyond = (value - self.limit) * (1 if self.more else -1)
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
class BlindSpot:
    """What form cannot judge, in a sentence; from the view ``seen_from`` it can."""

    text: str
    seen_from: str | None = None


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``key`` is its class in data and models, ``aliases`` other keys that mean the same. ``moving``
    are the keypoints whose movement shows repetitions, ``resting`` is where they begin and end
    (None: where the clip begins still). ``phases_by`` are the two keypoints whose
    height over the feet tells lowering from lifting; None where the measures do without phases.
    Without ``measures`` it gets those that any movement has: duration and ranges of joints.
    ``training_share`` is how much of the shipped classifier's training shows it, None where that
    does not know it.
    """

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    moving: tuple[int, ...] = WHOLE_BODY
    resting: Resting | None = None
    phases_by: tuple[int, int] | None = None
    measures: tuple[Measured, ...] = ()
    rules: tuple[Rule, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    training_share: float | None = None

    @property
    def name(self) -> str:
        """The title inside a sentence."""
        return self.title[0].lower() + self.title[1:]

    @property
    def article(self) -> str:
        """ "a" or "an", as the name asks for."""
        return "an" if self.name[0] in "aeiou" else "a"


SNATCH = Exercise(
    "snatch",
    "Snatch",
    aliases=("power_snatch", "full_snatch", "squat_snatch", "hang_snatch"),
    measures=(Computed("overhead_catch"),),
    training_share=0.22,
    rules=(
        Rule(
            "catch_elbow", 150.0, 10.0, True,
            "Caught on straight arms", "The arms are bent at the catch",
            "As the lifter is lowest under the bar, the elbow angle is {value}.",
            "Weightlifting rules (IWF): the bar goes overhead in one motion onto straight arms.",
            oblique=15.0,
            subject="The arms at the catch",
        ),
        Rule(
            "press_out", 15.0, 8.0, False,
            "No press-out", "The arms straighten after the catch",
            "After the catch the elbows open by {value}.",
            "Weightlifting rules (IWF): to finish by pressing out is a fault.",
            oblique=12.0,
            subject="A press-out",
        ),
        Rule(
            "catch_ahead", 8.0, 5.0, False,
            "Caught over the feet", "Caught before the feet",
            "At the catch the hands are {value} the middle of the foot, measured in the lifter's "
            "height.",
            "A bar before the feet must be chased or is lost.",
            subject="The place of the catch",
        ),
    ),
)  # fmt: skip

DEADLIFT = Exercise(
    "deadlift",
    "Deadlift",
    aliases=("conventional_deadlift", "sumo_deadlift", "trap_bar_deadlift"),
    resting=Resting(SHOULDERS, high=False),
    phases_by=SHOULDERS,
    measures=(
        At("start_lean", "Trunk lean at the start", "lean", "bottom"),
        At("start_knee", "Knee angle at the start", "knee", "bottom"),
        Computed("tip", SIDE),
        Computed("bar_ahead", SIDE),
        At("top_hip", "Hip angle at the top", "hip", "top"),
        At("top_knee", "Knee angle at the top", "knee", "top"),
        Computed("times"),
        Speed(WRISTS, "hands"),
    ),
    training_share=0.23,
    rules=(
        Rule(
            "tip", 8.0, 4.0, False,
            "Hips and shoulders rise together", "The hips rise before the bar",
            "Early on the way up the trunk leans {value} more than at the start.",
            "Coaches call it a stiff-legged pull: the legs are straight before they have helped.",
            subject="The start of the way up",
        ),
        Rule(
            "bar_ahead", 10.0, 6.0, False,
            "The bar stays over the feet", "The bar is far before the feet",
            "Where they are farthest, the hands are {value} the middle of the foot, measured in "
            "the lifter's height.",
            "A bar over the middle of the foot has the shortest lever to the hips.",
            subject="The path of the bar",
        ),
        Rule(
            "top_hip", 158.0, 9.0, True,
            "The hips are locked out", "The hips stay bent at the top",
            "At the top the hip angle is {value}.",
            "Powerlifting rules (IPF): at the end the lifter stands erect with locked knees.",
            subject="The hips at the top",
        ),
        Rule(
            "top_knee", 158.0, 9.0, True,
            "The knees are locked out", "The knees stay bent at the top",
            "At the top the knee angle is {value}.",
            "Powerlifting rules (IPF): at the end the lifter stands erect with locked knees.",
            subject="The knees at the top",
        ),
    ),
    blind_spots=(
        BlindSpot(
            "Whether the back is rounded cannot be told from keypoints of shoulders and hips."
        ),
    ),
)  # fmt: skip

SQUAT = Exercise(
    "squat",
    "Squat",
    aliases=(
        "back_squat",
        "barbell_squat",
        "bodyweight_squat",
        "air_squat",
        "front_squat",
        "goblet_squat",
        "overhead_squat",
        "smith_squat",
        "smith_machine_squat",
    ),
    resting=Resting(HIPS, high=True, strictly=True),
    phases_by=HIPS,
    measures=(
        At("thigh_below_level", "Depth", "depth", "bottom", ANY),
        At("knee_angle", "Knee angle at the bottom", "knee", "bottom"),
        At("hip_angle", "Hip angle at the bottom", "hip", "bottom"),
        At("trunk_lean", "Trunk lean at the bottom", "lean", "bottom"),
        Computed("tip", SIDE),
        Computed("knees_apart", FRONT),
        Computed("times"),
        Speed(SHOULDERS, "shoulders"),
    ),
    training_share=0.25,
    rules=(
        Rule(
            "thigh_below_level", 0.0, 8.0, True,
            "Deep: the hips go below the knees", "Above parallel",
            "At the bottom the line from the top of the knee to the hip crease points {value}.",
            "Powerlifting rules (IPF) count a squat when the hips are lower than the tops of the "
            "knees. Many train higher on purpose. Nearer than 8° the keypoints cannot tell which "
            "side of parallel it is.",
            oblique=14.0,
            subject="Depth",
            level="About parallel: the hips end level with the knees, give or take 8°",
            gap=1.0,
        ),
        Rule(
            "tip", 10.0, 4.0, False,
            "Hips and shoulders rise together", "The hips rise before the shoulders",
            "Early on the way up the trunk leans {value} more than at the bottom.",
            "Coaches call it a good-morning squat: the back takes over from the legs.",
            subject="The start of the way up",
        ),
        Rule(
            "knees_apart", 75.0, 10.0, True,
            "The knees stay over the feet", "The knees come inwards",
            "Early on the way up the knees are {value} as far apart as the ankles.",
            "Knee to ankle separation, as in jump tests (Barber-Westin et al. 2005: below 60 % is "
            "distinctly abnormal there).",
            oblique=10.0,
            subject="The knees' path",
        ),
    ),
    blind_spots=(BlindSpot("Whether the knees come inwards shows from the front only.", FRONT),),
)  # fmt: skip

CLEAN_AND_JERK = Exercise(
    "clean_and_jerk",
    "Clean and jerk",
    aliases=("clean", "power_clean", "squat_clean", "hang_clean", "clean_jerk"),
)

ROMANIAN_DEADLIFT = Exercise(
    "romanian_deadlift",
    "Romanian deadlift",
    aliases=("rdl", "stiff_leg_deadlift", "stiff_legged_deadlift"),
)

LUNGE = Exercise(
    "lunge",
    "Lunge",
    aliases=("lunges", "walking_lunge", "reverse_lunge", "split_squat", "bulgarian_split_squat"),
)

BENCH_PRESS = Exercise(
    "bench_press",
    "Bench press",
    aliases=("barbell_bench_press", "dumbbell_bench_press", "incline_bench_press"),
)

OVERHEAD_PRESS = Exercise(
    "overhead_press",
    "Overhead press",
    aliases=("shoulder_press", "military_press", "push_press", "strict_press"),
)

PUSH_UP = Exercise(
    "push_up",
    "Push-up",
    aliases=("pushup", "push_ups", "pushups", "press_up"),
)

PULL_UP = Exercise(
    "pull_up",
    "Pull-up",
    aliases=("pullup", "pull_ups", "pullups", "chin_up", "chinup"),
)

ROW = Exercise(
    "row",
    "Row",
    aliases=("barbell_row", "bent_over_row", "dumbbell_row", "seated_row", "cable_row"),
)

BICEP_CURL = Exercise(
    "bicep_curl",
    "Biceps curl",
    aliases=("biceps_curl", "curl", "dumbbell_curl", "barbell_curl", "hammer_curl"),
)

LATERAL_RAISE = Exercise(
    "lateral_raise",
    "Lateral raise",
    aliases=("side_raise", "side_lateral_raise"),
)

SIT_UP = Exercise(
    "sit_up",
    "Sit-up",
    aliases=("situp", "sit_ups", "situps", "crunch", "crunches"),
)

JUMPING_JACK = Exercise(
    "jumping_jack",
    "Jumping jack",
    aliases=("jumping_jacks", "star_jump"),
)

KETTLEBELL_SWING = Exercise(
    "kettlebell_swing",
    "Kettlebell swing",
    aliases=("kb_swing", "russian_swing", "american_swing"),
)

EXERCISES: tuple[Exercise, ...] = (
    SNATCH,
    CLEAN_AND_JERK,
    DEADLIFT,
    ROMANIAN_DEADLIFT,
    SQUAT,
    LUNGE,
    BENCH_PRESS,
    OVERHEAD_PRESS,
    PUSH_UP,
    PULL_UP,
    ROW,
    BICEP_CURL,
    LATERAL_RAISE,
    SIT_UP,
    JUMPING_JACK,
    KETTLEBELL_SWING,
)
"""All that are known, in the order of the shipped classifier's classes. Margins of rules: see
``benchmarks/form.md``."""

OTHER_SHARE = 0.30
"""How much of the training of the shipped classifier shows none of its exercises."""


def find_exercise(name: str) -> Exercise | None:
    """The exercise that a class or a folder is named after, by key or alias; None when unknown.

    Capitals do not matter, nor whether words are joined by spaces, hyphens or underscores.
    """
    key = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    return next((one for one in EXERCISES if key == one.key or key in one.aliases), None)


_ANSWERS = {OTHER: "another exercise", UNKNOWN: "unknown exercise"}
"""What people read for the two answers that name no exercise; JSON and data have the keys."""


def title_of(name: str) -> str:
    """What people call the exercise that a class is named after: ``clean_and_jerk`` -> "Clean and
    jerk"; "Another exercise" and "Unknown exercise" for the answers that name none."""
    known = next((one for one in EXERCISES if one.key == name), None)
    words = known.title if known else name_of(name)
    return words[:1].upper() + words[1:]


def name_of(name: str) -> str:
    """The same inside a sentence: "clean and jerk", "another exercise"."""
    known = next((one for one in EXERCISES if one.key == name), None)
    if known:
        return known.name
    return _ANSWERS.get(name) or name.replace("_", " ").strip()


def shipped_exercises() -> tuple[Exercise, ...]:
    """Those that the shipped classifier tells apart, in the order of its classes."""
    return tuple(one for one in EXERCISES if one.training_share is not None)


def shipped_classes() -> tuple[str, ...]:
    """The classes of the shipped classifier in the order of its probabilities; ``other`` last."""
    return (*(one.key for one in shipped_exercises()), OTHER)


def class_of(name: str) -> str:
    """The shipped classifier's class for data of this exercise: its key, or ``other``."""
    return name if name in shipped_classes() else OTHER


def training_shares() -> dict[str, float]:
    """Share of each class in what the shipped classifier is trained on."""
    shares = {one.key: one.training_share or 0.0 for one in shipped_exercises()}
    return {**shares, OTHER: OTHER_SHARE}


def listed(names: Sequence[str], last: str = "or") -> str:
    """Names as in a sentence: "a snatch, a deadlift or a squat" of names with their articles."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
