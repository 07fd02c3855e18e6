"""The task of network families on keypoints: they are trained on augmented samples of tracks and
judged on stretches, cut as the app cuts a user's clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import NetworkFamily
from gymform.motion.clean import clean
from gymform.timing import Progress, ignore_progress
from gymform.training.exercise import augment as aug
from gymform.training.exercise.corpus import Corpus
from gymform.training.exercise.fitting import Batch, fit_scale
from gymform.training.exercise.pretraining import shipped_weights
from gymform.training.exercise.records import TrainOptions
from gymform.training.exercise.samples import (
    AugmentedSamples,
    draw_batches,
    make_augmented_samples,
    sampling_weights,
)
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER

MAX_GAP = 0.5
"""A movement that ends farther from its first pose than this share of its range ends elsewhere."""


@dataclass(frozen=True)
class Sampling:
    """How batches are made: from ``count`` augmented samples, ``batch`` at each of ``steps``.
    ``seed`` is that of the augmentation, ``shares`` is each class's share of the batches."""

    count: int
    steps: int
    batch: int
    seed: int
    shares: Mapping[str, float]


class KeypointTask:
    """Augmented samples to train on; stretches, as in the app, to judge on.

    A sample is trained on unless its group is that of a held-out item. So samples derived from a
    held-out item are left out too, and synthetic lifters, which have groups of their own, never.
    Networks start with the weights of ``origin``, where there are any, and with random ones.
    """

    device = torch.device("cpu")

    def __init__(
        self,
        tracks: Sequence[LabelledPose],
        samples: Sequence[aug.Sample],
        classes: Sequence[str],
        family: NetworkFamily,
        width: int,
        sampling: Sampling,
        progress: Progress = ignore_progress,
        origin: Mapping[str, Tensor] | None = None,
    ) -> None:
        assert family.encode is not None
        self._tracks, self._samples, self._classes = tracks, samples, classes
        self._family, self._width, self._encode = family, width, family.encode
        self._sampling, self._progress, self._origin = sampling, progress, dict(origin or {})
        self.labels = np.array([classes.index(track.label) for track in tracks])
        self.groups: Sequence[str] = [track.group for track in tracks]
        self._label = np.array([classes.index(sample.label) for sample in samples])
        self._augmented: AugmentedSamples | None = None
        self._stretches: dict[int, list[clf.Stretch]] = {}

    def build(self) -> nn.Module:
        network = self._family.build(len(self._classes), self._width)
        network.load_state_dict({**network.state_dict(), **self._origin})
        return network

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        augmented, sampling = self._augmented_samples(), self._sampling
        allowed = self._samples_of(rows)
        chosen, weight = sampling_weights(self._samples, augmented, allowed, sampling.shares)
        if not self._origin:  # else its scale has come with the weights
            some = chosen[:: max(1, len(chosen) // 2000)]
            fit_scale(network, [augmented.inputs[i] for i in some])
        drawn = draw_batches(augmented, chosen, weight, sampling.steps, sampling.batch, seed)
        for picks in drawn:
            inputs = clf.batch([augmented.inputs[i] for i in picks])
            yield inputs, torch.from_numpy(self._label[augmented.original[picks]])

    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        return np.stack([clf.clip_logits(networks, self._cut(row)) for row in rows])

    def predict_uncached(self, network: nn.Module, row: int) -> None:
        clf.clip_logits([network], self._cut_uncached(row))

    def _samples_of(self, rows: np.ndarray) -> np.ndarray:
        """Indices of the samples to train on with the items at ``rows``: no group is held out."""
        held_out = {group for row, group in enumerate(self.groups) if row not in set(rows.tolist())}
        return np.array([i for i, one in enumerate(self._samples) if one.group not in held_out])

    def _augmented_samples(self) -> AugmentedSamples:
        if self._augmented is None:
            self._augmented = make_augmented_samples(
                self._samples,
                self._sampling.count,
                self._sampling.seed,
                encode=self._encode,
                class_shares=self._sampling.shares,
                progress=self._progress,
            )
        return self._augmented

    def _cut(self, row: int) -> list[clf.Stretch]:
        if row not in self._stretches:
            self._stretches[row] = self._cut_uncached(row)
        return self._stretches[row]

    def _cut_uncached(self, row: int) -> list[clf.Stretch]:
        return clf.cut(clean(self._tracks[row].pose), self._encode)


def corpus_task(
    corpus: Corpus,
    family: NetworkFamily,
    options: TrainOptions,
    progress: Progress = ignore_progress,
) -> KeypointTask:
    """The task of a data set, with equal shares for all classes; what ``options`` leave open is as
    the family has it."""
    sampling = Sampling(
        options.views or family.views,
        options.steps_for(len(corpus)),
        family.batch,
        options.seed,
        dict.fromkeys(corpus.classes, 1.0),
    )
    samples = corpus_samples(corpus, progress)
    width = options.width or family.width
    origin = shipped_weights(width) if options.start else None
    return KeypointTask(
        corpus.tracks, samples, corpus.classes, family, width, sampling, progress, origin
    )


def corpus_samples(corpus: Corpus, progress: Progress = ignore_progress) -> list[aug.Sample]:
    """Training samples of a data set: its tracks and, where there is a class ``other``, lifters who
    stand still and joints that move independently.
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
    """The classes whose movement ends in another pose than it began; such a movement must not be
    played backwards."""
    gaps: dict[str, list[float]] = {}
    for sample in samples:
        if sample.source == "clips" and sample.label != OTHER:
            gaps.setdefault(sample.label, []).extend(_gaps(sample))
    return {label for label, values in gaps.items() if np.median(values) > MAX_GAP}


def _gaps(sample: aug.Sample) -> list[float]:
    """For each repetition, the last pose's distance from the first over the farthest pose's."""
    gaps = []
    for start, end in sample.reps or ((0.0, sample.seconds),):
        first, last = round(start * aug.BASE_HZ), round(end * aug.BASE_HZ)
        part = sample.points[first : last + 1, :, :2]
        distances = np.linalg.norm(part - part[:1], axis=-1)
        known = np.isfinite(distances)
        distance = np.where(known, distances, 0).sum(1) / np.maximum(known.sum(1), 1)
        gaps.append(float(distance[-1] / max(distance.max(), 1e-9)))
    return gaps
