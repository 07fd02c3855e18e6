"""A small run of each section of benchmarks/hardening.py: that nothing is lost, and that it says so
when something is."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(name="bench", scope="module")
def _bench() -> ModuleType:
    sys.path.insert(0, str(PROJECT / "benchmarks"))
    return importlib.import_module("hardening")


@pytest.fixture(name="app", scope="module")
def _app(bench) -> ModuleType:
    return bench.hardening_app


def numbers(rows: list[tuple[str, str]]) -> dict[str, str]:
    """The rows of a section by their names, as numbers where they are."""
    return dict(rows)


@pytest.mark.parametrize("section", ["media", "mutations"])
def test_broken_files_cost_the_app_nothing(bench, section):
    found = numbers(getattr(bench, section)(5, count=30))
    assert (found["files"], found["process of the sandbox ended by the file"]) == ("30", "0")
    ended = ("stopped at a limit", "refused in words", "read, in part or whole")
    assert sum(int(found[name]) for name in ended) == 30
    assert float(found["memory of the process that asks grew by, MB"]) <= 10


def test_the_same_seed_makes_the_same_files(bench):
    for make in (bench.greedy, bench.mutated):
        assert list(make(3, 20)) == list(make(3, 20)) != list(make(4, 20))


def test_broken_keypoint_files_are_refused_or_equal(app):
    found = numbers(app.poses(5, count=100))
    assert int(found["refused in words"]) + int(found["equal to the original"]) == 100
    assert (found["different without a word"], found["another error"]) == ("0", "0")


def test_a_keypoint_file_that_is_read_otherwise_is_counted(app, monkeypatch):
    monkeypatch.setattr("tests.pose.test_files.mutate", lambda data, rng: data)
    monkeypatch.setattr("tests.pose.test_files.same", lambda one, other: False)
    assert numbers(app.poses(5, count=3))["different without a word"] == "3"


def test_no_acknowledged_decision_is_lost(app):
    found = numbers(app.decisions(5, kills=3))
    assert (found["kills"], found["lost"], found["doubled"]) == ("3", "0", "0")
    assert int(found["acknowledged"].replace(",", "")) > 0


def test_killed_extractions_leave_nothing_behind(app):
    found = numbers(app.extraction(5, kills=3, way=app.durability.MADE_UP))
    for name in ("workers that stayed", "unreadable", "wrongly marked", "different"):
        assert found[name] == "0"
    assert (found["kills"], int(found["finished"]) >= 1) == ("3", True)


def test_parts_that_were_measured_before_are_kept(app, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "PARTS", tmp_path / "parts.json")
    asked: list[tuple[int, int]] = []

    def measure(part: int, count: int) -> dict[str, int]:
        asked.append((part, count))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return {"kills": count}

    with pytest.raises(KeyboardInterrupt):
        app.in_parts("section", 70, 30, measure)
    assert app.in_parts("section", 70, 30, measure) == {"kills": 70}
    assert asked == [(0, 30), (1, 30), (2, 10), (2, 10)]
    assert not app.PARTS.exists()


def test_a_full_queue_says_so_at_once(app):
    found = numbers(app.busy(5, times=3))
    assert found["refused while the queue was full"] == "3 of 3"
    assert found["with their position"] == "3 of 3"
    assert float(found["longest answer, ms"]) < 1000


def test_a_killed_worker_does_not_harm_the_next_job(app):
    found = numbers(app.worker(5, kills=1))
    tried = found["next jobs that succeeded"].partition(" of ")[2]
    assert found["next jobs that succeeded"] == found["with the same keypoints"]
    assert found["with the same keypoints"] == f"{tried} of {tried}"


def test_sessions_at_once_get_the_answers_of_one_alone(app, monkeypatch):
    monkeypatch.setattr(app, "GOOD", app.GOOD[:1])
    found = numbers(app.soak(5, minutes=0.1, sessions=2))
    assert found["uploads without outcome, other answers, failed runs"] == "0"
    assert "% sure" in found["answers of a single session"]


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("# Squat ... 97 % sure ...", "Squat 97 % sure"),
        ("gymform is busy: 8 analyses", "busy"),
        ("1 of your analyses are waiting already", "busy"),
        (":material/error: this is no video", "refused in words"),
        ("How good is the lift?", "no outcome"),
    ],
)
def test_what_became_of_an_upload_is_read_off_the_page(app, words, outcome):
    assert app.outcome_of(words) == outcome


def test_the_report_holds_what_was_measured_and_how(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(bench, "REPORT", tmp_path / "report.md")
    bench.keep("busy", [("refused", "3 of 3")], 7, 60.0)
    bench.keep("poses", [("files", "5")], 7, 60.0)
    text = (tmp_path / "report.md").read_text()
    assert "| refused | 3 of 3 |" in text
    assert "`--only poses --seed 7` in 1 minutes" in text
    assert text.index("Keypoint files") < text.index("A full queue")
