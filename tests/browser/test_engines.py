"""The main flows in other engines than Chromium: WebKit, which iPhones have, and Firefox.

WebKit is driven by its WebDriver; Firefox by Marionette, its own protocol, because Debian 12 has no
geckodriver. Neither shows a lifter to the page as Chromium's fake camera does: Firefox records the
coloured picture of its fake camera, WebKit has none.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gymform.dataset.items import ACCEPTED, Filter
from gymform.dataset.reviews import ReviewStore
from gymform.video.read import probe
from tests.browser.conftest import ROOT_WITH
from tests.dataset.makers import make_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PATIENCE_S = 120.0
"""WebKit without a graphics card takes its time to load the pages' scripts."""

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"

PLAYER = (
    f"const root = {ROOT_WITH.format('.player')};"
    + """
  if (!root) return null;
  const video = root.querySelector('video'), message = root.querySelector('.message');
  return {
    ready: video.readyState, error: video.error?.code ?? 0,
    frame: root.querySelector('.player').dataset.frame,
    message: message.hidden ? '' : message.textContent,
  };
"""
)

CLICK_AT = """
  const plot = document.querySelector('.st-key-trajectories .js-plotly-plot');
  const trace = plot?._fullData?.find(one => one.showlegend);
  const layer = plot?.querySelector('.nsewdrag');
  if (!trace || !layer) return false;
  plot.scrollIntoView();
  const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
  const at = { bubbles: true, buttons: 1, view: window,
    clientX: box.left + xaxis._offset + xaxis.d2p(trace.x[12]),
    clientY: box.top + yaxis._offset + yaxis.d2p(trace.y[12]) };
  for (const kind of ['mousemove', 'mousedown', 'mouseup', 'click']) {
    layer.dispatchEvent(new MouseEvent(kind, at));
  }
  return true;
"""

RECORDER = f"({ROOT_WITH.format('.recorder')})?.querySelector('.recorder').dataset.state"

CANNOT_DECODE = 4
"""MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED."""


@pytest.fixture(scope="module", params=["WebKit", "Firefox"], name="driver")
def _driver(request) -> Iterator[Any]:
    """A browser of each engine, with a screen of its own.

    Only when asked for: in a whole run WebKit's driver once never answered, and one of eighteen
    tests in Firefox failed once.
    """
    if "GYMFORM_TEST_ENGINES" not in os.environ:
        pytest.skip("other engines than Chromium are tried with GYMFORM_TEST_ENGINES=1")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    make = {"WebKit": _webkit, "Firefox": _firefox}[request.param]
    with _screen():
        driver = make(webdriver)
        driver.set_window_size(1280, 950)
        yield driver
        driver.quit()


def _webkit(webdriver: Any) -> Any:
    program = shutil.which("WebKitWebDriver")
    browsers = glob.glob("/usr/lib/*/webkit2gtk-4*/MiniBrowser")
    if program is None or not browsers:
        pytest.skip("WebKit is not installed (Debian: webkit2gtk-driver, gstreamer1.0-libav)")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = browsers[-1]
    options.add_argument("--automation")
    return webdriver.WebKitGTK(options=options, service=webdriver.WebKitGTKService(program))


class Firefox:
    """Firefox by Marionette, with what the tests use of a WebDriver, and a camera that is asked
    for nothing."""

    def __init__(self, marionette: Any, program: str) -> None:
        camera = {
            "media.navigator.streams.fake": True,
            "media.navigator.permission.disabled": True,
            "media.autoplay.default": 0,
        }
        self._folder = tempfile.TemporaryDirectory()
        # a file of its own: an existing one is deleted first, and for root that may be a device
        log = Path(self._folder.name) / "gecko.log"
        self._firefox = marionette.Marionette(
            bin=program, headless=True, prefs=camera, startup_timeout=120, gecko_log=str(log)
        )
        self._firefox.start_session()
        self.find_element = self._firefox.find_element
        self.get = self._firefox.navigate

    def execute_script(self, script: str) -> Any:
        """What ``script`` returns in the page."""
        return self._firefox.execute_script(script, sandbox=None)

    def set_window_size(self, width: int, height: int) -> None:
        """In CSS px."""
        self._firefox.set_window_rect(width=width, height=height)

    def quit(self) -> None:
        """End it and delete its profile."""
        self._firefox.quit(in_app=False)
        del self._firefox, self.find_element, self.get  # its profile is deleted with it
        self._folder.cleanup()


def _firefox(_: Any) -> Firefox:
    marionette = pytest.importorskip(
        "marionette_driver.marionette", reason="marionette-driver is not installed"
    )
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("Firefox is not installed (Debian: firefox-esr)")
    return Firefox(marionette, program)


@contextlib.contextmanager
def _screen() -> Iterator[None]:
    """A screen without a monitor, where there is none."""
    if os.environ.get("DISPLAY"):
        yield
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb, a screen without a monitor, is not installed")
    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    changed = {
        "DISPLAY": f":{os.read(read, 16).decode().strip()}",
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # it refuses to run as root otherwise
        "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
    }
    os.environ.update(changed)
    try:
        yield
    finally:
        for name in changed:
            os.environ.pop(name, None)
        os.close(read)
        screen.terminate()
        screen.wait(timeout=20)


def until(driver: Any, script: str) -> Any:
    """What ``script`` returns once it is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := driver.execute_script(script)):
        assert time.monotonic() < deadline, driver.execute_script("return document.body.innerText")
        time.sleep(0.3)
    return found


def shows(words: str) -> str:
    return f"return document.body.innerText.includes({words!r})"


def press(driver: Any, words: str) -> None:
    until(
        driver,
        f"""const one = [...document.querySelectorAll('button')]
          .find(one => one.innerText.includes({words!r})); one?.click(); return !!one""",
    )


def press_inside(driver: Any, selector: str) -> None:
    """Press what ``selector`` finds in the part of the page that has it."""
    until(
        driver,
        f"const one = ({ROOT_WITH.format(selector)})?.querySelector('{selector}');"
        "one?.click(); return !!one",
    )


def test_a_result_plays_and_a_remark_leads_to_its_moment(driver, server, addresses):
    driver.get(f"{server.address}/?result={addresses[0]}")
    until(driver, shows("Squat, 1 repetition"))
    until(driver, f"const one = (() => {{ {PLAYER} }})(); return one?.ready > 1 || one?.error")
    found = driver.execute_script(PLAYER)
    if found["error"] == CANNOT_DECODE:
        assert "cannot play the clip" in found["message"]
        pytest.skip("this engine has no decoder for H.264 (Debian: gstreamer1.0-libav)")
    assert found["message"] == ""
    press(driver, "See ")
    until(driver, f"const one = (() => {{ {PLAYER} }})(); return Number(one?.frame) > 0")
    until(driver, CLICK_AT)
    until(driver, f"const one = (() => {{ {PLAYER} }})(); return Number(one?.frame) === 12")


def test_the_history_lists_and_filters(driver, server, addresses):
    driver.get(f"{server.address}/history")
    until(driver, shows("2 results"))
    press(driver, "Favourite")
    until(driver, "return !!document.querySelector('[data-testid=stBaseButton-primary]')")


def test_two_repetitions_stand_side_by_side(driver, server, addresses):
    driver.get(f"{server.address}/compare?first={addresses[0]}&second={addresses[1]}")
    until(
        driver,
        f"return ({ROOT_WITH.format('.duo')})?.querySelectorAll('canvas').length === 2",
    )


def test_an_uploaded_clip_is_analysed(driver, server):
    driver.get(server.address)
    until(driver, "return !!document.querySelector('input[type=file]')")
    driver.find_element("css selector", "input[type=file]").send_keys(str(SAMPLE))
    until(driver, shows("Squat, 2 repetitions"))


def test_a_key_accepts_a_repetition(driver, server, request):
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    folder = make_store(server.home / "datasets" / name, 3)
    driver.execute_script("document.cookie = 'gymform_reviewer=Anna; path=/'")
    driver.get(f"{server.address}/review?dataset={name}")
    until(driver, f"return !!({ROOT_WITH.format('.reviewer')})?.querySelector('[data-shown]')")
    driver.find_element("css selector", "body").send_keys("a")
    with ReviewStore.open(folder) as store:
        deadline = time.monotonic() + PATIENCE_S
        while not store.judged(Filter(verdicts=(ACCEPTED,))):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_the_camera_is_recorded(driver, server):
    if not isinstance(driver, Firefox):
        pytest.skip("WebKit's MiniBrowser has no fake camera")
    driver.get(f"{server.address}/webcam")
    press_inside(driver, "button.open")
    press(driver, "Record a repetition")
    until(driver, f"return {RECORDER} === 'ready'")
    press_inside(driver, "button.timed")
    until(driver, f"return {RECORDER} === 'recording'")
    time.sleep(2)  # so long the recording shall be
    press_inside(driver, "button.stop")
    until(driver, f"return {RECORDER} === 'review'")
    press_inside(driver, "button.send")
    until(driver, shows("Record another"))
    newest = max((server.home / "uploads").glob("*/*"), key=lambda path: path.stat().st_mtime)
    assert probe(newest).duration_s > 1
