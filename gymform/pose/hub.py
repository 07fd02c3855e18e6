"""Resumable downloads of the official checkpoints from the Hugging Face hub.

``huggingface_hub`` provides the addresses, the file's metadata and the session. Its own download
starts over after an interruption, so the bytes are fetched here, with HTTP range requests.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gymform.errors import WeightsError
from gymform.limits import MAX_WEIGHTS_BYTES
from gymform.weights import sha256_of

OFFICIAL: dict[str, str] = {
    name: f"usyd-community/{name}"
    for name in (
        "vitpose-base-simple",
        "vitpose-base",
        "vitpose-base-coco-aic-mpii",
        "vitpose-plus-small",
        "vitpose-plus-base",
        "vitpose-plus-large",
        "vitpose-plus-huge",
    )
}
"""Names of the models that can be fetched, and their repositories on the hub."""

WEIGHTS = "model.safetensors"
"""The name of the weights file in each of these repositories."""

Progress = Callable[[int, int], None]
"""Called with the bytes received and the total; may raise to stop, so as to resume later."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class Download:
    """A complete file that is not yet under its final name."""

    path: Path
    sha256: str
    bytes: int
    commit: str


@dataclass(frozen=True)
class _Remote:
    """The hub's metadata of a file; ``etag`` is its sha256 where the hub has one."""

    url: str
    etag: str
    bytes: int
    commit: str


def download(name: str, folder: Path, progress: Progress | None = None) -> Download:
    """The weights of the official model ``name``, downloaded to a hidden file in ``folder``.

    An interrupted download is resumed. Raises WeightsError when the hub cannot be reached, refuses,
    or sends other bytes than it announced.
    """
    import httpx  # here and below: slow to import, and needed only for downloads
    from filelock import FileLock, Timeout
    from huggingface_hub.errors import HfHubHTTPError

    repository = OFFICIAL[name]
    try:
        remote = _metadata(repository)
        partial = folder / f".{name}-{remote.etag[:16]}.part.safetensors"
        with FileLock(folder / f".{name}.lock", timeout=0):
            for outdated in set(folder.glob(f".{name}-*.part.safetensors")) - {partial}:
                outdated.unlink()
            _receive(remote, partial, progress or (lambda done, total: None))
    except Timeout:
        raise WeightsError(f"{name} is being fetched already. Wait until that is done.") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        raise WeightsError(
            f"{repository}: the Hugging Face hub answered {status}. Try again later."
        ) from error
    except (httpx.HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise WeightsError(f"{name} cannot be stored: {error.strerror}.") from error
        raise WeightsError(
            f"{repository}: the Hugging Face hub cannot be reached. Fetch again when there is a "
            f"connection: the download resumes where it stopped. Or get the repository's {WEIGHTS} "
            "in another way and use 'weights convert'."
        ) from error
    digest = sha256_of(partial)
    if _SHA256.fullmatch(remote.etag) and digest != remote.etag:
        partial.unlink()
        raise WeightsError(
            f"{repository}: expected sha256 {remote.etag[:12]}..., got {digest[:12]}...: the "
            "download was damaged and is deleted. Fetch again."
        )
    return Download(partial, digest, remote.bytes, remote.commit)


def _metadata(repository: str) -> _Remote:
    """Size, hash and address of a repository's weights, at the commit that is current now."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT")
    # no token: the repositories are public, so nobody's credentials need to be sent
    address = hf_hub_url(repository, WEIGHTS, endpoint=endpoint)
    found = get_hf_file_metadata(address, token=False, endpoint=endpoint)
    if not (found.commit_hash and found.etag and found.size):
        raise WeightsError(f"{repository}: the answer did not come from a Hugging Face hub.")
    if found.size > MAX_WEIGHTS_BYTES:
        raise WeightsError(
            f"{repository}: expected at most {MAX_WEIGHTS_BYTES} bytes, the hub has {found.size}."
        )
    etag = re.sub(r"[^0-9A-Za-z]", "", found.etag)  # becomes part of a file's name
    fixed = hf_hub_url(repository, WEIGHTS, revision=found.commit_hash, endpoint=endpoint)
    return _Remote(fixed, etag, found.size, found.commit_hash)


def _receive(remote: _Remote, partial: Path, progress: Progress) -> None:
    """Complete the file ``partial``, reconnecting as long as each connection brings some bytes."""
    import httpx

    while True:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            _receive_once(remote, partial, before, progress)
        except httpx.TransportError:
            if partial.stat().st_size <= before:
                raise
            continue
        if partial.stat().st_size >= remote.bytes:
            return
        if partial.stat().st_size <= before:
            raise httpx.ReadError("the connection ended early")


def _receive_once(remote: _Remote, partial: Path, start: int, progress: Progress) -> None:
    """Append the bytes from ``start`` on to ``partial``, with one request."""
    from huggingface_hub import get_session, utils

    progress(start, remote.bytes)
    if start >= remote.bytes:
        os.truncate(partial, remote.bytes)
        return
    # both functions of utils are documented there, but the library does not mark them as exported
    headers = utils.build_hf_headers(token=False)  # type: ignore[attr-defined]
    headers |= {"Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with (
        partial.open("ab") as file,
        get_session().stream(
            "GET", remote.url, headers=headers, follow_redirects=True, timeout=30
        ) as response,
    ):
        utils.hf_raise_for_status(response)  # type: ignore[attr-defined]
        done = start
        if response.status_code != 206:  # the server sends the whole file again
            file.truncate(0)
            done = 0
        for chunk in response.iter_bytes(1 << 20):
            done += len(chunk)
            if done > remote.bytes:
                raise WeightsError("The hub sent more bytes than it announced. Fetch again.")
            file.write(chunk)
            progress(done, remote.bytes)
        file.flush()
        os.fsync(file.fileno())
