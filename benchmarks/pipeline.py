"""Milliseconds a frame by stage, and peak memory, of one clip from file to results.

    python benchmarks/pipeline.py CLIP [--pose-model NAME] [--flip-test] [--out FILE]

The first run on the clip warms up (weights, caches); the second is reported. The program times its
own computing stages; reading, drawing and encoding are timed from here, around the same functions.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from machine import describe, peak_mb, table

STAGES = {
    "sample": "decode once to choose sparse frames",
    "search": "search for the person, network included",
    "decode": "decode all frames",
    "crop": "cut crops",
    "network": "network",
    "heatmaps": "decode heatmaps",
    "classify": "clean, judge, classify",
    "decode again": "decode for the overlay",
    "draw": "draw",
    "encode": "encode H.264",
}
"""Stages that do not overlap, in order, and what they are called in the report."""


def main() -> int:
    """Run the clip twice, print the table of the second run and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, metavar="CLIP")
    parser.add_argument("--pose-model", metavar="NAME")
    parser.add_argument("--flip-test", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("pipeline.md"))
    options = parser.parse_args()
    run(options)
    answer, seconds = run(options)
    report = render(options, answer, seconds)
    options.out.write_text(report)
    print(report)
    return 0


def run(options: argparse.Namespace) -> tuple[Any, dict[str, float]]:
    """Analyse and save the clip once; the analysis, and the seconds of every stage."""
    from gymform import analysis, analysis_io
    from gymform.timing import Stopwatch

    watch = Stopwatch()
    settings = analysis.Options(pose_model=options.pose_model, flip_test=options.flip_test)
    with watched(watch), watch("wall clock"), tempfile.TemporaryDirectory() as folder:
        answer = analysis.analyze(options.clip, settings)
        analysis_io.save(answer, options.clip, Path(folder), stem="clip")
    return answer, {**answer.seconds, **watch.seconds}


@contextlib.contextmanager
def watched(watch: Any) -> Iterator[None]:
    """Inside the block, reading, drawing and encoding are timed."""
    from gymform.draw import video
    from gymform.pose import sequence
    from gymform.video.write import VideoWriter

    with (
        mock.patch.object(sequence, "read_frames", timed_frames(watch, "decode")),
        mock.patch.object(video, "read_frames", timed_frames(watch, "decode again")),
        mock.patch.object(video, "draw_overlay", timed(watch, "draw", video.draw_overlay)),
        mock.patch.object(VideoWriter, "write", timed(watch, "encode", VideoWriter.write)),
        mock.patch.object(VideoWriter, "__exit__", timed(watch, "encode", VideoWriter.__exit__)),
    ):
        yield


def timed(watch: Any, stage: str, function: Callable) -> Callable:
    """``function``, with its time added to ``stage``."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with watch(stage):
            return function(*args, **kwargs)

    return wrapper


def timed_frames(watch: Any, stage: str) -> Callable:
    """`read_frames`, with the time to get each frame added to ``stage``."""
    from gymform.video.read import read_frames

    @contextlib.contextmanager
    def wrapper(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with read_frames(*args, **kwargs) as stream:
            yield TimedFrames(stream, watch, stage)

    return wrapper


class TimedFrames:
    """A stream of frames whose getting is timed; all else of it is the stream's own."""

    def __init__(self, stream: Any, watch: Any, stage: str) -> None:
        self._stream, self._next = stream, timed(watch, stage, next)

    def __iter__(self) -> Iterator[Any]:
        frames = iter(self._stream)
        return iter(lambda: self._next(frames, None), None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def render(options: argparse.Namespace, answer: Any, seconds: dict[str, float]) -> str:
    """The report in Markdown."""
    parts = {text: seconds.get(stage, 0.0) for stage, text in STAGES.items()}
    parts["everything else"] = seconds["wall clock"] - sum(parts.values())
    parts["wall clock"] = seconds["wall clock"]
    clip, frames = answer.clip, len(answer.pose)
    rows = [[text, f"{spent:.2f}", f"{1000 * spent / frames:.1f}"] for text, spent in parts.items()]
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
