"""The exercise classifier, and the only place that opens its networks.

A clip is cut into stretches (the whole clip, and each of its repetitions). Every network of the
ensemble classifies every stretch and its mirror image; the mean of their logits gives calibrated
probabilities, and the label ``unknown`` when these are too uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from scipy.special import logsumexp, softmax
from torch import nn

from gymform.errors import OptionsError, WeightsError
from gymform.exercise.explain import PARTS, with_part_still
from gymform.exercise.features import RATE_HZ, features, resample
from gymform.exercise.nearest import PREFIX, Bank, read_bank, unit
from gymform.exercise.networks.registry import Encode, NetworkFamily, family_of
from gymform.exercises import listed, name_of
from gymform.motion.clean import stretches as shot_frames
from gymform.motion.repetitions import MIN_RANGE, movement_range, whole_repetitions
from gymform.motion.slow_motion import in_film
from gymform.skeleton import BODY, FLIP_ORDER
from gymform.storage import atomic_path
from gymform.threads import one_core
from gymform.types import (
    OTHER,
    UNKNOWN,
    Ablation,
    CleanTracks,
    PoseQuality,
    PoseSequence,
    Prediction,
    Window,
    within,
)
from gymform.weights import ModelEntry, checked_path, manifest_entry, write_tensors

MAX_SECONDS = 10.0
"""The longest stretch that is classified at once, seconds."""

MARGIN_S = 0.5
"""Seconds before and after a repetition that belong to its stretch."""

LEAST_WEIGHT = 0.2
"""A repetition of which nothing is seen clearly still counts this much of one that is."""

SLOW_S, USUAL_S = 5.0, 2.5
"""Repetitions that take longer than the first, seconds, are judged as if they took the second: a
film in slow motion then shows what the networks know. (In half of the real clips they take 1.8 to
3.2 s, in 5 of 100 more than 4.7; chosen on the held-out clips of the shipped model.)"""

MOST_FASTER = 8.0
"""No film is slower than this."""

MIN_SECONDS = 0.6
"""A shorter clip cannot be classified, seconds."""

MIN_COVERAGE = 0.3
"""Below this share of frames with a person the label is ``unknown``."""

MIN_QUALITY = 0.2
"""Below this pose quality (see ``motion/quality.py``) the label is ``unknown``."""

MIN_CONFIDENCE = 0.5
"""Below this probability of the best class the label is ``unknown``."""

MOST_LISTED = 6
"""More exercises than this are not listed in a sentence."""

DOUBTFUL = 0.8
"""Below this probability of the best class a remark says what else is possible."""


@dataclass(frozen=True)
class Settings:
    """What the manifest says of an exercise model: classes in order, networks, calibration.

    ``channels`` is the width of a network of ``family``, ``features`` the numbers a step it sees.
    ``outputs`` are what the networks tell apart, where that is more than the classes: see
    :func:`merge`.
    ``thresholds``: a class is named from this probability on; :data:`MIN_CONFIDENCE` for the
    others. ``candidate_from``: classes from this probability on are candidates, None where the
    model promises none.
    """

    classes: tuple[str, ...]
    networks: int
    channels: int
    features: int
    rate_hz: float
    temperature: float
    family: str = "tcn"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    candidate_from: float | None = None
    outputs: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, entry: ModelEntry) -> Settings:
        """The settings of a manifest entry. Raises WeightsError when they do not fit."""
        try:
            lists = {key: tuple(entry.config.get(key, ())) for key in ("classes", "outputs")}
            settings = cls(**{**entry.config, **lists})
        except (KeyError, TypeError) as error:
            raise WeightsError(f"MANIFEST.json, model {entry.name!r}: config: {error}.") from None
        family = settings.network_family
        if settings.features != family.inputs or settings.rate_hz != RATE_HZ:
            raise WeightsError(
                f"{entry.file}: made for {settings.features} features at {settings.rate_hz} Hz, "
                f"but this gymform has {family.inputs} at {RATE_HZ}. Train it again."
            )
        enough = settings.networks >= 1 and len(set(settings.classes)) >= 2
        fits = settings._has_fair_limits() and settings._has_fitting_outputs()
        if not settings.temperature > 0 or not enough or not fits:
            raise WeightsError(f"MANIFEST.json, model {entry.name!r}: config is out of range.")
        return settings

    def as_config(self) -> dict[str, Any]:
        """The same for a manifest entry."""
        config = {**self.__dict__, "classes": list(self.classes), "outputs": list(self.outputs)}
        optional = ("thresholds", "candidate_from", "outputs")  # absent where a model has none
        return {key: value for key, value in config.items() if value or key not in optional}

    def _has_fair_limits(self) -> bool:
        """Are thresholds probabilities of known classes?"""
        limits = self.thresholds
        if not isinstance(limits, Mapping) or not set(limits) <= set(self.classes):
            return False
        given = [*limits.values(), *([] if self.candidate_from is None else [self.candidate_from])]
        return all(isinstance(one, int | float) and 0 <= one <= 1 for one in given)

    def _has_fitting_outputs(self) -> bool:
        """Is every class an output, and is there a class for every output?"""
        own, outputs = set(self.classes), set(self.outputs or self.classes)
        unlike = len(outputs) == len(self.outputs or outputs)
        return unlike and own <= outputs and (own == outputs or OTHER in own)

    @property
    def network_family(self) -> NetworkFamily:
        """The family of the networks. Raises WeightsError for one that sees no keypoints."""
        try:
            family = family_of(self.family)
        except OptionsError as error:
            raise WeightsError(f"MANIFEST.json: {error} Train it again.") from None
        if family.on_pixels:
            raise WeightsError(f"MANIFEST.json: a {self.family} cannot judge keypoints.")
        return family

    def build(self) -> nn.Module:
        """One network of the right shape, its weights still random."""
        return self.network_family.build(len(self.outputs or self.classes), self.channels)

    def merged(self, logits: np.ndarray) -> np.ndarray:
        """Logits (..., K) of the classes from those (..., O) of the networks' outputs."""
        return merge(logits, self.outputs or self.classes, self.classes)


def merge(logits: np.ndarray, outputs: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Logits (..., K) of ``classes`` from those (..., O) of ``outputs``.

    Networks may be taught exercises that are told too seldom to be named. What is none of the
    classes is ``other``, whose probability is the sum of theirs.
    """
    columns = [
        logsumexp(logits[..., [i for i, name in enumerate(outputs)
                               if name == one or (one == OTHER and name not in classes)]], -1)
        for one in classes
    ]  # fmt: skip
    return np.stack(columns, -1)


# ---- weights -------------------------------------------------------------------------------


def write_networks(path: Path, networks: Sequence[nn.Module], bank: Bank | None = None) -> None:
    """Write all tensors of ``networks`` to one safetensors file; keys begin with a number each.

    The clips of ``bank`` go to the same file.
    """
    tensors = {
        f"{i}.{key}": tensor.detach().cpu().contiguous().clone()
        for i, network in enumerate(networks)
        for key, tensor in network.state_dict().items()
    }
    if bank is not None:
        tensors |= {key: torch.from_numpy(array) for key, array in bank.as_tensors().items()}
    with atomic_path(path) as temporary:
        write_tensors(temporary, tensors)


def read_networks(path: Path, build: Callable[[], nn.Module], count: int) -> list[nn.Module]:
    """The ``count`` networks of a file, each made by ``build``, in eval mode.

    Raises WeightsError naming file and key.
    """
    try:
        with safe_open(path, framework="pt") as file:
            keys = [key for key in file.keys() if not key.startswith(PREFIX)]  # noqa: SIM118
            tensors = {key: file.get_tensor(key) for key in keys}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name}: not a safetensors file ({error}).") from None
    networks = [build() for _ in range(count)]
    for i, network in enumerate(networks):
        _fill(network, {k: t for k, t in tensors.items() if k.startswith(f"{i}.")}, i, path.name)
    if len(tensors) != sum(len(network.state_dict()) for network in networks):
        raise WeightsError(f"{path.name}: holds more than {count} network(s).")
    return [network.eval() for network in networks]


def _fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], number: int, file: str) -> None:
    """Load ``tensors`` into ``network`` after checking every key and shape."""
    state = {}
    for key, own in network.state_dict().items():
        tensor = tensors.get(f"{number}.{key}")
        if tensor is None:
            raise WeightsError(f"{file}: key '{number}.{key}' is missing.")
        if tensor.shape != own.shape or not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{file}: '{number}.{key}': expected finite numbers of shape {tuple(own.shape)}, "
                f"got shape {tuple(tensor.shape)}."
            )
        state[key] = tensor.to(own.dtype)
    network.load_state_dict(state)


# ---- from a clip to votes ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of a clip with the networks' inputs for it, two (N, F): as filmed and mirrored.

    ``weight`` is how much its vote counts: 0 where nothing moves.
    """

    start_s: float
    end_s: float
    inputs: tuple[np.ndarray, np.ndarray]
    weight: float = 1.0


@dataclass(frozen=True)
class Span:
    """Seconds of a clip, and how much they count."""

    start_s: float
    end_s: float
    weight: float


@dataclass(frozen=True, eq=False)
class Movement:
    """A clip's ``xy`` (N, 17, 2) at even steps from ``start_s``, and its ``spans``, all as if it
    were ``faster`` times as fast."""

    xy: np.ndarray
    spans: Sequence[Span]
    start_s: float
    faster: float

    def stretches(self, encode: Encode) -> list[Stretch]:
        """The stretches, with the clip's own seconds; ``encode`` makes the networks' inputs."""
        return [self._stretch(span, encode) for span in self.spans]

    def _stretch(self, span: Span, encode: Encode) -> Stretch:
        first = round((span.start_s - self.start_s) * RATE_HZ)
        last = round((span.end_s - self.start_s) * RATE_HZ) + 1
        part = self.xy[first : min(last, first + int(MAX_SECONDS * RATE_HZ) + 1)]
        mirrored = part[:, list(FLIP_ORDER)] * [-1, 1]
        inputs = (encode(part), encode(mirrored))
        start_s, end_s = span.start_s * self.faster, span.end_s * self.faster
        return Stretch(start_s, end_s, inputs, span.weight)


def movement_of(tracks: CleanTracks) -> Movement:
    """The movement in a clip: slow repetitions are judged at a usual tempo."""
    fast, faster = at_usual_tempo(tracks)
    return Movement(resample(fast), _spans(fast), float(fast.time_s[0]), faster)


def at_usual_tempo(tracks: CleanTracks) -> tuple[CleanTracks, float]:
    """``tracks`` with repetitions that take :data:`USUAL_S`, and how many times faster that is: 1,
    and the same, unless they take longer than :data:`SLOW_S` (the median)."""
    faster, fast = 1.0, tracks
    if not _usual_duration(tracks) > SLOW_S:
        return tracks, faster
    for _ in range(2):  # what is found in a slow film begins and ends a little differently
        duration = _usual_duration(fast)
        if np.isfinite(duration):
            faster = float(np.clip(faster * duration / USUAL_S, 1.0, MOST_FASTER))
        fast = in_film(tracks, 1 / faster)
    return fast, faster


def _usual_duration(tracks: CleanTracks) -> float:
    """The median duration of the repetitions, s; NaN where there are none."""
    durations = [end - start for start, end in whole_repetitions(tracks)]
    return float(np.median(durations)) if durations else float("nan")


def cut(tracks: CleanTracks, encode: Encode = features) -> list[Stretch]:
    """The stretches of a clip: each shot in long pieces, and each repetition; none has a cut in it.

    ``encode`` makes the inputs of the network family.
    """
    return movement_of(tracks).stretches(encode)


def _spans(tracks: CleanTracks) -> list[Span]:
    """The stretches of a clip. Repetitions count as much as the lifter is seen in them."""
    shots = [_times(tracks, slice(*frames)) for frames in shot_frames(tracks.shots)]
    shots = [(start, end) for start, end in shots if end - start >= MIN_SECONDS]
    spans = []
    for shot_start, shot_end in shots or [_times(tracks, slice(None))]:
        for start, end in _pieces(shot_end - shot_start):
            start, end = shot_start + start, shot_start + end
            spans.append(Span(start, end, float(_moves(tracks, start, end))))
    for start, end in whole_repetitions(tracks):
        edges = next(((a, b) for a, b in shots if a <= start <= b), (start, end))
        start, end = max(edges[0], start - MARGIN_S), min(edges[1], end + MARGIN_S)
        spans.append(Span(start, end, _seen(tracks, start, end)))
    if not any(span.weight for span in spans):
        return [replace(span, weight=1.0) for span in spans]
    return spans


def _times(tracks: CleanTracks, frames: slice) -> tuple[float, float]:
    """Seconds of the first and the last of some frames."""
    times = tracks.time_s[frames]
    return float(times[0]), float(times[-1])


def _moves(tracks: CleanTracks, start_s: float, end_s: float) -> bool:
    """Does the lifter move enough for a repetition in these seconds?"""
    inside = within(tracks.time_s, start_s, end_s)
    return inside.sum() > 2 and movement_range(tracks.part(inside)) >= MIN_RANGE


def _seen(tracks: CleanTracks, start_s: float, end_s: float) -> float:
    """The share of the body's joints that are known in these seconds, at least `LEAST_WEIGHT`."""
    inside = within(tracks.time_s, start_s, end_s)
    body = list(BODY)
    lost = tracks.filled & ~tracks.interpolated[:, None]
    known = np.isfinite(tracks.xy[inside][:, body]).all(-1) & ~lost[inside][:, body]
    return max(LEAST_WEIGHT, float(known.mean())) if known.size else LEAST_WEIGHT


def _pieces(seconds: float) -> list[tuple[float, float]]:
    """(start, end) of the clip's pieces: of equal length, overlapping by half in a long clip."""
    if seconds <= MAX_SECONDS:
        return [(0.0, seconds)]
    count = int(np.ceil(2 * seconds / MAX_SECONDS)) - 1
    starts = np.linspace(0, seconds - MAX_SECONDS, count)
    return [(float(start), float(start) + MAX_SECONDS) for start in starts]


def batch(inputs: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, N, F) and mask (B, N) of sequences (n, F): padded with zeros that the mask hides."""
    longest = max(len(x) for x in inputs)
    out = torch.zeros(len(inputs), longest, inputs[0].shape[1])
    mask = torch.zeros(len(inputs), longest)
    for i, x in enumerate(inputs):
        out[i, : len(x)] = torch.from_numpy(np.asarray(x, np.float32))
        mask[i, : len(x)] = 1
    return out, mask


@torch.inference_mode()
def look(
    networks: Sequence[nn.Module], stretches: Sequence[Stretch]
) -> tuple[np.ndarray, np.ndarray]:
    """What the networks make of a clip: logits float64 (S, O), one row a stretch, and what their
    last layers see, float32 (E,) of length 1.

    Logits are the mean over networks and mirror images. What is seen is the mean over mirror images
    and stretches, by their weights; that of the networks stands one after another.
    """
    x, mask = batch([one for stretch in stretches for one in stretch.inputs])
    weights = np.repeat([stretch.weight for stretch in stretches], 2)
    with one_core():
        pairs = [_with_last_layer(network, x, mask) for network in networks]
    logits = torch.stack([out for out, _ in pairs]).mean(0)
    rows = logits.reshape(len(stretches), 2, -1).mean(1).double().numpy()
    parts = [unit(np.average(seen, 0, weights)) for _, seen in pairs]
    return rows, unit(np.concatenate(parts)).astype(np.float32)


def _with_last_layer(
    network: nn.Module, x: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, np.ndarray]:
    """A network's logits (B, O), and the inputs (B, E) of its head."""
    seen: list[torch.Tensor] = []
    head = network.get_submodule("head")
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        logits: torch.Tensor = network(x, mask)
    finally:
        hook.remove()
    return logits, seen[0].double().numpy()


def combine(rows: np.ndarray, stretches: Sequence[Stretch]) -> np.ndarray:
    """Logits (O,) of the clip: the mean of those (S, O) of its stretches, by their weights."""
    return np.asarray(np.average(rows, axis=0, weights=[one.weight for one in stretches]))


def clip_logits(networks: Sequence[nn.Module], stretches: Sequence[Stretch]) -> np.ndarray:
    """Logits (O,) of a clip by its stretches."""
    return combine(look(networks, stretches)[0], stretches)


# ---- the prediction ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Classifier:
    """Classifies movements into ``classes``. Made by :func:`load_classifier`."""

    networks: Sequence[nn.Module]
    settings: Settings
    name: str
    sha256: str
    bank: Bank | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of a prediction's probabilities; ``other`` may be one of them."""
        return self.settings.classes

    def predict(self, pose: PoseSequence, tracks: CleanTracks, quality: PoseQuality) -> Prediction:
        """The prediction for a clip from ``pose``, ``clean(pose)`` and ``assess(pose, tracks)``."""
        obstacle = _obstacle(pose, tracks, quality)
        if not np.isfinite(tracks.xy).any():
            even = (1 / len(self.classes),) * len(self.classes)
            return Prediction(self.classes, even, UNKNOWN, obstacle, self.sha256)
        movement = movement_of(tracks)
        stretches = movement.stretches(self.encode)
        rows, seen = look(self.networks, stretches)
        probabilities = self._probabilities(rows, stretches)
        label, reason = self._name(probabilities)
        candidates = () if obstacle else self._candidates(probabilities)
        several = self._by_shot(tracks, stretches, rows)
        if len({name for name, _ in several}) > 1:
            label, reason, candidates = UNKNOWN, _said_of_shots(several), ()
        windows = tuple(
            Window(one.start_s, one.end_s, tuple(map(float, self._probabilities(row[None], [one]))))
            for one, row in zip(stretches, rows, strict=True)
        )
        return Prediction(
            self.classes,
            tuple(map(float, probabilities)),
            UNKNOWN if obstacle else label,
            obstacle or reason,
            self.sha256,
            windows,
            tuple(self._without(part, movement) for part in PARTS),
            candidates,
            () if obstacle or self.bank is None else tuple(self.bank.nearest(seen)),
        )

    def _candidates(self, probabilities: np.ndarray) -> tuple[str, ...]:
        """The classes that a movement may be, the likeliest first; () where none are promised.

        A conformal set by the probability of the class (Sadinle, Lei & Wasserman, "Least Ambiguous
        Set-Valued Classifiers with Bounded Error Levels", 2019); never empty.
        """
        limit = self.settings.candidate_from
        if limit is None:
            return ()
        order = np.argsort(probabilities)[::-1]
        return tuple(
            self.classes[i] for n, i in enumerate(order) if n == 0 or probabilities[i] >= limit
        )

    def _by_shot(
        self, tracks: CleanTracks, stretches: Sequence[Stretch], rows: np.ndarray
    ) -> list[tuple[str, float]]:
        """(label, end in seconds) of each shot that surely holds repetitions of an exercise."""
        found = []
        for frames in shot_frames(tracks.shots):
            start, end = _times(tracks, slice(*frames))
            inside = [
                i for i, one in enumerate(stretches)
                if one.weight and one.start_s >= start - 1e-6 and one.end_s <= end + 1e-6
            ]  # fmt: skip
            if len(inside) < 2:  # the shot itself, and a repetition in it
                continue
            probabilities = self._probabilities(rows[inside], [stretches[i] for i in inside])
            name = self.classes[int(probabilities.argmax())]
            if probabilities.max() >= DOUBTFUL and name != OTHER:
                found.append((name, end))
        return found

    def by_network(self, tracks: CleanTracks) -> np.ndarray:
        """Probabilities (M, K) of a movement by each of the M networks of the ensemble alone.

        Some keypoints of ``tracks`` have to be known.
        """
        stretches = cut(tracks, self.encode)
        logits = [clip_logits([one], stretches) for one in self.networks]
        merged = self.settings.merged(np.stack(logits))
        return np.asarray(softmax(merged / self.settings.temperature, axis=1))

    def _probabilities(self, rows: np.ndarray, stretches: Sequence[Stretch]) -> np.ndarray:
        """Probabilities (K,) of the classes from the outputs ``rows`` (S, O) for stretches."""
        if not any(one.weight for one in stretches):
            stretches = [replace(one, weight=1.0) for one in stretches]
        merged = self.settings.merged(combine(rows, stretches))
        return np.asarray(softmax(merged / self.settings.temperature))

    def _without(self, part: str, movement: Movement) -> Ablation:
        """The probabilities for a movement with a part of the body kept still."""
        still = replace(movement, xy=with_part_still(movement.xy, part))
        stretches = still.stretches(self.encode)
        probabilities = self._probabilities(look(self.networks, stretches)[0], stretches)
        return Ablation(part, tuple(map(float, probabilities)))

    @property
    def encode(self) -> Encode:
        """How the network family's inputs are made."""
        encode = self.settings.network_family.encode
        assert encode is not None  # the settings refuse families on pixels
        return encode

    def _name(self, probabilities: np.ndarray) -> tuple[str, str | None]:
        """(label, remark) from the probabilities alone."""
        order = np.argsort(probabilities)[::-1]
        best, second = (self.classes[i] for i in order[:2])
        confidence = float(probabilities[order[0]])
        if confidence < self.settings.thresholds.get(best, MIN_CONFIDENCE):
            return UNKNOWN, (
                f"It could be {name_of(best)} or {name_of(second)}, but neither clearly. A view "
                "from the side with the whole body in the picture helps."
            )
        doubt = f" {name_of(second).capitalize()} is possible too." if confidence < DOUBTFUL else ""
        if best == OTHER:
            return OTHER, f"This moves like none of {self._known()}.{doubt}"
        return best, f"Not certain.{doubt}" if doubt else None

    def _known(self) -> str:
        """The exercises in a sentence; their number where they are many."""
        named = [name_of(name) for name in self.classes if name != OTHER]
        if len(named) > MOST_LISTED:
            return f"the {len(named)} exercises that this model knows"
        return listed(named, "and")


def _said_of_shots(several: Sequence[tuple[str, float]]) -> str:
    """A sentence about a clip whose shots show different exercises, with the seconds."""
    runs: list[tuple[str, float]] = []
    for name, end_s in several:
        if runs and runs[-1][0] == name:
            runs.pop()
        runs.append((name, end_s))
    parts = [f"{name_of(name)} until {end_s:.1f} s" for name, end_s in runs[:-1]]
    parts.append(f"{name_of(runs[-1][0])} after")
    count = len({name for name, _ in runs})
    number = {2: "Two", 3: "Three"}.get(count, str(count))
    return f"{number} exercises: {', '.join(parts)}. Cut the clip to one of them."


def load_classifier(name: str | None = None) -> Classifier:
    """The exercise model called ``name`` (default: the manifest's), verified and ready.

    Raises WeightsError when its file is missing, altered, or not what the manifest says.
    """
    return open_classifier(manifest_entry(name, "exercise"))


def open_classifier(entry: ModelEntry) -> Classifier:
    """The exercise model of a manifest's entry; see :func:`load_classifier`."""
    settings = Settings.from_config(entry)
    path = checked_path(entry)
    networks = read_networks(path, settings.build, settings.networks)
    return Classifier(networks, settings, entry.name, entry.sha256, read_bank(path))


def _obstacle(pose: PoseSequence, tracks: CleanTracks, quality: PoseQuality) -> str | None:
    """Why the clip cannot be classified, whatever the networks say; None when it can."""
    seconds = float(pose.time_s[-1] - pose.time_s[0])
    if quality.coverage == 0:
        return "Nobody was found in this clip."
    if quality.coverage < MIN_COVERAGE:
        return f"The lifter was found in {quality.coverage:.0%} of the frames only."
    if seconds < MIN_SECONDS:
        return f"The clip is too short ({seconds:.1f} s): show a whole repetition."
    if quality.score < MIN_QUALITY:
        return "The skeleton is too uncertain to judge by. " + " ".join(quality.notes[:1])
    if movement_range(tracks) < MIN_RANGE:
        return "There is hardly any movement: show a whole repetition."
    return None
