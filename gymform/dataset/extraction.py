"""Extracts every clip's keypoints, a video to view and its repetitions, on one machine or many.

Each clip is one job: :func:`extract_clip` writes its files, each atomically, and proposes its
items. Only the process that called :func:`extract` writes to the store, after the files are there.
So an extraction may be killed at any time: started again, it continues with the clips that are not
marked as extracted, and the keypoints are the same to the byte.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from gymform.analysis import Options
from gymform.dataset.duplicates import Skeletons
from gymform.dataset.items import (
    EXTRACTED,
    ClipRecord,
    DatasetFiles,
    Item,
    Quality,
    item_id,
)
from gymform.dataset.looks import look_of, save_look
from gymform.dataset.proposals import Scene, propose
from gymform.dataset.reviews import ReviewStore
from gymform.draw.overlay import draw_overlay
from gymform.draw.video import draw_skeletons
from gymform.errors import (
    Cancelled,
    DatasetError,
    GymformError,
    OptionsError,
    PoseFileError,
    WeightsError,
)
from gymform.in_use import holds, locked
from gymform.motion.camera import camera_speed
from gymform.motion.clean import clean
from gymform.pose.engine.choice import EXACT
from gymform.pose.files import load_poses, save_poses
from gymform.pose.networks import load_estimators
from gymform.pose.sequence import extract_poses
from gymform.pose.tracking import SAMPLE_INTERVAL_S
from gymform.ray_cluster import connect
from gymform.storage import atomic_path
from gymform.timing import Progress, ignore_progress
from gymform.types import Clip, PoseSequence
from gymform.video.memory import go_first, memory_limited, memory_of_analysis
from gymform.video.sandbox import probe_apart
from gymform.video.sparse import SparseFrames, only, sample_frames
from gymform.video.write import KEYINT
from gymform.weights import manifest_entry

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)

PROXY_SIDE = 640
"""Longer side of the video with the skeleton, px: half the width of a page."""

THUMB_SIDE = 320
"""Longer side of the thumbnail, px."""

THUMB_QUALITY = 85

IN_FLIGHT = 2
"""Jobs sent to a cluster for each of its processors: one at work, one whose clip is on the way."""

STALE_S = 3600.0
"""Temporary files older than this are left over from a process that was killed."""

ESTIMATE = "gymform.dataset.extraction:estimate"
"""The function that estimates the keypoints: by name, since other processes call it."""

_RUNNING = (
    "Another extraction of this data set is running, here or in a terminal. Wait until it has "
    "ended: it does all clips."
)

_log = logging.getLogger(__name__)

Estimate = Callable[[Path, Clip, Options, Progress], PoseSequence]


@dataclass(frozen=True)
class ExtractionJob:
    """A clip to extract: its file, the folder for the results, and how to extract.

    ``copies`` are names of clips that show the same; ``weights_sha256`` belongs to the pose
    network, "" when ``estimate`` uses none.
    """

    clip: ClipRecord
    source: Path
    folder: Path
    options: Options
    copies: tuple[str, ...] = ()
    estimate: str = ESTIMATE
    again: bool = False
    weights_sha256: str = ""


@dataclass(frozen=True)
class ExtractionResult:
    """What was found in a clip: its items, or the ``reason`` why it failed."""

    sha256: str
    items: tuple[Item, ...] = ()
    qualities: tuple[Quality, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ExtractionReport:
    """Names of the clips extracted now and earlier, and (name, reason) of those that failed."""

    extracted: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


@holds("store")
def extract(
    store: ReviewStore,
    *,
    jobs: int = 1,
    engine: str = LOCAL,
    address: str | None = None,
    options: Options | None = None,
    again: bool = False,
    estimate: str = ESTIMATE,
    progress: Progress | None = None,
) -> ExtractionReport:
    """Extract every clip that is not extracted yet, and report on each.

    ``jobs`` processes work in parallel; the engine ``ray`` sends the clips to the Ray cluster at
    ``address`` instead (a local one is started when None). ``again`` extracts all clips anew. A
    clip that fails is marked with its reason, and tried again the next time. ``progress`` gets
    the stage "extract" in frames, and may raise to stop after the current clips. Raises
    OptionsError, WeightsError, BusyError while another extraction of this data set runs, and
    DatasetError when the store fails.
    """
    if engine not in ENGINES:
        raise OptionsError(f"Expected an engine of {', '.join(ENGINES)}, got {engine!r}.")
    if jobs < 1:
        raise OptionsError(f"Expected one job or more, got {jobs}.")
    with locked(store.files.extraction_lock, _RUNNING):
        _sweep(store.files)
        clips = store.clips()
        known = [] if again else [clip for clip in clips if _is_done(store.files, clip)]
        left = sorted(set(clips) - set(known), key=lambda clip: (clip.name, clip.sha256))
        work = _jobs_for(store, left, options or Options(), again, estimate)
        frames = _FrameProgress(progress or ignore_progress, [job.clip for job in work])
        if engine == RAY:
            results = _on_ray(work, address)
        elif jobs > 1:
            results = _in_processes(work, jobs)
        else:
            results = (extract_clip(job, frames.within(job.clip)) for job in work)
        return _stored(store, known, work, results, frames)


def _stored(
    store: ReviewStore,
    known: Sequence[ClipRecord],
    work: Sequence[ExtractionJob],
    results: Iterator[ExtractionResult],
    frames: _FrameProgress,
) -> ExtractionReport:
    """Store the results as they come, and report on each."""
    names = {job.clip.sha256: job.clip.name for job in work}
    extracted: list[str] = []
    failed: list[tuple[str, str]] = []
    skeletons = _skeletons_of(store, known if work else ())
    frames.report()
    for result in results:
        if result.reason:
            store.set_failed(result.sha256, result.reason)
            failed.append((names[result.sha256], result.reason))
        else:
            _store_copies(store, result.sha256, skeletons)
            store.set_extracted(result.sha256, result.items, result.qualities)
            extracted.append(names[result.sha256])
        frames.finished(result.sha256)
    return ExtractionReport(
        extracted=tuple(extracted),
        known=tuple(clip.name for clip in known),
        failed=tuple(failed),
    )


def _skeletons_of(store: ReviewStore, clips: Sequence[ClipRecord]) -> Skeletons:
    """The skeletons that later clips are compared with, without keypoints that cannot be read."""
    skeletons = Skeletons()
    for clip in clips:
        with contextlib.suppress(PoseFileError):
            skeletons.add(clip.sha256, load_poses(store.files.poses(clip.sha256)))
    return skeletons


def _store_copies(store: ReviewStore, sha256: str, skeletons: Skeletons) -> None:
    """Store which clips show the same as a new one, before it is marked as extracted."""
    pose = load_poses(store.files.poses(sha256))
    store.add_copies(skeletons.copies_of(sha256, pose))
    skeletons.add(sha256, pose)


def _jobs_for(
    store: ReviewStore,
    clips: Sequence[ClipRecord],
    options: Options,
    again: bool,
    estimate: str,
) -> list[ExtractionJob]:
    weights = manifest_entry(options.pose_model).sha256 if estimate == ESTIMATE else ""
    names = {clip.sha256: clip.name for clip in store.clips()}
    copies: dict[str, list[str]] = {}
    for pair in store.copies():
        copies.setdefault(pair.clip, []).append(names[pair.of])
        copies.setdefault(pair.of, []).append(names[pair.clip])
    return [
        ExtractionJob(
            clip=clip,
            source=store.files.clip(clip),
            folder=store.folder,
            options=options,
            copies=tuple(copies.get(clip.sha256, ())),
            estimate=estimate,
            again=again,
            weights_sha256=weights,
        )
        for clip in clips
    ]


def _is_done(files: DatasetFiles, clip: ClipRecord) -> bool:
    first = files.thumb(item_id(clip.sha256, 1))
    made = (files.poses(clip.sha256), files.proxy(clip.sha256), first)
    return clip.state == EXTRACTED and all(path.is_file() for path in made)


def _sweep(files: DatasetFiles) -> None:
    """Delete what killed extractions left unfinished."""
    for kind in ("clips", "poses", "proxies", "thumbs", "looks"):
        for leftover in (files.folder / kind).glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.stat().st_mtime > STALE_S:
                    leftover.unlink()


class _FrameProgress:
    """Progress in frames rather than clips, so that the time left can be estimated."""

    def __init__(self, progress: Progress, clips: Sequence[ClipRecord]) -> None:
        self._progress = progress
        self._frames = {clip.sha256: clip.frames for clip in clips}
        self._total = sum(self._frames.values())
        self._done = 0

    def report(self, part: int = 0) -> None:
        """Report how many frames are done, ``part`` of them in the current clip."""
        self._progress("extract", self._done + part, self._total)

    def finished(self, sha256: str) -> None:
        """Count all of a clip as done."""
        self._done += self._frames[sha256]
        self.report()

    def within(self, clip: ClipRecord) -> Progress:
        """A progress callback for one clip; only the pose stage counts, as it takes longest."""

        def progress(stage: str, done: int, total: int) -> None:
            self.report(round(clip.frames * done / total) if stage == "pose" and total else 0)

        return progress


# --- one clip -----------------------------------------------------------------------------------


def extract_clip(job: ExtractionJob, progress: Progress | None = None) -> ExtractionResult:
    """Write the files of one clip, and propose its items; when it fails, say why."""
    try:
        return _extract_clip(job, progress or ignore_progress)
    except (Cancelled, OptionsError, WeightsError):
        raise  # not the fault of this clip: the others would fail as well
    except GymformError as error:
        reason = str(error)
    except OSError as error:
        reason = f"The results cannot be written: {error.strerror or 'the disk failed'}."
    except MemoryError:
        reason = "There is not enough memory: use a shorter or smaller clip, or fewer jobs."
    except Exception as error:  # noqa: BLE001 - whatever it is, the other clips come next
        _log.warning("extracting %s failed", job.clip.sha256, exc_info=True)
        reason = f"An unexpected problem arose ({type(error).__name__})."
    return ExtractionResult(job.clip.sha256, reason=reason)


def _extract_clip(job: ExtractionJob, progress: Progress) -> ExtractionResult:
    files = DatasetFiles(job.folder)
    clip, sha256 = job.clip, job.clip.sha256
    pose = None if job.again else _existing_poses(files.poses(sha256), job)
    if pose is None:
        pose = _resolve(job.estimate)(
            job.source, probe_apart(job.source, clip.name), job.options, progress
        )
        save_poses(files.poses(sha256), pose)
    with memory_limited(memory_of_analysis(*pose.image_size)):
        return _pictures_and_items(job, files, pose, progress)


def _pictures_and_items(
    job: ExtractionJob, files: DatasetFiles, pose: PoseSequence, progress: Progress
) -> ExtractionResult:
    """Write the clip's video and thumbnails, and propose its items."""
    clip, sha256 = job.clip, job.clip.sha256
    tracks = clean(pose)
    frames = sample_frames(job.source, SAMPLE_INTERVAL_S, choose=only(pose.time_s))
    frames = frames.turned(pose.provenance.turn)
    scene = Scene(frames.sample_times(), frames.shots, camera_speed(frames, pose.boxes))
    items, qualities = propose(clip, pose, tracks, scene, job.copies)
    if job.again or not files.look(sha256).is_file():
        save_look(files.look(sha256), look_of(frames, pose))
    if job.again or not files.proxy(sha256).is_file():
        draw_skeletons(
            pose,
            tracks,
            job.source,
            files.proxy(sha256),
            max_side=PROXY_SIDE,
            keyint=KEYINT,
            progress=progress,
        )
    for item in items:
        if job.again or not files.thumb(item.id).is_file():
            _draw_thumb(files.thumb(item.id), pose, frames, item)
    return ExtractionResult(sha256, tuple(items), tuple(qualities))


def _existing_poses(path: Path, job: ExtractionJob) -> PoseSequence | None:
    """Keypoints left by an extraction with the same options that was killed; None without."""
    try:
        pose = load_poses(path)
    except PoseFileError:
        return None
    made = pose.provenance
    is_same = (
        made.clip_sha256 == job.clip.sha256
        and made.weights_sha256 == job.weights_sha256
        and made.flip_test == job.options.flip_test
        and (made.engine == EXACT or not job.options.exact)
    )
    return pose if is_same else None


def estimate(path: Path, clip: Clip, options: Options, progress: Progress) -> PoseSequence:
    """The lifter's keypoints, by the pose network of ``options``. Raises GymformError."""
    networks = load_estimators(options.pose_model, flip_test=options.flip_test, exact=options.exact)
    with memory_limited(memory_of_analysis(clip.width, clip.height)):
        pose, _ = extract_poses(
            path,
            clip,
            networks.main,
            scout=networks.scout,
            max_fps=options.max_fps,
            progress=progress,
        )
    return pose


def _resolve(name: str) -> Estimate:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    found: Estimate = getattr(importlib.import_module(module), function)
    return found


def _draw_thumb(path: Path, pose: PoseSequence, frames: SparseFrames, item: Item) -> None:
    """Write a JPEG of the frame near the middle of ``item`` in which the lifter is seen best."""
    times = frames.sample_times()
    scores = pose.score[frames.positions].mean(axis=1)
    middle = (item.start_s + item.end_s) / 2
    near = np.abs(times - middle) <= max((item.end_s - item.start_s) / 4, SAMPLE_INTERVAL_S)
    sample = int(np.where(near, scores, -1.0).argmax())
    picture = frames.picture(sample)
    scale = min(1.0, THUMB_SIDE / max(picture.shape))
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    row = frames.positions[sample]
    xy = (pose.xy[row] + 0.5) * (frames.scale * scale) - 0.5
    drawn = draw_overlay(small, xy, pose.score[row])
    bgr = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, THUMB_QUALITY])[1]
    with atomic_path(path) as temporary:
        temporary.write_bytes(jpeg.tobytes())


# --- many at once -------------------------------------------------------------------------------


def _in_processes(work: Sequence[ExtractionJob], count: int) -> Iterator[ExtractionResult]:
    """The results of ``work`` as they come, by ``count`` processes.

    When a process dies, all unfinished jobs are run again one by one, and the clip that kills its
    process again is the one that fails.
    """
    left = {job.clip.sha256: job for job in work}
    try:
        for result in _from_pool(work, count):
            del left[result.sha256]
            yield result
    except BrokenProcessPool:
        for job in left.values():
            yield _alone(job)


def _from_pool(work: Sequence[ExtractionJob], count: int) -> Iterator[ExtractionResult]:
    threads = max(1, (os.cpu_count() or 1) // count)
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(threads,)
    ) as pool:
        waiting: set[Future[ExtractionResult]] = {pool.submit(extract_clip, job) for job in work}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(threads: int) -> None:
    """Share the processors, and end when the process that gives out the work has ended."""
    go_first()
    _use_threads(threads)
    threading.Thread(target=_end_with_parent, name="gymform-parent", daemon=True).start()


def _end_with_parent() -> None:
    """End this process, also in the middle of a clip, once its parent is gone.

    A pool's process waits for work on a pipe that it holds open itself, so a parent that was killed
    would leave it waiting for ever, with the network in memory.
    """
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _use_threads(count: int) -> None:
    """Limit this process to ``count`` threads, so that all processes share the processors."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _alone(job: ExtractionJob) -> ExtractionResult:
    try:
        (result,) = _from_pool([job], 1)
    except BrokenProcessPool:
        reason = (
            "The process that worked on this clip was ended from outside, most likely because "
            "memory ran out. Use a shorter or smaller clip."
        )
        return ExtractionResult(job.clip.sha256, reason=reason)
    return result


# --- many machines ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Package:
    """A clip sent to another machine, or its result sent back; ``files`` are contents by name."""

    job: ExtractionJob
    result: ExtractionResult | None = None
    files: dict[str, bytes] = field(default_factory=dict)


def _on_ray(work: Sequence[ExtractionJob], address: str | None) -> Iterator[ExtractionResult]:
    """The results of ``work`` as they come, from a Ray cluster that shares no disk with us.

    Clips are sent to the machines and files come back. gymform and its weights must be installed
    there. Raises OptionsError when Ray is missing or the cluster cannot be reached.
    """
    ray = connect(address)
    try:
        remote = ray.remote(num_cpus=1, max_retries=2)(_extract_package)
        capacity = max(1, int(IN_FLIGHT * ray.cluster_resources().get("CPU", 1)))
        queue = list(reversed(work))
        waiting: dict[Any, ExtractionJob] = {}
        while queue or waiting:
            while queue and len(waiting) < capacity:
                job = queue.pop()
                waiting[remote.remote(_packed(job))] = job
            (ready, *_), _ = ray.wait(list(waiting), num_returns=1)
            yield _received(ray, ready, waiting.pop(ready))
    finally:
        ray.shutdown()


def _packed(job: ExtractionJob) -> _Package:
    return _Package(job, files={"clip": job.source.read_bytes()})


def _extract_package(package: _Package) -> _Package:
    """Extract in a temporary folder, on the machine that this runs on, and return the files."""
    job = package.job
    with tempfile.TemporaryDirectory(prefix="gymform-") as folder:
        files = DatasetFiles(Path(folder))
        source = files.clip(job.clip)
        source.parent.mkdir()
        source.write_bytes(package.files["clip"])
        result = extract_clip(replace(job, source=source, folder=files.folder))
        made = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in _made(files, result)
            if path.is_file()
        }
    return _Package(job, result, made)


def _made(files: DatasetFiles, result: ExtractionResult) -> list[Path]:
    thumbs = [files.thumb(item.id) for item in result.items]
    made = (files.poses, files.proxy, files.look)
    return [*(path(result.sha256) for path in made), *thumbs]


def _received(ray: Any, reference: Any, job: ExtractionJob) -> ExtractionResult:
    """Store the files that came back; the result."""
    try:
        package: _Package = ray.get(reference)
    except ray.exceptions.RayError as error:
        reason = f"The machine that worked on this clip failed ({type(error).__name__})."
        return ExtractionResult(job.clip.sha256, reason=f"{reason} Extract again.")
    if package.result is None:
        raise DatasetError("A machine of the cluster runs another version of gymform.")
    for path in _made(DatasetFiles(job.folder), package.result):
        name = str(path.relative_to(job.folder))
        if name in package.files:
            with atomic_path(path) as temporary:
                temporary.write_bytes(package.files[name])
    return package.result
