"""Does anything get lost when a process is killed? Decisions and extractions under kill -9.

Decisions: a process decides, relabels, trims and undoes as fast as it can and says so over a pipe
after each call that returned; it is killed at a random moment. Whatever was said has to be in the
store, once. Extraction: a process extracts a data set and is killed at a random moment, with its
workers or without them; no file may be unreadable, no worker may stay, and what is finished by the
next ones has to be equal to what a run that nobody killed makes. `hardening.py` runs both.
"""

from __future__ import annotations

import contextlib
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
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from unittest import mock

import cv2
from machine import PROJECT

from gymform.analysis import Options
from gymform.dataset import extraction
from gymform.dataset import items as it
from gymform.dataset.clips import import_clips
from gymform.dataset.extraction import ESTIMATE, extract
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.pose.files import load_poses
from gymform.video.read import probe, read_frames
from gymform.video.write import VideoWriter
from tests.dataset.makers import fill_store, write_scene

FAKE = "tests.dataset.fake_poses:estimate"
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
CLIPS = 4
COUNTED = ("kills", "workers that stayed", "unreadable", "wrongly marked", "finished", "different",
           "other video")  # fmt: skip
ITEMS = 300


@dataclass(frozen=True)
class Killed:
    """How a process ended: whether it was still at work, what it said, workers that stayed."""

    at_work: bool
    said: bytes
    orphans: bool = False


def run_and_kill(
    work: Callable[[int], None], seconds: float, *, with_workers: bool = True
) -> Killed:
    """Run ``work`` in a forked process and kill it ``seconds`` after it first said something.

    Forked, so that the libraries are not loaded again for each of the kills. ``work`` is given a
    pipe to say things. Its workers are killed with it, or have to end on their own.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.setpgid(0, 0)
            os.close(reading)
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    said = os.read(reading, 1)
    time.sleep(seconds)
    finished, _ = os.waitpid(process, os.WNOHANG)
    orphans = False
    if not finished:
        os.killpg(process, signal.SIGKILL) if with_workers else os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        orphans = stays(process)
    with os.fdopen(reading, "rb") as stream:
        return Killed(not finished, said + stream.read(), orphans)


def stays(group: int, patience_s: float = 30.0) -> bool:
    """Does a process of the group stay alive for so long? Then it is killed."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not any(map(functools.partial(is_alive_in, group), Path("/proc").glob("[0-9]*"))):
            return False
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    return True


def is_alive_in(group: int, process: Path) -> bool:
    """Is this process of the group, and more than an entry that its parent has not read?"""
    try:
        state, _, number = (process / "stat").read_text().rpartition(") ")[2].split()[:3]
    except OSError:
        return False
    return int(number) == group and state not in "ZX"


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
        killed = run_and_kill(
            functools.partial(decide_on_and_on, folder, number), rng.uniform(0.0, 0.5)
        )
        for line in killed.said.split(b"\n")[:-1]:  # the last one may be cut off
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


def write_scenes(folder: Path) -> None:
    """Clips for the made-up pose network: things that move, and nobody."""
    for seed in range(CLIPS):
        write_scene(folder / f"{seed}.mp4", seed, scale=0.5)


def write_lifters(folder: Path) -> None:
    """Clips for a real network: other seconds of the sample, each in another size."""
    for seed in range(CLIPS):
        shrink(SAMPLE, folder / f"{seed}.mp4", 200 + 16 * seed, seed * 1.2, seed * 1.2 + 1.0)


def shrink(source: Path, target: Path, max_side: int, start_s: float, end_s: float) -> None:
    """Write what ``source`` shows from ``start_s`` to ``end_s``, smaller."""

    def within(_: int, time_s: float) -> bool:
        return start_s <= time_s <= end_s

    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(read_frames(source, max_side=max_side, keep=within))
        writer = stack.enter_context(
            VideoWriter(target, width=frames.width, height=frames.height, fps=frames.fps)
        )
        for frame in frames:
            writer.write(frame.rgb, frame.time_s - start_s)


def forked(_: str) -> BaseContext:
    """Workers are forked, too: loading the libraries anew would be nine tenths of all the time."""
    return get_context("fork")


@dataclass(frozen=True)
class Way:
    """How clips are made and extracted, and the latest moment of a kill as a share of that time."""

    write: Callable[[Path], None] = write_scenes
    estimate: str = FAKE
    jobs: int = 1
    options: Options | None = None
    latest: float = 0.5

    def extract(self, folder: Path, pipe: int | None = None) -> list[it.Judged]:
        """Extract a data set, and tell of its progress; its items."""

        def progress(*_: object) -> None:
            if pipe is not None:
                os.write(pipe, b".")

        with (
            ReviewStore.open(folder) as store,
            mock.patch.object(extraction, "get_context", forked),
        ):
            extract(store, estimate=self.estimate, jobs=self.jobs, options=self.options,
                    progress=progress)  # fmt: skip
            return store.judged()


MADE_UP = Way()
REAL = Way(write_lifters, ESTIMATE, 2, Options(max_fps=10.0), latest=0.5)
"""The network that ships, in two processes."""


def kill_extracting(folder: Path, kills: int, rng: random.Random, way: Way) -> dict[str, int]:
    """What was unreadable, wrongly marked, or different, over ``kills`` kills."""
    fresh = folder / "fresh"
    with tempfile.TemporaryDirectory() as originals, ReviewStore.open(fresh, create=True) as store:
        way.write(Path(originals))
        import_clips(Path(originals), store, exercise="squat")
    whole = shutil.copytree(fresh, folder / "whole")
    started = time.monotonic()
    items = way.extract(whole)
    typical = time.monotonic() - started
    expected = files_of(whole)
    counts: Counter[str] = Counter()
    dataset = shutil.copytree(fresh, folder / "killed")
    while counts["kills"] < kills:
        work = functools.partial(way.extract, dataset)
        alone = way.jobs > 1 and rng.random() < 0.5
        killed = run_and_kill(work, rng.uniform(0.0, way.latest * typical), with_workers=not alone)
        counts["kills"] += killed.at_work
        counts["workers that stayed"] += killed.orphans
        counts["unreadable"] += len(unreadable(dataset))
        counts["wrongly marked"] += marked_without_files(dataset)
        if is_done(dataset):
            counts += compared(files_of(dataset), expected, judged(dataset) != items)
            shutil.rmtree(dataset)
            shutil.copytree(fresh, dataset)
    finished = way.extract(dataset)
    counts += compared(files_of(dataset), expected, finished != items)
    return {name: counts[name] for name in COUNTED}


def is_done(folder: Path) -> bool:
    """Are all clips of the data set extracted?"""
    with ReviewStore.open(folder) as store:
        return all(clip.state == it.EXTRACTED for clip in store.clips())


def judged(folder: Path) -> list[it.Judged]:
    """The items of a data set."""
    with ReviewStore.open(folder) as store:
        return store.judged()


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
