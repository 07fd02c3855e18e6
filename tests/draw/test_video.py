"""The clip with the skeleton drawn over every frame."""

import numpy as np

from gymform.analysis_io import save
from gymform.video.read import read_frames


def test_overlay_shows_the_skeleton_where_it_is(painted_answer, painted_clip, tmp_path):
    files = save(painted_answer, painted_clip, tmp_path, stem="clip")
    with read_frames(files.overlay) as drawn, read_frames(painted_clip) as plain:
        for after, before in zip(drawn, plain, strict=True):
            difference = np.abs(after.rgb.astype(int) - before.rgb).max(axis=2)
            x, y = painted_answer.pose.xy[after.index, 13]  # left knee
            area = difference[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
            assert area.max() > 60
            assert difference[-3:, -3:].max() < 40  # far from anybody nothing is drawn
