"""What families on keypoints are trained and judged on: augmented recordings of tracks, and
stretches of them cut as the app cuts a user's clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import Family
from gymform.motion.clean import clean
from gymform.timing import Progress, unheard
from gymform.training.exercise import augment as aug
from gymform.training.exercise.corpus import Corpus
from gymform.training.exercise.fitting import Batch, fit_scale
from gymform.training.exercise.records import TrainOptions
from gymform.training.exercise.samples import Views, draw_batches, make_views, weights_of_views
from gymform.types import OTHER

RETURNS = 0.5
"""A repetition that ends farther than this share of its way from where it began does not return."""


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
