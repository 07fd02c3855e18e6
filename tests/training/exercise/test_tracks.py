"""Ready-made tracks: read, cut, and rotated about the vertical axis."""

import numpy as np
import pytest

from gymform.exercises import class_of
from gymform.skeleton import LEFT_SHOULDER, RIGHT_SHOULDER
from gymform.training.exercise import samples as sm
from gymform.training.exercise.tracks import LabelledPose, rotate
from tests.motion.makers import squat_sequence


def test_rotating_a_track_keeps_heights_and_narrows_the_shoulders():
    pose = squat_sequence()
    item = LabelledPose("a", "snatch", "snatch", "a", "snatch3d", pose,
                        np.zeros(pose.xy.shape[:2], np.float32))  # fmt: skip
    side = rotate(item, 90).pose
    np.testing.assert_allclose(side.xy[..., 1], pose.xy[..., 1])
    assert np.abs(side.xy[:, LEFT_SHOULDER, 0] - side.xy[:, RIGHT_SHOULDER, 0]).max() < 1e-3
    np.testing.assert_allclose(rotate(item, 360).pose.xy, pose.xy, atol=1e-2)
    with pytest.raises(ValueError, match="depth"):
        rotate(rotate(item, 90), 90)


@pytest.mark.shared
def test_the_shared_tracks_are_read_and_cut(shared_data):
    tracks = sm.load_tracks(shared_data / "tracks")
    sources = [x.source for x in tracks]
    assert sources.count("penn") == 1163
    assert sources.count("snatch3d") == 19  # one is a close-up throughout
    labels = {x.action: x.label for x in tracks}
    assert labels["clean_and_jerk"] == class_of("clean_and_jerk")
    assert labels["pushup"] == class_of("push_up")
    assert labels["jump_rope"] == "other"
    fold = sm.split(tracks, 5, seed=0)
    assert len(set(fold)) == 5
