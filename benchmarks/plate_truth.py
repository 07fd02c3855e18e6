"""Where the plate of a barbell is in films, by eye: what ``truth/plates.csv`` holds, checked.

Each row is one frame of one clip as one person sees it. A clip with ``kind`` plate has 12 frames
over a lift, from before it begins to after it ends where the clip shows that; a clip with ``kind``
none has one row and no frame: no plate of a barbell is there to be followed.

file, group      the clip under the folder of clips, and the person or source it is of
time_s, frame    second and number of the frame as `gymform.video.read.read_frames` counts them
annotator        1, or 2 for frames that were marked again without sight of the first mark
x, y             centre of the ellipse, px of the upright source frame; the middle of the first
                 pixel is 0
rx, ry           its half width and half height, px
seen             full, part (something hides some of the rim, or it is outside the frame), none
diameter_mm      the plate's true diameter where the film shows it to be a full-size bumper
note             what else there is to know

The ellipse is the outer rim of the face that looks at the camera, of the largest plate on that end
of the bar; where plates are equally large, of the outermost. Where both ends are seen it is the
end nearer to the camera. Seen obliquely, the hub lies beside the centre of the rim, as it stands
out of the plate or is set into it; what is marked is the rim. Where some of the rim is not seen,
the ellipse goes on as the seen part and the plate's size in other frames ask for. A tool followed
the plate between marks and moved them to the nearest edges; every mark was looked at, drawn over
the enlarged frame, and set by hand where it did not lie on the rim within about a fiftieth of the
diameter.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TRUTH = Path(__file__).parent / "truth" / "plates.csv"

FULL, PART, NONE = "full", "part", "none"
PLATE = "plate"
ANNOTATORS = (1, 2)
WIDEST = 1.15
"""A disc is never seen wider than high by more than this: the bar lies level, and the camera may
look down on it."""


@dataclass(frozen=True)
class PlateMark:
    """One frame: ``ellipse`` (x, y, rx, ry) px, None where the plate is not seen."""

    time_s: float
    frame: int
    annotator: int
    seen: str
    ellipse: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class PlateClip:
    """A clip and its marks in the order of frames; no marks where there is no plate to follow."""

    file: str
    group: str
    marks: tuple[PlateMark, ...]
    diameter_mm: float | None
    note: str

    def by(self, annotator: int) -> dict[int, PlateMark]:
        """The marks of one person by frame."""
        return {mark.frame: mark for mark in self.marks if mark.annotator == annotator}


def read_truth(path: Path = TRUTH) -> list[PlateClip]:
    """All clips of the CSV at ``path``, sorted by file.

    Raises ValueError, naming the clip, where rows contradict each other or make no ellipse.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_file: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_file[row["file"]].append(row)
    return [clip_of(name, by_file[name]) for name in sorted(by_file)]


def disagreement(clips: Iterable[PlateClip]) -> list[tuple[float, float, float]]:
    """How far the two marks of a frame are apart, for each frame that has two.

    The distance of the centres, and by how much the second ellipse is wider and higher, all as
    shares of the first one's height: near the plate's diameter in px.
    """
    pairs = [
        (clip.by(1)[frame].ellipse, mark.ellipse)
        for clip in clips
        for frame, mark in clip.by(2).items()
    ]
    return [_apart(one, other) for one, other in pairs if one and other]


def _apart(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> tuple[float, float, float]:
    diameter = 2 * one[3]
    wider, higher = (2 * (other[i] - one[i]) / diameter for i in (2, 3))
    return math.dist(one[:2], other[:2]) / diameter, wider, higher


def clip_of(name: str, rows: list[dict[str, str]]) -> PlateClip:
    """The clip ``name``, of its rows. Raises ValueError as :func:`read_truth`."""
    kind = _only(name, rows, "kind")
    if kind not in (PLATE, NONE):
        raise ValueError(f"{name}: kind is {kind!r}, expected {PLATE} or {NONE}")
    diameter = _only(name, rows, "diameter_mm")
    return PlateClip(
        name,
        _only(name, rows, "group"),
        _marks(name, rows) if kind == PLATE else _no_marks(name, rows),
        float(diameter) if diameter else None,
        _only(name, rows, "note"),
    )


def _marks(name: str, rows: Iterable[Mapping[str, str]]) -> tuple[PlateMark, ...]:
    marks = sorted((_mark(name, row) for row in rows), key=lambda m: (m.frame, m.annotator))
    keys = [(mark.frame, mark.annotator) for mark in marks]
    if len(set(keys)) != len(keys):
        raise ValueError(f"{name}: a frame is marked twice by the same person")
    if [mark.time_s for mark in marks] != sorted(mark.time_s for mark in marks):
        raise ValueError(f"{name}: later frames have earlier seconds")
    return tuple(marks)


def _no_marks(name: str, rows: list[dict[str, str]]) -> tuple[PlateMark, ...]:
    empty = ("time_s", "frame", "x", "y", "rx", "ry", "diameter_mm")
    if len(rows) != 1 or any(rows[0][key] for key in empty) or rows[0]["seen"] != NONE:
        raise ValueError(f"{name}: a clip without a plate has one row and no mark")
    return ()


def _mark(name: str, row: Mapping[str, str]) -> PlateMark:
    ellipse, seen = _ellipse(name, row), row["seen"]
    if seen not in (FULL, PART, NONE) or (ellipse is None) != (seen == NONE):
        raise ValueError(f"{name}, frame {row['frame']}: seen is {seen!r}, ellipse {ellipse}")
    annotator = int(row["annotator"])
    if annotator not in ANNOTATORS:
        raise ValueError(f"{name}, frame {row['frame']}: annotator is {annotator}")
    return PlateMark(float(row["time_s"]), int(row["frame"]), annotator, seen, ellipse)


def _ellipse(name: str, row: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """x, y, rx, ry of a row; None where all four are empty."""
    texts = [row[key] for key in ("x", "y", "rx", "ry")]
    if not any(texts):
        return None
    x, y, rx, ry = (float(text) if text else float("nan") for text in texts)
    if not (rx > 0 and ry > 0 and x == x and y == y and rx <= WIDEST * ry):
        raise ValueError(f"{name}, frame {row['frame']}: {texts} is no plate")
    return x, y, rx, ry


def _only(name: str, rows: Iterable[Mapping[str, str]], key: str) -> str:
    """What all rows of a clip say alike."""
    values = {row[key] for row in rows}
    if len(values) != 1:
        raise ValueError(f"{name}: rows differ in {key}: {sorted(values)}")
    return values.pop()
