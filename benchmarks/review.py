"""How long the review page takes with 1,000 clips: to open, from a key to the next clip, to saved.

    python benchmarks/review.py [--clips 1000] [--decisions 30] [--opens 5] [--out FILE]

A data set is made on the spot: made-up clips with copied poses, each shown by the sample video. The
app runs on a free port and a headless Chromium presses A. A clip counts as shown two frames of the
screen after its picture is there; a decision as saved when the page says so. Exit code 1 when the
page takes 2 s or more to open, or a key 300 ms or more (medians).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from machine import PROJECT, describe, serve, table

OPEN_MS, KEY_MS = 2000.0, 300.0
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
CHROMIUM = "/usr/bin/chromium"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 120_000

ROOT = (
    "[...document.querySelectorAll('*')].map(e => e.shadowRoot)"
    ".find(root => root?.querySelector('.reviewer'))"
)
SHOWN = f"() => {ROOT}?.querySelector('.reviewer').dataset.shown"
WATCH = f"""() => {{
  const root = {ROOT};
  const times = (window.gymformTimes = {{ shown: [], saved: [], pressed: 0 }});
  window.addEventListener('keydown', () => (times.pressed = performance.now()), true);
  const section = root.querySelector('.reviewer');
  new MutationObserver(() => times.shown.push(performance.now() - times.pressed))
    .observe(section, {{ attributes: true, attributeFilter: ['data-shown'] }});
  const log = root.querySelector('.log');
  new MutationObserver(() => {{
    if (log.querySelector('.saved') && !log.querySelector('.saving'))
      times.saved.push(performance.now() - times.pressed);
  }}).observe(log, {{ childList: true }});
}}"""


def main() -> int:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--decisions", type=int, default=30)
    parser.add_argument("--opens", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("review.md"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        make_data_set(Path(home) / "datasets" / "many", options.clips)
        with serve({"GYMFORM_HOME": home}) as (address, _), chromium() as browser:
            first, *opens = [open_page(browser, address) for _ in range(options.opens + 1)]
            keys, saved = decide(browser, address, options.decisions)
    report = render(options, first, opens, keys, saved)
    options.out.write_text(report)
    print(report)
    fast = statistics.median(opens) < OPEN_MS and statistics.median(keys) < KEY_MS
    return 0 if fast else 1


def make_data_set(folder: Path, count: int) -> None:
    """``count`` clips with poses; the sample is the video of each."""
    from tests.dataset.makers import make_store

    make_store(folder, count)
    source, *proxies = sorted((folder / "proxies").iterdir())
    source.unlink()
    shutil.copy(SAMPLE, source)
    for proxy in proxies:
        proxy.unlink()
        proxy.hardlink_to(source)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@contextlib.contextmanager
def desk(browser: Any, address: str) -> Iterator[tuple[Any, float]]:
    """A page at the desk in a fresh session, and the ms until its first clip was on the screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies([{"name": "gymform_reviewer", "value": "Anna", "url": address}])
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="Review").wait_for()
    page.wait_for_timeout(2000)  # whatever the first page still loads is not measured
    start = time.perf_counter()
    page.goto(f"{address}/review?dataset=many")
    page.wait_for_function(SHOWN)
    yield page, 1000 * (time.perf_counter() - start)
    context.close()


def open_page(browser: Any, address: str) -> float:
    """Milliseconds from the address to the first clip on the screen."""
    with desk(browser, address) as (_, opened):
        return opened


def decide(browser: Any, address: str, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from each key to the next clip's picture, and to the word saved."""
    with desk(browser, address) as (page, _):
        page.wait_for_timeout(3000)
        page.evaluate(WATCH)
        for number in range(1, count + 1):
            page.keyboard.press("a")
            page.wait_for_function(
                f"n => gymformTimes.shown.length >= n && !{ROOT}.querySelector('.log .saving')",
                arg=number,
            )
            page.wait_for_timeout(500)  # a reviewer looks at the clip at least so long
        times = page.evaluate("() => gymformTimes")
    return times["shown"], times["saved"]


def render(
    options: argparse.Namespace,
    first: float,
    opens: list[float],
    keys: list[float],
    saved: list[float],
) -> str:
    """The report in Markdown."""
    rows = [
        ["open the page, first time", "1", f"{first:.0f}", f"{first:.0f}", ""],
        row("open the page", opens, OPEN_MS),
        row("key to next clip", keys, KEY_MS),
        row("key to saved", saved, None),
    ]
    header = ["what", "times", "median, ms", "95 %, ms", "goal, ms"]
    return (
        f"# The review page with {options.clips:,} clips\n\n"
        f"Made by `python benchmarks/review.py`. {describe()}, "
        f"{os.getloadavg()[0]:.1f} over the last.\n\n{table(header, rows)}\n\n"
        "Opening: from the address to the first clip's picture, in a fresh session; the first time "
        "the app also loads its modules. Keys: A, one clip after the other. A clip counts as shown "
        "two frames of the screen after its picture is there.\n"
    )


def row(name: str, values: list[float], goal: float | None) -> list[str]:
    """A line of the table."""
    high = sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]
    goal_text = f"under {goal:.0f}" if goal else ""
    return [name, str(len(values)), f"{statistics.median(values):.0f}", f"{high:.0f}", goal_text]


if __name__ == "__main__":
    sys.exit(main())
