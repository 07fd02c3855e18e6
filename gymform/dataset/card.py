"""The card of a data set: what is in it, who judged it, and how far two reviewers agree.

After Gebru et al., "Datasheets for Datasets", 2021, as far as gymform can know it; what it cannot
know, such as licences, is said to be open.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gymform.dataset.corrections import all_corrections
from gymform.dataset.groups import UNCONFIRMED, unconfirmed
from gymform.dataset.items import DISPUTED, JUDGED, PENDING, VERDICTS
from gymform.dataset.reviews import ReviewStore
from gymform.text import markdown


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree on the items that both accepted or rejected.

    ``kappa`` is Cohen's: 1 is agreement always, 0 what chance would give; None when it is not
    defined, where both give one verdict only. ``disputed`` are the items on which they differ.
    """

    first: str
    second: str
    items: int
    same: int
    kappa: float | None
    disputed: tuple[str, ...]


def agreements(store: ReviewStore) -> list[Agreement]:
    """The agreement of each two reviewers with items in common, most items first."""
    verdicts = store.verdicts_by_reviewer()
    reviewers = sorted({who for given in verdicts.values() for who in given})
    found = []
    for first, second in itertools.combinations(reviewers, 2):
        pairs = {
            item: (given[first], given[second])
            for item, given in verdicts.items()
            if given.get(first) in JUDGED and given.get(second) in JUDGED
        }
        if pairs:
            found.append(_agreement(first, second, pairs))
    return sorted(found, key=lambda one: (-one.items, one.first, one.second))


def _agreement(first: str, second: str, pairs: Mapping[str, tuple[str, str]]) -> Agreement:
    disputed = tuple(sorted(item for item, (a, b) in pairs.items() if a != b))
    return Agreement(
        first, second, len(pairs), len(pairs) - len(disputed),
        cohens_kappa(list(pairs.values())), disputed,
    )  # fmt: skip


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of verdicts; None where chance alone would agree always.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    count = len(pairs)
    if not count:
        return None
    observed = sum(a == b for a, b in pairs) / count
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[verdict] * second[verdict] for verdict in first) / count**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def card_of(store: ReviewStore) -> str:
    """The card as Markdown."""
    judged, clips = store.judged(), store.clips()
    open_, corrections = unconfirmed(store), all_corrections(store)
    people = {clip.group for clip in clips}
    seconds = sum(clip.duration_s for clip in clips)
    lines = [
        f"# {markdown(store.folder.name)}",
        "",
        f"{len(clips)} clips ({seconds / 60:.0f} min) of {len(people)} people or sources; "
        f"{len(judged)} repetitions.",
        "",
        *_table(store),
        "",
        "## Who is in it",
        "",
        f"{UNCONFIRMED} That is so for {len(open_)} of {len(clips)} clips."
        if open_
        else "Somebody stated or confirmed who is in each clip.",
        "Splits keep each person or source in one part.",
        "",
        "## Where it is from",
        "",
        f"Imported from {_imported(clips)}. Licences and consent are not recorded here: add them "
        "before the data set is given away.",
        "",
        "## Who judged it",
        "",
        *_reviewers(store),
        "",
        f"Keypoints were corrected by hand in {len(corrections)} clips "
        f"({sum(map(len, corrections.values()))} corrections).",
    ]
    return "\n".join(lines) + "\n"


def _table(store: ReviewStore) -> list[str]:
    """Repetitions by exercise and verdict, and people by exercise."""
    by_exercise = defaultdict(list)
    for one in store.judged():
        by_exercise[one.item.exercise].append(one)
    lines = [
        "| exercise | people | " + " | ".join(VERDICTS) + " |",
        "| --- " * (2 + len(VERDICTS)) + "|",
    ]
    for name in sorted(by_exercise):
        items = by_exercise[name]
        counts = Counter(one.verdict for one in items)
        people = len({one.item.group for one in items})
        cells = " | ".join(str(counts[verdict]) for verdict in VERDICTS)
        lines.append(f"| {markdown(name)} | {people} | {cells} |")
    return lines


def _imported(clips: Sequence[object]) -> str:
    days = sorted({str(getattr(clip, "imported_at", ""))[:10] for clip in clips} - {""})
    if not days:
        return "nowhere yet"
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"{len(clips)} files, {span}"


def _reviewers(store: ReviewStore) -> list[str]:
    counts: Counter[str] = Counter()
    for given in store.verdicts_by_reviewer().values():
        counts.update(who for who, verdict in given.items() if verdict != PENDING)
    lines = [f"- {markdown(who)}: {n} verdicts" for who, n in counts.most_common()]
    for one in agreements(store):
        kappa = "not defined, one verdict only" if one.kappa is None else f"{one.kappa:.2f}"
        lines.append(
            f"- {markdown(one.first)} and {markdown(one.second)} both judged {one.items} and agree "
            f"on {one.same}: Cohen's kappa {kappa}"
        )
    return [*(lines or ["Nobody yet."]), "", _rule(store)]


def _rule(store: ReviewStore) -> str:
    """Whether reviewers judge blind, and how many disputes are open and settled."""
    judged = store.judged()
    disputed = sum(one.verdict == DISPUTED for one in judged)
    settled = Counter(one.reviewer for one in judged if one.settled)
    by_whom = ", ".join(f"{n} by {markdown(who)}" for who, n in settled.most_common())
    rule = "judge blind now" if store.is_blind() else "see each other's verdicts"
    return (
        f"Reviewers {rule}. {disputed} repetitions are disputed, which keeps them out of training "
        f"and export; disputes settled: {settled.total()}{by_whom and f' ({by_whom})'}."
    )
