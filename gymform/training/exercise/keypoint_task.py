"""What families on keypoints are trained and judged on: augmented recordings of tracks, and
stretches of them cut as the app cuts a user's clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import NetworkFamily
from gymform.motion.clean import clean
from gymform.timing import Progress, ignore_progress
from gymform.training.exercise import augment as aug
from gymform.training.exercise.corpus import Corpus
from gymform.training.exercise.fitting import Batch, fit_scale
from gymform.training.exercise.records import TrainOptions
from gymform.training.exercise.samples import Views, draw_batches, make_views, weights_of_views
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER

RETURNS = 0.5
"""A repetition that ends farther than this share of its way from where it began does not return."""


@dataclass(frozen=True)
class Viewing:
    """What the networks are shown: ``views`` augmented recordings, ``batch`` at a step, made from
    ``seed``; ``shares`` says how often each class is shown."""

    views: int
    steps: int
    batch: int
    seed: int
    shares: Mapping[str, float]


class KeypointTask:
    """Augmented recordings to learn from; stretches, as in the app, to judge by.

    A sample is learned from unless its group is that of an item that is held out: so what was
    derived from an item goes with it, and calculated figures are always there.
    """

    device = torch.device("cpu")

    def __init__(
        self,
        tracks: Sequence[LabelledPose],
        samples: Sequence[aug.Sample],
        classes: Sequence[str],
        family: NetworkFamily,
        width: int,
        viewing: Viewing,
        progress: Progress = ignore_progress,
    ) -> None:
        assert family.encode is not None
        self._tracks, self._samples, self._classes = tracks, samples, classes
        self._family, self._width, self._encode = family, width, family.encode
        self._viewing, self._progress = viewing, progress
        self.labels = np.array([classes.index(track.label) for track in tracks])
        self.groups: Sequence[str] = [track.group for track in tracks]
        self._label = np.array([classes.index(sample.label) for sample in samples])
        self._views: Views | None = None
        self._stretches: dict[int, list[clf.Stretch]] = {}

    def build(self) -> nn.Module:
        return self._family.build(len(self._classes), self._width)

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        views, viewing = self._made_views(), self._viewing
        mine = self._samples_of(rows)
        chosen, weight = weights_of_views(self._samples, views, mine, viewing.shares)
        fit_scale(network, [views.inputs[i] for i in chosen[:: max(1, len(chosen) // 2000)]])
        picked = draw_batches(views, chosen, weight, viewing.steps, viewing.batch, seed)
        for picks in picked:
            inputs = clf.batch([views.inputs[i] for i in picks])
            yield inputs, torch.from_numpy(self._label[views.sample[picks]])

    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        return np.stack([clf.combine(clf.votes(networks, self._cut(row))) for row in rows])

    def answer(self, network: nn.Module, row: int) -> None:
        clf.combine(clf.votes([network], self._cut_anew(row)))

    def _samples_of(self, rows: np.ndarray) -> np.ndarray:
        """The samples of the items at ``rows``: all whose group is not held out."""
        held_out = {group for row, group in enumerate(self.groups) if row not in set(rows.tolist())}
        return np.array([i for i, one in enumerate(self._samples) if one.group not in held_out])

    def _made_views(self) -> Views:
        if self._views is None:
            self._views = make_views(
                self._samples,
                self._viewing.views,
                self._viewing.seed,
                encode=self._encode,
                class_shares=self._viewing.shares,
                progress=self._progress,
            )
        return self._views

    def _cut(self, row: int) -> list[clf.Stretch]:
        if row not in self._stretches:
            self._stretches[row] = self._cut_anew(row)
        return self._stretches[row]

    def _cut_anew(self, row: int) -> list[clf.Stretch]:
        return clf.cut(clean(self._tracks[row].pose), self._encode)


def corpus_task(
    corpus: Corpus,
    family: NetworkFamily,
    options: TrainOptions,
    progress: Progress = ignore_progress,
) -> KeypointTask:
    """The task of a data set: every class is shown alike, unless the user says otherwise as the
    family is trained."""
    viewing = Viewing(
        options.views or family.views,
        options.steps or family.steps,
        family.batch,
        options.seed,
        dict.fromkeys(corpus.classes, 1.0),
    )
    samples = corpus_samples(corpus, progress)
    width = options.width or family.width
    return KeypointTask(corpus.tracks, samples, corpus.classes, family, width, viewing, progress)


def corpus_samples(corpus: Corpus, progress: Progress = ignore_progress) -> list[aug.Sample]:
    """Training samples of a data set: its tracks, and idle or lost lifters.

    The latter only where there is a class ``other``.
    """
    samples = []
    for row, track in enumerate(corpus.tracks):
        progress("clean", row, len(corpus))
        sample = aug.make_sample(track)
        if sample is None:
            continue
        samples.append(sample)
        if OTHER in corpus.classes:
            samples += [aug.standing(sample), aug.noise(sample)]
    departing = departing_classes(samples)
    return [dataclasses.replace(s, departs=s.label in departing) for s in samples]


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
