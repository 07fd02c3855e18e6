"""The charts of the bar: up is up, in cm where the size is known, and each point has its second."""

import numpy as np
import pytest

from gymform.draw.bar_charts import bar_paths, bar_speed, describe_bar
from tests import fakes


def test_a_path_begins_where_the_repetition_does_and_up_is_up():
    bar = fakes.make_bar()
    [line] = bar_paths(bar, [(0.0, 3.0)]).data
    assert (line.x[0], line.y[0]) == (0, 0)
    assert min(line.y) == pytest.approx(-8.0, abs=0.05)  # 40 px of 2 mm, down
    np.testing.assert_allclose(line.customdata, bar.time_s)


def test_the_midfoot_is_a_line_from_where_the_path_begins():
    bar = fakes.make_bar()
    bar.still[:, 0] += np.arange(90)  # 0.2 cm a frame to the right
    assert len(bar_paths(bar, [(0.0, 3.0)]).layout.shapes) == 1
    figure = bar_paths(bar, [(0.0, 3.0)], [(1.0, -4.0)])
    (_, line) = figure.layout.shapes
    assert figure.data[-1].name == "Midfoot"
    assert line.x0 == pytest.approx(30 * 0.2 - 4)
    assert len(bar_paths(bar, [(0.0, 3.0)], [(9.0, -4.0)]).layout.shapes) == 1


@pytest.mark.parametrize(("scale", "unit"), [(2.0, "cm"), (None, "px")])
def test_both_axes_have_one_scale_and_a_unit(scale, unit):
    figure = bar_paths(fakes.make_bar(mm_per_px=scale), [(0.0, 3.0)])
    assert figure.layout.yaxis.scaleanchor == "x"
    assert unit in figure.layout.xaxis.title.text
    assert unit in figure.layout.yaxis.title.text


@pytest.mark.parametrize("slower", [1.0, 4.0])
def test_the_speed_is_that_of_life(slower):
    bar = fakes.make_bar()
    [line] = bar_speed(bar, [(0.0, 3.0)], slower).data
    np.testing.assert_allclose(line.y, -bar.velocity[:, 1] * 0.002 * slower)


def test_a_repetition_in_which_nothing_is_known_has_no_line():
    bar = fakes.make_bar()
    bar.still[:] = np.nan
    assert not bar_paths(bar, [(0.0, 3.0)]).data
    assert describe_bar(bar, []).startswith("The bar's path in 0 repetitions")
