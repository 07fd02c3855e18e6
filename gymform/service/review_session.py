"""A review session: which repetition comes next, and decisions on their way to the store.

The page's widget moves on as soon as a key is pressed and sends the decision afterwards. The
session writes each decision once, in order, and replies. The widget shows a decision as saved only
after the reply, and sends it again until then, so the same message may arrive several times.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict

from gymform.dataset.corrections import correct
from gymform.dataset.corrections import undo as undo_correction
from gymform.dataset.items import (
    CORRECTION,
    PENDING,
    RELABEL,
    SETTLE,
    TRIM,
    UNDO,
    VERDICT,
    VERDICTS,
    ClipDecision,
    Decision,
    Filter,
    Item,
    Judged,
)
from gymform.dataset.reviews import ReviewStore
from gymform.errors import (
    ConflictError,
    DatasetError,
    GymformError,
    NotAllowedError,
    OptionsError,
)
from gymform.pose.corrections import EXCHANGE, POINT, from_plain
from gymform.text import cleaned, shortened
from gymform.types import QualityLevel, quality_level

SAVED, CONFLICT, REFUSED = "saved", "conflict", "refused"
"""What happened to a decision: it is on disk, another reviewer was faster, or it was refused."""

CORRECT, UNCORRECT = "correct", "uncorrect"
"""Kinds of messages about keypoints: a correction, and the wish to take the last one back."""

_REPLIES = 40
"""The latest replies to a widget are sent again and again, at most this many."""

_CLIENTS = 1000
"""Replies are kept for this many widgets, the most recent ones."""

_NEWS = 5
"""At most this many of the other reviewers' latest decisions are shown."""


@dataclass(frozen=True)
class Reply:
    """What happened to decision ``seq`` of the widget ``client``; ``text`` says why it failed.

    After a conflict ``revision`` is the item's current one: a reviewer who has read of the other
    decision may decide again on top of it.
    """

    client: str
    seq: int
    state: str
    item_id: str | None = None
    text: str = ""
    revision: int = 0


@dataclass(frozen=True)
class ReviewState:
    """What to show: the current item (None when all is done), those to come, and counts."""

    current: str | None
    coming: tuple[str, ...]
    left: int
    counts: Mapping[str, int]
    replies: tuple[Reply, ...]
    news: tuple[str, ...]


class ReplyLog:
    """The latest replies to every widget, and so which of their decisions this process has handled.

    Shared by all review sessions: a browser that lost its connection, or chose another filter,
    continues in another session. A message names the ``id`` of the log it is meant for: after a
    restart, messages to the old process are ignored, and the widget sends again only the decisions
    that never got a reply.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._replies: OrderedDict[str, deque[Reply]] = OrderedDict()

    def latest(self, client: str) -> int:
        """The number of the latest decision that ``client`` got a reply to, 0 before the first."""
        replies = self._replies.get(client)
        return replies[-1].seq if replies else 0

    def add(self, reply: Reply) -> None:
        """Keep a reply, to be sent more than once."""
        self._replies.setdefault(reply.client, deque(maxlen=_REPLIES)).append(reply)
        self._replies.move_to_end(reply.client)
        if len(self._replies) > _CLIENTS:
            self._replies.popitem(last=False)

    def to(self, client: str) -> tuple[Reply, ...]:
        """The latest replies to ``client``."""
        return tuple(self._replies.get(client, ()))


class ReviewSession:
    """One reviewer going through the items of ``store`` that pass the filter ``wanted``.

    The order is fixed when the session begins, so that nothing jumps while somebody works. Items
    added later are put at the end; items that others decided in the meantime are skipped. While
    reviewers judge blind, everything is as this reviewer may see it. ``own``, where given, gathers
    the numbers of the decisions made here, and only those can be taken back: the reviewer's name
    was typed, and proves nothing.
    """

    def __init__(
        self,
        store: ReviewStore,
        reviewer: str,
        wanted: Filter,
        replies: ReplyLog | None = None,
        own: set[int] | None = None,
    ) -> None:
        self.store = store
        self.reviewer = reviewer
        self.wanted = wanted
        self.replies = replies or ReplyLog()
        self.own = own
        self._own_corrections: set[int] = set()
        self._stamp: tuple[int, ...] = ()
        self._judged: dict[str, Judged] = {}
        self._order: dict[str, int] = {}
        self._siblings: dict[str, list[Item]] = {}
        self._counts: dict[str, int] = {}
        self._client = ""
        self._first: str | None = None  # what is shown until the widget names an item
        self._news: deque[str] = deque(maxlen=_NEWS)

    # -- decisions ---------------------------------------------------------------------------

    def receive(self, message: Mapping[str, Any]) -> None:
        """Write the decisions in a widget's message that have no reply yet, in their order."""
        if message.get("desk") != self.replies.id:
            return
        client = self._client = str(message["client"])
        for sent in message["decisions"]:
            seq = int(sent["seq"])
            if seq > self.replies.latest(client):
                self.replies.add(self._write(client, seq, sent))

    def _write(self, client: str, seq: int, sent: Mapping[str, Any]) -> Reply:
        """Try to write the decision ``sent``, and say what happened to it."""
        item_id = sent.get("item")
        try:
            judged = self._decide(sent)
        except ConflictError as error:
            now = self.store.get(str(item_id), self.reviewer)
            return Reply(client, seq, CONFLICT, item_id, str(error), now.revision)
        except GymformError as error:
            return Reply(client, seq, REFUSED, item_id, str(error))
        if judged is None:
            return Reply(client, seq, REFUSED, None, "There is nothing of yours to undo.")
        if self.own is not None and sent.get("kind") not in (UNDO, CORRECT, UNCORRECT):
            self.own.add(judged.revision)
        return Reply(client, seq, SAVED, judged.item.id)

    def _decide(self, sent: Mapping[str, Any]) -> Judged | None:
        """Write one decision. Raises GymformError; OptionsError when it cannot be understood."""
        kind = sent.get("kind")
        if kind == UNDO:
            return self.store.undo(self.reviewer, own=self.own)
        try:
            item_id, revision = str(sent["item"]), int(sent.get("revision", 0))
            if kind == VERDICT:
                return self._give_verdict(item_id, revision, sent)
            if kind == RELABEL:
                return self.store.relabel(
                    item_id, str(sent["exercise"]), reviewer=self.reviewer, revision=revision
                )
            if kind == TRIM:
                start_s, end_s = float(sent["start_s"]), float(sent["end_s"])
                return self.store.trim(
                    item_id, start_s, end_s, reviewer=self.reviewer, revision=revision
                )
            if kind in (CORRECT, UNCORRECT):
                return self._correct(item_id, sent)
        except (KeyError, TypeError, ValueError):
            pass
        raise OptionsError("The page sent a decision that cannot be read. Reload the page.")

    def _correct(self, item_id: str, sent: Mapping[str, Any]) -> Judged | None:
        """Correct keypoints of the item's clip, or take this reviewer's last correction back."""
        judged = self.store.get(item_id)
        sha256 = judged.item.clip_sha256
        if sent["kind"] == CORRECT:
            correct(self.store, sha256, [from_plain(sent["correction"])], reviewer=self.reviewer)
            self._own_corrections.add(self.store.clip_decisions(CORRECTION, sha256)[-1].batch)
            return judged
        own = None if self.own is None else self._own_corrections
        undone = undo_correction(self.store, sha256, reviewer=self.reviewer, own=own)
        return judged if undone else None

    def _give_verdict(self, item_id: str, revision: int, sent: Mapping[str, Any]) -> Judged:
        verdict, reasons = str(sent["verdict"]), tuple(map(str, sent.get("reasons", ())))
        comment = cleaned(str(sent.get("comment", "")), 10_000, lines=True)
        now = self.store.get(item_id, self.reviewer)
        mine = now.reviewer == self.reviewer and now.revision > revision
        if mine and (now.verdict, now.reasons, now.comment) == (verdict, reasons, comment):
            return now  # written before, by a process that stopped before it could reply
        if verdict == PENDING and not self._made_here(now):
            raise NotAllowedError(
                f"{now.reviewer} decided this in another session: only an admin, or who logs in as "
                f"{now.reviewer}, can take it back."
            )
        return self.store.decide(
            item_id,
            verdict,
            reviewer=self.reviewer,
            reasons=reasons,
            comment=comment,
            revision=revision,
        )

    def _made_here(self, now: Judged) -> bool:
        """May this session take the verdict back: is it its own, or that of a name it proved?"""
        if self.own is None or not now.reviewer:
            return True
        history = self.store.history(now.item.id)
        verdicts = [one for one in history if one.kind in (VERDICT, SETTLE)]
        return max(one.number for one in verdicts if one.reviewer == now.reviewer) in self.own

    # -- what comes next ---------------------------------------------------------------------

    def state(self, at: str | None, count: int) -> ReviewState:
        """What to show while the widget is at item ``at``, with at most ``count`` items to come.

        ``at`` is None at the beginning: the first item of the order is then shown, as it is for an
        item that does not exist (any more). "" means that everything has been seen: the items that
        are still pending come again.
        """
        self._refresh()
        if at is None or (at and not self._is_there(at)):
            at = self._first if self._first and self._is_there(self._first) else None
        coming = self._coming(at)
        if at is None or (not at and coming):
            at = coming.pop(0) if coming else None
            self._first = self._first or at
        return ReviewState(
            current=at or None,
            coming=tuple(coming[:count]),
            left=len(coming),
            counts=self._counts,
            replies=self.replies.to(self._client),
            news=tuple(self._news),
        )

    def _coming(self, at: str | None) -> list[str]:
        """Items after ``at`` in their order, then those before it that nobody has decided."""
        order = list(self._order)
        place = self._order.get(at, len(order) if at == "" else -1) if at is not None else -1
        after = [one for one in order[place + 1 :] if one in self._judged]
        before = [
            one
            for one in order[: max(place, 0)]
            if one in self._judged and self._judged[one].verdict == PENDING
        ]
        return after + before

    def judged(self, item_id: str) -> Judged:
        """An item as it is now, even when it no longer passes the filter."""
        return self._judged.get(item_id) or self.store.get(item_id, self.reviewer)

    def _is_there(self, item_id: str) -> bool:
        if item_id in self._judged:
            return True
        try:
            self.store.get(item_id)
        except DatasetError:
            return False
        return True

    def siblings(self, item: Item) -> Sequence[Item]:
        """All repetitions of the item's clip, including itself, as they are now."""
        return self._siblings.get(item.clip_sha256, [item])

    def exercises(self) -> list[str]:
        """Every exercise in the data set."""
        return sorted({item.exercise for items in self._siblings.values() for item in items})

    def _refresh(self) -> None:
        """Read the store again if anybody has written to it."""
        stamp = _stamp(self.store)
        if stamp == self._stamp:
            return
        before, first = self._judged, not self._stamp
        everything = self.store.judged(Filter(order=self.wanted.order), self.reviewer)
        self._stamp = stamp
        self._judged = {one.item.id: one for one in everything if self.wanted.passes(one)}
        self._counts = dict.fromkeys(VERDICTS, 0)
        self._siblings = {}
        every_verdict = replace(self.wanted, verdicts=())
        for one in everything:
            self._siblings.setdefault(one.item.clip_sha256, []).append(one.item)
            if every_verdict.passes(one):
                self._counts[one.verdict] += 1
        for item_id in self._judged:
            self._order.setdefault(item_id, len(self._order))
        if not first and not self.store.is_blind():
            self._note_other_reviewers(before)

    def _note_other_reviewers(self, before: Mapping[str, Judged]) -> None:
        """Add to the news what others decided about the items that were to come."""
        for item_id, then in before.items():
            now = self._judged.get(item_id)
            if now is not None and now.revision == then.revision:
                continue
            try:
                now = now or self.store.get(item_id)
            except DatasetError:  # its clip was deleted
                continue
            last = self.store.history(item_id)[-1:]
            if last and last[0].reviewer != self.reviewer:
                self._news.append(f"{now.item.name}: {in_words(last[0])}")


def _stamp(store: ReviewStore) -> tuple[int, ...]:
    """A value that changes with every write to the store, by any process: decisions and clips."""
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
    what = "reset it" if decision.verdict == PENDING else f"{decision.verdict} it"
    if decision.kind == SETTLE:
        what += f" for good, as {value.get('exercise')}"
    return f"{decision.reviewer} {what}" + (f": {why}" if why else "")


def correction_in_words(decision: ClipDecision) -> str:
    """Who corrected what, in a sentence: "Anna put the left elbow at 1.20 s"."""
    value, who = decision.value, decision.reviewer
    if value.get("kind") == POINT:
        return f"{who} put the {_joint(value['keypoint'])} at {value['time_s']:.2f} s"
    span = f"from {value.get('start_s', 0):.2f} to {value.get('end_s', 0):.2f} s"
    if value.get("kind") == EXCHANGE:
        return f"{who} exchanged left and right {span}"
    return f"{who} marked {', '.join(map(_joint, value.get('keypoints', ())))} as hidden {span}"


def _joint(name: str) -> str:
    return name.replace("_", " ")


def when(decision: Decision | ClipDecision) -> str:
    """The time of a decision, for people: "24 Nov 2026, 12:01 UTC"."""
    try:
        return datetime.fromisoformat(decision.at).strftime("%-d %b %Y, %H:%M UTC")
    except ValueError:
        return decision.at


class CardFacts(TypedDict):
    """What the widget shows of an item, except its files; JSON-ready.

    ``start``, ``end`` and ``duration`` are s, ``repetitions`` the [from, to] of all items of the
    clip, ``corrections`` the number of corrections of its keypoints, ``ratio`` width over height;
    ``quality`` in [0, 1] and its ``level`` are None before the keypoints are known; ``failed`` says
    why they could not be found, "" otherwise.
    """

    id: str
    clip: str
    name: str
    part: int
    parts: int
    exercise: str
    group: str
    start: float
    end: float
    duration: float
    fps: float
    ratio: float
    verdict: str
    reasons: list[str]
    comment: str
    reviewer: str
    revision: int
    quality: float | None
    level: QualityLevel | None
    problems: list[str]
    notes: list[str]
    failed: str
    repetitions: list[tuple[float, float]]
    history: list[str]
    corrections: int


def card(session: ReviewSession, item_id: str) -> CardFacts:
    """Everything that the widget shows of an item, except its files. Raises DatasetError."""
    judged = session.judged(item_id)
    item, clip = judged.item, session.store.clip(judged.item.clip_sha256)
    siblings = session.siblings(item)
    corrections = session.store.clip_decisions(CORRECTION, clip.sha256)
    made = session.store.history(item_id, session.reviewer)
    history = [f"{when(d)} · {in_words(d)}" for d in made]
    history += [f"{when(d)} · {correction_in_words(d)}" for d in corrections]
    return {
        "id": item.id,
        "clip": item.clip_sha256,
        "name": shortened(item.name),
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
        "level": None if judged.quality is None else quality_level(judged.quality),
        "problems": list(judged.problems),
        "notes": list(judged.notes),
        "failed": clip.reason,
        "repetitions": [(one.start_s, one.end_s) for one in siblings],
        "history": history,
        "corrections": len(corrections),
    }
