"""Augmentation of keypoint tracks: other lifters, cameras, tempos, cuts and pose errors.

A :class:`Sample` is a cleaned track on an even time grid, in body heights. :func:`augment` makes an
augmented sample of it: it picks a stretch, plays it faster, slower or backwards, moves the camera,
changes the body's proportions, and adds the errors that a mediocre pose network makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform import skeleton as sk
from gymform.exercise.features import RATE_HZ, resample
from gymform.exercises import class_of
from gymform.motion.body_size import stature
from gymform.motion.clean import clean
from gymform.motion.repetitions import whole_repetitions
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER

BASE_HZ = 24.0
"""Sampling rate of the grid: twice the classifier's, so that time can be stretched."""

MAX_SECONDS = 10.0
"""Longest augmented sample, seconds."""

TREE: tuple[tuple[int, tuple[int, ...], int], ...] = (
    (sk.LEFT_SHOULDER, sk.HIPS, 0),
    (sk.RIGHT_SHOULDER, sk.HIPS, 0),
    (sk.NOSE, sk.SHOULDERS, 1),
    (sk.LEFT_ELBOW, (sk.LEFT_SHOULDER,), 2),
    (sk.RIGHT_ELBOW, (sk.RIGHT_SHOULDER,), 2),
    (sk.LEFT_WRIST, (sk.LEFT_ELBOW,), 3),
    (sk.RIGHT_WRIST, (sk.RIGHT_ELBOW,), 3),
    (sk.LEFT_KNEE, (sk.LEFT_HIP,), 4),
    (sk.RIGHT_KNEE, (sk.RIGHT_HIP,), 4),
    (sk.LEFT_ANKLE, (sk.LEFT_KNEE,), 5),
    (sk.RIGHT_ANKLE, (sk.RIGHT_KNEE,), 5),
)
"""Joint, its parent joints, and the index of the bone's length; root first, left and right share a
length."""

ONE_WAY = (
    "snatch",
    "clean_and_jerk",
    "clean",
    "power_clean",
    "kettlebell_snatch",
    "kettlebell_clean_and_jerk",
)
"""Exercises that are a different movement when played backwards."""

STANDING, NOISE = "standing", "noise"
"""Actions whose motion is generated while augmenting."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One training clip: ``points`` float64 (N, 17, 3) in body heights at :data:`BASE_HZ`.

    x right, y down, z away from the camera (0 throughout where no depth is known); NaN where
    missing. ``reps`` are (start, end) in seconds from the first row. ``departs``: the movement ends
    in another pose than it began.
    """

    name: str
    label: str
    action: str
    group: str
    source: str
    points: np.ndarray
    reps: tuple[tuple[float, float], ...]
    has_depth: bool = False
    departs: bool = False

    @property
    def one_way(self) -> bool:
        """Is it another movement when played backwards or without its beginning?"""
        return self.departs or self.action in ONE_WAY

    @property
    def seconds(self) -> float:
        """Duration."""
        return (len(self.points) - 1) / BASE_HZ


def make_sample(track: LabelledPose) -> Sample | None:
    """``track`` cleaned and resampled; None when its body size cannot be measured."""
    tracks = clean(track.pose)
    size = stature(tracks.xy)
    if not np.isfinite(size):
        return None
    xy = resample(tracks, BASE_HZ) / size
    depth = np.zeros(xy.shape[:2])
    if track.depth is not None:
        time_s, grid = track.pose.time_s, np.arange(len(xy)) / BASE_HZ
        for k in range(sk.NUM_KEYPOINTS):
            known = np.isfinite(track.depth[:, k])
            if known.any():
                depth[:, k] = np.interp(grid, time_s[known], track.depth[known, k] / size)
    points = np.concatenate([xy, depth[..., None]], -1)
    first = float(tracks.time_s[0])  # a trimmed track keeps the times of its clip
    reps = tuple((start - first, end - first) for start, end in whole_repetitions(tracks))
    return Sample(track.name, track.label, track.action, track.group, track.source, points, reps,
                  track.depth is not None)  # fmt: skip


def augment(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """One augmented sample: xy float64 (N, 17, 2) in body heights at the feature rate."""
    play = {STANDING: _stand, NOISE: _scatter}.get(sample.action, _play)
    points = _change_proportions(play(sample, rng), rng)
    xy = _project(points, sample, rng)
    if rng.random() < 0.08:  # an edited clip: the camera changes at some moment
        cut = int(rng.integers(len(xy)))
        xy[cut:] = _project(points, sample, rng)[cut:]
    xy = _add_pose_errors(xy, rng)
    return _lower_rate(xy, rng)


def standing(sample: Sample) -> Sample:
    """The lifter of ``sample`` holding still in any of their poses: ``other``."""
    return _derived(sample, OTHER, STANDING, sample.points)


def noise(sample: Sample) -> Sample:
    """Joints that move independently, as when nobody is in the picture: ``other``."""
    return _derived(sample, OTHER, NOISE, sample.points)


def overhead_squat(sample: Sample) -> Sample | None:
    """An overhead squat: a snatch's stand-up backwards, then forwards; or None."""
    start, end = _catch(sample)
    if start is None:
        return None
    rise = sample.points[start:end]
    points = np.concatenate([rise[::-1], rise])
    return _derived(sample, class_of("overhead_squat"), "overhead_squat", points)


def wide_deadlift(sample: Sample) -> Sample | None:
    """A wide-grip deadlift from a snatch: the pull to the hips and back down; or None."""
    height = _hip_height(sample.points)
    wrists = _wrist_height(sample.points)
    catch, _ = _catch(sample)
    if catch is None:
        return None
    top = int(np.nanargmax(height[:catch])) if catch > 4 else 0
    low = np.flatnonzero(wrists[:top] > np.nanmax(height[:catch]))
    top = int(low[0]) if len(low) else top
    start = max(0, top - int(2 * BASE_HZ))
    if top - start < 0.6 * BASE_HZ:
        return None
    pull = sample.points[start:top]
    hold = np.repeat(pull[-1:], int(0.4 * BASE_HZ), 0)
    return _derived(
        sample, class_of("deadlift"), "deadlift", np.concatenate([pull, hold, pull[::-1]])
    )


def _derived(sample: Sample, label: str, action: str, points: np.ndarray) -> Sample:
    """``points`` as a sample of its own, in the group of its athlete."""
    seconds = (len(points) - 1) / BASE_HZ
    return Sample(f"{sample.name}_{action}", label, action, sample.group, "derived", points,
                  ((0.0, seconds),), sample.has_depth)  # fmt: skip


def _catch(sample: Sample) -> tuple[int | None, int]:
    """Indices (bottom of the catch, end of the stand-up), or (None, 0) when there is no catch."""
    hips, wrists = _hip_height(sample.points), _wrist_height(sample.points)
    overhead = wrists > _height(sample.points, (sk.NOSE,))
    if overhead.sum() < 0.8 * BASE_HZ:
        return None, 0
    first, last = np.flatnonzero(overhead)[[0, -1]]
    bottom = int(first + np.nanargmin(hips[first : first + int(1.5 * BASE_HZ)]))
    if last - bottom < 0.7 * BASE_HZ or np.nanmax(hips[bottom:last]) - hips[bottom] < 0.12:
        return None, 0
    end = int(bottom + np.nanargmax(hips[bottom:last] > 0.95 * np.nanmax(hips[bottom:last])))
    return bottom, max(end + 1, bottom + 2)


def _height(points: np.ndarray, joints: tuple[int, ...]) -> np.ndarray:
    """Height (N,) of ``joints`` over the ankles, in body heights, up positive."""
    feet = points[:, [sk.LEFT_ANKLE, sk.RIGHT_ANKLE], 1].mean(1)
    return np.asarray(feet - points[:, list(joints), 1].mean(1))


def _hip_height(points: np.ndarray) -> np.ndarray:
    return _height(points, sk.HIPS)


def _wrist_height(points: np.ndarray) -> np.ndarray:
    return _height(points, sk.WRISTS)


# ---- stretch and tempo ---------------------------------------------------------------------


def _play(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """A stretch of the sample at the feature rate: (N, 17, 3), at most :data:`MAX_SECONDS`."""
    start, end = _stretch(sample, rng)
    # a movement that has a direction must fit in whole
    slowest = min(1.0, (end - start) / MAX_SECONDS) if sample.one_way else 0.0
    clock = _playback_times(end - start, slowest, rng) + start
    if not sample.one_way and rng.random() < 0.3:
        clock = clock[::-1]
    clock = np.concatenate([_pause(clock[0], rng), clock, _pause(clock[-1], rng)])
    limit = int(MAX_SECONDS * RATE_HZ)
    if len(clock) > limit:
        first = rng.integers(len(clock) - limit + 1)
        clock = clock[first : first + limit]
    index = np.clip(clock * BASE_HZ, 0, len(sample.points) - 1)
    low = np.floor(index).astype(int)
    high = np.minimum(low + 1, len(sample.points) - 1)
    share = (index - low)[:, None, None]
    return np.asarray(sample.points[low] * (1 - share) + sample.points[high] * share)


def _stand(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """One pose of the sample held for two to six seconds, swaying a little."""
    count = int(rng.uniform(2, 6) * RATE_HZ)
    seen = np.flatnonzero(np.isfinite(sample.points[:, list(sk.BODY)]).any(axis=(1, 2)))
    points = np.repeat(sample.points[rng.choice(seen)][None], count, 0)
    sway = gaussian_filter1d(rng.normal(0, 1, (count, sk.NUM_KEYPOINTS, 2)), RATE_HZ, axis=0)
    points[..., :2] += sway * rng.uniform(0, 0.1)
    return points


def _scatter(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """Smooth random paths around one pose of the sample, independent for each joint."""
    points = _stand(sample, rng)
    paths = rng.normal(0, 1, (len(points), sk.NUM_KEYPOINTS, 2))
    paths = gaussian_filter1d(paths, rng.uniform(1, 6), axis=0)
    points[..., :2] += paths / max(paths.std(), 1e-9) * rng.uniform(0.08, 0.4)
    return points


def _stretch(sample: Sample, rng: np.random.Generator) -> tuple[float, float]:
    """(start, end) in seconds: some repetitions with margins, or any stretch; sometimes cut."""
    seconds = sample.seconds
    choice = rng.random()
    if sample.reps and choice < 0.6:
        first = int(rng.integers(len(sample.reps)))
        last = min(first + int(rng.integers(1, 4)), len(sample.reps)) - 1
        start = max(0.0, sample.reps[first][0] - rng.uniform(0, 1.2))
        end = min(seconds, sample.reps[last][1] + rng.uniform(0, 1.2))
    elif choice < 0.8 and seconds > 3:
        length = rng.uniform(min(3, seconds), min(MAX_SECONDS, seconds))
        if sample.one_way and len(sample.reps) == 1:
            length = max(length, 0.75 * seconds)  # without its pull it is no snatch
        start = rng.uniform(0, seconds - min(length, seconds))
        end = start + length
    else:
        start, end = 0.0, seconds
    cut = 0.12 if sample.one_way else 0.22
    if rng.random() < 0.35:
        length = end - start
        start, end = start + rng.uniform(0, cut) * length, end - rng.uniform(0, cut) * length
    return start, max(end, start + 2 / BASE_HZ)


def _playback_times(length_s: float, slowest: float, rng: np.random.Generator) -> np.ndarray:
    """Times (N,) at which to sample ``length_s`` seconds, for another, slightly uneven tempo, but
    not below ``slowest``."""
    low, high = (0.25, 2.0) if rng.random() < 0.3 else (0.6, 1.6)  # slow motion, and films sped up
    speed = max(np.exp(rng.uniform(np.log(low), np.log(high))), slowest)
    count = max(2, round(length_s / speed * RATE_HZ))
    tempo = np.exp(rng.uniform(-0.3, 0.3, 5))
    pace = np.interp(np.linspace(0, 4, count), np.arange(5), tempo)
    clock = np.cumsum(pace) - pace[0]
    return np.asarray(clock * (length_s / max(clock[-1], 1e-9)))


def _pause(at: float, rng: np.random.Generator) -> np.ndarray:
    """A rest: the time ``at`` repeated for up to two and a half seconds, or empty."""
    seconds = rng.uniform(0.2, 2.5) if rng.random() < 0.3 else 0.0
    return np.full(int(seconds * RATE_HZ), at)


# ---- body and camera -----------------------------------------------------------------------


def _change_proportions(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same joint angles with longer or shorter bones (standard deviation 7 %)."""
    factor = np.exp(rng.normal(0, 0.07, 6))
    hips = points[:, [sk.LEFT_HIP, sk.RIGHT_HIP]].mean(1)
    breadth = np.exp(rng.normal(0, 0.1))
    out = points.copy()
    for hip in sk.HIPS:
        out[:, hip] = hips + (points[:, hip] - hips) * breadth
    for joint, parents, kind in TREE:
        before = points[:, list(parents)].mean(1)
        after = out[:, list(parents)].mean(1)
        out[:, joint] = after + (points[:, joint] - before) * factor[kind]
    # Where a parent joint is missing, the joint stays where it was.
    return np.where(np.isfinite(out), out, points)


def _project(points: np.ndarray, sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """``points`` (N, 17, 3) as another camera sees them: xy (N, 17, 2)."""
    known = np.isfinite(points[:, list(sk.BODY)])
    if known[..., 0].any():
        points = points - points[:, list(sk.BODY)].mean(axis=(0, 1), where=known)
    if sample.has_depth:
        # single-camera trackers flatten depth; that of synthetic lifters is exact
        depth_scale = rng.uniform(0.95, 1.1) if sample.source == "made" else rng.uniform(0.9, 1.5)
        xy = _rotate_and_project(points * [1, 1, depth_scale], rng)
    else:
        xy = points[..., :2] * [np.exp(rng.normal(0, 0.15)), np.exp(rng.normal(0, 0.06))]
    if rng.random() < 0.5:
        xy = xy[:, list(sk.FLIP_ORDER)] * [-1, 1]
    near = 1 + rng.normal(0, 0.12) * xy[..., 1:]  # lower is nearer, or the reverse
    xy = xy * np.clip(near, 0.6, 1.5)
    roll, shear = rng.normal(0, np.radians(4)), rng.normal(0, 0.06)
    rotation = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return np.asarray(xy @ (rotation @ np.array([[1, shear], [0, 1]])).T)


def _rotate_and_project(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points rotated about the vertical axis by any angle, tilted a little, and projected."""
    yaw, pitch = rng.uniform(0, 2 * np.pi), rng.normal(0, np.radians(7))
    x, y, z = np.moveaxis(points, -1, 0)
    x, z = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
    y, z = np.cos(pitch) * y - np.sin(pitch) * z, np.sin(pitch) * y + np.cos(pitch) * z
    distance = rng.uniform(2.0, 8.0)
    scale = distance / (distance + z)
    return np.stack([x * scale, y * scale], -1)


# ---- errors of pose networks ---------------------------------------------------------------

LIMBS: tuple[tuple[int, ...], ...] = (
    sk.WRISTS,
    (sk.LEFT_ELBOW, sk.LEFT_WRIST),
    (sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
    (sk.LEFT_KNEE, sk.LEFT_ANKLE),
    (sk.RIGHT_KNEE, sk.RIGHT_ANKLE),
    (sk.LEFT_HIP,),
    (sk.RIGHT_HIP,),
    (sk.NOSE,),
    sk.ANKLES,
    (sk.LEFT_SHOULDER, sk.LEFT_ELBOW, sk.LEFT_WRIST),
    (sk.RIGHT_SHOULDER, sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
)
"""Joints that go wrong together, for example behind a plate or outside the picture."""

SIDES: tuple[tuple[tuple[int, int], ...], ...] = (
    tuple((left, right) for left, right in sk.FLIP_PAIRS if left in sk.BODY),
    tuple((right, left) for left, right in sk.FLIP_PAIRS if left in sk.BODY),
)
"""(near joint, far joint) pairs in side views: left side near, right side near."""


def _add_pose_errors(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add jitter, bias, displaced limbs, a far side that sticks to the near one, missing joints."""
    xy = xy + _jitter(xy.shape, rng)
    xy = _miss_raised_arms(xy, rng)
    xy = _mistake_plates_for_legs(xy, rng)
    for _ in range(rng.poisson(1.2)):
        xy = _displace_limb(xy, rng)
    if rng.random() < 0.15:
        xy = _merge_sides(xy, rng)
    for _ in range(rng.poisson(0.8)):
        limb = list(LIMBS[rng.integers(len(LIMBS))])
        xy[_span(len(xy), rng, 0.25, 2.0), limb] = np.nan
    if rng.random() < 0.2:  # plates, a bench or a rack before the lifter
        for joint in rng.choice(sk.BODY, int(rng.integers(1, 5)), replace=False):
            xy[_span(len(xy), rng, 0.5, 4.0), joint] = np.nan
    if rng.random() < 0.12:  # missing from start to end
        xy[:, list(LIMBS[rng.integers(len(LIMBS))])] = np.nan
    if rng.random() < 0.06:  # a close-up of the face, or nobody for a while
        xy[_span(len(xy), rng, 0.5, 2.5)] = np.nan
    if rng.random() < 0.04:  # the legs are outside the picture
        xy[:, list(range(sk.LEFT_KNEE, sk.NUM_KEYPOINTS))] = np.nan
    return xy


def _jitter(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """The noise that smoothing leaves, around 0.006 body heights, and a constant bias."""
    strength = np.exp(rng.normal(np.log(0.006), 0.6))
    noise = gaussian_filter1d(rng.normal(0, 1, shape), rng.uniform(0.3, 1.5), axis=0)
    noise /= max(noise.std(), 1e-9)
    per_joint = np.exp(rng.normal(0, 0.4, (1, shape[1], 1)))
    return np.asarray(noise * strength * per_joint + rng.normal(0, 0.008, (1, *shape[1:])))


def _miss_raised_arms(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes place the elbows and wrists of raised arms on the trunk or the face.

    In side views, mediocre networks do so in every other overhead lift.
    """
    wrists = xy[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST], 1].mean(1)
    shoulders = xy[:, [sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER], 1].mean(1)
    raised = np.flatnonzero(wrists < shoulders)
    if len(raised) == 0 or rng.random() > 0.35:
        return xy
    if rng.random() < 0.5:  # only for part of the time
        first = int(rng.integers(len(raised)))
        raised = raised[first : first + int(rng.integers(2, len(raised) + 2))]
    out = xy.copy()
    bend, reach = rng.uniform(0.2, 0.6), rng.uniform(-0.3, 1.0)
    both = rng.random() < 0.7
    for side in range(2) if both else [int(rng.integers(2))]:
        shoulder, hip = xy[raised, sk.LEFT_SHOULDER + side], xy[raised, sk.LEFT_HIP + side]
        noise = rng.normal(0, 0.03, (2, len(raised), 2)) + rng.normal(0, 0.04, (2, 1, 2))
        out[raised, sk.LEFT_ELBOW + side] = shoulder + bend * (hip - shoulder) + noise[0]
        out[raised, sk.LEFT_WRIST + side] = shoulder + reach * (hip - shoulder) + noise[1]
    if rng.random() < 0.25:  # the head is placed where the hands are
        out[raised, sk.NOSE] = xy[raised, sk.LEFT_WRIST]
    return out


def _mistake_plates_for_legs(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes place feet or knees on the plates in front of them, while the hands are low."""
    side = int(rng.integers(2))
    low = xy[:, sk.LEFT_WRIST + side, 1] > xy[:, sk.LEFT_KNEE + side, 1] - 0.03
    frames = np.flatnonzero(low)
    if len(frames) == 0 or rng.random() > 0.25:
        return xy
    out = xy.copy()
    share = rng.uniform(0.4, 1.0)
    joints = [(sk.LEFT_ANKLE,), (sk.LEFT_KNEE,), (sk.LEFT_KNEE, sk.LEFT_ANKLE)][rng.integers(3)]
    for joint in joints:
        for other in (0, 1):
            noise = rng.normal(0, 0.02, (len(frames), 2)) + rng.normal(0, 0.03, (1, 2))
            toward = xy[frames, sk.LEFT_WRIST + other] - xy[frames, joint + other]
            out[frames, joint + other] += share * toward + noise
    return out


def _displace_limb(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Displace a limb for a while, mostly a little, at times far."""
    limb = list(LIMBS[rng.integers(len(LIMBS))])
    frames = np.zeros(len(xy))
    frames[_span(len(xy), rng, 0.3, 2.0)] = 1
    ramp = gaussian_filter1d(frames, 1.0)[:, None, None]
    out = xy.copy()
    distance = 0.06 * np.exp(rng.normal(0, 0.5))
    out[:, limb] += ramp * rng.normal(0, distance, (1, 1, 2))
    return out


def _merge_sides(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Place the far side on the near one for a while, as happens in side views."""
    out = xy.copy()
    frames = _span(len(xy), rng, 0.5, 10.0)
    for near, far in SIDES[rng.integers(2)]:
        out[frames, far] = xy[frames, near] + rng.normal(0, 0.01, (1, 2))
    return out


def _span(count: int, rng: np.random.Generator, low_s: float, high_s: float) -> slice:
    """A random run of frames that lasts between two durations."""
    length = int(rng.uniform(low_s, high_s) * RATE_HZ) + 1
    start = int(rng.integers(-length // 2, max(count - length // 2, 1)))
    return slice(max(start, 0), max(start + length, 1))


def _lower_rate(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes reduce to 4 to 10 frames a second and interpolate linearly."""
    if rng.random() > 0.1 or len(xy) < 8:
        return xy
    step = RATE_HZ / rng.uniform(4, 10)
    at = np.arange(0, len(xy) - 1, step)
    kept = xy[np.round(at).astype(int)]
    index = np.clip(np.interp(np.arange(len(xy)), np.round(at), np.arange(len(at))), 0, len(at) - 1)
    low = np.floor(index).astype(int)
    high = np.minimum(low + 1, len(at) - 1)
    share = (index - low)[:, None, None]
    return np.asarray(kept[low] * (1 - share) + kept[high] * share)
