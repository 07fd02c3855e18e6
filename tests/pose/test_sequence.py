"""From a video file to a PoseSequence, on a painted clip with known keypoints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gymform.draw.video import draw_skeletons
from gymform.errors import Cancelled, NoPersonError
from gymform.motion.clean import clean
from gymform.pose import sequence
from gymform.pose.crops import box_to_crop
from gymform.pose.estimator import PoseEstimator
from gymform.pose.sequence import extract_poses
from gymform.pose.tracking import follow
from gymform.video.read import probe
from gymform.video.write import VideoWriter, transcode
from tests.pose.painted import dot_model, paint, person_at, watch_crops

SIZE = (480, 320)
FPS = 15
EMPTY_FRAMES = 12
FRAMES = 36


def keypoints(frame: int) -> np.ndarray:
    """(17, 2) px: somebody who moves up and down and to the right."""
    drop = 0.5 - 0.5 * np.cos(2 * np.pi * frame / FRAMES)
    return person_at(180 + 3 * frame, 30 + 30 * drop, 230 - 30 * drop)


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("painted") / "clip.mp4"
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], fps=FPS, crf=4) as writer:
        for frame in range(FRAMES):
            people = [] if frame < EMPTY_FRAMES else [keypoints(frame)]
            writer.write(paint(SIZE, *people), frame / FPS)
    return path


@pytest.fixture(scope="module")
def extracted(clip_path):
    return extract_poses(clip_path, probe(clip_path), PoseEstimator(dot_model()))


def test_every_frame_is_there_and_keypoints_are_right(extracted):
    pose, _ = extracted
    assert len(pose) == FRAMES
    assert pose.image_size == SIZE
    np.testing.assert_allclose(pose.time_s, np.arange(FRAMES) / FPS, atol=1e-3)
    for frame in range(EMPTY_FRAMES + 2, FRAMES):
        assert np.abs(pose.xy[frame] - keypoints(frame)).max() < 6


def test_frames_without_anyone_stay_in_as_missing(extracted):
    pose, notes = extracted
    assert not pose.present[: EMPTY_FRAMES - 2].any()
    assert np.isnan(pose.boxes[: EMPTY_FRAMES - 2]).all()
    assert pose.present[EMPTY_FRAMES + 1 :].all()
    assert any("Nobody" in note for note in notes)


def test_provenance_says_how_it_was_made(extracted, clip_path):
    pose, _ = extracted
    assert pose.provenance.network == "dots"
    assert pose.provenance.weights_sha256 == "0" * 64
    assert pose.provenance.clip_sha256 == probe(clip_path).sha256
    assert not pose.provenance.flip_test


def test_frames_are_cropped_with_the_network_s_padding(extracted, clip_path, monkeypatch):
    close = PoseEstimator(dot_model(padding=1.1))
    asked = watch_crops(close, monkeypatch)
    pose, _ = extract_poses(clip_path, probe(clip_path), close)
    np.testing.assert_array_equal(pose.boxes, extracted[0].boxes)  # tracking pads as usual
    followed = pose.boxes[np.isfinite(pose.boxes).all(1)]
    last = asked[-1]
    np.testing.assert_allclose(last, box_to_crop(followed[-len(last) :], padding=1.1))
    assert np.abs(pose.xy[-1] - keypoints(FRAMES - 1)).max() < 6


def test_max_fps_skips_frames(clip_path):
    pose, _ = extract_poses(clip_path, probe(clip_path), PoseEstimator(dot_model()), max_fps=5)
    np.testing.assert_allclose(np.diff(pose.time_s), 0.2, atol=1e-3)


def test_progress_goes_through_search_and_pose_to_the_end(clip_path):
    heard = []
    extract_poses(
        clip_path,
        probe(clip_path),
        PoseEstimator(dot_model()),
        max_fps=5,
        progress=lambda *step: heard.append(step),
    )
    assert [stage for stage, *_ in heard if stage == "search"]
    stage, done, total = heard[-1]
    assert stage == "pose"
    assert done == total > 0


def test_progress_may_stop_the_work(clip_path):
    def stop(stage, done, total):
        if stage == "pose":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        extract_poses(clip_path, probe(clip_path), PoseEstimator(dot_model()), progress=stop)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_clip_on_its_side_comes_out_upright_with_its_videos(
    tmp_path, clip_path, extracted, monkeypatch, turn
):
    lying = tmp_path / "lying.mp4"
    transcode(clip_path, lying, turn=360 - turn)
    quarter = turn % 180 != 0
    assert (probe(lying).width, probe(lying).height) == (SIZE[::-1] if quarter else SIZE)
    monkeypatch.setattr("gymform.pose.tracking.upright_turn", lambda *_: turn)
    pose, notes = extract_poses(lying, probe(lying), PoseEstimator(dot_model()))
    assert pose.image_size == SIZE
    assert pose.provenance.turn == turn
    assert any("it was turned by" in note for note in notes)
    there = extracted[0].present & pose.present
    assert there.sum() > FRAMES / 2
    apart = np.abs(pose.xy[there] - extracted[0].xy[there])
    assert np.nanmean(apart) < 1.5
    assert np.nanmax(apart) < 10
    drawn = tmp_path / "drawn.mp4"
    draw_skeletons(pose, clean(pose), lying, drawn)
    assert (probe(drawn).width, probe(drawn).height) == SIZE


@pytest.fixture
def small() -> PoseEstimator:
    return PoseEstimator(replace(dot_model(), name="small"))


@pytest.fixture
def large() -> PoseEstimator:
    return PoseEstimator(replace(dot_model(input_height=320), name="large"))


@pytest.fixture(scope="module")
def whole_path(tmp_path_factory) -> Path:
    """Somebody alone, from the first frame to the last."""
    path = tmp_path_factory.mktemp("painted") / "whole.mp4"
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], fps=FPS, crf=4) as writer:
        for frame in range(FRAMES):
            writer.write(paint(SIZE, keypoints(frame)), frame / FPS)
    return path


def test_a_small_network_goes_ahead_and_its_keypoints_come_first(whole_path, small, large):
    first = []
    pose, _ = extract_poses(
        whole_path, probe(whole_path), large, scout=small, on_first=first.append
    )
    assert [one.provenance.network for one in first] == ["small"]
    assert first[0].provenance.scout == ""
    assert pose.provenance.network == "large"
    assert pose.provenance.scout == "small"
    for answer in (first[0], pose):
        for frame in range(FRAMES):
            assert np.abs(answer.xy[frame] - keypoints(frame)).max() < 6


def test_the_small_network_searches_where_that_is_easy(whole_path, small, large, monkeypatch):
    searched = _searchers(monkeypatch)
    extract_poses(whole_path, probe(whole_path), large, scout=small)
    assert searched == ["small"]


def test_the_large_network_searches_where_the_small_one_has_trouble(
    clip_path, small, large, monkeypatch
):
    searched = _searchers(monkeypatch)
    pose, _ = extract_poses(clip_path, probe(clip_path), large, scout=small)
    assert searched == ["small", "large"]  # nobody is there at first
    assert pose.present[EMPTY_FRAMES + 1 :].all()


def test_the_large_network_searches_where_it_does_not_agree(whole_path, small, large, monkeypatch):
    searched = _searchers(monkeypatch)
    certain = [0.3] * 5
    monkeypatch.setattr(
        "gymform.pose.tracking.presence", lambda *_: certain.pop() if certain else 0.9
    )
    extract_poses(whole_path, probe(whole_path), large, scout=small)
    assert searched == ["small", "large"]


def test_nobody_is_there_where_two_networks_do_not_agree(whole_path, small, large, monkeypatch):
    monkeypatch.setattr("gymform.pose.tracking.presence", lambda *_: 0.1)
    with pytest.raises(NoPersonError, match="no person could be found"):
        extract_poses(whole_path, probe(whole_path), large, scout=small)


def test_progress_counts_both_networks_to_the_end(whole_path, small, large):
    heard = []
    extract_poses(
        whole_path,
        probe(whole_path),
        large,
        scout=small,
        progress=lambda *step: heard.append(step),
    )
    counts = [done for stage, done, _ in heard if stage == "pose"]
    assert counts == sorted(counts)
    assert heard[-1] == ("pose", 2 * FRAMES, 2 * FRAMES)


def _searchers(monkeypatch) -> list[str]:
    """The names of the networks that search from now on."""
    names: list[str] = []

    def watch(frames, estimator, **options):
        names.append(estimator.model.name)
        return follow(frames, estimator, **options)

    monkeypatch.setattr(sequence, "follow", watch)
    return names


# ---- adaptive frames


def sparse(clip_path, small, rests_on):
    return extract_poses(
        clip_path, probe(clip_path), PoseEstimator(dot_model()), scout=small, rests_on=rests_on
    )[0]


def nothing(pose):
    return np.zeros(len(pose), bool)


def test_frames_between_are_interpolated_marked_and_near_to_the_truth(clip_path, small):
    pose = sparse(clip_path, small, nothing)
    every, _ = extract_poses(clip_path, probe(clip_path), PoseEstimator(dot_model()), scout=small)
    skipped = pose.interpolated
    assert skipped.any()
    assert not every.interpolated.any()
    np.testing.assert_array_equal(pose.present, every.present)
    assert (pose.peaks[skipped][..., 2] == 0).all()
    assert not skipped[[EMPTY_FRAMES, FRAMES - 1]].any()
    np.testing.assert_array_equal(pose.xy[~skipped], every.xy[~skipped])
    for frame in np.flatnonzero(skipped & (np.arange(FRAMES) > EMPTY_FRAMES)):
        assert np.abs(pose.xy[frame] - keypoints(frame)).max() < 10


def test_what_figures_rest_on_is_looked_at(clip_path, small):
    asked: list[np.ndarray] = []

    def rests_on(pose):
        asked.append(pose.interpolated)
        return np.arange(len(pose)) < 25

    pose = sparse(clip_path, small, rests_on)
    assert asked[0][:25].any()
    assert not pose.interpolated[:25].any()
    np.testing.assert_array_equal(pose.interpolated[25:], asked[0][25:])
    assert len(asked) == 2


def test_figures_that_never_come_to_rest_let_it_look_at_every_frame(clip_path, small):
    asked: list[int] = []

    def rests_on(pose):  # always elsewhere
        wanted = np.zeros(len(pose), bool)
        wanted[np.flatnonzero(pose.interpolated)[:1]] = True
        asked.append(1)
        return wanted

    pose = sparse(clip_path, small, rests_on)
    assert len(asked) == sequence.ROUNDS
    assert not pose.interpolated.any()


def test_without_a_small_network_every_frame_is_looked_at(clip_path):
    assert not sparse(clip_path, None, nothing).interpolated.any()


def test_stopping_stops_the_further_looks_too(clip_path, small):
    calls: list[int] = []

    def progress(stage, done, total):
        if calls:
            raise Cancelled("enough")

    def rests_on(pose):
        calls.append(1)
        return np.ones(len(pose), bool)

    with pytest.raises(Cancelled):
        extract_poses(
            clip_path, probe(clip_path), PoseEstimator(dot_model()), scout=small,
            rests_on=rests_on, progress=progress,
        )  # fmt: skip
