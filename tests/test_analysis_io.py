"""A saved analysis: complete files, the same when read back, refused when damaged."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from gymform import analysis_io
from gymform.analysis import Options, Target
from gymform.analysis_io import draw_copy, draw_video, load, options_from_dict, save
from gymform.draw import video
from gymform.errors import GymformError, OptionsError, PoseFileError
from gymform.pose.files import load_poses
from gymform.types import Neighbour, Prediction, Table
from gymform.video.read import probe
from gymform.video.write import transcode
from tests import fakes

pytestmark = pytest.mark.usefixtures("_sees_painted_people")


def test_saved_files_hold_the_answer(painted_answer, painted_clip, tmp_path):
    files = save(painted_answer, painted_clip, tmp_path, stem="clip")
    overlay = probe(files.overlay)
    assert (overlay.width, overlay.height, overlay.codec) == (320, 240, "h264")
    assert overlay.frames == 24
    np.testing.assert_array_equal(load_poses(files.poses).xy, painted_answer.pose.xy)
    rows = list(csv.DictReader(files.csv.open(encoding="utf-8")))
    assert len(rows) == 24 * 17
    assert float(rows[17 * 5]["x"]) == pytest.approx(
        float(painted_answer.pose.xy[5, 0, 0]), abs=1e-3
    )
    result = json.loads(files.json.read_text(encoding="utf-8"))
    assert result["prediction"]["label"] == painted_answer.prediction.label
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip.annotated.mp4",
        "clip.csv",
        "clip.json",
        "clip.npz",
    ]


def test_without_the_video_all_else_is_there(painted_answer, painted_clip, tmp_path):
    save(painted_answer, painted_clip, tmp_path, stem="clip", video=False)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["clip.csv", "clip.json", "clip.npz"]
    assert load(tmp_path, "clip").prediction == painted_answer.prediction


@pytest.mark.parametrize(("side", "scale"), [(None, 1.0), (160, 0.5)])
def test_in_a_copy_the_skeleton_lies_where_it_lies_in_the_clip(
    painted_answer, painted_clip, tmp_path, monkeypatch, side, scale
):
    drawn = []

    def watch(picture, xy, score, box, **_):
        drawn.append((xy, box))
        return picture

    monkeypatch.setattr(video, "draw_overlay", watch)
    transcode(painted_clip, tmp_path / "copy.mp4", max_side=side)
    draw_video(painted_answer, painted_clip, tmp_path / "wanted.mp4")
    draw_copy(painted_answer, tmp_path / "copy.mp4", tmp_path / "drawn.mp4")
    count = len(painted_answer.pose)
    assert len(drawn) == 2 * count
    for (wanted, wanted_box), (xy, box) in zip(drawn[:count], drawn[count:], strict=True):
        np.testing.assert_allclose(xy, (wanted + 0.5) * scale - 0.5)
        np.testing.assert_allclose(box, wanted_box * scale)


@pytest.mark.parametrize(("side", "scale"), [(None, 1.0), (160, 0.5)])
def test_in_a_copy_the_line_of_depth_is_drawn_too(
    painted_answer, painted_clip, tmp_path, monkeypatch, side, scale
):
    drawn = []

    def watch(picture, ends, _width):
        drawn.append(ends)
        return picture

    line = {"first": 3, "last": 5, "line": (20.0, 60.0, 90.0), "crease": (25.0, 95.0)}
    monkeypatch.setattr(video, "depth_lines", lambda *_: [line])
    monkeypatch.setattr(video, "draw_depth", watch)
    transcode(painted_clip, tmp_path / "copy.mp4", max_side=side)
    draw_copy(painted_answer, tmp_path / "copy.mp4", tmp_path / "drawn.mp4")
    wanted = (np.array([(20, 90), (60, 90), (25, 95)]) + 0.5) * scale - 0.5
    assert len(drawn) == 3
    np.testing.assert_allclose(drawn, [wanted] * 3)


def test_moments_between_the_ticks_of_a_copy_lose_no_frame(painted_answer, painted_clip, tmp_path):
    uneven = painted_answer.pose.time_s + np.linspace(0, 4e-6, 24)
    answer = dataclasses.replace(
        painted_answer, pose=dataclasses.replace(painted_answer.pose, time_s=uneven)
    )
    transcode(painted_clip, tmp_path / "copy.mp4")
    draw_copy(answer, tmp_path / "copy.mp4", tmp_path / "drawn.mp4")
    assert probe(tmp_path / "drawn.mp4").frames == 24


def test_load_gives_back_what_was_saved(painted_answer, painted_clip, tmp_path):
    save(painted_answer, painted_clip, tmp_path, stem="clip")
    again = load(tmp_path, "clip")
    assert again.clip == painted_answer.clip
    assert again.prediction == painted_answer.prediction
    assert again.quality == painted_answer.quality
    assert again.form == painted_answer.form
    assert {one.part for one in again.prediction.ablations} == {"arms", "trunk", "legs"}
    np.testing.assert_array_equal(again.tracks.xy, painted_answer.tracks.xy)


@pytest.mark.parametrize("text", ["", "{}", '{"clip": 3}', "[1]"])
def test_load_refuses_a_damaged_answer(painted_answer, painted_clip, tmp_path, text):
    files = save(painted_answer, painted_clip, tmp_path, stem="clip")
    files.json.write_text(text, encoding="utf-8")
    with pytest.raises(PoseFileError, match=r"clip\.json"):
        load(tmp_path, "clip")


def test_an_older_answer_without_reasons_is_still_read(painted_answer, painted_clip, tmp_path):
    files = save(painted_answer, painted_clip, tmp_path, stem="clip")
    content = json.loads(files.json.read_text(encoding="utf-8"))
    del content["prediction"]["kept_still"], content["form"]
    files.json.write_text(json.dumps(content), encoding="utf-8")
    assert load(tmp_path, "clip").prediction.ablations == ()


def test_a_partial_answer_is_written_and_read(painted_answer, painted_clip, tmp_path):
    classes = ("deadlift", "romanian_deadlift", "other")
    unsure = Prediction(classes, (0.48, 0.45, 0.07), "unknown", "It could be either.", "",
                        candidates=classes[:2],
                        nearest=(Neighbour(classes[0], 0.9, 4),))  # fmt: skip
    answer = dataclasses.replace(painted_answer, prediction=unsure)
    files = save(answer, painted_clip, tmp_path, stem="clip", video=False)
    content = json.loads(files.json.read_text(encoding="utf-8"))["prediction"]
    assert content["partial"] == {
        "pattern": "hinge",
        "exercises": ["deadlift", "romanian_deadlift"],
        "title": "A hinge: deadlift or Romanian deadlift",
    }
    assert load(tmp_path, "clip").prediction == unsure
    # older results know no candidates, nor clips to compare with
    whole = json.loads(files.json.read_text(encoding="utf-8"))
    for key in ("candidates", "partial", "nearest"):
        del whole["prediction"][key]
    files.json.write_text(json.dumps(whole), encoding="utf-8")
    assert load(tmp_path, "clip").prediction == dataclasses.replace(
        unsure, candidates=(), nearest=()
    )


def test_the_rate_of_recording_is_kept(painted_answer, painted_clip, tmp_path):
    slow = dataclasses.replace(painted_answer.clip, capture_fps=240.0)
    files = save(
        dataclasses.replace(painted_answer, clip=slow), painted_clip, tmp_path, stem="clip"
    )
    content = json.loads(files.json.read_text(encoding="utf-8"))
    assert content["clip"]["capture_fps"] == 240
    assert load(tmp_path, "clip").clip == slow
    del content["clip"]["capture_fps"]  # as older versions wrote it
    files.json.write_text(json.dumps(content), encoding="utf-8")
    assert load(tmp_path, "clip").clip == painted_answer.clip


def test_a_failed_save_leaves_no_file(painted_answer, tmp_path):
    with pytest.raises(GymformError):
        save(painted_answer, tmp_path / "gone.mp4", tmp_path / "results", stem="clip")
    assert not list((tmp_path / "results").glob("*.json"))
    assert not list((tmp_path / "results").glob("*.mp4"))


def test_options_survive_json():
    options = Options(flip_test=True, target=Target(1.5, box=(1.0, 2.0, 3.0, 4.0)), max_fps=10.0)
    text = json.dumps(dataclasses.asdict(options))
    assert options_from_dict(json.loads(text)) == options
    assert options_from_dict(dataclasses.asdict(Options())) == Options()


def written(tmp_path, table=None):
    """The lines of a CSV of a fake analysis."""
    path = tmp_path / "clip.csv"
    analysis_io.write_csv(path, fakes.make_analysis(), table)
    return path.read_text(encoding="utf-8").splitlines()


def test_the_csv_has_angles_and_the_number_of_the_repetition(tmp_path):
    rows = list(csv.DictReader(written(tmp_path)))
    knees = [row for row in rows if row["keypoint"] == "left_knee"]
    assert 0 < float(knees[45]["angle_deg"]) < float(knees[0]["angle_deg"]) <= 180
    assert {row["angle_deg"] for row in rows if row["keypoint"] == "nose"} == {""}
    assert [knees[frame]["repetition"] for frame in (0, 45, 89)] == ["", "1", ""]


def test_the_csv_can_be_written_for_other_spreadsheets(tmp_path):
    lines = written(tmp_path, Table(";", ","))
    (first, *_) = csv.DictReader(lines, delimiter=";")
    assert "," in first["x"]
    assert float(first["x"].replace(",", ".")) > 0
    assert not any("." in line for line in lines[1:])
    with pytest.raises(OptionsError, match="comma"):
        Table(",", ",")


def test_interpolated_frames_are_marked_and_survive_saving(tmp_path, painted_answer, painted_clip):
    skipped = painted_answer.pose.interpolated
    assert skipped.any()
    files = analysis_io.save(painted_answer, painted_clip, tmp_path, stem="clip", video=False)
    loaded = analysis_io.load(tmp_path, "clip")
    np.testing.assert_array_equal(loaded.pose.interpolated, skipped)
    np.testing.assert_array_equal(loaded.tracks.interpolated, skipped)
    assert loaded.form == painted_answer.form
    with files.csv.open(encoding="utf-8", newline="") as stream:
        noses = [row for row in csv.DictReader(stream) if row["keypoint"] == "nose"]
    assert [int(row["interpolated"]) for row in noses] == skipped.astype(int).tolist()
    assert [int(row["filled"]) for row in noses] == skipped.astype(int).tolist()
    said = json.loads(files.json.read_text(encoding="utf-8"))
    assert said["frames_looked_at"] == said["frames"] - skipped.sum()
    looked = f"looked at {said['frames_looked_at']} of 24"
    assert loaded.looked_at == f"{looked}, {skipped.sum()} are interpolated"
