"""MediaPipe Pose heavy as a teacher: squares of RGB bytes on stdin, keypoints on stdout.

    PYTHON mediapipe_teacher.py SIDE        (for ask_teachers.py, which starts it)

Answers with float32 (17, 3): x, y in px and visibility, NaN where nobody was found. Runs in the
environment that `ask_teachers.py` tells of.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))


def main() -> int:
    """Answer until stdin ends."""
    import numpy as np
    from mediapipe_poses import keypoints, open_pose

    side = int(sys.argv[1])
    nobody = [[np.nan] * 3] * 17
    with open_pose("heavy") as pose:
        while len(raw := sys.stdin.buffer.read(side * side * 3)) == side * side * 3:
            rgb = np.frombuffer(raw, np.uint8).reshape(side, side, 3)
            found = keypoints(pose.process(rgb).pose_landmarks) or nobody
            answer = np.array(found) * [side, side, 1] - [0.5, 0.5, 0]  # middles of pixels
            sys.stdout.buffer.write(answer.astype("<f4").tobytes())
            sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
