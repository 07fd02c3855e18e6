"""Page History, without a browser and without weights."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from gymform.service import analysis_queue
from gymform.service.history import Entry
from gymform.storage import data_dir
from pages.components import results
from tests import fakes
from tests.pages.test_no_markup import EVIL, assert_no_markup

APP = Path(__file__).parents[2] / "app.py"
SUMMARY = {"exercise": "squat", "verdict": "Squat, 1 repetition: deep.", "frames": 150}


@pytest.fixture(autouse=True)
def _setting(tmp_path, monkeypatch):
    """Models that are only names, and a queue of this test's own."""
    folder = fakes.write_manifest(tmp_path / "weights")
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(folder))
    queue = analysis_queue.JobQueue(work="tests.work:scripted")
    monkeypatch.setattr(analysis_queue, "JobQueue", lambda **_: queue)
    results.job_queue.forget()
    results.history.forget()
    yield
    queue.close()


def page() -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.switch_page("pages/history.py")
    return app.run()


def add(number: int = 1, owner: str = "", **notes) -> Entry:
    """A finished result in the history, with a folder and a clip."""
    key = f"{number:064d}"
    clip = data_dir() / "uploads" / f"{number:032d}" / "clip.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"clip %d" % number)
    (results.job_queue().store.root / key).mkdir()
    entry = results.history().add(
        key, name=f"clip {number}.mp4", path=clip, options={}, clip_sha256=f"{number:064d}",
        owner=owner, summary=SUMMARY,
    )  # fmt: skip
    return results.history().edit(entry.address, **notes) if notes else entry


def button(app: AppTest, label: str, number: int = 0):
    return [item for item in app.button if item.label == label][number]


def texts(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.success)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def links(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("page_link")]


def test_an_empty_history_says_what_will_be_here():
    app = page()
    assert not app.exception
    assert "once a clip was analysed" in texts(app)
    assert links(app) == ["Analyze a clip"]


def test_results_are_listed_with_their_notes_and_their_links():
    entry = add(lifter="Anna", load_kg=102.5, note="belt", day="2026-02-03")
    app = page()
    assert not app.exception
    assert r"Squat · Anna · 3 Feb 2026 · 102\.5 kg" in texts(app)
    assert "belt" in texts(app)
    assert links(app) == ["Squat, 1 repetition: deep."]
    assert entry.address in app.get("page_link")[0].proto.query_string


def test_words_and_filters_choose_and_say_when_nothing_fits():
    add(1, lifter="Anna")
    add(2, lifter="Ben", exercise="deadlift", favourite=True)
    app = page()
    app.text_input(key="history-search").set_value("ben").run()
    assert "1 result" in texts(app)
    assert "Deadlift · Ben" in texts(app)
    app.text_input(key="history-search").set_value("nobody").run()
    assert "No result fits" in texts(app)
    app.text_input(key="history-search").set_value("").run()
    app.selectbox(key="history-lifter").set_value("Anna").run()
    assert "Squat · Anna" in texts(app)
    assert "Deadlift · Ben" not in texts(app)
    app.selectbox(key="history-lifter").set_value("All").run()
    app.toggle(key="history-favourites").set_value(True).run()
    assert "1 result" in texts(app)


def test_notes_are_changed_and_a_bad_value_is_said():
    entry = add()
    app = page()
    button(app, "Notes, delete").click().run()
    app.text_input(key=f"lifter-{entry.address}").set_value("Anna")
    app.number_input(key=f"load-{entry.address}").set_value(140.0)
    app.text_area(key=f"note-{entry.address}").set_value("felt light")
    button(app, "Save").click().run()
    assert not app.exception
    kept = results.history().get(entry.address)
    assert (kept.lifter, kept.load_kg, kept.note) == ("Anna", 140.0, "felt light")
    assert "Squat · Anna" in texts(app)
    button(app, "Favourite").click().run()
    assert results.history().get(entry.address).favourite
    button(app, "Reference").click().run()
    assert results.history().reference_of("squat", "Anna").address == entry.address


def lifted(number, load, speed, lifter="Anna"):
    """A squat with a load whose bar was so fast."""
    entry = add(number, lifter=lifter, exercise="squat", load_kg=load)
    rep = {"measures": {"bar_speed": speed}, "cut_off": False}
    results.history().finish(entry.key, {**SUMMARY, "repetitions": [rep]}, 1.0)


def test_load_and_velocity_of_a_lifter_tell_the_most_or_why_not():
    for number, (load, speed) in enumerate([(60.0, 0.9), (80.0, 0.75), (100.0, 0.6)]):
        lifted(number, load, speed)
    app = page()
    assert "Load and velocity" not in texts(app)
    app.selectbox(key="history-exercise").select("squat").run()
    assert "About 140 kg once: an estimate from 3 sets" in texts(app)
    assert len(app.get("plotly_chart")) == 1
    lifted(9, 150.0, 0.9, lifter="Ben")
    app.run()
    assert "Choose a lifter above" in texts(app)
    app.selectbox(key="history-lifter").select("Ben").run()
    assert "3 different loads are needed for a line, and there is one." in texts(app)


def test_a_result_is_deleted_with_its_clip_and_comes_back():
    entry = add(lifter="Anna")
    app = page()
    button(app, "Notes, delete").click().run()
    button(app, "Delete this clip and its results").click().run()
    assert not app.exception
    assert "Deleted: clip 1.mp4" in texts(app)
    assert results.history().get(entry.address) is None
    assert not Path(entry.path).exists()
    assert not (results.job_queue().store.root / entry.key).exists()
    button(app, "Undo").click().run()
    assert not app.exception
    assert results.history().get(entry.address).lifter == "Anna"
    assert Path(entry.path).exists()
    assert (results.job_queue().store.root / entry.key).exists()


def test_a_visitor_of_a_network_sees_their_own_only(monkeypatch):
    mine = add(1)
    monkeypatch.setenv("GYMFORM_ROLES", "boss@gym.example=admin")
    app = page()
    assert not app.exception
    assert "once a clip was analysed" in texts(app)
    assert not app.get("file_uploader")  # and imports nothing
    assert results.history().get(mine.address)


def test_five_thousand_results_open_within_a_second():
    """The second run: the first of a process also imports everything."""
    one = vars(add(lifter="Anna"))
    results.history().put_back(
        {**one, "address": f"a{n}", "key": f"{n + 10:064d}", "lifter": f"Lifter {n % 40}"}
        for n in range(5000)
    )
    app = page()
    assert "5,001 results" in texts(app)
    fresh = AppTest.from_file(str(APP), default_timeout=30)
    fresh.switch_page("pages/history.py")
    began = time.perf_counter()
    fresh.run()
    assert time.perf_counter() - began < 1.0
    assert len(fresh.get("page_link")) == 12


def test_nothing_that_was_noted_is_markup():
    add(lifter=EVIL, exercise=EVIL, note=EVIL)
    app = page()
    assert_no_markup(app)
    assert EVIL.split()[0][2:] or texts(app)


def test_a_damaged_history_is_said_and_clips_are_analysed_all_the_same():
    path = data_dir() / "history.sqlite"
    for left in data_dir().glob("history.sqlite*"):
        left.unlink()
    path.write_bytes(b"no database" * 500)
    results.history.forget()
    app = page()
    assert not app.exception
    assert "damaged" in app.error[0].value
    app.switch_page("pages/analyze.py").run()
    assert not app.exception
    assert app.title
