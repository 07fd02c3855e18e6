"""The player shows exactly the frame it names, in a real browser.

The clip's frames carry their own number as black and white blocks, at uneven times; what the
browser paints is read back and compared with what the player says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gymform.video.write import VideoWriter, transcode

pytestmark = pytest.mark.browser

FRAMES, BITS, BLOCK = 60, 6, 32
SIZE = (360, 480)

ROOT = (
    "[...document.querySelectorAll('*')].map(e => e.shadowRoot)"
    ".find(root => root?.querySelector('video'))"
)
READ = f"""() => {{
  const root = {ROOT};
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [{SIZE[0]}, {SIZE[1]}];
  const pen = canvas.getContext('2d', {{ willReadFrequently: true }});
  pen.drawImage(root.querySelector('video'), 0, 0);
  let painted = 0;
  for (let bit = 0; bit < {BITS}; bit++) {{
    const [red] = pen.getImageData((bit + 0.5) * {BLOCK}, {BLOCK} / 2, 1, 1).data;
    if (red > 128) painted |= 1 << bit;
  }}
  return [painted, Number(root.querySelector('.player').dataset.frame)];
}}"""
AT_REST_ON = f"""frame => {{
  const root = {ROOT};
  return root && root.querySelector('.message').hidden && !root.querySelector('video').seeking
    && Number(root.querySelector('.player').dataset.frame) === frame;
}}"""


@pytest.fixture(scope="module", name="address")
def _address(serve, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("clip")
    write_numbered_clip(folder)
    return serve(Path(__file__).parent / "player_app.py", GYMFORM_TEST_CLIP=str(folder))


@pytest.fixture(name="page")
def _page(browser, address):
    page = browser.new_page(viewport={"width": 900, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_function(AT_REST_ON, arg=0)
    yield page
    page.close()
    assert errors == []


def write_numbered_clip(folder: Path) -> None:
    """The player's copy of a clip; frame i shows i in binary, and ``times.txt`` beside it."""
    width, height = SIZE
    gaps = np.random.default_rng(0).choice([1 / 60, 1 / 30, 1 / 24, 0.1], FRAMES - 1)
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    with VideoWriter(folder / "source.mp4", width=width, height=height, fps=30) as writer:
        for number, time_s in enumerate(times):
            frame = np.full((height, width, 3), 120, np.uint8)
            for bit in range(BITS):
                frame[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
            writer.write(frame, float(time_s))
    transcode(folder / "source.mp4", folder / "clip.mp4")
    (folder / "times.txt").write_text(" ".join(f"{time_s:.6f}" for time_s in times))


def test_every_step_shows_its_frame(page):
    for frame in range(1, FRAMES):
        page.locator("button.forward").click()
        page.wait_for_function(AT_REST_ON, arg=frame)
        assert page.evaluate(READ) == [frame, frame]


def test_jumps_in_both_directions_show_their_frame(page):
    scrubber = page.locator("input.scrubber")
    for frame in (59, 3, 31, 30, 58, 0, 12):
        scrubber.fill(str(frame))
        page.wait_for_function(AT_REST_ON, arg=frame)
        assert page.evaluate(READ) == [frame, frame]


def test_keys(page):
    page.locator("section.player").focus()
    for key, frame in (("End", FRAMES - 1), ("ArrowLeft", FRAMES - 2), ("Home", 0)):
        page.keyboard.press(key)
        page.wait_for_function(AT_REST_ON, arg=frame)
    page.keyboard.press(" ")
    page.wait_for_function(f"() => !{ROOT}.querySelector('video').paused")
    page.keyboard.press(" ")
    page.wait_for_function(f"() => {ROOT}.querySelector('video').paused")


def test_playing_moves_on_and_the_page_learns_where_it_came_to_rest(page):
    page.locator("select.speed").select_option("0.25")
    page.locator("button.play").click()
    page.wait_for_function(f"() => Number({ROOT}.querySelector('.player').dataset.frame) >= 5")
    page.locator("button.play").click()
    page.wait_for_function(f"() => {ROOT}.querySelector('video').paused")
    page.get_by_text("Page knows frame").wait_for()
    painted, named = page.evaluate(READ)
    assert painted == named
    page.get_by_text(f"Page knows frame {named}", exact=True).wait_for()


def test_a_line_runs_over_the_chart(page):
    """It is at the time of the player's frame on the chart's axis."""
    page.locator(".st-key-trajectories .js-plotly-plot").wait_for()
    page.locator("input.scrubber").fill("30")
    page.wait_for_function(AT_REST_ON, arg=30)
    page.locator("input.scrubber").fill("40")
    offset = page.wait_for_function(
        """() => {
          const plot = document.querySelector('.st-key-trajectories .js-plotly-plot');
          const line = plot.querySelector('.gymform-playhead');
          if (!line) return null;
          const { xaxis, _size } = plot._fullLayout;
          return [Number(line.dataset.time), parseFloat(line.style.left)
            - _size.l - xaxis.l2p(Number(line.dataset.time))];
        }"""
    ).json_value()
    assert offset[0] > 0
    assert offset[1] == pytest.approx(0, abs=1)


def test_the_page_moves_the_player(page):
    page.get_by_label("Go to frame").fill("42")
    page.keyboard.press("Enter")
    page.wait_for_function(AT_REST_ON, arg=42)
    assert page.evaluate(READ) == [42, 42]


def test_layers_can_be_switched(page):
    inked = f"""() => {{
      const canvas = {ROOT}.querySelector('canvas');
      const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }}"""
    everything = page.evaluate(inked)
    page.locator("button.toggle[data-layer=bar]").click()
    both = page.evaluate(inked)
    assert everything > both
    page.locator("button.toggle[data-layer=box]").click()
    skeleton = page.evaluate(inked)
    page.locator("button.toggle[data-layer=clean]").click()
    assert both > skeleton > page.evaluate(inked) == 0


@pytest.mark.parametrize("drag", [(0, 0), (100, 150)])
def test_another_person_by_click_or_box(page, drag):
    page.locator("button.pick").click()
    follow = page.locator("button.follow")
    assert follow.is_disabled()
    area = page.locator("canvas").bounding_box()
    scale = area["width"] / SIZE[0]
    page.mouse.move(area["x"] + 60, area["y"] + 90)
    page.mouse.down()
    page.mouse.move(area["x"] + 60 + drag[0], area["y"] + 90 + drag[1], steps=3)
    page.mouse.up()
    follow.click()
    page.get_by_text("Picked").wait_for()
    page.locator("code").wait_for()
    picked = page.evaluate("() => JSON.parse(document.querySelector('code').innerText)")
    corner = [60 / scale - 0.5, 90 / scale - 0.5]
    if drag == (0, 0):
        assert picked["point"] == pytest.approx(corner, abs=1.5)
    else:
        size = [length / scale for length in drag]
        assert picked["box"] == pytest.approx(corner + size, abs=1.5)
    assert picked["time_s"] == 0


def test_a_plate_is_marked_from_its_centre_to_its_rim(page):
    page.locator("button.mark").click()
    follow = page.locator("button.follow")
    area = page.locator("canvas").bounding_box()
    scale = area["width"] / SIZE[0]
    page.mouse.click(area["x"] + 60, area["y"] + 90)
    assert follow.is_disabled()  # a click has no rim
    page.mouse.move(area["x"] + 60, area["y"] + 90)
    page.mouse.down()
    page.mouse.move(area["x"] + 90, area["y"] + 130, steps=3)
    page.mouse.up()
    follow.click()
    page.get_by_text("Picked").wait_for()
    page.locator("code").wait_for()
    picked = page.evaluate("() => JSON.parse(document.querySelector('code').innerText)")
    expected = [60 / scale - 0.5, 90 / scale - 0.5, 50 / scale]
    assert picked["plate"] == pytest.approx(expected, abs=1.5)
    assert picked["point"] is picked["box"] is None
