"""Legs: the hips go down between or behind the feet, and up again."""

from __future__ import annotations

from gymform.exercises.definition import (
    ANY,
    FRONT,
    SIDE,
    At,
    BlindSpot,
    Computed,
    Exercise,
    Resting,
    Rule,
    Signal,
    Speed,
)
from gymform.skeleton import HIPS, SHOULDERS

SQUAT = Exercise(
    "squat",
    "Squat",
    barbell=True,
    training_share=0.13,
    aliases=(
        "back_squat",
        "barbell_squat",
        "bodyweight_squat",
        "air_squat",
        "front_squat",
        "goblet_squat",
        "overhead_squat",
        "jump_squat",
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
    rules=(
        Rule(
            "thigh_below_level", 0.0, 8.0, True,
            "Deep: the hips go below the knees", "Above parallel",
            "At the bottom the line from the top of the knee to the hip crease points {value}.",
            "Powerlifting rules (IPF) count a squat when the hips are lower than the tops of the "
            "knees. Many train higher on purpose. Nearer than 8° the keypoints cannot tell which "
            "side of parallel it is.",
            oblique=13.0,
            subject="Depth",
            level="About parallel: the hips end level with the knees, give or take 8°",
            gap=2.0,
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

LUNGE = Exercise(
    "lunge",
    "Lunge",
    barbell=True,
    training_share=0.06,
    aliases=("lunges", "walking_lunge", "reverse_lunge", "split_squat", "bulgarian_split_squat"),
    signal=Signal("hips_over_feet", high=True, least=0.05),
    measures=(
        At("front_thigh", "Front thigh at the bottom", "front_thigh", "bottom", ANY),
        At("front_knee", "Front knee angle at the bottom", "front_knee", "bottom"),
        At("rear_knee", "Rear knee above the floor", "rear_knee", "bottom", ANY),
        At("trunk_lean", "Trunk lean at the bottom", "lean", "bottom"),
        Computed("times"),
        Speed(None, "hips"),
    ),
    rules=(
        Rule(
            "front_thigh", 0.0, 10.0, True,
            "Deep: the front thigh goes below level", "The front thigh stays above level",
            "At the bottom the front thigh points {value}.",
            "Textbooks (NSCA, Essentials of Strength Training and Conditioning) lower until the "
            "front thigh is level. Many stay higher on purpose.",
            oblique=14.0,
            subject="The depth",
            level="About level: the front thigh ends parallel to the floor, give or take 10°",
            gap=1.0,
        ),
        Rule(
            "rear_knee", 14.0, 6.0, False,
            "The rear knee comes near the floor", "The rear knee stays high",
            "At its lowest the rear knee is {value} the foot, in the lifter's height.",
            "Textbooks (NSCA, Essentials of Strength Training and Conditioning) lower the rear "
            "knee to 3 to 5 cm above the floor; the knee's keypoint is its centre.",
            oblique=8.0,
            subject="The rear knee",
        ),
        Rule(
            "trunk_lean", 30.0, 8.0, False,
            "The trunk stays up", "The trunk falls forward",
            "At the bottom the trunk leans {value} from upright.",
            "Textbooks keep the trunk near upright; a slight lean with the hip is common.",
            subject="The trunk",
        ),
    ),
    blind_spots=(
        BlindSpot("Whether the front knee moves inwards shows from the front only.", FRONT),
    ),
)  # fmt: skip
