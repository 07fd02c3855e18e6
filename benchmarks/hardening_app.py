"""Sections of `hardening.py` about the app: broken files, kills, a full queue, uploads, a soak."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import durability
from machine import PROJECT

Rows = list[tuple[str, str]]

MP4 = b"\0\0\0\x18ftypmp42"
PARTS = PROJECT / "benchmarks" / "hardening.parts.json"
"""Parts of a long section that are done, so that it can be started again; deleted at its end."""


def in_parts(
    name: str, count: int, size: int, measure: Callable[[int, int], dict[str, int]]
) -> dict[str, int]:
    """The sums of ``measure(part, its count)``; parts that were measured before are kept."""
    kept: dict[str, dict[str, int]] = json.loads(PARTS.read_text()) if PARTS.is_file() else {}
    parts = {f"{name} {n} of {count}": min(size, count - n) for n in range(0, count, size)}
    for number, (part, share) in enumerate(parts.items()):
        if part not in kept:
            kept[part] = measure(number, share)
            print(part, kept[part], flush=True)
            if len(parts) > 1:
                PARTS.write_text(json.dumps(kept, indent=1))
    sums = {key: sum(kept[part][key] for part in parts) for key in kept[next(iter(parts))]}
    left = {part: counts for part, counts in kept.items() if part not in parts}
    PARTS.write_text(json.dumps(left)) if left else PARTS.unlink(missing_ok=True)
    return sums


# --- R6: broken keypoint files --------------------------------------------------------------------


def poses(seed: int, count: int = 5_000) -> Rows:
    """Keypoint files broken at random are refused in words, or hold what they held before."""
    from gymform.errors import PoseFileError
    from gymform.pose.files import load_poses, save_poses
    from tests.pose.test_files import make_pose, mutate, same

    rng, outcomes = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.npz"
        save_poses(path, make_pose())
        original, data = load_poses(path), path.read_bytes()
        for _ in range(count):
            path.write_bytes(mutate(data, rng))
            try:
                outcomes["equal" if same(load_poses(path), original) else "different"] += 1
            except PoseFileError:
                outcomes["refused"] += 1
            except Exception:  # noqa: BLE001 - counted: there has to be none
                outcomes["another error"] += 1
    return [
        ("files", f"{count:,}"),
        ("refused in words", f"{outcomes['refused']:,}"),
        ("equal to the original", f"{outcomes['equal']:,}"),
        ("different without a word", str(outcomes["different"])),
        ("another error", str(outcomes["another error"])),
    ]


# --- R8, R9: kill -9 ------------------------------------------------------------------------------


def decisions(seed: int, kills: int = 200) -> Rows:
    """Processes that decide as fast as they can are killed; what was acknowledged has to be kept.

    A decision that was kept though its acknowledgement never arrived was cut off between the two:
    at most one a kill."""
    with tempfile.TemporaryDirectory() as folder:
        counts = durability.kill_deciding(Path(folder) / "set", kills, random.Random(seed))
    return [(name, f"{number:,}") for name, number in counts.items()]


def extraction(seed: int, kills: int = 200, way: durability.Way = durability.REAL) -> Rows:
    """Extractions with the network that ships, in two processes, are killed and started again:
    half of them alone, so that their workers have to end on their own.

    *Finished* data sets were completed by runs after killed ones; *different* is how many of them
    had other keypoints, posters or items than one nobody killed. *Other video* counts those in
    which the encoder wrote a video otherwise, which it also does now and then when nobody is
    killed: in the last block of the picture."""
    cv2.setNumThreads(0)  # threads do not survive a fork

    def measure(part: int, count: int) -> dict[str, int]:
        with tempfile.TemporaryDirectory() as folder:
            rng = random.Random(f"{seed} {part}")
            return durability.kill_extracting(Path(folder), count, rng, way)

    counts = in_parts(f"extraction {seed}", kills, 25, measure)
    return [(name, f"{number:,}") for name, number in counts.items()]


# --- R12, R13: the queue --------------------------------------------------------------------------


@contextlib.contextmanager
def scripted_queue(place: Path, **options: Any) -> Iterator[tuple[Any, Callable[[str], Any]]]:
    """A queue with real worker processes that do what a clip's name says; and requests for it."""
    from gymform.service.analysis_queue import JobQueue, Request
    from gymform.service.result_store import ResultStore
    from tests import fakes

    weights = fakes.write_manifest(place / "weights")
    with mock.patch.dict(os.environ, GYMFORM_WEIGHTS=str(weights), GYMFORM_HOME=str(place)):
        queue = JobQueue(ResultStore(place / "results"), work="tests.work:scripted", **options)

        def request(name: str) -> Request:
            path = place / name / "clip.mp4"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(MP4 + name.encode())
            return Request(path, name, fakes.make_options(pose_model="pose-a"))

        try:
            yield queue, request
        finally:
            queue.close()


def until(done: Callable[[], bool], seconds: float = 120.0, every: float = 0.005) -> float:
    """Seconds until ``done()``; raises TimeoutError."""
    start = time.monotonic()
    while not done():
        if time.monotonic() - start > seconds:
            raise TimeoutError
        time.sleep(every)
    return time.monotonic() - start


def busy(seed: int, times: int = 20) -> Rows:
    """A full queue says so with a position; a session that cancels, or is closed and no longer
    asks, frees its place."""
    from gymform.errors import BusyError
    from gymform.limits import MAX_QUEUED_JOBS
    from gymform.service.analysis_queue import State

    answers: list[float] = []
    positions = freed = 0
    with tempfile.TemporaryDirectory() as folder, scripted_queue(
        Path(folder), abandoned_after_s=2.0
    ) as (queue, request):  # fmt: skip
        first = queue.submit(request("wait 0"), "first")
        until(lambda: queue.status(first, "first").state is State.RUNNING)
        waiting = [(queue.submit(request(f"wait {n}"), f"s{n}"), f"s{n}")
                   for n in range(1, MAX_QUEUED_JOBS + 1)]  # fmt: skip
        for number in range(times):
            wish, start = request(f"wait more {number}"), time.monotonic()
            try:
                queue.submit(wish, "late")
            except BusyError as error:
                answers.append(time.monotonic() - start)
                positions += f"number {MAX_QUEUED_JOBS + 1}" in str(error)
            for one in [(first, "first"), *waiting]:
                queue.status(*one)
            queue.cancel(*waiting.pop(number % len(waiting)))
            waiting.append((queue.submit(wish, f"late {number}"), f"late {number}"))
            freed += 1
        closed, who = waiting.pop()

        def given_up() -> bool:
            for one in [(first, "first"), *waiting]:
                queue.status(*one)
            return queue.status(closed, "").state is State.CANCELLED

        took_s = until(given_up)
        queue.submit(request("wait after"), "after")
    return [
        ("refused while the queue was full", f"{len(answers)} of {times}"),
        ("with their position", f"{positions} of {times}"),
        ("longest answer, ms", f"{1000 * max(answers):.1f}"),
        ("a place was free after somebody cancelled", f"{freed} of {times}"),
        (f"a closed session's place was free after, s (it may be silent for 2 s here; {who})",
         f"{took_s:.1f}"),
    ]  # fmt: skip


def worker(seed: int, kills: int = 50) -> Rows:
    """The real worker is killed in the middle of an analysis; the next one has to succeed, with
    the keypoints of one that nobody killed."""
    from gymform.analysis import Options
    from gymform.pose.files import load_poses
    from gymform.service.analysis_queue import JobQueue, Request, State
    from gymform.service.analysis_worker import STEM
    from gymform.service.result_store import ResultStore

    rng, spent = random.Random(seed), list[float]()
    done = killed = idle = equal = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        clip = good_clips(place)[0]
        queue = JobQueue(ResultStore(place / "results"))

        def submit() -> str:
            path = place / os.urandom(4).hex() / "clip.mp4"
            path.parent.mkdir()
            path.write_bytes(renewed(clip))
            return queue.submit(Request(path, "clip.mp4", Options(max_fps=10.0)), "a")

        def finish(key: str) -> Any:
            until(lambda: queue.status(key, "a").state not in (State.WAITING, State.RUNNING))
            state = queue.status(key, "a").state
            found = queue.store.find(key)
            return load_poses(found / f"{STEM}.npz").xy.tobytes() if found else state

        finish(submit())
        start = time.monotonic()
        expected, typical = finish(submit()), time.monotonic() - start
        while killed < kills:
            key = submit()
            until(lambda key=key: queue.status(key, "a").state is State.RUNNING)
            time.sleep(rng.uniform(0.0, typical))
            os.kill(queue._slots[0].worker._process.pid, signal.SIGKILL)
            if finish(key) is State.FAILED:
                killed += 1
            else:
                idle += 1  # the job was done: the worker was killed as it waited for the next one
            start = time.monotonic()
            answer = finish(submit())
            spent.append(time.monotonic() - start)
            done += isinstance(answer, bytes)
            equal += answer == expected
        queue.close()
    return [
        ("workers killed in the middle of a job", str(killed)),
        ("besides, killed just before the next one", str(idle)),
        ("next jobs that succeeded", f"{done} of {len(spent)}"),
        ("with the same keypoints", f"{equal} of {len(spent)}"),
        ("longest wait for the next result, s", f"{max(spent):.1f}"),
    ]


# --- the real app ---------------------------------------------------------------------------------


@dataclass
class App:
    """The app on a port of its own, as ``make run`` starts it."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def bytes_of(self, *, family: bool = False) -> int:
        """Resident memory of the app's process, or of all that it started as well."""
        pids = [self.process.pid, *(_children(self.process.pid) if family else ())]
        return sum(map(_resident, pids))

    def steady(self) -> int:
        """Its own memory once it has not changed by 1 MB for a second, or after 20 s."""
        seen = [self.bytes_of()]
        for _ in range(200):
            time.sleep(0.1)
            seen.append(self.bytes_of())
            if len(seen) > 10 and max(seen[-10:]) - min(seen[-10:]) < 1_000_000:
                break
        return seen[-1]


def _children(pid: int) -> list[int]:
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                found += [child, *_children(child)]
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        text = Path(f"/proc/{pid}/status").read_text()
        return 1024 * int(re.findall(r"VmRSS:\s+(\d+)", text)[0])
    return 0


@contextlib.contextmanager
def running_app(home: Path) -> Iterator[App]:
    """The app with a fresh home; it is ended afterwards."""
    from tests.browser.conftest import _free_port, _wait_for

    home.mkdir()
    port, log = _free_port(), home / "app.log"
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "serve.py")]
    command += ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
    environment = {**os.environ, "GYMFORM_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=output, stderr=output
        )
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health", process, log)
        yield App(port, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def arrivals(seed: int, count: int = 128) -> Rows:
    """Files that ask for much, one of each kind, are dropped on page Analyze of the real app."""
    from hardening import greedy, written

    from tests.security.visitor import browser

    outcomes, largest = Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "files").mkdir()
        files = written(greedy, seed, count, place / "files")
        with running_app(place / "home") as app, browser(app.port) as visitor:
            upload(visitor, good_clips(place)[0])
            for _, path in files[:5]:  # what is loaded once
                upload(visitor, path.read_bytes())
            before = app.steady()
            for number, (kind, path) in enumerate(files):
                outcome = outcome_of(words := upload(visitor, path.read_bytes()))
                outcomes[outcome] += 1
                if outcome == NO_OUTCOME:
                    print(kind, words[-2000:], flush=True)
                visitor.everything = ""
                largest = max(largest, app.bytes_of())
                if number % 100 == 99:
                    print(number + 1, dict(outcomes), f"{(largest - before) / 1e6:.1f} MB",
                          flush=True)  # fmt: skip
            grown, alive = app.steady() - before, app.process.poll() is None
    return [
        ("files", str(count)),
        ("the app was still there", "yes" if alive else "no"),
        *((name, f"{n:,}") for name, n in sorted(outcomes.items())),
        ("the app's memory grew at most by, MB", f"{(largest - before) / 1e6:.1f}"),
        ("and in the end by, MB", f"{grown / 1e6:.1f}"),
    ]


def upload(visitor: Any, data: bytes, *, poll_s: float = 0.5, leave: bool = False) -> str:
    """Drop a file on page Analyze and wait for what becomes of it: its words.

    ``leave`` cancels an analysis as soon as it is offered.
    """
    from tests.security.visitor import said

    seen = visitor.open("")
    if "Another clip" in seen.widgets:
        seen = visitor.press(seen.id_of("Another clip"))
    seen = visitor.drop(seen, data, "clip.mp4", f"file-{os.urandom(4).hex()}")
    deadline = time.monotonic() + 1200
    while "Cancel" in seen.widgets and time.monotonic() < deadline:
        if leave:
            visitor.press(seen.id_of("Cancel"))
            return LEFT
        time.sleep(poll_s)
        seen = visitor.run()
    return said(seen)


GOOD = ((240, 0.0, 2.7), (256, 2.8, 5.6), (272, 0.0, 5.6))
"""Longer side in px, first and last second of the good clips, all from the sample."""


def good_clips(folder: Path) -> list[bytes]:
    """Clips with a lifter, small."""
    clips = []
    for number, part in enumerate(GOOD):
        path = folder / f"good {number}.mp4"
        if not path.is_file():
            durability.shrink(durability.SAMPLE, path, *part)
        clips.append(path.read_bytes())
    return clips


def renewed(clip: bytes) -> bytes:
    """The same clip under another sha256, so that it is analysed, not remembered."""
    box = os.urandom(16)
    return clip + (8 + len(box)).to_bytes(4, "big") + b"free" + box


# --- R11: the soak --------------------------------------------------------------------------------

NO_OUTCOME, BUSY, REFUSED, LEFT = "no outcome", "busy", "refused in words", "left"
ANSWER = re.compile(r"# (Squat|Deadlift|Snatch|Not sure|None of these).*?(\d+ ?% sure|\Z)", re.S)


def outcome_of(words: str) -> str:
    """What an upload came to: an answer with its confidence, or the kind of refusal."""
    if words == LEFT:
        return LEFT
    if found := ANSWER.search(words):
        return f"{found[1]} {found[2]}".strip()
    if "is busy" in words or "are waiting already" in words:
        return BUSY
    return REFUSED if "material/error" in words else NO_OUTCOME


@dataclass
class Log:
    """What the sessions of a soak met, and memory over time: seconds, the app, all processes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    memory: list[tuple[float, int, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str, outcome: str) -> None:
        with self.lock:
            self.outcomes[f"{kind}: {outcome}"] += 1

    def complain(self, text: str) -> None:
        with self.lock:
            self.faults.append(text)
            print("FAULT", text, flush=True)


@dataclass(frozen=True)
class Soak:
    """What all sessions share: the app, the files they send, the right answers, when to end."""

    app: App
    good: list[bytes]
    bad: list[bytes]
    answers: list[str]
    end: float
    log: Log
    place: Path


def soak(seed: int, minutes: float = 30.0, sessions: int = 16) -> Rows:
    """Sessions come and go, and upload good and bad files to the real app with the real networks.

    A good upload has to get the answer that a session alone got, or hear that the app is busy.
    Bad files are those of the first two sections. Every tenth good upload is cancelled."""
    from tests.security.visitor import browser

    log = Log()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        good, bad = good_clips(place), bad_files(place, seed)
        with running_app(place / "alone") as app, browser(app.port) as visitor:
            answers = [outcome_of(upload(visitor, renewed(clip))) for clip in good]
        print(answers, flush=True)
        with running_app(place / "home") as app:
            start = time.monotonic()
            shared = Soak(app, good, bad, answers, start + 60 * minutes, log, place)
            threads = [threading.Thread(target=_sessions, args=(shared, seed + number))
                       for number in range(sessions)]  # fmt: skip
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                time.sleep(min(5.0, minutes))
                _note_memory(log, app, time.monotonic() - start)
            if "Traceback" in (said := app.log.read_text(errors="replace")):
                print(said[-3000:], flush=True)
                last = said.strip().splitlines()[-1]
                log.complain(f"the app's log has a traceback, which ends with {last}")
    return _soak_rows(log, minutes, sessions, answers)


def bad_files(place: Path, seed: int) -> list[bytes]:
    """Files that are foreign, broken, or ask for much."""
    from hardening import greedy, mutated, written

    (place / "bad").mkdir()
    foreign = [b"", b"hello", MP4, b"\x89PNG\r\n\x1a\n" + bytes(100)]
    makers = [path for make, count in ((mutated, 300), (greedy, 115))
              for _, path in written(make, seed, count, place / "bad")]  # fmt: skip
    return foreign + [path.read_bytes() for path in makers]


def _note_memory(log: Log, app: App, now: float) -> None:
    one, family = app.bytes_of(), app.bytes_of(family=True)
    log.memory.append((now, one, family))
    if len(log.memory) % 12 == 0:
        print(f"{now / 60:.1f} min, {one / 1e6:.0f} and {family / 1e6:.0f} MB, "
              f"{sum(log.outcomes.values())} uploads", flush=True)  # fmt: skip


def _sessions(soak: Soak, seed: int) -> None:
    """One session after the other until the time is over."""
    from tests.security.visitor import browser

    rng, number = random.Random(seed), itertools.count(seed * 1000)
    while time.monotonic() < soak.end:
        try:
            with browser(soak.app.port) as visitor:
                for _ in range(rng.randint(1, 5)):
                    if time.monotonic() < soak.end:
                        _one_upload(soak, visitor, rng, next(number))
        except Exception as error:  # noqa: BLE001 - counted: there has to be none
            soak.log.complain(f"{type(error).__name__}: {error}"[:300])


def _one_upload(soak: Soak, visitor: Any, rng: random.Random, number: int) -> None:
    """Upload a good or a bad file and compare what came of it with what had to come."""
    visitor.everything = ""
    if rng.random() < 0.5:
        which, leave = rng.randrange(len(soak.good)), rng.random() < 0.1
        words = upload(visitor, renewed(soak.good[which]), poll_s=2.0, leave=leave)
        outcome, allowed = outcome_of(words), (soak.answers[which], BUSY, LEFT)
        soak.log.count("good", outcome)
    else:
        words = upload(visitor, soak.bad[number % len(soak.bad)], poll_s=2.0)
        outcome = outcome_of(words)
        allowed = (outcome,) if outcome != NO_OUTCOME else ()
        soak.log.count("bad", outcome)
    if outcome not in allowed:
        soak.log.complain(f"{outcome} instead of {allowed}: {words[-500:]}")
    if "Traceback" in visitor.everything or str(soak.place) in visitor.everything:
        soak.log.complain("a traceback or a path was shown")


def _soak_rows(log: Log, minutes: float, sessions: int, answers: list[str]) -> Rows:
    early_s = min(300.0, 10 * minutes)
    early = [one for one in log.memory if abs(one[0] - early_s) <= max(30.0, 0.1 * early_s)]
    during = [one for one in log.memory if early_s <= one[0] <= 60 * minutes]
    late = during[-max(1, len(during) // 10) :]
    rows = [
        ("sessions at once", str(sessions)),
        ("minutes", f"{minutes:g}"),
        ("answers of a single session", ", ".join(answers)),
        *((name, f"{number:,}") for name, number in sorted(log.outcomes.items())),
        ("uploads without outcome, other answers, failed runs", str(len(log.faults))),
    ]
    for name, column in (("the app", 1), ("the app and its workers", 2)):
        before, after = _median_mb(early or log.memory, column), _median_mb(late, column)
        most = max(one[column] for one in during or log.memory) / 1e6
        rows += [
            (f"memory of {name} at minute {early_s / 60:g}, MB", f"{before:.0f}"),
            ("at most afterwards, MB", f"{most:.0f} ({most / before - 1:+.0%})"),
            ("in the end, MB", f"{after:.0f} ({after / before - 1:+.0%})"),
        ]
    return rows + [("fault", text[:200]) for text in sorted(set(log.faults))[:5]]


def _median_mb(part: list[tuple[float, int, int]], column: int) -> float:
    return statistics.median(one[column] for one in part) / 1e6


SECTIONS: dict[str, tuple[str, Callable[[int], Rows]]] = {
    "arrivals": ("Files that ask for much, in the real app", arrivals),
    "poses": ("Keypoint files broken at random", poses),
    "decisions": ("Decisions under kill -9", decisions),
    "extraction": ("Extractions under kill -9", extraction),
    "busy": ("A full queue", busy),
    "worker": ("Workers killed in the middle of a job", worker),
    "soak": ("Many sessions for long", soak),
}
"""Name for ``--only`` -> heading, and what measures it from a seed."""
