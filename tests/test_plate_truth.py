"""Plates marked by eye (benchmarks/plate_truth.py): every row is sane, and others are refused."""

from __future__ import annotations

import csv
import importlib
import itertools
import statistics
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[1]
FRAMES = 12


@pytest.fixture(name="truth", scope="module")
def _truth() -> ModuleType:
    sys.path.insert(0, str(PROJECT / "benchmarks"))
    return importlib.import_module("plate_truth")


@pytest.fixture(name="clips", scope="module")
def _clips(truth):
    return truth.read_truth()


@pytest.fixture(name="changed")
def _changed(truth, tmp_path):
    """Reads the first clip with a plate after ``change`` was made to its rows."""

    def changed(change):
        with truth.TRUTH.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        first = [row for row in rows if row["file"] == rows[0]["file"]]
        assert first[0]["kind"] == "plate"
        change(first)
        path = tmp_path / "plates.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(first)
        return truth.read_truth(path)

    return changed


def test_enough_clips_of_enough_people_are_marked(clips):
    with_plate = [clip for clip in clips if clip.marks]
    assert len(with_plate) >= 30
    assert len({clip.group for clip in with_plate}) >= 20
    assert len(clips) - len(with_plate) >= 25
    assert len({clip.file for clip in clips}) == len(clips)


def test_each_clip_has_its_frames(clips):
    for clip in clips:
        if clip.marks:
            assert len(clip.by(1)) == FRAMES, clip.file
            assert set(clip.by(2)) <= set(clip.by(1)), clip.file


def test_a_plate_keeps_its_size_from_frame_to_frame(clips):
    """The camera may come a third nearer, but not at once: a jump is a slip of the hand."""
    for clip in clips:
        heights = [mark.ellipse[3] for mark in clip.marks if mark.ellipse]
        for before, after in itertools.pairwise(heights):
            assert abs(after - before) < 0.1 * before, (clip.file, before, after)
        assert not heights or max(heights) < 1.35 * min(heights), clip.file


def test_the_plate_moves(clips):
    """What is marked over a lift is no plate on the floor or on a rack."""
    for clip in clips:
        tops = [mark.ellipse[1] for mark in clip.marks if mark.ellipse]
        if tops:
            assert max(tops) - min(tops) > clip.marks[0].ellipse[3], clip.file


def test_two_marks_of_a_frame_are_of_the_same_plate(clips, truth):
    """Nearly always within a thirtieth of the diameter; where the picture is blurred, farther."""
    centre, wider, higher = zip(*truth.disagreement(clips), strict=True)
    assert len(centre) >= 24
    assert max(centre) < 0.06
    assert max(map(abs, wider)) < 0.06
    assert max(map(abs, higher)) < 0.06
    assert statistics.median(centre) < 0.02


def test_marks_apart_are_measured_in_diameters(changed, truth):
    def again(rows):
        x, y, rx, ry = (float(rows[0][key]) for key in ("x", "y", "rx", "ry"))
        moved = {"x": x + 0.3 * ry, "y": y + 0.4 * ry, "rx": rx - 0.1 * ry, "ry": 1.2 * ry}
        rows.append({**rows[0], "annotator": "2", **moved})

    (apart,) = truth.disagreement(changed(again))
    assert apart == pytest.approx((0.25, -0.1, 0.2))


def test_the_diameter_is_that_of_a_bumper(clips):
    assert {clip.diameter_mm for clip in clips} == {None, 450.0}


def test_files_and_frames_are_those_of_the_lent_clips(clips, shared_data):
    with (shared_data / "clips" / "index.csv").open(newline="", encoding="utf-8") as file:
        index = {row["file"]: row for row in csv.DictReader(file)}
    for clip in clips:
        assert index[clip.file]["group"] == clip.group
        assert index[clip.file]["people"] != "generated"


def test_rows_are_told_apart_by_frame_and_person(changed, truth):
    def again(rows):
        rows.append({**rows[0], "annotator": "2", "x": "1"})

    (clip,) = changed(again)
    assert Counter(mark.annotator for mark in clip.marks)[2] == 1
    assert next(iter(clip.by(2).values())).ellipse[0] == 1.0


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("kind", "disc", "rows differ in kind"),
        ("group", "somebody", "rows differ in group"),
        ("note", "another", "rows differ in note"),
        ("seen", "half", "seen is 'half'"),
        ("seen", "none", "seen is 'none'"),
        ("annotator", "3", "annotator is 3"),
        ("rx", "-4", "is no plate"),
        ("ry", "", "is no plate"),
        ("ry", "2", "is no plate"),
        ("time_s", "900", "earlier seconds"),
    ],
)
def test_a_row_that_cannot_be_is_refused(changed, key, value, said):
    def change(rows):
        rows[0][key] = value

    with pytest.raises(ValueError, match=said):
        changed(change)


def test_a_frame_marked_twice_is_refused(changed):
    with pytest.raises(ValueError, match="marked twice"):
        changed(lambda rows: rows.append(dict(rows[0])))


@pytest.mark.parametrize(
    ("kind", "said"), [("disc", "kind is 'disc'"), ("none", "one row and no mark")]
)
def test_a_kind_that_the_rows_do_not_bear_out_is_refused(changed, kind, said):
    def change(rows):
        for row in rows:
            row["kind"] = kind

    with pytest.raises(ValueError, match=said):
        changed(change)
