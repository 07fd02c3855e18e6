"""How fast it is: the network by engine, whole analyses, several at once, larger and longer clips.

    python benchmarks/speed.py [CLIP ...] [--seconds S --side PX] [--only PART] [--mediapipe PYTHON]

Parts are network, analysis, shape, together and start. Figures of a part that is not run are kept
from before. All of one part are measured in one run, so that they can be compared; clips are the
sample unless others are given. With ``--seconds`` and ``--side`` whole analyses are of the first
seconds of each clip, made as large as that at 30 frames a second. ``--mediapipe`` names an
interpreter that has MediaPipe (`mediapipe_poses.py` says how).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from machine import PROJECT, describe, peak_mb, table

HERE = Path(__file__).parent
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
PARTS = ("network", "analysis", "shape", "together", "start")
CROPS = 16
TRIES = 5

SHAPES: dict[str, dict[str, float]] = {
    "as it is": {},
    "10 s": {"seconds": 10},
    "30 s": {"seconds": 30},
    "60 s": {"seconds": 60},
    "854 px": {"side": 854},
    "1280 px": {"side": 1280},
    "1920 px": {"side": 1920},
    "3456 px": {"side": 3456},
    "15 frames/s": {"fps": 15},
    "60 frames/s": {"fps": 60},
    "60 s of 1920 px": {"seconds": 60, "side": 1920},
    "10 s of 1920 px": {"seconds": 10, "side": 1920},
}
"""Forms into which the sample is brought, by repeating, scaling and leaving out frames."""


def main() -> int:
    """Measure the parts that are asked for, and write the report with what was known before."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--side", type=float, default=0)
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART")
    parser.add_argument("--mediapipe", metavar="PYTHON")
    parser.add_argument("--out", type=Path, default=HERE / "speed")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_analysis(options.one)))
        return 0
    kept = options.out.with_suffix(".json")
    figures = json.loads(kept.read_text()) if kept.is_file() else {}
    for part in options.only or PARTS:
        figures[part] = {"machine": describe(), "rows": MEASURES[part](options)}
        kept.write_text(json.dumps(figures, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(render(figures))
    print(render(figures))
    return 0


# -- the network -----------------------------------------------------------------------------


def network(options: argparse.Namespace) -> list[list[str]]:
    """Milliseconds a crop of each engine, one core, whole crops and those near the body."""
    import torch

    from gymform.pose.checkpoints import load_pose_model
    from gymform.pose.engine.choice import available_engines, make_engine
    from gymform.pose.estimator import PoseEstimator

    torch.set_num_threads(1)
    pixels, crops, distances = sample_crops()
    rows = []
    theirs = transformers_ms(pixels)
    rows.append(
        ["transformers' VitPose S, processor and model, float32", f"{theirs:.1f}", "", "1.0"]
    )
    for name in ("vitpose-s", "vitpose-ti"):
        model = load_pose_model(name)
        inputs = [resized(one, model.config.input_size) for one in pixels]
        for engine in available_engines():
            estimator = PoseEstimator(model, engine=make_engine(engine, model))
            look = partial(estimator.peaks_in_crops, inputs, crops, 3)
            whole = near = least_ms(look)
            if name == "vitpose-s":
                near = least_ms(partial(look, distances))
            times = f"{theirs / near:.1f}"
            rows.append([f"{name}, {engine}", f"{whole:.1f}", f"{near:.1f}", times])
    rows += mediapipe_rows(options.mediapipe, theirs)
    return rows


def sample_crops() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Crops of the sample for vitpose-s, their places, and the patches' distances."""
    from gymform.pose.cascade import FollowedFrames, scouted
    from gymform.pose.networks import load_estimators
    from gymform.pose.pruning import patch_distances
    from gymform.pose.tracking import SAMPLE_INTERVAL_S, follow
    from gymform.video.sparse import sample_frames

    found = load_estimators("vitpose-s")
    assert found.scout is not None
    frames = sample_frames(SAMPLE, SAMPLE_INTERVAL_S)
    clip = FollowedFrames(SAMPLE, frames, follow(frames, found.scout).boxes)
    scouts, kept = scouted(clip, found.scout, found.main, lambda _: None)
    rows = np.array(sorted(kept))[:: max(1, len(kept) // CROPS)][:CROPS]
    crops, config = clip.crops(found.main)[rows], found.main.model.config
    corner = crops[:, None, None, :2] - crops[:, None, None, 2:] / 2
    points = (scouts[rows, :, :, :2] - corner) / crops[:, None, None, 2:] * config.input_size
    return [kept[row] for row in rows], crops, patch_distances(points, scouts[rows, ..., 2], config)


def transformers_ms(pixels: list[np.ndarray]) -> float:
    """The library's network of the same size and input, one crop at a time as its guide shows.

    Its weights are random: time does not depend on them.
    """
    import torch
    import transformers

    height, width = pixels[0].shape[:2]
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=384, num_attention_heads=6, num_hidden_layers=12, image_size=(height, width),
        out_indices=[12],
    )  # fmt: skip
    config = transformers.VitPoseConfig(
        backbone_config=backbone, num_labels=17, use_simple_decoder=True
    )
    model = transformers.VitPoseForPoseEstimation(config).eval()
    processor = transformers.VitPoseImageProcessor(size={"height": height, "width": width})
    boxes = [[[0.0, 0.0, float(width), float(height)]]]

    def work() -> None:
        for picture in pixels:
            inputs = processor(picture, boxes=boxes, return_tensors="pt")
            with torch.inference_mode():
                outputs = model(**inputs)
            processor.post_process_pose_estimation(outputs, boxes=boxes)

    return least_ms(work)


def mediapipe_rows(python: str | None, theirs: float) -> list[list[str]]:
    """MediaPipe in video mode, milliseconds a frame with its own detector and tracker."""
    if python is None:
        return []
    rows = []
    for variant in ("full", "heavy"):
        command = [python, HERE / "mediapipe_poses.py", "--video", SAMPLE, "--variant", variant]
        ms = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        rows.append([f"MediaPipe Pose {variant}, video", f"{ms:.1f}", "", f"{theirs / ms:.1f}"])
    return rows


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The crop in another network's input size."""
    import cv2

    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def least_ms(work: Callable[[], Any]) -> float:
    """Milliseconds a crop, the least of several tries after one that warms up."""
    work()
    seconds = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds) / CROPS


# -- whole analyses --------------------------------------------------------------------------


def one_analysis(path: Path) -> dict[str, float]:
    """Seconds and memory of the second analysis in a process, by stage."""
    from gymform.analysis import analyze

    first: list[float] = []
    analyze(path)
    start = time.perf_counter()
    answer = analyze(path, on_first=lambda _: first.append(time.perf_counter() - start))
    wall = time.perf_counter() - start
    return {
        "frames": len(answer.pose),
        "film": answer.clip.duration_s,
        "wall": wall,
        "first": first[0] if first else wall,
        "network": answer.seconds["network"],
        "search": answer.seconds["sample"] + answer.seconds["search"],
        "bar": answer.seconds["bar"],
        "peak": peak_mb(),
    }


def start_analysis(path: Path) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--one", path]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result_of(process: subprocess.Popen[str]) -> dict[str, float]:
    """What such a process found out."""
    out, _ = process.communicate()
    return dict(json.loads(out.splitlines()[-1]))


def row_of(name: str, found: dict[str, float]) -> list[str]:
    """A line of the tables of whole analyses."""
    return [
        name, f"{found['film']:.1f}", f"{found['frames']:.0f}", f"{found['first']:.1f}",
        f"{found['wall']:.1f}", f"{found['bar']:.1f}", f"{found['wall'] / found['film']:.2f}",
        f"{found['search']:.2f}",
        f"{found['wall'] / found['network']:.2f}", f"{found['peak']:.0f}",
    ]  # fmt: skip


def analysis(options: argparse.Namespace) -> list[list[str]]:
    """Each clip by itself, as it is or in the form that is asked for."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in options.clips or [SAMPLE]:
            path, name = clip, clip.name
            if options.seconds or options.side:
                path = Path(folder) / "clip.mp4"
                width, height = reshaped(
                    path, source=clip, seconds=options.seconds, side=options.side
                )
                name += f", {width} x {height}"
            rows.append(row_of(name, result_of(start_analysis(path))))
    return rows


def shape(options: argparse.Namespace) -> list[list[str]]:
    """The sample made longer, larger, faster and slower."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, change in SHAPES.items():
            path = Path(folder) / "clip.mp4"
            reshaped(path, **change)
            rows.append(row_of(name, result_of(start_analysis(path))))
    return rows


def reshaped(
    path: Path, *, source: Path = SAMPLE, seconds: float = 0, side: float = 0, fps: float = 30
) -> tuple[int, int]:
    """Write the clip ``source`` to ``path`` in another form: its width and height."""
    import cv2

    from gymform.video.read import read_frames
    from gymform.video.write import VideoWriter

    with read_frames(source) as frames:
        pictures, times = zip(*((frame.rgb, frame.time_s) for frame in frames), strict=True)
        scale = side / max(frames.width, frames.height) if side else 1.0
        size = round(frames.width * scale) // 2 * 2, round(frames.height * scale) // 2 * 2
    rate = (len(times) - 1) / (times[-1] - times[0])
    film = seconds or len(pictures) / rate
    with VideoWriter(path, width=size[0], height=size[1], fps=fps) as writer:
        for number in range(round(film * fps)):
            at = round(number * rate / fps)
            back = at // len(pictures) % 2  # there and back, so that nothing jumps
            at = at % len(pictures)
            picture = pictures[-1 - at if back else at]
            writer.write(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), number / fps)
    return size


def together(options: argparse.Namespace) -> list[list[str]]:
    """Several analyses at once, against as many one after the other."""
    path = (options.clips or [SAMPLE])[0]
    alone = result_of(start_analysis(path))["wall"]
    rows = [["1", f"{alone:.1f}", "1.00"]]
    for count in (2, 4):
        running = [start_analysis(path) for _ in range(count)]
        longest = max(result_of(process)["wall"] for process in running)
        rows.append([str(count), f"{longest:.1f}", f"{longest / (count * alone):.2f}"])
    return rows


def start(options: argparse.Namespace) -> list[list[str]]:
    """Seconds until the terminal and the worker of the app are ready."""
    commands = {
        "gymform --version": ["-m", "gymform", "--version"],
        "gymform weights list": ["-m", "gymform", "weights", "list"],
        "all that an analysis imports": ["-c", "import gymform.analysis"],
        "networks loaded": ["-c", "from gymform.pose.networks import *; load_estimators()"],
    }
    rows = []
    for name, arguments in commands.items():
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], check=True, cwd=PROJECT, stdout=subprocess.DEVNULL
            )
            seconds.append(time.perf_counter() - begin)
        rows.append([name, f"{min(seconds):.2f}"])
    return rows


MEASURES: dict[str, Callable[[argparse.Namespace], list[list[str]]]] = {
    "network": network,
    "analysis": analysis,
    "shape": shape,
    "together": together,
    "start": start,
}

_WHOLE = [
    "clip", "film, s", "frames", "first answer, s", "answer, s", "of it the bar, s",
    "answer / film", "search, s", "answer / network", "peak memory, MB",
]  # fmt: skip

TABLES = {
    "network": (
        "The network alone, one core",
        ["what", "ms a crop", "near the body only", "times as fast as transformers"],
    ),
    "analysis": ("Whole analyses", _WHOLE),
    "shape": ("Longer, larger, faster: the sample", _WHOLE),
    "together": ("Several at once", ["analyses", "the slowest, s", "against one after another"]),
    "start": ("Start", ["what", "seconds"]),
}


def render(figures: dict[str, Any]) -> str:
    """The report in Markdown."""
    parts = ["# Speed\n\nMade by `python benchmarks/speed.py`.\n"]
    for part, (title, header) in TABLES.items():
        if part in figures:
            found = figures[part]
            parts.append(f"## {title}\n\n{found['machine']}.\n\n{table(header, found['rows'])}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
