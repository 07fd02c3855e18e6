"""The whole analysis, with a network that sees painted people and the real classifier."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gymform import analysis
from gymform.analysis import TOTAL, Options, Target, analyze
from gymform.errors import NotAVideoError, OptionsError
from gymform.pose.adaptive import frames_of
from gymform.video.write import VideoWriter
from tests import fakes
from tests.form.figures import film, once, squat
from tests.pose.painted import paint

pytestmark = pytest.mark.usefixtures("_sees_painted_people")


def test_answers_with_everything(painted_answer):
    assert painted_answer.clip.name == "my clip.mp4"
    assert len(painted_answer.pose) == len(painted_answer.tracks.time_s) == 24
    assert painted_answer.quality.coverage == 1.0
    assert sum(painted_answer.prediction.probabilities) == pytest.approx(1.0, abs=1e-3)
    seconds = painted_answer.seconds
    assert {"search", "network", "classify"} <= set(seconds)
    assert seconds[TOTAL] >= max(seconds.values())  # by the clock: no stage lasts longer


def test_stages_come_in_order(painted_clip):
    heard: list[str] = []
    analyze(painted_clip, progress=lambda stage, done, total: heard.append(stage))
    assert list(dict.fromkeys(heard)) == ["probe", "search", "pose", "classify", "bar"]


def test_refuses_what_is_no_video(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("squats on Monday\n" * 50)
    with pytest.raises(NotAVideoError):
        analyze(path)


def test_refuses_a_target_outside_the_frame(painted_clip):
    with pytest.raises(OptionsError, match="outside"):
        analyze(painted_clip, Options(target=Target(box=(500.0, 0.0, 20.0, 20.0))))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_clip_cannot_make_it_take_more_memory_than_one_of_its_size_needs(
    painted_clip, monkeypatch
):
    monkeypatch.setattr(analysis, "extract_poses", lambda *_, **__: np.empty(8 * 1024**3, np.uint8))
    with pytest.raises(MemoryError):
        analyze(painted_clip)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("exercise", "clip"),
    [
        ("squat", "Jintao-Xu_Pose_Estimation__sample_Squat.mp4"),
        ("deadlift", "jeff-j-chen_MediaPipe-PoseRead__videos_good.mp4"),
        ("snatch", "cjw-pin_tracker_test__ilya.mp4"),
    ],
)
def test_a_real_clip_of_each_exercise_gets_its_name(exercise, clip, shared_data, monkeypatch):
    monkeypatch.undo()
    answer = analyze(shared_data / "clips" / exercise / clip, Options(max_fps=12))
    assert answer.prediction.label == exercise
    assert answer.quality.coverage > 0.95
    assert answer.quality.mean_confidence > 0.5


@pytest.mark.parametrize(
    ("known", "said", "anew"),
    [
        ({}, {}, False),
        ({}, {"height_cm": 180.0}, True),
        ({}, {"plate_mm": 400.0}, True),
        ({}, {"plate": (0.2, 30.0, 40.0, 12.0)}, True),
        ({"plate_mm": 400.0}, {}, True),
        ({"marked": True}, {}, True),
        ({"mm_per_px": None}, {}, True),  # a height may have taken its metres
    ],
)
def test_a_known_bar_counts_where_nothing_was_said_of_it(known, said, anew, monkeypatch):
    result = fakes.make_analysis(bar=fakes.make_bar(**known))
    found = fakes.make_bar(mm_per_px=2.5)
    monkeypatch.setattr(analysis, "follow_bar", lambda *_, **__: found)
    monkeypatch.setattr(analysis, "checked_by_height", lambda bar, pose, height_cm: bar)
    after = analysis.with_its_bar(Path("clip.mp4"), result, Options(**said))
    assert after.bar.mm_per_px == (2.5 if anew else 2.0)


# ---- adaptive frames, end to end


@pytest.fixture(scope="module")
def drawn_squat(tmp_path_factory) -> Path:
    """A squat of three seconds at 30 frames a second: painted people before noise."""
    pose, _ = film(squat(once(30)), 50)
    rng = np.random.default_rng(0)
    face = [k for k in range(17) if not np.isfinite(pose.xy[0, k]).all()]
    path = tmp_path_factory.mktemp("drawn") / "squat.mp4"
    with VideoWriter(path, width=640, height=480, fps=30, crf=4) as writer:
        for xy, moment in zip(pose.xy, pose.time_s, strict=True):
            xy[face] = xy[0] - [0, 9]
            noise = rng.integers(-12, 13, (480, 640, 1))  # or the picture would stand still
            picture = np.clip(paint((640, 480), xy) + noise, 0, 255).astype(np.uint8)
            writer.write(picture, float(moment))
    return path


def test_no_figure_rests_on_an_interpolated_frame(drawn_squat):
    answer = analyze(drawn_squat)
    skipped = answer.pose.interpolated
    assert 0.1 < skipped.mean() < 0.9
    assert answer.form.repetitions
    assert answer.form.rests_on
    assert not frames_of(answer.form.rests_on, answer.pose.time_s, ~skipped).any()
    times = answer.pose.time_s
    for rep in answer.form.repetitions:
        assert rep.measures
        for measure in rep.measures:
            assert not skipped[np.abs(times - measure.at_s).argmin()]
    assert answer.quality.coverage == 1


@pytest.mark.parametrize("options", [Options(exact=True), Options(flip_test=True)])
def test_an_exact_answer_looks_at_every_frame(painted_clip, options):
    answer = analyze(painted_clip, options)
    assert not answer.pose.interpolated.any()
    assert answer.looked_at == "looked at all 24"


@pytest.mark.parametrize(
    ("looked", "nobody", "words"),
    [
        (range(20), (), "looked at all 20"),
        ((0, 5, 19), (), "looked at 3 of 20, 17 are interpolated"),
        ((0, 5, 9), range(10, 20), "looked at 3 of 20, 7 are interpolated"),
        (range(10), range(10, 20), "looked at 10 of 20"),
        ((), range(10, 20), "looked at 10 of 20"),  # an old file, without peaks
    ],
)
def test_only_frames_count_as_looked_at_in_which_somebody_was_found(looked, nobody, words):
    """A picture that stood still, and frames without anybody, had counted, too."""
    pose = fakes.make_pose(20)
    peaks = np.full((20, 17, 3, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    rows = list(looked)
    peaks[rows, :, 0, :2], peaks[rows, :, 0, 2] = pose.xy[rows], pose.score[rows]
    for part, nothing in ((pose.xy, np.nan), (pose.score, 0), (pose.boxes, np.nan)):
        part[list(nobody)] = nothing
    answer = replace(fakes.make_analysis(), pose=replace(pose, peaks=peaks))
    assert answer.looked_at == words
