"""Exports a data set: exactly what was accepted, for training here and for other tools.

The manifest is JSON lines, one for each repetition, with the sha256 of its clip and its keypoints.
The keypoints can be exported as well: as an archive of the arrays that pyskl and mmaction2 use, as
a table, or as TRC files for biomechanics (OpenSim).
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gymform.dataset.corrections import (
    all_corrections,
    corrected_poses,
    version_of,
    write_corrections,
)
from gymform.dataset.groups import unconfirmed
from gymform.dataset.items import ACCEPTED, NAME, VERDICTS, Filter, Judged
from gymform.dataset.reviews import ReviewStore
from gymform.dataset.splits import check_split, split
from gymform.errors import DatasetError, GymformError, OptionsError
from gymform.in_use import holds
from gymform.motion.body_size import stature
from gymform.motion.clean import clean
from gymform.pose.corrections import Correction
from gymform.pose.files import read_arrays
from gymform.skeleton import KEYPOINTS
from gymform.storage import atomic_path
from gymform.text import csv_safe
from gymform.types import PoseSequence, within
from gymform.weights import sha256_of

ARCHIVE_SCHEMA = 1
MAX_ARCHIVE_BYTES = 8 * 1024**3

STATURE_M = 1.75
"""Height that a lifter is assumed to have when metres are needed, m."""


@dataclass(frozen=True)
class Example:
    """One repetition to train on, with the paths of its clip and of the network's keypoints, and
    the ``corrections`` that people made to these."""

    item_id: str
    clip_sha256: str
    exercise: str
    group: str
    start_s: float
    end_s: float
    pose_path: Path
    clip_path: Path
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A line of a manifest. ``split`` is empty for items that are not accepted.

    ``group_confirmed`` is False where nobody stated or confirmed who is in the clip: the same
    person may then be in several parts. ``poses_sha256`` is that of the network's keypoints, and
    ``corrections`` the version of what people corrected in them, 0 without corrections.
    """

    item_id: str
    name: str
    clip_sha256: str
    poses_sha256: str
    exercise: str
    group: str
    start_s: float
    end_s: float
    verdict: str
    split: str
    group_confirmed: bool
    corrections: int


def examples(store: ReviewStore, verdicts: Sequence[str] = (ACCEPTED,)) -> list[Example]:
    """The repetitions with one of ``verdicts``, by name, with their current label and bounds."""
    clips = {clip.sha256: clip for clip in store.clips()}
    corrections = all_corrections(store)
    return [
        Example(
            item_id=item.id,
            clip_sha256=item.clip_sha256,
            exercise=item.exercise,
            group=item.group,
            start_s=item.start_s,
            end_s=item.end_s,
            pose_path=store.files.poses(item.clip_sha256),
            clip_path=store.files.clip(clips[item.clip_sha256]),
            corrections=corrections.get(item.clip_sha256, ()),
        )
        for item in (
            judged.item for judged in store.judged(Filter(verdicts=tuple(verdicts), order=NAME))
        )
    ]


@holds("store")
def export(
    store: ReviewStore,
    path: Path,
    *,
    verdicts: Sequence[str] = (ACCEPTED,),
    seed: int = 0,
    archive: Path | None = None,
    table: Path | None = None,
    trc: Path | None = None,
    stature_m: float = STATURE_M,
    corrections: Path | None = None,
) -> list[Entry]:
    """Write the manifest of the repetitions with one of ``verdicts`` to ``path``.

    Accepted repetitions are split by group into train, val and test. ``archive``, ``table`` and
    ``trc`` (a folder) get the keypoints of the same repetitions, as corrected; ``corrections``
    gets all corrections of the data set by themselves. Raises DatasetError when nothing
    has one of the verdicts or keypoints are missing, LeakError when the split would leak.
    """
    if unknown := set(verdicts) - set(VERDICTS):
        raise OptionsError(f"Expected verdicts of {', '.join(VERDICTS)}, got {min(unknown)!r}.")
    judged = store.judged(Filter(verdicts=tuple(verdicts), order=NAME))
    if not judged:
        raise DatasetError(
            f"Nothing is {' or '.join(verdicts)} yet: review the data set first, or name other "
            "verdicts."
        )
    entries = _entries(store, judged, seed)
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(
                "".join(json.dumps(dataclasses.asdict(entry)) + "\n" for entry in entries),
                encoding="utf-8",
            )
        if corrections is not None:
            write_corrections(store, corrections)
        if archive is not None:
            _write_archive(archive, store, entries)
        if table is not None:
            _write_table(table, store, entries)
        if trc is not None:
            _write_trcs(trc, store, entries, stature_m)
    except OSError as error:
        raise GymformError(
            f"The export cannot be written: {error.strerror or 'the disk failed'}. Free some "
            "space, or choose another place."
        ) from error
    return entries


def export_zip(store: ReviewStore, *, seed: int = 0) -> bytes:
    """A zip of all that :func:`export` writes of the accepted repetitions, but for TRC files.

    Raises like :func:`export`.
    """
    with tempfile.TemporaryDirectory(prefix="gymform-") as place:
        folder = Path(place)
        names = ("manifest.jsonl", "keypoints.npz", "keypoints.csv", "corrections.json")
        manifest, archive, table, corrections = (folder / name for name in names)
        export(store, manifest, seed=seed, archive=archive, table=table, corrections=corrections)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name in names:
                bundle.write(folder / name, name)
        return buffer.getvalue()


def read_manifest(path: Path) -> list[Entry]:
    """The entries that `export` wrote. Raises DatasetError, naming line and field, otherwise."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DatasetError(f"{path.name} cannot be read: {reason}.") from error
    return [_entry(line, f"{path.name}, line {number}") for number, line in enumerate(lines, 1)]


def _entry(line: str, where: str) -> Entry:
    """One line, checked: every field is there and of its type."""
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise DatasetError(f"{where}: expected a JSON object. Export the data set again.")
    types: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(Entry)}
    if set(values) != set(types):
        wrong = ", ".join(sorted(map(str, set(values) ^ set(types))))
        raise DatasetError(f"{where}: missing or unknown: {wrong}. Export the data set again.")
    for name, kind in types.items():
        expected = {"float": (float, int), "bool": (bool,), "int": (int,)}.get(kind, (str,))
        is_bool = isinstance(values[name], bool)
        if not isinstance(values[name], expected) or is_bool != (kind == "bool"):
            raise DatasetError(f"{where}: {name} is not of type {kind}. Export the data set again.")
    return Entry(**values)


def _entries(store: ReviewStore, judged: Sequence[Judged], seed: int) -> list[Entry]:
    copies = [(pair.clip, pair.of) for pair in store.copies()]
    accepted = [one.item for one in judged if one.verdict == ACCEPTED]
    parts = split(accepted, copies=copies, seed=seed)
    names = {clip.sha256: clip.name for clip in store.clips()}
    check_split(accepted, parts, copies=copies, names=names)
    part_of = {item.id: part for item, part in zip(accepted, parts, strict=True)}
    guessed = unconfirmed(store)
    versions = {sha256: version_of(store, sha256) for sha256 in all_corrections(store)}
    hashes: dict[str, str] = {}
    for one in judged:
        if one.item.clip_sha256 not in hashes:
            hashes[one.item.clip_sha256] = _poses_sha256(store, one)
    return [
        Entry(
            item_id=one.item.id,
            name=one.item.name,
            clip_sha256=one.item.clip_sha256,
            poses_sha256=hashes[one.item.clip_sha256],
            exercise=one.item.exercise,
            group=one.item.group,
            start_s=one.item.start_s,
            end_s=one.item.end_s,
            verdict=one.verdict,
            split=part_of.get(one.item.id, ""),
            group_confirmed=one.item.clip_sha256 not in guessed,
            corrections=versions.get(one.item.clip_sha256, 0),
        )
        for one in judged
    ]


def _poses_sha256(store: ReviewStore, judged: Judged) -> str:
    try:
        return sha256_of(store.files.poses(judged.item.clip_sha256))
    except OSError as error:
        raise DatasetError(
            f"The keypoints of {judged.item.name} are missing. Extract the data set again."
        ) from error


def _cut(store: ReviewStore, entry: Entry) -> PoseSequence:
    """The keypoints of one repetition as corrected; times start at 0."""
    pose = corrected_poses(store, entry.clip_sha256).pose
    inside = within(pose.time_s, entry.start_s, entry.end_s)
    if not inside.any():
        raise DatasetError(f"{entry.name}: there is no frame between its bounds. Trim it again.")
    part = pose.part(inside)
    return dataclasses.replace(part, time_s=part.time_s - part.time_s[0])


# --- archive ------------------------------------------------------------------------------------


def _write_archive(path: Path, store: ReviewStore, entries: Sequence[Entry]) -> None:
    """Write as plain arrays what pyskl and mmaction2 keep in a pickle, see :func:`read_archive`.

    ``keypoint`` float32 (1, F, 17, 2) and ``keypoint_score`` (1, F, 17) hold all repetitions one
    after the other, and ``offset`` (n + 1,) is where each starts. ``label`` is an index into the
    classes in the JSON text ``meta``; ``img_shape`` is (height, width).
    """
    poses = [_cut(store, entry) for entry in entries]
    classes = sorted({entry.exercise for entry in entries})
    frames = [len(pose) for pose in poses]
    meta = {
        "schema": ARCHIVE_SCHEMA,
        "classes": classes,
        "keypoints": list(KEYPOINTS),
        "items": [dataclasses.asdict(entry) for entry in entries],
    }
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            keypoint=np.nan_to_num(np.concatenate([pose.xy for pose in poses]))[None],
            keypoint_score=np.concatenate([pose.score for pose in poses])[None],
            time_s=np.concatenate([pose.time_s for pose in poses]),
            offset=np.cumsum([0, *frames]),
            label=np.array([classes.index(entry.exercise) for entry in entries]),
            frame_dir=np.array([entry.item_id for entry in entries]),
            total_frames=np.array(frames),
            img_shape=np.array([pose.image_size[::-1] for pose in poses]),
            split=np.array([entry.split for entry in entries]),
            meta=np.array(json.dumps(meta)),
        )


def read_archive(path: Path) -> dict[str, Any]:
    """``{"split": {part: [frame_dir]}, "annotations": [{...}]}`` as pyskl and mmaction2 expect it.

    Raises PoseFileError for a file that is not such an archive.
    """
    arrays = read_arrays(path, MAX_ARCHIVE_BYTES)
    offset = arrays["offset"]
    annotations: list[dict[str, Any]] = []
    parts: dict[str, list[str]] = {}
    for row, name in enumerate(arrays["frame_dir"].tolist()):
        frames = slice(int(offset[row]), int(offset[row + 1]))
        shape = tuple(int(side) for side in arrays["img_shape"][row])
        parts.setdefault(str(arrays["split"][row]), []).append(name)
        annotations.append(
            {
                "frame_dir": name,
                "label": int(arrays["label"][row]),
                "img_shape": shape,
                "original_shape": shape,
                "total_frames": int(arrays["total_frames"][row]),
                "keypoint": arrays["keypoint"][:, frames],
                "keypoint_score": arrays["keypoint_score"][:, frames],
            }
        )
    return {"split": parts, "annotations": annotations}


# --- tables -------------------------------------------------------------------------------------


def _write_table(path: Path, store: ReviewStore, entries: Sequence[Entry]) -> None:
    """Write a row for every frame: the repetition, the time, and x, y, score of every keypoint.

    Coordinates are px of the upright frame; empty where a keypoint is missing.
    """
    columns = [f"{name}_{what}" for name in KEYPOINTS for what in ("x", "y", "score")]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["item_id", "exercise", "group", "split", "frame", "time_s", *columns])
        for entry in entries:
            names = map(csv_safe, (entry.exercise, entry.group))
            head = (entry.item_id, *names, entry.split)
            pose = _cut(store, entry)
            for frame, moment in enumerate(pose.time_s):
                numbers = np.c_[pose.xy[frame], pose.score[frame]].ravel()
                rows.writerow([*head, frame, f"{moment:.6f}", *_cells(numbers, 3)])


def _cells(numbers: np.ndarray, digits: int) -> list[str]:
    return ["" if np.isnan(number) else f"{number:.{digits}f}" for number in numbers]


# --- TRC ----------------------------------------------------------------------------------------


def _write_trcs(
    folder: Path, store: ReviewStore, entries: Sequence[Entry], stature_m: float
) -> None:
    """Write ``<item>.trc`` for every repetition, for OpenSim and similar tools.

    One camera sees a plane: X to the right, Y up from the lowest keypoint, Z 0. The scale follows
    from ``stature_m`` and the lifter's stature in px; frames are resampled to even times.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        path = folder / f"{entry.item_id}.trc"
        with atomic_path(path) as temporary:
            text = "\n".join(_trc(path.name, _cut(store, entry), stature_m))
            temporary.write_text(text + "\n", encoding="ascii")


def _trc(name: str, pose: PoseSequence, stature_m: float) -> Iterator[str]:
    """The lines of a TRC file."""
    time_s, points = _in_metres(pose, stature_m)
    rate = f"{pose.fps or 30.0:.2f}"
    count, markers = str(len(time_s)), str(len(KEYPOINTS))
    yield f"PathFileType\t4\t(X/Y/Z)\t{name}"
    yield (
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\t"
        "OrigDataRate\tOrigDataStartFrame\tOrigNumFrames"
    )
    yield "\t".join([rate, rate, count, markers, "m", rate, "1", count])
    yield "Frame#\tTime\t" + "\t\t\t".join(KEYPOINTS)
    yield "\t\t" + "\t".join(f"{axis}{i}" for i in range(1, len(KEYPOINTS) + 1) for axis in "XYZ")
    yield ""
    for frame, moment in enumerate(time_s):
        cells = _cells(points[frame].ravel(), 5)
        yield "\t".join([str(frame + 1), f"{moment:.5f}", *cells])


def _in_metres(pose: PoseSequence, stature_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced times (T,) s and cleaned keypoints (T, 17, 3) m, NaN where missing."""
    xy = clean(pose).xy.astype(np.float64)
    size = stature(xy)
    scale = stature_m / size if np.isfinite(size) else 1.0 / pose.image_size[1]
    known = np.asarray(np.isfinite(xy).all(-1))
    floor = xy[..., 1][known].max() if known.any() else 0.0
    middle = np.median(xy[..., 0][known]) if known.any() else 0.0
    planar = np.stack([(xy[..., 0] - middle) * scale, (floor - xy[..., 1]) * scale], -1)
    count = len(pose)
    time_s = np.linspace(0.0, pose.time_s[-1], count)
    even = np.full((count, len(KEYPOINTS), 3), np.nan)
    for k in range(len(KEYPOINTS)):
        present = known[:, k]
        if present.any():
            near = present[np.abs(pose.time_s[None] - time_s[:, None]).argmin(1)]
            for axis in range(2):
                even[near, k, axis] = np.interp(
                    time_s[near], pose.time_s[present], planar[present, k, axis]
                )
            even[near, k, 2] = 0.0
    return time_s, even
