"""What strangers' files and visits cost: crashes, memory and time, in one report.

    python benchmarks/hardening.py [--only SECTION ...] [--seed 0]

Without ``--only`` all sections run, which takes hours on two cores. Each prints its numbers and
keeps them in benchmarks/hardening.json; benchmarks/hardening.md is written anew from all that is
kept there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import PROJECT, describe, table

KEPT = PROJECT / "benchmarks" / "hardening.json"
REPORT = PROJECT / "benchmarks" / "hardening.md"

Rows = list[tuple[str, str]]


def count(value: float) -> str:
    """A number as the report shows it."""
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"


# --- media: files that ask for much ---------------------------------------------------------------

FILES = 805


def media(seed: int) -> Rows:
    """Files of all kinds of `tests/corpus/greedy.py` go the way of an upload."""
    from tests.corpus.greedy import GREEDY, greedy_file

    files = (
        (kind, greedy_file(kind, seed + number))
        for number in range(-(-FILES // len(GREEDY)))
        for kind in GREEDY
    )
    return [("kinds", count(len(GREEDY))), *_read_apart(files)]


def mutations(seed: int) -> Rows:
    """Ten thousand mutations of MP4, WebM and AVI files go the same way."""
    from tests.corpus.bad import good_bytes
    from tests.corpus.mutate import mutants
    from tests.video.test_mutations import SEEDS

    files = (
        (name, content)
        for place, name in enumerate(SEEDS)
        for content in mutants(good_bytes(name), 10_000 // len(SEEDS), seed=seed + 100 + place)
    )
    return [("clips mutated", count(len(SEEDS))), *_read_apart(files)]


def _read_apart(files: Iterator[tuple[str, bytes]]) -> Rows:
    """Probe and decode each file in the sandbox; what that cost the app, and what the worst did."""
    from tests.video.expense import resident_bytes

    outcomes: Counter[str] = Counter()
    costs: list[dict[str, Any]] = []
    _cost_of(b"", Path(tempfile.gettempdir()) / "none.mp4")  # starts the sandbox
    before = largest = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, content in files:
            cost = _cost_of(content, Path(folder) / "clip.mp4") | {"of": kind}
            outcomes[cost["kind"]] += 1
            costs.append(cost)
            before = before or resident_bytes()
            largest = max(largest, resident_bytes())
            if len(costs) % 200 == 0:
                print(len(costs), dict(outcomes), flush=True)
    memory = max(costs, key=lambda cost: cost["peak_bytes"])
    computing = max(costs, key=lambda cost: cost["cpu_s"])
    waiting = max(costs, key=lambda cost: cost["wall_s"])
    return [
        ("files", count(len(costs))),
        ("crashes of the app", "0"),  # this line is written by the process that would crash
        ("process of the sandbox ended by the file", count(outcomes["ended"])),
        ("stopped at a limit", count(outcomes["ReadingStoppedError"])),
        ("refused in words", count(sum(map(outcomes.__getitem__, _refusals(outcomes))))),
        ("read, in part or whole", count(outcomes["read"])),
        ("the app's memory grew by, MB", count((largest - before) / 1e6)),
        (f"memory of the worst file ({memory['of']}), MB", count(memory["peak_bytes"] / 1e6)),
        (f"computing time of the worst file ({computing['of']}), s", f"{computing['cpu_s']:.1f}"),
        (f"longest wait ({waiting['of']}), s", f"{waiting['wall_s']:.1f}"),
    ]


def _refusals(outcomes: Counter[str]) -> list[str]:
    return [kind for kind in outcomes if kind not in ("read", "ended", "ReadingStoppedError")]


def _cost_of(content: bytes, path: Path) -> dict[str, Any]:
    """How reading the file ended, and the larger cost of its probe and of decoding it."""
    from gymform.errors import ReadingStoppedError
    from gymform.video.sandbox import PROBING, decoding, run_apart
    from tests.video import expense

    path.write_bytes(content)
    limits, work = PROBING, expense.probed
    cost: dict[str, Any] = {"kind": "read", "peak_bytes": 0, "cpu_s": 0.0}
    start = time.perf_counter()
    while work is not None:
        try:
            one = run_apart(limits, work, path)
        except ReadingStoppedError as error:  # no measure: it had what the limits allow
            ended = "ended in the middle" in str(error)
            one = {"clip": None, "kind": "ended" if ended else "ReadingStoppedError",
                   "peak_bytes": 0 if ended else limits.memory_bytes,
                   "cpu_s": 0 if ended else limits.cpu_s}  # fmt: skip
        cost = {"kind": one["kind"], "peak_bytes": max(cost["peak_bytes"], one["peak_bytes"]),
                "cpu_s": max(cost["cpu_s"], one["cpu_s"])}  # fmt: skip
        work = None
        if one["clip"] is not None:
            limits, work = decoding(one["clip"]), expense.decoded
    path.unlink()
    return cost | {"wall_s": time.perf_counter() - start}


# --- the report -----------------------------------------------------------------------------------


SECTIONS: dict[str, tuple[str, Callable[[int], Rows]]] = {
    "media": ("Files that ask for much", media),
    "mutations": ("Files broken at random", mutations),
}
"""Name for ``--only`` -> heading, and what measures it from a seed."""


def main() -> None:
    """Measure what is asked for and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.only:
        start = time.perf_counter()
        rows = SECTIONS[name][1](options.seed)
        keep(name, rows, options.seed, time.perf_counter() - start)
        print(table([SECTIONS[name][0], ""], [list(row) for row in rows]), flush=True)


def keep(name: str, rows: Rows, seed: int, seconds: float) -> None:
    """Put the numbers of a section into the JSON, and write the report from all of it."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    kept[name] = {
        "rows": rows,
        "made": f"`--only {name} --seed {seed}` in {seconds / 60:.0f} minutes on {describe()}",
    }
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    REPORT.write_text(report(kept))


def report(kept: dict[str, Any]) -> str:
    """The text of the report: a table for each section that was measured."""
    parts = ["# Strangers' files and visits", "Made by `python benchmarks/hardening.py`."]
    for name, (heading, measure) in SECTIONS.items():
        if name in kept:
            rows = [list(row) for row in kept[name]["rows"]]
            parts += [f"## {heading}", str(measure.__doc__).strip(), table(["", ""], rows),
                      f"Made by {kept[name]['made']}."]  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
