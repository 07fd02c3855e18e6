"""Page Compare, without a browser and without weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gymform.analysis_io import save
from gymform.service import analysis_queue
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.history import Entry
from gymform.service.summary import write_summary
from gymform.video.write import VideoWriter, transcode
from pages.components import results
from tests import fakes

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture(autouse=True)
def _setting(tmp_path, monkeypatch):
    """Models that are only names, and a queue of this test's own."""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(fakes.write_manifest(tmp_path / "weights")))
    queue = analysis_queue.JobQueue(work="tests.work:scripted")
    monkeypatch.setattr(analysis_queue, "JobQueue", lambda **_: queue)
    results.job_queue.forget()
    results.history.forget()
    yield
    queue.close()


def page(**asked: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("pages/compare.py")
    for name, value in asked.items():
        app.query_params[name] = value
    return app.run()


def add(tmp_path: Path, number: int, **notes) -> Entry:
    """A finished analysis of a squat in the store and in the history."""
    analysis, key = fakes.make_analysis(), f"{number:064x}"
    clip = tmp_path / "clip.mp4"
    if not clip.is_file():
        with VideoWriter(clip, width=360, height=480, fps=30) as writer:
            for time_s in analysis.pose.time_s:
                writer.write(np.full((480, 360, 3), 90, np.uint8), float(time_s))
    store = results.job_queue().store
    with store.new_folder(key) as folder:
        save(analysis, clip, folder, stem=STEM, video=False)
        transcode(clip, folder / PROXY)
        summary = write_summary(analysis, folder, folder / PROXY)
        store.keep(key, folder)
    entry = results.history().add(
        key, name=f"clip {number}.mp4", path=clip, options={}, clip_sha256="", summary=summary
    )
    return results.history().edit(entry.address, **notes) if notes else entry


def texts(app: AppTest) -> str:
    kinds = (app.title, app.header, app.markdown, app.caption, app.error, app.info, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_without_results_it_says_what_to_do():
    app = page()
    assert not app.exception
    assert "nothing to compare" in texts(app)


def test_two_repetitions_are_shown_with_their_measures_and_curves(tmp_path):
    add(tmp_path, 1, lifter="Anna", day="2026-01-01")
    add(tmp_path, 2, lifter="Ben", day="2026-01-08")
    app = page()
    assert not app.exception
    assert [box.value for box in app.selectbox[:2]][1] == 0
    table = next(frame.value for frame in app.dataframe if "Difference" in frame.value)
    assert {"First", "Second", "Difference"} <= set(table)
    assert set(table["Difference"]) == {"+0.0"}
    assert len(app.get("plotly_chart")) >= 1
    app.segmented_control(key="compare-how").set_value("warped").run()
    assert not app.exception


def test_a_link_names_both_results(tmp_path):
    first, second = add(tmp_path, 1), add(tmp_path, 2)
    app = page(first=first.address, second=second.address)
    assert not app.exception
    assert app.selectbox(key="compare-first").value == first.address
    assert app.selectbox(key="compare-second").value == second.address


def test_results_of_one_lifter_make_a_line_over_weeks(tmp_path):
    add(tmp_path, 1, lifter="Anna", day="2026-01-01")
    app = page()
    assert "Two results of one exercise and lifter make a line" in texts(app)
    add(tmp_path, 2, lifter="Anna", day="2026-01-08")
    app = page()
    assert not app.exception
    assert app.selectbox(key="weeks-measure").options[0] == "Depth"


def test_a_new_result_is_compared_with_the_reference_by_itself(tmp_path):
    reference = add(tmp_path, 1, lifter="Anna", reference=True)
    entry = add(tmp_path, 2, lifter="Anna")
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params[results.RESULT] = entry.address
    app.run()
    assert not app.exception
    assert "Against the reference" in texts(app)
    links = [one.proto.query_string for one in app.get("page_link")]
    assert any(reference.address in one and entry.address in one for one in links)


def test_a_result_whose_files_are_gone_is_said(tmp_path):
    first, _ = add(tmp_path, 1), add(tmp_path, 2)
    results.job_queue().store.forget(first.key)
    app = page(first=first.address)
    assert not app.exception
    assert "made way" in texts(app)
