"""Films that the program got wrong: each comes out as its README expects.

The films are third parties' and not in the project: without them these tests are skipped. What
they show is tested on made inputs beside each module as well.
"""

import functools
from pathlib import Path

import pytest

from gymform.analysis import Analysis, Options, analyze
from gymform.types import Verdict

pytestmark = pytest.mark.timeout(600)


@functools.lru_cache(maxsize=2)
def analysed(path: Path) -> Analysis:
    return analyze(path, Options())


@pytest.fixture(name="case")
def _case(shared_data):
    def case(name: str) -> Analysis:
        return analysed(shared_data / "cases" / name)

    return case


def said(analysis: Analysis) -> str:
    """All that is remarked, in one text."""
    return " ".join((*analysis.clip.problems, *analysis.quality.notes, *analysis.form.notes))


def depths(analysis: Analysis) -> list[float]:
    found = (rep.value("thigh_below_level") for rep in analysis.form.repetitions)
    return [one.value for one in found if one]


DEPTH_ALONE = 0.5
"""Degrees by which the lifter of the cases goes below parallel, without anybody else around."""


def looks(analysis: Analysis) -> list[str]:
    return [cue.title for cue in analysis.form.cues if cue.verdict is Verdict.LOOK]


def test_a_camcorder_s_file_is_read(case):
    analysis = case("avchd/avchd.mts")
    assert analysis.clip.frames == 118
    assert analysis.clip.container == "mts"


def test_a_picture_that_stands_still_is_remarked_and_not_measured(case):
    analysis = case("frozen_second/c_stutter.mp4")
    assert "stands still" in said(analysis)
    assert not any(rep.start_s < 2.3 < 3.1 < rep.end_s for rep in analysis.form.repetitions)
    assert not any(rep.value("speed") or rep.value("hold_s") for rep in analysis.form.repetitions)


def test_a_cut_with_a_zoom_is_noticed_and_nothing_measured_over_it(case):
    analysis = case("jump_cut_zoom/c_jump.mp4")
    assert "cut at 2.2" in said(analysis)
    assert not any(rep.start_s < 2.1 < 2.3 < rep.end_s for rep in analysis.form.repetitions)


@pytest.mark.parametrize("name", ["c_side90", "c_down180"])
def test_a_picture_that_lies_is_turned(case, name):
    analysis = case(f"lies_on_its_side/{name}.mp4")
    assert analysis.prediction.label == "squat"
    assert "turned" in said(analysis)
    assert analysis.clip.height > analysis.clip.width
    assert looks(analysis) == []


@pytest.mark.parametrize("name", ["passer_by_in_front/c_front", "passer_by_same_size/c_cross"])
def test_who_passes_before_the_lifter_is_not_judged(case, name):
    analysis = case(f"{name}.mp4")
    assert "Somebody passed before the lifter" in said(analysis)
    assert looks(analysis) == []
    assert all(abs(depth - DEPTH_ALONE) <= 6 for depth in depths(analysis))


def test_a_spotter_does_not_change_the_depth(case):
    analysis = case("spotter_behind/c_spotter.mp4")
    assert looks(analysis) == []
    assert all(abs(depth - DEPTH_ALONE) <= 6 for depth in depths(analysis))
    rises = [rep.value("rise") for rep in analysis.form.repetitions]
    assert all(rise.value > 30 for rise in rises if rise)


def test_an_edit_list_with_a_speed_shows_every_picture_once(case):
    assert len(case("slow_motion_edit_list/c_elst_slow.mp4").pose) == 118


def test_the_larger_film_is_read(case):
    clip = case("small_default_stream/twovid_small_default.mp4").clip
    assert (clip.width, clip.height) == (640, 360)


def test_a_clip_that_starts_in_the_hole_has_two_whole_squats(case):
    analysis = case("starts_in_the_hole/c_hole.mp4")
    first, *whole = analysis.form.repetitions
    assert first.cut_off_by == "the start of the clip"
    assert first.measures == ()
    assert [rep.cut_off_by for rep in whole] == [None, None]
    assert looks(analysis) == []
    assert all(depth > -12 for depth in depths(analysis))
