"""Milliseconds a frame by stage, and peak memory, of one clip from file to results.

    python benchmarks/pipeline.py CLIP [--pose-model NAME] [--flip-test] [--out FILE]

The first run warms up (weights, caches) on the same clip; the second is reported.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import describe, peak_mb, table


def main() -> int:
    """Run the clip, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, metavar="CLIP")
    parser.add_argument("--pose-model", metavar="NAME")
    parser.add_argument("--flip-test", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("pipeline.md"))
    options = parser.parse_args()
    run(options)
    answer, wall_s = run(options)
    report = render(options, answer, wall_s)
    print(report)
    options.out.write_text(report)
    return 0


def run(options: argparse.Namespace) -> tuple[Any, float]:
    """Analyse and save the clip once; the analysis with its seconds by stage, and wall clock."""
    from gymform import analysis

    start = time.perf_counter()
    settings = analysis.Options(pose_model=options.pose_model, flip_test=options.flip_test)
    answer = analysis.analyze(options.clip, settings)
    with tempfile.TemporaryDirectory() as folder:
        analysis.save(answer, options.clip, Path(folder), stem="clip")
    return answer, time.perf_counter() - start


def render(options: argparse.Namespace, answer: Any, wall_s: float) -> str:
    """The report in Markdown."""
    frames = len(answer.pose)
    rows = [
        [stage, f"{seconds:.2f}", f"{1000 * seconds / frames:.1f}"]
        for stage, seconds in answer.seconds.items()
    ]
    rest = wall_s - sum(answer.seconds.values())
    rows.append(["everything else", f"{rest:.2f}", f"{1000 * rest / frames:.1f}"])
    rows.append(["wall clock", f"{wall_s:.2f}", f"{1000 * wall_s / frames:.1f}"])
    clip = answer.clip
    return (
        f"# The pipeline by stage\n\n"
        f"Made by `python benchmarks/pipeline.py`. {clip.name}: {frames} frames, "
        f"{clip.width} x {clip.height} px, {clip.duration_s:.1f} s; "
        f"{answer.pose.provenance.network}, flip test {'on' if options.flip_test else 'off'}. "
        f"{describe()}.\n\n"
        f"{table(['stage', 'seconds', 'ms a frame'], rows)}\n\n"
        f"Peak memory: {peak_mb():.0f} MB.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
