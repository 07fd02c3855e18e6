"""MediaPipe Pose on a folder of pictures, in an environment of its own: for ``pose_accuracy.py``;
or on a film, for ``speed.py``, which prints milliseconds a frame.

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
import time
from pathlib import Path

COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""MediaPipe's 33 landmarks that are COCO's 17, in COCO's order."""

COMPLEXITY = {"lite": 0, "full": 1, "heavy": 2}


def main() -> int:
    """Answer for every picture of the folder."""
    import cv2

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--variant", choices=COMPLEXITY, default="full")
    options = parser.parse_args()
    if options.video:
        print(milliseconds(options.video, options.variant))
        return 0
    answers = []
    with open_pose(options.variant) as pose:
        for path in sorted(options.folder.glob("*.png")):
            rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            answers.append(keypoints(pose.process(rgb).pose_landmarks))
    (options.folder / "poses.json").write_text(json.dumps(answers))
    return 0


def milliseconds(path, variant):
    """Milliseconds a frame of a film, decoding left out; each frame follows from the one before."""
    import cv2

    film, pictures = cv2.VideoCapture(str(path)), []
    while (read := film.read())[0]:
        pictures.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    with open_pose(variant, film=True) as pose:
        pose.process(pictures[0])  # the first frame loads
        start = time.perf_counter()
        for rgb in pictures:
            pose.process(rgb)
    return 1000 * (time.perf_counter() - start) / len(pictures)


def open_pose(variant, film=False):
    """MediaPipe Pose for single pictures or the frames of a film, to be used in a ``with``."""
    import mediapipe

    return mediapipe.solutions.pose.Pose(
        static_image_mode=not film,
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
