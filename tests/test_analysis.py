"""The whole walk, with a network that sees painted people and the real classifier."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from gymform import analysis
from gymform.analysis import Options, Target, analyze, load, save
from gymform.dataset.poses import load_poses
from gymform.errors import GymformError, NotAVideoError, OptionsError, PoseFileError
from gymform.video.read import probe, read_frames
from gymform.video.write import VideoWriter
from tests.pose.painted import dot_model, paint, person_at

SIZE = (320, 240)
FRAMES = 24


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("painted") / "clip.mp4"
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], fps=12, crf=4) as writer:
        for frame in range(FRAMES):
            writer.write(paint(SIZE, person_at(160, 20 + frame, 180)), frame / 12)
    return path


@pytest.fixture(autouse=True)
def _dots(monkeypatch):
    monkeypatch.setattr(analysis, "pose_model", lambda name: dot_model())


@pytest.fixture(scope="module")
def answer(clip_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "pose_model", lambda name: dot_model())
        return analyze(clip_path, name="my clip.mp4")


def test_answers_with_everything(answer):
    assert answer.clip.name == "my clip.mp4"
    assert len(answer.pose) == len(answer.tracks.time_s) == FRAMES
    assert answer.quality.coverage == 1.0
    assert sum(answer.prediction.probabilities) == pytest.approx(1.0, abs=1e-3)
    assert {"search", "network", "classify"} <= set(answer.seconds)


def test_stages_come_in_order(clip_path):
    heard: list[str] = []
    analyze(clip_path, progress=lambda stage, done, total: heard.append(stage))
    assert list(dict.fromkeys(heard)) == ["probe", "search", "pose", "classify"]


def test_saved_files_hold_the_answer(answer, clip_path, tmp_path):
    files = save(answer, clip_path, tmp_path, stem="clip")
    overlay = probe(files.overlay)
    assert (overlay.width, overlay.height, overlay.codec) == (*SIZE, "h264")
    assert overlay.frames == FRAMES
    np.testing.assert_array_equal(load_poses(files.poses).xy, answer.pose.xy)
    rows = list(csv.DictReader(files.csv.open(encoding="utf-8")))
    assert len(rows) == FRAMES * 17
    assert float(rows[17 * 5]["x"]) == pytest.approx(float(answer.pose.xy[5, 0, 0]), abs=1e-3)
    result = json.loads(files.json.read_text(encoding="utf-8"))
    assert result["prediction"]["label"] == answer.prediction.label
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip.csv",
        "clip.json",
        "clip.npz",
        "clip.overlay.mp4",
    ]


def test_overlay_shows_the_skeleton_where_it_is(answer, clip_path, tmp_path):
    files = save(answer, clip_path, tmp_path, stem="clip")
    with read_frames(files.overlay) as drawn, read_frames(clip_path) as plain:
        for after, before in zip(drawn, plain, strict=True):
            difference = np.abs(after.rgb.astype(int) - before.rgb).max(axis=2)
            x, y = answer.pose.xy[after.index, 13]  # left knee
            area = difference[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
            assert area.max() > 60
            assert difference[-3:, -3:].max() < 40  # far from anybody nothing is drawn


def test_load_gives_back_what_was_saved(answer, clip_path, tmp_path):
    save(answer, clip_path, tmp_path, stem="clip")
    again = load(tmp_path, "clip")
    assert again.clip == answer.clip
    assert again.prediction == answer.prediction
    assert again.quality == answer.quality
    assert again.form == answer.form
    assert {one.part for one in again.prediction.still} == {"arms", "trunk", "legs"}
    np.testing.assert_array_equal(again.tracks.xy, answer.tracks.xy)


@pytest.mark.parametrize("text", ["", "{}", '{"clip": 3}', "[1]"])
def test_load_refuses_a_damaged_answer(answer, clip_path, tmp_path, text):
    files = save(answer, clip_path, tmp_path, stem="clip")
    files.json.write_text(text, encoding="utf-8")
    with pytest.raises(PoseFileError, match=r"clip\.json"):
        load(tmp_path, "clip")


def test_an_older_answer_without_reasons_is_still_read(answer, clip_path, tmp_path):
    files = save(answer, clip_path, tmp_path, stem="clip")
    content = json.loads(files.json.read_text(encoding="utf-8"))
    del content["prediction"]["kept_still"], content["form"]
    files.json.write_text(json.dumps(content), encoding="utf-8")
    assert load(tmp_path, "clip").prediction.still == ()


def test_a_failed_save_leaves_no_file(answer, tmp_path):
    with pytest.raises(GymformError):
        save(answer, tmp_path / "gone.mp4", tmp_path / "results", stem="clip")
    assert not list((tmp_path / "results").glob("*.json"))
    assert not list((tmp_path / "results").glob("*.mp4"))


def test_refuses_what_is_no_video(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("squats on Monday\n" * 50)
    with pytest.raises(NotAVideoError):
        analyze(path)


def test_refuses_a_target_outside_the_frame(clip_path):
    with pytest.raises(OptionsError, match="outside"):
        analyze(clip_path, Options(target=Target(box=(500.0, 0.0, 20.0, 20.0))))


def test_options_survive_json():
    options = Options(flip_test=True, target=Target(1.5, box=(1.0, 2.0, 3.0, 4.0)), max_fps=10.0)
    text = json.dumps(dataclasses.asdict(options))
    assert analysis.options_from_dict(json.loads(text)) == options
    assert analysis.options_from_dict(dataclasses.asdict(Options())) == Options()


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
