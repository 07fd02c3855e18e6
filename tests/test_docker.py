"""What the Dockerfile says, checked by reading it; ``scripts/try_dockerfile.py`` runs its steps."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gymform import cli
from scripts.try_dockerfile import command_of, context, read_dockerfile
from tests.test_package import PACKED, PYPROJECT

PROJECT = Path(__file__).resolve().parents[1]

BUILD, FINAL = read_dockerfile((PROJECT / "Dockerfile").read_text(encoding="utf-8"))
IGNORE = (PROJECT / ".dockerignore").read_text(encoding="utf-8")


def test_both_stages_have_one_python_that_gymform_runs_on():
    """An environment that is copied works only where its Python is."""
    assert BUILD.image == FINAL.image
    found = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", FINAL.image)
    assert found
    needed = re.fullmatch(r">=(\d+)\.(\d+)", PYPROJECT["project"]["requires-python"])
    assert needed
    assert tuple(map(int, found.groups())) >= tuple(map(int, needed.groups()))


def test_the_context_is_what_the_package_is_built_from_and_no_more():
    files = set(context(PROJECT, IGNORE))
    assert files == PACKED | {"pyproject.toml", "README.md", "LICENSE", "requirements.txt"}


def test_all_that_is_required_is_installed_before_the_code_is_copied():
    steps = [step for step in BUILD.steps if step[0] in ("COPY", "RUN")]
    assert [text.split()[0] for name, text in steps if name == "COPY"] == ["requirements.txt", "."]
    runs = [text for name, text in steps if name == "RUN"]
    assert runs[1].endswith("pip install -r /src/requirements.txt")
    assert runs[2].endswith("pip install --no-deps /src")
    assert ("COPY", "--from=build /opt/gymform /opt/gymform") in FINAL.steps
    assert FINAL.environment()["PATH"].startswith("/opt/gymform/bin:/usr/local/bin:")


def test_it_runs_as_somebody_who_owns_the_data_and_nothing_else():
    user, data = FINAL.last("USER"), FINAL.environment()["GYMFORM_HOME"]
    assert user not in ("", "root", "0")
    assert FINAL.last("VOLUME") == data == "/data"
    (made,) = (text for name, text in FINAL.steps if name == "RUN")
    assert f"install -d -o {user} -g {user} {data}" in made
    # Docker throws away what is done to a volume after VOLUME, and does as USER what follows USER
    order = [name for name, _ in FINAL.steps]
    assert order.index("RUN") < order.index("USER") < order.index("CMD")
    assert order.index("RUN") < order.index("VOLUME")


@pytest.fixture
def options():
    """What our own parser makes of CMD."""
    command, *arguments = command_of(FINAL.last("CMD"))
    assert command in PYPROJECT["project"]["scripts"]
    return cli._parser().parse_args(arguments)


def test_the_command_is_one_that_we_understand(options):
    assert options.run is cli._app
    assert (options.host, options.no_browser) == ("0.0.0.0", True)


def test_the_port_is_one_for_all(options):
    assert str(options.port) == FINAL.last("EXPOSE")
    (address,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", FINAL.last("HEALTHCHECK"))
    assert int(address) == options.port


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Replies with its ``status``, and remembers the paths that were requested."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked = self.path
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_the_health_check_asks_the_pages_and_tells_well_from_ill(server, status, code):
    server.status = status
    python, *arguments = command_of(FINAL.last("HEALTHCHECK"))
    assert python == "python"
    arguments[-1] = arguments[-1].replace(":8501/", f":{server.server_port}/")
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    assert done.returncode == code
    assert server.asked == "/_stcore/health"


def test_the_health_check_is_ill_when_nobody_answers(server):
    port = server.server_port
    server.server_close()
    _, *arguments = command_of(FINAL.last("HEALTHCHECK"))
    arguments[-1] = arguments[-1].replace(":8501/", f":{port}/")
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    assert done.returncode == 1


# ---- the reader ----------------------------------------------------------------------------

TEXT = """# syntax
FROM one:1 AS first
ARG WHERE=here
# between
ENV A=1 B="two words" PATH=/own:$PATH
RUN make \\
    all
FROM two:2
ENV C=$A
"""


def test_a_dockerfile_is_read_as_docker_reads_it():
    first, second = read_dockerfile(TEXT)
    assert (first.image, first.name, second.image, second.name) == ("one:1", "first", "two:2", "1")
    assert first.last("RUN") == "make all"
    assert [name for name, _ in first.steps] == ["ARG", "ENV", "RUN"]
    found = first.environment()
    assert (found["WHERE"], found["A"], found["B"]) == ("here", "1", "two words")
    assert found["PATH"].startswith("/own:/usr/local/bin:")
    assert first.environment({"WHERE": ""})["WHERE"] == ""
    assert second.last("RUN") == ""


def test_what_the_reader_does_not_know_it_refuses():
    with pytest.raises(ValueError, match="expected FROM first"):
        read_dockerfile("RUN x\n")
    with pytest.raises(ValueError, match="cannot read"):
        list(context(PROJECT, "*\n!pages/*.py\n"))
    with pytest.raises(ValueError, match="cannot read"):
        list(context(PROJECT, "build\n"))
    with pytest.raises(ValueError, match="expected a list"):
        command_of('["a", 1]')


def test_the_context_leaves_out_what_it_should(tmp_path):
    for name in ("a/x.py", "a/__pycache__/x.pyc", "b/x.py", "c", "d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(context(tmp_path, "# all\n*\n!a\n!c\n**/__pycache__\n")) == ["a/x.py", "c"]
