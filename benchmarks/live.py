"""Frames a second, latency and memory of the live view, in a real browser with a fake camera.

    python benchmarks/live.py [--seconds 300] [--tiny] [--out benchmarks/live.md]

The camera plays the sample clip, in whose black margin every frame shows its number. The browser
reads the number of each new picture of its own camera, and of each that came back: the time between
its capture and its return is the whole latency, from the camera to the screen. The film has the
size and the frame rate that the page asks of a camera. ``--tiny`` puts an untrained ViTPose-Ti in
place of the embedded network, which costs the same as a trained one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import PROJECT, describe, serve, table

SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
WIDTH, HEIGHT, FPS = 640, 360, 30
BITS, BLOCK = 9, 32
"""Bits of a frame's number, top to bottom at the left edge, in blocks of so many px."""

WANTED_FPS, WANTED_P95_MS, WANTED_GROWTH_MB = 10.0, 300.0, 30.0
PATIENCE_MS = 240_000

READ = f"""async seconds => {{
  const frame = [...document.querySelectorAll('iframe')]
    .find(one => one.src.includes('streamlit_webrtc'));
  const shown = frame.contentDocument.querySelector('video');
  const camera = document.createElement('video');
  camera.muted = true;
  camera.srcObject = await navigator.mediaDevices.getUserMedia(
    {{ video: {{ width: {WIDTH}, height: {HEIGHT}, frameRate: {FPS} }} }});
  await camera.play();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [1, {BITS}];
  const pen = canvas.getContext('2d', {{ willReadFrequently: true }});
  const number = (video, mirrored) => {{
    const block = {BLOCK} * video.videoWidth / {WIDTH};
    const x = mirrored ? video.videoWidth - 0.75 * block : 0.25 * block;
    pen.drawImage(video, x, block / 2, block / 2, {BITS} * block, 0, 0, 1, {BITS});
    const pixels = pen.getImageData(0, 0, 1, {BITS}).data;
    let value = 0;
    for (let bit = 0; bit < {BITS}; bit++) if (pixels[4 * bit] > 128) value |= 1 << bit;
    return value;
  }};
  const end = performance.now() + 1000 * seconds;
  const watch = (video, mirrored) => {{
    const seen = [];
    const clock = video.ownerDocument.defaultView.performance;
    const ahead = clock.timeOrigin - performance.timeOrigin;
    const look = (now, picture) => {{
      const moment = mirrored ? picture.expectedDisplayTime : picture.captureTime;
      seen.push([moment + ahead, number(video, mirrored)]);
      if (now + ahead < end) video.requestVideoFrameCallback(look);
    }};
    video.requestVideoFrameCallback(look);
    return seen;
  }};
  const [filmed, answered] = [watch(camera, false), watch(shown, true)];
  await new Promise(done => setTimeout(done, 1000 * seconds));
  for (const track of camera.srcObject.getTracks()) track.stop();
  return [filmed, answered];
}}"""


def main() -> int:
    """Run the app and the browser, measure, write the report; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0, help="how long to watch (300)")
    parser.add_argument("--tiny", action="store_true", help="an untrained ViTPose-Ti")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("live.md"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film, home = Path(folder) / "film.y4m", Path(folder) / "home"
        write_numbered_film(SAMPLE, film)
        environment = {"GYMFORM_HOME": str(home)}
        if options.tiny:
            environment["GYMFORM_WEIGHTS"] = str(tiny_weights(Path(folder) / "weights"))
        with serve(environment) as (address, process):
            stretches, memory = watch(address, film, process.pid, options.seconds)
    result = figures(stretches, memory)
    report = render(result, options.seconds, options.tiny)
    options.out.write_text(report + "\n", encoding="utf-8")
    print(report)
    return 0 if result["good"] else 1


# -- what is filmed --------------------------------------------------------------------------


def write_numbered_film(clip: Path, film: Path) -> None:
    """Write ``clip`` as YUV4MPEG2 with each frame's number in the margin."""
    from gymform.video.read import read_frames

    with film.open("wb") as out, read_frames(clip) as frames:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode())
        for number, frame in enumerate(frames):
            if number >= 1 << BITS:
                raise ValueError(f"more frames than {BITS} bits can number")
            picture = numbered(frame.rgb, number)
            out.write(b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).tobytes())


def numbered(rgb: np.ndarray, number: int) -> np.ndarray:
    """``rgb`` in the middle of a black picture that shows ``number`` at its left edge."""
    share = min(HEIGHT / rgb.shape[0], (WIDTH - 4 * BLOCK) / rgb.shape[1])
    small = cv2.resize(rgb, (round(rgb.shape[1] * share), round(rgb.shape[0] * share)))
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    y, x = (HEIGHT - small.shape[0]) // 2, (WIDTH - small.shape[1]) // 2
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    for bit in range(BITS):
        top = round((bit + 0.5) * BLOCK)
        picture[top : top + BLOCK, :BLOCK] = 255 * (number >> bit & 1)
    return picture


def tiny_weights(folder: Path) -> Path:
    """A weights folder whose only pose model is an untrained ViTPose-Ti."""
    from gymform.pose.checkpoints import save_checkpoint
    from gymform.training.pose.initial_weights import fresh_network
    from gymform.training.pose.train import SIZES
    from gymform.weights import ModelEntry, manifest_entry, set_default, write_entry

    folder.mkdir()
    exercise = manifest_entry(None, "exercise")
    (folder / exercise.file).write_bytes(exercise.path.read_bytes())
    config = SIZES["Ti"]
    path = folder / "untrained-ti.safetensors"
    save_checkpoint(fresh_network(config, seed=0).state_dict(), config, path)
    facts = {"licence": "MIT", "provenance": "untrained", "config": vars(config)}
    entry = ModelEntry.of(path, name="untrained-ti", kind="pose", **facts)
    other = ModelEntry.of(
        folder / exercise.file,
        name=exercise.name,
        kind="exercise",
        licence=exercise.licence,
        provenance=exercise.provenance,
        config=exercise.config,
    )
    for one in (entry, other):
        write_entry(one)
        set_default(one)
    return folder


# -- the app and the browser -----------------------------------------------------------------


Seen = list[tuple[float, int]]
"""When a picture came, ms, and the number in it."""


def watch(
    address: str, film: Path, pid: int, seconds: float
) -> tuple[list[tuple[Seen, Seen]], list[float]]:
    """Pictures filmed and on the screen, stretch by stretch, and the app's memory in MB."""
    from playwright.sync_api import sync_playwright

    from tests.browser.camera import camera_switches
    from tests.conftest import CHROMIUM, CHROMIUM_SWITCHES

    stretches: list[tuple[Seen, Seen]] = []
    memory: list[float] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=[*CHROMIUM_SWITCHES, *camera_switches(film)]
        )
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        page.get_by_role("link", name="Webcam").first.click()
        page.locator("button.open").click()
        page.get_by_text("frames a second").wait_for()
        page.wait_for_timeout(5000)  # the first seconds are those of the start
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.5:
            stretches.append(page.evaluate(READ, min(30.0, left)))
            memory.append(resident_mb(pid))
        chromium.close()
    return stretches, memory


def resident_mb(pid: int) -> float:
    """Resident memory of a process, MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) * 1024 / 1e6


# -- what came of it -------------------------------------------------------------------------


def figures(stretches: list[tuple[Seen, Seen]], memory: list[float]) -> dict[str, Any]:
    """Frames a second on the screen, latencies in ms, memory in MB."""
    latencies = [late for filmed, shown in stretches for late in lateness(filmed, shown)]
    pictures = sum(changes(shown) for _, shown in stretches)
    watched_ms = sum(shown[-1][0] - shown[0][0] for _, shown in stretches if shown)
    quarter = max(1, len(memory) // 4)
    growth = float(np.mean(memory[-quarter:]) - np.mean(memory[:quarter]))
    result = {
        "fps": 1000 * pictures / watched_ms,
        "median_ms": float(np.median(latencies)),
        "p95_ms": float(np.percentile(latencies, 95)),
        "memory_mb": float(np.mean(memory[-quarter:])),
        "growth_mb": growth,
    }
    result["good"] = (
        result["fps"] >= WANTED_FPS
        and result["p95_ms"] <= WANTED_P95_MS
        and growth <= WANTED_GROWTH_MB
    )
    return result


def changes(shown: Seen) -> int:
    """How often the picture was another one."""
    return int((np.diff([number for _, number in shown]) != 0).sum())


def lateness(filmed: Seen, shown: Seen) -> Iterator[float]:
    """ms from each picture's turn before the camera to its own on the screen."""
    moments, numbers = np.array(filmed, dtype=float).T
    for now, number in shown:
        before = moments[(numbers == number) & (moments <= now)]
        if len(before):  # not at the start of a stretch
            yield now - before[-1]


def render(result: dict[str, Any], seconds: float, tiny: bool) -> str:
    """The report."""
    rows = [
        ["New pictures a second on the screen", f"{result['fps']:.1f}", f">= {WANTED_FPS:.0f}"],
        ["Latency, camera to screen, median", f"{result['median_ms']:.0f} ms", ""],
        ["The same, 95th percentile", f"{result['p95_ms']:.0f} ms", f"<= {WANTED_P95_MS:.0f} ms"],
        ["Memory of the app at the end", f"{result['memory_mb']:.0f} MB", ""],
        [
            "Its growth, last quarter over first",
            f"{result['growth_mb']:+.0f} MB",
            f"<= {WANTED_GROWTH_MB:.0f} MB",
        ],
    ]
    network = "an untrained ViTPose-Ti" if tiny else "the embedded network"
    command = f"python benchmarks/live.py --seconds {seconds:g}" + (" --tiny" if tiny else "")
    lines = [
        "# The live view",
        "",
        f"{seconds:.0f} s with {network}, browser and app on the same machine: {describe()}.",
        "",
        table(["", "measured", "wanted"], rows),
        "",
        f"Written by `{command}`.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
