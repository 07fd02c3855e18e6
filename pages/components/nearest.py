"""The accepted clips that a movement is most like, as small moving skeletons."""

from __future__ import annotations

from operator import attrgetter

import streamlit as st

from gymform.draw.looping import looping_skeleton
from gymform.errors import WeightsError
from gymform.exercise.nearest import Bank, read_bank
from gymform.types import OTHER, UNKNOWN, Neighbour, Prediction
from gymform.weights import ModelEntry, checked_path, manifest_entry
from pages.components.exercise_pictures import LIST_STYLE, list_item

LEAST_S, MOST_S = 0.8, 5.0
"""A repetition is shown in no less and no more seconds than this."""


def show_nearest(prediction: Prediction) -> None:
    """Up to three clips; nothing where the model holds none, or is not in use any more."""
    bank = _bank(prediction.model_sha256)
    clips = [one for one in prediction.nearest if bank and one.number < len(bank.exercises)]
    if bank is None or not clips:
        return
    unnamed = prediction.label in (OTHER, UNKNOWN)
    st.markdown("Nearest to it, though it may be none of them:" if unnamed else "Most like these:")
    items = "".join(_item(bank, one) for one in clips)
    st.html(f'{LIST_STYLE}<ul class="exercises">{items}</ul>')
    st.caption(
        "Accepted clips of the training data of other people, by what the classifier sees in them, "
        "the likest first."
    )


def _item(bank: Bank, clip: Neighbour) -> str:
    """A list item: the skeleton of a clip, and below it what the clip shows."""
    seconds = min(MOST_S, max(LEAST_S, float(bank.seconds[clip.number])))
    return list_item(looping_skeleton(bank.poses[clip.number], seconds).encode(), clip.exercise)


def _bank(sha256: str) -> Bank | None:
    """The clips of the model in use, where that is the model with this digest."""
    try:
        entry = manifest_entry(None, "exercise")
        return _read(entry) if entry.sha256 == sha256 else None
    except WeightsError:
        return None


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs={ModelEntry: attrgetter("sha256")})
def _read(entry: ModelEntry) -> Bank | None:
    return read_bank(checked_path(entry))
