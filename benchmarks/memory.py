"""Peak memory of a 10 s and of a 60 s clip in full HD: memory must not grow with the clip.

    python benchmarks/memory.py [--clip CLIP] [--out benchmarks/memory.md]

Both clips are made on the spot: a short one (the sample by default), enlarged to 1920 x 1080 and
played forwards and backwards for as long as needed. Each is analysed and saved in a process of its
own. Exit code 1 when the long one takes over 200 MB more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from machine import PROJECT, describe, peak_mb, table

WIDTH, HEIGHT = 1920, 1080
SECONDS = (10, 60)
ALLOWED_MB = 200.0
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"


def main() -> int:
    """Make the clips, measure both, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, default=SAMPLE, help="short clip to enlarge (sample)")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("memory.md"))
    parser.add_argument("--fps", type=int, default=30, help="frames a second of the clips (30)")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for seconds in SECONDS:
            clip = Path(folder) / f"{seconds}s.mp4"
            make_clip(options.clip, clip, seconds, options.fps)
            results.append(measure_apart(clip))
            print(f"{seconds} s: {results[-1]['peak_mb']:.0f} MB", file=sys.stderr)
    growth = results[1]["peak_mb"] - results[0]["peak_mb"]
    report = render(results, growth, options.fps)
    options.out.write_text(report)
    print(report)
    return 0 if growth <= ALLOWED_MB else 1


def render(results: list[dict], growth: float, fps: int) -> str:
    """The report in Markdown."""
    rows = [
        [f"{seconds} s", str(r["frames"]), f"{r['peak_mb']:.0f}", f"{r['seconds']:.0f}"]
        for seconds, r in zip(SECONDS, results, strict=True)
    ]
    verdict = "holds" if growth <= ALLOWED_MB else "does not hold"
    return (
        f"# Memory of a short and a long clip\n\n"
        f"Made by `python benchmarks/memory.py`. {WIDTH} x {HEIGHT} px, {fps} frames a second, "
        f"analysed and saved. {describe()}.\n\n"
        f"{table(['clip', 'frames', 'peak memory, MB', 'wall clock, s'], rows)}\n\n"
        f"Difference: {growth:.0f} MB; at most {ALLOWED_MB:.0f} MB allowed: {verdict}.\n"
    )


def make_clip(source: Path, path: Path, seconds: float, fps: int) -> None:
    """Write ``source`` to ``path``, enlarged to full HD, forwards and backwards, long enough."""
    from gymform.video.write import VideoWriter

    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=fps) as writer:
        for index, picture in enumerate(itertools.islice(swing(source), round(seconds * fps))):
            writer.write(enlarge(picture), index / fps)


def swing(source: Path) -> Iterator[np.ndarray]:
    """The pictures of ``source``, forwards and backwards without end; small ones are kept."""
    from gymform.video.read import read_frames

    with read_frames(source, max_side=640) as frames:
        pictures = [frame.rgb for frame in frames]
    return itertools.cycle(pictures + pictures[-2:0:-1])


def enlarge(picture: np.ndarray) -> np.ndarray:
    """``picture`` as large as fits, in the middle of a grey full HD frame."""
    import cv2

    height, width = picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    size = round(width * scale), round(height * scale)
    large = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
    x, y = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    large[y : y + size[1], x : x + size[0]] = cv2.resize(picture, size)
    return large


def measure_apart(clip: Path) -> dict:
    """What :func:`measure` says in a fresh process."""
    command = [sys.executable, __file__, "--measure", str(clip)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(clip: Path) -> dict:
    """Frames, seconds and peak memory of analysing and saving ``clip`` in this process."""
    import time

    from gymform import analysis, analysis_io

    start = time.perf_counter()
    answer = analysis.analyze(clip)
    with tempfile.TemporaryDirectory() as folder:
        analysis_io.save(answer, clip, Path(folder), stem="clip")
    return {
        "frames": len(answer.pose),
        "seconds": time.perf_counter() - start,
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    sys.exit(main())
