"""A small network first, then a large one near its answer: on painted people."""

from pathlib import Path

import numpy as np
import pytest

from gymform.pose import adaptive, cascade
from gymform.pose.cascade import FollowedFrames, SecondLook, by_one, scouted, where_it_moves
from gymform.pose.estimator import PoseEstimator
from gymform.types import answered_in
from gymform.video.sparse import SparseFrames, sample_frames
from gymform.video.write import VideoWriter
from tests.pose.painted import dot_model, paint, person_at, watch_crops

SIZE = (320, 240)
FRAMES = 40


def keypoints(frame: int) -> np.ndarray:
    """(17, 2) px: somebody who moves down."""
    return person_at(160, 20 + 0.5 * frame, 180)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("painted") / "clip.mp4"
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], fps=20, crf=4) as writer:
        for frame in range(FRAMES):
            writer.write(paint(SIZE, keypoints(frame)), frame / 20)
    return path


@pytest.fixture(scope="module")
def frames(path) -> SparseFrames:
    return sample_frames(path, 0.2)


def followed(path: Path, frames: SparseFrames, without: tuple[int, ...] = ()) -> FollowedFrames:
    """The lifter's boxes in all frames but some."""
    boxes = np.stack(
        [
            np.concatenate((keypoints(i).min(0) - 12, keypoints(i).max(0) + 12))
            for i in range(FRAMES)
        ]
    )
    boxes[list(without)] = np.nan
    return FollowedFrames(path, frames, boxes)


@pytest.fixture
def large() -> PoseEstimator:
    return PoseEstimator(dot_model(input_height=320))


@pytest.fixture
def small() -> PoseEstimator:
    return PoseEstimator(dot_model())


def ignore(_more: int) -> None:
    """Nobody wants to know."""


def by_two(clip, scouts, kept, large, done) -> np.ndarray:
    """The large network's peaks in all frames."""
    look = SecondLook(clip, scouts, kept, large, done)
    look.at(clip.rows)
    return look.peaks


def both(clip: FollowedFrames, small: PoseEstimator, large: PoseEstimator) -> np.ndarray:
    scouts, kept = scouted(clip, small, large, ignore)
    return by_two(clip, scouts, kept, large, ignore)


def test_two_networks_find_what_one_finds(path, frames, small, large):
    clip = followed(path, frames, without=(0, 7, 8))
    peaks = both(clip, small, large)
    alone = by_one(clip, large, ignore)
    assert np.isnan(peaks[[0, 7, 8], ..., :2]).all()
    np.testing.assert_array_equal(np.isnan(peaks[..., :2]), np.isnan(alone[..., :2]))
    assert np.nanmax(np.abs(peaks - alone)) < 0.1
    for frame in clip.rows:
        assert np.abs(peaks[frame, :, 0, :2] - keypoints(frame)).max() < 4


def test_the_large_network_looks_at_some_patches_and_now_and_then_at_all(
    path, frames, small, large, monkeypatch
):
    counts: list[int | None] = []
    heatmaps = large.heatmaps

    def watch(pixels, kept=None):
        counts.extend([None if kept is None else kept.shape[1]] * len(pixels))
        return heatmaps(pixels, kept)

    monkeypatch.setattr(large, "heatmaps", watch)
    both(followed(path, frames), small, large)
    whole = [count for count in counts if count is None]
    some = [count for count in counts if count is not None]
    assert len(whole) == len(range(0, FRAMES, cascade.WHOLE_EVERY))
    assert len(some) == FRAMES - len(whole)
    assert max(some) < 0.9 * large.model.config.tokens


def test_the_small_network_may_leave_out_frames_where_nobody_moves_fast(
    path, frames, small, large, monkeypatch
):
    monkeypatch.setattr(adaptive, "SCOUT_S", 0.2)
    clip = followed(path, frames, without=(0, 7, 8))
    whole, _ = scouted(clip, small, large, ignore)
    done: list[int] = []
    some, kept = scouted(clip, small, large, done.append, seldom=True)
    seen = answered_in(some)
    assert seen.sum() < 0.5 * len(clip.rows)
    assert seen[[1, 6, 9, FRAMES - 1]].all()
    np.testing.assert_allclose(some[seen], whole[seen], atol=0.05)
    assert set(kept) == set(clip.rows.tolist())
    assert sum(done) == len(clip.rows)


def test_where_a_joint_is_lost_the_whole_crop_is_looked_at(path, frames, small, large):
    clip = followed(path, frames)
    scouts, kept = scouted(clip, small, large, ignore)
    wrong = scouts.copy()
    wrong[5, 9, 0, :2] = wrong[5, 5, 0, :2]  # the wrist at the shoulder, surely
    wrong[5, 9, 1:, 2] = 0
    wrong[5, 15, 0, :2] = wrong[5, 11, 0, :2]  # and the ankle at the hip
    wrong[5, 13, 0, :2] = wrong[5, 11, 0, :2]
    found = by_two(clip, wrong, kept, large, ignore)
    assert np.abs(found[5, :, 0, :2] - keypoints(5)).max() < 4


def test_a_joint_that_is_only_less_sure_is_not_looked_for_again():
    scouts = np.zeros((4, 17, 3, 3), np.float32)
    scouts[:, :, 0] = (50, 100, 0.9)
    peaks = scouts.copy()
    peaks[1:, 9, 0, 2] = 0.5  # the wrist is less sure in all but the first crop,
    peaks[2, 9, 0, 0] += 10  # elsewhere in the third
    peaks[3, 9, 0] = (np.nan, np.nan, 0)  # and missing in the fourth
    crops = np.full((4, 4), 200.0)
    assert cascade._collapsed(peaks, scouts, crops).tolist() == [False, False, True, True]


@pytest.mark.parametrize("room", [0, 10 * 320 * 240 * 3, 10**9])
def test_crops_that_memory_does_not_hold_are_cut_again(
    path, frames, small, large, monkeypatch, room
):
    wanted = both(followed(path, frames), small, large)
    monkeypatch.setattr(cascade, "KEPT_BYTES", room)
    clip = followed(path, frames)
    scouts, kept = scouted(clip, small, large, ignore)
    assert sum(pixels.nbytes for pixels in kept.values()) <= room
    assert len(kept) == min(FRAMES, room // (320 * 240 * 3))
    found = by_two(clip, scouts, kept, large, ignore)
    np.testing.assert_allclose(found, wanted, atol=0.05)
    assert not kept


def test_every_crop_is_counted_and_counting_may_stop_it(path, frames, small, large):
    done: list[int] = []
    clip = followed(path, frames)
    by_one(clip, large, done.append)
    assert sum(done) == FRAMES

    def stop(_more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        by_one(clip, large, stop)
    with pytest.raises(KeyboardInterrupt):
        scouted(clip, small, large, stop)


def test_nobody_followed_asks_no_network(path, frames, small, large, monkeypatch):
    asked = watch_crops(large, monkeypatch) + watch_crops(small, monkeypatch)
    peaks = both(followed(path, frames, without=tuple(range(FRAMES))), small, large)
    assert asked == []
    assert np.isnan(peaks[..., :2]).all()
    assert (peaks[..., 2] == 0).all()


# ---- adaptive: what moves evenly is not looked at in every frame


def where_moving(clip: FollowedFrames, small: PoseEstimator, large: PoseEstimator) -> SecondLook:
    done: list[int] = []
    scouts, kept = scouted(clip, small, large, ignore)
    look = SecondLook(clip, scouts, kept, large, done.append)
    where_it_moves(look)
    assert sum(done) == len(clip.rows)  # those that are left out are done, too
    return look


def looked_at(look: SecondLook) -> np.ndarray:
    return np.flatnonzero(answered_in(look.peaks))


def test_even_movement_is_looked_at_in_some_frames_that_are_what_they_were(
    path, frames, small, large
):
    clip = followed(path, frames, without=(7, 8))
    look = where_moving(clip, small, large)
    rows = looked_at(look)
    assert {0, 6, 9, FRAMES - 1} <= set(rows.tolist()) <= set(clip.rows.tolist())
    assert len(rows) < 0.7 * len(clip.rows)
    every = both(clip, small, large)
    np.testing.assert_allclose(look.peaks[rows], every[rows], atol=0.05)
    left_out = np.setdiff1d(np.arange(FRAMES), rows)
    assert (look.peaks[left_out][..., 2] == 0).all()


def test_further_frames_are_looked_at_when_asked_for(path, frames, small, large, monkeypatch):
    clip = followed(path, frames)
    look = where_moving(clip, small, large)
    more = np.setdiff1d(clip.rows, looked_at(look))[:5]
    asked = watch_crops(large, monkeypatch)
    found = look.at(more)
    assert sum(map(len, asked)) == len(more)
    np.testing.assert_array_equal(found, look.peaks[more])
    for row, peaks in zip(more, found, strict=True):
        assert np.abs(peaks[:, 0, :2] - keypoints(row)).max() < 4


@pytest.mark.parametrize("crops", [0, 10, 25])
def test_memory_changes_nothing_of_what_is_found(path, frames, small, large, monkeypatch, crops):
    room = crops * 320 * 240 * 3
    monkeypatch.setattr(cascade, "KEPT_BYTES", room)
    monkeypatch.setattr(cascade, "BLOCK", 8)
    look = where_moving(followed(path, frames), small, large)
    assert sum(pixels.nbytes for pixels in look.kept.values()) <= room
    rows = looked_at(look)
    assert len(rows) < FRAMES
    np.testing.assert_allclose(
        look.peaks[rows], both(followed(path, frames), small, large)[rows], atol=0.05
    )
    rest = np.setdiff1d(np.arange(FRAMES), rows)
    for row, peaks in zip(rest, look.at(rest), strict=True):  # whether kept or cut again
        assert np.abs(peaks[:, 0, :2] - keypoints(row)).max() < 4
