"""Without a weight: sit-ups and jumping jacks."""

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

SIT_UP = Exercise(
    "sit_up",
    "Sit-up",
    training_share=0.05,
    aliases=("situp", "sit_ups", "situps", "crunch", "crunches"),
    signal=Signal("trunk_rise", high=False, least=0.04),
    lying=True,
    measures=(
        At("low_trunk", "Trunk from the floor at the bottom", "sit", "bottom"),
        Most("top_trunk", "Trunk from the floor at the top", "sit"),
        Computed("times"),
        Speed(None, "shoulders"),
    ),
    rules=(
        Rule(
            "top_trunk", 80.0, 8.0, True,
            "Up to vertical", "A part of the way up",
            "At the top the trunk is {value} from the floor. A crunch ends early on purpose.",
            "Fitness test of the US Army (FM 21-20): up until the base of the neck is above the "
            "base of the spine.",
            subject="The top of the sit-up",
        ),
        Rule(
            "low_trunk", 22.0, 8.0, False,
            "Down to the floor", "The back stays off the floor",
            "At the bottom the trunk is {value} from the floor.",
            "Fitness test of the US Army (FM 21-20): down until the shoulder blades touch the "
            "ground.",
            subject="The bottom of the sit-up",
        ),
    ),
    blind_spots=(
        BlindSpot("Whether hands pull at the neck, or feet are held, cannot be told."),
    ),
)  # fmt: skip

JUMPING_JACK = Exercise(
    "jumping_jack",
    "Jumping jack",
    training_share=0.03,
    aliases=("jumping_jacks", "star_jump"),
    signal=Signal("apart", high=False, least=0.2),
    measures=(
        At("hands_over_head", "Hands above the nose, arms up", "hands_over_nose", "top", ANY),
        At("top_feet", "Feet apart, of the shoulders", "feet_apart", "top", FRONT),
        At("low_feet", "Feet apart when closed, of the shoulders", "feet_apart", "bottom", FRONT),
        Computed("times"),
        Computed("even", FRONT),
    ),
    rules=(
        Rule(
            "hands_over_head", 4.0, 4.0, True,
            "The hands go over the head", "The hands stay below the head",
            "At the top the hands are {value} the nose, in the lifter's height.",
            "The side-straddle hop of the US Army (FM 21-20): the arms go overhead.",
            oblique=4.0,
            subject="The height of the hands",
        ),
        Rule(
            "top_feet", 110.0, 15.0, True,
            "The feet jump well apart", "The feet stay close together",
            "At the top the ankles are {value} as far apart as the shoulders.",
            "The side-straddle hop of the US Army (FM 21-20): the feet go more than the "
            "shoulders' width apart.",
            subject="The width of the jump",
        ),
    ),
    blind_spots=(BlindSpot("How far the feet go apart shows from the front only.", FRONT),),
)  # fmt: skip
