"""What strangers' files and visits cost: crashes, memory and time, in one report.

    python benchmarks/hardening.py [--only SECTION ...] [--seed 0]

Without ``--only`` all sections run, which takes hours on two cores. Each prints its numbers and
keeps them in benchmarks/hardening.json; benchmarks/hardening.md is written anew from all that is
kept there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import hardening_app
from machine import PROJECT, describe, table

KEPT = PROJECT / "benchmarks" / "hardening.json"
REPORT = PROJECT / "benchmarks" / "hardening.md"

Rows = list[tuple[str, str]]


def number(value: float) -> str:
    """A number as the report shows it."""
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"


# --- media ----------------------------------------------------------------------------------------

FILES = 805
MUTATIONS = 10_000


def media(seed: int, count: int = FILES) -> Rows:
    """Files of all kinds of `tests/corpus/greedy.py` go the way of an upload."""
    from tests.corpus.greedy import GREEDY

    return [("kinds", number(len(GREEDY))), *_read_apart(greedy, seed, count)]


def mutations(seed: int, count: int = MUTATIONS) -> Rows:
    """MP4, WebM and AVI files, broken at random, go the same way."""
    from tests.video.test_mutations import SEEDS

    return [("clips mutated", number(len(SEEDS))), *_read_apart(mutated, seed, count)]


def greedy(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Files that ask for much: their kind and their content."""
    from tests.corpus.greedy import GREEDY, greedy_file

    kinds = itertools.cycle(GREEDY)
    for place, kind in zip(range(count), kinds, strict=False):
        yield kind, greedy_file(kind, seed + place // len(GREEDY))


def mutated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Broken files: the name of the clip that was broken, and the content."""
    from tests.corpus.bad import good_bytes
    from tests.corpus.mutate import mutants
    from tests.video.test_mutations import SEEDS

    for place, name in enumerate(SEEDS):
        share = count // len(SEEDS) + (place < count % len(SEEDS))
        for content in mutants(good_bytes(name), share, seed=seed + 100 + place):
            yield name, content


Maker = Callable[[int, int], Iterator[tuple[str, bytes]]]


def written(make: Maker, seed: int, count: int, folder: Path) -> list[tuple[str, Path]]:
    """The files of ``make`` on disk, by kind.

    Another process makes them: encoding the clips takes memory, which is not to be counted as that
    of reading them.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_write, make, seed, count, folder).result()


def _write(make: Maker, seed: int, count: int, folder: Path) -> list[tuple[str, Path]]:
    files = []
    for place, (kind, content) in enumerate(make(seed, count)):
        path = folder / f"{place}.mp4"
        path.write_bytes(content)
        files.append((kind, path))
    return files


def _read_apart(make: Maker, seed: int, count: int) -> Rows:
    """Probe and decode each file in the sandbox; what that cost the app, and what the worst did."""
    from tests.video.expense import resident_bytes

    outcomes: Counter[str] = Counter()
    costs: list[dict[str, Any]] = []
    largest = 0
    with tempfile.TemporaryDirectory() as folder:
        files = written(make, seed, count, Path(folder))
        _cost_of(files[0][1])  # starts the sandbox
        before = resident_bytes()
        for kind, path in files:
            cost = _cost_of(path) | {"of": kind}
            outcomes[cost["kind"]] += 1
            costs.append(cost)
            largest = max(largest, resident_bytes())
            if len(costs) % 200 == 0:
                print(len(costs), dict(outcomes), f"{(largest - before) / 1e6:.1f} MB", flush=True)
    memory = max(costs, key=lambda cost: cost["peak_bytes"])
    computing = max(costs, key=lambda cost: cost["cpu_s"])
    waiting = max(costs, key=lambda cost: cost["wall_s"])
    return [
        ("files", number(len(costs))),
        ("crashes of the app", "0"),  # this line is written by the process that would crash
        ("process of the sandbox ended by the file", number(outcomes["ended"])),
        ("stopped at a limit", number(outcomes["ReadingStoppedError"])),
        ("refused in words", number(sum(map(outcomes.__getitem__, _refusals(outcomes))))),
        ("read, in part or whole", number(outcomes["read"])),
        ("memory of the process that asks grew by, MB", number((largest - before) / 1e6)),
        (f"memory of the worst file ({memory['of']}), MB", number(memory["peak_bytes"] / 1e6)),
        (f"computing time of the worst file ({computing['of']}), s", f"{computing['cpu_s']:.1f}"),
        (f"longest wait ({waiting['of']}), s", f"{waiting['wall_s']:.1f}"),
    ]


def _refusals(outcomes: Counter[str]) -> list[str]:
    return [kind for kind in outcomes if kind not in ("read", "ended", "ReadingStoppedError")]


def _cost_of(path: Path) -> dict[str, Any]:
    """How reading the file ended, and the larger cost of its probe and of decoding it."""
    from gymform.errors import ReadingStoppedError
    from gymform.video.sandbox import PROBING, decoding, run_apart
    from tests.video import expense

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
    return cost | {"wall_s": time.perf_counter() - start}


# --- the report -----------------------------------------------------------------------------------


SECTIONS: dict[str, tuple[str, Callable[[int], Rows]]] = {
    "media": ("Files that ask for much", media),
    "mutations": ("Files broken at random", mutations),
    **hardening_app.SECTIONS,
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
