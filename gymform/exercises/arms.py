"""Arms alone: curls and raises, in which the trunk should not help."""

from __future__ import annotations

from gymform.exercises.definition import (
    FRONT,
    At,
    Computed,
    Exercise,
    Rule,
    Signal,
    Speed,
    Spread,
)
from gymform.exercises.presses import UNEVEN

BICEP_CURL = Exercise(
    "bicep_curl",
    "Biceps curl",
    barbell=True,
    training_share=0.03,
    aliases=("biceps_curl", "curl", "dumbbell_curl", "barbell_curl", "hammer_curl"),
    signal=Signal("hands_to_shoulders", high=False, by_side=True),
    measures=(
        At("low_elbow", "Elbow angle at the bottom", "arm", "bottom"),
        At("top_elbow", "Elbow angle at the top", "elbow", "top"),
        Spread("upper_arm_swing", "The upper arm moves by", "shoulder"),
        Spread("trunk_swing", "The trunk moves by", "lean"),
        Computed("times"),
        Speed(None, "hands"),
    ),
    rules=(
        Rule(
            "upper_arm_swing", 30.0, 10.0, False,
            "The elbows stay where they are", "The elbows wander",
            "Within the repetition the angle between upper arm and trunk changes by {value}.",
            "Textbooks (NSCA, Exercise Technique Manual): the upper arms stay against the trunk "
            "and still.",
            subject="The upper arms",
        ),
        Rule(
            "trunk_swing", 12.0, 6.0, False,
            "The trunk stays still", "The trunk swings",
            "Within the repetition the trunk moves by {value}.",
            "Textbooks (NSCA, Exercise Technique Manual): no swing of the trunk lifts the weight.",
            subject="The trunk",
        ),
        Rule(
            "low_elbow", 148.0, 10.0, True,
            "The arms stretch at the bottom", "The arms stay bent at the bottom",
            "At the bottom the elbow angle is {value}.",
            "Textbooks (NSCA, Exercise Technique Manual) lower until the elbows are extended.",
            subject="The bottom of the curl",
        ),
    ),
    blind_spots=(UNEVEN,),
)  # fmt: skip

LATERAL_RAISE = Exercise(
    "lateral_raise",
    "Lateral raise",
    training_share=0.02,
    aliases=("side_raise", "side_lateral_raise"),
    signal=Signal("hands_height", high=False, by_side=True),
    measures=(
        At("top_arm", "Elbows below the shoulders at the top", "upper_arm", "top", FRONT),
        At("top_elbow", "Elbow angle at the top", "arm", "top", FRONT),
        Spread("trunk_swing", "The trunk moves by", "lean"),
        Computed("times"),
        Speed(None, "hands"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "top_arm", 15.0, 8.0, False,
            "The arms come up to level", "The arms stay below level",
            "At the top the upper arm points {value}.",
            "Textbooks (NSCA, Exercise Technique Manual) raise until the arms are about parallel "
            "to the floor.",
            subject="The height of the arms",
        ),
        Rule(
            "trunk_swing", 12.0, 6.0, False,
            "The trunk stays still", "The trunk swings",
            "Within the repetition the trunk moves by {value}.",
            "Textbooks (NSCA, Exercise Technique Manual): no swing of the trunk lifts the weight.",
            subject="The trunk",
        ),
    ),
    blind_spots=(UNEVEN,),
)  # fmt: skip
