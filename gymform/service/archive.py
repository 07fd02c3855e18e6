"""Results as a zip: to keep them elsewhere, to take them to another computer, and back.

A zip may come from anybody. Its directory is checked before anything is unpacked, only files with
our own names are, each up to a limit, and what they hold is read in a process of its own. There
everything is made anew from it: keypoints and answers are checked and written again, the film is
encoded again. Nothing of a stranger's files stays, and their results never take the place of an
analysis that somebody will ask for.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gymform import limits
from gymform.errors import GymformError, OptionsError, PoseFileError
from gymform.roles import Role, only_for
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.history import (
    DONE,
    MAX_EXERCISE,
    MAX_LIFTER,
    Entry,
    History,
    checked_notes,
    owner_of_new,
)
from gymform.service.result_store import ResultStore
from gymform.service.summary import read_summary, write_summary
from gymform.storage import atomic_path
from gymform.text import cleaned
from gymform.video.memory import memory_of_frames
from gymform.video.sandbox import Limits, decoding, probe_apart, run_apart

INDEX = "gymform.json"
"""The member that lists the results with their notes."""

SCHEMA = 1

MAX_RESULTS = 5000
"""Most results in one zip."""

MAX_INDEX_BYTES = 16 * 1024**2

_MEMBERS = {
    f"{STEM}.npz": limits.MAX_NPZ_BYTES + 1024**2,
    f"{STEM}.json": 4 * 1024**2,
    PROXY: limits.MAX_UPLOAD_BYTES,
}
"""The files of a result that travel, each with the most bytes that it may unpack to."""

_MAX_DIRECTORY_BYTES = 4 * 1024**2
_END = struct.Struct("<4s4H2LH")
_FOLDER = re.compile(r"\d{1,5}")
_NOTES = ("exercise", "lifter", "day", "load_kg", "note", "favourite", "reference")

_REBUILD_BYTES, _REBUILD_CPU_S, _REBUILD_WALL_S = 3 * 1024**3, 120.0, 600.0
"""What making one result anew may cost beyond decoding its film."""

_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, KeyError, TypeError, EOFError,
    NotImplementedError, RuntimeError, OverflowError, AttributeError,
)  # fmt: skip
"""What zipfile, zlib and json raise for damaged files."""


# -- out ---------------------------------------------------------------------------------------


def export(
    entries: Sequence[Entry], store: ResultStore, target: Path, *, max_bytes: int | None = None
) -> int:
    """Write the results of ``entries`` with their notes to a zip; how many went in.

    Those whose files are gone are left out, and those that would make it larger than ``max_bytes``.
    Raises OSError.
    """
    listed: list[dict[str, Any]] = []
    total = 0
    with (
        atomic_path(target) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        for entry in entries:
            files = _files(store, entry)
            size = sum(path.stat().st_size for path in files)
            if not files or (max_bytes is not None and total + size > max_bytes):
                continue
            total += size
            folder = f"{len(listed) + 1:05d}"
            for path in files:
                archive.write(path, f"{folder}/{path.name}")
            notes = {name: getattr(entry, name) for name in _NOTES}
            listed.append(
                {"folder": folder, "name": entry.name, "created_at": entry.created_at, **notes}
            )
        index = {"schema": SCHEMA, "results": listed}
        archive.writestr(INDEX, json.dumps(index, indent=1), zipfile.ZIP_DEFLATED)
    return len(listed)


def _files(store: ResultStore, entry: Entry) -> list[Path]:
    """The files of a result that travel; none where one is missing."""
    folder = store.root / entry.key
    paths = [folder / name for name in _MEMBERS]
    return paths if all(path.is_file() for path in paths) else []


# -- in ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """How many results came in, and why others did not, in sentences."""

    count: int
    problems: tuple[str, ...]


@only_for(Role.CURATOR, "To import results")
def import_zip(path: Path, store: ResultStore, history: History) -> Imported:
    """Add the results of a zip that `export` wrote. They belong to the visitor who asks.

    Raises OptionsError for a file that is no such zip; one damaged result does not stop the others.
    """
    owner, count, problems = owner_of_new(), 0, []
    with _opened(path) as (archive, members):
        for number, listed in enumerate(_listed(archive, members), 1):
            name = cleaned(str(listed.get("name", ""))) or "clip"
            try:
                entry = _import_one(archive, members, listed, store, owner, name)
            except (GymformError, OSError, *_UNREADABLE) as error:
                said = str(error) if isinstance(error, GymformError) else "its files are damaged."
                problems.append(f"Result {number}, {name}: {said}")
                continue
            history.put_back([vars(entry)])
            count += 1
    return Imported(count, tuple(problems))


def _import_one(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    listed: dict[str, Any],
    store: ResultStore,
    owner: str,
    name: str,
) -> Entry:
    """One result, in the store under a key that no clip leads to; its row."""
    folder = str(listed.get("folder", ""))
    if not _FOLDER.fullmatch(folder):
        raise OptionsError("expected a folder of digits in the list of the zip.")
    key = secrets.token_hex(32)
    with store.new_folder(key) as raw, store.new_folder(key) as made:
        for file, most in _MEMBERS.items():
            _unpack(archive, members.get(f"{folder}/{file}"), raw / file, most)
        clip = probe_apart(raw / PROXY, name)
        costs = decoding(clip)
        room = _REBUILD_BYTES + memory_of_frames(clip.width, clip.height)
        allowed = Limits(room, costs.cpu_s + _REBUILD_CPU_S, costs.wall_s + _REBUILD_WALL_S)
        run_apart(allowed, rebuild, raw, made, name)
        summary = read_summary(made)
        store.keep(key, made)
    entry = Entry(
        secrets.token_urlsafe(16), key, owner, name, str(store.root / key / PROXY), {},
        state=DONE, created_at=cleaned(str(listed.get("created_at", "")), 40),
        found=str(summary["exercise"]), verdict=str(summary["verdict"]), summary=summary,
    )  # fmt: skip
    return _with_notes(entry, listed)


def _with_notes(entry: Entry, listed: dict[str, Any]) -> Entry:
    """``entry`` with the notes of a zip, each checked as one that is typed."""
    notes = {name: listed[name] for name in _NOTES if name in listed}
    notes["exercise"] = cleaned(str(notes.get("exercise") or entry.found), MAX_EXERCISE)
    notes["lifter"] = cleaned(str(notes.get("lifter") or ""), MAX_LIFTER)
    safe = checked_notes(notes)
    # a reference of somebody else's must not push one's own aside
    flags = {"favourite": bool(safe.get("favourite")), "reference": False}
    return replace(entry, **{**safe, **flags})


def rebuild(raw: Path, made: Path, name: str) -> None:
    """Make a result anew in the folder ``made`` from the unpacked files in ``raw``.

    Raises PoseFileError for files that are not those of an analysis, and the kinds of VideoError.
    """
    from gymform.analysis_io import load, save
    from gymform.video.write import transcode

    result = load(raw, STEM)
    if len(result.pose) > limits.MAX_FRAMES:
        raise PoseFileError(f"{len(result.pose)} frames, expected at most {limits.MAX_FRAMES}.")
    _check_types(result)
    problems = tuple(cleaned(str(one), 500) for one in result.clip.problems[:20])
    clip = replace(result.clip, name=name, problems=problems)
    result = replace(result, clip=clip)
    save(result, raw / PROXY, made, stem=STEM, video=False)
    transcode(raw / PROXY, made / PROXY)
    write_summary(result, made, made / PROXY)


def _check_types(result: Any) -> None:
    """Raise PoseFileError where a field that pages show is not of its kind: JSON knows none."""
    clip = result.clip
    whole = [clip.width, clip.height, clip.rotation, clip.duration_s, clip.fps, clip.frames]
    whole += [clip.bytes, result.slow_motion]
    texts = [clip.name, clip.container, clip.codec, clip.sha256, result.prediction.label]
    texts += [*result.prediction.classes, result.prediction.model_sha256]
    texts += [one.part for one in result.prediction.ablations]
    texts += [one.exercise for one in result.prediction.nearest]
    times = [second for one in result.prediction.windows for second in (one.start_s, one.end_s)]
    shares = [p for one in result.prediction.windows for p in one.probabilities]
    shares += [p for one in result.prediction.ablations for p in one.probabilities]
    whole += [one.number for one in result.prediction.nearest]
    shares += [one.likeness for one in result.prediction.nearest]
    is_fine = (
        all(isinstance(one, int | float) and abs(one) < 1e12 for one in (*whole, *times, *shares))
        and all(isinstance(one, str) and len(one) <= 500 for one in texts)
        and isinstance(result.prediction.reason, str | None)
        and isinstance(clip.capture_fps, int | float | None)
        and len(result.seconds) <= 50
        and min(clip.width, clip.height) > 0
    )
    if not is_fine:
        raise PoseFileError(f"{STEM}.json holds values that no analysis has.")


# -- the zip itself ----------------------------------------------------------------------------

_NO_ZIP = (
    "This is no zip of results: expected a file that the page History or `gymform data export` "
    "wrote."
)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """The zip with its members by name, after a look at its end and its directory."""
    try:
        _check_end(path)
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if len(members) != len(archive.infolist()):
                raise OptionsError(f"{_NO_ZIP} A name occurs twice in it.")
            yield archive, members
    except (OSError, zipfile.BadZipFile, struct.error, NotImplementedError) as error:
        raise OptionsError(_NO_ZIP) from error


def _check_end(path: Path) -> None:
    """Raise OptionsError unless the directory at the end of a zip is of a size that can be read."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - _END.size))
        end = stream.read(_END.size)
    mark, disk, start, here, entries, length, offset, comment = _END.unpack(end)
    if mark != b"PK\x05\x06" or comment or disk or start or here != entries:
        raise OptionsError(_NO_ZIP)
    most = len(_MEMBERS) * MAX_RESULTS + 1
    if entries > most or length > _MAX_DIRECTORY_BYTES or offset + length + _END.size != size:
        raise OptionsError(
            f"{_NO_ZIP} It may hold at most {MAX_RESULTS} results and 4 GB, without comments."
        )


def _listed(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> list[dict[str, Any]]:
    """The entries of the zip's list. Raises OptionsError."""
    info = members.get(INDEX)
    try:
        if info is None or info.file_size > MAX_INDEX_BYTES:
            raise ValueError("no list, or one that is too long")
        with archive.open(info) as stream:
            index = json.loads(stream.read(MAX_INDEX_BYTES + 1))
        results = index["results"]
        if index["schema"] != SCHEMA or len(results) > MAX_RESULTS:
            raise ValueError("another layout")
        return [dict(one) for one in results]
    except _UNREADABLE as error:
        raise OptionsError(_NO_ZIP) from error


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo | None, target: Path, most: int
) -> None:
    """Write one member to ``target``, at most ``most`` bytes whatever its header says."""
    if info is None:
        raise OptionsError(f"{target.name} is missing.")
    if info.file_size > most or info.flag_bits & 1:
        raise OptionsError(f"{target.name} has more than {most // 1024**2} MB, or a password.")
    left = most
    with archive.open(info) as source, target.open("xb") as file:
        while chunk := source.read(1024 * 1024):
            left -= len(chunk)
            if left < 0:
                raise OptionsError(f"{target.name} has more than {most // 1024**2} MB.")
            file.write(chunk)
