"""The data set's database: clips, items and every decision ever made about them.

Only this module opens ``dataset.sqlite``. Decisions are appended and never changed; an item's
current state follows from those that were not undone, see `standing.py`. When a call returns, its
change is on disk: SQLite in WAL mode with ``synchronous=FULL`` lost no acknowledged commit to
``kill -9``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from gymform.dataset.items import (
    BEST,
    DISPUTED,
    EXTRACTED,
    FAILED,
    GIVEN,
    GROUP,
    JUDGED,
    LEARN,
    NAME,
    ORDERS,
    PENDING,
    REASONS,
    RECENT,
    RELABEL,
    SETTLE,
    STATES,
    TRIM,
    UNDO,
    VERDICT,
    VERDICTS,
    WORST,
    ClipDecision,
    ClipRecord,
    Copy,
    DatasetFiles,
    Decision,
    Filter,
    Item,
    Judged,
    Quality,
)
from gymform.dataset.ranking import read_ranking
from gymform.dataset.standing import as_seen_by, is_open, is_own, standing
from gymform.errors import ConflictError, DatasetError, OptionsError
from gymform.installation import program
from gymform.roles import Role, check_name, require
from gymform.text import cleaned

SCHEMA = 3
"""Version of the tables, stored as SQLite's ``user_version``. Older ones are brought up to it."""

BUSY_TIMEOUT_S = 30.0
"""How long to wait while another process writes; a decision takes milliseconds."""

MAX_NAME = 80
"""Longest name of an exercise, characters."""

MAX_COMMENT = 2000
"""Longest comment, characters."""

_TABLES = """
CREATE TABLE clips (
    sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, suffix TEXT NOT NULL, exercise TEXT NOT NULL,
    "group" TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    duration_s REAL NOT NULL, fps REAL NOT NULL, frames INTEGER NOT NULL,
    imported_at TEXT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    fingerprint BLOB NOT NULL
) STRICT;
CREATE TABLE copies (
    clip TEXT NOT NULL REFERENCES clips, of TEXT NOT NULL REFERENCES clips,
    mirrored INTEGER NOT NULL, likeness REAL NOT NULL, PRIMARY KEY (clip, of)
) STRICT;
CREATE TABLE items (
    id TEXT PRIMARY KEY, clip_sha256 TEXT NOT NULL REFERENCES clips,
    exercise TEXT NOT NULL, "group" TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
    part INTEGER NOT NULL, name TEXT NOT NULL,
    quality REAL, problems TEXT NOT NULL, notes TEXT NOT NULL
) STRICT;
CREATE INDEX items_of_clip ON items (clip_sha256);
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, item_id TEXT NOT NULL REFERENCES items,
    kind TEXT NOT NULL, verdict TEXT NOT NULL, reasons TEXT NOT NULL, comment TEXT NOT NULL,
    reviewer TEXT NOT NULL, at TEXT NOT NULL, value TEXT NOT NULL,
    undoes INTEGER UNIQUE REFERENCES decisions
) STRICT;
CREATE INDEX decisions_on_item ON decisions (item_id);
CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""

_REMAIN = """
CREATE TRIGGER decisions_remain BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""

_CLIP_DECISIONS = """
CREATE TABLE clip_decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, clip_sha256 TEXT NOT NULL REFERENCES clips,
    kind TEXT NOT NULL, reviewer TEXT NOT NULL, at TEXT NOT NULL, value TEXT NOT NULL,
    batch INTEGER NOT NULL, undoes INTEGER UNIQUE REFERENCES clip_decisions
) STRICT;
CREATE INDEX decisions_on_clip ON clip_decisions (clip_sha256);
CREATE TRIGGER clip_decisions_stay BEFORE UPDATE ON clip_decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""

_CLIP_REMAIN = """
CREATE TRIGGER clip_decisions_remain BEFORE DELETE ON clip_decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
"""

_RULES = """
CREATE TABLE rules (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, value TEXT NOT NULL,
    reviewer TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TRIGGER rules_stay BEFORE UPDATE ON rules
    BEGIN SELECT RAISE(ABORT, 'rules are only ever added'); END;
CREATE TRIGGER rules_remain BEFORE DELETE ON rules
    BEGIN SELECT RAISE(ABORT, 'rules are only ever added'); END;
"""

_UPGRADES = {0: _TABLES + _REMAIN, 1: _CLIP_DECISIONS + _CLIP_REMAIN, 2: _RULES}
"""What makes the tables of each version those of the next; version 0 is an empty database."""

_BLIND = "blind"
"""The rule by which reviewers judge blind; its latest value counts."""

_OF_CLIP = {
    "clips": "sha256 = ?1",
    "copies": "clip = ?1 OR of = ?1",
    "items": "clip_sha256 = ?1",
    "decisions": "item_id IN (SELECT id FROM items WHERE clip_sha256 = ?1)",
    "clip_decisions": "clip_sha256 = ?1",
}
"""What each table holds of a clip; in this order rows can be inserted, and backwards deleted."""

_IN_FORCE = """
SELECT * FROM decisions d WHERE d.kind != 'undo'
AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.undoes = d.number)
"""
"""Decisions that were not undone."""

_CLIP_IN_FORCE = """
SELECT * FROM clip_decisions d WHERE d.undoes IS NULL
AND NOT EXISTS (SELECT 1 FROM clip_decisions u WHERE u.undoes = d.number)
"""
"""The same for decisions about clips."""

_CLIP_FIELDS = tuple(field.name for field in dataclasses.fields(ClipRecord))
_ITEM_FIELDS = tuple(field.name for field in dataclasses.fields(Item))

P = ParamSpec("P")
R = TypeVar("R")


def _in_words(call: Callable[P, R]) -> Callable[P, R]:
    """``call`` with SQLite's errors raised as a DatasetError that says what to do."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except sqlite3.Error as error:
            raise DatasetError(_explain(error)) from error

    return wrapped


class ReviewStore:
    """An open data set; threads may share it, and processes may open it at the same time."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.files = DatasetFiles(folder)
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    @_in_words
    def open(cls, folder: Path, create: bool = False) -> ReviewStore:
        """The data set in ``folder``; with ``create`` a new one where there is none.

        Raises DatasetError when there is none, or this version cannot read it.
        """
        path = DatasetFiles(folder).store
        if not path.is_file():
            if not create:
                raise DatasetError(
                    f"There is no data set in {folder.name or 'this folder'}: expected a file "
                    f"{path.name}. Make one with: {program()} import FOLDER --to DATASET"
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatasetError(
                    f"The folder {folder.name} cannot be created: {error.strerror}."
                ) from error
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return cls(folder, connection)

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> ReviewStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- clips ----------------------------------------------------------------------------------

    @_in_words
    def add_clip(
        self,
        clip: ClipRecord,
        items: Sequence[Item] = (),
        *,
        fingerprint: bytes = b"",
        copies: Sequence[Copy] = (),
    ) -> bool:
        """Add ``clip``; False, and nothing is changed, when its sha256 is there already.

        ``fingerprint`` is what `gymform.dataset.duplicates` knows copies by; ``copies`` are the
        stored clips of which it found this one to be a copy.
        """
        columns = ", ".join(f'"{name}"' for name in _CLIP_FIELDS)
        marks = ", ".join("?" * len(_CLIP_FIELDS))
        with self._writing() as db:
            added = db.execute(
                f"INSERT OR IGNORE INTO clips ({columns}, fingerprint) VALUES ({marks}, ?)",
                (*dataclasses.astuple(clip), fingerprint),
            ).rowcount
            if added:
                for item in items:
                    _insert_item(db, item, None)
                _insert_copies(db, copies)
        return bool(added)

    @_in_words
    def add_copies(self, copies: Sequence[Copy]) -> None:
        """Store that these pairs show the same recording; known pairs are not changed."""
        with self._writing() as db:
            _insert_copies(db, copies)

    @_in_words
    def clips(self) -> list[ClipRecord]:
        """All clips, by name, in the groups that they are in now."""
        with self._reading():
            groups = self._groups()
            rows = self._rows("SELECT * FROM clips ORDER BY name, sha256")
            return [_regrouped(_clip(row), groups) for row in rows]

    @_in_words
    def clip(self, sha256: str) -> ClipRecord:
        """One clip. Raises DatasetError when there is none of that sha256."""
        with self._reading():
            for row in self._rows("SELECT * FROM clips WHERE sha256 = ?", sha256):
                return _regrouped(_clip(row), self._groups(sha256))
        raise DatasetError(f"The data set has no clip {sha256[:12]}. Import it again.")

    @_in_words
    def states(self) -> dict[str, int]:
        """The number of clips in each state: imported (they wait), extracted, failed."""
        rows = self._rows("SELECT state, count(*) AS n FROM clips GROUP BY state")
        return dict.fromkeys(STATES, 0) | {row["state"]: row["n"] for row in rows}

    @_in_words
    def fingerprints(self) -> dict[str, bytes]:
        """Every clip's fingerprint, by sha256."""
        rows = self._rows("SELECT sha256, fingerprint FROM clips")
        return {row["sha256"]: row["fingerprint"] for row in rows}

    @_in_words
    def copies(self) -> list[Copy]:
        """Pairs of clips of which one was found to be a copy of the other."""
        rows = self._rows("SELECT * FROM copies ORDER BY clip, of")
        return [
            Copy(row["clip"], row["of"], bool(row["mirrored"]), row["likeness"]) for row in rows
        ]

    @_in_words
    def set_extracted(
        self, sha256: str, items: Sequence[Item], qualities: Sequence[Quality]
    ) -> None:
        """Mark a clip as extracted, and store its items with their qualities.

        When somebody has already decided about an item of the clip, its items are kept as they
        are, and only their qualities are updated.
        """
        with self._writing() as db:
            self._set_state(db, sha256, EXTRACTED, "")
            judged = db.execute(
                "SELECT 1 FROM decisions JOIN items ON items.id = item_id WHERE clip_sha256 = ?",
                (sha256,),
            ).fetchone()
            if judged is None:
                db.execute("DELETE FROM items WHERE clip_sha256 = ?", (sha256,))
            for item, quality in zip(items, qualities, strict=True):
                if judged is None:
                    _insert_item(db, item, quality)
                else:
                    _renew_quality(db, item.id, quality)

    @_in_words
    def set_failed(self, sha256: str, reason: str) -> None:
        """Mark a clip as failed: its keypoints could not be extracted, for this reason."""
        with self._writing() as db:
            self._set_state(db, sha256, FAILED, reason)

    def _set_state(self, db: sqlite3.Connection, sha256: str, state: str, reason: str) -> None:
        self.clip(sha256)
        db.execute(
            "UPDATE clips SET state = ?, reason = ? WHERE sha256 = ?", (state, reason, sha256)
        )

    # --- deletion -------------------------------------------------------------------------------

    @_in_words
    def items_of(self, sha256: str) -> list[str]:
        """Ids of a clip's items."""
        rows = self._rows("SELECT id FROM items WHERE clip_sha256 = ? ORDER BY part", sha256)
        return [row["id"] for row in rows]

    @_in_words
    def remove_clip(self, sha256: str, before: Callable[[dict[str, Any]], None]) -> None:
        """Delete a clip, its items, and all decisions about them, in one transaction.

        ``before`` is given the rows, as :meth:`put_back` takes them, while nobody else can write;
        when it raises, nothing is deleted. Raises DatasetError when the clip is not there.
        """
        with self._writing() as db:
            self.clip(sha256)
            before({table: self._rows_of(table, sha256) for table in _OF_CLIP})
            db.execute("DROP TRIGGER decisions_remain")
            db.execute("DROP TRIGGER clip_decisions_remain")
            for table, of_clip in reversed(_OF_CLIP.items()):
                db.execute(f"DELETE FROM {table} WHERE {of_clip}", (sha256,))
            db.execute(_REMAIN)
            db.execute(_CLIP_REMAIN)

    def _rows_of(self, table: str, sha256: str) -> list[dict[str, Any]]:
        """A clip's rows; bytes as hexadecimal digits, so that all of it fits into JSON."""
        return [
            {
                name: {"hex": value.hex()} if isinstance(value, bytes) else value
                for name, value in zip(row.keys(), row, strict=True)
            }
            for row in self._rows(f"SELECT * FROM {table} WHERE {_OF_CLIP[table]}", sha256)
        ]

    @_in_words
    def put_back(self, rows: Mapping[str, Any]) -> None:
        """Insert what :meth:`remove_clip` gave. Raises DatasetError when the clip is there again.

        That it was a copy of a clip that is no longer there is left out.
        """
        with self._writing() as db:
            there = {clip.sha256 for clip in self.clips()}
            new = {row["sha256"] for row in rows["clips"]}
            if there & new:
                raise DatasetError("The clip was imported again meanwhile: it cannot be restored.")
            for table in _OF_CLIP:
                for row in rows.get(table, ()):  # deleted by an older version: not all are there
                    if table != "copies" or {row["clip"], row["of"]} <= there | new:
                        _insert_row(db, table, row)

    @_in_words
    def rows_of(self, sha256: str) -> dict[str, list[dict[str, Any]]]:
        """All rows about a clip, as :meth:`take_in` takes them. Raises DatasetError without it."""
        with self._reading():
            self.clip(sha256)
            return {table: self._rows_of(table, sha256) for table in _OF_CLIP}

    @_in_words
    def take_in(self, clips: Sequence[Mapping[str, Any]]) -> None:
        """Add clips of another data set, as its :meth:`rows_of` gave them, all or none.

        Their decisions get numbers of this data set, in the same order. Raises DatasetError when
        one of the clips is here already.
        """
        with self._writing() as db:
            there = {clip.sha256 for clip in self.clips()}
            new = {row["sha256"] for rows in clips for row in rows["clips"]}
            if here := there & new:
                raise DatasetError(
                    f"{self.clip(min(here)).name} is in the data set {self.folder.name} already."
                )
            for rows in clips:
                for table in ("clips", "items"):
                    for row in rows[table]:
                        _insert_row(db, table, row)
            for rows in clips:
                for row in rows["copies"]:
                    if {row["clip"], row["of"]} <= there | new:
                        _insert_copies(db, [Copy(**row)])
            _insert_renumbered(db, "decisions", [r for rows in clips for r in rows["decisions"]])
            of_clips = [r for rows in clips for r in rows["clip_decisions"]]
            _insert_renumbered(db, "clip_decisions", of_clips)

    @_in_words
    def while_unchanged(self, call: Callable[[], None]) -> None:
        """``call()``; while it runs nobody else writes to the store, in any process."""
        with self._writing():
            call()

    # --- items as they are now ------------------------------------------------------------------

    @_in_words
    def judged(
        self,
        wanted: Filter = Filter(),  # noqa: B008 - frozen
        seen_by: str | None = None,
    ) -> list[Judged]:
        """The items that pass the filter, in its order. Raises OptionsError for an unknown order.

        The filter uses the current exercises, after relabelling. ``seen_by`` names a reviewer:
        while reviewers judge blind, items are then as that one may see them.
        """
        if wanted.order not in ORDERS:
            raise OptionsError(f"Expected an order of {', '.join(ORDERS)}, got {wanted.order!r}.")
        found = [judged for judged in self._all(seen_by=seen_by) if wanted.passes(judged)]
        found.sort(key=_ORDER_KEYS[wanted.order])
        if wanted.order == LEARN and (ranking := read_ranking(self.files)):
            found.sort(key=lambda one: -ranking.gains.get(one.item.id, -1.0))
        return found

    @_in_words
    def get(self, item_id: str, seen_by: str | None = None) -> Judged:
        """One item, as :meth:`judged` has it. Raises DatasetError when there is none of that id."""
        for judged in self._all(item_id, seen_by):
            return judged
        raise DatasetError(f"The data set has no item {item_id}. Reload the page.")

    @_in_words
    def counts(
        self,
        wanted: Filter = Filter(),  # noqa: B008 - frozen
        seen_by: str | None = None,
    ) -> dict[str, int]:
        """The number of items with each verdict, among those that pass the rest of the filter."""
        counts = dict.fromkeys(VERDICTS, 0)
        every_verdict = dataclasses.replace(wanted, verdicts=())
        for judged in self._all(seen_by=seen_by):
            if every_verdict.passes(judged):
                counts[judged.verdict] += 1
        return counts

    def _all(self, item_id: str | None = None, seen_by: str | None = None) -> list[Judged]:
        """All items, or the one of that id, as everybody or as one reviewer sees them."""
        names: tuple[str, ...] = () if item_id is None else (item_id,)
        only, of_item = ("WHERE id = ?", "AND d.item_id = ?") if names else ("", "")
        with self._reading():
            blind = seen_by if self.is_blind() else None
            groups = self._groups()
            items = self._rows(f"SELECT * FROM items {only}", *names)
            made: dict[str, list[Decision]] = {row["id"]: [] for row in items}
            for row in self._rows(f"{_IN_FORCE} {of_item} ORDER BY number", *names):
                made[row["item_id"]].append(_decision(row))
            latest = self._latest(of_item, names, None)
            visible = latest if blind is None else self._latest(of_item, names, blind)
        found = []
        for row in items:
            proposed, given = _proposed(row, groups), made[row["id"]]
            one = standing(proposed, given) if blind is None else as_seen_by(proposed, given, blind)
            numbers = latest if is_open(one) else visible
            found.append(dataclasses.replace(one, revision=numbers.get(row["id"], 0)))
        return found

    def _latest(self, of_item: str, names: Sequence[str], blind: str | None) -> dict[str, int]:
        """The number of the latest decision about each item, of those that ``blind`` may see."""
        query = f"SELECT item_id, max(number) AS latest FROM decisions d WHERE true {of_item}"
        seen: tuple[str, ...] = ()
        if blind is not None:
            query, seen = f"{query} AND (d.reviewer = ? OR d.kind = ?)", (blind, TRIM)
        rows = self._rows(f"{query} GROUP BY item_id", *names, *seen)
        return {row["item_id"]: row["latest"] for row in rows}

    # --- blind or openly ------------------------------------------------------------------------

    @_in_words
    def is_blind(self) -> bool:
        """Whether reviewers do not see what others decided before they have judged themselves."""
        query = "SELECT value FROM rules WHERE name = ? ORDER BY number DESC LIMIT 1"
        rows = self._rows(query, _BLIND)
        return bool(rows) and bool(json.loads(rows[0]["value"]))

    @_in_words
    def set_blind(self, blind: bool, *, reviewer: str) -> None:
        """Let all reviewers judge blind from now on, or openly again; kept with who said so."""
        require(Role.ADMIN, "To change whether reviewers judge blind")
        _check_reviewer(reviewer)
        with self._writing() as db:
            if self.is_blind() != blind:
                db.execute(
                    "INSERT INTO rules (name, value, reviewer, at) VALUES (?, ?, ?, ?)",
                    (_BLIND, json.dumps(blind), reviewer, _now()),
                )

    # --- decisions ------------------------------------------------------------------------------

    def decide(
        self,
        item_id: str,
        verdict: str,
        *,
        reviewer: str,
        reasons: Sequence[str] = (),
        comment: str = "",
        revision: int | None = None,
    ) -> Judged:
        """The item with its new verdict, which is on disk when this returns.

        ``revision`` is the one that the reviewer saw: raises ConflictError, and nothing is changed,
        when somebody else has decided since; while reviewers judge blind their verdicts are no
        conflict. About an item that the reviewer sees as disputed, or settled, it is the final
        decision. Raises OptionsError for an unknown verdict or reason.
        """
        _check_verdict(verdict, reasons, comment)
        comment = cleaned(comment, MAX_COMMENT, lines=True)
        return self._append(
            item_id, VERDICT, reviewer, {}, revision, verdict=verdict, reasons=reasons,
            comment=comment,
        )  # fmt: skip

    @_in_words
    def decide_all(
        self,
        item_ids: Iterable[str],
        verdict: str,
        *,
        reviewer: str,
        reasons: Sequence[str] = (),
        comment: str = "",
    ) -> list[Judged]:
        """The items, all with one verdict: all or none are written, and one undo undoes all.

        Raises like :meth:`decide`.
        """
        _check_verdict(verdict, reasons, comment)
        comment = cleaned(comment, MAX_COMMENT, lines=True)
        _check_reviewer(reviewer)
        item_ids = list(item_ids)
        with self._writing() as db:
            first, blind = self.revision() + 1, self.is_blind()
            for item_id in item_ids:
                now = self.get(item_id, reviewer)
                _check_taking_back(now, verdict, reviewer)
                kind, value = _as_made(now, VERDICT, {"batch": first}, verdict, blind)
                _insert(
                    db, item_id, kind, reviewer, value, verdict=verdict, reasons=reasons,
                    comment=comment,
                )  # fmt: skip
            return [self.get(item_id, reviewer) for item_id in item_ids]

    @_in_words
    def settle(
        self,
        item_ids: Iterable[str],
        verdict: str,
        *,
        reviewer: str,
        exercise: str = "",
        reasons: Sequence[str] = (),
        comment: str = "",
    ) -> list[Judged]:
        """The items, which were disputed, by a final decision of somebody who sees both verdicts.

        All or none are written, and one undo undoes all. ``exercise`` is what they show; without it
        what the items are called now. Raises OptionsError unless they are accepted or rejected,
        ConflictError when one of them is not disputed any more.
        """
        _check_verdict(verdict, reasons, comment)
        if verdict not in JUDGED:
            raise OptionsError(f"Expected {' or '.join(JUDGED)} to settle it, got {verdict!r}.")
        exercise = _checked_exercise(exercise) if exercise.strip() else ""
        comment = cleaned(comment, MAX_COMMENT, lines=True)
        _check_reviewer(reviewer)
        item_ids = list(item_ids)
        with self._writing() as db:
            first = self.revision() + 1
            for item_id in item_ids:
                now = self.get(item_id)
                if now.verdict != DISPUTED:
                    raise ConflictError(_not_disputed(now))
                value = {"batch": first, "exercise": exercise or now.item.exercise}
                _insert(
                    db, item_id, SETTLE, reviewer, value, verdict=verdict, reasons=reasons,
                    comment=comment,
                )  # fmt: skip
            return [self.get(item_id) for item_id in item_ids]

    def relabel(
        self, item_id: str, exercise: str, *, reviewer: str, revision: int | None = None
    ) -> Judged:
        """The item under another exercise. Raises like :meth:`decide`."""
        value = {"exercise": _checked_exercise(exercise)}
        return self._append(item_id, RELABEL, reviewer, value, revision)

    def trim(
        self,
        item_id: str,
        start_s: float,
        end_s: float,
        *,
        reviewer: str,
        revision: int | None = None,
    ) -> Judged:
        """The item with other bounds, s. Raises OptionsError when they are not within the clip."""
        duration_s = self.clip(self.get(item_id).item.clip_sha256).duration_s
        if not (math.isfinite(start_s) and math.isfinite(end_s)) or not (
            0 <= start_s < end_s <= duration_s + 1e-3
        ):
            raise OptionsError(
                f"Expected a start before the end, both from 0 to {duration_s:.2f} s; "
                f"got {start_s:.2f} to {end_s:.2f} s."
            )
        bounds = {"start_s": float(start_s), "end_s": float(end_s)}
        return self._append(item_id, TRIM, reviewer, bounds, revision)

    @_in_words
    def undo(self, reviewer: str, *, own: Collection[int] | None = None) -> Judged | None:
        """Undo the latest decision by ``reviewer``; the item, or None when there is no decision.

        Decisions made together are undone together. Decisions of others are kept, and so is, where
        ``own`` is given, every decision whose number is not in it.
        """
        _check_reviewer(reviewer)
        with self._writing() as db:
            limit = 1 if own is None else -1
            mine = self._rows(
                f"{_IN_FORCE} AND d.reviewer = ? ORDER BY number DESC LIMIT {limit}", reviewer
            )
            rows = [row for row in mine if own is None or row["number"] in own][:1]
            if not rows:
                return None
            last = rows[0]
            batch = json.loads(last["value"]).get("batch")
            if batch is not None:
                rows = self._rows(
                    f"{_IN_FORCE} AND json_extract(value, '$.batch') = ? ORDER BY number DESC",
                    batch,
                )
            for row in rows:
                value = {"undoes": row["number"]}
                _insert(db, row["item_id"], UNDO, reviewer, value, undoes=row["number"])
            return self.get(last["item_id"], reviewer)

    @_in_words
    def history(self, item_id: str, seen_by: str | None = None) -> list[Decision]:
        """Every decision about an item, including undone ones and undos, the oldest first.

        While reviewers judge blind, only those that the reviewer ``seen_by`` may see.
        """
        with self._reading():
            rows = self._rows("SELECT * FROM decisions WHERE item_id = ? ORDER BY number", item_id)
            made = [_decision(row) for row in rows]
            if seen_by is None or not self.is_blind():
                return made
            if is_open(self.get(item_id, seen_by)):
                return made
        return [one for one in made if is_own(one, seen_by)]

    @_in_words
    def verdicts_by_reviewer(self) -> dict[str, dict[str, str]]:
        """The latest verdict in force of each reviewer about each item, by item and reviewer.

        A final decision about a disputed item is none of them.
        """
        found: dict[str, dict[str, str]] = {}
        for row in self._rows(f"{_IN_FORCE} AND d.kind = ? ORDER BY number", VERDICT):
            found.setdefault(row["item_id"], {})[row["reviewer"]] = row["verdict"]
        return found

    @_in_words
    def revision(self) -> int:
        """The number of the latest decision by anybody, 0 before the first; cheap to read."""
        return int(self._rows("SELECT coalesce(max(number), 0) AS n FROM decisions")[0]["n"])

    @_in_words
    def _append(
        self,
        item_id: str,
        kind: str,
        reviewer: str,
        value: Mapping[str, Any],
        revision: int | None,
        **verdict: Any,
    ) -> Judged:
        _check_reviewer(reviewer)
        given = verdict.get("verdict", "")
        with self._writing() as db:
            now = self.get(item_id, reviewer)
            _check_taking_back(now, given, reviewer)
            if revision is not None and now.revision > revision:
                self._check_conflict(now, reviewer, revision)
            kind, value = _as_made(now, kind, value, given, self.is_blind())
            _insert(db, item_id, kind, reviewer, value, **verdict)
            return self.get(item_id, reviewer)

    def _check_conflict(self, now: Judged, reviewer: str, revision: int) -> None:
        """Raise ConflictError when anybody but ``reviewer`` decided after ``revision``."""
        others = [
            decision
            for decision in self.history(now.item.id, reviewer)
            if decision.number > revision and decision.reviewer != reviewer
        ]
        if others:
            last = others[-1]
            what = {
                VERDICT: last.verdict,
                SETTLE: f"{last.verdict} for good",
                RELABEL: f"relabelled to {last.value.get('exercise')}",
                TRIM: "trimmed",
                UNDO: "reset",
            }[last.kind]
            raise ConflictError(
                f"{now.item.name} was {what} by {last.reviewer} while you looked at it; your "
                "decision was not saved. Look at it as it is now, and decide again."
            )

    # --- decisions about clips ------------------------------------------------------------------

    @_in_words
    def decide_on_clips(
        self, kind: str, values: Iterable[tuple[str, Mapping[str, Any]]], *, reviewer: str
    ) -> int:
        """Append a decision of this ``kind`` on each clip (sha256, value); the number of the batch.

        All or none are written, and one :meth:`undo_on_clips` undoes all.
        """
        _check_reviewer(reviewer)
        with self._writing() as db:
            batch = self._clip_revision() + 1
            for sha256, value in values:
                self.clip(sha256)
                _insert_clip_decision(db, sha256, kind, reviewer, value, batch)
        return batch

    @_in_words
    def undo_on_clips(
        self,
        kind: str,
        *,
        reviewer: str,
        sha256: str | None = None,
        own: Collection[int] | None = None,
    ) -> list[ClipDecision]:
        """Undo the latest decision of this ``kind`` by ``reviewer``, with all made together.

        ``sha256`` limits that to one clip, ``own`` to these batches. The decisions that were
        undone; empty when there are none.
        """
        _check_reviewer(reviewer)
        with self._writing() as db:
            mine = [
                one
                for one in self.clip_decisions(kind, sha256)
                if one.reviewer == reviewer and (own is None or one.batch in own)
            ]
            if not mine:
                return []
            undone = [one for one in self.clip_decisions(kind) if one.batch == mine[-1].batch]
            batch = self._clip_revision() + 1
            for one in undone:
                value = {"undoes": one.number}
                _insert_clip_decision(db, one.clip_sha256, UNDO, reviewer, value, batch, one.number)
        return undone

    @_in_words
    def clip_decisions(self, kind: str, sha256: str | None = None) -> list[ClipDecision]:
        """The decisions of this ``kind`` that were not undone, the oldest first."""
        query = f"{_CLIP_IN_FORCE} AND d.kind = ?1 AND (?2 IS NULL OR d.clip_sha256 = ?2)"
        return [_clip_decision(row) for row in self._rows(f"{query} ORDER BY number", kind, sha256)]

    @_in_words
    def clip_history(self, sha256: str) -> list[ClipDecision]:
        """Every decision about a clip, including undone ones and undos, the oldest first."""
        query = "SELECT * FROM clip_decisions WHERE clip_sha256 = ? ORDER BY number"
        return [_clip_decision(row) for row in self._rows(query, sha256)]

    @_in_words
    def changes(self) -> tuple[int, ...]:
        """Numbers that change with every decision about items or clips, and with clips."""
        count = self._rows("SELECT count(*) AS n FROM clips")[0]["n"]
        return self.revision(), self._clip_revision(), int(count)

    def _clip_revision(self) -> int:
        return int(self._rows("SELECT coalesce(max(number), 0) AS n FROM clip_decisions")[0]["n"])

    def _groups(self, sha256: str | None = None) -> dict[str, str]:
        """The group that was decided last for each clip, or for this one."""
        decided = self.clip_decisions(GROUP, sha256)
        return {one.clip_sha256: str(one.value["group"]) for one in decided}

    # --- the database ---------------------------------------------------------------------------

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Several queries that see the same state."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: when the block ends, all of it is on disk, or none of it.

        It is IMMEDIATE, so that it waits here for other writers, within the busy timeout.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _prepare(connection: sqlite3.Connection) -> None:
    """Set up the connection, and create the tables when there are none."""
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    if _version(connection) < SCHEMA:
        _upgrade(connection)
    version = _version(connection)
    if version != SCHEMA:
        raise DatasetError(
            f"The data set is of version {version}, expected {SCHEMA}: it was made by another "
            "version of gymform. Use that one, or import the clips again into a new data set."
        )


def _upgrade(connection: sqlite3.Connection) -> None:
    """Make the tables those of this version, all or nothing; no decision is touched."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version(connection), SCHEMA):  # another process may have been faster
            for statement in _statements(_UPGRADES[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of ``script`` one by one: executescript would commit the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _explain(error: sqlite3.Error) -> str:
    """What to tell the user about an error of the database."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        return "The disk is full: nothing was saved. Free some space and decide again."
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return (
            "The data set cannot be written: its folder is read-only or gone. Allow writing, or "
            "copy it to another place."
        )
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return "dataset.sqlite is damaged, or is not a data set. Restore it from a copy."
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "Another program keeps the data set busy. Try again in a moment."
    if code.startswith("SQLITE_IOERR"):
        return (
            f"The files of the data set cannot be read or written ({code}): the disk is full, or "
            "fails. Free some space and try again."
        )
    return f"The data set's database failed ({code or type(error).__name__}). Try again."


# --- rows and data classes ----------------------------------------------------------------------


def _insert_item(db: sqlite3.Connection, item: Item, quality: Quality | None) -> None:
    columns = ", ".join(f'"{name}"' for name in _ITEM_FIELDS)
    marks = ", ".join("?" * len(_ITEM_FIELDS))
    db.execute(
        f"INSERT INTO items ({columns}, quality, problems, notes) VALUES ({marks}, ?, ?, ?)",
        (*dataclasses.astuple(item), *_quality_columns(quality)),
    )


def _insert_row(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row as :meth:`ReviewStore.remove_clip` gave it."""
    columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    values = [
        bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for value in row.values()
    ]
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


def _insert_renumbered(
    db: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert decisions of another data set under numbers of this one, with what refers to them."""
    first = int(db.execute(f"SELECT coalesce(max(number), 0) + 1 FROM {table}").fetchone()[0])
    rows = sorted(rows, key=lambda row: row["number"])
    numbers = {row["number"]: first + place for place, row in enumerate(rows)}
    batches: dict[int, int] = {}
    for row in rows:
        new = {**row, "number": numbers[row["number"]], "undoes": numbers.get(row["undoes"])}
        value = json.loads(row["value"])
        batch = row.get("batch", value.get("batch"))
        if batch is not None:  # the number of its first decision that is here
            batch = batches.setdefault(batch, new["number"])
        if "batch" in row:
            new["batch"] = batch
        elif "batch" in value:
            value["batch"] = batch
        if "undoes" in value:
            value["undoes"] = new["undoes"]
        _insert_row(db, table, {**new, "value": json.dumps(value)})


def _insert_copies(db: sqlite3.Connection, copies: Sequence[Copy]) -> None:
    for copy in copies:
        db.execute(
            "INSERT INTO copies SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM copies "
            "WHERE (clip, of) IN (VALUES (?1, ?2), (?2, ?1)))",
            dataclasses.astuple(copy),
        )


def _renew_quality(db: sqlite3.Connection, item_id: str, quality: Quality) -> None:
    db.execute(
        "UPDATE items SET quality = ?, problems = ?, notes = ? WHERE id = ?",
        (*_quality_columns(quality), item_id),
    )


def _quality_columns(quality: Quality | None) -> tuple[float | None, str, str]:
    if quality is None:
        return None, "[]", "[]"
    return quality.score, json.dumps(quality.problems), json.dumps(quality.notes)


def _insert(
    db: sqlite3.Connection,
    item_id: str,
    kind: str,
    reviewer: str,
    value: Mapping[str, Any],
    *,
    verdict: str = "",
    reasons: Sequence[str] = (),
    comment: str = "",
    undoes: int | None = None,
) -> None:
    """Append a decision made now."""
    db.execute(
        "INSERT INTO decisions (item_id, kind, verdict, reasons, comment, reviewer, at, value, "
        "undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            item_id,
            kind,
            verdict,
            json.dumps(list(reasons)),
            comment,
            reviewer,
            _now(),
            json.dumps(dict(value)),
            undoes,
        ),
    )


def _clip(row: sqlite3.Row) -> ClipRecord:
    return ClipRecord(**{name: row[name] for name in _CLIP_FIELDS})


def _regrouped(clip: ClipRecord, groups: Mapping[str, str]) -> ClipRecord:
    """The clip in the group that was decided, if any was."""
    group = groups.get(clip.sha256, clip.group)
    return clip if group == clip.group else dataclasses.replace(clip, group=group)


def _clip_decision(row: sqlite3.Row) -> ClipDecision:
    return ClipDecision(
        number=row["number"],
        clip_sha256=row["clip_sha256"],
        kind=row["kind"],
        reviewer=row["reviewer"],
        at=row["at"],
        batch=row["batch"],
        value=json.loads(row["value"]),
    )


def _insert_clip_decision(
    db: sqlite3.Connection,
    sha256: str,
    kind: str,
    reviewer: str,
    value: Mapping[str, Any],
    batch: int,
    undoes: int | None = None,
) -> None:
    """Append a decision about a clip, made now."""
    db.execute(
        "INSERT INTO clip_decisions (clip_sha256, kind, reviewer, at, value, batch, undoes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (sha256, kind, reviewer, _now(), json.dumps(dict(value)), batch, undoes),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _proposed(row: sqlite3.Row, groups: Mapping[str, str]) -> Judged:
    """An item before any decision about it, in the group of its clip."""
    fields = {name: row[name] for name in _ITEM_FIELDS}
    fields["group"] = groups.get(row["clip_sha256"], row["group"])
    return Judged(
        item=Item(**fields),
        quality=row["quality"],
        problems=tuple(json.loads(row["problems"])),
        notes=tuple(json.loads(row["notes"])),
    )


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(
        number=row["number"],
        item_id=row["item_id"],
        kind=row["kind"],
        verdict=row["verdict"],
        reasons=tuple(json.loads(row["reasons"])),
        comment=row["comment"],
        reviewer=row["reviewer"],
        at=row["at"],
        value=json.loads(row["value"]),
    )


def _by_name(judged: Judged) -> tuple[str, int, str]:
    return judged.item.name, judged.item.part, judged.item.id


_ORDER_KEYS: dict[str, Callable[[Judged], tuple[Any, ...]]] = {
    WORST: lambda judged: (
        -1.0 if judged.quality is None else judged.quality,
        *_by_name(judged),
    ),
    BEST: lambda judged: (
        1.0 if judged.quality is None else -judged.quality,
        *_by_name(judged),
    ),
    NAME: _by_name,
    RECENT: lambda judged: (-judged.revision, *_by_name(judged)),
}
_ORDER_KEYS[LEARN] = _ORDER_KEYS[WORST]
"""Where the model was not asked about an item."""


def _check_reviewer(reviewer: str) -> None:
    """Raise when this is no name, or not one that whoever asks may review under."""
    require(Role.CURATOR, "To review")
    if not 0 < len(reviewer.strip()) <= MAX_NAME or not reviewer.isprintable():
        raise OptionsError(f"Expected the reviewer's name, 1 to {MAX_NAME} characters on one line.")
    check_name(reviewer)


def _as_made(
    now: Judged, kind: str, value: Mapping[str, Any], verdict: str, blind: bool
) -> tuple[str, Mapping[str, Any]]:
    """The kind and value of a decision, by what its reviewer saw of the item: ``now``.

    A verdict about what is disputed or settled is the final one; otherwise, when reviewers judge
    ``blind``, a verdict and another exercise are an opinion beside those of the others.
    """
    if kind == VERDICT and is_open(now):
        if verdict not in JUDGED:
            raise OptionsError(
                f"Reviewers disagree about {now.item.name}: accept or reject it. To take back what "
                "you decided yourself, undo it."
            )
        return SETTLE, {**value, "exercise": now.item.exercise}
    if blind and not is_open(now) and kind in (VERDICT, RELABEL):
        return kind, {"exercise": now.item.exercise, **value, "blind": True}
    return kind, value


def _not_disputed(now: Judged) -> str:
    """Why an item cannot be settled: somebody was faster, or it never was disputed."""
    if now.settled:
        return f"{now.item.name} was {now.verdict} for good by {now.reviewer}: nothing is changed."
    return f"{now.item.name} is {now.verdict} and not disputed: judge it as others."


def _checked_exercise(exercise: str) -> str:
    exercise = exercise.strip()
    if not 0 < len(exercise) <= MAX_NAME or not exercise.isprintable():
        raise OptionsError(
            f"Expected the name of an exercise of 1 to {MAX_NAME} characters on one line."
        )
    return exercise


def _check_taking_back(now: Judged, verdict: str, reviewer: str) -> None:
    """Raise NotAllowedError when ``verdict`` takes back somebody else's, unless by an admin."""
    if verdict == PENDING and now.reviewer not in ("", reviewer):
        require(Role.ADMIN, f"To take back what {now.reviewer} decided")


def _check_verdict(verdict: str, reasons: Sequence[str], comment: str) -> None:
    if verdict not in GIVEN:
        raise OptionsError(f"Expected a verdict of {', '.join(GIVEN)}, got {verdict!r}.")
    if unknown := [reason for reason in reasons if reason not in REASONS]:
        raise OptionsError(f"Expected reasons of {', '.join(REASONS)}, got {unknown[0]!r}.")
    if len(comment) > MAX_COMMENT:
        raise OptionsError(f"The comment has {len(comment)} characters, at most {MAX_COMMENT}.")
