"""Runs on disk: written whole, read back equal, failed when the process died."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from gymform.errors import BusyError, OptionsError, TrainingError
from gymform.training.exercise import records, runs
from gymform.training.exercise.records import LogRow, TrainOptions
from tests.exercise.makers import make_dataset

OPTIONS = TrainOptions("gru", ("squat", "deadlift"), folds=3, steps=5)


def metrics(right=8, wrong=2):
    rows = tuple(records.ClassRow(name, 0.8, 0.8, 0.8, 5) for name in ("deadlift", "squat"))
    mean = records.Averages(0.8, 0.8, right / (right + wrong))
    bins = records.Reliability((0.7,), (0.8,), (10,))
    return records.Part(10, 0.8, rows, mean, mean, ((4, 1), (1, 4)), bins, 0.1)


def report(run="a", **changes):
    made = records.TrainingReport(
        run, "tcn", "mine", ("deadlift", "squat"), {"deadlift": 5, "squat": 5},
        {"deadlift": 3, "squat": 3}, 5, 0, 100,
        {part: metrics() for part in (records.TRAIN, records.VALIDATION, records.TEST)},
        (records.Slice("view", "side", 4, 0.75),), (records.CurvePoint(5, 1.0, 0.6, 10),),
        (records.TestPrediction("1", "a.mp4", "squat", "squat", 0.9, 0.9),
         records.TestPrediction("2", "b.mp4", "squat", "deadlift", 0.6, 0.4),
         records.TestPrediction("3", "c.mp4", "deadlift", "squat", 0.8, 0.2)),
        89_000, 1.2, records.Timing(9.0, 83.0), "python -m gymform train")  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def dataset(tmp_path):
    return tmp_path / "lifts"


@pytest.fixture
def folder(dataset):
    """A finished run."""
    folder = runs.runs_dir(dataset) / "one"
    with runs.record(folder, dataset, OPTIONS) as recorder:
        recorder.update(classes=("deadlift", "squat"), clips={"squat": 3}, done=5, total=10)
        recorder.begin_fold(1)
        recorder.log(LogRow(1, 1, 0.7))
        recorder.log(LogRow(1, 2, 0.6, 0.65, 0.5))
        recorder.write_report(report("one"), "# Report\n")
    return folder


# ---- writing and reading


def test_a_run_comes_back_as_it_was_written(dataset, folder):
    (run,) = runs.list_runs(dataset)
    assert (run.id, run.state, run.options, run.dataset) == ("one", records.DONE, OPTIONS, "lifts")
    assert (run.classes, run.clips, run.fraction) == (("deadlift", "squat"), {"squat": 3}, 0.5)
    assert run.seconds < 60
    assert runs.read_log(folder) == [LogRow(1, 1, 0.7), LogRow(1, 2, 0.6, 0.65, 0.5)]
    assert runs.read_report(folder) == report("one")
    assert (folder / "report.md").read_text() == "# Report\n"


def test_an_older_or_newer_report_with_unknown_fields_is_read(folder):
    content = asdict(report("one")) | {"surprise": 1}
    (folder / "report.json").write_text(json.dumps(content))
    assert runs.read_report(folder) == report("one")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"id": 3}', "null"])
def test_a_damaged_run_is_left_out_and_named(dataset, folder, content):
    (folder / "run.json").write_text(content)
    assert runs.list_runs(dataset) == []
    with pytest.raises(TrainingError, match=r"run\.json of the training 'one'"):
        runs.read_run(folder)


def test_a_half_written_log_line_is_left_out(folder):
    with (folder / "log.csv").open("a") as file:
        file.write("1,3,0.")
    assert [row.step for row in runs.read_log(folder)] == [1, 2]


def test_a_fold_that_is_begun_again_forgets_its_lines(dataset, folder):
    with runs.record(folder, dataset, OPTIONS) as recorder:
        recorder.log(LogRow(2, 1, 0.5))
        recorder.begin_fold(2)
        recorder.log(LogRow(2, 1, 0.4))
    assert [row.train_loss for row in runs.read_log(folder)] == [0.7, 0.6, 0.4]


def test_mistakes_are_the_wrong_answers_the_surest_first():
    assert [answer.item_id for answer in report().mistakes] == ["3", "2"]


# ---- states


def test_an_error_makes_the_run_failed_with_its_message(dataset):
    folder = runs.runs_dir(dataset) / "bad"
    with pytest.raises(TrainingError), runs.record(folder, dataset, OPTIONS):
        raise TrainingError("The loss is no number.")
    assert runs.read_run(folder).message == "The loss is no number."
    assert runs.read_run(folder).state == records.FAILED


def test_the_message_of_an_unexpected_error_is_not_shown(dataset):
    folder = runs.runs_dir(dataset) / "bad"
    with pytest.raises(KeyError), runs.record(folder, dataset, OPTIONS):
        raise KeyError("/secret/path")
    assert "secret" not in runs.read_run(folder).message


def test_a_killed_training_is_seen_as_failed(dataset):
    """A process that holds the lock is live; after kill -9 the run is failed, with a reason."""
    folder = runs.runs_dir(dataset) / "killed"
    code = (
        "import sys, pathlib\n"
        "from gymform.training.exercise import records, runs\n"
        "folder, dataset = map(pathlib.Path, sys.argv[1:])\n"
        "with runs.record(folder, dataset, records.TrainOptions()):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    root = str(runs.Path(runs.__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(dataset)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\n"
    assert runs.read_run(folder).state == records.RUNNING
    with (
        pytest.raises(BusyError, match="Another training"),
        runs.record(folder, dataset, TrainOptions()),
    ):
        pass
    with pytest.raises(BusyError, match="killed is still under way"):
        runs.start_run(dataset, OPTIONS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = runs.read_run(folder)
    assert (run.state, run.message) == (records.FAILED, runs.GONE)
    process.stdin.close()
    process.stdout.close()


def test_a_run_with_other_options_is_not_overwritten(dataset, folder):
    with (
        pytest.raises(OptionsError, match="other options"),
        runs.record(folder, dataset, TrainOptions()),
    ):
        pass
    assert runs.read_run(folder).state == records.DONE


def test_a_name_that_is_a_path_is_refused(dataset):
    with pytest.raises(OptionsError, match="--out"), runs.record(dataset / "a b", dataset, OPTIONS):
        pass


def test_stopping_leaves_a_flag_only_for_a_live_run(dataset, folder):
    runs.stop_run(folder)
    assert not (folder / "stop").exists()
    with runs.record(folder, dataset, OPTIONS) as recorder:
        runs.stop_run(folder)
        assert recorder.stop_requested
    assert runs.read_run(folder).state == records.DONE


def test_a_stop_before_the_first_step_is_not_lost(dataset, monkeypatch):
    """The page can be faster than the process that it has started."""
    monkeypatch.setattr(runs, "_launch", lambda dataset, folder, options: folder)
    folder = runs.start_run(dataset, OPTIONS)
    runs.stop_run(folder)
    with runs.record(folder, dataset, OPTIONS) as recorder:
        assert recorder.stop_requested
    with runs.record(folder, dataset, OPTIONS) as recorder:  # resumed at the terminal
        assert not recorder.stop_requested


def test_deleting_spares_a_live_run(dataset, folder):
    with runs.record(folder, dataset, OPTIONS), pytest.raises(TrainingError, match="stop it"):
        runs.delete_run(folder)
    runs.delete_run(folder)
    assert runs.list_runs(dataset) == []


def test_starting_calls_the_command_with_the_options(dataset, monkeypatch):
    called = []
    monkeypatch.setattr(runs.subprocess, "Popen", lambda command, **_: called.append(command))
    folder = runs.start_run(dataset, OPTIONS)
    assert runs.read_run(folder).state == records.STARTING
    (command,) = called
    assert command[1:4] == ["-m", "gymform", "train"]
    assert command[-len(OPTIONS.arguments()) :] == OPTIONS.arguments()
    monkeypatch.setattr(runs, "START_S", -1.0)
    assert runs.read_run(folder).state == records.FAILED
    runs.resume_run(folder)
    assert len(called) == 2


def test_the_lock_is_what_counts(folder):
    with (folder / "run.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert runs._locked(folder)
    assert not runs._locked(folder)


def test_a_started_training_runs_on_its_own_and_stops_when_asked(tmp_path):
    """The real command in the background: seen as live, then stopped within a step."""
    dataset = make_dataset(tmp_path / "lifts", 3)
    folder = runs.start_run(dataset, TrainOptions("gru", steps=100_000, views=12, width=4))
    assert runs.read_run(folder).live
    until(lambda: runs.read_log(folder) or runs.read_run(folder).done)
    assert runs.read_run(folder).state == records.RUNNING
    runs.stop_run(folder)
    until(lambda: not runs.read_run(folder).live)
    info = runs.read_run(folder)
    assert info.state == records.STOPPED, (info.message, (folder / "output.log").read_text())


def until(what, seconds=200.0):
    """Wait until ``what()`` is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_of_two_who_press_start_at_once_one_is_told(tmp_path, monkeypatch):
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    monkeypatch.setattr(runs, "_launch", lambda dataset, folder, options: folder)
    slow = runs.list_runs
    monkeypatch.setattr(runs, "list_runs", lambda dataset: (slow(dataset), time.sleep(0.2))[0])

    def start(_) -> object:
        try:
            return runs.start_run(dataset, OPTIONS)
        except BusyError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(start, range(2)))
    assert sum(isinstance(one, BusyError) for one in results) == 1
    assert len(slow(dataset)) == 1


# ---- comparison


def test_the_comparison_has_the_best_first():
    better = {part: metrics(9, 1) for part in (records.TRAIN, records.VALIDATION, records.TEST)}
    table = runs.comparison([report("a"), report("b", model="gru", parts=better)])
    assert [row["run"] for row in table] == ["b", "a"]
    text = runs.comparison_markdown([report("a")])
    assert "| a | tcn | 10 | 2 | 0.800 | 0.800 | 0.800 | 0.100 | 89,000 | 9.0 | 1:23 |" in text
