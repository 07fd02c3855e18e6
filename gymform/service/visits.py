"""Who sits behind which session, as the pages found out: uploads come by another way than they."""

from __future__ import annotations

import threading
from collections import OrderedDict

from gymform.roles import Visitor

_KEPT = 10_000
"""Sessions that are remembered, the latest ones."""


class Visits:
    """The visitor of every session that has run a page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()

    def note(self, session: str, visitor: Visitor) -> None:
        """This session is this visitor's, from now on."""
        with self._lock:
            self._visitors[session] = visitor
            self._visitors.move_to_end(session)
            if len(self._visitors) > _KEPT:
                self._visitors.popitem(last=False)

    def of(self, session: str) -> Visitor | None:
        """Whose session it is, None when it has run no page."""
        with self._lock:
            return self._visitors.get(session)
