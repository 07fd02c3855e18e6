"""The network of the live view: the fastest one that is embedded, one for all sessions."""

from __future__ import annotations

import gc
import threading
from typing import Protocol

import numpy as np
import torch

from gymform.errors import WeightsError
from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.weights import ModelEntry, manifest_entry, read_manifest


class Looks(Protocol):
    """Whatever sees people in crops of a frame, as `PoseEstimator` does."""

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints (B, 17, 2) px of the frame and scores (B, 17) for crops (B, 4)."""


class SharedNetwork:
    """A network that several sessions use: their looks are taken one after the other.

    The network keeps nothing between calls, so sessions cannot mix; the lock is for memory and
    for latency, since two looks at once take longer than twice one.
    """

    def __init__(self, estimator: PoseEstimator) -> None:
        self.name = estimator.model.name
        self._estimator = estimator
        self._lock = threading.Lock()

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `PoseEstimator.keypoints_in_frame`; waits for its turn."""
        with self._lock:
            return self._estimator.keypoints_in_frame(rgb, crops)


def load_live_network() -> SharedNetwork:
    """The live view's network, on the GPU where there is one. Raises WeightsError.

    From here on this process computes with one thread: a second one makes a look a quarter shorter,
    but takes a processor from those that decode, encode and show the picture, and each look would
    wait for the slower of the two. Clips are analysed in another process.
    """
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = SharedNetwork(PoseEstimator(load_pose_model(live_entry().name, device=device)))
    # The first look is slow, and nobody should wait for it in front of a picture that stands still.
    network.keypoints_in_frame(
        np.zeros((256, 192, 3), np.uint8), np.array([[96.0, 128.0, 192.0, 256.0]])
    )
    # Streamlit collects garbage after every run of a page, once a second here. Looking through all
    # that PyTorch has loaded takes 0.2 s, in which no picture moves: what is there now, stays.
    gc.collect()
    gc.freeze()
    return network


def live_entry() -> ModelEntry:
    """The pose model of the live view: the manifest's ``default_live``, else the smallest one.

    Only embedded models whose file is there are chosen from by size; without any, the default
    pose model is named. Raises WeightsError for a broken manifest.
    """
    manifest = read_manifest()
    if manifest.default_live:
        return manifest_entry(manifest.default_live, "pose")
    here = [model for model in manifest.models if model.kind == "pose" and model.path.is_file()]
    return min(here, key=_operations) if here else manifest_entry(None, "pose")


def _operations(model: ModelEntry) -> float:
    """How much work a ViT does for a picture, near enough to compare two: depth x width squared."""
    try:
        return float(model.config["depth"]) * float(model.config["dim"]) ** 2
    except (KeyError, TypeError, ValueError):
        raise WeightsError(
            f"MANIFEST.json, model {model.name!r}: config should give depth and dim as numbers."
        ) from None
