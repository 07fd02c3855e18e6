"""The charts of a report show its numbers, and every cell of the matrix has its indices."""

import math

import pytest

from gymform.draw import report_charts as charts
from gymform.exercises import title_of

CLASSES = ("squat", "clean_and_jerk", "other")
MATRIX = ((8, 0, 2), (1, 4, 0), (0, 0, 0))


def test_the_interval_is_wilsons():
    low, up = charts.wilson(9, 10)  # 0.5958, 0.9821 by R's binom.confint(9, 10)
    assert low == pytest.approx(0.5958, abs=1e-3)
    assert up == pytest.approx(0.9821, abs=1e-3)


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (0, 0), (1, 1)])
def test_the_interval_lies_in_0_to_1_and_holds_the_share(right, count):
    low, up = charts.wilson(right, count)
    assert 0 <= low < up <= 1
    if count:
        assert low <= right / count <= up


def test_more_clips_make_a_narrower_interval():
    few, many = charts.wilson(9, 10), charts.wilson(900, 1000)
    assert many[1] - many[0] < (few[1] - few[0]) / 5


def test_every_cell_can_be_clicked_and_shows_its_count():
    figure = charts.confusion(CLASSES, MATRIX)
    points = figure.data[-1]
    assert points.mode == "markers"
    assert len(points.customdata) == 9
    shown = {(note.y, note.x): note.text for note in figure.layout.annotations}
    for (i, j), y, x in zip(points.customdata, points.y, points.x, strict=True):
        assert shown.get((y, x), "<b>0</b>") == f"<b>{MATRIX[i][j]}</b>"


def test_right_and_wrong_predictions_have_their_colours_by_share_of_the_row():
    right, wrong, _ = charts.confusion(CLASSES, MATRIX).data
    assert right.z[0] == [0.8, None, None]
    assert wrong.z[0] == [None, 0.0, 0.2]
    assert right.colorscale[-1][1] != wrong.colorscale[-1][1]
    assert right.z[2][2] == 0  # a class without clips divides by nothing


def test_classes_are_named_as_people_do():
    points = charts.confusion(CLASSES, MATRIX).data[-1]
    assert "Clean and jerk" in points.y
    assert title_of("") == ""


def test_the_matrix_in_words_names_the_worst_mistake_first():
    assert charts.describe_confusion(CLASSES, MATRIX) == (
        "Confusion matrix: Squat for Another exercise 2, Clean and jerk for Squat 1."
    )
    assert "no clip was mistaken" in charts.describe_confusion(("a", "b"), ((3, 0), (0, 2)))


def test_empty_bins_are_no_points():
    diagonal, points = charts.reliability([0.55, 0.0, 0.95], [0.5, 0.0, 1.0], [4, 0, 16]).data
    assert diagonal.x == diagonal.y == (0, 1)
    assert points.x == (0.55, 0.95)
    assert points.marker.size[1] > points.marker.size[0]
    assert charts.reliability([], [], []).data[1].x == ()


def test_error_bars_reach_the_ends_of_the_interval():
    points = charts.accuracy_bars({"side": (0.75, 20), "front": (0.5, 4)}).data[0]
    low, up = charts.wilson(2, 4)
    assert points.y == ("Front (4)", "Side (20)")  # plotly draws upwards
    assert points.x[0] + points.error_x.array[0] == pytest.approx(up)
    assert points.x[0] - points.error_x.arrayminus[0] == pytest.approx(low)


def test_the_current_fold_is_bold_and_the_earlier_ones_faint():
    figure = charts.training_curves(
        [1, 2, 1, 2],
        [1.0, 0.5, 1.1, 0.4],
        [1.2, None, 1.3, 0.6],
        [0.5, None, 0.4, 0.9],
        [0, 0, 1, 1],
    )
    first, last = figure.data[:3], figure.data[3:]
    assert {trace.opacity for trace in first} == {0.35}
    assert {trace.opacity for trace in last} == {1}
    assert [trace.name for trace in last] == ["Training", "Validation", "Accuracy"]
    assert first[1].y == (1.2,)  # what was not measured is not drawn
    assert last[2].y == (0.4, 0.9)


def test_curves_of_nothing_are_empty_figures():
    assert len(charts.training_curves([], [], [], [], []).data) == 0
    assert charts.describe_training([None]).startswith("Loss")
    assert "90 %" in charts.describe_training([0.5, 0.9, None])
    assert charts.learning_curve([], [], [], []).data
    assert charts.accuracy_bars({}).data[0].x == ()
    assert charts.clip_bars({}, {}).data[0].x == ()
    assert charts.confusion((), ()).data


def test_a_long_log_is_thinned_and_keeps_its_end():
    n = 5000
    rows = list(range(n))
    line = charts.training_curves(rows, [1.0] * n, [1.0] * n, [0.5] * n, [0] * n).data[0]
    assert len(line.x) <= 1200
    assert line.x[-1] == n - 1


def test_learning_curve_has_the_interval_as_its_band():
    low, up, training, held_out = charts.learning_curve(
        [10, 40], [1.0, 0.98], [0.7, 0.9], [20, 20]
    ).data
    assert low.y[1] == pytest.approx(charts.wilson(18, 20)[0])
    assert up.fill == "tonexty"
    assert training.y == (1.0, 0.98)
    assert held_out.x == (10, 40)
    assert len(charts.learning_curve([10], [None], [0.7], [20]).data) == 3


def test_class_bars_hold_the_three_metrics():
    bars = charts.class_bars(CLASSES, (0.9, 0.8, 0.0), (0.8, 0.8, 0.0), (0.85, 0.8, 0.0)).data
    assert [bar.name for bar in bars] == ["Precision", "Recall", "F1"]
    assert bars[1].y == (0.8, 0.8, 0.0)


def test_clip_bars_say_how_many_groups():
    bars = charts.clip_bars({"squat": 12, "lunge": 3}, {"squat": 4, "lunge": 1}).data[0]
    assert bars.y == ("Lunge", "Squat")
    assert bars.text == ("3 from 1 group", "12 from 4 groups")
    assert charts.describe_clips({"squat": 12}, {"squat": 4}) == "Squat 12 from 4 groups"
    assert not math.isnan(bars.x[0])
