"""Limits on what one visitor may upload: in a day, and into memory at once."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from gymform import limits
from gymform.errors import QuotaError

DAY_S = 24 * 3600.0

_KEYS = 10_000
"""Visitors whose uploads are counted, the latest ones."""


class DailyBytes:
    """Counts each visitor's bytes over the last 24 hours; a restart sets them to 0."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()

    def left(self, key: str, limit: int) -> int:
        """Bytes that this visitor may still upload, of ``limit`` in a day."""
        with self._lock:
            return max(0, limit - self._used(key))

    def charge(self, key: str, count: int, limit: int) -> None:
        """Add ``count`` bytes. Raises QuotaError, and adds nothing, when they are too many."""
        with self._lock:
            used = self._used(key)
            if used + count > limit:
                raise QuotaError(
                    f"One visitor may upload {in_words(limit)} in 24 hours, and you have "
                    f"{in_words(limit - used)} left: too little for this clip of "
                    f"{in_words(count)}. Try again tomorrow, or ask whoever runs gymform here."
                )
            self._spent.setdefault(key, deque()).append((self._clock(), count))
            self._spent.move_to_end(key)
            if len(self._spent) > _KEYS:
                self._spent.popitem(last=False)

    def _used(self, key: str) -> int:
        spent = self._spent.get(key, deque())
        while spent and spent[0][0] < self._clock() - DAY_S:
            spent.popleft()
        return sum(count for _, count in spent)


class UploadRoom:
    """The memory that one visitor's uploads may take until their pages take them.

    The server keeps an upload in memory until a page has read it or the session has ended, and a
    client need not tell any page of it. ``waiting`` says what lies there of a session, bytes by
    file, and ``drop`` lets go of one.
    """

    def __init__(
        self,
        waiting: Callable[[str], Mapping[str, int]],
        drop: Callable[[str, str], None],
        limit: int = limits.MAX_UPLOAD_BYTES,
    ) -> None:
        self._waiting, self._drop, self._limit = waiting, drop, limit
        self._lock = threading.Lock()
        self._arriving: Counter[str] = Counter()

    @contextmanager
    def taken(self, key: str, count: int, sessions: Iterable[str]) -> Iterator[None]:
        """Within, ``count`` bytes of this visitor arrive.

        Uploads that wait in any of their ``sessions`` make way, the first ones first. Raises
        QuotaError when others that arrive at the same time leave too little room.
        """
        with self._lock:
            if self._arriving[key] and self._arriving[key] + count > self._limit:
                raise QuotaError(
                    "Another upload of yours has not arrived yet. Try again when it has."
                )
            self._arriving[key] += count
            self._make_way(self._limit - self._arriving[key], sessions)
        try:
            yield
        finally:
            with self._lock:
                self._arriving[key] -= count
                if not self._arriving[key]:
                    del self._arriving[key]

    def _make_way(self, left: int, sessions: Iterable[str]) -> None:
        """Drop uploads until the rest fits into ``left`` bytes."""
        files = [(one, file, size) for one in sessions for file, size in self._waiting(one).items()]
        total = sum(size for _, _, size in files)
        for session, file, size in files:
            if total <= left:
                break
            self._drop(session, file)
            total -= size


def in_words(count: int) -> str:
    """Bytes as text, in whole MB or in kB."""
    return f"{count / 1024**2:,.0f} MB" if count >= 1024**2 else f"{count / 1024:,.1f} kB"


def address_key(address: str) -> str:
    """The quota key of an address: the address itself, or for IPv6 its network.

    One household has an IPv6 network of 2^64 addresses.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
