"""Fixtures shared by all tests."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# which engine is fastest is measured where that is tested only
os.environ.setdefault("GYMFORM_POSE_ENGINE", "torch")

settings.register_profile("gymform", deadline=None)  # how fast it is, benchmarks say
settings.load_profile("gymform")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("GYMFORM_SHARED", PROJECT.parent / "shared" / "data"))
    if not (folder / "clips" / "index.csv").is_file():
        pytest.skip(f"needs the development data (clips, tracks, poses): no {folder.name}/clips")
    return folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """No test uses the user's own results or fetched weights."""
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _devices_stay():
    """No test deletes a device, which it may as root: a library once deleted /dev/null to log into
    it, and processes that began later read what others had written there."""
    before = stat.S_IFMT(os.stat(os.devnull).st_mode)
    yield
    assert stat.S_IFMT(os.stat(os.devnull).st_mode) == before, f"{os.devnull} was replaced"


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; one for all tests, since Playwright starts only once in a process."""
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def painted_clip(tmp_path_factory) -> Path:
    """Two seconds in which a painted person moves down: 24 frames of 320 x 240 px."""
    from gymform.video.write import VideoWriter
    from tests.pose.painted import paint, person_at

    path = tmp_path_factory.mktemp("painted") / "clip.mp4"
    with VideoWriter(path, width=320, height=240, fps=12, crf=4) as writer:
        for frame in range(24):
            writer.write(paint((320, 240), person_at(160, 20 + frame, 180)), frame / 12)
    return path


@pytest.fixture
def _sees_painted_people(monkeypatch):
    """Analyses use a network that sees painted people, and nothing else."""
    from gymform.pose import networks
    from tests.pose.painted import dots

    monkeypatch.setattr(networks, "loaded", dots)


@pytest.fixture(scope="session")
def painted_answer(painted_clip):
    """The analysis of the painted clip."""
    from gymform import analysis
    from gymform.pose import networks
    from tests.pose.painted import dots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "loaded", dots)
        return analysis.analyze(painted_clip, name="my clip.mp4")
