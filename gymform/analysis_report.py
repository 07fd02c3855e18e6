"""An analysis as one HTML file that needs nothing else: to keep, to send, to print."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from gymform import __version__
from gymform import skeleton as sk
from gymform.analysis import Analysis
from gymform.draw.stills import draw_stills
from gymform.draw.svg import Line, line_chart
from gymform.errors import GymformError
from gymform.form import pulls
from gymform.form.cues import shown
from gymform.form.events import events_of
from gymform.form.set_speed import in_words, not_counted
from gymform.form.table import BEST, WORST, rated
from gymform.form.verdict import verdict_line
from gymform.motion.angles import joint_angles, trunk_lean
from gymform.motion.body_size import midpoint, stature
from gymform.movement_patterns import shown_title
from gymform.storage import atomic_path
from gymform.text import cleaned
from gymform.types import Cue, FormReport, Verdict, percent

SUFFIX = ".report.html"
"""The end of the file's name."""

STILL_HEIGHT = 340
"""Height of the pictures, px."""

MAX_REPETITIONS = 20
"""Repetitions that get a picture."""

_SIGNS = {Verdict.GOOD: "✓ good", Verdict.LOOK: "! look at this", Verdict.CLOSE: "? too close"}
_MARKS = {BEST: "▲ ", WORST: "▼ ", None: ""}

_STYLE = """
:root { color-scheme: light; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #16181c; background: #fff;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.meta, footer, td.unit { color: #555b63; }
video { width: 100%; max-height: 30rem; background: #000; border-radius: .4rem; }
.cue { display: flex; gap: 1rem; margin: 1rem 0; break-inside: avoid; }
.cue img, .strip img { border-radius: .4rem; height: 12rem; }
.cue h3 { font-size: 1rem; margin: 0; }
.strip { display: flex; flex-wrap: wrap; gap: .6rem; }
.strip figure { margin: 0; break-inside: avoid; }
.strip img { height: 9rem; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d9dce0; }
.wide { overflow-x: auto; margin-top: .8rem; }
svg { width: 100%; min-width: 34rem; height: auto; margin: .5rem 0 1rem; break-inside: avoid;
  font: 12px system-ui, sans-serif; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: #555b63; }
dd { margin: 0; overflow-wrap: anywhere; }
@page { margin: 15mm; }
@media print { svg { min-width: 0; } .wide { overflow: visible; }
  tr { break-inside: avoid; } body { margin: 0; max-width: none; font-size: 11pt; }
  video { display: none; } h2 { break-after: avoid; } a { color: inherit; } }
"""

_HOW_TO_READ = (
    "Everything is measured in the picture, from 17 points of the body in each frame. Angles and "
    "the path of the hands are judged from the side alone, knees that come inwards from the front "
    "alone, a rounded back not at all. A cue names the rule that it goes by; what is nearer to "
    "its limit than the points are certain is called too close. Lengths are in per cent of the "
    "lifter's height. It replaces no coach and no physician."
)


def write_report(
    analysis: Analysis, film: Path, target: Path, *, turn: int = 0, name: str = ""
) -> None:
    """Write the report of an analysis to ``target``.

    ``film`` is a copy of the clip that browsers play, or the clip itself, of which only pictures
    are then taken (``turn`` as in `video.read.read_frames`); ``name`` is what the clip is called.
    Raises OSError.
    """
    text = report(analysis, film, turn=turn, name=name)
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def report(analysis: Analysis, film: Path, *, turn: int = 0, name: str = "") -> str:
    """The report as HTML, with the film inside where browsers play it."""
    line = verdict_line(analysis.form, shown_title(analysis.prediction))
    body = [
        f"<h1>{_quoted(line)}</h1>",
        f'<p class="meta">{_quoted(_meta(analysis, name))}</p>',
        *_film(film),
        *_remarks(analysis, film, turn),
        *_repetitions(analysis, film, turn),
        *_charts(analysis),
        "<h2>How to read this</h2>",
        f"<p>{_quoted(_HOW_TO_READ)}</p>",
        *_provenance(analysis, name),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_quoted(line)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _meta(analysis: Analysis, name: str) -> str:
    prediction = analysis.prediction
    variant = f" ({analysis.form.variant.lower()})" if analysis.form.variant else ""
    sure = f"{shown_title(prediction)}{variant}, {percent(prediction.confidence)} sure"
    return f"{cleaned(name or analysis.clip.name)} · {sure} · {analysis.form.seen_from}"


def _film(film: Path) -> Iterator[str]:
    """The film itself, where it is an H.264 MP4 such as the app makes."""
    if film.name != "proxy.mp4":
        return
    try:
        data = base64.b64encode(film.read_bytes()).decode()
    except OSError:
        return
    yield f'<video controls muted playsinline src="data:video/mp4;base64,{data}"></video>'


def _pictures(analysis: Analysis, film: Path, turn: int, moments: Sequence[float]) -> list[str]:
    """A picture of each moment as the address of an image; "" for those that cannot be drawn."""
    if not moments:
        return []
    try:
        drawn = draw_stills(
            analysis.pose, analysis.tracks, film, moments, height=STILL_HEIGHT, turn=turn
        )
    except GymformError:
        drawn = []
    found = [f"data:image/jpeg;base64,{base64.b64encode(one).decode()}" for one in drawn]
    return found + [""] * (len(moments) - len(found))


def _remarks(analysis: Analysis, film: Path, turn: int) -> Iterator[str]:
    """Every cue with the frame that it is about, and what could not be judged."""
    form = analysis.form
    yield "<h2>Form</h2>"
    pictures = _pictures(analysis, film, turn, [cue.at_s for cue in form.cues])
    for cue, picture in zip(form.cues, pictures, strict=True):
        yield _cue(cue, picture)
    for note in (*form.notes, *analysis.quality.notes, *analysis.clip.problems):
        yield f"<p>{_quoted(cleaned(note, 2000))}</p>"


def _cue(cue: Cue, picture: str) -> str:
    image = f'<img src="{picture}" alt="The lifter at {cue.at_s:.1f} s">' if picture else ""
    return (
        f'<section class="cue">{image}<div><h3>{_quoted(cue.title)}</h3>'
        f'<p class="meta">{_SIGNS[cue.verdict]} · {cue.at_s:.1f} s</p>'
        f"<p>{_quoted(cue.text)}</p><p class='meta'>{_quoted(cue.basis)}</p></div></section>"
    )


def _repetitions(analysis: Analysis, film: Path, turn: int) -> Iterator[str]:
    """A strip of pictures and the table of measures."""
    form = analysis.form
    if not form.repetitions:
        return
    yield "<h2>Repetitions</h2>"
    events = events_of(analysis.pose, analysis.tracks, form, analysis.slow_motion)
    mains = [one.main for one in events][:MAX_REPETITIONS]
    pictures = _pictures(analysis, film, turn, [second for _, second in mains])
    yield '<div class="strip">'
    for number, ((name, second), picture) in enumerate(zip(mains, pictures, strict=True), 1):
        image = f'<img src="{picture}" alt="Repetition {number}, {name}">' if picture else ""
        yield f"<figure>{image}<figcaption>{number}. {name}, {second:.1f} s</figcaption></figure>"
    yield "</div>"
    yield from _table(analysis)


def _table(analysis: Analysis) -> Iterator[str]:
    form = analysis.form
    titles = {m.key: m.title for rep in form.repetitions for m in rep.measures}
    if not titles:
        return
    marks = rated(form)
    heads = "".join(f"<th scope='col'>{n}</th>" for n in range(1, len(form.repetitions) + 1))
    yield f"<div class='wide'><table><thead><tr><th scope='col'>Measure</th>{heads}</tr></thead>"
    yield "<tbody>"
    for key, title in titles.items():
        cells = []
        for number, rep in enumerate(form.repetitions, 1):
            found = rep.value(key)
            mark = _MARKS[marks.get((key, number))]
            cells.append(f"<td>{mark}{_quoted(shown(found)) if found else ''}</td>")
        yield f"<tr><th scope='row'>{_quoted(title)}</th>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    if marks:
        yield "<p class='meta'>▲ the best and ▼ the least good of the set.</p>"
    if any(key in pulls.KEYS for key in titles):
        yield f"<p class='meta'>{_quoted(pulls.HOW)}</p>"
    yield from _speed(form)


def _speed(form: FormReport) -> Iterator[str]:
    """How the set slows down, where two repetitions can be compared."""
    if found := form.set_speed:
        said = f"{in_words(found)} {not_counted(found)}".strip()
        yield f"<h2>Speed of the set</h2><p>{_quoted(said)}</p>"


def _charts(analysis: Analysis) -> Iterator[str]:
    """Angles, and heights of hips and hands, over time."""
    xy, time_s = analysis.tracks.xy, analysis.pose.time_s
    left, right = (analysis.pose.score[:, list(one)].mean() for one in
                   zip(*sk.BODY_PAIRS, strict=True))  # fmt: skip
    near = int(right > left)
    angles, size = joint_angles(xy), stature(xy)
    spans = [(rep.start_s, rep.end_s) for rep in analysis.form.repetitions]
    blue, orange, green = (sk.COLOURS[side] for side in sk.Side)
    joints = [
        Line("Knee", angles[:, sk.KNEES[near]], blue),
        Line("Hip", angles[:, sk.HIPS[near]], orange),
        Line("Trunk lean", trunk_lean(xy), green),
    ]
    yield "<h2>Over time</h2>"
    yield _wide(line_chart("Angles", "°", time_s, joints, spans))
    if np.isfinite(size):
        feet = np.nanmedian(midpoint(xy, sk.ANKLES)[:, 1])
        heights = [
            Line("Hips", 100 * (feet - midpoint(xy, sk.HIPS)[:, 1]) / size, blue),
            Line("Hands", 100 * (feet - midpoint(xy, sk.WRISTS)[:, 1]) / size, orange),
        ]
        yield _wide(line_chart("Height over the feet", "% of height", time_s, heights, spans))


def _wide(element: str) -> str:
    """An element that scrolls by itself where the screen is narrower; "" stays empty."""
    return f'<div class="wide">{element}</div>' if element else ""


def _provenance(analysis: Analysis, name: str) -> Iterator[str]:
    """Where it comes from: all that is needed to make it again."""
    clip, origin = analysis.clip, analysis.pose.provenance
    rows = {
        "Clip": f"{cleaned(name or clip.name)}, {clip.width} × {clip.height} px, "
        f"{clip.duration_s:.2f} s, {clip.frames} frames, {clip.fps:.2f} a second",
        "sha256 of the clip": clip.sha256,
        "Pose model": f"{origin.network}, weights {origin.weights_sha256[:16]}"
        f"{', ' + origin.engine if origin.engine else ''}",
        "Frames": analysis.looked_at,
        "Exercise model": f"weights {analysis.prediction.model_sha256[:16]}",
        "Made by": f"gymform {__version__} on {date.today().isoformat()}",
    }
    yield "<h2>Provenance</h2><dl>"
    for title, text in rows.items():
        yield f"<dt>{_quoted(title)}</dt><dd>{_quoted(text)}</dd>"
    yield "</dl>"


def _quoted(text: str) -> str:
    return html.escape(text, quote=True)
