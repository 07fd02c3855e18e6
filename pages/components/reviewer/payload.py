"""The messages between the review widget and the page. `payload.js` has the same for the browser.

They are sent as JSON: a tuple here is a list of that length there.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from gymform.service.review_session import CardFacts


class Card(CardFacts):
    """An item with the URLs of its video, trajectories and keypoints, None where there are none."""

    video: str | None
    traces: str | None
    points: str | None


class Reply(TypedDict):
    """What happened to decision ``seq`` of the widget ``client``; see the session's ``Reply``."""

    client: str
    seq: int
    state: str
    item_id: str | None
    text: str
    revision: int


class ReviewerData(TypedDict):
    """Everything that the widget shows, sent in every run of the page.

    ``desk`` identifies the server process and ``tour`` the filter: when it changes, the widget
    starts again. ``cards`` are the items that the widget may show next, ``current`` and ``coming``
    their ids in order.
    """

    desk: str
    tour: int
    dataset: str
    reviewer: str
    cards: list[Card]
    current: str | None
    coming: list[str]
    left: int
    counts: dict[str, int]
    answers: list[Reply]
    news: list[str]
    reasons: list[str]
    exercises: list[str]


class VerdictDecision(TypedDict):
    """An item is accepted, rejected or skipped."""

    kind: Literal["verdict"]
    seq: int
    item: str
    revision: int
    verdict: str
    reasons: list[str]
    comment: str


class RelabelDecision(TypedDict):
    """An item gets another exercise."""

    kind: Literal["relabel"]
    seq: int
    item: str
    revision: int
    exercise: str


class TrimDecision(TypedDict):
    """An item's repetition gets other bounds."""

    kind: Literal["trim"]
    seq: int
    item: str
    revision: int
    start_s: float
    end_s: float


class PointCorrection(TypedDict):
    """A keypoint is at ``x``, ``y`` px of the upright frame at ``time_s``."""

    kind: Literal["point"]
    time_s: float
    keypoint: str
    x: float
    y: float


class SpanCorrection(TypedDict):
    """Left and right are exchanged in a span of seconds, or keypoints are hidden there."""

    kind: Literal["exchange", "hidden"]
    start_s: float
    end_s: float
    keypoints: list[str]


class CorrectDecision(TypedDict):
    """Keypoints of the item's clip are corrected."""

    kind: Literal["correct"]
    seq: int
    item: str
    correction: PointCorrection | SpanCorrection


class UncorrectDecision(TypedDict):
    """The reviewer's latest correction of the item's clip is taken back."""

    kind: Literal["uncorrect"]
    seq: int
    item: str


class UndoDecision(TypedDict):
    """The reviewer's latest decision is undone, whichever it was."""

    kind: Literal["undo"]
    seq: int
    item: None


Decision = (
    VerdictDecision
    | RelabelDecision
    | TrimDecision
    | CorrectDecision
    | UncorrectDecision
    | UndoDecision
)


class Work(TypedDict):
    """What a reviewer did, sent by the widget ``client``.

    ``decisions`` are those without a reply so far, in order; ``at`` is the item on screen, None
    before the first and "" when all is done; ``beat``, ms since 1970, makes each message differ.
    """

    desk: str
    tour: int
    client: str
    at: str | None
    decisions: list[Decision]
    beat: int


class ReviewerState(TypedDict):
    """States of the widget by name."""

    work: Work
