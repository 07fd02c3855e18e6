"""What a family of networks is trained and judged on: batches to learn from, answers to items.

Two kinds: families on keypoints see augmented recordings of tracks and judge the way the app does;
families on pixels see frames around the lifter.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from gymform.exercise import augment as aug
from gymform.exercise import classifier as clf
from gymform.exercise.corpus import Corpus
from gymform.exercise.data import Views, make_views
from gymform.exercise.families import Family
from gymform.exercise.learning import Batch, draw_batches, fit_scale, weights_of_views
from gymform.exercise.pixels import Pictures, load_pictures, shown, spoil
from gymform.exercise.records import TrainOptions
from gymform.motion.clean import clean
from gymform.timing import Progress, unheard
from gymform.types import OTHER

RETURNS = 0.5
"""A repetition that ends farther than this share of its way from where it began does not return."""


class Task(Protocol):
    """A corpus as one family sees it. ``rows`` are indices into the corpus."""

    device: torch.device

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        """Batches to learn ``rows`` from, for all steps; fits the network's scale to them."""
        ...

    def logits(self, network: nn.Module, rows: Sequence[int]) -> np.ndarray:
        """The network's logits (len(rows), K) for whole items, not augmented."""
        ...

    def answer(self, network: nn.Module, row: int) -> None:
        """Judge one item from the start, nothing remembered: for measuring how long it takes."""
        ...


def make_task(
    corpus: Corpus, family: Family, options: TrainOptions, progress: Progress = unheard
) -> Task:
    """The task of a family: on pixels, frames are decoded once and kept beside the data set.

    ``progress`` hears of what has to be prepared, now and when the first batch is drawn, and may
    raise to stop it.
    """
    if family.on_pixels:
        return PixelTask(corpus, family, options, progress)
    return KeypointTask(corpus, family, options, progress)


# ---- keypoints -----------------------------------------------------------------------------


class KeypointTask:
    """Augmented recordings to learn from; stretches, as in the app, to judge by."""

    device = torch.device("cpu")

    def __init__(
        self, corpus: Corpus, family: Family, options: TrainOptions, progress: Progress
    ) -> None:
        assert family.encode is not None
        self._corpus, self._family, self._encode = corpus, family, family.encode
        self._steps = options.steps or family.steps
        self._count, self._seed = options.views or family.views, options.seed
        self._shares = dict.fromkeys(corpus.classes, 1.0)
        self._progress = progress
        self._samples, self._owner = make_samples(corpus, progress)
        self._label = np.array([corpus.classes.index(s.label) for s in self._samples])
        self._views: Views | None = None
        self._stretches: dict[int, list[clf.Stretch]] = {}

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        views = self._made_views()
        mine = np.flatnonzero(np.isin(self._owner, rows))
        chosen, weight = weights_of_views(self._samples, views, mine, self._shares)
        fit_scale(network, [views.inputs[i] for i in chosen[:: max(1, len(chosen) // 2000)]])
        picked = draw_batches(views, chosen, weight, self._steps, self._family.batch, seed)
        for picks in picked:
            inputs = clf.batch([views.inputs[i] for i in picks])
            yield inputs, torch.from_numpy(self._label[views.sample[picks]])

    def logits(self, network: nn.Module, rows: Sequence[int]) -> np.ndarray:
        return np.stack([clf.combine(clf.votes([network], self._cut(row))) for row in rows])

    def answer(self, network: nn.Module, row: int) -> None:
        stretches = clf.cut(clean(self._corpus.tracks[row].pose), self._encode)
        clf.combine(clf.votes([network], stretches))

    def _made_views(self) -> Views:
        if self._views is None:
            self._views = make_views(
                self._samples,
                self._count,
                self._seed,
                encode=self._encode,
                class_shares=self._shares,
                progress=self._progress,
            )
        return self._views

    def _cut(self, row: int) -> list[clf.Stretch]:
        if row not in self._stretches:
            tracks = clean(self._corpus.tracks[row].pose)
            self._stretches[row] = clf.cut(tracks, self._encode)
        return self._stretches[row]


def make_samples(
    corpus: Corpus, progress: Progress = unheard
) -> tuple[list[aug.Sample], np.ndarray]:
    """(training samples, the row that each comes from): the tracks, and idle or lost lifters.

    The latter only where there is a class ``other``.
    """
    samples, owner = [], []
    for row, track in enumerate(corpus.tracks):
        progress("clean", row, len(corpus))
        sample = aug.make_sample(track)
        if sample is None:
            continue
        made = [sample]
        if OTHER in corpus.classes:
            made += [aug.standing(sample), aug.noise(sample)]
        samples += made
        owner += [row] * len(made)
    departing = departing_classes(samples)
    samples = [dataclasses.replace(s, departs=s.label in departing) for s in samples]
    return samples, np.array(owner, int)


def departing_classes(samples: Sequence[aug.Sample]) -> set[str]:
    """The classes whose movement ends in another pose than it began: not to be played backwards."""
    gaps: dict[str, list[float]] = {}
    for sample in samples:
        if sample.source == "clips" and sample.label != OTHER:
            gaps.setdefault(sample.label, []).extend(_gaps(sample))
    return {label for label, values in gaps.items() if np.median(values) > RETURNS}


def _gaps(sample: aug.Sample) -> list[float]:
    """For each repetition, the distance of its last pose from its first over its farthest."""
    gaps = []
    for start, end in sample.reps or ((0.0, sample.seconds),):
        first, last = round(start * aug.BASE_HZ), round(end * aug.BASE_HZ)
        part = sample.points[first : last + 1, :, :2]
        away = np.linalg.norm(part - part[:1], axis=-1)
        known = np.isfinite(away)
        way = np.where(known, away, 0).sum(1) / np.maximum(known.sum(1), 1)
        gaps.append(float(way[-1] / max(way.max(), 1e-9)))
    return gaps


# ---- pixels --------------------------------------------------------------------------------


class PixelTask:
    """Frames around the lifter: jittered to learn from, as they are and mirrored to judge by."""

    def __init__(
        self, corpus: Corpus, family: Family, options: TrainOptions, progress: Progress
    ) -> None:
        self._family, self._size = family, options.size
        self._steps = options.steps or family.steps
        self._label = corpus.labels
        self._groups = [track.group for track in corpus.tracks]
        self._pictures: Pictures = load_pictures(corpus, options.frames, options.size, progress)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        rng = np.random.default_rng(seed)
        weight = self._weight(rows)
        for _ in range(self._steps):
            picks = rng.choice(rows, self._family.batch, p=weight)
            clips = np.stack([spoil(self._pictures[row], self._size, rng) for row in picks])
            inputs = torch.from_numpy(clips).to(self.device)
            yield (inputs,), torch.from_numpy(self._label[picks]).to(self.device)

    @torch.inference_mode()
    def logits(self, network: nn.Module, rows: Sequence[int]) -> np.ndarray:
        return np.stack([self._judge(network, row) for row in rows])

    def answer(self, network: nn.Module, row: int) -> None:
        self.logits(network, [row])

    def _judge(self, network: nn.Module, row: int) -> np.ndarray:
        clip = torch.from_numpy(shown(self._pictures[row], self._size)).to(self.device)
        both = torch.stack([clip, clip.flip(-1)])  # (2, 3, T, H, W): as filmed and mirrored
        return np.asarray(network(both).mean(0).double().cpu())

    def _weight(self, rows: np.ndarray) -> np.ndarray:
        """How often each row is shown: classes alike, groups by the root of their number."""
        members = Counter((self._label[row], self._groups[row]) for row in rows)
        weight = np.array([members[self._label[row], self._groups[row]] ** -0.5 for row in rows])
        for label in np.unique(self._label[rows]):
            mine = self._label[rows] == label
            weight[mine] /= weight[mine].sum()
        return weight / weight.sum()
