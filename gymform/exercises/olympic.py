"""From the floor overhead: snatch, and clean and jerk."""

from __future__ import annotations

from gymform.exercises.definition import BlindSpot, Computed, Exercise, Rule, Signal

LIFT = Signal("hands_over_hips", high=False, least=0.2)
"""Hands rise over the hips from the floor on; a squat under the bar does not bring them down."""

SNATCH = Exercise(
    "snatch",
    "Snatch",
    barbell=True,
    training_share=0.06,
    aliases=("power_snatch", "full_snatch", "squat_snatch", "hang_snatch"),
    signal=LIFT,
    measures=(Computed("duration"), Computed("overhead_catch")),
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

CLEAN_AND_JERK = Exercise(
    "clean_and_jerk",
    "Clean and jerk",
    barbell=True,
    training_share=0.03,
    aliases=("clean", "power_clean", "squat_clean", "hang_clean", "clean_jerk"),
    signal=LIFT,
    measures=(Computed("duration"), Computed("rack"), Computed("jerk")),
    rules=(
        Rule(
            "catch_elbow", 150.0, 10.0, True,
            "Jerked onto straight arms", "The arms are bent under the jerk",
            "As the lifter is lowest under the jerk, the elbow angle is {value}.",
            "Weightlifting rules (IWF): the jerk brings the bar to the full extent of the arms "
            "in one motion.",
            oblique=15.0,
            subject="The arms under the jerk",
        ),
        Rule(
            "press_out", 15.0, 8.0, False,
            "No press-out", "The arms straighten after the jerk",
            "After the jerk is caught the elbows open by {value}.",
            "Weightlifting rules (IWF): to finish by pressing out is a fault.",
            oblique=12.0,
            subject="A press-out",
        ),
        Rule(
            "rack_elbow", 100.0, 15.0, False,
            "Racked on the shoulders", "The bar is not on the shoulders at the catch",
            "Where the lifter is lowest after the pull, the elbow angle is {value}.",
            "Weightlifting rules (IWF): the clean ends with the bar on the clavicles, the chest or "
            "the fully bent arms.",
            subject="The rack position",
        ),
    ),
    blind_spots=(
        BlindSpot(
            "Whether elbows or knees touch each other, and whether the feet end in line, cannot be "
            "told from keypoints of wrists and ankles."
        ),
    ),
)  # fmt: skip
