"""How exactly models find the people of the validation groups, and MediaPipe on the same crops.

    python benchmarks/pose_accuracy.py PACK [--model NAME ...] [--flip-test] [--people N]
        [--engine NAME] [--scout NAME]
        [--mediapipe PYTHON --variant full --variant heavy] [--cards]

Writes ``pose_accuracy.md`` and ``pose_accuracy.json`` beside this file (``--out``); figures of
models that were measured before and are not asked for now are kept, so each can be run on its own.
``train-pose --compare benchmarks/pose_accuracy.json`` puts them into a new model's card, and
``--cards`` into the cards of the embedded models, where others may have changed since.

MediaPipe needs numpy below 2 and so an environment of its own: see ``mediapipe_poses.py``, which
is run there by the interpreter PYTHON. It is shown each whole crop, enlarged, since it looks for
people by itself; a person whom it does not find counts as missed.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from machine import PROJECT, TRAINED, describe

HERE = Path(__file__).parent

MEDIAPIPE_HEIGHT = 768
"""px to which crops are enlarged for MediaPipe."""


def main() -> int:
    """Measure what is asked for, print and write the report."""
    from gymform.training.pose.packs import read_pack, split

    options = arguments()
    pack = read_pack(options.pack)
    validation = {name: rows[: options.people] for name, rows in split(pack)[1].items()}
    figures = before(options.out) if not options.people else {}
    for name in options.model if options.model or options.mediapipe else [None]:
        title, scores = measure(
            name, pack, validation, options.flip_test, options.engine, options.scout
        )
        figures[title] = scores
    for variant in options.variant if options.mediapipe else ():
        scores = measure_mediapipe(options.mediapipe, variant, pack, validation)
        figures[f"MediaPipe Pose {variant}"] = scores
    report = render(figures)
    options.out.with_suffix(".md").write_text(report, encoding="utf-8")
    content = {"models": {name: as_json(sets) for name, sets in figures.items()}}
    options.out.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    if options.cards:
        update_cards(figures)
    print(report)
    return 0


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path, metavar="PACK", help="pack of crops (.npz)")
    parser.add_argument("--model", action="append", default=[], metavar="NAME",
                        help="may be given several times (the default model)")  # fmt: skip
    parser.add_argument("--flip-test", action="store_true")
    parser.add_argument("--engine", metavar="NAME", help="what computes it: see pose/engine")
    parser.add_argument("--scout", metavar="NAME", help="the model near whose answers it looks")
    parser.add_argument("--people", type=int, metavar="N", help="the first N of each set only")
    parser.add_argument("--mediapipe", metavar="PYTHON", help="interpreter that has mediapipe")
    parser.add_argument("--variant", action="append", default=[], choices=("lite", "full", "heavy"))
    parser.add_argument("--out", type=Path, default=HERE / "pose_accuracy")
    parser.add_argument("--cards", action="store_true", help="put the figures into cards too")
    options = parser.parse_args()
    if options.cards and options.people:
        parser.error("--cards: figures of --people N are not those of everybody")
    return options


def before(out: Path) -> dict[str, Any]:
    """The figures of an earlier run; none when there was none."""
    from gymform.training.pose.model_card import read_comparison

    path = out.with_suffix(".json")
    return dict(read_comparison(path)) if path.is_file() else {}


def update_cards(figures: dict[str, Any]) -> None:
    """Put the figures into the cards that `train-pose` wrote of the embedded models."""
    from gymform.training.pose.model_card import update_results

    for name in figures.keys() & TRAINED:
        update_results(PROJECT / "weights" / f"{name}.md", name, figures)


def measure(
    name: str | None,
    pack: Any,
    validation: Any,
    flip_test: bool,
    engine: str | None = None,
    scout: str | None = None,
) -> tuple[str, Any]:
    """What to call a model, and its scores on each validation set.

    ``engine`` computes it, PyTorch by default; with a ``scout`` it looks near that model's answers.
    """
    from gymform.pose.checkpoints import load_pose_model
    from gymform.pose.engine import make_engine
    from gymform.pose.estimator import PoseEstimator
    from gymform.training.pose.evaluate import evaluate

    def estimator(name: str | None, flip_test: bool = False) -> PoseEstimator:
        model = load_pose_model(name, device())
        made = None if engine is None else make_engine(engine, model)
        return PoseEstimator(model, engine=made, flip_test=flip_test, batch_size=16)

    main, ahead = estimator(name, flip_test), None if scout is None else estimator(scout)
    title = ", ".join(
        [main.model.name]
        + ["flip test"] * flip_test
        + [f"near {scout}"] * (scout is not None)
        + [f"by {engine}"] * (engine is not None)
    )
    return title, {part: evaluate(main, pack, rows, ahead) for part, rows in validation.items()}


def device() -> str:
    """The GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def measure_mediapipe(python: str, variant: str, pack: Any, validation: Any) -> dict[str, Any]:
    """MediaPipe's scores on each validation set."""
    return {part: score_mediapipe(python, variant, pack, rows) for part, rows in validation.items()}


def score_mediapipe(python: str, variant: str, pack: Any, rows: Any) -> Any:
    """MediaPipe's scores on the people at ``rows``: pictures go out, keypoints come back."""
    import cv2
    import numpy as np

    from gymform.training.pose.evaluate import areas
    from gymform.training.pose.metrics import score_poses

    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(rows):
            picture = cv2.cvtColor(pack.rgb(row), cv2.COLOR_RGB2BGR)
            width = round(MEDIAPIPE_HEIGHT * picture.shape[1] / picture.shape[0])
            picture = cv2.resize(picture, (width, MEDIAPIPE_HEIGHT), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(Path(folder) / f"{number:06d}.png"), picture)
        script = [python, str(HERE / "mediapipe_poses.py"), folder, "--variant", variant]
        subprocess.run(script, check=True, stdout=sys.stderr)
        answers = json.loads((Path(folder) / "poses.json").read_text())
    found = np.full((len(rows), 17, 2), np.nan)
    confidence = np.zeros(len(rows))
    for number, answer in enumerate(answers):
        if answer:  # shares of width and height, and visibility
            points = np.array(answer)
            found[number] = points[:, :2] * pack.size[rows[number]] - 0.5
            confidence[number] = points[:, 2].mean()
    return score_poses(found, pack.keypoints[rows], areas(pack, rows), confidence)


def as_json(sets: Any) -> dict[str, Any]:
    """Scores by set, as JSON can hold them."""
    plain = {part: asdict(scores) for part, scores in sets.items()}
    for scores in plain.values():
        scores["joints"] = [None if math.isnan(v) else round(v, 4) for v in scores["joints"]]
        scores.update({k: round(scores[k], 4) for k in ("pck", "good", "ap", "oks")})
    return plain


def render(figures: dict[str, Any]) -> str:
    """The report in Markdown."""
    from gymform.training.pose.model_card import joint_table, summary_table

    return f"""# How exactly models find people

Made by `python benchmarks/pose_accuracy.py`. People of photographs that `train-pose` never trains
on; boxes given, each network with the room around them that it knows. PCK@0.2: share of the twelve
body joints within a fifth of the torso (right shoulder to left hip). OKS with a person's area taken
as 0.53 of their box; AP as COCO's. `vitpose-s-start` was trained on most of LSP Extended: there it
knows these people.
Last measured on: {describe()}.

{summary_table(figures)}

PCK@0.2 of each joint:

{joint_table(figures)}
"""


if __name__ == "__main__":
    sys.exit(main())
