"""gymform as a package: what the wheel holds, and that it works from another folder.

The wheel is built and installed as users do it, without its dependencies, which are here already.
It runs in a folder with traps: files named like modules, another ``pages``, and Streamlit options
that contradict ours.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gymform
from gymform import weights

PROJECT = Path(__file__).resolve().parents[1]
MAX_WHEEL_BYTES = 80_000_000

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
STREAMLIT = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

SUFFIXES = {".py", ".css", ".js", ".html", ".svg", ".toml", ".json", ".md", ".safetensors",
            ".mp4", ".csv"}  # fmt: skip
"""The files that gymform consists of."""

Run = Callable[..., subprocess.CompletedProcess[str]]


# ---- what is required ----------------------------------------------------------------------


def requirements(name: str) -> set[str]:
    """The lines of a requirements file, without comments and the files that it includes."""
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r "))}


@pytest.mark.parametrize(
    ("file", "stated"),
    [
        ("requirements.txt", PYPROJECT["project"]["dependencies"]),
        *(
            (f"requirements-{extra}.txt", stated)
            for extra, stated in PYPROJECT["project"]["optional-dependencies"].items()
        ),
    ],
)
def test_requirements_files_and_pyproject_say_the_same(file, stated):
    assert sorted(requirements(file)) == sorted(stated)


def test_each_requirements_file_has_its_extra():
    files = {path.stem for path in PROJECT.glob("requirements-*.txt")}
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert files == {f"requirements-{extra}" for extra in extras} != set()


def test_the_builder_is_at_hand_for_the_tests():
    assert set(PYPROJECT["build-system"]["requires"]) <= requirements("requirements-dev.txt")


# ---- what is packed ------------------------------------------------------------------------


def python(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """The output of ``python ARGUMENTS``; fails with its error text."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, as ``pip wheel .`` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", folder]
    python("-m", "pip", "wheel", *options, PROJECT)
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def packed(wheel) -> dict[str, int]:
    """The size of each file in the wheel, bytes."""
    with zipfile.ZipFile(wheel) as archive:
        return {member.filename: member.file_size for member in archive.infolist()}


def sources(*folders: str) -> set[str]:
    """Files in folders of the checkout, from its root."""
    paths = (path for folder in folders for path in (PROJECT / folder).rglob("*"))
    return {
        path.relative_to(PROJECT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def place(source: str) -> str:
    """The path in the wheel of a file of the checkout."""
    if source.startswith("gymform/"):
        return source
    folder, _, rest = source.partition("/")
    return f"gymform/_weights/{rest}" if folder == "weights" else f"gymform/_app/{source}"


PACKED = {"app.py", "serve.py", ".streamlit/config.toml", *sources("gymform", "pages", "weights")}


def test_the_wheel_holds_package_app_and_weights_and_nothing_else(packed):
    own = {
        name for name in packed if not name.startswith(f"gymform-{gymform.__version__}.dist-info/")
    }
    assert own == {place(source) for source in PACKED}
    assert {Path(name).suffix for name in own} <= SUFFIXES


def test_the_wheel_holds_the_sample_and_the_networks_in_use(packed):
    assert packed["gymform/assets/sample_squat.mp4"] > 100_000
    models = {
        f"gymform/_weights/{entry.file}": entry.bytes for entry in weights.read_manifest().models
    }
    assert len(models) == 3
    assert {name: packed[name] for name in packed if name.endswith(".safetensors")} == models


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < MAX_WHEEL_BYTES


def test_a_source_distribution_holds_what_the_wheel_is_built_from(tmp_path):
    python("-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=PROJECT)
    (archive,) = tmp_path.iterdir()
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert names >= PACKED | {"pyproject.toml", "README.md", "LICENSE"}
    assert not any(name.startswith(("tests/", "benchmarks/", "scripts/")) for name in names)


# ---- what is installed ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def target(wheel, tmp_path_factory) -> Path:
    """A folder into which pip has put the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    python("-m", "pip", "install", "--no-deps", "--no-cache-dir", "--target", folder, wheel)
    return folder


TRAPS = ("gymform.py", "app.py", "random.py", "numpy.py", "streamlit.py", "pages/__init__.py")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """A folder in which nothing may be imported, with other options of Streamlit's."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for trap in TRAPS:
        (folder / trap).parent.mkdir(exist_ok=True)
        (folder / trap).write_text(f'raise SystemExit("{trap} was imported")\n')
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(
        "[server]\nmaxUploadSize = 7\n[global]\nminCachedMessageSize = 5\n"
        '[client]\ntoolbarMode = "developer"\n[browser]\ngatherUsageStats = true\n'
    )
    return folder


@pytest.fixture(scope="module")
def environment(target, tmp_path_factory) -> dict[str, str]:
    """An environment in which the installed copy is found, and no checkout."""
    home = str(tmp_path_factory.mktemp("home"))
    own = {"PYTHONPATH": str(target), "GYMFORM_HOME": home, "HOME": home, "OMP_NUM_THREADS": "1"}
    others = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    return others | own


@pytest.fixture(scope="module")
def run(target, elsewhere, environment) -> Run:
    """Run the command ``gymform`` from another folder."""

    def start(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [target / "bin" / "gymform", *arguments], cwd=elsewhere, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return start


def test_the_package_imports_from_another_folder(target, elsewhere, environment):
    program = "import gymform; print(gymform.__file__, gymform.__version__)"
    done = python("-P", "-c", program, cwd=elsewhere, env=environment)
    assert done.stdout.split() == [str(target / "gymform" / "__init__.py"), gymform.__version__]


@pytest.mark.parametrize("arguments", [["--help"], ["analyze", "--help"], ["import", "--help"]])
def test_help_names_the_command(run, arguments):
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(" ".join(["usage: gymform", *arguments[:-1]]))
    assert "python -m" not in done.stdout


def test_the_version_is_the_package_s(run):
    assert run("--version").stdout == f"gymform {gymform.__version__}\n"


def test_the_weights_are_found_and_whole(run):
    done = run("weights", "verify")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all(line.endswith(": as the manifest says") for line in lines)
    assert "embedded" in run("weights", "list").stdout


def test_a_clip_is_analysed(run, target, elsewhere):
    clip = target / "gymform" / "assets" / "sample_squat.mp4"
    quick = ["--max-fps", "5", "--pose-model", "vitpose-ti", "--json"]
    done = run("analyze", clip, *quick)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["prediction"]["label"] == "squat"
    names = {path.name for path in (elsewhere / "out").iterdir()}
    assert names == {f"sample_squat.{end}" for end in ("csv", "json", "npz", "annotated.mp4")}


def test_the_process_that_analyses_for_the_pages_starts(elsewhere, environment):
    """It ends when its input does, which is at once here."""
    program = (
        "import subprocess, sys\n"
        "from gymform.installation import child_environment\n"
        "command = [sys.executable, '-m', 'gymform.service.analysis_worker']\n"
        "sys.exit(subprocess.run(command, input=b'', env=child_environment()).returncode)"
    )
    assert python("-P", "-c", program, cwd=elsewhere, env=environment).stderr == ""


# ---- the pages -----------------------------------------------------------------------------

PROBE = """
import json, sys
from streamlit import config
from streamlit.web import bootstrap, cli

def run(*arguments, **options):
    print(json.dumps({name: config.get_option(name) for name in sys.argv[1].split(",")}))

bootstrap.run = bootstrap.run_asgi_app = run
cli.main(sys.argv[2:], standalone_mode=False)
"""
"""Says which values options have once ``streamlit ARGUMENTS`` would serve."""


def options_of(table: dict, section: str = "") -> dict[str, object]:
    """All options of a TOML file by their whole name: ``server.maxUploadSize``."""
    found: dict[str, object] = {}
    for name, value in table.items():
        whole = f"{section}.{name}" if section else name
        found |= options_of(value, whole) if isinstance(value, dict) else {whole: value}
    return found


@pytest.fixture(scope="module")
def streamlit_arguments(target, elsewhere, environment) -> list[str]:
    """What the command hands to Streamlit, and whether it does that without our folder's traps."""
    program = (
        "import json, os, sys\n"
        "from gymform import cli\n"
        "def exec(program, command, environment):\n"
        "    assert environment['PYTHONSAFEPATH'] == '1'\n"
        "    sys.exit(print(json.dumps([program, *command])))\n"
        "os.execve = exec\n"
        "cli.main(['app', '--port', '8765', '--host', '127.0.0.1', '--no-browser'])"
    )
    done = python("-P", "-c", program, cwd=elsewhere, env=environment)
    program, *command = json.loads(done.stdout)
    assert program == command[0] == sys.executable
    assert command[1:3] == ["-m", "streamlit"]
    return command[3:]


def test_the_command_s_options_and_the_config_s_count_whatever_the_folder(
    streamlit_arguments, elsewhere, environment
):
    """One file holds them for the checkout and the package; the folder's own say otherwise."""
    wanted = options_of(STREAMLIT)
    assert len(wanted) >= 8
    wanted |= {"server.port": 8765, "server.address": "127.0.0.1", "server.headless": True}
    done = python(
        "-P", "-c", PROBE, ",".join(wanted), *streamlit_arguments, cwd=elsewhere, env=environment
    )
    assert json.loads(done.stdout.splitlines()[-1]) == wanted


@pytest.fixture(scope="module")
def app(target, elsewhere, environment) -> Iterator[str]:
    """The address of ``gymform app``, started in another folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = elsewhere / "app.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [target / "bin" / "gymform", "app", "--port", str(port), "--no-browser"],
            cwd=elsewhere, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while not answers(f"{address}/_stcore/health"):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield address
    process.send_signal(signal.SIGTERM)  # reaches Streamlit itself: no shell and no parent between
    # uvicorn shuts down in order, and then ends by the signal that asked for it
    assert process.wait(timeout=30) in (0, -signal.SIGTERM), log.read_text()
    assert not answers(f"{address}/_stcore/health")
    assert "Traceback" not in log.read_text()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.read() == b"ok"
    except OSError:
        return False


def test_the_pages_are_served_to_this_machine_alone(app):
    assert answers(f"{app}/_stcore/health")
    own = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in own - {"127.0.0.1"}:
        assert not answers(f"http://{address}:{app.rpartition(':')[2]}/_stcore/health")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("", "How good is the lift?"),
        ("webcam", "Film a repetition"),
        ("review", "Review"),
        ("models", "Models"),
    ],
)
def test_each_page_loads(app, browser, path, heading):
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app}/{path}")
    page.get_by_role("heading", name=heading, exact=True).wait_for(timeout=60_000)
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=60_000)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stHeaderLogo]").count() == 1
    if not path:
        assert "500MB" in page.locator("[data-testid=stFileUploaderDropzone]").inner_text()
    page.close()
    assert errors == []
