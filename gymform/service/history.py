"""The history: one row for every analysis that somebody asked for, and what they noted about it.

Only this module opens ``history.sqlite``, which lies beside the results. A row has an address that
cannot be guessed. Who has it may look at the result; only its owner, or an admin, finds it in the
list and may change or delete it. Rows of analyses that wait or run are taken up again after a
restart.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from gymform.errors import GymformError, NotAllowedError, OptionsError
from gymform.roles import Role, asking
from gymform.storage import data_dir
from gymform.text import cleaned

SCHEMA = 1
"""Version of the tables, stored as SQLite's ``user_version``."""

WAITING, DONE, FAILED = "waiting", "done", "failed"
"""States of a row. One that runs waits as well: after a restart it begins anew."""

MAX_STARTS = 2
"""How often an analysis is begun before it counts as failed: it may have ended the app itself."""

MAX_LIFTER, MAX_EXERCISE, MAX_NOTE = 80, 80, 2000
"""Longest texts that can be noted, characters."""

MAX_LOAD_KG = 1000.0
"""Heaviest load that can be noted, kg."""

BUSY_TIMEOUT_S = 30.0

_MIGRATIONS = (
    """
    CREATE TABLE results (
        address TEXT PRIMARY KEY, key TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
        path TEXT NOT NULL, options TEXT NOT NULL, clip_sha256 TEXT NOT NULL,
        state TEXT NOT NULL, problem TEXT NOT NULL, starts INTEGER NOT NULL,
        created_at TEXT NOT NULL, took_s REAL,
        found TEXT NOT NULL, verdict TEXT NOT NULL, summary TEXT NOT NULL,
        exercise TEXT NOT NULL, lifter TEXT NOT NULL, day TEXT NOT NULL, load_kg REAL,
        note TEXT NOT NULL, favourite INTEGER NOT NULL, reference INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX results_of_owner ON results (owner, key);
    CREATE INDEX results_by_key ON results (key);
    CREATE INDEX results_by_clip ON results (clip_sha256);
    CREATE INDEX results_by_time ON results (state, created_at);
    """,
)
"""Each brings the tables from the version of its index to the next."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Entry:
    """One row.

    ``address`` cannot be guessed; ``key`` names the result's folder, ``path`` is the clip with its
    ``name`` and the ``options`` of its analysis as plain data. ``owner`` is whoever asked for it,
    "" where there are no roles. ``problem`` says why it failed. ``found`` is the label of the
    prediction, ``verdict`` the result in one line, ``summary`` its figures as plain data; they are
    empty until it is done, in ``took_s`` seconds. The rest is what people note: the ``exercise``
    (at first what was found), the ``lifter``, the ``day`` (ISO), the load, a note, whether it is a
    ``favourite``, and whether it is the lifter's ``reference`` of its exercise.
    """

    address: str
    key: str
    owner: str
    name: str
    path: str
    options: dict[str, Any]
    clip_sha256: str = ""
    state: str = WAITING
    problem: str = ""
    starts: int = 0
    created_at: str = ""
    took_s: float | None = None
    found: str = ""
    verdict: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    exercise: str = ""
    lifter: str = ""
    day: str = ""
    load_kg: float | None = None
    note: str = ""
    favourite: bool = False
    reference: bool = False


_FIELDS = tuple(one.name for one in fields(Entry))
_AS_JSON = ("options", "summary")
_FLAGS = ("favourite", "reference")


def _in_words(call: Callable[P, R]) -> Callable[P, R]:
    """``call`` with SQLite's errors raised as a GymformError that says what to do."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (sqlite3.Error, OSError) as error:
            raise GymformError(_explain(error)) from error

    return wrapped


def _explain(error: Exception) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "The history is in use by another process. Try again in a moment."
    if "full" in text:
        return "The disk is full. Free some space and try again."
    return (
        "The history of results cannot be read or written: history.sqlite in gymform's data folder "
        "is damaged or not accessible. The results themselves are not affected. Restore the file, "
        "or move it away: a new one is then made."
    )


class History:
    """The open history; threads may share it, and processes may open it at the same time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    @_in_words
    def open(cls, path: Path | None = None) -> History:
        """The history at ``path``, by default in gymform's folder; made where there is none.

        Raises GymformError when it cannot be read, or was written by a later version.
        """
        path = path or data_dir() / "history.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Close the file; the history cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    # -- analyses that come and end ------------------------------------------------------------

    @_in_words
    def add(
        self, key: str, *, name: str, path: Path, options: Mapping[str, Any], clip_sha256: str,
        owner: str = "", summary: Mapping[str, Any] | None = None,
    ) -> Entry:  # fmt: skip
        """The row of this owner for the result ``key``: the one that is there, or a new one.

        ``summary`` is that of a result that is there already; without it the row waits, whatever
        it did before.
        """
        now = datetime.now(UTC)
        entry = Entry(
            secrets.token_urlsafe(16), key, owner, cleaned(name) or "clip", str(path),
            dict(options), clip_sha256, created_at=now.isoformat(timespec="seconds"),
            day=now.astimezone().date().isoformat(),
        )  # fmt: skip
        with self._write():
            self._insert(entry, "ON CONFLICT (owner, key) DO NOTHING")
            self._connection.execute(
                "UPDATE results SET state = ?, problem = '', starts = 0, path = ? "
                "WHERE owner = ? AND key = ?",
                (WAITING, str(path), owner, key),
            )
            if summary is not None:
                self._finish(key, summary, None)
            (row,) = self._rows("WHERE owner = ? AND key = ?", (owner, key))
        return row

    @_in_words
    def begin(self, key: str) -> None:
        """The analysis ``key``, which waited, is begun."""
        with self._write():
            self._connection.execute(
                "UPDATE results SET starts = starts + 1 WHERE key = ? AND state = ?",
                (key, WAITING),
            )

    @_in_words
    def finish(self, key: str, summary: Mapping[str, Any], took_s: float | None) -> None:
        """The analysis ``key`` is done: keep what was found. ``summary`` as `service.summary`."""
        with self._write():
            self._finish(key, summary, took_s)

    @_in_words
    def fail(self, key: str, problem: str) -> None:
        """The analysis ``key`` ended without a result, for the reason ``problem``."""
        with self._write():
            self._connection.execute(
                "UPDATE results SET state = ?, problem = ? WHERE key = ? AND state = ?",
                (FAILED, problem, key, WAITING),
            )

    @_in_words
    def is_waiting(self) -> bool:
        """Whether anything waits or runs."""
        with self._lock:
            return next(self._rows("WHERE state = ? LIMIT 1", (WAITING,)), None) is not None

    @_in_words
    def unfinished(self) -> list[Entry]:
        """What an app that ended left waiting, one row for each key, oldest first.

        What was begun `MAX_STARTS` times has failed; what only waited never does.
        """
        with self._write():
            self._connection.execute(
                "UPDATE results SET state = ?, problem = ? WHERE state = ? AND starts >= ?",
                (FAILED, _OFTEN, WAITING, MAX_STARTS),
            )
            rows = list(self._rows("WHERE state = ? ORDER BY created_at, rowid", (WAITING,)))
        first: dict[str, Entry] = {}
        for row in rows:
            first.setdefault(row.key, row)
        return list(first.values())

    # -- looking --------------------------------------------------------------------------------

    @_in_words
    def get(self, address: str) -> Entry | None:
        """The row at an address, whoever asks: who has the address may look. None without one."""
        with self._lock:
            return next(self._rows("WHERE address = ?", (address[:64],)), None)

    @_in_words
    def find(
        self,
        *,
        search: str = "",
        exercise: str = "",
        lifter: str = "",
        favourites: bool = False,
        states: Sequence[str] = (DONE,),
        first: int = 0,
        most: int = 24,
    ) -> tuple[list[Entry], int]:
        """Rows of the visitor who asks, newest day first, and how many there are in all.

        An admin gets everybody's. Every word of ``search`` must occur in the clip's name, the
        lifter, the exercise, the verdict or the note; capitals do not matter.
        """
        where, values = _mine()
        where += [f"state IN ({', '.join('?' * len(states))})"]
        values += states
        for word in cleaned(search).split()[:8]:
            where.append(f"({_TEXTS}) LIKE ? ESCAPE '\\'")
            values.append(f"%{_escaped(word)}%")
        for column, value in (("exercise", exercise), ("lifter", lifter)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if favourites:
            where.append("favourite = 1")
        condition = "WHERE " + " AND ".join(where)
        order = "ORDER BY day DESC, created_at DESC, rowid DESC LIMIT ? OFFSET ?"
        with self._lock:
            count = self._connection.execute(
                f"SELECT count(*) FROM results {condition}", values
            ).fetchone()[0]
            return list(self._rows(f"{condition} {order}", (*values, most, first))), int(count)

    @_in_words
    def choices(self, column: str) -> list[str]:
        """The exercises or lifters (``column``) that occur in the visitor's finished rows."""
        if column not in ("exercise", "lifter"):
            raise ValueError(f"History.choices: expected exercise or lifter, got {column!r}")
        where, values = _mine()
        condition = " AND ".join([*where, f"{column} != ''", "state = ?"])
        with self._lock:
            rows = self._connection.execute(
                f"SELECT DISTINCT {column} FROM results WHERE {condition} ORDER BY {column}",
                (*values, DONE),
            )
            return [str(row[0]) for row in rows]

    @_in_words
    def pace(self) -> float | None:
        """Seconds that an analysis lately took for each frame here; None before the first.

        The median of the last nine: one that had to wait for the disk does not count.
        """
        with self._lock:
            rows = self._connection.execute(
                "SELECT took_s, json_extract(summary, '$.frames') FROM results "
                "WHERE state = ? AND took_s > 0 ORDER BY rowid DESC LIMIT 9",
                (DONE,),
            ).fetchall()
        each = sorted(took_s / frames for took_s, frames in rows if frames)
        return each[len(each) // 2] if each else None

    @_in_words
    def reference_of(self, exercise: str, lifter: str) -> Entry | None:
        """The visitor's result that a new one of this exercise and lifter is compared with."""
        where, values = _mine()
        condition = [*where, "reference = 1", "exercise = ?", "lifter = ?", "state = ?"]
        text = "WHERE " + " AND ".join(condition)
        with self._lock:
            return next(self._rows(text, (*values, exercise, lifter, DONE)), None)

    # -- notes ----------------------------------------------------------------------------------

    @_in_words
    def edit(self, address: str, **notes: Any) -> Entry:
        """Change what is noted: exercise, lifter, day, load_kg, note, favourite, reference.

        A new reference takes the place of the lifter's former one of that exercise. Raises
        NotAllowedError for somebody else's result, OptionsError for a value that is none.
        """
        values = checked_notes(notes)
        with self._write():
            entry = self._mine(address)
            columns = ", ".join(f"{name} = ?" for name in values)
            if columns:
                self._connection.execute(
                    f"UPDATE results SET {columns} WHERE address = ?", (*values.values(), address)
                )
            (entry,) = self._rows("WHERE address = ?", (address,))
            if entry.reference:
                self._connection.execute(
                    "UPDATE results SET reference = 0 WHERE address != ? AND owner = ? "
                    "AND exercise = ? AND lifter = ?",
                    (address, entry.owner, entry.exercise, entry.lifter),
                )
        return entry

    # -- deletion -------------------------------------------------------------------------------

    def check_mine(self, address: str) -> Entry:
        """The row at ``address``. Raises NotAllowedError unless it is the visitor's own."""
        with self._lock:
            return self._mine(address)

    @_in_words
    def take(
        self, *, key: str = "", clip_sha256: str = "", keys: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """Take out the rows of a result, of a clip and of ``keys``; as data for `put_back`."""
        with self._write():
            rows: dict[str, Entry] = {}
            for column, value in (
                ("key", key), ("clip_sha256", clip_sha256), *(("key", one) for one in keys)
            ):  # fmt: skip
                if value:
                    found = self._rows(f"WHERE {column} = ?", (value,))
                    rows |= {one.address: one for one in found}
            self._connection.executemany(
                "DELETE FROM results WHERE address = ?", [(address,) for address in rows]
            )
        return [_as_data(one) for one in rows.values()]

    @_in_words
    def put_back(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Bring back what :meth:`take` took out; what is there again stays as it is."""
        with self._write():
            for row in rows:
                self._insert(Entry(**row), "ON CONFLICT DO NOTHING")

    @_in_words
    def drop(self, address: str) -> None:
        """Forget a row that never was finished; one that is done stays."""
        with self._write():
            self._connection.execute(
                "DELETE FROM results WHERE address = ? AND state != ?", (address, DONE)
            )

    @_in_words
    def prune(self, there: Collection[str]) -> int:
        """Forget finished rows whose result's key is not ``there`` any more; how many."""
        with self._write():
            rows = self._connection.execute(
                "SELECT DISTINCT key FROM results WHERE state = ?", (DONE,)
            ).fetchall()
            gone = [(key,) for (key,) in rows if key not in there]
            self._connection.executemany("DELETE FROM results WHERE key = ?", gone)
        return len(gone)

    @_in_words
    def favourite_keys(self) -> set[str]:
        """Keys of the results that do not make way when space is short."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key FROM results WHERE favourite = 1 OR reference = 1"
            )
            return {str(row[0]) for row in rows}

    # -- with the lock held ---------------------------------------------------------------------

    @contextlib.contextmanager
    def _write(self) -> Iterator[None]:
        """A transaction: all of it, or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _finish(self, key: str, summary: Mapping[str, Any], took_s: float | None) -> None:
        found = str(summary.get("exercise", ""))
        self._connection.execute(
            "UPDATE results SET state = ?1, problem = '', took_s = coalesce(?2, took_s), "
            "found = ?3, verdict = ?4, summary = ?5, "
            "exercise = CASE exercise WHEN '' THEN ?3 ELSE exercise END WHERE key = ?6",
            (DONE, took_s, found, str(summary.get("verdict", "")), json.dumps(summary), key),
        )

    def _mine(self, address: str) -> Entry:
        entry = next(self._rows("WHERE address = ?", (address[:64],)), None)
        if entry is None:
            raise OptionsError(GONE)
        owner = whose()
        if owner is not None and entry.owner != owner:
            raise NotAllowedError(
                "This result belongs to somebody else: it can be looked at, not changed."
            )
        return entry

    def _rows(self, condition: str, values: Sequence[Any]) -> Iterator[Entry]:
        names = ", ".join(_FIELDS)
        for row in self._connection.execute(f"SELECT {names} FROM results {condition}", values):
            data = dict(zip(_FIELDS, row, strict=True))
            data |= {name: json.loads(data[name]) for name in _AS_JSON}
            data |= {name: bool(data[name]) for name in _FLAGS}
            yield Entry(**data)

    def _insert(self, entry: Entry, conflict: str) -> None:
        data = _as_data(entry)
        data |= {name: json.dumps(data[name]) for name in _AS_JSON}
        data |= {name: int(data[name]) for name in _FLAGS}
        names, marks = ", ".join(_FIELDS), ", ".join("?" * len(_FIELDS))
        self._connection.execute(
            f"INSERT INTO results ({names}) VALUES ({marks}) {conflict}",
            [data[name] for name in _FIELDS],
        )


GONE = (
    "There is no result at this address: it was deleted, or the address is not complete. "
    "Look for it in the history."
)
"""What is said of an address that leads nowhere."""

_OFTEN = (
    "gymform ended twice while it analysed this clip, so it was not begun again. "
    "Try a shorter clip, or save it as MP4 first."
)

_TEXTS = "name || ' ' || lifter || ' ' || exercise || ' ' || verdict || ' ' || note"


def whose() -> str | None:
    """The owner whose results the visitor may list and change; None: everybody's."""
    visitor = asking()
    return None if visitor is None or visitor.may(Role.ADMIN) else visitor.owner


def owner_of_new() -> str:
    """The owner of a result that the visitor asks for; "" in the terminal and without roles."""
    visitor = asking()
    return "" if visitor is None else visitor.owner


def _mine() -> tuple[list[str], list[Any]]:
    """A condition on the rows that the visitor may list, with its values."""
    owner = whose()
    return ([], []) if owner is None else (["owner = ?"], [owner])


def _escaped(word: str) -> str:
    """``word`` as LIKE looks for it."""
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _as_data(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _FIELDS}


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise OptionsError(f"Expected a day such as 2026-03-31, got {str(value)[:20]!r}.") from None


def _load(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        load = float(value)
    except (TypeError, ValueError):
        load = math.nan
    if not 0 <= load <= MAX_LOAD_KG:
        raise OptionsError(f"Load: expected 0 to {MAX_LOAD_KG:g} kg, got {str(value)[:20]!r}.")
    return load


_NOTES: dict[str, Callable[[Any], Any]] = {
    "exercise": lambda text: cleaned(str(text), MAX_EXERCISE),
    "lifter": lambda text: cleaned(str(text), MAX_LIFTER),
    "note": lambda text: cleaned(str(text), MAX_NOTE, lines=True),
    "day": _day,
    "load_kg": _load,
    "favourite": lambda yes: int(bool(yes)),
    "reference": lambda yes: int(bool(yes)),
}
"""What can be noted, and how a value is made safe to keep."""


def checked_notes(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Notes that are safe to keep. Raises OptionsError for a value that is none."""
    return {name: _NOTES[name](value) for name, value in notes.items()}


def _prepare(connection: sqlite3.Connection) -> None:
    """Bring the tables to this version. Raises GymformError for those of a later one."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise GymformError(
                f"The history was written by a later version of gymform (layout {version}, this "
                f"one reads {SCHEMA}). Start that version, or move history.sqlite away."
            )
        for migration in _MIGRATIONS[version:]:
            for statement in migration.split(";"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
