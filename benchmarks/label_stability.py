"""How often the exercise stays the same when a clip is slower, or has half as many frames.

    python benchmarks/label_stability.py POSES INDEX [--rejected CSV] [--model NAME]

``POSES``, ``INDEX`` and the rejected clips are those of ``train-exercise``: each clip is judged as
filmed, played four times as slowly (slow motion that nothing marks), and with every other frame
left out. Clips made by a computer (groups that begin with ``gen_``) do not count. The model in use
was trained on these clips, so this says how the label depends on time, not how often it is right.
A change between an exercise and ``unknown`` counts as a change.

Writes ``label_stability.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from machine import describe, table

from gymform.exercise.classifier import Classifier, load_classifier
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.training.exercise.samples import load_clips, without_rejected
from gymform.types import UNKNOWN, PoseSequence

OUT = Path(__file__).with_suffix(".md")
SLOWER = 4.0


@dataclass(frozen=True)
class Changed:
    """What became of a clip's label."""

    name: str
    before: str
    after: str

    @property
    def to_another(self) -> bool:
        """Did one exercise, or `other`, become another?"""
        return self.before != self.after and UNKNOWN not in (self.before, self.after)


def slower(pose: PoseSequence) -> PoseSequence:
    """The same in :data:`SLOWER` times as many seconds."""
    return replace(pose, time_s=pose.time_s * SLOWER)


def every_other_frame(pose: PoseSequence) -> PoseSequence:
    """The first frame, the third and so on."""
    return pose.part(slice(None, None, 2))


CHANGES: dict[str, Callable[[PoseSequence], PoseSequence]] = {
    "four times as slow": slower,
    "every other frame": every_other_frame,
}


def main() -> int:
    """Judge all clips, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("poses", type=Path, help="folder of keypoint files (.npz)")
    parser.add_argument("index", type=Path, help="CSV file with columns file, exercise, group")
    parser.add_argument("--rejected", type=Path, metavar="CSV")
    parser.add_argument("--model", metavar="NAME")
    options = parser.parse_args()
    classifier = load_classifier(options.model)
    clips = load_clips(options.poses, options.index)
    if options.rejected:
        clips, _ = without_rejected(clips, options.rejected)
    found: dict[str, list[Changed]] = {name: [] for name in CHANGES}
    for clip in clips:
        if clip.group.startswith("gen_"):
            continue
        before = label(clip.pose, classifier)
        for change, make in CHANGES.items():
            after = label(make(clip.pose), classifier)
            found[change].append(Changed(clip.name, before, after))
    text = render(found, classifier)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def label(pose: PoseSequence, classifier: Classifier) -> str:
    """What the classifier calls a movement."""
    tracks = clean(pose)
    return classifier.predict(pose, tracks, assess(pose, tracks)).label


def render(found: dict[str, list[Changed]], classifier: Classifier) -> str:
    """The report as markdown."""
    rows = []
    for change, clips in found.items():
        other = sum(one.to_another for one in clips)
        unsure = sum(one.before != one.after for one in clips) - other
        rows.append([change, str(len(clips)), f"{other} ({other / len(clips):.1%})",
                     f"{unsure} ({unsure / len(clips):.1%})"])  # fmt: skip
    changed = [
        f"- {change}: {one.name}: {one.before} -> {one.after}"
        for change, clips in found.items()
        for one in clips
        if one.to_another
    ]
    return "\n".join([
        "# Does the label depend on time?",
        "",
        "`python benchmarks/label_stability.py POSES INDEX --rejected CSV`, model "
        f"{classifier.name}, sha256 `{classifier.sha256[:12]}`; {describe()}.",
        "",
        "The clips are those that the model was trained on: this says how the label depends on the",
        "speed and the rate of a clip, not how often it is right.",
        "",
        table(["changed", "clips", "another label", "to or from `unknown`"], rows),
        "",
        *(["Clips with another label:", "", *changed, ""] if changed else []),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
