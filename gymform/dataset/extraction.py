"""Every clip's keypoints, a video to look at, and its repetitions, on one machine or on many.

A clip is one task: :func:`extract_clip` makes its files, each whole or not at all, and says which
items it holds. Only the process that called :func:`extract` writes to the store, after the files
are there, so that whatever is killed when leaves nothing but work to be done: started again, it
goes on with the clips that are not marked as extracted, and the keypoints are the same to the byte.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from gymform.analysis import Options, pose_model
from gymform.dataset.duplicates import Skeletons
from gymform.dataset.items import (
    EXTRACTED,
    ClipRecord,
    DatasetFiles,
    Item,
    Quality,
    item_id,
)
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
from gymform.motion.camera import camera_speed
from gymform.motion.clean import clean
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses, save_poses
from gymform.pose.sequence import extract_poses
from gymform.pose.tracking import SAMPLE_INTERVAL_S
from gymform.storage import atomic_path
from gymform.timing import Progress, ignore_progress
from gymform.types import Clip, PoseSequence
from gymform.video.sandbox import probe_apart
from gymform.video.sparse import SparseFrames, only, sample_frames
from gymform.video.write import KEYINT
from gymform.weights import manifest_entry

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)

PROXY_SIDE = 640
"""Longer side of the video with the skeleton, px: what half a page shows."""

THUMB_SIDE = 320
"""Longer side of the poster, px."""

THUMB_QUALITY = 85

IN_FLIGHT = 2
"""Tasks on a cluster for each of its processors: one at work, one whose clip is on the way."""

STALE_S = 3600.0
"""Temporary files older than this were left behind by something that was killed."""

ESTIMATE = "gymform.dataset.extraction:estimate"
"""The function that finds the keypoints: by name, since other processes are to call it."""

_log = logging.getLogger(__name__)

Estimate = Callable[[Path, Clip, Options, Progress], PoseSequence]


@dataclass(frozen=True)
class ExtractionJob:
    """A clip to extract: its file, where its results go, and what else has to be known.

    ``weights_sha256`` is that of the pose network, empty for a made-up one.
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
    """What became of a clip: the items in it, or the ``reason`` why there are none."""

    sha256: str
    items: tuple[Item, ...] = ()
    qualities: tuple[Quality, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ExtractionReport:
    """Names of the clips extracted now, those that were before, and (name, reason) of failures."""

    extracted: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


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
    """Extract every clip that is not extracted yet, and say what became of each.

    ``jobs`` processes work at once; the engine ``ray`` hands the clips to the Ray cluster at
    ``address`` instead (a local one is started when None). ``again`` extracts all clips anew. A
    clip that fails is marked with its reason, and tried again the next time. ``progress`` hears
    the stage "extract" in frames, and may raise to stop after the clips under way. Raises
    OptionsError, WeightsError, and DatasetError when the store fails.
    """
    if engine not in ENGINES:
        raise OptionsError(f"Expected an engine of {', '.join(ENGINES)}, got {engine!r}.")
    if jobs < 1:
        raise OptionsError(f"Expected one job or more, got {jobs}.")
    _sweep(store.files)
    clips = store.clips()
    known = [] if again else [clip for clip in clips if _is_done(store.files, clip)]
    options = options or Options()
    left = sorted(set(clips) - set(known), key=lambda clip: (clip.name, clip.sha256))
    tasks = _tasks(store, left, options, again, estimate)
    report = _Counted(progress or ignore_progress, [task.clip for task in tasks])
    if engine == RAY:
        outcomes = _on_ray(tasks, address)
    elif jobs > 1:
        outcomes = _in_processes(tasks, jobs)
    else:
        outcomes = (extract_clip(task, report.within(task.clip)) for task in tasks)
    names = {clip.sha256: clip.name for clip in clips}
    extracted: list[str] = []
    failed: list[tuple[str, str]] = []
    skeletons = _skeletons_of(store, known if tasks else ())
    report.tell()
    for outcome in outcomes:
        if outcome.reason:
            store.set_failed(outcome.sha256, outcome.reason)
            failed.append((names[outcome.sha256], outcome.reason))
        else:
            _note_copies(store, outcome.sha256, skeletons)
            store.set_extracted(outcome.sha256, outcome.items, outcome.qualities)
            extracted.append(names[outcome.sha256])
        report.finished(outcome.sha256)
    return ExtractionReport(
        extracted=tuple(extracted),
        known=tuple(clip.name for clip in known),
        failed=tuple(failed),
    )


def _skeletons_of(store: ReviewStore, clips: Sequence[ClipRecord]) -> Skeletons:
    """What later clips are compared with; keypoints that cannot be read are no help."""
    skeletons = Skeletons()
    for clip in clips:
        with contextlib.suppress(PoseFileError):
            skeletons.add(clip.sha256, load_poses(store.files.poses(clip.sha256)))
    return skeletons


def _note_copies(store: ReviewStore, sha256: str, skeletons: Skeletons) -> None:
    """Keep which clips a new one moves like, before it counts as done: no split may part them."""
    pose = load_poses(store.files.poses(sha256))
    store.add_copies(skeletons.copies_of(sha256, pose))
    skeletons.add(sha256, pose)


def _tasks(
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
    """Remove what killed extractions left half made."""
    for kind in ("clips", "poses", "proxies", "thumbs"):
        for leftover in (files.folder / kind).glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.stat().st_mtime > STALE_S:
                    leftover.unlink()


class _Counted:
    """Progress in frames over clips of different lengths, so that an estimate of time holds."""

    def __init__(self, report: Progress, clips: Sequence[ClipRecord]) -> None:
        self._report = report
        self._frames = {clip.sha256: clip.frames for clip in clips}
        self._total = sum(self._frames.values())
        self._done = 0

    def tell(self, part: int = 0) -> None:
        """Say how many frames are done, and how many of the clip under way."""
        self._report("extract", self._done + part, self._total)

    def finished(self, sha256: str) -> None:
        """Count all of a clip as done."""
        self._done += self._frames[sha256]
        self.tell()

    def within(self, clip: ClipRecord) -> Progress:
        """What the work on one clip tells: the keypoints take nearly all of the time."""

        def progress(stage: str, done: int, total: int) -> None:
            self.tell(round(clip.frames * done / total) if stage == "pose" and total else 0)

        return progress


# --- one clip -----------------------------------------------------------------------------------


def extract_clip(task: ExtractionJob, progress: Progress | None = None) -> ExtractionResult:
    """Make the files of one clip, and propose its items; a clip that fails says why."""
    try:
        return _extract_clip(task, progress or ignore_progress)
    except (Cancelled, OptionsError, WeightsError):
        raise  # no fault of this clip: nothing else would go better
    except GymformError as error:
        reason = str(error)
    except OSError as error:
        reason = f"The results cannot be written: {error.strerror or 'the disk refused it'}."
    except MemoryError:
        reason = "There is not enough memory: use a shorter or smaller clip, or fewer jobs."
    except Exception as error:  # noqa: BLE001 - whatever it is, the other clips come next
        _log.warning("extracting %s failed", task.clip.sha256, exc_info=True)
        reason = f"An unexpected problem arose ({type(error).__name__})."
    return ExtractionResult(task.clip.sha256, reason=reason)


def _extract_clip(task: ExtractionJob, progress: Progress) -> ExtractionResult:
    files = DatasetFiles(task.folder)
    clip, sha256 = task.clip, task.clip.sha256
    pose = None if task.again else _made_before(files.poses(sha256), task)
    if pose is None:
        pose = _resolve(task.estimate)(
            task.source, probe_apart(task.source, clip.name), task.options, progress
        )
        save_poses(files.poses(sha256), pose)
    tracks = clean(pose)
    frames = sample_frames(task.source, SAMPLE_INTERVAL_S, choose=only(pose.time_s))
    scene = Scene(frames.sample_times(), frames.shots, camera_speed(frames, pose.boxes))
    items, qualities = propose(clip, pose, tracks, scene, task.copies)
    if task.again or not files.proxy(sha256).is_file():
        draw_skeletons(
            pose,
            tracks,
            task.source,
            files.proxy(sha256),
            max_side=PROXY_SIDE,
            keyint=KEYINT,
            progress=progress,
        )
    for item in items:
        if task.again or not files.thumb(item.id).is_file():
            _draw_thumb(files.thumb(item.id), pose, frames, item)
    return ExtractionResult(sha256, tuple(items), tuple(qualities))


def _made_before(path: Path, task: ExtractionJob) -> PoseSequence | None:
    """Keypoints that an extraction like this one left before it was killed, if it did."""
    try:
        pose = load_poses(path)
    except PoseFileError:
        return None
    made = pose.provenance
    is_same = (
        made.clip_sha256 == task.clip.sha256
        and made.weights_sha256 == task.weights_sha256
        and made.flip_test == task.options.flip_test
    )
    return pose if is_same else None


def estimate(path: Path, clip: Clip, options: Options, progress: Progress) -> PoseSequence:
    """The lifter's keypoints, by the pose network of ``options``. Raises GymformError kinds."""
    estimator = PoseEstimator(pose_model(options.pose_model), flip_test=options.flip_test)
    pose, _ = extract_poses(path, clip, estimator, max_fps=options.max_fps, progress=progress)
    return pose


def _resolve(name: str) -> Estimate:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    found: Estimate = getattr(importlib.import_module(module), function)
    return found


def _draw_thumb(path: Path, pose: PoseSequence, frames: SparseFrames, item: Item) -> None:
    """Write a JPEG of the middle of ``item``, from where the lifter is seen best."""
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


def _in_processes(tasks: Sequence[ExtractionJob], jobs: int) -> Iterator[ExtractionResult]:
    """The outcomes of ``tasks``, as they come, by ``jobs`` processes.

    When a process dies, everything that was under way is done again one by one, and the clip that
    kills its process again is the one that fails.
    """
    left = {task.clip.sha256: task for task in tasks}
    try:
        for outcome in _from_pool(tasks, jobs):
            del left[outcome.sha256]
            yield outcome
    except BrokenProcessPool:
        for task in left.values():
            yield _alone(task)


def _from_pool(tasks: Sequence[ExtractionJob], jobs: int) -> Iterator[ExtractionResult]:
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_use_threads, initargs=(threads,)
    ) as pool:
        waiting: set[Future[ExtractionResult]] = {pool.submit(extract_clip, task) for task in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _use_threads(count: int) -> None:
    """Share the processors, instead of every process taking all of them."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _alone(task: ExtractionJob) -> ExtractionResult:
    try:
        (outcome,) = _from_pool([task], 1)
    except BrokenProcessPool:
        reason = (
            "The process that worked on this clip was ended from outside, most likely for want of "
            "memory. Use a shorter or smaller clip."
        )
        return ExtractionResult(task.clip.sha256, reason=reason)
    return outcome


# --- many machines ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parcel:
    """A clip on its way to another machine, or its results on their way back: files by name."""

    task: ExtractionJob
    outcome: ExtractionResult | None = None
    files: dict[str, bytes] = field(default_factory=dict)


def _on_ray(tasks: Sequence[ExtractionJob], address: str | None) -> Iterator[ExtractionResult]:
    """The outcomes of ``tasks``, as they come, from a Ray cluster that shares no disk with us.

    Clips travel to the machines and files come back. gymform and its weights have to be installed
    there. Raises OptionsError when Ray is missing or the cluster cannot be reached.
    """
    ray = _connected(address)
    try:
        remote = ray.remote(num_cpus=1, max_retries=2)(_extract_parcel)
        room = max(1, int(IN_FLIGHT * ray.cluster_resources().get("CPU", 1)))
        queue = list(reversed(tasks))
        waiting: dict[Any, ExtractionJob] = {}
        while queue or waiting:
            while queue and len(waiting) < room:
                task = queue.pop()
                waiting[remote.remote(_packed(task))] = task
            (ready, *_), _ = ray.wait(list(waiting), num_returns=1)
            yield _received(ray, ready, waiting.pop(ready))
    finally:
        ray.shutdown()


def _connected(address: str | None) -> Any:
    """Ray, connected to the cluster at ``address``, or to a local one made for the occasion."""
    try:
        import ray
    except ImportError:
        raise OptionsError(
            "The engine ray needs Ray: pip install -r requirements-ray.txt, on every machine of "
            "the cluster. Without it, --jobs N uses this machine's processors."
        ) from None
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        raise OptionsError(
            f"The Ray cluster cannot be reached ({type(error).__name__}): expected an --address "
            "such as ray://head:10001, or auto on a machine of the cluster."
        ) from error
    return ray


def _packed(task: ExtractionJob) -> _Parcel:
    return _Parcel(task, files={"clip": task.source.read_bytes()})


def _extract_parcel(parcel: _Parcel) -> _Parcel:
    """Extract on whatever machine this runs, in a folder of its own, and send the files back."""
    task = parcel.task
    with tempfile.TemporaryDirectory(prefix="gymform-") as folder:
        files = DatasetFiles(Path(folder))
        source = files.clip(task.clip)
        source.parent.mkdir()
        source.write_bytes(parcel.files["clip"])
        outcome = extract_clip(replace(task, source=source, folder=files.folder))
        made = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in _made(files, outcome)
            if path.is_file()
        }
    return _Parcel(task, outcome, made)


def _made(files: DatasetFiles, outcome: ExtractionResult) -> list[Path]:
    thumbs = [files.thumb(item.id) for item in outcome.items]
    return [files.poses(outcome.sha256), files.proxy(outcome.sha256), *thumbs]


def _received(ray: Any, reference: Any, task: ExtractionJob) -> ExtractionResult:
    """Put the files that came back in their places."""
    try:
        parcel: _Parcel = ray.get(reference)
    except ray.exceptions.RayError as error:
        reason = f"The machine that worked on this clip failed ({type(error).__name__})."
        return ExtractionResult(task.clip.sha256, reason=f"{reason} Extract again.")
    if parcel.outcome is None:
        raise DatasetError("A machine of the cluster runs another version of gymform.")
    for path in _made(DatasetFiles(task.folder), parcel.outcome):
        name = str(path.relative_to(task.folder))
        if name in parcel.files:
            with atomic_path(path) as temporary:
                temporary.write_bytes(parcel.files[name])
    return parcel.outcome
