"""What extracting many clips costs: local processes against Ray, in time, memory and on disk.

    python benchmarks/scale.py CLIP ... [--only MODE]

Each mode imports the clips into a data set of its own and runs `gymform extract` on it, every
process with one thread. Processor time and memory are those of all processes that the run starts,
Ray's own too, read from /proc (Linux). Without Ray its rows say so. A few short clips are enough.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import PROJECT, describe, free_port, table

HERE = Path(__file__).parent
MARK = "GYMFORM_SCALE_RUN"
"""Environment variable by which the processes of a run are told from all others."""

MODES = {
    "local, 1 process": ("local", 1),
    "local, 2 processes": ("local", 2),
    "Ray, 1 worker": ("ray", 1),
    "Ray, 2 workers": ("ray", 2),
    "Ray, 4 workers": ("ray", 4),
}
START = (
    "import gymform.dataset.extraction\n"
    "from gymform.pose.networks import load_estimators\n"
    "load_estimators()"
)
"""What a process does before its first clip."""

KINDS = {"clips": "original", "poses": "keypoints", "looks": "looks (for duplicates)",
         "proxies": "video with skeleton", "thumbs": "thumbnails"}  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")
EVERY_S = 0.5
STORED = (1_000, 10_000)
"""Numbers of clips for which the store is timed."""

COPIES = 20
"""How often each clip is among those that new ones are compared with, when pairs are timed."""


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--only", action="append", choices=MODES, metavar="MODE")
    parser.add_argument("--out", type=Path, default=HERE / "scale")
    options = parser.parse_args()
    kept = options.out.with_suffix(".json")
    figures = json.loads(kept.read_text()) if kept.is_file() else {"modes": {}}
    figures |= {"machine": describe(), "ray": importlib.util.find_spec("ray") is not None}
    with tempfile.TemporaryDirectory(prefix="gymform-scale-") as folder:
        figures["seconds"] = sum(duration_s(clip) for clip in options.clips)
        figures["clips"] = len(options.clips)
        figures["store"] = store_costs()
        figures["start"] = measured([sys.executable, "-c", START]).as_dict()
        for mode in options.only or MODES:
            engine, count = MODES[mode]
            if engine == "ray" and not figures["ray"]:
                continue
            print(mode, file=sys.stderr)
            figures["modes"][mode] = one_mode(options.clips, Path(folder), engine, count)
            kept.write_text(json.dumps(figures, indent=1) + "\n")
    options.out.with_suffix(".md").write_text(render(figures))
    print(render(figures))
    return 0


def duration_s(path: Path) -> float:
    """Length of a clip by its time stamps, seconds."""
    from gymform.video.read import probe

    return float(probe(path).duration_s)


# -- one run ---------------------------------------------------------------------------------


@dataclass
class Cost:
    """Seconds on the clock and of processors, and memory of a run, MB (10^6 bytes).

    ``ray_s`` is the part of ``cpu_s`` that Ray's own processes used; ``all_mb`` is shared memory
    counted once, at its highest; ``worker_mb`` the largest process.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    worker_mb: float = 0.0
    all_mb: float = 0.0
    ray_s: float = 0.0
    processes: dict[int, float] = field(default_factory=dict, repr=False)
    ray: dict[int, float] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, float]:
        names = ("wall_s", "cpu_s", "ray_s", "worker_mb", "all_mb")
        return {name: round(getattr(self, name), 2) for name in names}

    def look(self, mark: str) -> None:
        """Add what the processes of a run have used by now."""
        together = 0.0
        for pid in marked(mark):
            try:
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                status = Path(f"/proc/{pid}/status").read_text()
                command = Path(f"/proc/{pid}/cmdline").read_text()
                together += kilobytes(rollup, "Pss:") / 1000
                self.worker_mb = max(self.worker_mb, kilobytes(status, "VmHWM:") / 1000)
            except (OSError, ValueError):  # it has just ended
                continue
            used_s = (int(stat[11]) + int(stat[12])) / TICKS
            (self.ray if is_of_ray(command) else self.processes)[pid] = used_s
        self.all_mb = max(self.all_mb, together)
        self.ray_s = sum(self.ray.values())
        self.cpu_s = self.ray_s + sum(self.processes.values())


def is_of_ray(command: str) -> bool:
    """Whether a process is one of Ray's own, not a worker nor the command that sends the clips."""
    return ("/ray/" in command and "default_worker" not in command) or "ray.scripts" in command


def marked(mark: str) -> Iterator[int]:
    """The processes that have the mark in their environment."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                    yield int(folder.name)
            except OSError:
                continue


def kilobytes(text: str, name: str) -> float:
    """A line of /proc in kB, as units of 1000 bytes."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return int(line.split()[1]) * 1.024


def measured(command: list[str], mark: str = "") -> Cost:
    """What it costs to run ``command``, with all that carries the same mark."""
    mark = mark or secrets.token_hex(8)
    cost, ended = Cost(), threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY_S):
            cost.look(mark)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.monotonic()
    try:
        subprocess.run(command, env=environment(mark), cwd=PROJECT, check=True, stdout=sys.stderr)
    finally:
        cost.wall_s = time.monotonic() - started
        ended.set()
        watcher.join()
    return cost


def environment(mark: str) -> dict[str, str]:
    """One thread a process, one engine for all modes, and nothing left in the home folder."""
    return os.environ | {
        MARK: mark,
        "OMP_NUM_THREADS": "1",
        "GYMFORM_POSE_ENGINE": os.environ.get("GYMFORM_POSE_ENGINE", "torch"),
        "PYTHONPATH": str(PROJECT),
        "RAY_AUTH_MODE": "disabled",
    }


def one_mode(clips: list[Path], folder: Path, engine: str, count: int) -> dict[str, Any]:
    """Import and extract the clips in one way; what it cost, and what lies on the disk then."""
    mark, dataset = secrets.token_hex(8), folder / f"{engine}{count}"
    source = folder / "clips"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    for number, clip in enumerate(clips):
        shutil.copy(clip, source / f"{number}{clip.suffix}")
    gymform = [sys.executable, "-m", "gymform"]
    options = ["--exercise", "squat", "--to", str(dataset)]
    importing = measured([*gymform, "import", str(source), *options])
    extract = [*gymform, "extract", str(dataset)]
    if engine == "local":
        cost = measured([*extract, "--jobs", str(count)], mark)
    else:
        with ray_cluster(count, mark, folder) as address:
            cost = measured([*extract, "--engine", "ray", "--address", address], mark)
    return {
        "import": importing.as_dict(),
        **cost.as_dict(),
        "bytes": sizes(dataset),
        "pairs": {"pictures": pictures(dataset), "skeletons": skeletons(dataset)},
    }


# -- what grows with the square of the clips ---------------------------------------------------


def pictures(dataset: Path) -> dict[str, float]:
    """Looking for copies by the pictures, as at an import."""
    from gymform.dataset.duplicates import Fingerprints, fingerprint

    found = {path.stem: fingerprint(path) for path in sorted((dataset / "clips").iterdir())}
    return compared(Fingerprints, found)


def skeletons(dataset: Path) -> dict[str, float]:
    """Looking for copies by the keypoints, as after an extraction."""
    from gymform.dataset.duplicates import Skeletons
    from gymform.pose.files import load_poses

    found = {path.stem: load_poses(path) for path in sorted((dataset / "poses").glob("*.npz"))}
    return compared(Skeletons, found)


def compared(kind: Callable[[], Any], clips: dict[str, Any]) -> dict[str, float]:
    """Microseconds for each pair of different clips, and kB in memory for each known clip."""
    took_s, kept, pairs = 0.0, 0, 0
    for name, data in clips.items():
        known = kind()
        others = [(other, copy) for other in clips if other != name for copy in range(COPIES)]
        tracemalloc.start()
        for other, copy in others:
            known.add(f"{other} {copy}", clips[other])
        kept += tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        started = time.process_time()
        known.copies_of(name, data)
        took_s += time.process_time() - started
        pairs += len(others)
    return {
        "us": round(1e6 * took_s / max(1, pairs), 1),
        "kb": round(kept / 1e3 / max(1, pairs), 1),
    }


def store_costs() -> list[list[str]]:
    """What the store takes for many made-up clips of one repetition each."""
    from gymform.dataset.reviews import ReviewStore
    from tests.dataset.makers import fill_store

    rows = []
    for count in STORED:
        with (
            tempfile.TemporaryDirectory() as folder,
            ReviewStore.open(Path(folder) / "lifts", create=True) as store,
        ):
            started = time.monotonic()
            fill_store(store, count, files=False)
            adding = (time.monotonic() - started) / count
            times = [seconds_of(call) for call in (store.clips, store.judged, store.counts)]
            size = (Path(folder) / "lifts").rglob("*")
            kept = sum(path.stat().st_size for path in size if path.is_file()) / count
        rows.append([f"{count:,}", f"{1e3 * adding:.1f}", *(f"{one:.2f}" for one in times),
                     f"{kept / 1e3:.1f}"])  # fmt: skip
    return rows


def seconds_of(call: Callable[[], Any]) -> float:
    """Processor seconds that a call takes."""
    started = time.process_time()
    call()
    return time.process_time() - started


def sizes(dataset: Path) -> dict[str, int]:
    """Bytes of the data set's files by kind."""
    found = {
        kind: sum(path.stat().st_size for path in (dataset / kind).rglob("*") if path.is_file())
        for kind in KINDS
    }
    rest = (path for path in dataset.iterdir() if path.is_file())
    return found | {"store": sum(path.stat().st_size for path in rest)}


@contextmanager
def ray_cluster(count: int, mark: str, folder: Path) -> Iterator[str]:
    """The address of a cluster on this machine with ``count`` processors, by what it believes."""
    port = free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
               f"--num-cpus={count}", "--include-dashboard=false", "--disable-usage-stats",
               "--object-store-memory=200000000", "--node-ip-address=127.0.0.1",
               f"--port={port}", "--min-worker-port=0", "--max-worker-port=0"]  # fmt: skip
    with (folder / "ray.log").open("w") as log:
        process = subprocess.Popen(command, env=environment(mark), stdout=log, stderr=log)
    try:
        wait_for(port)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait_for(port: int) -> None:
    """Return when something listens at ``port``; TimeoutError after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"nobody listens at port {port}")


# -- the report ------------------------------------------------------------------------------


def render(figures: dict[str, Any]) -> str:
    """The report as Markdown."""
    start = figures["start"]
    return "\n\n".join(
        [
            "# Scale",
            f"Made by `python benchmarks/scale.py`: {figures['clips']} clips of "
            f"{figures['seconds']:.1f} s in all. {figures['machine']}. Others worked on the "
            "machine at the same time: read processor time and ratios, not the clock.",
            "## Extraction",
            table(
                ["how", "clips a minute", "processor s", "of it Ray's own", "a clip second",
                 "a clip second, without starts and Ray's own", "largest process, MB",
                 "all processes, MB", "processor time against local"],
                [mode_row(figures, mode) for mode in MODES],
            ),
            f"A worker's start (imports, networks) takes {start['cpu_s']:.1f} s of a processor and "
            f"{start['worker_mb']:.0f} MB. It is paid once, however many clips follow; “without "
            "starts” leaves one of them out for each worker, and for the command that gives out "
            "the clips. Ray's own processes are its head's, from its start to its end.",
            f"Import, before that, takes {import_s(figures):.2f} s of a processor a clip, with its "
            "start.",
            "## On disk",
            table(["what", "kB a clip", "kB a clip second"], disk_rows(figures)),
            "## Looking for copies",
            "A new clip is compared with every one that is known: these grow with the square of "
            "the clips.",
            table(["by", "microseconds a pair", "kB in memory a known clip"], pair_rows(figures)),
            "## The store",
            "Without fingerprints, which take some kB more. Adding is timed by the clock: it waits "
            "for the disk.",
            table(["clips", "add and extract one, ms", "list all clips, s", "list all items, s",
                   "count verdicts, s", "kB a clip"], figures["store"]),
        ]
    ) + "\n"  # fmt: skip


def mode_row(figures: dict[str, Any], mode: str) -> list[str]:
    """A row of the table of modes."""
    found = figures["modes"].get(mode)
    if found is None:
        why = "not measured" if figures["ray"] else "Ray is not installed"
        return [mode, why, *[""] * 7]
    _, count = MODES[mode]
    base = figures["modes"].get(f"local, {min(count, 2)} process" + ("es" if count > 1 else ""))
    return [
        mode,
        f"{60 * figures['clips'] / found['wall_s']:.1f}",
        f"{found['cpu_s']:.1f}",
        f"{found['ray_s']:.1f}",
        f"{found['cpu_s'] / figures['seconds']:.2f}",
        f"{without_starts(figures, mode):.2f}",
        f"{found['worker_mb']:.0f}",
        f"{found['all_mb']:.0f}",
        f"{found['cpu_s'] / base['cpu_s']:.2f}" if base else "",
    ]


def without_starts(figures: dict[str, Any], mode: str) -> float:
    """Processor seconds for each second of film, without what does not grow with the clips."""
    _, count = MODES[mode]
    starts = count if mode == "local, 1 process" else count + 1
    found = figures["modes"][mode]
    left = found["cpu_s"] - found["ray_s"] - starts * figures["start"]["cpu_s"]
    return left / figures["seconds"]


def import_s(figures: dict[str, Any]) -> float:
    """Processor seconds that importing takes for each clip."""
    first = next(iter(figures["modes"].values()))
    return first["import"]["cpu_s"] / figures["clips"]


def pair_rows(figures: dict[str, Any]) -> list[list[str]]:
    """A row for each kind of comparison."""
    found = next(iter(figures["modes"].values()))["pairs"]
    return [[name, f"{one['us']:.0f}", f"{one['kb']:.1f}"] for name, one in found.items()]


def disk_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Kilobytes (1000 bytes) by kind of file."""
    found = next(iter(figures["modes"].values()))["bytes"]
    names = {**KINDS, "store": "store (SQLite)"}
    return [
        [names[kind], f"{size / 1e3 / figures['clips']:.1f}",
         f"{size / 1e3 / figures['seconds']:.1f}"]
        for kind, size in found.items()
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
