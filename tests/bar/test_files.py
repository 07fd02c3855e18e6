"""A bar's path in JSON: the same when read back, refused when it is another clip's."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.bar.carrier import no_bar
from gymform.bar.files import bar_as_dict, bar_from_dicts, path_as_dict
from tests import fakes


def read_back(bar):
    said, path = json.loads(json.dumps([bar_as_dict(bar), path_as_dict(bar)], allow_nan=False))
    return bar_from_dicts(said, path, bar.time_s)


def assert_same(one, other):
    for name in ("xy", "r", "velocity", "still"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=0.0051)
    for name in ("observed", "lifting"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.mm_per_px, one.plate_mm, one.reasons, one.marked) == (
        other.mm_per_px, other.plate_mm, other.reasons, other.marked,
    )  # fmt: skip


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.none() | st.floats(0.1, 10))
def test_a_path_is_the_same_when_read_back(frames, seed, scale):
    rng = np.random.default_rng(seed)
    bar = fakes.make_bar(frames + 1, mm_per_px=scale, reasons=("The camera pans.",), marked=True)
    gaps = rng.random(frames + 1) < 0.3
    bar.xy[gaps] = bar.velocity[gaps] = bar.still[gaps] = np.nan
    bar.observed[gaps] = False
    assert_same(read_back(bar), bar)


def test_both_plates_are_read_back_and_older_files_have_one():
    one = fakes.make_bar(6)
    assert read_back(one).far is None
    far = np.where(np.arange(6)[:, None] == 2, np.nan, 100.25 + np.zeros((6, 2)))
    both = read_back(replace(one, far=far, far_r=31.5))
    np.testing.assert_allclose(both.far, far, atol=0.0051)
    assert both.far_r == 31.5


def test_no_bar_is_no_bar_when_read_back():
    bar = read_back(no_bar(np.arange(5.0), 450.0, "Nothing round moves with the hands."))
    assert not bar.found
    assert bar.mm_per_px is None
    assert bar.reasons == ("Nothing round moves with the hands.",)


@pytest.mark.parametrize("name", ["xy", "r", "still", "velocity", "observed", "lifting"])
def test_the_path_of_a_clip_of_other_length_is_refused(name):
    bar = fakes.make_bar(10)
    path = path_as_dict(bar)
    path[name] = path[name][:-1]
    with pytest.raises(ValueError, match="expected"):
        bar_from_dicts(bar_as_dict(bar), path, bar.time_s)


def test_a_path_of_other_columns_is_refused():
    bar = fakes.make_bar(10)
    path = path_as_dict(bar) | {"xy": path_as_dict(replace(bar, xy=np.zeros((10, 3))))["xy"]}
    with pytest.raises(ValueError, match=r"\(10, 2\)"):
        bar_from_dicts(bar_as_dict(bar), path, bar.time_s)


@pytest.mark.parametrize(
    "changes", [{"mm_per_px": -1}, {"mm_per_px": float("nan")}, {"plate_mm": 0}, {"aspect": "wide"}]
)
def test_sizes_that_cannot_be_are_refused(changes):
    bar = fakes.make_bar(10)
    with pytest.raises(ValueError, match=r"expected a number|could not convert"):
        bar_from_dicts(bar_as_dict(bar) | changes, path_as_dict(bar), bar.time_s)


@pytest.mark.parametrize("rows", [[[10**400, 1]] * 10, [["a", 1]] * 10, "no rows", [[1, [2]]] * 10])
def test_rows_that_are_no_numbers_are_refused(rows):
    bar = fakes.make_bar(10)
    with pytest.raises((ValueError, TypeError)):
        bar_from_dicts(bar_as_dict(bar), path_as_dict(bar) | {"xy": rows}, bar.time_s)
