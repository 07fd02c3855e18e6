"""The network of the live view: the fastest embedded one, shared by all sessions."""

from __future__ import annotations

import gc
import threading
from typing import Protocol

import numpy as np
import torch

from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.networks import device, smallest_entry


class KeypointNetwork(Protocol):
    """Anything that finds keypoints in crops of a frame, like `PoseEstimator`."""

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints (B, 17, 2) in frame px and scores (B, 17) for crops (B, 4)."""


class SharedNetwork:
    """A network for several sessions, whose calls run one after the other.

    The network keeps nothing between calls, so sessions cannot get each other's results. The lock
    saves memory and time: two calls at once take longer than one after the other.
    """

    def __init__(self, estimator: PoseEstimator) -> None:
        self.name = estimator.model.name
        self._estimator = estimator
        self._lock = threading.Lock()

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `PoseEstimator.keypoints_in_frame`; waits while another session uses the network."""
        with self._lock:
            return self._estimator.keypoints_in_frame(rgb, crops)


def load_live_network() -> SharedNetwork:
    """The live view's network, on the GPU if there is one. Raises WeightsError.

    PyTorch uses one thread in this process from now on. A second thread makes a call a quarter
    faster, but takes a core from decoding, encoding and showing the picture, and each call would
    wait for the slower thread. Clips are analysed in another process.
    """
    torch.set_num_threads(1)
    network = SharedNetwork(PoseEstimator(load_pose_model(smallest_entry().name, device=device())))
    # the first call is slow: make it now rather than let the live picture freeze
    network.keypoints_in_frame(
        np.zeros((256, 192, 3), np.uint8), np.array([[96.0, 128.0, 192.0, 256.0]])
    )
    # Streamlit collects garbage after every run of a page, here once per second. Scanning all the
    # objects of PyTorch would freeze the picture for 0.2 s each time: exempt what exists now.
    gc.collect()
    gc.freeze()
    return network
