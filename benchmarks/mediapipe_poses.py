"""MediaPipe Pose on a folder of pictures, in an environment of its own: for ``pose_accuracy.py``.

    python3 -m venv mp && mp/bin/pip install mediapipe==0.10.21
    mp/bin/python benchmarks/mediapipe_poses.py FOLDER [--variant full|heavy|lite]

The wheel carries the full network and the detector; "heavy" and "lite" are fetched by MediaPipe
at first use, or copied from the npm package @mediapipe/pose (Apache-2.0) to the wheel's
``mediapipe/modules/pose_landmark/pose_landmark_heavy.tflite``. Writes ``poses.json``: for each
picture, by name, 17 COCO keypoints as [x, y, visibility] in shares of width and height, or null.
"""

import argparse
import json
import sys
from pathlib import Path

COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""MediaPipe's 33 landmarks that are COCO's 17, in COCO's order."""

COMPLEXITY = {"lite": 0, "full": 1, "heavy": 2}


def main() -> int:
    """Answer for every picture of the folder."""
    import cv2

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", choices=COMPLEXITY, default="full")
    options = parser.parse_args()
    answers = []
    with open_pose(options.variant) as pose:
        for path in sorted(options.folder.glob("*.png")):
            rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            answers.append(keypoints(pose.process(rgb).pose_landmarks))
    (options.folder / "poses.json").write_text(json.dumps(answers))
    return 0


def open_pose(variant):
    """MediaPipe Pose for single pictures, to be used in a ``with``."""
    import mediapipe

    return mediapipe.solutions.pose.Pose(
        static_image_mode=True,
        model_complexity=COMPLEXITY[variant],
        min_detection_confidence=0.1,
    )


def keypoints(landmarks):
    """17 lists [x, y, visibility], or None when nobody was found."""
    if landmarks is None:
        return None
    points = [landmarks.landmark[i] for i in COCO]
    return [[p.x, p.y, p.visibility] for p in points]


if __name__ == "__main__":
    sys.exit(main())
