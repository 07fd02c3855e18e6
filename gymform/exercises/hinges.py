"""Hinges: the hips go back and the trunk leans forward over the feet."""

from __future__ import annotations

from gymform.exercises.definition import (
    ANY,
    SIDE,
    At,
    BlindSpot,
    Computed,
    Exercise,
    Resting,
    Rule,
    Signal,
    Speed,
    Spread,
)
from gymform.skeleton import SHOULDERS, WRISTS

ROUNDED = BlindSpot(
    "Whether the back is rounded cannot be told from keypoints of shoulders and hips."
)

DEADLIFT = Exercise(
    "deadlift",
    "Deadlift",
    barbell=True,
    training_share=0.14,
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
        ROUNDED,
    ),
)  # fmt: skip

ROMANIAN_DEADLIFT = Exercise(
    "romanian_deadlift",
    "Romanian deadlift",
    barbell=True,
    training_share=0.03,
    aliases=("rdl", "stiff_leg_deadlift", "stiff_legged_deadlift"),
    signal=Signal("shoulders_over_hips", high=True, least=0.04),
    measures=(
        At("low_lean", "Trunk lean at the bottom", "lean", "bottom"),
        At("low_knee", "Knee angle at the bottom", "knee", "bottom"),
        Spread("knee_change", "Knees bend and stretch by", "knee"),
        Computed("bar_ahead", SIDE),
        At("top_hip", "Hip angle at the top", "hip", "top"),
        Computed("times"),
        Speed(None, "shoulders"),
    ),
    rules=(
        Rule(
            "low_lean", 55.0, 8.0, True,
            "A deep hinge", "A shallow hinge",
            "At the bottom the trunk leans {value} from upright.",
            "Textbooks (NSCA, Exercise Technique Manual) lower the bar to the knees or below them, "
            "which takes a trunk that is nearer to level than to upright.",
            subject="The depth of the hinge",
        ),
        Rule(
            "knee_change", 35.0, 10.0, False,
            "The knees keep their angle", "The knees bend like in a deadlift",
            "Within the repetition the knee angle changes by {value}.",
            "Textbooks (NSCA, Exercise Technique Manual): the knees stay slightly bent, at one "
            "angle; the hips alone move.",
            subject="The angle of the knees",
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
            "top_hip", 158.0, 15.0, True,
            "The hips are locked out", "The hips stay bent at the top",
            "At the top the hip angle is {value}.",
            "Textbooks end the lift with hips that are extended as at its start.",
            subject="The hips at the top",
        ),
    ),
    blind_spots=(ROUNDED,),
)  # fmt: skip

KETTLEBELL_SWING = Exercise(
    "kettlebell_swing",
    "Kettlebell swing",
    training_share=0.01,
    aliases=("kb_swing", "russian_swing", "american_swing"),
    signal=Signal("hands_over_hips", high=False, least=0.15),
    measures=(
        At("low_depth", "Hips below the knees", "depth", "bottom", ANY),
        At("low_lean", "Trunk lean at the bottom", "lean", "bottom"),
        At("top_hip", "Hip angle at the top", "hip", "top"),
        At("top_knee", "Knee angle at the top", "knee", "top"),
        At("top_hands", "Hands above the shoulders at the top", "hands_up", "top", ANY),
        Computed("times"),
        Speed(None, "hands"),
    ),
    rules=(
        Rule(
            "top_hip", 158.0, 9.0, True,
            "The hips snap open", "The hips stay bent at the top",
            "At the top the hip angle is {value}.",
            "Standard of the StrongFirst school: at the top hips and knees are fully extended.",
            subject="The hips at the top",
        ),
        Rule(
            "top_knee", 158.0, 9.0, True,
            "The knees are straight at the top", "The knees stay bent at the top",
            "At the top the knee angle is {value}.",
            "Standard of the StrongFirst school: at the top hips and knees are fully extended.",
            subject="The knees at the top",
        ),
        Rule(
            "low_depth", -10.0, 10.0, False,
            "A hinge: the hips stay above the knees", "More of a squat than a hinge",
            "At the bottom the line from the top of the knee to the hip crease points {value}.",
            "Coaches of the swing ask for hips well above the knees: it is no squat with a weight "
            "raised in front.",
            oblique=14.0,
            subject="The height of the hips",
        ),
    ),
    blind_spots=(
        ROUNDED,
        BlindSpot("Whether the arms or the hips lift the weight cannot be told from keypoints."),
    ),
)  # fmt: skip
