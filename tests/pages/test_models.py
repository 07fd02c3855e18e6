"""Page Models in all its states, without a browser and without training anything."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gymform import weights
from gymform.dataset.groups import confirm
from gymform.dataset.items import ACCEPTED
from gymform.dataset.reviews import ReviewStore
from gymform.storage import data_dir
from gymform.training.exercise import deploy, records, runs
from tests import fakes, made_runs
from tests.dataset import makers

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """Models that are only names."""
    folder = fakes.write_manifest(tmp_path / "weights")
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(folder))
    st.cache_data.clear()


@pytest.fixture(name="dataset")
def _dataset() -> Path:
    """A data set in the usual place, with nothing trained yet."""
    return made_runs.make_accepted(data_dir() / "datasets" / "my_gym")


def open_page() -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.switch_page("pages/models.py")
    return app.run()


def texts(app: AppTest) -> str:
    """All text on the page."""
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.warning, app.success)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def warnings(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in app.warning)


def button(app: AppTest, label: str):
    return next(item for item in app.button if item.label == label)


def labels(app: AppTest) -> list[str]:
    return [item.label for item in app.button]


# --- nothing, or too little, to train on --------------------------------------------------------


def test_no_data_set_says_how_to_come_by_one():
    app = open_page()
    assert not app.exception
    assert app.title[0].value == "Models"
    assert app.main.children[0].type == "title"  # no stray string of the script before it
    assert "There is no data set yet" in texts(app)
    assert "Start training" not in labels(app)


def test_nothing_accepted_yet_leads_to_review():
    makers.make_store(data_dir() / "datasets" / "new", 5, files=False)
    app = open_page()
    assert not app.exception
    assert "Nothing in this data set is accepted yet. 5 repetitions wait" in texts(app)
    assert button(app, "Start training").disabled


def test_an_empty_data_set_is_no_error():
    ReviewStore.open(data_dir() / "datasets" / "empty", create=True).close()
    app = open_page()
    assert not app.exception
    assert button(app, "Start training").disabled


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exercise": "front_squat"}, "Only front squat is chosen"),
        ({"group": "me"}, "Too few groups"),
    ],
)
def test_what_cannot_be_trained_on_is_said_before_it_is_tried(changes, reason):
    made_runs.make_accepted(data_dir() / "datasets" / "few", **changes)
    app = open_page()
    assert not app.exception
    assert reason in warnings(app)
    assert button(app, "Start training").disabled


def test_a_damaged_data_set_is_said(dataset):
    (dataset / "dataset.sqlite").write_bytes(b"not a database, whatever its name says" * 100)
    app = open_page()
    assert not app.exception
    assert app.error
    assert str(dataset.parent) not in texts(app)


def test_a_data_folder_that_cannot_be_used_is_said(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "file"))
    app = open_page()
    assert not app.exception
    assert "GYMFORM_HOME" in texts(app)
    assert str(tmp_path) not in texts(app)


def test_what_is_in_the_data_set_follows_the_decisions(dataset):
    app = open_page()
    assert "**23 accepted repetitions** from 23 groups" in texts(app)
    assert "1 repetition not judged yet" in texts(app)
    with ReviewStore.open(dataset) as store:
        store.decide_all([store.judged()[-1].item.id], "rejected", reviewer="other")
        store.decide_all([j.item.id for j in store.judged()][:1], ACCEPTED, reviewer="other")
    assert "not judged yet" not in texts(app.run())


def test_the_data_set_of_the_address_is_the_one_shown(dataset):
    makers.make_store(data_dir() / "datasets" / "another", 3, files=False)
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.switch_page("pages/models.py")
    app.query_params["dataset"] = dataset.name
    assert "23 accepted repetitions" in texts(app.run())
    app.selectbox(key="models-dataset").set_value("another").run()
    assert "Nothing in this data set is accepted" in texts(app)


# --- a training ---------------------------------------------------------------------------------


@pytest.fixture(name="started")
def _started(monkeypatch):
    """The options of the trainings that were started; no process is."""
    seen = []

    def launch(dataset, folder, options):
        seen.append(options)
        return folder

    monkeypatch.setattr(runs, "_launch", launch)
    return seen


def test_start_with_the_defaults(dataset, started):
    app = open_page()
    button(app, "Start training").click().run()
    assert not app.exception
    assert [options.model for options in started] == ["tcn"]
    assert started[0].folds == 5
    assert started[0].classes == ()
    assert "**TCN** is being trained" in texts(app)
    assert "Start training" not in labels(app)


def test_start_with_other_options(dataset, started):
    app = open_page()
    app.segmented_control(key="family").set_value("r2plus1d").run()
    assert "A video network" in texts(app)
    app.multiselect[0].set_value(["squat", "snatch"]).run()
    next(item for item in app.number_input if item.label == "Steps").set_value(20).run()
    app.select_slider(key="size").set_value(64).run()
    app.toggle(key="curve").set_value(True).run()
    button(app, "Start training").click().run()
    assert not app.exception
    options = started[0]
    assert (options.model, options.steps, options.size) == ("r2plus1d", 20, 64)
    assert set(options.classes) == {"squat", "snatch"}
    assert options.learning_curve


def test_two_sessions_see_the_same_training_and_a_second_one_must_wait(dataset, started):
    first, second = open_page(), open_page()
    button(first, "Start training").click().run()
    button(second, "Start training").click().run()
    assert len(started) == 1
    assert "still under way" in second.error[0].value
    assert "**TCN** is being trained" in texts(second)


def test_progress_curves_and_stop(dataset):
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    folder = made_runs.make_run(dataset, "now-tcn", records.RUNNING, started_at=now)
    with (folder / "run.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        app = open_page()
        assert not app.exception
        assert len(app.get("plotly_chart")) == 2
        assert "33 %" in app.get("progress")[0].proto.text
        assert "fold 2 of 5" in app.get("progress")[0].proto.text
        button(app, "Stop").click().run()
        assert (folder / "stop").exists()
        assert button(app, "Stop").disabled
    assert "It failed. The training ended unexpectedly" in texts(app.run())


def test_a_killed_training_is_a_failure_that_can_go_on(dataset, started):
    made_runs.make_run(dataset, "killed", records.RUNNING)
    app = open_page()
    assert not app.exception
    assert "ended unexpectedly" in app.error[0].value
    button(app, "Continue").click().run()
    assert len(started) == 1
    assert "is being trained" in texts(app)


def test_a_failure_is_told_in_its_own_words(dataset):
    folder = made_runs.make_run(dataset, "bad", records.FAILED, message="Too few clips of snatch.")
    (folder / "output.log").write_text("Traceback: something long\n")
    app = open_page()
    assert "It failed. Too few clips of snatch." in app.error[0].value
    assert "Traceback" not in texts(app)
    assert [item.label for item in app.get("download_button")] == ["Log"]


# --- what came of it ----------------------------------------------------------------------------


def test_a_report_begins_in_words(dataset):
    made_runs.make_run(dataset, "fine")
    app = open_page()
    assert not app.exception
    shown = texts(app)
    assert "of 23 clips of people and sources it had never seen" in shown
    assert "95 % interval" in shown
    assert "**Hardest:" in shown
    assert "Its confidence can be trusted" in shown
    assert "rough numbers" in shown
    assert len(app.get("plotly_chart")) == 8
    tables = [list(table.value.columns) for table in app.dataframe]
    assert ["Exercise", "Precision", "Recall", "F1", "Clips"] in tables
    assert ["Clip", "Shows", "Predicted", "Confidence"] in tables


@pytest.mark.parametrize(
    ("unconfirmed", "words"),
    [(5, "That is so for 5 of 23 repetitions"), (None, "was not recorded")],
)
def test_a_report_claims_no_unseen_people_when_nobody_said_who_is_who(dataset, unconfirmed, words):
    folder = made_runs.make_run(dataset, "fine")
    report = made_runs.changed(made_runs.make_report(dataset, "fine"), unconfirmed=unconfirmed)
    made_runs.write_report(folder, report)
    shown = texts(open_page())
    assert "never seen" not in shown
    assert words in shown


def test_a_data_set_says_when_nobody_said_who_is_who(dataset):
    assert "That is so for 23 of 23: say who is who" in texts(open_page())
    with ReviewStore.open(dataset) as store:
        confirm(store, reviewer="Ann")
    assert "say who is who" not in texts(open_page())


def test_training_and_validation_have_their_tables_too(dataset):
    made_runs.make_run(dataset, "fine")
    app = open_page()
    app.segmented_control(key="part-fine").set_value(records.TRAIN).run()
    assert not app.exception
    assert "Accuracy 100 %" in texts(app)
    assert "was trained on these" in texts(app)


def test_a_clip_that_was_taken_out_is_said_where_it_would_play(dataset):
    made_runs.make_run(dataset, "fine")
    app = open_page()  # a data set without any video files
    assert "no longer there" in texts(app)
    assert not app.get("video")


def test_the_worst_mistake_plays(monkeypatch):
    dataset = made_runs.make_accepted(data_dir() / "datasets" / "seen", files=True)
    made_runs.make_run(dataset, "fine")
    app = open_page()
    assert not app.exception
    assert len(app.get("video")) == 1


def test_the_table_compares_and_chooses(dataset):
    made_runs.make_run(dataset, "a-tcn", started_at="2026-11-24T09:00:00+00:00")
    made_runs.make_run(dataset, "b-gru", model="gru", started_at="2026-11-24T10:00:00+00:00")
    app = open_page()
    table = app.dataframe[0].value
    assert list(table["Model"]) == ["GRU", "TCN"]  # newest first, and its report is shown
    assert table["Parameters"].tolist() == [89_116, 89_116]
    assert "#### GRU" in texts(app)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 1}', "\x00"])
def test_a_damaged_report_is_said(dataset, damage):
    folder = made_runs.make_run(dataset, "fine")
    (folder / "report.json").write_text(damage)
    app = open_page()
    assert not app.exception
    assert "report of this training is missing or damaged" in app.error[0].value


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"id": 3}'])
def test_a_damaged_run_is_named_and_the_others_are_shown(dataset, damage):
    made_runs.make_run(dataset, "fine")
    (made_runs.make_run(dataset, "broken") / "run.json").write_text(damage)
    app = open_page()
    assert not app.exception
    assert "broken" in warnings(app)
    assert len(app.dataframe[0].value) == 1


@pytest.mark.parametrize(
    "changes", [{"parts": {}}, {"classes": ("squat", "row")}, {"model": "of the future"}]
)
def test_a_report_that_fits_no_page_is_damaged_too(dataset, changes):
    folder = made_runs.make_run(dataset, "fine")
    made_runs.write_report(folder, made_runs.changed(runs.read_report(folder), **changes))
    app = open_page()
    assert not app.exception
    assert "report of this training is missing or damaged" in app.error[0].value


def test_a_report_of_unseen_classes_and_no_slices_is_fine(dataset):
    """An empty test part: no division by zero."""
    folder = made_runs.make_run(dataset, "fine")
    report = runs.read_report(folder)
    empty = made_runs.make_part([], [], [])
    bare = made_runs.changed(report, parts=dict.fromkeys(report.parts, empty), answers=(),
                             slices=(), learning_curve=())  # fmt: skip
    made_runs.write_report(folder, bare)
    app = open_page()
    assert not app.exception
    assert "No clip was left to test on" in texts(app)
    assert "It made no mistake" in texts(app)


# --- taking into use, and back ------------------------------------------------------------------


def test_use_a_model_and_go_back(dataset):
    folder = made_runs.make_run(dataset, "fine")
    app = open_page()
    embedded = weights.manifest_entry(None, "exercise").name
    assert f"#### {embedded}" in texts(app).replace("\\", "")
    button(app, "Use this model").click().run()
    assert not app.exception
    assert deploy.is_active(folder)
    assert "uses this model from now on" in app.toast[0].value
    assert "In use" in texts(app)
    button(app, "Back to the embedded model").click().run()
    assert not deploy.is_active(folder)
    assert "Back to the embedded model" not in labels(app)


def test_a_model_on_pixels_says_why_it_cannot_be_used(dataset):
    made_runs.make_run(dataset, "video", model="r2plus1d")
    app = open_page()
    assert button(app, "Use this model").disabled
    assert "looks at the picture" in texts(app)


def test_an_active_model_whose_file_is_gone_can_be_left(dataset):
    deploy.make_active(made_runs.make_run(dataset, "fine"))
    for file in weights.local_dir().glob("*.safetensors"):
        file.unlink()
    app = open_page()
    assert not app.exception
    button(app, "Back to the embedded model").click().run()
    assert not app.exception
    assert deploy.active_model().embedded


def test_a_broken_manifest_of_the_embedded_models_is_said(dataset, tmp_path):
    (tmp_path / "weights" / weights.MANIFEST).write_text("{")
    app = open_page()
    assert not app.exception
    assert weights.MANIFEST in app.error[0].value


def test_a_broken_manifest_of_local_models_is_said_when_it_matters(dataset):
    made_runs.make_run(dataset, "fine")
    (weights.local_dir() / weights.MANIFEST).write_text("{")
    app = open_page()
    assert not app.exception
    button(app, "Use this model").click().run()
    assert weights.MANIFEST in app.error[0].value


def test_delete_a_training(dataset):
    folder = made_runs.make_run(dataset, "fine")
    app = open_page()
    button(app, "Delete this training").click().run()
    assert not app.exception
    assert not folder.exists()
    assert not app.dataframe


def test_the_cards_answer_what_am_i_using(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(PROJECT / "weights"))
    app = open_page()
    assert not app.exception
    shown = texts(app)
    assert "Results on held-out data" in shown
    assert "\n## " not in shown  # no heading of a card is as large as the page's own


def test_the_page_asks_for_no_network():
    """Opening the page does not import PyTorch."""
    code = (
        "import sys\n"
        "import pages.components.report, pages.components.training\n"
        "import gymform.training.exercise.runs\n"
        "print([m for m in ('torch', 'av', 'cv2', 'sklearn') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_labels_that_look_wrong_are_listed_with_their_clip(dataset):
    folder = made_runs.make_run(dataset, "fine")
    report = made_runs.make_report(dataset, "fine", wrong=0.0)
    classes = report.classes
    answers = [
        replace(one, probabilities=tuple(0.9 if name == one.truth else 0.05 for name in classes))
        for one in report.answers
    ]
    truth = answers[0].truth
    other = next(name for name in classes if name != truth)
    shares = tuple(0.97 if name == other else 0.015 for name in classes)
    answers[0] = replace(answers[0], probabilities=shares, answer=other)
    made_runs.write_report(folder, made_runs.changed(report, answers=tuple(answers)))
    app = open_page()
    assert not app.exception
    (table,) = (one.value for one in app.dataframe if "May be" in one.value.columns)
    assert table["Clip"].tolist() == [answers[0].name]
    assert "Labels to look at again" in texts(app)


def test_a_model_no_better_than_guessing_is_not_used_by_one_click(dataset):
    folder = made_runs.make_run(dataset, "poor")
    report = made_runs.make_report(dataset, "poor", wrong=0.75)
    made_runs.write_report(folder, report)
    app = open_page()
    assert "no better than guessing" in warnings(app)
    assert "Use this model" not in [item.label for item in app.button]
    assert button(app, "Use it all the same").disabled
    app.checkbox(key="doubtful-poor").check().run()
    button(app, "Use it all the same").click().run()
    assert not app.exception
    assert deploy.is_active(folder)


def test_before_a_training_it_is_said_how_long_it_takes_and_what_is_few(dataset):
    app = open_page()
    shown = texts(app)
    assert "It is likely to take about" in shown
    assert "repetitions of 8 people or sources are few. Add 22 more repetitions" in shown
