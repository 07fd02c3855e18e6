"""A reviewer's desk: which repetition comes next, and decisions on their way to the store.

The page's widget moves on the moment a key is pressed and tells of it afterwards; the desk writes
what it is told, once each and in order, and answers. Until the answer is there, nobody has been
told that anything was saved. Messages come again until they are answered, so nothing here may
depend on hearing each only once.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gymform.dataset.items import (
    PENDING,
    RELABEL,
    TRIM,
    UNDO,
    VERDICT,
    VERDICTS,
    Decision,
    Filter,
    Item,
    Judged,
)
from gymform.dataset.reviews import ReviewStore
from gymform.errors import ConflictError, DatasetError, GymformError, OptionsError

SAVED, CONFLICT, REFUSED = "saved", "conflict", "refused"
"""What became of a decision: on disk; somebody else was faster; the store did not take it."""

_ANSWERS = 40
"""Answers that are repeated until the widget has surely heard them."""

_CLIENTS = 1000
"""Widgets whose answers are kept, the most recent ones."""

_NEWS = 5
"""What other reviewers did most recently, at most so many."""


@dataclass(frozen=True)
class Reply:
    """What became of decision ``seq`` of the widget ``client``; ``text`` says why it failed.

    After a conflict ``revision`` is the item's own: who has read of the other decision may decide
    again on top of it.
    """

    client: str
    seq: int
    state: str
    item_id: str | None = None
    text: str = ""
    revision: int = 0


@dataclass(frozen=True)
class View:
    """What to show: the item on the desk (None when all is done), those to come, and counts."""

    current: str | None
    coming: tuple[str, ...]
    left: int
    counts: Mapping[str, int]
    answers: tuple[Reply, ...]
    news: tuple[str, ...]


class Heard:
    """What this process has heard of every widget, and what it answered.

    Shared by all desks: a browser that lost its connection, or chose another filter, goes on at
    another desk. A message names the ``id`` it is meant for: after a restart old ones are left
    alone, and the widget sends again only what was never answered.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._answers: OrderedDict[str, deque[Reply]] = OrderedDict()

    def latest(self, client: str) -> int:
        """The number of the latest decision that ``client`` was answered."""
        answers = self._answers.get(client)
        return answers[-1].seq if answers else 0

    def answer(self, answer: Reply) -> None:
        """Keep an answer, to be given until it has surely been heard."""
        self._answers.setdefault(answer.client, deque(maxlen=_ANSWERS)).append(answer)
        self._answers.move_to_end(answer.client)
        if len(self._answers) > _CLIENTS:
            self._answers.popitem(last=False)

    def answers(self, client: str) -> tuple[Reply, ...]:
        """The latest answers to ``client``."""
        return tuple(self._answers.get(client, ()))


class ReviewSession:
    """One reviewer's way through the items of ``store`` that pass ``wanted``.

    The order is fixed when the desk is set up, so that nothing jumps while somebody works; items
    that come later are put at the end, those that others decided meanwhile are passed over.
    """

    def __init__(
        self, store: ReviewStore, reviewer: str, wanted: Filter, heard: Heard | None = None
    ) -> None:
        self.store = store
        self.reviewer = reviewer
        self.wanted = wanted
        self.heard = heard or Heard()
        self._stamp: tuple[int, ...] = ()
        self._standing: dict[str, Judged] = {}
        self._order: dict[str, int] = {}
        self._siblings: dict[str, list[Item]] = {}
        self._counts: dict[str, int] = {}
        self._client = ""
        self._first: str | None = None  # what lies on the desk until the widget tells of another
        self._news: deque[str] = deque(maxlen=_NEWS)

    # -- decisions ---------------------------------------------------------------------------

    def take(self, message: Mapping[str, Any]) -> None:
        """Write the decisions of a widget's message that were not heard yet, in their order."""
        if message.get("desk") != self.heard.id:
            return
        client = self._client = str(message["client"])
        for wish in message["decisions"]:
            seq = int(wish["seq"])
            if seq > self.heard.latest(client):
                self.heard.answer(self._write(client, seq, wish))

    def _write(self, client: str, seq: int, wish: Mapping[str, Any]) -> Reply:
        item_id = wish.get("item")
        try:
            judged = self._decide(wish)
        except ConflictError as error:
            now = self.store.get(str(item_id))
            return Reply(client, seq, CONFLICT, item_id, str(error), now.revision)
        except GymformError as error:
            return Reply(client, seq, REFUSED, item_id, str(error))
        if judged is None:
            return Reply(client, seq, REFUSED, None, "There is nothing of yours to undo.")
        return Reply(client, seq, SAVED, judged.item.id)

    def _decide(self, wish: Mapping[str, Any]) -> Judged | None:
        """Do one wish. Raises GymformError; OptionsError when it is not understood."""
        kind = wish.get("kind")
        if kind == UNDO:
            return self.store.undo(self.reviewer)
        try:
            item_id, revision = str(wish["item"]), int(wish["revision"])
            if kind == VERDICT:
                return self._give_verdict(item_id, revision, wish)
            if kind == RELABEL:
                return self.store.relabel(
                    item_id, str(wish["exercise"]), reviewer=self.reviewer, revision=revision
                )
            if kind == TRIM:
                start_s, end_s = float(wish["start_s"]), float(wish["end_s"])
                return self.store.trim(
                    item_id, start_s, end_s, reviewer=self.reviewer, revision=revision
                )
        except (KeyError, TypeError, ValueError):
            pass
        raise OptionsError("The page sent a decision that cannot be read. Reload the page.")

    def _give_verdict(self, item_id: str, revision: int, wish: Mapping[str, Any]) -> Judged:
        verdict, reasons = str(wish["verdict"]), tuple(map(str, wish.get("reasons", ())))
        comment = str(wish.get("comment", ""))
        now = self.store.get(item_id)
        mine = now.reviewer == self.reviewer and now.revision > revision
        if mine and (now.verdict, now.reasons, now.comment) == (verdict, reasons, comment):
            return now  # written before, by a process that stopped before it could answer
        return self.store.decide(
            item_id,
            verdict,
            reviewer=self.reviewer,
            reasons=reasons,
            comment=comment,
            revision=revision,
        )

    # -- what comes next ---------------------------------------------------------------------

    def view(self, at: str | None, count: int) -> View:
        """What to show while item ``at`` is on the desk, with at most ``count`` items to come.

        ``at`` is None at the beginning: the first item of the order is then on the desk, as it is
        for an item that is not there (any more); "" says that everything has been seen: whatever
        is still pending comes again.
        """
        self._refresh()
        if at is None or (at and not self._is_there(at)):
            at = self._first if self._first and self._is_there(self._first) else None
        coming = self._coming(at)
        if at is None or (not at and coming):
            at = coming.pop(0) if coming else None
            self._first = self._first or at
        return View(
            current=at or None,
            coming=tuple(coming[:count]),
            left=len(coming),
            counts=self._counts,
            answers=self.heard.answers(self._client),
            news=tuple(self._news),
        )

    def _coming(self, at: str | None) -> list[str]:
        """Items after ``at`` in their order, then those before it that nobody has decided."""
        order = list(self._order)
        place = self._order.get(at, len(order) if at == "" else -1) if at is not None else -1
        after = [one for one in order[place + 1 :] if one in self._standing]
        before = [
            one
            for one in order[: max(place, 0)]
            if one in self._standing and self._standing[one].verdict == PENDING
        ]
        return after + before

    def standing(self, item_id: str) -> Judged:
        """An item as it stands, also when it does not pass the filter any more."""
        return self._standing.get(item_id) or self.store.get(item_id)

    def _is_there(self, item_id: str) -> bool:
        if item_id in self._standing:
            return True
        try:
            self.store.get(item_id)
        except DatasetError:
            return False
        return True

    def siblings(self, item: Item) -> Sequence[Item]:
        """All repetitions of the item's clip, itself among them, as they stand."""
        return self._siblings.get(item.clip_sha256, [item])

    def exercises(self) -> list[str]:
        """Every exercise that the data set knows."""
        return sorted({item.exercise for items in self._siblings.values() for item in items})

    def _refresh(self) -> None:
        """Read the store again if anybody has written to it."""
        stamp = _stamp(self.store)
        if stamp == self._stamp:
            return
        before, first = self._standing, not self._stamp
        everything = self.store.judged(Filter(order=self.wanted.order))
        self._stamp = stamp
        self._standing = {one.item.id: one for one in everything if self.wanted.passes(one)}
        self._counts = dict.fromkeys(VERDICTS, 0)
        self._siblings = {}
        every_verdict = replace(self.wanted, verdicts=())
        for one in everything:
            self._siblings.setdefault(one.item.clip_sha256, []).append(one.item)
            if every_verdict.passes(one):
                self._counts[one.verdict] += 1
        for item_id in self._standing:
            self._order.setdefault(item_id, len(self._order))
        if not first:
            self._hear_of_others(before)

    def _hear_of_others(self, before: Mapping[str, Judged]) -> None:
        """Note what others decided about the items that were to come."""
        for item_id, then in before.items():
            now = self._standing.get(item_id)
            if now is not None and now.revision == then.revision:
                continue
            now = now or self.store.get(item_id)
            last = self.store.history(item_id)[-1:]
            if last and last[0].reviewer != self.reviewer:
                self._news.append(f"{now.item.name}: {in_words(last[0])}")


def _stamp(store: ReviewStore) -> tuple[int, ...]:
    """Another value after every write, whoever wrote: decisions and clips alike."""
    database = store.files.store
    times = []
    for path in (database, database.with_name(f"{database.name}-wal")):
        try:
            status = path.stat()
            times += [status.st_mtime_ns, status.st_size]
        except OSError:
            times += [0, 0]
    return (store.revision(), *times)


def in_words(decision: Decision) -> str:
    """Who did what, in a sentence: "Anna rejected it: occluded, poor keypoints"."""
    value = decision.value
    if decision.kind == UNDO:
        return f"{decision.reviewer} took a decision back"
    if decision.kind == RELABEL:
        return f"{decision.reviewer} relabelled it: {value.get('exercise')}"
    if decision.kind == TRIM:
        return (
            f"{decision.reviewer} trimmed it to {value.get('start_s', 0):.2f} – "
            f"{value.get('end_s', 0):.2f} s"
        )
    why = ", ".join(part for part in (*decision.reasons, decision.comment) if part)
    what = "set it back" if decision.verdict == PENDING else f"{decision.verdict} it"
    return f"{decision.reviewer} {what}" + (f": {why}" if why else "")


def when(decision: Decision) -> str:
    """The moment of a decision, for people: "24 Nov 2026, 12:01 UTC"."""
    try:
        return datetime.fromisoformat(decision.at).strftime("%-d %b %Y, %H:%M UTC")
    except ValueError:
        return decision.at


def card(desk: ReviewSession, item_id: str) -> dict[str, Any]:
    """Everything that the widget shows of an item; JSON-ready, files apart."""
    judged = desk.standing(item_id)
    item, clip = judged.item, desk.store.clip(judged.item.clip_sha256)
    siblings = desk.siblings(item)
    return {
        "id": item.id,
        "clip": item.clip_sha256,
        "name": item.name,
        "part": item.part,
        "parts": len(siblings),
        "exercise": item.exercise,
        "group": item.group,
        "start": item.start_s,
        "end": item.end_s,
        "duration": clip.duration_s,
        "fps": clip.fps,
        "ratio": clip.width / clip.height,
        "verdict": judged.verdict,
        "reasons": list(judged.reasons),
        "comment": judged.comment,
        "reviewer": judged.reviewer,
        "revision": judged.revision,
        "quality": judged.quality,
        "problems": list(judged.problems),
        "notes": list(judged.notes),
        "failed": clip.reason,
        "repetitions": [[one.start_s, one.end_s] for one in siblings],
        "history": [f"{when(d)} · {in_words(d)}" for d in desk.store.history(item_id)],
    }
