"""Does anything get lost when a process is killed? Decisions and extractions under kill -9.

    python benchmarks/durability.py [--kills 50] [--seed 0]

Decisions: a process decides, relabels, trims and undoes as fast as it can and says so over a pipe
after each call that returned; it is killed at a random moment. Whatever was said has to be in the
store, once. Extraction: a process extracts a data set (with a made-up pose network, all else is
real) and is killed at a random moment; no file may be unreadable, and what is finished by the next
ones has to be equal to what a run that nobody killed makes. Prints the numbers and
writes benchmarks/durability.md.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
from machine import PROJECT, describe, table

from gymform.dataset import items as it
from gymform.dataset.clips import import_clips
from gymform.dataset.extraction import extract
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.pose.files import load_poses
from gymform.video.read import probe
from tests.dataset.makers import fill_store, write_scene

FAKE = "tests.dataset.fake_poses:estimate"
CLIPS = 4
COUNTED = ("kills", "unreadable", "wrongly marked", "finished", "different", "other video")
ITEMS = 300


def run_and_kill(work: Callable[[int], None], seconds: float) -> tuple[bool, bytes]:
    """Run ``work`` in a forked process and kill it ``seconds`` after it first said something.

    Forked, so that the libraries are not loaded again for each of the kills. ``work`` is given a
    pipe to say things. Returns whether it was still at work, and what it said.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    said = os.read(reading, 1)
    time.sleep(seconds)
    finished, _ = os.waitpid(process, os.WNOHANG)
    if not finished:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    with os.fdopen(reading, "rb") as stream:
        return not finished, said + stream.read()


# --- decisions ----------------------------------------------------------------------------------


def decide_on_and_on(folder: Path, number: int, pipe: int) -> None:
    """Change items at random until killed; tell of each change after it was acknowledged."""
    rng = random.Random(number)
    with ReviewStore.open(folder) as store:
        ids = [judged.item.id for judged in store.judged()]
        while True:
            chosen, reviewer = rng.choice(ids), f"reviewer {number}"
            kind = rng.choice((it.VERDICT, it.VERDICT, it.VERDICT, it.RELABEL, it.TRIM, it.UNDO))
            if kind == it.VERDICT:
                store.decide(chosen, rng.choice(it.VERDICTS[1:]), reviewer=reviewer)
            elif kind == it.RELABEL:
                store.relabel(chosen, rng.choice(("squat", "lunge")), reviewer=reviewer)
            elif kind == it.TRIM:
                store.trim(chosen, 0.1, 0.5 + rng.random(), reviewer=reviewer)
            else:
                undone = store.undo(reviewer)
                if undone is None:
                    continue
                chosen = undone.item.id
            made = store.history(chosen)[-1]  # nobody else is at work
            os.write(pipe, (json.dumps([made.number, chosen, made.kind]) + "\n").encode())


def kill_deciding(folder: Path, kills: int, rng: random.Random) -> dict[str, int]:
    """What was acknowledged, kept, lost and doubled over ``kills`` kills."""
    with ReviewStore.open(folder, create=True) as store:
        fill_store(store, ITEMS, files=False)
    told: dict[int, list[object]] = {}
    said = 0
    for number in range(kills):
        _, lines = run_and_kill(
            functools.partial(decide_on_and_on, folder, number), rng.uniform(0.0, 0.5)
        )
        for line in lines.split(b"\n")[:-1]:  # the last one may be cut off
            serial, *rest = json.loads(line)
            told[serial] = rest
            said += 1
    with ReviewStore.open(folder) as store:
        kept = {
            decision.number: [decision.item_id, decision.kind]
            for judged in store.judged()
            for decision in store.history(judged.item.id)
        }
    return {
        "kills": kills,
        "acknowledged": said,
        "kept": len(kept),
        "lost": sum(kept.get(serial) != rest for serial, rest in told.items()),
        "doubled": said - len(told),
        "unacknowledged but kept": len(set(kept) - set(told)),
    }


# --- extraction ---------------------------------------------------------------------------------


def files_of(folder: Path) -> dict[str, bytes]:
    """Every finished file by name; temporary ones are hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for kind in ("poses", "proxies", "thumbs")
        for path in (folder / kind).glob("[!.]*")
    }


def unreadable(folder: Path) -> list[str]:
    """Names of finished files that cannot be read."""
    wrong = []
    for name in files_of(folder):
        path = folder / name
        try:
            if path.suffix == ".npz":
                load_poses(path)
            elif path.suffix == ".mp4":
                probe(path)
            elif cv2.imread(str(path)) is None:
                wrong.append(name)
        except GymformError:
            wrong.append(name)
    return wrong


def marked_without_files(folder: Path) -> int:
    """Clips that the store calls extracted though a file is missing."""
    with ReviewStore.open(folder) as store:
        return sum(
            not (store.files.poses(c.sha256).is_file() and store.files.proxy(c.sha256).is_file())
            for c in store.clips()
            if c.state == it.EXTRACTED
        )


def kill_extracting(folder: Path, kills: int, rng: random.Random) -> dict[str, int]:
    """What was unreadable, wrongly marked, or different, over ``kills`` kills."""
    fresh = folder / "fresh"
    with tempfile.TemporaryDirectory() as originals, ReviewStore.open(fresh, create=True) as store:
        for seed in range(CLIPS):
            write_scene(Path(originals) / f"{seed}.mp4", seed, scale=0.5)
        import_clips(Path(originals), store, exercise="squat")
    whole = shutil.copytree(fresh, folder / "whole")
    started = time.monotonic()
    with ReviewStore.open(whole) as store:
        extract(store, estimate=FAKE)
        items = store.judged()
    typical = time.monotonic() - started
    expected = files_of(whole)
    counts: Counter[str] = Counter()
    dataset = shutil.copytree(fresh, folder / "killed")

    def work(pipe: int) -> None:
        with ReviewStore.open(dataset) as store:
            extract(store, estimate=FAKE, progress=lambda *_: os.write(pipe, b"."))

    while counts["kills"] < kills:
        killed, _ = run_and_kill(work, rng.uniform(0.0, 0.5 * typical))
        counts["kills"] += killed
        counts["unreadable"] += len(unreadable(dataset))
        counts["wrongly marked"] += marked_without_files(dataset)
        with ReviewStore.open(dataset) as store:
            done = all(clip.state == it.EXTRACTED for clip in store.clips())
            other_items = store.judged() != items
        if done:
            counts += compared(files_of(dataset), expected, other_items)
            shutil.rmtree(dataset)
            shutil.copytree(fresh, dataset)
    with ReviewStore.open(dataset) as store:
        extract(store, estimate=FAKE)
        counts += compared(files_of(dataset), expected, store.judged() != items)
    return {name: counts[name] for name in COUNTED}


def compared(made: dict[str, bytes], expected: dict[str, bytes], other_items: bool) -> Counter[str]:
    """A finished data set counted; x264 is not to be relied on for the bytes of its videos."""
    names = {name for name in expected if made.get(name) != expected[name]}
    videos = {name for name in names if name.endswith(".mp4") and name in made}
    return Counter(
        {
            "finished": 1,
            "different": bool(names - videos or other_items),
            "other video": bool(videos),
        }
    )


# --- report -------------------------------------------------------------------------------------


def report(decisions: dict[str, int], extraction: dict[str, int], seed: int) -> str:
    lines = [
        "# Nothing is lost to kill -9",
        "",
        f"Made by `python benchmarks/durability.py --kills {decisions['kills']} --seed {seed}` on "
        f"{describe()}.",
        "",
        table(["decisions", ""], [[name, str(n)] for name, n in decisions.items()]),
        "",
        table([f"extraction of {CLIPS} clips", ""], [[a, str(n)] for a, n in extraction.items()]),
        "",
        "A decision that was kept though its acknowledgement never arrived was cut off between the",
        "two: at most one a kill. *Finished* data sets were completed by runs after killed ones;",
        "*different* is how many of them had other keypoints, posters or items than one nobody",
        "killed. *Other video* counts those in which the encoder wrote a video otherwise, which it",
        "also does now and then when nobody is killed: in the last block of the picture.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(0)  # threads do not survive a fork
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="gymform-") as folder:
        decisions = kill_deciding(Path(folder) / "decisions", options.kills, rng)
        print(decisions, flush=True)
        extraction = kill_extracting(Path(folder), options.kills, rng)
        print(extraction, flush=True)
    text = report(decisions, extraction, options.seed)
    (PROJECT / "benchmarks" / "durability.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
