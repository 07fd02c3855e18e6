"""How long the history takes with 5,000 results: to open, to search, to turn to another sheet.

    python benchmarks/history.py [--results 5000] [--opens 7] [--out FILE]

The results are made on the spot: one squat of a made-up skeleton, whose folder each result has as
hard links, with names, lifters, days, loads and notes that differ. The app runs on a free port, and
a headless Chromium opens the page. It counts as open two frames of the screen after it says how
many results there are, shows the last card of its sheet with its picture loaded, and the server has
nothing left to compute. Exit code 1 when a median is 1 s or more, but for loading the app itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import PROJECT, describe, serve, table
from review import PATIENCE_MS, chromium

sys.path.insert(0, str(PROJECT))

GOAL_MS = 1000.0
APP = "load the app at the history"
"""Mostly the app itself, whatever the history holds: no goal."""
LIFTERS = 25
SHEET = 12

READY = """([said, cards]) => {
  const app = document.querySelector(
    '[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]');
  const texts = [...document.querySelectorAll('[data-testid=stCaptionContainer]')];
  const pictures = [...document.querySelectorAll('[class*=st-key-card-] img')];
  return app && texts.some(one => one.innerText.trim() === said) && pictures.length === cards
    && pictures.every(one => one.complete && one.naturalWidth)
    && new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
}"""


def main() -> int:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, default=5000)
    parser.add_argument("--opens", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("history.md"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        make_results(Path(home), options.results)
        with serve({"GYMFORM_HOME": home}) as (address, _), chromium() as browser:
            first, *times = [look(browser, address, options.results) for _ in range(options.opens)]
    report = render(options.results, first, times)
    options.out.write_text(report, encoding="utf-8")
    print(report)
    steps = [name for name in first if name != APP]
    return 0 if all(statistics.median(one[key] for one in times) < GOAL_MS for key in steps) else 1


def make_results(home: Path, count: int) -> None:
    """``count`` results of made-up lifters in the store and the history below ``home``."""
    from gymform.service.history import History
    from gymform.service.result_store import ResultStore

    draw = random.Random(0)
    store = ResultStore(home / "analyses")
    clip = home / "clip.mp4"
    summary = make_folder(store.root / key_of(0), clip)
    with contextlib.closing(History.open(home / "history.sqlite")) as history:
        history._connection.execute("PRAGMA synchronous = OFF")  # only while they are made
        for number in range(count):
            key = key_of(number)
            if number:
                link(store.root / key_of(0), store.root / key)
            entry = history.add(
                key, name=f"clip {number}.mp4", path=clip, options={}, clip_sha256=key,
                summary=summary,
            )  # fmt: skip
            history.edit(entry.address, **notes(number, draw))


def key_of(number: int) -> str:
    """The key of a made-up result."""
    return f"{number:064x}"


def notes(number: int, draw: random.Random) -> dict[str, Any]:
    """What was noted about a result: a lifter, a day of five years, a load and some words."""
    day = f"{2021 + number % 5}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
    words = draw.choice(("", "paused", "after a heavy week", "belt", "felt light, filmed by Jo"))
    return {
        "lifter": f"Lifter-{number % LIFTERS:02d}",
        "day": day,
        "load_kg": 40 + 2.5 * draw.randint(0, 60),
        "note": words,
        "favourite": number % 40 == 0,
    }


def make_folder(folder: Path, clip: Path) -> dict[str, Any]:
    """One result as the worker leaves it, of a grey clip; its summary."""
    import numpy as np

    from gymform.analysis_io import save
    from gymform.service.analysis_worker import PROXY, STEM
    from gymform.service.summary import write_summary
    from gymform.video.write import VideoWriter, transcode
    from tests import fakes

    analysis = fakes.make_analysis()
    with VideoWriter(clip, width=360, height=480, fps=30) as writer:
        for time_s in analysis.pose.time_s:
            writer.write(np.full((480, 360, 3), 90, np.uint8), float(time_s))
    folder.mkdir()
    save(analysis, clip, folder, stem=STEM, video=False)
    transcode(clip, folder / PROXY)
    return write_summary(analysis, folder, folder / PROXY)


def link(source: Path, target: Path) -> None:
    """A folder with the files of another as hard links."""
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).hardlink_to(path)


def look(browser: Any, address: str, count: int) -> dict[str, float]:
    """Milliseconds that each step of a visitor takes, in a fresh session."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{address}/webcam")
    page.wait_for_timeout(2000)  # what a browser loads once is not measured
    all_said, some_said = f"{count:,} results", f"{count // LIFTERS:,} results"

    def until(said: str, act: Callable[[], Any]) -> float:
        start = time.perf_counter()
        act()
        page.wait_for_function(READY, arg=[said, SHEET])
        return 1000 * (time.perf_counter() - start)

    search = page.get_by_label("Search")
    times = {APP: until(all_said, lambda: page.goto(f"{address}/history"))}
    page.get_by_role("link", name="Analyze").first.click()
    page.get_by_role("button", name="Try the sample").wait_for()
    page.wait_for_timeout(1000)
    link = page.get_by_role("link", name="History").first
    times["open the page"] = until(all_said, link.click)
    search.fill("lifter-07")
    times["search for a lifter"] = until(some_said, lambda: search.press("Enter"))
    search.fill("")
    times["end the search"] = until(all_said, lambda: search.press("Enter"))
    context.close()
    return times


def render(count: int, first: dict[str, float], times: list[dict[str, float]]) -> str:
    """The report in Markdown."""
    rows = [[f"{APP}, first time", "1", f"{first[APP]:.0f}", "", ""]]
    for name in first:
        values = sorted(one[name] for one in times)
        goal = "" if name == APP else f"under {GOAL_MS:.0f}"
        rows.append(
            [name, str(len(values)), f"{statistics.median(values):.0f}", f"{values[-1]:.0f}", goal]
        )
    header = ["what", "times", "median, ms", "longest, ms", "goal, ms"]
    return (
        f"# The history with {count:,} results\n\n"
        f"Made by `python benchmarks/history.py`. {describe()}, "
        f"{os.getloadavg()[0]:.1f} over the last.\n\n{table(header, rows)}\n\n"
        "From the click or the key Enter (for the app: from its address) until the page says how "
        f"many results there are, all {SHEET} pictures of its sheet are loaded, and the server has "
        "nothing left to compute. Each time in a fresh session of a browser; the page is opened "
        "from the page Analyze. The first time the app also loads its modules.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
