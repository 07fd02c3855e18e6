"""Clips in: found in a folder, read, compared with what is there, and copied under their sha256."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gymform.dataset.duplicates import Fingerprints, fingerprint
from gymform.dataset.groups import IMPORT, assign
from gymform.dataset.items import ClipRecord
from gymform.dataset.patterns import groups_by
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError, OptionsError, VideoError
from gymform.in_use import holds
from gymform.sniff import ANY_VIDEO_SUFFIXES, HEAD_BYTES, sniff
from gymform.storage import atomic_path
from gymform.text import cleaned, csv_raw
from gymform.timing import Progress, ignore_progress
from gymform.types import Clip
from gymform.video.sandbox import decoding, probe_apart, run_apart
from gymform.weights import sha256_of

BY_FOLDER, BY_REGEX, BY_CSV, BY_PERSON = "folder", "regex", "csv", "person"

INDEX = "index.csv"
"""A table of this name in the folder is used when neither exercise nor grouping is given."""

MAX_EXERCISE = 80
"""Longest name of an exercise, characters."""

MAX_SOURCE = 1000
"""Longest path of a clip within its folder that is kept, characters."""

SAME_BYTES, COPY, MIRRORED_COPY = "same bytes", "copy", "mirrored copy"


Allowed = Callable[[Path], bool]
"""May this file be opened?"""


@dataclass(frozen=True)
class Found:
    """A file to import: where it is, its name within the folder, and what is known of it.

    ``stated`` says whether somebody named the group, in a table, a pattern or a form; folders are
    only a guess at who is who.
    """

    path: Path
    source: str
    exercise: str
    group: str
    stated: bool = False


@dataclass(frozen=True)
class Duplicate:
    """``name`` shows what ``of`` shows. The same bytes are not kept twice, copies are."""

    name: str
    of: str
    kind: str
    likeness: float = 1.0


@dataclass(frozen=True)
class Unreadable:
    """A file that was left out, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What became of the files; ``known`` were imported before."""

    added: tuple[ClipRecord, ...] = ()
    known: tuple[str, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


@holds("store")
def import_clips(
    folder: Path,
    store: ReviewStore,
    *,
    exercise: str | None = None,
    group_by: str | None = None,
    progress: Progress | None = None,
    allowed: Allowed | None = None,
) -> ImportReport:
    """Copy the videos below ``folder`` into the data set, and say what became of each.

    ``exercise`` names what all of them show; without it the folder directly below ``folder`` or
    the table does. ``group_by`` is ``folder`` (the one a clip lies in is its person or source),
    ``regex:PATTERN`` (on the path within the folder; the group called ``group``, else the first,
    else all that matched), ``csv:FILE`` (columns file, exercise, group) or ``person:NAME`` (all
    show this one). Clips for which it names no group are a group each. Groups by folder are
    unconfirmed, see `gymform.dataset.groups`. What was imported before is skipped, so an import
    that was stopped can be repeated. Originals are only read. ``progress`` hears the stage
    "import", and may raise. Where ``allowed`` is given, only files and tables that it allows are
    opened. Raises OptionsError for options that do not fit, DatasetError when the store fails.
    """
    report = progress or ignore_progress
    found = find_clips(folder, exercise=exercise, group_by=group_by, allowed=allowed)
    known = Fingerprints(store.fingerprints())
    names = {clip.sha256: clip.name for clip in store.clips()}
    sources = {(clip.sha256, clip.source) for clip in store.clips()}
    added: list[ClipRecord] = []
    before: list[str] = []
    duplicates: list[Duplicate] = []
    unreadable: list[Unreadable] = []
    for number, file in enumerate(found):
        report("import", number, len(found))
        try:
            if allowed and not allowed(file.path):
                raise VideoError("It lies outside the folders that may be imported from.")
            sha256 = _sha256(file.path)
            if (sha256, file.source) in sources:
                before.append(file.source)
            elif sha256 in names:
                duplicates.append(Duplicate(file.source, names[sha256], SAME_BYTES))
            else:
                clip, repeats = _add(file, store, known, names)
                names[clip.sha256] = clip.name
                added.append(clip)
                duplicates += repeats
        except VideoError as error:
            unreadable.append(Unreadable(file.source, str(error)))
    report("import", len(found), len(found))
    return ImportReport(tuple(added), tuple(before), tuple(duplicates), tuple(unreadable))


def find_clips(
    folder: Path,
    *,
    exercise: str | None = None,
    group_by: str | None = None,
    allowed: Allowed | None = None,
) -> list[Found]:
    """The videos below ``folder`` by name, with exercise and group. Raises OptionsError."""
    if not folder.is_dir():
        raise OptionsError(f"{folder.name or 'The folder'} is no folder: expected one with clips.")
    if group_by is None and exercise is None and (folder / INDEX).is_file():
        group_by = f"{BY_CSV}:{folder / INDEX}"
    how, _, what = (group_by or BY_FOLDER).partition(":")
    if how == BY_CSV and what:
        found = list(_listed(folder, Path(what), exercise, allowed))
    elif how == BY_REGEX and what:
        found = _by_regex(list(_walk(folder, exercise)), what)
    elif how == BY_PERSON and cleaned(what):
        everyone = _walk(folder, exercise)
        found = [replace(file, group=cleaned(what), stated=True) for file in everyone]
    elif how == BY_FOLDER and not what:
        found = list(_walk(folder, exercise))
    else:
        raise OptionsError(
            "Expected a grouping of folder, regex:PATTERN, csv:FILE or person:NAME, "
            f"got {group_by!r}."
        )
    if not found:
        raise OptionsError(f"There is no video in {folder.name}: expected MP4, MOV, WebM...")
    return found


def _walk(folder: Path, exercise: str | None) -> Iterator[Found]:
    """Every video below ``folder``; exercise and group by the folders it lies in."""
    for path in sorted(folder.rglob("*")):
        source = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in source.parts)
        if hidden or path.suffix.lower() not in ANY_VIDEO_SUFFIXES or not path.is_file():
            continue
        above = source.parts[:-1]
        if exercise is None and not above:
            raise OptionsError(
                f"Which exercise does {path.name} show? Choose it (--exercise), put clips into a "
                "folder for each exercise, or list them in a table (--group-by csv:FILE)."
            )
        inner = above if exercise else above[1:]
        group = "/".join(inner) or source.with_suffix("").as_posix()
        yield _found(path, source.as_posix(), exercise or above[0], group)


def _found(path: Path, source: str, exercise: str, group: str) -> Found:
    """A file with names that are fit to be kept. Raises OptionsError for an exercise that is not.

    A name with nothing left in it is replaced by the file's place in the folder, in figures.
    """
    name = cleaned(exercise, len(exercise))
    if not 0 < len(name) <= MAX_EXERCISE:
        raise OptionsError(
            f"Expected the name of an exercise of 1 to {MAX_EXERCISE} characters, "
            f"got {len(name)} for {cleaned(source, 80)}."
        )
    own = hashlib.sha256(os.fsencode(source)).hexdigest()[:12]
    return Found(path, cleaned(source, MAX_SOURCE) or own, name, cleaned(group) or own)


def _by_regex(files: list[Found], pattern: str) -> list[Found]:
    """``files`` with the group that ``pattern`` finds in each name; its own where it finds none."""
    groups = groups_by(pattern, [file.source for file in files])
    return [
        replace(file, group=cleaned(group or "") or Path(file.source).stem, stated=bool(group))
        for file, group in zip(files, groups, strict=True)
    ]


def _listed(
    folder: Path, table: Path, exercise: str | None, allowed: Allowed | None
) -> Iterator[Found]:
    """The files that a table with the columns file, exercise and group lists.

    A table that is not here is looked for in ``folder``.
    """
    table = table if table.is_file() else folder / table
    if allowed and not allowed(table):
        raise OptionsError("The table lies outside the folders that may be imported from.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is no table in UTF-8"
        raise OptionsError(f"The table {table.name} cannot be read: {reason}.") from error
    needed = {"file"} if exercise else {"file", "exercise"}
    columns = set(rows[0]) if rows else set()
    if not needed <= columns:  # what stands there instead is not quoted: it may be any file
        raise OptionsError(
            f"{table.name}: expected the columns file, exercise, group in its first line, and "
            f"lines below it; {' and '.join(sorted(needed - columns))} missing."
        )
    for row in rows:
        source = csv_raw((row["file"] or "").strip())
        name = exercise or csv_raw((row["exercise"] or "").strip())
        if not source or not name:
            raise OptionsError(f"{table.name}: a line lacks its file or its exercise.")
        group = csv_raw((row.get("group") or "").strip())
        file = _found(folder / source, source, name, group or Path(source).stem)
        yield replace(file, stated=bool(group))


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise VideoError(f"The file cannot be read: {error.strerror}.") from None


def _add(
    file: Found, store: ReviewStore, known: Fingerprints, names: dict[str, str]
) -> tuple[ClipRecord, list[Duplicate]]:
    """Read, compare and copy one new file; first the bytes, then the entry that speaks of them."""
    clip = probe_apart(file.path, file.source)
    print_ = run_apart(decoding(clip), fingerprint, file.path.absolute())
    record = _record(file, clip)
    _copy(file.path, store.files.clip(record), clip.sha256)
    copies = known.copies_of(clip.sha256, print_)
    store.add_clip(record, fingerprint=print_, copies=copies)
    if file.stated:
        assign(store, {clip.sha256: file.group}, reviewer=IMPORT)
    known.add(clip.sha256, print_)
    repeats = [
        Duplicate(
            file.source,
            names[copy.of],
            MIRRORED_COPY if copy.mirrored else COPY,
            copy.likeness,
        )
        for copy in copies
    ]
    return record, repeats


def _record(file: Found, clip: Clip) -> ClipRecord:
    with file.path.open("rb") as stream:
        suffix = sniff(stream.read(HEAD_BYTES)).suffix
    return ClipRecord(
        sha256=clip.sha256,
        name=Path(file.source).name,
        suffix=suffix,
        exercise=file.exercise,
        group=file.group,
        width=clip.width,
        height=clip.height,
        duration_s=clip.duration_s,
        fps=clip.fps,
        frames=clip.frames,
        imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=file.source,
    )


def _copy(original: Path, target: Path, sha256: str) -> None:
    """Copy ``original``, whole or not at all. Raises VideoError when it changed in between."""
    if target.is_file() and sha256_of(target) == sha256:
        return
    try:
        with atomic_path(target) as temporary:
            shutil.copyfile(original, temporary)
            if sha256_of(temporary) != sha256:
                raise VideoError("The file changed while it was read. Import it again.")
    except OSError as error:
        raise GymformError(
            f"The clip cannot be copied into the data set: {error.strerror}. Free some space, or "
            "choose another place with --to."
        ) from error
