"""Frames of the sample clip with the lifter's crop."""

from pathlib import Path

import numpy as np
import pytest

import gymform
from gymform.pose.crops import box_to_crop
from gymform.video.read import read_frames

SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"


@pytest.fixture(scope="session")
def sample_crops() -> list[tuple[np.ndarray, np.ndarray]]:
    """(picture, crop) of eight frames of the sample: the crop is the whole person's."""
    with read_frames(SAMPLE, keep=lambda index, _: index % 21 == 0) as frames:
        pictures = [frame.rgb for frame in frames]
    height, width = pictures[0].shape[:2]
    box = np.array([0.2 * width, 0.1 * height, 0.8 * width, 0.95 * height])
    return [(picture, box_to_crop(box, padding=1.0)) for picture in pictures]
