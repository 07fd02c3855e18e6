"""The shots of a clip: where it is cut, faded or dissolved, and where its picture stands still.

Every frame is looked at, shrunk to `SIDE` px. A cut is where the scene before has gone: nothing of
the background stays, or it is zoomed at once, and neither the frames beside it nor a look past it
explain that. So a flash, a passer-by, a fast pan, a shaken camera and a new exposure are no cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from gymform.video.matching import (
    CLEAR,
    UNCHANGED,
    Match,
    View,
    chained,
    followed,
    in_place,
    match,
    view,
)
from gymform.video.standing import changes, standing

SIDE = 96
"""Longer side of the pictures that are compared, px."""

STANDING = -1
"""The number of frames in which the picture stands still."""

SETTLED = 0.85
"""Where this share of two neighbours is in place, they are of one shot."""

SAME_SCENE = 0.3
"""Share of the picture that two frames of one scene have in common. Seen in frames of different
scenes: up to 0.25, in neighbours of one scene 0.7 to 1."""

SURELY_SAME = 0.6
"""The same where far more changes at once than near it: smooth walls look alike by chance."""

ZOOM_CUT = 0.06
"""A zoom by more than exp of this, from one frame to the next, is a cut. People who walk to the
camera and lenses that zoom stay under 0.02 at 30 frames a second."""

LOOK_PAST_S = 0.5
"""A disturbance after which the scene is the same again may take so long: a flash, a hand."""

PLAIN = 0.35
"""Before a plain wall, where less than this share of the picture shows anything, the lifter alone
is compared, who moves: there a cut must stand out by what changes, too."""

STANDS_OUT = 3.0
"""By so much the change that stands out is larger than any near it."""

LARGE = 6.0
"""Mean change of the grey levels from which on it stands out."""

LIKE = 0.85
"""Above this correlation of both pictures only the light has changed, however much."""

OTHER_COLOURS = 0.5
"""With fewer colours in common than this share of the pixels, a cut stands out, too."""

DISSOLVES_S = (0.0, 0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 1.8)
"""Spans of time that are tried for a dissolve, seconds."""

GREY, COLOURED, COLOUR_STEP = 0.02, 0.015, 4.0
"""How far the colours of a grey film differ from each other at most, in a film that is in colour
at least (see `_colourfulness`), and how many times more they do there."""

PALER = 1.75
"""The same where nothing but the colours changes. A step of the white balance stays under 1.5."""

_CHUNK, _KEPT_VIEWS = 256, 1000
_LEVELS_APART = 7.0
_MIX_ERROR, _FINE_ERROR = 0.08, 0.15
_CHANGED, _WIDE = 4.0, 0.3
_OFF_LINE = 0.22
_COARSE, _PLACES = (24, 24), (12, 12)
_INTERIOR = 7
_STEPS = 5


def find_shots(pictures: Sequence[np.ndarray], time_s: np.ndarray) -> np.ndarray:
    """The number of each frame's shot, int32 (T,): 0, 1, ... and -1 where the picture stands still.

    ``pictures`` are uint8 (h, w, 3) RGB, all of one size, with `SIDE` px at most; ``time_s`` (T,)
    their rising seconds. A frame that only repeats the one before stands still when that goes on
    for a quarter of a second; the frame that is repeated keeps its number.
    """
    frames = list(pictures)
    shots = np.zeros(len(frames), dtype=np.int32)
    if len(frames) < 2:
        return shots
    for cut in _Film(frames, np.asarray(time_s, dtype=np.float64)).cuts():
        shots[cut:] += 1
    shots[standing(changes(frames), time_s)] = STANDING
    return shots


def without_standing(frame_shots: np.ndarray) -> np.ndarray:
    """``frame_shots`` with standing frames given to the shot around them, int32 (T,)."""
    known = np.flatnonzero(frame_shots != STANDING)
    if not len(known):
        return np.zeros_like(frame_shots)
    before = np.searchsorted(known, np.arange(len(frame_shots)), side="right") - 1
    return np.asarray(frame_shots[known[np.maximum(before, 0)]])


def cut_times(frame_shots: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Seconds (C,) of the first frame after each cut."""
    return np.asarray(time_s[1:][np.diff(without_standing(frame_shots)) > 0])


def standing_spans(frame_shots: np.ndarray, time_s: np.ndarray) -> list[tuple[float, float]]:
    """(first, last) second of each stretch in which one picture is shown, as it stands still."""
    flags = np.r_[0, (frame_shots == STANDING).astype(np.int8), 0]
    edges = np.flatnonzero(np.diff(flags)).reshape(-1, 2)
    return [(float(time_s[max(a - 1, 0)]), float(time_s[b - 1])) for a, b in edges]


class _Film:
    """The small pictures of a clip and what has been found out about them."""

    def __init__(self, pictures: list[np.ndarray], time_s: np.ndarray) -> None:
        self.pictures = pictures
        self.time_s = time_s
        self.views: dict[int, View] = {}
        self.matches: dict[tuple[int, int], Match] = {}
        greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
        self.change = np.array(
            [0.0, *(float(cv2.norm(a, b, cv2.NORM_L1)) / a.size for a, b in pairwise(greys))]
        )
        self.in_place = _neighbours(greys, self.change)
        self.blank = np.array([float(cv2.meanStdDev(grey)[1][0, 0]) < 5.0 for grey in greys])
        self.coarse = np.stack(
            [cv2.resize(grey, _COARSE, interpolation=cv2.INTER_AREA).ravel() for grey in greys]
        ).astype(np.float32)

    def cuts(self) -> list[int]:
        """The first frame of each shot but the first, rising."""
        hard = self._hard_cuts()
        soft = self._dissolves(hard)
        return sorted({*hard, *soft, *self._blank_cuts(), *self._colour_cuts(hard)})

    # -- one frame against the next ----------------------------------------------------------

    def _hard_cuts(self) -> list[int]:
        return [t for t in np.flatnonzero(self.in_place < SETTLED).tolist() if self._is_cut(t)]

    def _is_cut(self, t: int) -> bool:
        """Does a shot begin with frame ``t``?"""
        if self.blank[t - 1] or self.blank[t]:
            return False
        between = self._match(t - 1, t)
        out = self._stands_out(t)
        if not _differ(between, out) or (self._is_plain(t - 1, t) and not out):
            return False
        beside = [self._match(*pair) for pair in ((t - 2, t - 1), (t, t + 1)) if self._has(*pair)]
        if not _differ(Match(between.share, np.eye(2, 3)), out):  # the zoom alone says so
            return all(abs(other.log_zoom) < 0.5 * abs(between.log_zoom) for other in beside)
        calm = all(other.share >= min(0.8, SAME_SCENE + between.share) for other in beside)
        return calm and not self._goes_on(t, out)

    def _is_plain(self, first: int, second: int) -> bool:
        return min(self._view(first).texture, self._view(second).texture) < PLAIN

    def _stands_out(self, t: int) -> bool:
        """Does the picture change far more at ``t`` than at any frame near it, or its colours?"""
        before, after = self._view(t - 1).grey, self._view(t).grey
        if self.change[t] < LARGE or np.corrcoef(before.ravel(), after.ravel())[0, 1] > LIKE:
            return False
        if _colours_in_common(self.pictures[t - 1], self.pictures[t]) < OTHER_COLOURS:
            return True
        reach = max(2, round(0.4 / self._frame_s()))
        near = np.r_[self.change[max(1, t - reach) : t], self.change[t + 1 : t + 1 + reach]]
        usual = float(np.quantile(near, 0.9)) if len(near) else 0.0
        return bool(self.change[t] > STANDS_OUT * max(1.0, usual))

    def _goes_on(self, t: int, out: bool) -> bool:
        """Is the scene before frame ``t`` there again, soon after?"""
        return any(not _differ(self._match(*pair), out) for pair in self._pairs_past(t))

    def _pairs_past(self, t: int) -> list[tuple[int, int]]:
        """Pairs of frames around the cut at ``t``, some of which leave out what disturbs."""
        steps = self._steps(LOOK_PAST_S)
        pairs = [(t - 1, t + step) for step in steps] + [(t - 1 - step, t) for step in steps]
        return [pair for pair in pairs if self._has(*pair)]

    def _steps(self, span_s: float) -> list[int]:
        """Numbers of frames, each twice the last, within ``span_s``."""
        most = max(1, round(span_s / self._frame_s()))
        return [2**i for i in range(most.bit_length()) if 2**i <= most]

    # -- dissolves -----------------------------------------------------------------------------

    def _dissolves(self, hard: list[int]) -> list[int]:
        """Middles of stretches in which one picture goes over into another."""
        found: list[tuple[float, int, int]] = []
        for span in self._spans():
            found += self._mixtures(span)
        kept: list[int] = []
        refused: set[tuple[int, int]] = set()
        taken = [(cut - 1, cut + 1) for cut in hard]
        for _, first, last in sorted(found, reverse=True):
            if any(first < b and last > a for a, b in taken) or (first // 2, last // 2) in refused:
                continue
            if self._is_dissolve(first, last):
                taken.append((first, last))
                kept.append((first + last + 1) // 2)
            else:
                refused.add((first // 2, last // 2))
        return kept

    def _stays(self, first: int, last: int) -> bool:
        """Is most of the picture at frame ``last`` in place, without a look for shifts?"""
        pair = (self._view(first).grey[None], self._view(last).grey[None])
        return bool(in_place(*pair)[0] > 0.5)

    def _spans(self) -> list[int]:
        """Numbers of frames from the last clean picture to the next, for each length tried."""
        step = self._frame_s()
        spans = {max(2, round(span / step) + 1) for span in DISSOLVES_S}
        return sorted(span for span in spans if span < len(self.pictures))

    def _mixtures(self, span: int) -> list[tuple[float, int, int]]:
        """(strength, first, last) where the pictures between two are mixtures of these."""
        first, last = self.coarse[:-span], self.coarse[span:]
        change = last - first
        power = (change * change).mean(axis=1)
        inside = np.unique(np.linspace(0, span, _INTERIOR + 2).round().astype(int)[1:-1])
        error = np.zeros(len(power))
        good = (power > _LEVELS_APART**2) & ~self.blank[:-span] & ~self.blank[span:]
        good &= (np.abs(change) > _CHANGED).mean(axis=1) > _WIDE
        previous = np.full(len(power), -0.05)
        for k in inside[(inside > 0) & (inside < span)]:
            here = self.coarse[k : len(self.coarse) - span + k] - first
            share = (here * change).mean(axis=1) / np.maximum(power, 1e-6)
            rest = here - share[:, None] * change
            error += (rest * rest).mean(axis=1) / np.maximum(power, 1e-6)
            good &= (np.abs(share - k / span) < _OFF_LINE) & (share > previous - 0.03)
            previous = share
        good &= error / len(inside) < _MIX_ERROR
        return [(float(power[i]), int(i), int(i) + span) for i in np.flatnonzero(good)]

    def _is_dissolve(self, first: int, last: int) -> bool:
        """Are the scenes on both sides different ones?"""
        if self._stays(first, last):
            return False
        allowed = _MIX_ERROR if self._is_plain(first, last) else _FINE_ERROR
        if self._mix_error(first, last) > allowed:
            return False
        found = self._match(first, last)
        differs = found.share < SAME_SCENE or abs(found.log_zoom) > 2 * ZOOM_CUT
        return differs and not self._moves_along(first, last)

    def _mix_error(self, first: int, last: int) -> float:
        """What of the pictures between is no mixture of both, at full detail.

        As a share of the change, in squares. An edge that moves by less than a coarse pixel looks
        like a mixture there; here it does not.
        """
        start, end = self._view(first).grey, self._view(last).grey
        change = end - start
        power = float((change * change).mean()) + 1e-6
        rests = []
        for k in range(first + 1, last):
            here = self._view(k).grey - start
            rest = here - float((here * change).mean()) / power * change
            rests.append(float((rest * rest).mean()) / power)
        return float(np.mean(rests))

    def _moves_along(self, first: int, last: int) -> bool:
        """Does the camera only pan or zoom, step by step, from frame ``first`` to ``last``?

        In a dissolve the steps go nowhere, or everything happens in one of them.
        """
        stops = np.unique(np.linspace(first, last, _STEPS + 1).round().astype(int)).tolist()
        steps = [followed(self._view(a), self._view(b)) for a, b in pairwise(stops)]
        if len(steps) < 2 or min(step.share for step in steps) < CLEAR:
            return False
        way = np.eye(2, 3)
        for step in steps:
            way = chained(way, step.moved)
        height, width = self.pictures[0].shape[:2]
        middle = np.array([width / 2, height / 2])
        shift = np.linalg.norm(way[:, :2] @ middle + way[:, 2] - middle)
        zoom = Match(0.0, way).log_zoom
        even = max(abs(step.log_zoom) for step in steps) < 0.7 * abs(zoom)
        return bool(shift > 0.1 * max(height, width) or (abs(zoom) > 0.5 * ZOOM_CUT and even))

    # -- black between two scenes, and colour ----------------------------------------------------

    def _blank_cuts(self) -> list[int]:
        """Middles of blank stretches with another scene after than before."""
        cuts = []
        edges = np.flatnonzero(np.diff(np.r_[0, self.blank.astype(np.int8), 0])).reshape(-1, 2)
        for first, end in edges:
            if first == 0 or end == len(self.blank):
                continue
            before, after = self._clearest(first - 1, -1), self._clearest(end, 1)
            if _differ(self._match(before, after)):
                cuts.append(int(first + end) // 2)
        return cuts

    def _clearest(self, start: int, direction: int) -> int:
        """The frame with most contrast within a second of ``start``, on one side of it."""
        reach = max(1, round(1.0 / self._frame_s()))
        around = np.arange(start, start + direction * reach, direction)
        around = around[(around >= 0) & (around < len(self.coarse))]
        return int(around[self.coarse[around].std(axis=1).argmax()])

    def _colour_cuts(self, hard: list[int]) -> list[int]:
        """Frames from which on a grey film is in colour, or the other way round."""
        colour = _colourfulness(self.pictures)
        reach = max(1, round(0.3 / self._frame_s()))
        cuts = []
        for t in range(1, len(colour)):
            a, b = colour[max(0, t - reach) : t], colour[t : t + reach]
            only = self.change[t] < UNCHANGED
            turns = _turns_grey(a, b, only) or _turns_grey(b, a, only)
            if turns and not self.blank[max(0, t - reach) : t + reach].any():
                cuts.append(t)
        return [t for t in cuts if t not in hard]

    # -- looking --------------------------------------------------------------------------------

    def _has(self, first: int, second: int) -> bool:
        return first >= 0 and second < len(self.pictures)

    def _match(self, first: int, second: int) -> Match:
        pair = (first, second)
        if pair not in self.matches:
            self.matches[pair] = match(self._view(first), self._view(second))
        return self.matches[pair]

    def _view(self, t: int) -> View:
        if t not in self.views:
            if len(self.views) >= _KEPT_VIEWS:
                self.views.clear()
            self.views[t] = view(self.pictures[t])
        return self.views[t]

    def _frame_s(self) -> float:
        """Usual seconds between two frames."""
        return max(1e-3, float(np.median(np.diff(self.time_s))))


def _differ(found: Match, stands_out: bool = False) -> bool:
    """Are these frames of two shots, by what they have in common?

    More must be in common where the change ``stands_out``.
    """
    needed = SURELY_SAME if stands_out else SAME_SCENE
    return found.share < needed or abs(found.log_zoom) > ZOOM_CUT


def _neighbours(greys: list[np.ndarray], change: np.ndarray) -> np.ndarray:
    """Share (T,) of each picture that is in place since the one before; 1 where little changes."""
    found = np.ones(len(greys))
    moving = np.flatnonzero(change >= UNCHANGED)
    for start in range(0, len(moving), _CHUNK):
        some = moving[start : start + _CHUNK]
        before, after = (np.stack([greys[t] for t in which]) for which in (some - 1, some))
        found[some] = in_place(before.astype(np.float32), after.astype(np.float32))
    return found


def _colourfulness(pictures: list[np.ndarray]) -> np.ndarray:
    """How much the colour of each differs from place to place (T,), as a share of the brightness.

    A grey picture has none, whatever tint it gets from the white balance; from the 10th to the
    90th hundredth, so that a small title in colour does not count.
    """
    coarse = np.stack([cv2.resize(rgb, _PLACES, interpolation=cv2.INTER_AREA) for rgb in pictures])
    colours = coarse.reshape(len(pictures), -1, 3).astype(np.float32)
    bright = colours.mean(axis=2, keepdims=True) + 10
    tints = np.sort((colours[..., [0, 2]] - colours[..., [1]]) / bright, axis=1)
    low, high = (round(share * (tints.shape[1] - 1)) for share in (0.1, 0.9))
    return np.asarray((tints[:, high] - tints[:, low]).max(axis=1) / 2.56)


def _turns_grey(coloured: np.ndarray, without: np.ndarray, only_colour: bool) -> bool:
    """Is one side a film in colour and the other, beside it, a grey one?

    Where nothing but the colours changes, a paler one is enough: encoders keep some of it.
    """
    if only_colour and coloured.min() > max(2 * COLOURED, PALER * float(without.max())):
        return True
    limit = max(COLOURED, COLOUR_STEP * float(without.max()))
    return bool(without.max() < GREY and coloured.min() > limit)


def _colours_in_common(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the pixels of two pictures that have the same colours, wherever they are."""
    counts = [
        cv2.calcHist([rgb], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3) for rgb in (first, second)
    ]
    common = np.minimum(np.asarray(counts[0]), np.asarray(counts[1])).sum()
    return float(common) / float(first.shape[0] * first.shape[1])
