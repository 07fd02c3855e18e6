"""The message from the page to its watch over the server. `payload.js` has the same."""

from __future__ import annotations

from typing import TypedDict


class RestartData(TypedDict):
    """An address that every run of the server responds to, the header that names the run, and the
    ``run`` that made the page."""

    url: str
    header: str
    run: str
