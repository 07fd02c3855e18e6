"""Page Review in all its states, without a browser: stores empty, small, large, damaged."""

from __future__ import annotations

import io
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gymform.dataset.clips import ImportReport
from gymform.dataset.deletion import delete_clip
from gymform.dataset.export import export_zip
from gymform.dataset.items import ACCEPTED, PENDING, DatasetFiles, Filter
from gymform.dataset.ranking import read_ranking
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, DatasetError
from gymform.in_use import held, is_held
from gymform.roles import Role
from gymform.storage import data_dir
from pages.components import clips, shared
from tests.dataset.makers import clip_record, make_store

PAGE = Path(__file__).parents[2] / "pages" / "review.py"


@pytest.fixture(autouse=True)
def _fresh_caches():
    shared._stores.forget()
    shared.reply_log.forget()
    clips.dataset_tasks.forget()
    st.cache_data.clear()


def folder(name: str = "lifts") -> Path:
    return data_dir() / "datasets" / name


def open_page(reviewer: str = "Anna", view: str | None = None, name: str = "lifts") -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.session_state["reviewer-name"] = reviewer
    if view:
        app.session_state[f"review-view-{name}"] = view
    return app.run()


def texts(app: AppTest) -> str:
    """All text on the page."""
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.warning, app.success)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str):
    return next(item for item in app.button if item.label == label)


def field(app: AppTest, label: str):
    return next(item for item in app.text_input if item.label == label)


def test_without_a_data_set_the_page_offers_to_make_one():
    app = open_page()
    assert not app.exception
    field(app, "Name of the new data set").set_value("my lifts")
    button(app, "Create").click().run()
    assert not app.exception
    assert (folder("my lifts") / "dataset.sqlite").is_file()
    assert app.selectbox(key="review-dataset").value == "my lifts"
    assert "Import clips" in texts(app)


@pytest.mark.parametrize("name", ["../x", "a/b", " ", "lifts"])
def test_a_name_that_does_not_do_is_refused_in_words(name):
    make_store(folder(), 1, files=False)
    app = open_page(view="Clips")
    field(app, "Name of the new data set").set_value(name)
    button(app, "Create").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert list((data_dir() / "datasets").iterdir()) == [folder()]


@pytest.fixture(name="sized", scope="module")
def _sized(tmp_path_factory) -> Callable[[int], None]:
    """Puts a data set of this many clips where the page looks for it; each size is made once."""
    made: dict[int, Path] = {}

    def sized(count: int) -> None:
        if count not in made:
            made[count] = tmp_path_factory.mktemp("sized") / "lifts"
            if count:
                make_store(made[count], count, files=False)
            else:
                ReviewStore.open(made[count], create=True).close()
        shutil.copytree(made[count], folder())

    return sized


@pytest.mark.parametrize("view", ["Clips", "People", "Review", "Accept many"])
@pytest.mark.parametrize("count", [0, 1, 1000])
def test_every_view_of_every_size(sized, view, count):
    sized(count)
    app = open_page(view=view)
    assert not app.exception
    assert not app.error
    if count and view == "Review":
        shown = app.session_state["desk-data"]
        assert sum(shown["counts"].values()) == count
        assert len(shown["cards"]) == min(count, 7)
    if count == 0 and view != "Clips":
        assert "Nothing to review yet" in texts(app)


def test_who_reviews_is_asked_before_anything_is_judged():
    make_store(folder(), 2, files=False)
    app = open_page(reviewer="")
    field(app, "Your name").set_value("  ").run()
    button(app, "Begin").click().run()
    assert "A name is needed" in texts(app)
    field(app, "Your name").set_value(" Anna ")
    button(app, "Begin").click().run()
    assert not app.exception
    assert app.session_state["reviewer-name"] == "Anna"


def test_a_damaged_store_is_said():
    make_store(folder(), 1, files=False)
    for path in folder().glob("dataset.sqlite*"):
        path.unlink()
    (folder() / "dataset.sqlite").write_bytes(b"no database at all " * 100)
    app = open_page()
    assert not app.exception
    assert "damaged" in app.error[0].value
    assert str(data_dir()) not in texts(app)


def test_a_store_that_is_cut_off_is_said():
    make_store(folder(), 300, files=False)
    with sqlite3.connect(folder() / "dataset.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = folder() / "dataset.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    app = open_page()
    assert not app.exception
    assert app.error
    assert str(data_dir()) not in texts(app)


def test_a_store_that_cannot_be_written_is_said(monkeypatch):
    make_store(folder(), 2, files=False)
    words = "The data set cannot be written: its folder is read-only or gone."

    def refuse(*_, **__):
        raise DatasetError(words)

    monkeypatch.setattr(ReviewStore, "open", refuse)
    app = open_page()
    assert not app.exception
    assert app.error[0].value == words


def test_a_store_that_vanishes_is_said():
    make_store(folder(), 2, files=False)
    app = open_page()
    shutil.rmtree(folder())
    app.run()
    assert not app.exception
    assert "Name of the new data set" in [item.label for item in app.text_input]


def test_a_data_folder_that_cannot_be_used_is_said(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "file"))
    app = open_page()
    assert not app.exception
    assert "GYMFORM_HOME" in app.error[0].value
    assert str(tmp_path) not in texts(app)


def test_a_sheet_is_accepted_at_once_without_what_was_taken_out():
    make_store(folder(), 40, files=False)
    app = open_page(view="Accept many")
    with ReviewStore.open(folder()) as store:
        good = [one.item.id for one in store.judged(Filter(order="best")) if one.quality >= 0.8]
        assert [box.key for box in app.checkbox] == [f"tick-{one}" for one in good]
        app.checkbox(key=f"tick-{good[1]}").uncheck()
        button(app, "Accept what is ticked").click().run()
        assert not app.exception
        verdicts = {one: store.get(one).verdict for one in good}
        assert verdicts.pop(good[1]) == PENDING
        assert set(verdicts.values()) == {ACCEPTED}
        assert f"{len(good) - 1} repetitions accepted" in texts(app)
        assert not app.checkbox  # what was taken out is set aside
        button(app, "Undo my last decision").click().run()
        assert {store.get(one).verdict for one in good} == {PENDING}


def test_the_model_is_asked_what_it_would_learn_from():
    make_store(folder(), 3)
    app = open_page(view="Review")
    app.selectbox(key="filter-order").set_value("learn").run()
    assert "was not asked yet" in texts(app)
    button(app, "Ask the model").click().run()
    assert not app.exception
    clips.dataset_tasks().of(folder()).join(60)
    app.run()
    assert "was asked about 3 repetitions" in texts(app)
    assert read_ranking(DatasetFiles(folder())) is not None


def test_a_sheet_leaves_what_others_judged_meanwhile():
    make_store(folder(), 40, files=False)
    app = open_page(view="Accept many")
    with ReviewStore.open(folder()) as store:
        best = store.judged(Filter(order="best"))[0].item.id
        store.decide(best, "rejected", reviewer="Ben", reasons=("occluded",))
        button(app, "Accept what is ticked").click().run()
        assert not app.exception
        assert store.get(best).reviewer == "Ben"
    assert "1 was judged by others" in texts(app)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere/at all", "There is no folder"),
        ("~nobody-of-this-name/lifts", "no user of that"),
        ("/etc", "imported below nowhere, and not from"),
        ("/nowhere/../etc/no such folder", "imported below nowhere, and not from"),
    ],
)
def test_an_import_needs_a_folder_that_is_there_and_open(path, words, monkeypatch):
    monkeypatch.setenv("GYMFORM_IMPORT_ROOTS", "/nowhere")
    make_store(folder(), 1, files=False)
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.session_state["review-view-lifts"] = "Clips"
    app.session_state["import-way"] = "Folder on this computer"
    app.run()
    app.text_input(key="import-folder").set_value(path)
    app.run()
    button(app, "Import").click().run()
    assert not app.exception
    assert words in texts(app)


def test_a_folder_is_imported_and_its_report_shown(tmp_path, finished, monkeypatch):
    monkeypatch.setenv("GYMFORM_IMPORT_ROOTS", str(tmp_path))
    source = tmp_path / "lifts" / "squat" / "anna"
    source.mkdir(parents=True)
    clip = make_store(tmp_path / "maker", 1) / "clips"
    shutil.copy(next(clip.iterdir()), source / "one.mp4")
    shutil.copy(source / "one.mp4", source / "same.mp4")
    (source / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"x" * 500)
    ReviewStore.open(folder(), create=True).close()
    app = open_page()
    app.session_state["import-way"] = "Folder on this computer"
    app.run()
    app.text_input(key="import-folder").set_value(str(tmp_path / "lifts"))
    app.run()
    button(app, "Import").click().run()
    finished(app)
    assert not app.exception
    said = texts(app)
    assert "1 clip imported" in said
    assert "1 duplicate" in said
    assert "1 file left out" in said
    with ReviewStore.open(folder()) as store:
        (clip,) = store.clips()
    assert (clip.exercise, clip.group) == ("squat", "anna")
    assert "Waiting" in [metric.label for metric in app.metric]


def test_uploads_are_imported_under_names_of_ours(tmp_path, finished):
    clip = next((make_store(tmp_path / "maker", 1) / "clips").iterdir()).read_bytes()
    ReviewStore.open(folder(), create=True).close()
    app = open_page()
    app.file_uploader[0].set_value([("../../evil name.mp4", clip, "video/mp4")]).run()
    app.selectbox(key="import-exercise-Upload").set_value("squat").run()
    app.text_input(key="import-person").set_value("Ben").run()
    button(app, "Import").click().run()
    finished(app)
    assert not app.exception
    with ReviewStore.open(folder()) as store:
        (record,) = store.clips()
    assert (record.name, record.exercise, record.group) == ("evil name.mp4", "squat", "Ben")
    assert not list((data_dir() / "uploads").iterdir())


@pytest.mark.parametrize(
    ("called", "error", "words"),
    [
        ("shutil.copyfileobj", OSError(28, "No space left on device"), "No space left"),
        (
            "gymform.service.dataset_tasks.DatasetTasks.start",
            BusyError("Something is under way"),
            "under way",
        ),
    ],
)
def test_uploads_that_cannot_be_imported_leave_nothing(monkeypatch, called, error, words):
    def fail(*_, **__):
        raise error

    ReviewStore.open(folder(), create=True).close()
    app = open_page()
    app.file_uploader[0].set_value([("a.mp4", b"clip", "video/mp4")]).run()
    app.selectbox(key="import-exercise-Upload").set_value("squat").run()
    monkeypatch.setattr(called, fail)
    button(app, "Import").click().run()
    assert not app.exception
    assert words in texts(app)
    assert not list((data_dir() / "uploads").iterdir())


def test_uploads_are_in_use_while_they_are_imported(tmp_path, finished, monkeypatch):
    """Another visitor's upload must not make room by deleting them, neither now nor before."""
    seen, copy = [], shutil.copyfileobj

    def look(*args, **kwargs):
        (root,) = (data_dir() / "uploads").iterdir()
        seen.append(is_held(root))
        return copy(*args, **kwargs) if args else ImportReport()  # copied, then imported

    ReviewStore.open(folder(), create=True).close()
    app = open_page()
    app.file_uploader[0].set_value([("a.mp4", b"clip", "video/mp4")]).run()
    app.selectbox(key="import-exercise-Upload").set_value("squat").run()
    monkeypatch.setattr("shutil.copyfileobj", look)
    monkeypatch.setattr("gymform.dataset.clips.import_clips", lambda *_, **__: look())
    button(app, "Import").click().run()
    finished(app)
    assert not app.exception
    assert seen == [True, True]
    assert not list((data_dir() / "uploads").iterdir())


DELETE = "Delete this clip and its results"
DELETE_THESE = "Delete these clips and their results"
MOVE_THESE = "Move these clips there"


def test_a_clip_is_deleted_and_comes_back():
    make_store(folder(), 2)
    app = open_page(view="Clips")
    with ReviewStore.open(folder()) as store:
        first, second = store.clips()
        app.multiselect(key="leaving-clips").set_value([second.sha256]).run()
        button(app, DELETE_THESE).click().run()
        assert not app.exception
        assert store.clips() == [first]
        assert not store.files.clip(second).exists()
        assert f"Deleted: {second.name}" in texts(app)
        button(app, "Undo").click().run()
        assert not app.exception
        assert store.clips() == [first, second]
        assert store.files.clip(second).exists()
    assert "Undo" not in [item.label for item in app.button]


def test_the_clip_that_is_reviewed_is_deleted_and_the_review_goes_on():
    make_store(folder(), 2)
    app = open_page(view="Review")
    shown = app.session_state["desk-data"]["current"]
    button(app, DELETE).click().run()
    assert not app.exception
    with ReviewStore.open(folder()) as store:
        (left,) = store.judged()
    assert left.item.id != shown
    assert app.session_state["desk-data"]["current"] == left.item.id
    button(app, DELETE).click().run()
    assert "Nothing to review yet" in texts(app)
    button(app, "Undo").click().run()
    assert app.session_state["desk-data"]["current"] == left.item.id


def test_a_press_that_comes_late_deletes_nothing_else():
    """The button was pressed for one clip, and by then another one is shown."""
    make_store(folder(), 2)
    app = open_page(view="Review")
    pressed = button(app, DELETE).click()
    with ReviewStore.open(folder()) as store:
        first = store.get(app.session_state["desk-data"]["current"])
        delete_clip(store, first.item.clip_sha256)  # somebody else
        pressed.run()
        assert not app.exception
        assert len(store.clips()) == 1


def test_a_data_set_in_use_keeps_its_clips():
    make_store(folder(), 1)
    app = open_page(view="Clips")
    with held(folder()):
        app.multiselect(key="leaving-clips").set_value([clip_record(0).sha256]).run()
        button(app, DELETE_THESE).click().run()
    assert not app.exception
    assert "is using this data set" in app.error[0].value
    with ReviewStore.open(folder()) as store:
        assert len(store.clips()) == 1


def test_an_undo_belongs_to_its_data_set():
    for name in ("lifts", "others"):
        make_store(folder(name), 1)
    app = open_page(view="Clips")
    app.selectbox(key="review-dataset").set_value("lifts").run()
    app.multiselect(key="leaving-clips").set_value([clip_record(0).sha256]).run()
    button(app, DELETE_THESE).click().run()
    app.selectbox(key="review-dataset").set_value("others").run()
    assert "Undo" not in [item.label for item in app.button]


@pytest.mark.parametrize("view", ["Clips", "Review"])
def test_only_an_admin_is_offered_to_delete(view, monkeypatch):
    make_store(folder(), 1)
    monkeypatch.setattr("pages.components.access.may", lambda role: role < Role.ADMIN)
    app = open_page(view=view)
    assert not app.exception
    assert not {DELETE, DELETE_THESE} & {item.label for item in app.button}


def test_several_clips_are_deleted_and_come_back_together():
    make_store(folder(), 4)
    app = open_page(view="Clips")
    with ReviewStore.open(folder()) as store:
        before = store.judged()
        ids = [clip.sha256 for clip in store.clips()]
        assert button(app, DELETE_THESE).disabled
        app.multiselect(key="leaving-clips").set_value(ids[:3]).run()
        button(app, DELETE_THESE).click().run()
        assert not app.exception
        assert "Deleted: 3 clips" in texts(app)
        assert [clip.sha256 for clip in store.clips()] == ids[3:]
        button(app, "Undo").click().run()
        assert not app.exception
        assert store.judged() == before


def test_clips_are_moved_to_another_data_set_and_back():
    make_store(folder("lifts"), 3)
    ReviewStore.open(folder("others"), create=True).close()
    app = open_page(view="Clips")
    app.selectbox(key="review-dataset").set_value("lifts").run()
    with ReviewStore.open(folder("lifts")) as store, ReviewStore.open(folder("others")) as others:
        before = store.judged()
        ids = [clip.sha256 for clip in store.clips()]
        app.multiselect(key="leaving-clips").set_value(ids[:2]).run()
        button(app, MOVE_THESE).click().run()
        assert not app.exception
        assert "Moved to others: 2 clips" in texts(app)
        assert [clip.sha256 for clip in others.clips()] == ids[:2]
        assert [clip.sha256 for clip in store.clips()] == ids[2:]
        button(app, "Undo").click().run()
        assert not app.exception
        assert store.judged() == before
        assert not others.clips()


def test_an_extraction_runs_in_the_background_and_can_be_stopped(monkeypatch, finished):
    from gymform.errors import Cancelled

    with ReviewStore.open(folder(), create=True) as store:
        store.add_clip(clip_record(0))

    def endless(store, progress, *, jobs):
        while True:
            progress("extract", 0, 1)

    monkeypatch.setattr(clips, "extract_in_process", endless)
    app = open_page(view="Clips")
    button(app, "Extract").click().run()
    assert not app.exception
    assert button(app, "Extract").disabled
    button(app, "Stop").click().run()
    finished(app)
    assert isinstance(clips.dataset_tasks().of(folder()).error, Cancelled)
    assert "start it again to continue" in texts(app)


@pytest.fixture(name="finished")
def _finished():
    """Wait until the data set's task has ended, and run the page again."""

    def finished(app: AppTest) -> None:
        clips.dataset_tasks().of(folder()).join(60)
        app.run()

    return finished


def test_after_the_last_clip_it_can_be_exported_and_trained_on():
    make_store(folder(), 3)
    app = open_page(view="Review")
    assert "Everything is judged" not in texts(app)
    with ReviewStore.open(folder()) as store:
        store.decide_all([one.item.id for one in store.judged()], ACCEPTED, reviewer="Ben")
        app.run()
        assert not app.exception
        assert "**Everything is judged:** 3 repetitions accepted" in texts(app)
        assert [item.label for item in app.get("download_button")] == ["Export"]
        assert button(app, "Train")
        content = export_zip(store)
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert {"manifest.jsonl", "keypoints.npz", "corrections.json"} <= set(bundle.namelist())
        assert len(bundle.read("manifest.jsonl").splitlines()) == 3


# -- judging blind -------------------------------------------------------------------------------


@pytest.fixture(name="disputed")
def _disputed() -> str:
    """The repetition about which the reviewers of a data set disagree, who judge blind."""
    make_store(folder(), 4, files=False)
    with ReviewStore.open(folder()) as store:
        store.set_blind(True, reviewer="Anna")
        item = store.judged()[0].item.id
        store.decide(item, ACCEPTED, reviewer="Anna")
        store.relabel(item, "front squat", reviewer="Ben")
        store.decide(item, "rejected", reviewer="Ben", reasons=("occluded",), comment="a plate")
    return item


def now(item: str):
    with ReviewStore.open(folder()) as store:
        return store.get(item)


def test_the_switch_is_kept_with_the_data_set_and_others_see_it():
    make_store(folder(), 4, files=False)
    app = open_page(view="Review")
    assert not app.toggle(key="judge-blind-lifts").value
    app.toggle(key="judge-blind-lifts").set_value(True).run()
    assert not app.exception
    with ReviewStore.open(folder()) as store:
        assert store.is_blind()
    other = open_page(reviewer="Ben", view="Review")
    assert other.toggle(key="judge-blind-lifts").value
    other.toggle(key="judge-blind-lifts").set_value(False).run()
    app.run()
    assert not app.toggle(key="judge-blind-lifts").value


def test_a_blind_reviewer_gets_everything_to_judge_and_learns_nothing():
    make_store(folder(), 4, files=False)
    with ReviewStore.open(folder()) as store:
        store.set_blind(True, reviewer="Anna")
        ids = [one.item.id for one in store.judged()]
        store.decide_all(ids[:2], ACCEPTED, reviewer="Anna", comment="secret")
        store.relabel(ids[0], "secret squat", reviewer="Anna")
    ben, anna = open_page("Ben", "Review"), open_page("Anna", "Review")
    shown = ben.session_state["desk-data"]
    assert [card["id"] for card in shown["cards"]] == ids
    assert shown["counts"][PENDING] == 4
    assert "secret" not in str(shown)
    assert "Anna" not in str(shown)
    assert "secret" not in texts(ben)
    assert anna.session_state["desk-data"]["counts"][PENDING] == 2
    assert "secret" in str(open_page("Anna", "Review").session_state["desk-data"]["exercises"])


def test_what_is_disputed_shows_both_verdicts_and_is_settled_by_name(disputed):
    app = open_page("Carl", "Disputed")
    assert not app.exception
    for words in ("**Anna** accepted it as", "**Ben** rejected it: occluded", "a plate"):
        assert words in texts(app)
    app.selectbox(key=f"dispute-exercise-{disputed}").set_value("front squat")
    app.button(key=f"dispute-accepted-{disputed}").click().run()
    assert not app.exception
    assert "as Carl decided" in texts(app)
    after = now(disputed)
    assert (after.verdict, after.reviewer, after.settled) == (ACCEPTED, "Carl", True)
    assert after.item.exercise == "front squat"
    assert "Nothing is disputed" in texts(app)
    button(app, "Undo my last decision").click().run()
    assert now(disputed).verdict == "disputed"
    assert "**Anna** accepted it" in texts(app)


def test_the_list_of_disputes_is_there_where_reviewers_judge_or_judged_blind(disputed):
    assert "Disputed" in open_page().segmented_control[0].options
    with ReviewStore.open(folder()) as store:
        store.set_blind(False, reviewer="Anna")
    assert "Disputed" in open_page().segmented_control[0].options
    with ReviewStore.open(folder()) as store:
        store.undo("Ben")
    assert "Disputed" not in open_page().segmented_control[0].options


def test_a_final_rejection_needs_a_reason(disputed):
    app = open_page("Carl", "Disputed")
    app.multiselect(key=f"dispute-reasons-{disputed}").set_value([])
    app.button(key=f"dispute-rejected-{disputed}").click().run()
    assert not app.exception
    assert now(disputed).verdict == "disputed"
    app.multiselect(key=f"dispute-reasons-{disputed}").set_value(["occluded", "other"])
    app.button(key=f"dispute-rejected-{disputed}").click().run()
    assert (now(disputed).verdict, now(disputed).reasons) == ("rejected", ("occluded", "other"))


def test_who_was_slower_to_settle_is_told(disputed):
    app = open_page("Carl", "Disputed")
    with ReviewStore.open(folder()) as store:
        store.settle([disputed], ACCEPTED, reviewer="Dora")
    app.button(key=f"dispute-rejected-{disputed}").click().run()
    assert not app.exception
    assert now(disputed).reviewer == "Dora"
    assert "accepted for good by Dora" in texts(app)


def test_disputes_are_said_before_the_next_step(disputed):
    with ReviewStore.open(folder()) as store:
        rest = [one.item.id for one in store.judged() if one.item.id != disputed]
        store.decide_all(rest, ACCEPTED, reviewer="Anna")
    app = open_page("Anna", "Review")
    assert "About 1 repetition reviewers disagree" in texts(app)
