"""Uploads leave memory once they are on disk: Streamlit alone keeps them until the session ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gymform.service.once import Once
from gymform.service.quotas import UploadRoom


def forget(files: Sequence[Any]) -> None:
    """Let go of the bytes of ``files``, which a file uploader gave and which were copied.

    The uploader must not be shown again under its key: its files cannot be read any more.
    """
    context = get_script_run_ctx(suppress_warning=True)
    manager = context.uploaded_file_mgr if context else None
    for file in files:
        if context and isinstance(manager, MemoryUploadedFileManager):
            manager.remove_file(context.session_id, file.file_id)
        file.close()


@Once
def room() -> UploadRoom:
    """The memory that the uploads of one visitor may take."""
    return UploadRoom(_waiting, _drop)


def _manager() -> MemoryUploadedFileManager | None:
    """What keeps uploads in memory; None while the server is not running."""
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    return manager if isinstance(manager, MemoryUploadedFileManager) else None


def _waiting(session: str) -> Mapping[str, int]:
    """Bytes of the uploads in memory that belong to a session, by file."""
    manager = _manager()
    files = dict(manager.file_storage.get(session, {})) if manager else {}
    return {file: len(kept.data) for file, kept in files.items()}


def _drop(session: str, file: str) -> None:
    """Let go of an upload that no page has read."""
    manager = _manager()
    if manager:
        manager.remove_file(session, file)
