"""What stands between the network and the app: an ASGI middleware that looks at every request.

It lets in only requests for a Host that is ours (a foreign name that leads here is DNS rebinding)
and from pages that are ours, closes the server's own side doors, counts what visitors upload, and
forbids other sites to show the app in a frame, where clicks could be led astray.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gymform.errors import QuotaError
from gymform.roles import Role
from gymform.service.access import Client, Settings
from gymform.service.quotas import DailyBytes
from gymform.service.visits import Visits

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

CLOSED = ("/_stcore/metrics", "/_stcore/agent/", "/_stcore/script-health-check")
"""Doors of the server that nobody needs here: they tell of all sessions, or drive the app."""

UPLOAD = "/_stcore/upload_file/"
"""Where files are uploaded: followed by the session and the file's number."""

_POLICY_VIOLATION = 1008
_TOO_MUCH = 429

_DRAIN_S = 0.5
"""The body of a refused request is read for this long, seconds."""

_HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

WRONG_HOST = (
    "gymform does not answer under this name. Whoever runs it can allow it: GYMFORM_ALLOWED_HOSTS."
)
WRONG_ORIGIN = "A page of another site may not talk to gymform."


class Refused(Exception):
    """A request that is not passed on: the status and why, in words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Guard:
    """The middleware around ``app``."""

    def __init__(
        self,
        app: App,
        *,
        settings: Callable[[], Settings],
        visits: Visits,
        uploads: DailyBytes,
    ) -> None:
        self._app = app
        self._read = settings
        self._settings = settings()
        self._visits = visits
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except Refused as refused:
            _log.warning("refused %s: %s", scope["type"], refused)
            await _answer(scope, receive, send, refused)
            return
        await self._app(scope, receive, _with_headers(send))

    def _check(self, scope: Scope) -> None:
        """Raise Refused for what is not to be passed on."""
        headers = _headers(scope)
        host, origin = headers.get("host"), headers.get("origin")
        if not self._settings.host_allowed(host):
            raise Refused(421, WRONG_HOST)
        # Browsers name the page behind every websocket; what names none is not a browser's.
        needed = scope["type"] == "websocket"
        if (origin or needed) and not self._settings.origin_allowed(origin, host):
            raise Refused(403, WRONG_ORIGIN)
        if any(door in scope["path"] for door in CLOSED):
            raise Refused(404, "There is nothing here.")
        if scope["type"] == "http" and scope["method"] == "PUT" and UPLOAD in scope["path"]:
            self._check_upload(scope, headers)

    def _check_upload(self, scope: Scope, headers: dict[str, str]) -> None:
        """Count an upload by the length it announces, which the server holds it to."""
        session = scope["path"].split(UPLOAD, 1)[1].partition("/")[0]
        address = (scope.get("client") or ("",))[0]
        client = Client(headers.get("host", ""), address, is_forwarded(headers))
        visitor = self._visits.of(session) or self._read().visitor(client)
        if visitor.role < Role.VISITOR:
            raise Refused(403, "Log in first.")
        length = headers.get("content-length", "")
        if not length.isdecimal():
            raise Refused(411, "An upload has to say how long it is.")
        if visitor.role > Role.VISITOR:
            return
        try:
            self._uploads.charge(visitor.key, int(length), self._settings.upload_bytes)
        except QuotaError as error:
            raise Refused(_TOO_MUCH, str(error)) from None


def is_forwarded(headers: MutableMapping[str, str]) -> bool:
    """Did a proxy pass the request on?"""
    names = {name.lower() for name in headers}
    return not names.isdisjoint({"x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip"})


def _headers(scope: Scope) -> dict[str, str]:
    """The request's headers. Raises Refused when one that is judged by comes twice."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "content-length"):
            raise Refused(400, f"The header {name} came twice.")
        found[name] = value.decode("latin-1")
    return found


def _with_headers(send: Send) -> Send:
    """``send`` that adds to every response how browsers are to treat it."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return sending


async def _drain(receive: Receive) -> None:
    """Read the rest of a request and throw it away."""
    while (await receive()).get("more_body"):
        pass


async def _answer(scope: Scope, receive: Receive, send: Send, refused: Refused) -> None:
    """Answer a request that is not passed on; a websocket is not even opened.

    Of an upload that is over a quota the rest is read and thrown away, and of any other request
    what comes at once: clients that are cut off in the middle do not read the answer.
    """
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refused.text})
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_drain(receive), None if refused.status == _TOO_MUCH else _DRAIN_S)
    body = f"{refused.text}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
