"""The whole app in a real browser, with the real networks: from a clip to its analysis.

Screenshots of every state, light, dark and as wide as a phone, go to ``out/screenshots``.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gymform.pose.files import load_poses
from gymform.video.read import probe
from tests.browser.conftest import ROOT_WITH

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "out" / "screenshots"
CLIP = "deadlift/mattiolato98_deadlift-visual-an__Dataset_small_Bad_000010.mp4"
"""A whole repetition from the side: there are cues to click on."""

ANALYSIS_MS, PATIENCE_MS = 600_000, 120_000
"""A busy machine may take minutes for what takes seconds."""

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

PLAYER = ROOT_WITH.format(".player")
FRAME = f"() => Number({PLAYER}?.querySelector('.player').dataset.frame)"
CLOCK = f"{PLAYER}?.querySelector('.clock').value"
POINT = """index => {
  const plot = document.querySelector('.st-key-trajectories .js-plotly-plot');
  const trace = plot._fullData.find(one => one.showlegend);
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  return [
    box.left + xaxis._offset + xaxis.d2p(trace.x[index]),
    box.top + yaxis._offset + yaxis.d2p(trace.y[index]),
  ];
}"""


@pytest.fixture(scope="module", name="address")
def _address(serve) -> str:
    return serve(PROJECT / "serve.py")


@pytest.fixture(name="open_page")
def _open_page(browser, address):
    """Opens the app in a fresh session; afterwards no script may have failed."""
    contexts, errors = [], []

    def open_page(viewport=WIDE, scheme="light"):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.locator("[data-testid=stFileUploaderDropzone]").wait_for(timeout=ANALYSIS_MS)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def answered(page) -> None:
    """Wait until the result is there and nothing is loading any more."""
    end = page.get_by_text("Downloads", exact=True).or_(
        page.get_by_role("button", name="Try again")
    )
    end.wait_for(timeout=ANALYSIS_MS)
    assert page.get_by_text("Downloads", exact=True).is_visible(), page.inner_text("main, body")
    page.wait_for_function(f"() => {PLAYER}?.querySelector('.message').hidden")
    page.locator(".st-key-trajectories .js-plotly-plot .scatterlayer .trace").first.wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")


def photograph(page, name: str) -> None:
    """A screenshot of the whole page, however long: Streamlit scrolls inside the window."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(height, 6000)})
    page.wait_for_function(f"() => {PLAYER}?.querySelector('.message').hidden ?? true")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(size)


@pytest.mark.shared
def test_a_real_clip_from_upload_to_download(open_page, shared_data, tmp_path):
    page = open_page()
    photograph(page, "empty")
    page.locator("input[type=file]").set_input_files(shared_data / "clips" / CLIP)
    page.get_by_role("button", name="Cancel", exact=True).wait_for()
    page.locator("[data-testid=stProgress]").wait_for()
    photograph(page, "working")
    answered(page)
    photograph(page, "result")
    _the_overlay_plays(page)
    _a_click_in_a_chart_moves_the_player(page)
    _a_cue_shows_its_moment(page)
    _every_download_opens(page, tmp_path)
    _a_height_that_cannot_be_takes_the_metres(page)
    _another_person_is_another_analysis(page)


def _the_overlay_plays(page) -> None:
    """The annotated video is drawn when somebody asks for it."""
    page.get_by_role("button", name="Draw the video").click()
    page.locator("[data-testid=stVideo]").wait_for(timeout=ANALYSIS_MS)
    page.wait_for_function("() => document.querySelector('[data-testid=stVideo]')?.readyState > 1")
    video = page.locator("[data-testid=stVideo]")
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function(
        """() => {
          const video = document.querySelector('[data-testid=stVideo]');
          return video.readyState === 4 && video.currentTime > 0.2;
        }"""
    )
    assert video.get_attribute("aria-label")


def _a_click_in_a_chart_moves_the_player(page) -> None:
    for index in (12, 30, 30):  # a second click on the same point counts as well
        page.locator(".st-key-trajectories .js-plotly-plot").scroll_into_view_if_needed()
        page.mouse.click(*page.evaluate(POINT, index))
        page.wait_for_function(f"index => ({FRAME})() === index", arg=index)
        page.get_by_text(f"in frame {index + 1}").wait_for()
        page.locator("button.forward").click()
        page.get_by_text(f"in frame {index + 2}").wait_for()
    # and back: the line in the chart is at the time of the player
    page.wait_for_function(
        """index => {
          const plot = document.querySelector('.st-key-trajectories .js-plotly-plot');
          const trace = plot._fullData.find(one => one.showlegend);
          const time = Number(plot.querySelector('.gymform-playhead')?.dataset.time);
          return Math.abs(time - trace.x[index]) < 1e-5;
        }""",
        arg=31,
    )


def _a_cue_shows_its_moment(page) -> None:
    button = page.get_by_role("button", name="See ").last
    button.scroll_into_view_if_needed()
    button.click()
    seconds = float(button.inner_text().split()[1])
    page.wait_for_function(f"at => Math.abs(parseFloat({CLOCK}) - at) < 0.07", arg=seconds)
    expect(page.locator(".stage").first).to_be_in_viewport()


def _every_download_opens(page, folder: Path) -> None:
    files = {}
    for label in ("Annotated video", "Keypoints (.npz)", "Trajectories (CSV)", "Everything (JSON)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        files[path.suffix] = path
    assert all(path.name.startswith(Path(CLIP).stem) for path in files.values())
    pose = load_poses(files[".npz"])
    assert probe(files[".mp4"]).frames == len(pose)
    with files[".csv"].open(newline="") as stream:
        rows = [row["keypoint"] for row in csv.DictReader(stream)]
    answer = json.loads(files[".json"].read_text())
    assert rows.count("bar") == (len(pose) if answer["bar"]["found"] else 0)
    assert len(rows) - rows.count("bar") == len(pose) * 17
    assert sum(answer["prediction"]["probabilities"].values()) == pytest.approx(1)


def _a_height_that_cannot_be_takes_the_metres(page) -> None:
    """The bar is looked at again, and the whole page follows."""
    height = page.locator("input[aria-label='Height of the lifter, cm']").last
    height.fill("250")
    height.press("Enter")
    page.get_by_text("250 cm were said").wait_for(timeout=ANALYSIS_MS)
    answered(page)


def _another_person_is_another_analysis(page) -> None:
    """It starts at once; cancelling leads back to the result."""
    page.locator("button.pick").click()
    page.locator(".stage canvas").click()
    page.locator("button.follow").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("The analysis was cancelled.").wait_for()
    answered(page)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "viewport", "scheme"), [("dark", WIDE, "dark"), ("phone", PHONE, "light")]
)
def test_the_same_clip_again_in_other_looks(open_page, shared_data, name, viewport, scheme):
    page = open_page(viewport, scheme)
    photograph(page, f"{name}-empty")
    page.locator("input[type=file]").set_input_files(shared_data / "clips" / CLIP)
    answered(page)
    photograph(page, f"{name}-result")
    width = "e => e.scrollWidth <= e.clientWidth + 1"
    assert page.locator("[data-testid=stMain]").evaluate(width), "the page scrolls sideways"


def test_two_sessions_and_a_bad_file(open_page, tmp_path):
    """An error in one session does not affect the other."""
    bad = tmp_path / "holiday.mp4"
    bad.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 1000)
    first, second = open_page(), open_page()
    first.locator("input[type=file]").set_input_files(bad)
    first.locator("[data-testid=stAlert]").wait_for(timeout=ANALYSIS_MS)
    photograph(first, "error")
    text = first.locator("[data-testid=stAlert]").inner_text()
    assert "/" not in text
    assert "Traceback" not in text
    assert second.locator("[data-testid=stFileUploaderDropzone]").is_visible()
    first.get_by_role("button", name="Another clip").click()
    first.locator("[data-testid=stFileUploaderDropzone]").wait_for()


def test_the_sample_is_a_squat(open_page):
    page = open_page()
    page.get_by_role("button", name="Try the sample").click()
    answered(page)
    photograph(page, "sample")
    assert page.get_by_role("heading", name="Squat, 2 repetitions", exact=True).is_visible()
    assert page.get_by_text("Deep in 1 of 2", exact=False).first.is_visible()
