"""What the model and the form's rules say of one repetition of a data set, as corrected."""

from __future__ import annotations

from dataclasses import dataclass

from gymform.dataset.corrections import corrected_poses
from gymform.dataset.reviews import ReviewStore
from gymform.types import FormReport, Prediction, within


@dataclass(frozen=True)
class ItemFigures:
    """The model's answer and the form of a repetition; ``corrected`` says whether people changed
    its keypoints."""

    prediction: Prediction
    form: FormReport
    corrected: bool


def figures_of(store: ReviewStore, item_id: str) -> ItemFigures:
    """The figures of a repetition by the model in use, from its keypoints with all corrections.

    Raises DatasetError without the item, PoseFileError without keypoints, WeightsError.
    """
    from gymform.analysis import judge
    from gymform.exercise.classifier import load_classifier  # both import PyTorch

    item = store.get(item_id).item
    found = corrected_poses(store, item.clip_sha256)
    inside = within(found.pose.time_s, item.start_s, item.end_s)
    pose = found.pose.part(inside) if inside.sum() > 1 else found.pose
    _, _, prediction, form = judge(pose, load_classifier())
    return ItemFigures(prediction, form, bool(found.source[inside].any()))
