"""The main pages in other engines than Chromium: WebKit, which iPhones have, by WebDriver.

Firefox needs Mozilla's geckodriver, which Debian 12 does not have: its test runs where somebody has
installed it. None of the engines has a fake camera, so recording is tested in Chromium alone.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PATIENCE_S = 120.0
"""WebKit without a graphics card takes its time to load the pages' scripts."""

PLAYER = """
  const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot)
    .find(root => root?.querySelector('.player'));
  if (!root) return null;
  const video = root.querySelector('video'), message = root.querySelector('.message');
  return {
    ready: video.readyState, error: video.error?.code ?? 0,
    frame: root.querySelector('.player').dataset.frame,
    message: message.hidden ? '' : message.textContent,
  };
"""

CANNOT_DECODE = 4
"""MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED."""


@pytest.fixture(scope="module", params=["WebKit", "Firefox"], name="driver")
def _driver(request) -> Iterator[Any]:
    """A browser of each engine, with a screen of its own."""
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


def _firefox(webdriver: Any) -> Any:
    program, browser = shutil.which("geckodriver"), shutil.which("firefox-esr")
    if program is None or browser is None:
        pytest.skip("Firefox or its geckodriver is not installed (Debian 12 has no geckodriver)")
    options = webdriver.FirefoxOptions()
    options.binary_location = browser
    options.add_argument("-headless")
    return webdriver.Firefox(options=options, service=webdriver.FirefoxService(program))


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


def test_the_history_lists_and_filters(driver, server, addresses):
    driver.get(f"{server.address}/history")
    until(driver, shows("2 results"))
    press(driver, "Favourite")
    until(driver, "return !!document.querySelector('[data-testid=stBaseButton-primary]')")


def test_two_repetitions_stand_side_by_side(driver, server, addresses):
    driver.get(f"{server.address}/compare?first={addresses[0]}&second={addresses[1]}")
    until(
        driver,
        """const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot)
          .find(root => root?.querySelector('.duo'));
        return root?.querySelectorAll('canvas').length === 2""",
    )
