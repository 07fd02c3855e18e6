"""How exactly the bar is measured in films whose metres are known.

    python benchmarks/bar_synthetic.py [CLIPS --poses DIR]

A drawn plate moves as in a snatch, in squats and in deadlifts before a drawn gym with plates on its
wall, with motion blur, noise and compression, and is held by a skeleton with noise
(``bar_films.py``): 30 and 60 frames a second, straight from the side and up to 30° oblique.

With CLIPS, the folder of videos, and DIR, which keeps their keypoints, the same plate is also laid
over real lifters without a bar (``bar_overlays.py``).

Writes ``bar_synthetic.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import bar_films as films
import bar_overlays as overlays
from cached_poses import cached_pose
from machine import describe, table

from gymform.bar.carrier import Bar
from gymform.bar.figures import RepFigures, figures
from gymform.bar.path import follow_bar

OUT = Path(__file__).with_suffix(".md")
YAWS = (0.0, 15.0, 30.0)
RATES = (30.0, 60.0)
COLUMNS = ["film", "repetitions", "mean velocity m/s", "rise", "path cm", "mm a px", "said"]
VELOCITY, RISE, PATH = 0.03, 0.02, 1.0
"""Wanted: root mean square error of the mean velocity, m/s; error of the rise as a share; root mean
square error of the path, cm."""


@dataclass(frozen=True)
class Film:
    """A film as it was measured: repetitions found and true, ``path_cm`` and ``size`` errors.

    ``size`` is the found mm for each px against the true ones; ``seen`` the share of the lift.
    """

    lift: str
    view: films.View
    repetitions: tuple[tuple[RepFigures, RepFigures], ...]
    wanted: int
    path_cm: float
    size: float
    seen: float
    reasons: tuple[str, ...]


def main() -> int:
    """Make and measure all films, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS", nargs="?")
    parser.add_argument("--poses", type=Path, metavar="DIR")
    options = parser.parse_args()
    if (options.clips is None) != (options.poses is None):
        parser.error("CLIPS and --poses DIR go together")
    made, laid = [], []
    with tempfile.TemporaryDirectory() as folder:
        for lift in films.LIFTS:
            for yaw in YAWS:
                for fps in RATES:
                    view = films.View(yaw=yaw, fps=fps)
                    made.append(measured(Path(folder) / "film.mp4", lift, view))
                    print(lift.name, view, made[-1].path_cm, made[-1].size, file=sys.stderr)
        for name in overlays.CLIPS if options.clips else ():
            for yaw in YAWS:
                for fps in RATES:
                    view = films.View(yaw=yaw, fps=fps)
                    path = Path(folder) / "film.mp4"
                    laid.append(measured_over(path, options.clips, name, options.poses, view))
                    print(name, view, laid[-1].path_cm, laid[-1].size, file=sys.stderr)
    text = render(made, laid)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def measured(path: Path, lift: films.Lift, view: films.View) -> Film:
    """One film, made and measured."""
    films.make_film(path, lift, view)
    pose = films.skeleton(lift, view)
    bar = follow_bar(path, pose, repetitions=lift.repetitions)
    truth = films.truth_px(lift, view, bar.time_s)
    true = films.true_bar(lift, bar.time_s)
    return compared(lift.name, view, bar, truth, true, lift.repetitions)


def measured_over(path: Path, clips: Path, name: str, poses: Path, view: films.View) -> Film:
    """One film with a plate over a real lifter, made and measured."""
    pose = overlays.at_rate(cached_pose(clips, name, poses), view.fps)
    overlay = overlays.overlay_of(clips / name, pose, view.fps)
    overlays.make_overlay(path, overlay, view)
    repetitions = overlay.repetitions()
    bar = follow_bar(path, pose, repetitions=repetitions)
    truth = overlays.true_plate(overlay, view, bar.time_s)
    true = overlays.true_path(overlay, bar.time_s)
    return compared(name.split("/")[0], view, bar, truth, true, repetitions)


def compared(
    name: str,
    view: films.View,
    bar: Bar,
    truth: np.ndarray,
    exact: Bar,
    repetitions: Sequence[tuple[float, float]],
) -> Film:
    """What was found against ``truth`` (T, 3) px, centre and half height, and the exact bar."""
    true_mm = 1000 * films.RADIUS / float(np.median(truth[:, 2]))
    apart = (bar.xy - truth[:, :2])[bar.lifting] * true_mm / 10
    apart = apart - np.nanmedian(apart, axis=0) if np.isfinite(apart).any() else apart
    found = figures(bar, repetitions).repetitions
    true = figures(exact, repetitions).repetitions
    by_start = {rep.start_s: rep for rep in found}
    pairs = tuple((by_start[rep.start_s], rep) for rep in true if rep.start_s in by_start)
    return Film(
        name, view, pairs, len(true),
        float(np.sqrt(np.nanmean((apart**2).sum(-1)))) if bar.found else float("nan"),
        bar.mm_per_px / true_mm if bar.mm_per_px else float("nan"), bar.seen, bar.reasons,
    )  # fmt: skip


def pairs_of(made: Sequence[Film], name: str) -> tuple[np.ndarray, np.ndarray]:
    """A figure of all repetitions that have it: found and true."""
    both = [
        (getattr(found, name), getattr(true, name))
        for film in made
        for found, true in film.repetitions
        if getattr(found, name) is not None
    ]
    return tuple(np.array(both, float).reshape(-1, 2).T)  # type: ignore[return-value]


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")


def summary(made: Sequence[Film]) -> list[list[str]]:
    """The rows of the first table."""
    mean, true_mean = pairs_of(made, "mean_velocity")
    peak, true_peak = pairs_of(made, "peak_velocity")
    pushed, true_pushed = pairs_of(made, "propulsive_velocity")
    rise, true_rise = pairs_of(made, "rise_cm")
    drift, true_drift = pairs_of(made, "drift_cm")
    wanted = sum(film.wanted for film in made)
    off = np.abs(rise / true_rise - 1)
    path = np.array([film.path_cm for film in made])
    return [
        ["repetitions with figures", f"{len(mean)} of {wanted}", ""],
        ["mean velocity, root mean square error", f"{rms(mean - true_mean):.3f} m/s",
         f"{VELOCITY} m/s"],
        ["peak velocity", f"{rms(peak - true_peak):.3f} m/s", ""],
        ["mean propulsive velocity", f"{rms(pushed - true_pushed):.3f} m/s", ""],
        ["rise within 2%, repetitions", f"{int((off <= RISE).sum())} of {len(off)}", "all"],
        ["rise, largest error", f"{off.max(initial=0):.1%}", f"{RISE:.0%}"],
        ["drift, largest error", f"{np.abs(drift - true_drift).max(initial=0):.1f} cm", ""],
        ["path within 1 cm, films", f"{int((path <= PATH).sum())} of {len(path)}", "all"],
        ["path, largest root mean square error of a film", f"{np.nanmax(path):.2f} cm",
         f"{PATH:.0f} cm"],
    ]  # fmt: skip


def row_of(film: Film) -> list[str]:
    """A film's row."""
    mean, true_mean = pairs_of([film], "mean_velocity")
    rise, true_rise = pairs_of([film], "rise_cm")
    return [
        f"{film.lift}, {film.view.yaw:.0f}°, {film.view.fps:.0f} fps",
        f"{len(mean)} of {film.wanted}",
        f"{rms(mean - true_mean):.3f}",
        f"{np.abs(rise / true_rise - 1).max(initial=0):.1%}",
        f"{film.path_cm:.2f}",
        f"{film.size:.3f}",
        " ".join(film.reasons),
    ]


def render(made: Sequence[Film], laid: Sequence[Film]) -> str:
    """The report in Markdown."""
    lines = [
        "# The bar in films of known metres",
        "",
        f"Made by `python benchmarks/bar_synthetic.py` on {describe()}.",
        "",
        "## Drawn films",
        "",
        f"{len(made)} films. Errors are against the same figures of the exact path; the path's "
        "error is without a constant shift of its centre.",
        "",
        *tables(made),
    ]  # fmt: skip
    if laid:
        lines += [
            "## A plate over real lifters",
            "",
            f"{len(laid)} films of {len(overlays.CLIPS)} clips in which nobody lifts a barbell: "
            "the plate is drawn, the lifter, what is behind, the camera and the keypoints are "
            "real. The plate hides what real plates hide; nothing hides the plate.",
            "",
            *tables(laid),
        ]
    return "\n".join(lines)


def tables(films: Sequence[Film]) -> list[str]:
    """What was found of some films, together and film by film."""
    return [
        table(["", "", "wanted"], summary(films)),
        "",
        table(COLUMNS, [row_of(film) for film in films]),
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
