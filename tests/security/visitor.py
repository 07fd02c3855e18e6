"""A browser that we steer: Streamlit's own protocol over HTTP and a websocket, as a bad client."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 120.0


@dataclass
class Seen:
    """What one run of a page showed."""

    text: str = ""
    widgets: dict[str, Any] = field(default_factory=dict)
    """The latest element of each widget, by its label."""

    def id_of(self, label: str) -> str:
        """A widget's id; a KeyError where it is not shown."""
        return str(self.widgets[label].id)


class Browser:
    """One session. ``host``, ``origin`` and ``headers`` are sent as they are.

    ``token`` is the server's, as in its cookie: without it a login in the cookies is not looked at.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str = "",
        origin: str | None = "",
        headers: dict[str, str] | None = None,
        session: str = "",
        token: str = "",
    ) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.everything = ""
        self.session = ""
        self.state: dict[str, WidgetState] = {}
        self.page, self.query = "", ""
        self._open = contextlib.ExitStack()
        protocols = ["streamlit", token or "x", *([session] if session else [])]
        opening = connect(
            f"ws://{host or '127.0.0.1'}:{port}/_stcore/stream",
            sock=socket.create_connection(("127.0.0.1", port)),  # wherever its name leads
            origin=self.base if origin == "" else origin,  # type: ignore[arg-type]
            additional_headers=headers or {},
            subprotocols=protocols,  # type: ignore[arg-type]
            max_size=None,
            open_timeout=PATIENCE_S,
        )
        self._socket: ClientConnection = self._open.enter_context(opening)
        kept = httpx.Limits(keepalive_expiry=1.0)  # less than the server keeps a connection open
        self.http = httpx.Client(
            base_url=self.base, headers=headers, timeout=PATIENCE_S, limits=kept
        )

    def close(self) -> None:
        self._open.close()
        self.http.close()

    # -- what a browser sends ------------------------------------------------------------------

    def open(self, page: str = "") -> Seen:
        """Go to a page by its address."""
        self.page, self.query, self.state = page, "", {}
        return self.run()

    def run(self, *changes: WidgetState) -> Seen:
        """Run the page with these widgets changed; what it then shows."""
        for change in changes:
            if not change.HasField("trigger_value"):
                self.state[change.id] = change
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = self.query
        triggers = [change for change in changes if change.HasField("trigger_value")]
        message.rerun_script.widget_states.widgets.extend([*self.state.values(), *triggers])
        self.send(message)
        return self._until_finished()

    def press(self, widget: str) -> Seen:
        """Press the button of this id, whether or not it is shown."""
        return self.run(WidgetState(id=widget, trigger_value=True))

    def send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def send_raw(self, data: bytes) -> None:
        self._socket.send(data)

    def put(self, data: bytes, file: str = "file-1", **headers: str) -> httpx.Response:
        """Upload as the file uploader does: with the token that the server gave."""
        self.http.get("/_stcore/health")
        token = self.http.cookies.get("_streamlit_xsrf", "")
        return self.http.put(
            f"/_stcore/upload_file/{self.session}/{file}",
            files={"file": ("clip.mp4", data, "video/mp4")},
            headers={"X-Xsrftoken": token, "Origin": self.base, **headers},
        )

    def drop(self, seen: Seen, data: bytes, name: str, file: str) -> Seen:
        """Upload a file and tell the page's uploader of it."""
        assert self.put(data, file).status_code == 204
        (uploader,) = (one for one in seen.widgets.values() if hasattr(one, "max_upload_size_mb"))
        change = WidgetState(id=uploader.id)
        info = change.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), file
        return self.run(change)

    # -- what comes back -----------------------------------------------------------------------

    def _until_finished(self) -> Seen:
        seen, deadline = Seen(), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = ForwardMsg.FromString(self._socket.recv(timeout=PATIENCE_S))  # type: ignore[arg-type]
            self._note(message, seen)
            if message.WhichOneof("type") == "script_finished":
                ended = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
                if ended == "FINISHED_SUCCESSFULLY":
                    return seen
        raise TimeoutError("the page did not end")

    def _note(self, message: ForwardMsg, seen: Seen) -> None:
        """Keep all words of a message, and the widgets in it."""
        if message.WhichOneof("type") == "new_session":
            self.session = message.new_session.initialize.session_id
            seen.text, seen.widgets = "", {}
        words = str(message)
        self.everything += words
        if message.WhichOneof("type") == "page_info_changed":  # the page changes its address
            self.query = message.page_info_changed.query_string
        if message.WhichOneof("type") != "delta":
            return
        seen.text += words
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind:
            widget = getattr(element, kind)
            if getattr(widget, "id", "") and hasattr(widget, "label"):
                seen.widgets[widget.label] = widget


@contextlib.contextmanager
def browser(port: int, **options: Any) -> Iterator[Browser]:
    """A session that is closed afterwards."""
    one = Browser(port, **options)
    try:
        yield one
    finally:
        one.close()


def refused(port: int, **options: Any) -> bool:
    """Is no websocket opened for such a client?"""
    try:
        with browser(port, **options):
            return False
    except InvalidStatus as error:
        return error.response.status_code in (400, 403)
    except ConnectionClosed:
        return True


def said(seen: Seen) -> str:
    """The words of a run on one line, without escapes."""
    return re.sub(r"\\(.)", r"\1", seen.text)
