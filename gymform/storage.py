"""Where files go, and how they are written atomically: temporary file, fsync, rename."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from gymform.errors import OptionsError, TooLargeError, VideoError
from gymform.in_use import held
from gymform.limits import MAX_UPLOAD_BYTES
from gymform.sniff import HEAD_BYTES, sniff
from gymform.text import FILE_NAME_BYTES, cleaned


def data_dir() -> Path:
    """gymform's own folder for results and fetched weights, created on first use.

    ``GYMFORM_HOME`` when set, else ``gymform`` in the XDG data directory.
    """
    home = os.environ.get("GYMFORM_HOME")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    folder = expanded(home) if home else expanded(base) / "gymform"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def expanded(path: str | Path) -> Path:
    """``path`` with a leading ``~`` or ``~name`` as that user's home. Raises OptionsError."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise OptionsError(
            f"{str(path)[:200]}: this computer has no user of that name. Write the full path."
        ) from None


def disk_problem(error: OSError) -> str:
    """What the system refused, in words for the user, with what to do; never a whole path."""
    name = cleaned(Path(os.fsdecode(error.filename)).name, 60) if error.filename else ""
    reason = os.strerror(error.errno) if error.errno else "the system refused it"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space and try again: what was finished is kept."
    if error.errno == errno.ENAMETOOLONG:
        return f"A name is too long: at most {FILE_NAME_BYTES} bytes. Choose a shorter one."
    what = f"{name or 'A file'} cannot be read or written: {reason}. Check whether it is there"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        what = f"{name or 'A file'} cannot be used: {reason}. Allow it"
    return (
        f"{what}, or choose another place: GYMFORM_HOME names gymform's own folder, and options "
        "such as --out and --to the rest."
    )


def check_writable(folder: Path) -> None:
    """Make ``folder`` and write a few bytes into it, which go again. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".{secrets.token_hex(8)}"
    try:
        probe.write_bytes(b"gymform")
    finally:
        probe.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it when the block ends without an error.

    The file's bytes and the folder's entry are on disk before the block returns. When the block
    raises, the temporary file is deleted and an existing ``path`` stays as it was. The suffix is
    kept, since some writers choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until ``path`` (a file or a folder) is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store_upload(source: bytes | BinaryIO, folder: Path) -> Path:
    """Copy an upload into a folder of its own below ``folder`` and return the file's path.

    ``source`` is the content or an open binary file, which is read from its start. Both names
    are made up here, and the suffix follows the content: the name that the user's browser sent
    never becomes a path. Raises EmptyFileError, TooLargeError over the limit, NotAVideoError, and
    VideoError when the disk does not accept it; nothing is then left on disk.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes | bytearray) else source
    if stream.seekable():
        stream.seek(0)
    head = stream.read(HEAD_BYTES)
    suffix = sniff(head).suffix
    target = folder / secrets.token_hex(16)
    try:
        target.mkdir(parents=True)
        with (
            held(target),
            atomic_path(target / f"clip{suffix}") as temporary,
            temporary.open("xb") as file,
        ):
            _copy(itertools.chain((head,), _chunks(stream)), file)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise VideoError(f"The upload could not be stored: {error.strerror}.") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target / f"clip{suffix}"


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(1024 * 1024):
        yield chunk


def _copy(chunks: Iterable[bytes], file: BinaryIO) -> None:
    """Write ``chunks`` to ``file``. Raises TooLargeError as soon as they exceed the limit."""
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > MAX_UPLOAD_BYTES:
            raise TooLargeError(
                f"The file has more than {MAX_UPLOAD_BYTES // 1024**2} MB. Trim the clip to one "
                "repetition, or record at 1080p."
            )
        file.write(chunk)
