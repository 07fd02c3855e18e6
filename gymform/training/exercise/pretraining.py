"""Where networks start that do not start from nothing: a video transformer from the embedded pose
network, which knows lifters, and a TCN, if asked to, from the exercise model of gymform."""

from __future__ import annotations

import logging

from torch import Tensor, nn

from gymform.errors import OptionsError, WeightsError
from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import NetworkFamily
from gymform.exercise.networks.vivit import ViViT
from gymform.pose.checkpoints import load_pose_model
from gymform.weights import ModelEntry, checked_path, manifest_entry, read_manifest

logger = logging.getLogger(__name__)

BACKBONE, HEAD = "backbone.", "head."


def origin_of(family: NetworkFamily, start: str = "") -> str:
    """The sha256 of the weights that networks of a family start from; "" where that is nothing.

    ``start`` is that of the training's options.
    """
    if start:
        return shipped_entry().sha256
    if family.name != "vivit":
        return ""
    try:
        return manifest_entry(None, "pose").sha256
    except WeightsError:
        return ""


def shipped_entry() -> ModelEntry:
    """The exercise model that came with gymform, whichever is in use. Raises WeightsError."""
    return manifest_entry(read_manifest().default_exercise, "exercise")


def shipped_weights(width: int) -> dict[str, Tensor]:
    """The weights of a network of the model that came with gymform, without its last layer.

    Raises WeightsError when it cannot be read, OptionsError when its networks are not ``width``
    channels wide.
    """
    entry = shipped_entry()
    settings = clf.Settings.from_config(entry)
    if settings.channels != width:
        raise OptionsError(
            f"--width: the model that came with gymform is {settings.channels} channels wide, got "
            f"{width}. Leave out --width, or --start."
        )
    network = clf.read_networks(checked_path(entry), settings.build, settings.networks)[0]
    return {k: t for k, t in network.state_dict().items() if not k.startswith(HEAD)}


def start_from_pose(network: nn.Module) -> None:
    """Give a ViViT what fits of the default pose network's backbone; other networks stay as they
    are, and so does one where no pose network is to be had."""
    if not isinstance(network, ViViT):
        return
    try:
        state = load_pose_model().network.state_dict()
    except WeightsError as error:
        logger.warning("The network starts from nothing: %s", error)
        return
    taken = network.adopt({
        name.removeprefix(BACKBONE): tensor.float()
        for name, tensor in state.items()
        if name.startswith(BACKBONE)
    })  # fmt: skip
    logger.info("%d tensors of the pose network were taken over", taken)
