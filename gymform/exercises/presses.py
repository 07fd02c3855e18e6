"""Presses: the hands leave the shoulders, lying, standing or on the floor."""

from __future__ import annotations

from gymform.exercises.definition import (
    ANY,
    FRONT,
    At,
    BlindSpot,
    Computed,
    Exercise,
    Most,
    Rule,
    Signal,
    Speed,
)

UNEVEN = BlindSpot(
    "Left against right is not measurable from here: the far arm is hidden. It shows from the "
    "front or the back.",
    FRONT,
)

BENCH_PRESS = Exercise(
    "bench_press",
    "Bench press",
    barbell=True,
    training_share=0.06,
    aliases=("barbell_bench_press", "dumbbell_bench_press", "incline_bench_press"),
    signal=Signal("hands_from_shoulders", high=True),
    lying=True,
    measures=(
        At("low_arm", "Upper arm at the bottom", "upper_arm", "bottom", ANY),
        At("low_elbow", "Elbow angle at the bottom", "arm", "bottom", ANY),
        At("top_elbow", "Elbow angle at the top", "arm", "top", ANY),
        At("top_hands", "Hands beside the shoulders at the top", "hands_beside", "top"),
        Computed("times"),
        Speed(None, "hands"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "low_arm", 0.0, 12.0, True,
            "Deep: the elbows go below the shoulders", "The elbows stay above the shoulders",
            "At the bottom the upper arm points {value}.",
            "Powerlifting rules (IPF, since 2023): the elbows come down to the level of the "
            "shoulders or below it.",
            oblique=12.0,
            subject="The depth of the elbows",
            level="About level: the elbows come down to the shoulders, give or take 12°",
            gap=1.0,
        ),
        Rule(
            "top_elbow", 152.0, 10.0, True,
            "The arms are locked out", "The arms stay bent at the top",
            "At the top the elbow angle is {value}.",
            "Powerlifting rules (IPF): the lift ends with straight arms and locked elbows.",
            oblique=18.0,
            subject="The arms at the top",
        ),
        Rule(
            "top_hands", 10.0, 6.0, False,
            "The bar ends over the shoulders", "The bar ends away from the shoulders",
            "At the top the hands are {value} beside the shoulders, along the bench.",
            "Over the shoulders a bar on straight arms has no lever to them.",
            subject="The place of the bar at the top",
        ),
    ),
    blind_spots=(
        UNEVEN,
        BlindSpot("Whether the bar touches the chest cannot be told: no keypoint marks it."),
    ),
)  # fmt: skip

OVERHEAD_PRESS = Exercise(
    "overhead_press",
    "Overhead press",
    barbell=True,
    training_share=0.05,
    aliases=("shoulder_press", "military_press", "push_press", "strict_press"),
    signal=Signal("hands_over_shoulders", high=False, by_side=True),
    measures=(
        At("low_hands", "Hands above the shoulders at the bottom", "hands_up", "bottom", ANY),
        At("top_elbow", "Elbow angle at the top", "arm", "top", ANY),
        Most("lean_back", "Trunk leans back by", "lean_back"),
        Computed("times"),
        Speed(None, "hands"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "top_elbow", 152.0, 10.0, True,
            "The arms are locked out overhead", "The arms stay bent overhead",
            "At the top the elbow angle is {value}.",
            "Textbooks (NSCA, Exercise Technique Manual) press until the elbows are extended.",
            oblique=14.0,
            subject="The arms at the top",
        ),
        Rule(
            "low_hands", 12.0, 6.0, False,
            "Down to the shoulders", "The hands stop above the shoulders",
            "At the bottom the hands are {value} the shoulders, in the lifter's height.",
            "Textbooks (NSCA, Exercise Technique Manual) lower the bar to the shoulders.",
            oblique=8.0,
            subject="The bottom of the press",
        ),
        Rule(
            "lean_back", 15.0, 6.0, False,
            "The trunk stays up", "The trunk leans back",
            "Where it leans most, the trunk is {value} behind upright.",
            "Coaches: a strong lean makes a standing bench press of it, and arches the lower back.",
            subject="The trunk",
        ),
    ),
    blind_spots=(UNEVEN,),
)  # fmt: skip

PUSH_UP = Exercise(
    "push_up",
    "Push-up",
    training_share=0.05,
    aliases=("pushup", "push_ups", "pushups", "press_up"),
    signal=Signal("hands_from_shoulders", high=True, least=0.05),
    lying=True,
    measures=(
        At("low_elbow", "Elbow angle at the bottom", "elbow", "bottom"),
        At("low_shoulders", "Shoulders below the elbows at the bottom", "arm_up", "bottom", ANY),
        At("top_elbow", "Elbow angle at the top", "arm", "top"),
        Most("sag", "Hips sag by", "sag"),
        Most("pike", "Hips stick up by", "pike"),
        Computed("times"),
        Speed(None, "shoulders"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "low_shoulders", 0.0, 12.0, True,
            "Deep: the shoulders go below the elbows", "The shoulders stay above the elbows",
            "At the bottom the line from the shoulder to the elbow points {value}.",
            "Fitness test of the US Army (FM 21-20): down until the upper arms are at least "
            "parallel to the ground.",
            oblique=14.0,
            subject="The depth",
            level="About parallel: the upper arms end level, give or take 12°",
            gap=8.0,  # of seven that point 14 to 19° up by the keypoints, the eye agrees with three
        ),
        Rule(
            "top_elbow", 152.0, 10.0, True,
            "The arms are straight at the top", "The arms stay bent at the top",
            "At the top the elbow angle is {value}.",
            "Fitness test of the US Army (FM 21-20): up until the arms are fully extended.",
            subject="The arms at the top",
        ),
        Rule(
            "sag", 20.0, 8.0, False,
            "The hips do not sag", "The hips sag",
            "At its most the hips hang {value} below a straight body.",
            "Fitness test of the US Army (FM 21-20): shoulders to ankles in a generally straight "
            "line, moved as a unit.",
            subject="The line of the body",
        ),
        Rule(
            "pike", 30.0, 10.0, False,
            "The hips do not stick up", "The hips stick up",
            "At its most the hips bend {value} above a straight body.",
            "Fitness test of the US Army (FM 21-20): shoulders to ankles in a generally straight "
            "line, moved as a unit.",
            subject="The height of the hips",
        ),
    ),
    blind_spots=(
        UNEVEN,
        BlindSpot("Whether the chest touches the floor cannot be told: no keypoint marks it."),
    ),
)  # fmt: skip
