"""Line charts as SVG: they need no script, no network, and print as sharp as the paper allows."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 36, 24
"""Margins for axes and title, px."""

MAX_POINTS = 600
"""Most points of one line: more than the paper has."""

GREY = "#555b63"


@dataclass(frozen=True, eq=False)
class Line:
    """One line: its ``name``, its ``values`` (T,) with NaN where unknown, and its colour."""

    name: str
    values: np.ndarray
    colour: str


def line_chart(
    title: str,
    unit: str,
    time_s: np.ndarray,
    lines: Sequence[Line],
    spans: Sequence[tuple[float, float]] = (),
) -> str:
    """An SVG element with some lines over ``time_s`` (T,) s; ``spans`` of seconds are shaded.

    Empty where no line has a known value.
    """
    known = [line for line in lines if np.isfinite(line.values).any()]
    if not known or len(time_s) < 2:
        return ""
    every = np.concatenate([line.values[np.isfinite(line.values)] for line in known])
    low, high = float(every.min()), float(every.max())
    room = 0.05 * (high - low) or 1.0
    chart = _Axes(float(time_s[0]), float(time_s[-1]), low - room, high + room)
    parts = [
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" aria-label="{_quoted(title)} over time">',
        f'<text x="0" y="14" font-weight="600">{_quoted(title)} ({_quoted(unit)})</text>',
        *(chart.span(start, end, number) for number, (start, end) in enumerate(spans, 1)),
        *chart.axes(),
        *(chart.path(time_s, line) for line in known),
        *_legend(known),
        "</svg>",
    ]
    return "".join(parts)


@dataclass(frozen=True)
class _Axes:
    """Where seconds and values lie in the picture."""

    first_s: float
    last_s: float
    low: float
    high: float

    def x(self, second: float) -> float:
        share = (second - self.first_s) / max(self.last_s - self.first_s, 1e-9)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def span(self, start: float, end: float, number: int) -> str:
        """A shaded stretch with its number."""
        left, right = self.x(max(start, self.first_s)), self.x(min(end, self.last_s))
        wide, tall = max(0.0, right - left), HEIGHT - TOP - BOTTOM
        return (
            f'<rect x="{left:.1f}" y="{TOP}" width="{wide:.1f}" height="{tall}" fill="#e9ebee"/>'
            f'<text x="{left + 3:.1f}" y="{TOP - 4}" fill="{GREY}">{number}</text>'
        )

    def axes(self) -> list[str]:
        """Lines and figures at round values, and round seconds below."""
        found = []
        for value in round_ticks(self.low, self.high, 4):
            y = self.y(value)
            found.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="#c9ccd1"/><text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" '
                f'fill="{GREY}">{value:g}</text>'
            )
        for second in round_ticks(self.first_s, self.last_s, 8):
            x = self.x(second)
            anchor = "end" if x > WIDTH - 24 else "middle"
            found.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}" '
                f'fill="{GREY}">{second:g} s</text>'
            )
        return found

    def path(self, time_s: np.ndarray, line: Line) -> str:
        """One line, broken where nothing is known."""
        step = max(1, len(time_s) // MAX_POINTS)
        pen, words = "M", []
        for second, value in zip(time_s[::step], line.values[::step], strict=True):
            if not np.isfinite(value):
                pen = "M"
                continue
            words.append(f"{pen}{self.x(float(second)):.1f} {self.y(float(value)):.1f}")
            pen = "L"
        return f'<path d="{"".join(words)}" fill="none" stroke="{line.colour}" stroke-width="2"/>'


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` + 1 round values from ``low`` to ``high``: steps of 1, 2 or 5 times a power
    of ten."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(f"{number * step:.6g}") + 0.0 for number in np.arange(first, last + 1)]


def _legend(lines: Sequence[Line]) -> list[str]:
    """The lines' names in their colours, from the right."""
    found, x = [], float(WIDTH - RIGHT)
    for line in reversed(lines):
        found.append(
            f'<text x="{x:.0f}" y="14" text-anchor="end" font-weight="600" '
            f'fill="{line.colour}">{_quoted(line.name)}</text>'
        )
        x -= 9 * len(line.name) + 16
    return found


def _quoted(text: str) -> str:
    return html.escape(text, quote=True)
