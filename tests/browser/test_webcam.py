"""The page Webcam in a real browser, whose camera plays a real clip.

Screenshots go to ``out/screenshots``. The network is the real one, so a slow machine takes minutes.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as WaitedTooLong
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from gymform.limits import MAX_RECORDING_S
from gymform.video.read import probe
from tests.browser.camera import ALLOW, FAKE, SIZE, camera_switches, write_film
from tests.conftest import CHROMIUM, CHROMIUM_SWITCHES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "out" / "screenshots"
CLIP = "squat/momokaP_2DPoseToAR__Squat.mp4"
SQUAT_S = 5.0
LIFTER = (0.52, 0.74)
"""Where the lifter of that clip is in the mirrored picture, as shares of its width (by eye)."""

PATIENCE_MS = 240_000
STREAM_THREADS = ("async_media_processor", "process_offer", "decoder_worker", "ShutdownPolling")

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WORKS = "[data-testid=stMain] >> text=/frames a second/"
STATE = """() => [...document.querySelectorAll('*')]
  .map(e => e.shadowRoot?.querySelector('.recorder')).find(Boolean)?.dataset.state"""
IS = f"state => ({STATE})() === state"
ORANGE = """() => {
  const video = document.querySelector('video');
  const canvas = document.createElement('canvas');
  const [width, height] = [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  let [count, sum] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] > 190 && data[i + 1] > 110 && data[i + 1] < 190 && data[i + 2] < 80) {
      count++;
      sum += (i / 4) % width;
    }
  }
  return [count, count ? sum / count / width : 0, width, height];
}"""
"""Pixels in the colour of the skeleton's left side, and where their middle is."""


@pytest.fixture(scope="module", name="film")
def _film(shared_data, tmp_path_factory) -> Path:
    film = tmp_path_factory.mktemp("film") / "squat.y4m"
    write_film(shared_data / "clips" / CLIP, film, seconds=SQUAT_S)
    return film


@pytest.fixture(scope="module", name="server")
def _server(serve, tmp_path_factory) -> tuple[str, Path]:
    """(address, the app's home); the file ``threads`` in there lists the app's threads."""
    home = tmp_path_factory.mktemp("home")
    spy = Path(__file__).with_name("spy")
    address = serve(
        PROJECT / "serve.py",
        GYMFORM_HOME=str(home),
        GYMFORM_TEST_THREADS=str(home / "threads"),
        PYTHONPATH=f"{spy}:{PROJECT}",
    )
    return address, home


@pytest.fixture(name="launch")
def _launch(browser):
    """Starts another Chromium with more switches."""
    started = []

    def launch(*switches: str):
        chromium = browser.browser_type.launch(
            executable_path=str(CHROMIUM), args=[*CHROMIUM_SWITCHES, *switches]
        )
        started.append(chromium)
        return chromium

    yield launch
    for chromium in started:
        chromium.close()


def visit(chromium, server, viewport=WIDE):
    """The page Webcam in a session of its own."""
    context = chromium.new_context(viewport=viewport)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(server[0])
    page.locator("[data-testid=stFileUploaderDropzone]").wait_for()
    page.goto(f"{server[0]}/webcam")
    page.locator("button.open").wait_for()
    return page


def photograph(page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"webcam-{name}.png")


def go_live(page) -> None:
    page.locator("button.open").click()
    page.locator(WORKS).wait_for()


def button(page, name: str):
    return page.get_by_role("button", name=name)


def reach(page, state: str, patience_ms: float = PATIENCE_MS) -> None:
    """Wait for the recorder to be in a state; fail with what it shows instead."""
    try:
        page.wait_for_function(IS, arg=state, timeout=patience_ms)
    except WaitedTooLong as error:
        photograph(page, f"never-{state}")
        words = page.locator("[data-testid=stMain]").inner_text()
        pytest.fail(f"The recorder is {page.evaluate(STATE)!r}, not {state!r}; {words!r}. {error}")


def skeleton(page) -> list[float]:
    """[orange pixels, their middle as a share of the width, width, height] of the live picture."""
    frame = next(frame for frame in page.frames if "streamlit_webrtc" in frame.url)
    found = [0.0]
    for _ in range(60):
        found = frame.evaluate(ORANGE)
        if found[0] > 200:
            break
        page.wait_for_timeout(500)
    return found


def stream_threads(home: Path) -> list[str]:
    names = (home / "threads").read_text().splitlines()
    return [name for name in names if any(part in name for part in STREAM_THREADS)]


def gone_within(home: Path, page, seconds: float) -> float | None:
    """Seconds until no thread of a stream was left, None when some outlive ``seconds``."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if not stream_threads(home):
            return time.monotonic() - start
        page.wait_for_timeout(200)
    return None


@pytest.mark.shared
def test_live_leaving_coming_back_and_closing(launch, film, server):
    chromium = launch(*camera_switches(film))
    page = visit(chromium, server)
    photograph(page, "off")
    go_live(page)
    count, middle, width, height = skeleton(page)
    assert count > 200
    assert LIFTER[0] < middle < LIFTER[1]
    assert width / height == pytest.approx(SIZE[0] / SIZE[1], rel=0.02)
    page.get_by_text("Provisional").wait_for()
    photograph(page, "live")

    page.get_by_role("link", name="Analyze").first.click()
    page.locator("[data-testid=stFileUploaderDropzone]").wait_for()
    assert gone_within(server[1], page, 10.0) is not None, stream_threads(server[1])
    page.get_by_role("link", name="Webcam").first.click()
    page.locator(WORKS).wait_for()
    assert skeleton(page)[0] > 200

    waiting = chromium.new_page()
    page.close()
    assert gone_within(server[1], waiting, 5.0) is not None, stream_threads(server[1])


@pytest.mark.shared
def test_three_recordings_in_a_row_and_the_answer_is_right(launch, film, server):
    page = visit(launch(*camera_switches(film)), server)
    page.locator("button.open").click()
    button(page, "Record a repetition").click()
    for number in range(3):
        seconds = record_timed(page, SQUAT_S if number == 0 else 2.0)
        if number == 0:
            photograph(page, "review")
        page.locator("button.send").click()
        button(page, "Record another").wait_for()
        clip = probe(newest(server[1] / "uploads"))
        assert min(clip.width, clip.height) >= SIZE[1]
        assert max(clip.width, clip.height) >= SIZE[0]
        assert abs(clip.duration_s - seconds) < 0.05 * seconds + 2 / clip.fps
        if number == 0:
            page.get_by_text("Downloads", exact=True).wait_for(timeout=900_000)
            photograph(page, "answer")
            assert page.get_by_role("heading", name="Squat, 1 repetition", exact=True).is_visible()
        button(page, "Record another").click()
    reach(page, "ready")


def record_timed(page, seconds: float) -> float:
    """Record with a countdown and stop after about ``seconds``; how long it was, by the browser."""
    reach(page, "ready")
    page.locator("button.timed").click()
    reach(page, "countdown")
    reach(page, "recording")
    page.wait_for_timeout(1000 * seconds)
    page.locator("button.stop").click()
    reach(page, "review")
    return float(page.locator("section.recorder").get_attribute("data-seconds"))


def newest(folder: Path) -> Path:
    return max(folder.glob("*/*"), key=lambda path: path.stat().st_mtime)


@pytest.mark.shared
def test_hands_free_starts_stops_and_cuts_by_itself(launch, shared_data, tmp_path, server):
    film = tmp_path / "still.y4m"
    write_film(shared_data / "clips" / CLIP, film, seconds=3.0, still_s=(4.0, 4.0), fps=15)
    page = visit(launch(*camera_switches(film)), server, PHONE)
    photograph(page, "phone-off")
    page.locator("button.open").click()
    button(page, "Record a repetition").click()
    reach(page, "ready")
    photograph(page, "phone-ready")
    page.locator("button.free").click()
    reach(page, "countdown")
    photograph(page, "phone-countdown")
    reach(page, "recording")
    reach(page, "review", 60_000)
    whole = float(page.locator("section.recorder").get_attribute("data-seconds"))
    assert whole < MAX_RECORDING_S - 1
    page.locator("button.send").click()
    button(page, "Record another").wait_for()
    clip = newest(server[1] / "uploads")
    assert clip.name == "repetition.mp4"
    assert 2.0 < probe(clip).duration_s < min(6.0, whole - 0.5)


@pytest.mark.shared
def test_no_press_is_lost_between_the_live_view_and_the_recorder(launch, film, server):
    page = visit(launch(*camera_switches(film)), server, PHONE)
    messages = messages_to(page)
    page.locator("button.open").click()
    record = button(page, "Record a repetition")
    record.wait_for()
    place = record.bounding_box()
    page.locator(WORKS).wait_for()
    assert record.bounding_box() == place
    for delay_ms in range(0, 600, 50):  # most of all while the stream begins
        page.wait_for_timeout(delay_ms)
        record.click()
        reach(page, "ready", 60_000)
        button(page, "Back to the live view").click()
        record.wait_for()
    assert "delta" in messages
    assert "ref_hash" not in messages  # what the browser may just have forgotten


def messages_to(page) -> list[str]:
    """The kinds of what Streamlit sends to the page from now on; the page is loaded again."""
    kinds: list[str] = []

    def note(frame: str | bytes) -> None:
        kinds.append(ForwardMsg.FromString(frame).WhichOneof("type"))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    page.reload()
    return kinds


@pytest.mark.shared
def test_two_sessions_at_once(launch, film, server):
    chromium = launch(*camera_switches(film))
    pages = [visit(chromium, server, size) for size in (WIDE, PHONE)]
    for page in pages:
        go_live(page)
    for page in pages:
        count, middle, *_ = skeleton(page)
        assert count > 200
        assert LIFTER[0] < middle < LIFTER[1]
    photograph(pages[1], "phone-live")


NEVER_PLAYS = "void (HTMLMediaElement.prototype.play = () => new Promise(() => {}))"
INSECURE = "Object.defineProperty(window, 'isSecureContext', { value: false })"


@pytest.mark.parametrize(
    ("switches", "script", "words", "name"),
    [
        ([FAKE], "", "The camera is blocked", "denied"),
        ([], "", "No camera was found", "missing"),
        ([FAKE], INSECURE, "https://", "insecure"),
    ],
)
def test_without_a_camera_there_is_advice_and_a_way_on(
    launch, server, switches, script, words, name
):
    page = visit(launch(*switches), server)
    page.evaluate(script or "0")
    page.locator("button.open").click()
    problem = page.locator(".problem")
    problem.wait_for()
    assert words in problem.inner_text()
    assert "Analyze" in problem.inner_text()
    assert page.locator("button.open").inner_text() == "Try again"
    photograph(page, name)


def test_a_preview_that_never_begins_to_play_holds_nobody_up(launch, server):
    page = visit(launch(FAKE, ALLOW), server)
    page.evaluate(NEVER_PLAYS)
    page.locator("button.open").click()
    button(page, "Record a repetition").click()
    reach(page, "ready")
