"""The visitor of each session, as the pages know it, for uploads, which bypass the pages."""

from __future__ import annotations

import threading
from collections import OrderedDict

from gymform.roles import Visitor

_KEPT = 10_000
"""Sessions that are kept, the latest ones."""


class Visits:
    """The visitor of every session that has run a page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()

    def note(self, session: str, visitor: Visitor) -> None:
        """Store that this session belongs to this visitor."""
        with self._lock:
            self._visitors[session] = visitor
            self._visitors.move_to_end(session)
            if len(self._visitors) > _KEPT:
                self._visitors.popitem(last=False)

    def of(self, session: str) -> Visitor | None:
        """The visitor of a session; None when it has not run a page."""
        with self._lock:
            return self._visitors.get(session)

    def sessions(self, key: str) -> list[str]:
        """The sessions of the visitor with this quota key, the latest one last."""
        with self._lock:
            return [session for session, one in self._visitors.items() if one.key == key]
