"""A typed pattern groups clips, and one that would take years is stopped without harm."""

import time

import pytest

from gymform.dataset import patterns
from gymform.dataset.clips import find_clips
from gymform.dataset.patterns import groups_by
from gymform.errors import OptionsError


def test_the_group_called_group_then_the_first_then_all():
    names = ["p01_a.mp4", "p02_b.mp4", "other.mp4"]
    assert groups_by(r"^p\d+", names) == ["p01", "p02", None]
    assert groups_by(r"^p(\d+)", names) == ["01", "02", None]
    assert groups_by(r"^(p)(?P<group>\d+)", names) == ["01", "02", None]


def test_names_of_every_script_pass_the_pipe():
    names = ["Аня 1.mp4", "🏋\n\0.mp4", "\udcff.mp4"]
    assert groups_by(r"^(.)", names) == ["А", "🏋", "\udcff"]


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"(.*a){25}b", r"^(\w+\d*)+$"])
def test_a_pattern_that_takes_years_is_stopped_while_the_app_goes_on(pattern, monkeypatch):
    """The names are such as somebody may have; the work is that of another process.

    Python matches without letting other threads go on: a thread that matched here would have
    spent the time itself.
    """
    monkeypatch.setattr(patterns, "TIME_LIMIT_S", 1.0)
    started = time.monotonic(), time.thread_time()
    with pytest.raises(OptionsError, match="was stopped"):
        groups_by(pattern, ["a" * 60 + "!.mp4"])
    assert time.thread_time() - started[1] < 0.5
    assert time.monotonic() - started[0] < 30


@pytest.mark.parametrize("pattern", ["(", "*", "(?P<group>", "a{99999999999999999999}", "(" * 400])
def test_what_is_no_pattern_is_said(pattern):
    with pytest.raises(OptionsError, match="is no regular expression"):
        groups_by(pattern, ["a.mp4"])


def test_a_pattern_has_a_length():
    with pytest.raises(OptionsError, match="at most 500"):
        groups_by("a" * 501, ["a.mp4"])


def test_the_import_uses_it(tmp_path):
    for name in ("squat/p1_a.mp4", "squat/p1_b.mp4", "squat/who.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = find_clips(tmp_path, group_by=r"regex:/(p\d)")
    assert [file.group for file in found] == ["p1", "p1", "who"]
