"""Uploads leave memory once they are on disk: Streamlit alone keeps them until the session ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx


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
