"""Pulls: the hands come to the trunk, or the trunk to the hands."""

from __future__ import annotations

from gymform.exercises.definition import (
    ANY,
    FRONT,
    At,
    BlindSpot,
    Computed,
    Exercise,
    Rule,
    Signal,
    Speed,
    Spread,
)
from gymform.exercises.presses import UNEVEN

PULL_UP = Exercise(
    "pull_up",
    "Pull-up",
    training_share=0.04,
    aliases=("pullup", "pull_ups", "pullups", "chin_up", "chinup"),
    signal=Signal("shoulders_to_bar", high=False, least=0.06),
    measures=(
        At("top_chin", "Nose above the hands at the top", "nose_over_hands", "top", ANY),
        At("hang_elbow", "Elbow angle in the hang", "arm", "bottom", ANY),
        Spread("kip", "Hips bend and stretch by", "hip"),
        Computed("times"),
        Speed(None, "shoulders"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "top_chin", 8.0, 4.0, True,
            "The chin goes over the bar", "The chin stays below the bar",
            "At the top the nose is {value} the wrists, in the lifter's height. The chin is over "
            "the bar from about 8 % above them on.",
            "Fitness test of the US Marines: a repetition counts when the chin is above the bar. "
            "The bar lies about 4 % above the wrists, the chin about 4 % below the nose.",
            oblique=5.0,
            subject="The height of the chin",
        ),
        Rule(
            "hang_elbow", 150.0, 10.0, True,
            "Every repetition starts from a full hang", "The arms stay bent in the hang",
            "In the hang the elbow angle is {value}.",
            "Fitness test of the US Marines: the arms are fully extended between repetitions.",
            oblique=14.0,
            subject="The hang",
        ),
        Rule(
            "kip", 50.0, 12.0, False,
            "No swing with the legs", "The legs swing",
            "Within the repetition the hips bend and stretch by {value}.",
            "Fitness test of the US Marines: no kicking or kipping to get up. In gyms and contests "
            "a kip may be meant.",
            subject="A swing",
        ),
    ),
    blind_spots=(UNEVEN,),
)  # fmt: skip

ROW = Exercise(
    "row",
    "Row",
    barbell=True,
    training_share=0.03,
    aliases=("barbell_row", "bent_over_row", "dumbbell_row", "seated_row", "cable_row"),
    signal=Signal("hands_to_shoulders", high=False, by_side=True, least=0.06),
    measures=(
        Spread("trunk_swing", "The trunk moves by", "lean"),
        At("low_elbow", "Elbow angle, arms stretched", "arm", "bottom"),
        At("top_elbow", "Elbow angle, pulled in", "elbow", "top"),
        At("top_upper_arm", "Elbow behind the trunk", "elbow_behind", "top"),
        Computed("times"),
        Speed(None, "hands"),
    ),
    rules=(
        Rule(
            "trunk_swing", 18.0, 7.0, False,
            "The trunk stays still", "The trunk helps",
            "Within the repetition the trunk moves by {value}.",
            "Textbooks (NSCA, Exercise Technique Manual): the trunk keeps its angle, nothing is "
            "jerked up with it.",
            subject="The trunk",
        ),
        Rule(
            "low_elbow", 148.0, 12.0, True,
            "The arms stretch between pulls", "The arms stay bent between pulls",
            "Where the arms are longest the elbow angle is {value}.",
            "Textbooks (NSCA, Exercise Technique Manual) lower until the elbows are extended.",
            subject="The stretch of the arms",
        ),
        Rule(
            "top_upper_arm", 0.0, 16.0, True,
            "Pulled in: the elbows pass the trunk", "The elbows stay before the trunk",
            "At the end of the pull the upper arm points {value} the trunk.",
            "Textbooks (NSCA, Exercise Technique Manual): the bar touches the lower chest or the "
            "belly, which takes elbows behind the trunk.",
            subject="The end of the pull",
        ),
    ),
    blind_spots=(
        UNEVEN,
        BlindSpot(
            "Whether the back is rounded cannot be told from keypoints of shoulders and hips."
        ),
    ),
)  # fmt: skip
