"""Page Analyze in all its states, without a browser and without weights.

The queue runs `tests.work:scripted`, where the clip's name says what happens to it; a finished
analysis is a made-up one, saved the way the worker would have saved it.
"""

from __future__ import annotations

import functools
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gymform import limits, weights
from gymform.analysis import Analysis
from gymform.analysis_io import save
from gymform.in_use import held, is_held
from gymform.service import analysis_queue
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.summary import write_summary
from gymform.storage import data_dir
from gymform.types import UNKNOWN, Ablation, Prediction, Window
from gymform.video.write import VideoWriter, transcode
from pages.components import results
from tests import fakes

APP = Path(__file__).parents[2] / "app.py"
MP4 = b"\0\0\0\x18ftypmp42"  # the content alone decides what a file is


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """Models that are only names."""
    folder = fakes.write_manifest(tmp_path / "weights")
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(folder))


@pytest.fixture(name="queue")
def _queue(monkeypatch):
    """The queue that the page will use; it waits for at most one job."""
    queue = analysis_queue.JobQueue(work="tests.work:scripted", max_waiting=1)
    monkeypatch.setattr(analysis_queue, "JobQueue", lambda **_: queue)
    results.job_queue.forget()
    results.history.forget()
    yield queue
    queue.close()


@pytest.fixture(name="app")
def _app(queue) -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=30).run()


def upload(app: AppTest, name: str, content: bytes = b"") -> AppTest:
    """Upload a file whose name says what the worker does."""
    return app.file_uploader[0].set_value((name, content or MP4 + name.encode(), "")).run()


def run_until(app: AppTest, done) -> AppTest:
    """Run the page again, as its fragment does, until ``done(app)``."""
    for _ in range(200):
        if done(app):
            return app
        app.run()
    raise AssertionError(texts(app))


def texts(app: AppTest) -> str:
    """All text on the page."""
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str):
    return next(item for item in app.button if item.label == label)


def finish(
    queue: analysis_queue.JobQueue, app: AppTest, content: bytes, analysis: Analysis
) -> None:
    """Put ``analysis`` where the worker would have put that of an upload with ``content``."""
    path = data_dir() / "known.mp4"
    path.write_bytes(content)
    clip = data_dir() / "source.mp4"
    width, height = analysis.pose.image_size
    with VideoWriter(clip, width=width, height=height, fps=30) as writer:
        for time_s in analysis.pose.time_s:
            writer.write(np.zeros((height, width, 3), np.uint8), time_s)
    options = fakes.make_options(pose_model="pose-a")
    key = analysis_queue.Request(path, "known.mp4", options).key()
    with queue.store.new_folder(key) as folder:
        save(analysis, clip, folder, stem=STEM, video=False)
        transcode(clip, folder / PROXY)
        write_summary(analysis, folder, folder / PROXY)
        queue.store.keep(key, folder)


small = functools.partial(fakes.make_analysis, 12)


def test_an_empty_page_invites(app):
    assert not app.exception
    assert app.title[0].value == "How good is the lift?"
    assert "Whole body" in texts(app)
    assert app.selectbox[0].options == ["pose-a"]
    offered = set(app.file_uploader[0].allowed_type)
    assert {".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv"} <= offered
    assert {".gif", ".webp", ".mts", ".m2ts", ".ts"} <= offered


@pytest.mark.parametrize(
    ("names", "words"),
    [(["squat", "lunge"], "a **squat** or a **lunge**"), (list("abcde"), "one of the 5 below")],
)
def test_many_exercises_are_counted_and_few_are_named(queue, monkeypatch, names, words):
    monkeypatch.setattr("pages.components.exercise_pictures.named_exercises", lambda: names)
    assert words in texts(AppTest.from_file(str(APP), default_timeout=30).run())


def test_a_missing_sample_is_a_disabled_button(queue, monkeypatch, tmp_path):
    monkeypatch.setattr("gymform.__file__", str(tmp_path / "__init__.py"))
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    assert button(app, "Try the sample").disabled


def test_a_data_folder_that_cannot_be_used_is_said(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "file"))
    results.job_queue.forget()
    results.history.forget()
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    assert "GYMFORM_HOME" in app.error[0].value
    assert str(tmp_path) not in app.error[0].value


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"\n", "not"), (b"%PDF-1.7 and more", "PDF"), (b"ffconcat version 1.0\n", "not")],
)
def test_a_bad_upload_is_refused_in_words(app, content, text):
    upload(app, "lift.mp4", content)
    assert not app.exception
    assert len(app.error) == 1
    assert text in app.error[0].value
    assert app.title  # and the page invites again
    assert not list(data_dir().glob("uploads/*"))


def test_an_error_of_the_analysis_is_shown_and_can_be_tried_again(app):
    upload(app, "nobody there.mp4")
    run_until(app, lambda app: app.error)
    assert app.error[0].value == "Nobody was found in the clip."
    button(app, "Try again").click().run()
    run_until(app, lambda app: app.error)
    button(app, "Another clip").click().run()
    assert app.title


def test_a_dead_worker_is_an_error_and_the_next_clip_works(app):
    upload(app, "die now.mp4")
    run_until(app, lambda app: app.error)
    assert "stopped in the middle" in app.error[0].value
    button(app, "Another clip").click().run()
    upload(app, "nobody there.mp4")
    run_until(app, lambda app: app.error)
    assert "Nobody" in app.error[0].value


def test_progress_and_cancel(app, queue):
    upload(app, "wait for me.mp4")
    run_until(app, lambda app: "**Find the joints in every frame**" in texts(app))
    assert "wait for me" in texts(app)
    button(app, "Cancel").click().run()
    assert "cancelled" in app.info[0].value
    assert app.title
    assert not app.exception


def test_a_second_session_waits_and_a_third_keeps_its_clip_until_there_is_room(app):
    upload(app, "wait one.mp4")
    run_until(app, lambda app: "pending" in texts(app))
    second = upload(AppTest.from_file(str(APP), default_timeout=30).run(), "wait too.mp4")
    assert not second.exception
    third = upload(AppTest.from_file(str(APP), default_timeout=30).run(), "wait three.mp4")
    assert "busy" in third.warning[0].value
    assert "wait three" in texts(third)
    button(third, "Try again").click().run()
    assert "busy" in third.warning[0].value  # and is still there
    button(second, "Cancel").click().run()
    button(third, "Try again").click().run()
    assert not third.warning
    assert "Find the joints in every frame" in texts(third)  # it is in the queue
    assert not third.exception


def test_missing_weights_are_said_on_the_page(queue, monkeypatch, tmp_path):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    assert f"{weights.MANIFEST} is missing" in app.error[0].value
    upload(app, "fine.mp4")
    assert not app.exception
    assert f"{weights.MANIFEST} is missing" in app.error[0].value


def test_a_known_clip_is_answered_at_once(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "my *squat* [1].mp4", content)
    assert not app.exception
    shown = texts(app)
    assert "# Squat" in shown
    assert "94 % sure" in shown
    assert r"my \*squat\* \[1\].mp4" in shown
    assert len(app.get("plotly_chart")) >= 2
    assert [item.label for item in app.get("download_button")] == [
        "Annotated video",
        "Report (HTML, prints)",
        "Keypoints (.npz)",
        "Trajectories (CSV)",
        "Everything (JSON)",
    ]


def test_the_annotated_video_is_drawn_when_asked_for(app, queue):
    content = MP4 + b"drawn"
    finish(queue, app, content, small())
    upload(app, "squat.mp4", content)
    assert len(app.get("video")) == 0
    app.button(key="draw_video").click().run()
    assert not app.exception
    assert len(app.get("video")) == 1
    app.run()  # and stays
    assert len(app.get("video")) == 1


def test_a_disk_without_room_for_the_video_is_said(app, queue, monkeypatch):
    from gymform.service import analysis_worker

    def full(*_):
        raise OSError(28, "No space left on device")

    content = MP4 + b"full"
    finish(queue, app, content, small())
    upload(app, "squat.mp4", content)
    monkeypatch.setattr(analysis_worker, "annotated_video", full)
    app.button(key="draw_video").click().run()
    assert not app.exception
    assert "disk is full" in app.error[0].value


def test_the_form_is_told_and_each_cue_shows_its_moment(app, queue):
    content = MP4 + b"whole"
    analysis = fakes.make_analysis()
    finish(queue, app, content, analysis)
    upload(app, "squat.mp4", content)
    assert not app.exception
    shown = texts(app)
    assert "## Form" in shown
    assert "of one repetition, seen from the side" in shown
    assert "**Hips and shoulders rise together.**" in shown
    assert "from the front only" in shown
    table = next(frame.value for frame in app.dataframe if "Measure" in frame.value)
    assert {"Knee angle at the bottom", "Down", "Up"} <= set(table["Measure"])
    (see, *_) = (item for item in app.button if item.label.startswith("See "))
    see.click().run()
    at_s = analysis.pose.time_s[app.session_state.frame]
    assert at_s == pytest.approx(float(see.label.split()[1]), abs=0.07)
    assert at_s > 0.5


def test_an_answer_says_what_it_rests_on(app, queue):
    content = MP4 + b"why"
    still = (
        Ablation("arms", (0.02, 0.02, 0.93, 0.03)),
        Ablation("legs", (0.05, 0.05, 0.1, 0.8)),
    )
    windows = (Window(0.0, 3.0, (0.1, 0.1, 0.7, 0.1)), Window(0.5, 2.5, (0.0, 0.0, 0.1, 0.9)))
    answer = fakes.make_prediction("squat", 0.94, ablations=still, windows=windows)
    finish(queue, app, content, small(prediction=answer))
    upload(app, "lift.mp4", content)
    assert not app.exception
    shown = texts(app)
    assert "With the **legs** kept still, squat would be at 10 %, and another exercise" in shown
    assert "**arms** kept still" not in shown
    table = next(frame.value for frame in app.dataframe if "Likeliest" in frame.value)
    assert table["Likeliest"].tolist() == ["squat", "another exercise"]
    assert table["Probability"].tolist() == ["70 %", "90 %"]


def test_an_answer_that_no_part_decides_says_so(app, queue):
    content = MP4 + b"no part"
    answer = fakes.make_prediction(
        "squat", 0.94, ablations=(Ablation("legs", (0.0, 0.0, 0.9, 0.1)),)
    )
    finish(queue, app, content, small(prediction=answer))
    upload(app, "lift.mp4", content)
    assert "No part of the body decides alone" in texts(app)


def test_unknown_says_why(app, queue):
    reason = "The lifter is hidden in most frames."
    answer = fakes.make_prediction(UNKNOWN, 0.4, reason=reason)
    quality = fakes.make_quality(0.3, notes=("The feet are not seen.",))
    content = MP4 + b"unknown"
    finish(queue, app, content, small(prediction=answer, quality=quality))
    upload(app, "lift.mp4", content)
    assert not app.exception
    assert "# Unknown" in texts(app)
    assert "% sure" not in texts(app)
    assert reason in app.info[0].value


def test_the_variant_stands_below_the_name():
    def page():
        import streamlit as st

        from pages.components.result import verdict

        verdict(st.session_state["analysis"])

    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["analysis"] = fakes.make_analysis(12, form=fakes.make_form(variant="Sumo"))
    app.run()
    assert not app.exception
    assert [one.value for one in app.markdown][:2] == ["# Squat, 1 repetition", "**Sumo**"]


def test_unknown_of_one_pattern_says_which(app, queue):
    classes = ("deadlift", "romanian_deadlift", "other")
    answer = Prediction(classes, (0.48, 0.45, 0.07), UNKNOWN, "It could be either.", "b" * 64,
                        candidates=classes[:2])  # fmt: skip
    content = MP4 + b"partial"
    finish(queue, app, content, small(prediction=answer, form=fakes.make_form(UNKNOWN)))
    upload(app, "lift.mp4", content)
    assert not app.exception
    assert "A hinge: deadlift or Romanian deadlift" in texts(app)
    assert "# Unknown" not in texts(app)


def test_problems_of_the_clip_are_shown(app, queue):
    problem = "Only the first 3.2 s could be read."
    content = MP4 + b"partly"
    finish(queue, app, content, small(clip=fakes.make_clip(12, problems=(problem,))))
    upload(app, "lift.mp4", content)
    assert problem in app.warning[0].value


# -- addresses ---------------------------------------------------------------------------------


def opened(address: str) -> AppTest:
    """The app in a new session, as a link opens it."""
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.query_params[results.RESULT] = address
    return app.run()


def address_of(app: AppTest) -> str:
    address = app.query_params[results.RESULT]
    return address if isinstance(address, str) else address[0]


def test_a_result_has_an_address_that_a_new_session_opens(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    again = opened(address_of(app))
    assert not again.exception
    assert "# Squat" in texts(again)
    assert "lift.mp4" in texts(again)
    assert button(again, DELETE)
    assert any(address_of(app) in code.value for code in again.code)


def test_a_job_is_found_again_by_its_address_and_goes_on_without_its_page(app, queue):
    upload(app, "wait for me.mp4")
    again = opened(address_of(app))  # a reload
    run_until(again, lambda app: "**Find the joints in every frame**" in texts(app))
    assert "wait for me" in texts(again)
    again.query_params.clear()  # the browser's way back
    again.run()
    assert again.title
    run_until(app, lambda app: "**Find the joints in every frame**" in texts(app))


def test_a_failed_job_says_why_at_its_address(app, queue):
    upload(app, "nobody there.mp4")
    run_until(app, lambda app: app.error)
    again = opened(address_of(app))
    assert again.error[0].value == "Nobody was found in the clip."
    assert button(again, "Try again")


@pytest.mark.parametrize("address", ["nowhere", "../../etc", "x" * 5000, "' OR 1=1 --"])
def test_an_address_that_leads_nowhere_is_said(queue, address):
    app = opened(address)
    assert not app.exception
    assert "no result at this address" in app.error[0].value
    assert app.title
    assert results.RESULT not in app.query_params


def test_leaving_a_result_leaves_its_address(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    button(app, "Another clip").click().run()
    assert results.RESULT not in app.query_params
    assert app.title
    assert "Last results" in texts(app)


def test_a_cancelled_job_is_forgotten_and_a_finished_one_stays(app, queue):
    upload(app, "wait for me.mp4")
    address = address_of(app)
    button(app, "Cancel").click().run()
    assert results.history().get(address) is None


def test_a_result_whose_files_made_way_is_said(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "nobody.mp4", content)
    address = address_of(app)
    (folder,) = (one for one in queue.store.root.iterdir() if one.name[0] != ".")
    queue.store.forget(folder.name)
    app = opened(address)
    assert not app.exception
    assert "to make room" in app.error[0].value


def test_somebody_else_s_result_can_be_looked_at_and_nothing_more(app, queue, monkeypatch):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    address = address_of(app)
    monkeypatch.setenv("GYMFORM_ROLES", "boss@gym.example=admin")  # roles now exist
    eve = opened(address)
    assert not eve.exception
    assert "# Squat" in texts(eve)
    labels = [item.label for item in eve.button]
    assert not {DELETE, "Analyse again", "Favourite", "Save"} & set(labels)
    place = eve.session_state["flow-analyze"]
    assert place.address == address


def test_after_a_restart_what_waited_is_taken_up_again(app, queue, monkeypatch):
    upload(app, "wait for me.mp4")
    address = address_of(app)
    queue.close()
    fresh = type(queue)(work="tests.work:scripted")
    monkeypatch.setattr(analysis_queue, "JobQueue", lambda **_: fresh)
    results.job_queue.forget()
    results.history.forget()
    try:
        results.go_on()
        again = run_until(
            opened(address), lambda app: "**Find the joints in every frame**" in texts(app)
        )
        button(again, "Cancel").click().run()
    finally:
        fresh.close()


def test_nothing_chosen_to_show_is_no_error(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert "at least one joint" in texts(app)


def test_centimetres_come_only_from_the_lifter_s_height(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    columns = [str(list(one.value.columns)) for one in app.dataframe]
    assert not any("cm" in one for one in columns)
    app.button_group(key="unit").set_value("cm").run()
    assert "Say how tall the lifter is" in texts(app)
    assert not any("cm" in str(list(one.value.columns)) for one in app.dataframe)
    app.number_input(key="height_cm").set_value(180).run()
    assert not app.exception
    assert any("y (cm)" in one.value.columns for one in app.dataframe)


DELETE = "Delete this clip and its results"


def in_analyses(queue: analysis_queue.JobQueue) -> int:
    return len([one for one in queue.store.root.iterdir() if one.name[0] != "."])


def test_a_result_is_deleted_with_its_clip_and_comes_back(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    button(app, DELETE).click().run()
    assert not app.exception
    assert "deleted" in app.info[0].value
    assert app.title  # the page invites again
    assert in_analyses(queue) == 0
    assert not list((data_dir() / "uploads").iterdir())
    button(app, "Undo").click().run()
    assert not app.exception
    assert "# Squat" in texts(app)
    assert len(list((data_dir() / "uploads").iterdir())) == 1
    assert "Undo" not in [item.label for item in app.button]


def test_after_a_minute_a_deletion_cannot_be_undone(app, queue, monkeypatch):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    button(app, DELETE).click().run()
    now = time.time()
    monkeypatch.setattr("gymform.trash.time.time", lambda: now + 61)
    button(app, "Undo").click().run()  # the page still shows it: nothing has run it again
    assert not app.exception
    assert "too late" in app.error[0].value


def test_what_failed_can_be_deleted_too(app, queue):
    upload(app, "nobody there.mp4")
    run_until(app, lambda app: app.error)
    button(app, DELETE).click().run()
    assert not app.exception
    assert not list((data_dir() / "uploads").iterdir())


def test_a_clip_that_is_analysed_elsewhere_is_not_deleted(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "lift.mp4", content)
    (folder,) = (data_dir() / "uploads").iterdir()
    with held(folder):
        button(app, DELETE).click().run()
    assert "being analysed" in app.error[0].value
    assert "# Squat" in texts(app)
    assert in_analyses(queue) == 1


def test_a_result_is_not_deleted_while_a_page_reads_it(app, queue, monkeypatch):
    from pages.components import result

    def look(*_: object, **__: object) -> None:
        (folder,) = (one for one in queue.store.root.iterdir() if one.name[0] != ".")
        seen.append(is_held(folder))

    seen: list[bool] = []
    content = MP4 + b"known"
    finish(queue, app, content, small())
    monkeypatch.setattr(result, "show_result", look)
    upload(app, "lift.mp4", content)
    assert not app.exception
    assert seen == [True]


@pytest.mark.parametrize("name", ["wait for it.mp4", "nobody there.mp4"])
def test_a_clip_is_in_use_as_long_as_its_analysis_waits_or_runs(app, name):
    upload(app, name)
    (folder,) = (data_dir() / "uploads").iterdir()
    if name.startswith("wait"):
        assert is_held(folder)
        button(app, "Cancel").click().run()
    run_until(app, lambda app: not is_held(folder))


def test_cancelling_another_look_leads_back_to_the_result(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "wait for it.mp4", content)
    app.toggle[0].set_value(True).run()
    button(app, "Analyse again").click().run()
    assert "Look for the lifter" in texts(app)
    button(app, "Cancel").click().run()
    assert "cancelled" in app.info[0].value
    assert "# Squat" in texts(app)
    assert not app.exception


def test_a_failed_other_look_leaves_the_result_in_reach(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "nobody there.mp4", content)
    app.toggle[0].set_value(True).run()
    button(app, "Analyse again").click().run()
    run_until(app, lambda app: app.error)
    button(app, "Try again").click().run()
    run_until(app, lambda app: app.error)
    button(app, "Back to the result").click().run()
    assert "# Squat" in texts(app)
    assert not app.exception


def test_a_damaged_result_is_told_and_made_again(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    next(queue.store.root.glob("*/*.npz")).write_bytes(b"damaged")
    upload(app, "nobody.mp4", content)
    assert not app.exception
    assert "not a keypoint file" in app.error[0].value
    assert not list(queue.store.root.glob("*/*.npz"))
    button(app, "Try again").click().run()
    run_until(app, lambda app: app.error)
    assert not app.exception


def test_a_result_thrown_away_can_be_made_again(app, queue):
    content = MP4 + b"known"
    finish(queue, app, content, small())
    upload(app, "fine.mp4", content)
    for file in next(queue.store.root.iterdir()).iterdir():
        file.unlink()
    next(queue.store.root.iterdir()).rmdir()
    app.run()
    assert not app.exception
    assert button(app, "Try again")


def test_upload_limits_agree():
    assert st.get_option("server.maxUploadSize") * 1024**2 == limits.MAX_UPLOAD_BYTES


def test_the_start_page_names_the_exercises_of_the_model_in_use(app, monkeypatch, tmp_path):
    config = {"classes": ["front_squat", "overhead press", "other"]}
    fakes.write_manifest(tmp_path / "other weights", config=config)
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "other weights"))
    app.run()
    assert "a **front squat** or an **overhead press**" in texts(app)
