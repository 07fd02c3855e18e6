"""What the history keeps of an analysis: the result in one line, its figures, small pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gymform.errors import GymformError
from gymform.storage import atomic_path

if TYPE_CHECKING:
    from gymform.analysis import Analysis

SUMMARY = "summary.json"
"""The file in a result's folder that holds the summary."""

THUMBNAIL = "thumbnail.jpg"
"""The picture that stands for the result."""

MAX_PICTURES = 40
"""Repetitions that get a picture of their own."""

MAX_SUMMARY_BYTES = 1_000_000


def picture_of(repetition: int) -> str:
    """The name of the picture of a repetition, which are numbered from 0."""
    return f"repetition-{repetition + 1}.jpg"


def summarise(result: Analysis) -> dict[str, Any]:
    """The summary as plain data.

    ``exercise`` is the prediction's label, ``verdict`` the result in a line, ``frames`` and
    ``duration_s`` are those of the clip. ``repetitions`` have their moments by name, the ``main``
    one among them, and their measures by key, times in seconds of the clip. ``set`` has the loss of
    speed, per cent, and what it was told by; None where no two repetitions compare.
    """
    from gymform.compare.symmetry import asymmetry
    from gymform.compare.trend import ASYMMETRY, SET
    from gymform.form.events import events_of
    from gymform.form.verdict import verdict_line
    from gymform.movement_patterns import shown_title

    form = result.form
    events = events_of(result.pose, result.tracks, form, result.slow_motion)
    return {
        "exercise": result.prediction.label,
        "verdict": verdict_line(form, shown_title(result.prediction)),
        "frames": len(result.pose),
        "duration_s": round(result.clip.duration_s, 3),
        "turned": round(form.turned, 1) if form.turned == form.turned else None,
        SET: form.set_speed and {"loss": form.set_speed.loss, "by": form.set_speed.by},
        "repetitions": [
            {
                "start_s": round(rep.start_s, 3),
                "end_s": round(rep.end_s, 3),
                "cut_off": bool(rep.cut_off_by),
                "moments": {name: round(second, 4) for name, second in one.moments},
                "main": one.main[0],
                "measures": {m.key: round(m.value, 4) for m in rep.measures}
                | ({} if uneven is None else {ASYMMETRY: round(uneven, 4)}),
            }
            for rep, one in zip(form.repetitions, events, strict=True)
            for uneven in [asymmetry(result.tracks, form.turned, rep.start_s, rep.end_s)]
        ],
    }


def write_summary(result: Analysis, folder: Path, source: Path, *, turn: int = 0) -> dict[str, Any]:
    """Write the summary and the pictures of ``result`` into its folder; the summary.

    ``source`` is the clip, or a copy of it. Pictures that cannot be drawn are left out.
    """
    from gymform.draw.stills import draw_stills

    summary = summarise(result)
    moments = [rep["moments"][rep["main"]] for rep in summary["repetitions"]][:MAX_PICTURES]
    main = moments or [float(result.pose.time_s[len(result.pose) // 2])]
    try:
        pictures = draw_stills(result.pose, result.tracks, source, main, turn=turn)
    except GymformError:
        pictures = []
    names = [picture_of(number) for number in range(len(moments))]
    for name, picture in zip([THUMBNAIL, *names], [*pictures[:1], *pictures], strict=False):
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(picture)
    with atomic_path(folder / SUMMARY) as temporary:
        temporary.write_text(json.dumps(summary), encoding="utf-8")
    return summary


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary in a result's folder; {} where there is none, as in older results."""
    path = folder / SUMMARY
    try:
        if path.stat().st_size > MAX_SUMMARY_BYTES:
            return {}
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
