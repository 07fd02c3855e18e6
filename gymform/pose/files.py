"""Keypoint files (``.npz``): written completely or not at all, read exactly, safe to open.

Layout, schema 2: an uncompressed zip with seven ``.npy`` members and nothing else.

=========  ==========  ===========  =====================================================
member     dtype       shape        meaning
=========  ==========  ===========  =====================================================
xy         float32     (T, 17, 2)   px of the upright frame, COCO-17 order, NaN missing
score      float32     (T, 17)      in [0, 1], 0 missing
boxes      float32     (T, 4)       px xyxy of the person followed, NaN nobody
time_s     float64     (T,)         seconds from the first frame, strictly rising
shots      int32       (T,)         number of the shot, -1 where the picture stands still
peaks      float32     (T, 17, K,3) the network's answers, x, y and score, likeliest first;
                                    ``xy`` is what was chosen among them
meta       str         ()           JSON: schema, image_size, provenance, sha256 of it all
=========  ==========  ===========  =====================================================

``np.load(path)`` opens it anywhere. Time stamps and order inside the zip are fixed, so equal
content gives equal bytes. Files from strangers are checked before any array is read: first the end
of the file, then the zip directory, then every ``.npy`` header. A zip's own CRC is checked only
when a member is read to its end, which a forged smaller shape would avoid; therefore members are
read completely, and ``meta`` holds a sha256 over names, types, shapes and bytes.

Schema 1 had neither ``shots`` nor ``peaks``: one shot is assumed, and no peaks.

The older layout, a single array ``reconstruction`` (T, 17, 2 or 3), is read but never written; see
:func:`_from_reconstruction` for what has to be assumed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import struct
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gymform import limits
from gymform.errors import PoseFileError
from gymform.skeleton import NUM_KEYPOINTS
from gymform.storage import atomic_path
from gymform.types import PoseSequence, Provenance

SCHEMA = 2
"""Number of the layout that :func:`save_poses` writes."""

OLDER_FPS = 30.0
"""Frames per second assumed for the older layout, which holds no times."""

_FIRST_ARRAYS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "xy": ("<f4", (NUM_KEYPOINTS, 2)),
    "score": ("<f4", (NUM_KEYPOINTS,)),
    "boxes": ("<f4", (4,)),
    "time_s": ("<f8", ()),
}
"""Each array of schema 1: its type, and the shape of one frame."""

_ARRAYS = {
    **_FIRST_ARRAYS,
    "shots": ("<i4", ()),
    "peaks": ("<f4", (NUM_KEYPOINTS, None, 3)),
}
"""Those of schema 2; None matches any length."""

_LAYOUTS = {1: _FIRST_ARRAYS, 2: _ARRAYS}

_MAX_PEAKS = 8
_MAX_MEMBERS = 32
_MAX_DIRECTORY_BYTES = 64 * 1024
_MAX_META_BYTES = 256 * 1024
_END_OF_ZIP = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR_BYTES = 20
_ENCRYPTED = 0x1

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    struct.error,
    SyntaxError,
    ValueError,  # also UnicodeError and JSONDecodeError
    TypeError,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # also RecursionError
    OverflowError,
    MemoryError,
)
"""What zipfile, zlib, json and numpy's header parser raise for damaged files."""


def save_poses(path: Path, pose: PoseSequence) -> None:
    """Write ``pose`` to ``path``, completely or not at all; equal poses give equal bytes.

    Raises PoseFileError when the file cannot be written, or would be over the size that
    :func:`load_poses` accepts.
    """
    arrays = {name: np.ascontiguousarray(getattr(pose, name)) for name in _ARRAYS}
    size = sum(array.nbytes for array in arrays.values())
    if size + _MAX_META_BYTES > limits.MAX_NPZ_BYTES:
        raise PoseFileError(
            f"{path.name} cannot be written: {len(pose)} frames take {size / 2**20:.0f} MB, "
            f"expected at most {limits.MAX_NPZ_BYTES / 2**20:.0f} MB. Use a shorter clip."
        )
    meta = {
        "schema": SCHEMA,
        "image_size": [int(side) for side in pose.image_size],
        "provenance": dataclasses.asdict(pose.provenance),
    }
    text = json.dumps({**meta, "sha256": _digest(arrays, meta)}, sort_keys=True)
    try:
        with atomic_path(path) as temporary:
            _write_zip(temporary, {**arrays, "meta": np.array(text)})
    except OSError as error:
        raise PoseFileError(
            f"{path.name} cannot be written: {error.strerror or 'the disk refused it'}. "
            "Free some space, or choose another folder."
        ) from error


def load_poses(path: Path) -> PoseSequence:
    """The pose sequence in ``path``, bit for bit as :func:`save_poses` was given it.

    Files of the older layout are read too. For anything else raises PoseFileError with the field,
    what was expected and what came. Nothing is unpickled, and at most ``limits.MAX_NPZ_BYTES`` are
    unpacked.
    """
    with _opened(path, limits.MAX_NPZ_BYTES) as (archive, members):
        if set(members) == {"reconstruction"}:
            return _from_reconstruction(_read(archive, members["reconstruction"]))
        layout = _check_members(members)
        meta = _read_meta(_read(archive, members["meta"]), layout)
        arrays = {name: _read(archive, members[name]) for name in _LAYOUTS[layout]}
        stated = meta.pop("sha256", None)
        actual = _digest(arrays, meta)
        if stated != actual:
            raise _mismatch("sha256", f"{actual[:12]}... of this content", stated)
        return _build(arrays, meta)


def read_arrays(path: Path, max_bytes: int = limits.MAX_NPZ_BYTES) -> dict[str, np.ndarray]:
    """All arrays of any ``.npz`` by name, for development data; checked like keypoint files.

    ``max_bytes`` limits the sum of the uncompressed sizes. Raises PoseFileError.
    """
    with _opened(path, max_bytes) as (archive, members):
        return {name: _read(archive, member) for name, member in members.items()}


# --- writing ------------------------------------------------------------------------------------


def _write_zip(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``arrays`` as stored ``.npy`` members without anything that varies between runs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, buffer.getvalue())


def _digest(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> str:
    """sha256 hex over the names, types, shapes and bytes of ``arrays``, and over ``meta``."""
    sha = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name, array in arrays.items():
        sha.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


# --- reading: everything is checked before it is used -------------------------------------------


@dataclass(frozen=True)
class _Member:
    """One ``.npy`` of the archive, described by its header."""

    info: zipfile.ZipInfo
    header_bytes: int
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool


@contextlib.contextmanager
def _opened(path: Path, max_bytes: int) -> Iterator[tuple[zipfile.ZipFile, dict[str, _Member]]]:
    """The archive and its members, headers checked; errors in the block become PoseFileError."""
    try:
        with path.open("rb") as stream:
            _check_end(stream, max_bytes)
            with zipfile.ZipFile(stream) as archive:
                _check_directory(archive, max_bytes)
                yield archive, dict(_read_header(archive, info) for info in archive.infolist())
    except PoseFileError as error:
        raise PoseFileError(f"{path.name} is not a keypoint file we can read. {error}") from error
    except OSError as error:
        raise PoseFileError(
            f"{path.name} cannot be opened: {error.strerror or 'it is damaged'}. "
            "Check that the file exists and is readable."
        ) from error
    except _UNREADABLE as error:
        problem = _mismatch("file", "a whole .npz archive", f"damaged data ({_brief(error)})")
        raise PoseFileError(f"{path.name} is not a keypoint file we can read. {problem}") from error


def _mismatch(field: str, expected: object, got: object) -> PoseFileError:
    """The error that says what was expected of ``field``, what came, and what to do."""
    return PoseFileError(
        f"{field}: expected {expected}, got {got}. Extract the clip's keypoints again."
    )


def _brief(value: object, length: int = 60) -> str:
    """Text from a file or an error, made printable and cut to ``length``."""
    text = "".join(char if char.isprintable() else "?" for char in str(value))
    return text if len(text) <= length else text[:length] + "..."


def _check_end(stream: BinaryIO, max_bytes: int) -> None:
    """Check by the last 22 bytes that the zip's directory is small enough to be read.

    zipfile reads the whole directory at once: a million empty members cost hundreds of megabytes.
    Comments, data after the end and zip64 directories are refused too, as we never write them.
    """
    size = stream.seek(0, io.SEEK_END)
    if size > max_bytes + _MAX_DIRECTORY_BYTES:
        raise _mismatch("file", f"at most {max_bytes} bytes", f"{size} bytes")
    tail_bytes = min(size, _END_OF_ZIP.size + _ZIP64_LOCATOR_BYTES)
    stream.seek(size - tail_bytes)
    tail = stream.read(tail_bytes)
    if len(tail) < _END_OF_ZIP.size or tail[-_END_OF_ZIP.size :][:4] != b"PK\5\6":
        raise _mismatch("file", "a zip that ends with its directory", f"{size} other bytes")
    if tail.startswith(b"PK\6\7"):
        raise _mismatch("directory", "a plain zip", "zip64")
    _, disk, start_disk, here, count, directory_bytes, _, comment = _END_OF_ZIP.unpack(
        tail[-_END_OF_ZIP.size :]
    )
    if disk or start_disk or here != count or comment:
        raise _mismatch("directory", "one disk and no comment", "something else")
    if count > _MAX_MEMBERS or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise _mismatch("members", f"at most {_MAX_MEMBERS}", f"{count} ({directory_bytes} bytes)")


def _check_directory(archive: zipfile.ZipFile, max_bytes: int) -> None:
    """Check names, compression and total size by the zip directory alone."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise _mismatch("members", "every name once", ", ".join(map(_brief, names)))
    for info in infos:
        shown = _brief(info.filename)
        if not (info.filename.endswith(".npy") and info.filename[:-4].isidentifier()):
            raise _mismatch("members", "plain names ending in .npy", repr(shown))
        if info.flag_bits & _ENCRYPTED:
            raise _mismatch(shown, "an open member", "an encrypted one")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _mismatch(shown, "stored or deflated data", f"method {info.compress_type}")
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise _mismatch("members", f"at most {max_bytes} bytes unpacked", f"{total} bytes")


def _read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[str, _Member]:
    """Name and header of one member; the header must account for every byte of the member."""
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as stream:
        # the longest header of format 1.0; no more, since the member may be a deflate bomb
        head = io.BytesIO(stream.read(min(info.file_size, 65_546)))
    version = np.lib.format.read_magic(head)
    if version != (1, 0):
        raise _mismatch(name, ".npy format 1.0", ".".join(map(str, version)))
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    if dtype.hasobject or dtype.names or dtype.subdtype or dtype.kind not in "biufU":
        raise _mismatch(name, "an array of numbers or text", _brief(dtype))
    member = _Member(info, head.tell(), shape, dtype, fortran)
    stated = member.header_bytes + math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or stated != info.file_size:
        raise _mismatch(
            name, f"{info.file_size} bytes of data with header", f"shape {_brief(shape)} of {dtype}"
        )
    return name, member


def _read(archive: zipfile.ZipFile, member: _Member) -> np.ndarray:
    """The array of one member, read to its last byte so that the zip's CRC is checked."""
    # read(n), not read(): without a number zipfile unpacks more than the directory announces
    with archive.open(member.info) as stream:
        data = stream.read(member.info.file_size)
        if len(data) != member.info.file_size or stream.read(1):
            raise EOFError("a member is longer or shorter than the directory says")
    flat = np.frombuffer(data, member.dtype, offset=member.header_bytes)
    if flat.dtype.kind == "U":
        _check_text(flat)
    if member.fortran:
        return flat.reshape(member.shape[::-1]).transpose().copy()
    return flat.reshape(member.shape).copy()


def _check_text(flat: np.ndarray) -> None:
    """Refuse code points beyond Unicode: numpy raises SystemError when they are read."""
    points = np.frombuffer(flat.tobytes(), flat.dtype.byteorder.replace("|", "=") + "u4")
    if points.size and points.max() > sys.maxunicode:
        raise _mismatch("text", "Unicode", f"code point {points.max():#x}")


# --- schema 1 -----------------------------------------------------------------------------------


def _check_members(members: Mapping[str, _Member]) -> int:
    """The schema whose arrays these are, checked by the headers, all of the same length."""
    schema = 1 if "peaks" not in members and "shots" not in members else SCHEMA
    expected = [*_LAYOUTS[schema], "meta"]
    if set(members) != set(expected):
        got = ", ".join(sorted(map(_brief, members))) or "none"
        raise _mismatch("members", ", ".join(expected), got)
    meta = members["meta"]
    if meta.shape != () or meta.dtype.kind != "U" or meta.dtype.itemsize > _MAX_META_BYTES:
        raise _mismatch("meta", "one text", f"{meta.dtype} {meta.shape}")
    count = members["time_s"].shape[:1]
    for name, (dtype, frame_shape) in _LAYOUTS[schema].items():
        member, shape = members[name], (*count, *frame_shape)
        if member.dtype.str != dtype:
            raise _mismatch(name, np.dtype(dtype).name, member.dtype.name)
        if member.fortran or not _fits(member.shape, shape):
            raise _mismatch(name, shape, f"shape {_brief(member.shape)}")
    return schema


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Is it the expected shape, where None matches any length up to `_MAX_PEAKS`?"""
    return len(shape) == len(expected) and all(
        got == want or (want is None and got <= _MAX_PEAKS)
        for got, want in zip(shape, expected, strict=True)
    )


def _read_meta(text: np.ndarray, layout: int) -> dict[str, Any]:
    """The JSON object in ``meta``; its schema must be that of the ``layout`` of the arrays."""
    meta = json.loads(text.item())
    if not isinstance(meta, dict):
        raise _mismatch("meta", "a JSON object", type(meta).__name__)
    schema = meta.get("schema")
    if type(schema) is not int or schema != layout:
        raise _mismatch("schema", f"{layout} by its arrays, or the older layout", _brief(schema))
    return meta


def _build(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> PoseSequence:
    """The PoseSequence of ``arrays``; a ValueError of its checks becomes a PoseFileError."""
    size = meta.get("image_size")
    if not isinstance(size, list) or [type(side) for side in size] != [int, int]:
        raise _mismatch("image_size", "[width, height]", _brief(size))
    provenance = _provenance(meta.get("provenance"))
    try:
        return PoseSequence(image_size=(size[0], size[1]), provenance=provenance, **arrays)
    except ValueError as error:
        raise PoseFileError(f"{error}. Extract the clip's keypoints again.") from error


def _provenance(stated: object) -> Provenance:
    """Provenance from its JSON object, which may hold only known fields of the right type."""
    if not isinstance(stated, dict):
        raise _mismatch("provenance", "a JSON object", type(stated).__name__)
    defaults = dataclasses.asdict(Provenance())
    for name, value in stated.items():
        if name not in defaults:
            raise _mismatch("provenance", ", ".join(defaults), _brief(name))
        if type(value) is not type(defaults[name]):
            expected = type(defaults[name]).__name__
            raise _mismatch(f"provenance.{name}", expected, type(value).__name__)
    return Provenance(**stated)


# --- the older layout ---------------------------------------------------------------------------


def _from_reconstruction(array: np.ndarray) -> PoseSequence:
    """The pose sequence of ``reconstruction`` (T, 17, 2 or 3), with what it lacks assumed.

    Two columns: x, y in px, score 1 where both are finite. A third column is the score if all its
    values are in [0, 1] and one is above 0; otherwise it is a depth and ignored. Times are those of
    30 frames per second; boxes and image size just hold the keypoints. The provenance's note says
    so.
    """
    right_shape = array.ndim == 3 and array.shape[1] == NUM_KEYPOINTS and array.shape[2] in (2, 3)
    if array.dtype.kind not in "fiu" or not right_shape:
        got = f"{array.dtype.name} {_brief(array.shape)}"
        raise _mismatch("reconstruction", f"numbers (frames, {NUM_KEYPOINTS}, 2 or 3)", got)
    if not len(array) or np.isinf(array[..., :2]).any():
        raise _mismatch("reconstruction", "one or more frames, finite or NaN", "other values")
    with np.errstate(over="ignore"):
        xy = array[..., :2].astype(np.float32)
    missing = np.asarray(np.isnan(xy).any(axis=-1))
    xy[missing] = np.nan
    score, kind = _older_score(array, missing)
    size = _size_around(xy)
    note = (
        f"older layout: {OLDER_FPS:g} frames a second, image size and boxes are assumed; "
        f"third column: {kind}"
    )
    try:
        return PoseSequence(
            xy=xy,
            score=score,
            boxes=_boxes_around(xy),
            time_s=np.arange(len(xy), dtype=np.float64) / OLDER_FPS,
            image_size=size,
            provenance=Provenance(decoder="unknown", schema=0, note=note),
        )
    except ValueError as error:
        raise PoseFileError(f"reconstruction: {error}") from error


def _older_score(array: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, str]:
    """Scores float32 (T, 17), 0 where ``missing``, and how the third column was read."""
    third = array[..., 2] if array.shape[2] == 3 else None
    kind = "none" if third is None else "depth, ignored"
    score = np.ones(missing.shape, np.float32)
    if third is not None:
        given = third[~np.isnan(third) & ~missing]
        if given.size and given.min() >= 0 and 0 < given.max() <= 1:
            score, kind = np.nan_to_num(third.astype(np.float32), nan=0.0), "score"
    score[missing] = 0
    return score, kind


def _boxes_around(xy: np.ndarray) -> np.ndarray:
    """float32 (T, 4) px xyxy around each frame's keypoints, NaN where there are none."""
    seen = ~np.isnan(xy)
    low = np.where(seen, xy, np.inf).min(axis=1)
    high = np.where(seen, xy, -np.inf).max(axis=1)
    boxes = np.concatenate([low, high], axis=1).astype(np.float32)
    boxes[~seen.any(axis=(1, 2))] = np.nan
    return boxes


def _size_around(xy: np.ndarray) -> tuple[int, int]:
    """(width, height) px of the smallest frame that holds all keypoints, within our limits."""
    corner = np.where(np.isnan(xy), 0, xy).reshape(-1, 2).max(axis=0)
    width, height = np.clip(np.floor(corner) + 1, 1, limits.MAX_SIDE)
    return int(width), int(height)
