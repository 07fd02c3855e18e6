"""A look at an MP4's tables: what FFmpeg would make too much of, and what it does not understand.

One integer in a sample table makes FFmpeg allocate: 3 kB of file with "20 million samples of one
byte" cost 1.4 GB of memory. The boxes that can do so are found here and added up.

An edit list may play a stretch of a track at another speed. FFmpeg does not know, so the edit lists
are read here as well.
"""

from __future__ import annotations

import bisect
import math
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gymform.errors import DamagedVideoError, TooLongError
from gymform.limits import MAX_SAMPLES, MAX_SECONDS

_SAMPLES = re.compile(rb"stsz|stz2|trun")

_COUNTED = {
    b"stsd": (0, 4, 8), b"stts": (0, 4, 8), b"ctts": (0, 4, 8), b"stsc": (0, 4, 12),
    b"stco": (0, 4, 4), b"co64": (0, 4, 8), b"stss": (0, 4, 4), b"stps": (0, 4, 4),
    b"elst": (0, 4, 12), b"dref": (0, 4, 12), b"sbgp": (0, 8, 8), b"sgpd": (1, 12, 1),
    b"saio": (0, 4, 4), b"senc": (0, 4, 1), b"pssh": (1, 20, 16), b"tfra": (0, 12, 11),
    b"keys": (0, 4, 8), b"iinf": (1, 4, 12), b"iloc": (2, 6, 6), b"ipma": (0, 4, 3),
}  # fmt: skip
"""Boxes that begin with a count of entries: from which version on, how many bytes after the type it
stands (32 bit), and the least bytes of an entry (ISO/IEC 14496-12; `keys`: QuickTime)."""

_COUNTED_KINDS = re.compile(b"|".join(_COUNTED))

MAX_EDITED_SAMPLES = 10 * MAX_SAMPLES
"""FFmpeg copies its index for each edit: so many entries at most, edits times samples."""

_PCM_PER_ENTRY = 1024
"""FFmpeg gathers this many samples of plain PCM sound into one entry of its index."""


def check_tables(path: Path) -> bool:
    """Whether the MP4's chain of boxes is whole, that is, not cut off by the file's end.

    Raises TooLongError when the sample tables announce over MAX_SAMPLES, DamagedVideoError for
    tables that announce far more than they have room for, for thousands of edits, and for a
    compressed header, whose tables cannot be looked at. The boxes are searched as bytes, wherever
    they lie: FFmpeg accepts them in places where no writer puts them, too.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        samples, edits, last = 0, 0, 0
        for start, end, is_media in _boxes(data):
            last = end
            if is_media:
                continue
            if data.find(b"cmov", start, end) >= 0:
                raise DamagedVideoError(
                    "This QuickTime file has a compressed header, an old form that is not read. "
                    "Export the clip again as MP4."
                )
            samples += _announced(data, start, end)
            edits += _check_counts(data, start, end)
        if samples > MAX_SAMPLES:
            raise TooLongError(
                f"This file announces {samples:,} pictures and sounds, at most {MAX_SAMPLES:,} "
                f"are accepted: the clip is much longer than {MAX_SECONDS:g} s, or damaged."
            )
        if samples * edits > MAX_EDITED_SAMPLES:
            raise DamagedVideoError(
                f"This file shows its {samples:,} pictures and sounds in {edits:,} edits, far more "
                "than any clip has. Export the clip again as MP4."
            )
        return last <= len(data)


def structure(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Start and end of each top-level box that is no media data."""
    return ((start, min(end, len(data))) for start, end, is_media in _boxes(data) if not is_media)


def _boxes(data: mmap.mmap) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each top-level box, and whether it is media data, not structure."""
    at, total = 0, len(data)
    while at + 8 <= total:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if size == 1 and at + 16 <= total:
            (size,) = struct.unpack(">Q", data[at + 8 : at + 16])
        if size == 0:  # the box reaches to the end of the file
            size = total - at
        if size < 8:  # no longer a chain of boxes: all of the rest is suspect
            yield at, total, False
            return
        yield at, at + size, kind == b"mdat"
        at += size


def _announced(data: mmap.mmap, start: int, end: int) -> int:
    """How many index entries the tables between ``start`` and ``end`` make FFmpeg keep."""
    total = 0
    for box in _SAMPLES.finditer(data, start, end):
        fields = data[box.end() : box.end() + 12]
        if len(fields) < 12:
            continue
        # stsz, stz2: flags, size, count. trun: flags, count, ...
        _, first, second = struct.unpack(">III", fields)
        if box.group() == b"trun":
            total += first
        elif _is_pcm_track(data, box.start(), start, end, second):
            total += second // _PCM_PER_ENTRY
        else:
            total += second
    return total


def _check_counts(data: mmap.mmap, start: int, end: int) -> int:
    """How many edits the tables between ``start`` and ``end`` hold.

    Raises DamagedVideoError for a table whose entries would be over MAX_SAMPLES and have no room in
    the file. Only boxes that lie within the bounds count: others may be mere text.
    """
    edits, end = 0, min(end, len(data))
    for box in _COUNTED_KINDS.finditer(data, start, end):
        version, offset, entry = _COUNTED[box.group()]
        at = box.end() + offset
        size = int.from_bytes(data[max(box.start() - 4, 0) : box.start()], "big")
        if at + 4 > end or data[box.end()] < version or not 8 <= size <= end - box.start() + 4:
            continue
        count = int.from_bytes(data[at : at + 4], "big")
        if count > MAX_SAMPLES and count * entry > end - at:
            raise DamagedVideoError(
                f"A table in this file announces {count:,} entries, for which the file is too "
                "small: it is damaged. Copy or export the clip again."
            )
        edits += count if box.group() == b"elst" else 0
    return edits


def _is_pcm_track(data: mmap.mmap, at: int, start: int, end: int, samples: int) -> bool:
    """Whether the track around ``at`` is sound with one time unit a sample, which is cheap."""
    left = max(data.rfind(b"trak", start, at), start)
    right = data.find(b"trak", at, end)
    right = end if right < 0 else right
    is_sound = data.find(b"soun", left, right) >= 0 and data.find(b"vide", left, right) < 0
    if data.find(b"stts", data.find(b"stts", left, right) + 4, right) >= 0:
        return False  # FFmpeg would believe the last one
    one_entry = b"stts" + struct.pack(">IIII", 0, 1, samples, 1)
    return is_sound and data.find(one_entry, left, right) >= 0


# ---- edit lists with a speed -----------------------------------------------------------------

Spans = tuple[tuple[float, float], ...]
"""Stretches of a track in seconds of its media, each [start, end), rising and apart."""


@dataclass(frozen=True)
class Retiming:
    """What an edit list that changes the speed of a track shows of it.

    ``spans`` are the stretches of media that it shows, at whatever speed; ``speeds`` the speeds
    other than 1 that it asks for.
    """

    spans: Spans
    speeds: tuple[float, ...]

    def shows(self, time_s: float) -> bool:
        """Whether the picture at ``time_s`` seconds of the media is shown at all."""
        at = bisect.bisect_right(self.spans, (time_s + _ROUNDING_S, math.inf)) - 1
        return at >= 0 and time_s + _ROUNDING_S < self.spans[at][1]


_ROUNDING_S = 1e-6

_NEAR_S = 1e-3
"""No picture falls between stretches that are nearer than this."""


def retimed_tracks(path: Path) -> dict[int, Retiming]:
    """The tracks, by track ID, whose edit list plays a stretch at another speed than 1.

    A speed of 0 holds one picture still. FFmpeg takes no notice of speeds: it lets the stretch run
    on for as long as the edit lasts, and shows what follows twice. Boxes that are no such tables
    are passed over. Format: QuickTime File Format, "Edit list atom"; ISO/IEC 14496-12, 8.6.6.
    """
    found = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for moov in _inside(data, (0, len(data)), b"moov"):
            scale = _header_field(data, next(_inside(data, moov, b"mvhd"), None))
            for track in _inside(data, moov, b"trak"):
                retiming = _retiming(data, track, scale)
                if retiming is not None:
                    track_id = _header_field(data, next(_inside(data, track, b"tkhd"), None))
                    found[track_id] = retiming
    return found


def _inside(data: mmap.mmap, within: tuple[int, int], *kinds: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of what lies in the boxes of the first kind ``within``; in them, the next."""
    at, end = within
    while at + 8 <= end:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack(">Q", data[at + 8 : at + 16])
            head = 16
        size = end - at if size == 0 else size
        if size < head or size > end - at:
            return
        if kind == kinds[0]:
            body = (at + head, at + size)
            yield from _inside(data, body, *kinds[1:]) if kinds[1:] else (body,)
        at += size


def _retiming(data: mmap.mmap, track: tuple[int, int], movie_scale: int) -> Retiming | None:
    """What the track's edit list shows, when it changes the speed of something."""
    media_scale = _header_field(data, next(_inside(data, track, b"mdia", b"mdhd"), None))
    body = next(_inside(data, track, b"edts", b"elst"), None)
    if body is None or not movie_scale or not media_scale:
        return None
    edits = [edit for edit in _edits(data, body) if edit[1] >= 0]  # -1: nothing is shown
    speeds = tuple(sorted({speed for _, _, speed in edits if speed != 1}))
    if not speeds or not any(edit[2] for edit in edits):  # nothing but 0: a field left empty
        return None
    spans = []
    for length, start, speed in edits:
        start_s = start / media_scale
        # no length: to the end of the media; a standing picture (speed 0) is one picture
        exact = abs(speed) - (speed % 1 != 0) / 65536  # a rounded speed reaches no further picture
        reach_s = length / movie_scale * exact if length else math.inf
        spans.append((start_s, start_s + max(reach_s, 1 / media_scale)))
    return Retiming(_merged(spans), speeds)


def _edits(data: mmap.mmap, body: tuple[int, int]) -> Iterator[tuple[int, int, float]]:
    """Length (movie ticks), start (media ticks) and speed of each edit that has room."""
    at, end = body
    entry = struct.Struct(">QqhH" if data[at : at + 1] == b"\1" else ">IihH")
    count = int.from_bytes(data[at + 4 : at + 8], "big")
    for start in range(at + 8, min(at + 8 + count * entry.size, end - entry.size + 1), entry.size):
        length, media_time, whole, fraction = entry.unpack(data[start : start + entry.size])
        yield length, media_time, whole + fraction / 65536


def _header_field(data: mmap.mmap, header: tuple[int, int] | None) -> int:
    """The number after the two dates in a header: a movie's or media's ticks a second, a track's
    ID; 0 without a header. Dates have 64 bits in version 1."""
    if header is None:
        return 0
    at = header[0] + (20 if data[header[0] : header[0] + 1] == b"\1" else 12)
    return int.from_bytes(data[at : min(at + 4, header[1])], "big")


def _merged(spans: list[tuple[float, float]]) -> Spans:
    """The same stretches in rising order, those that all but touch made one."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + _NEAR_S:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
