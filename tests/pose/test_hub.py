"""Downloads from a hub on the loopback address: resuming, verification and error messages."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from gymform import weights
from gymform.errors import Cancelled, WeightsError
from gymform.pose import hub
from gymform.pose.checkpoints import (
    available_models,
    fetch,
    fetchable,
    list_weights,
    load_pose_model,
    verify,
)
from gymform.pose.vitpose import OFFICIAL_SIZES
from tests.pose.layouts import hugging_face_plus, small_network

NAME = "vitpose-plus-small"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """What the hub holds and how it behaves; ``requests`` are the ranges it was asked for."""

    content: bytes
    announced_sha256: str | None = None
    commit: str | None = COMMIT
    status: int = 200
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    """For each of the next responses, the number of bytes after which the connection breaks."""
    requests: list[str | None] = field(default_factory=list)
    address: str = ""


def handler_for(fake: FakeHub) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            fake.requests.append(self.headers.get("Range"))
            assert f"usyd-community/{NAME}/resolve/{COMMIT}/model.safetensors" in self.path
            assert "authorization" not in self.headers
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            start, wanted = 0, self.headers.get("Range")
            if body and wanted and fake.ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start and fake.status == 200 else fake.status)
            digest = fake.announced_sha256 or hashlib.sha256(fake.content).hexdigest()
            self.send_header("ETag", f'"{digest}"')
            if fake.commit:
                self.send_header("X-Repo-Commit", fake.commit)
            content = fake.content[start:] if fake.status == 200 else b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                cut = fake.cut_after.pop(0) if fake.cut_after else len(content)
                self.wfile.write(content[:cut])
                if cut < len(content):
                    self.close_connection = True

    return Handler


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> bytes:
    """A small ViTPose++ as on the hub, of official width: the loader infers the heads from it."""
    network = small_network("simple", **OFFICIAL_SIZES["S"] | {"depth": 1})
    path = tmp_path_factory.mktemp("hub") / hub.WEIGHTS
    state = hugging_face_plus(network, part=96)
    save_file({key: tensor.contiguous().clone() for key, tensor in state.items()}, path)
    return path.read_bytes()


@pytest.fixture
def fake(checkpoint, monkeypatch) -> Iterator[FakeHub]:
    fake = FakeHub(checkpoint)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_for(fake))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", fake.address)
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def leftovers() -> list[Path]:
    return [path for path in weights.local_dir().iterdir() if path.suffix != ".lock"]


def test_a_fetched_model_is_recorded_and_can_be_chosen(fake):
    assert NAME in fetchable()
    seen: list[tuple[int, int]] = []
    entry = fetch(NAME, lambda done, total: seen.append((done, total)))
    assert entry.sha256 == hashlib.sha256(fake.content).hexdigest()
    assert entry.path.read_bytes() == fake.content
    assert COMMIT in entry.provenance
    assert "Apache-2.0" in entry.licence
    assert (entry.config["heads"], entry.config["decoder"]) == (12, "simple")
    assert seen[0] == (0, len(fake.content))
    assert seen[-1] == (len(fake.content), len(fake.content))
    assert seen == sorted(seen)
    assert entry in available_models()
    assert NAME not in fetchable()
    assert load_pose_model(NAME).sha256 == entry.sha256
    assert [problem for e, problem in verify() if e == entry] == [None]


def test_a_model_that_is_here_is_not_downloaded_again(fake):
    entry = fetch(NAME)
    fake.status = 500
    assert fetch(NAME) == entry


def test_a_stopped_download_resumes_where_it_was(fake):
    half = len(fake.content) // 2

    def stop(done: int, total: int) -> None:
        if done >= half:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fetch(NAME, stop)
    assert list_weights() == list(weights.read_manifest().models)
    entry = fetch(NAME)
    assert entry.path.read_bytes() == fake.content
    start = int(fake.requests[1].removeprefix("bytes=").rstrip("-"))
    assert start >= half


def test_a_broken_connection_is_opened_again_while_bytes_come(fake):
    part = len(fake.content) // 3
    fake.cut_after = [part, part]
    assert fetch(NAME).path.read_bytes() == fake.content
    starts = [int(wanted.removeprefix("bytes=").rstrip("-")) for wanted in fake.requests]
    assert starts[0] == 0
    assert part / 2 < starts[1] <= part  # the last incomplete chunk is lost
    assert starts[1] + part / 2 < starts[2] <= starts[1] + part


def test_a_connection_without_bytes_ends_the_download_and_keeps_what_came(fake):
    fake.cut_after = [len(fake.content) // 3, 0]
    with pytest.raises(WeightsError, match="cannot be reached"):
        fetch(NAME)
    assert fetch(NAME).path.read_bytes() == fake.content
    assert fake.requests[-1] != "bytes=0-"


def test_a_server_without_ranges_sends_the_whole_file_again(fake):
    fake.ranges = False
    fake.cut_after = [len(fake.content) // 3]
    assert fetch(NAME).path.read_bytes() == fake.content


def test_other_bytes_than_announced_are_not_kept(fake):
    fake.announced_sha256 = "0" * 64
    with pytest.raises(WeightsError, match="download was damaged"):
        fetch(NAME)
    assert leftovers() == []


def test_more_bytes_than_announced_are_refused(fake, monkeypatch):
    real = hub._metadata
    monkeypatch.setattr(hub, "_metadata", lambda name: replace(real(name), bytes=1000))
    with pytest.raises(WeightsError, match="more bytes than it announced"):
        fetch(NAME)
    assert all(path.stat().st_size <= 1000 for path in leftovers())


def test_the_sha256_of_the_first_fetch_stays_binding(fake):
    """Also when the file was lost, and whatever the hub has by then."""
    entry = fetch(NAME)
    entry.path.unlink()
    assert fetch(NAME) == entry
    entry.path.write_bytes(entry.path.read_bytes()[:-1] + b"!")
    original, fake.content = fake.content, fake.content[:-1] + b"?"
    with pytest.raises(WeightsError, match="first fetch had sha256"):
        fetch(NAME)
    fake.content = original
    assert fetch(NAME) == entry


def test_a_file_of_another_layout_is_not_kept(fake, tmp_path):
    state = hugging_face_plus(small_network("simple", **OFFICIAL_SIZES["S"] | {"depth": 1}))
    state.pop("backbone.layernorm.bias")
    save_file({k: t.contiguous().clone() for k, t in state.items()}, tmp_path / "x.safetensors")
    fake.content = (tmp_path / "x.safetensors").read_bytes()
    with pytest.raises(WeightsError, match=r"key 'backbone\.layernorm\.bias' is missing"):
        fetch(NAME)
    assert leftovers() == []


@pytest.mark.parametrize(("status", "text"), [(404, "404"), (401, "401"), (500, "500")])
def test_a_hub_that_refuses_is_quoted(fake, status, text):
    fake.status = status
    with pytest.raises(WeightsError, match=text) as raised:
        fetch(NAME)
    assert "http" not in str(raised.value)


def test_a_server_that_is_no_hub_is_refused(fake):
    fake.commit = None
    with pytest.raises(WeightsError, match="did not come from a Hugging Face hub"):
        fetch(NAME)


def test_a_file_over_the_limit_is_not_downloaded(fake, monkeypatch):
    monkeypatch.setattr(hub, "MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(WeightsError, match="at most 1000 bytes"):
        fetch(NAME)
    assert fake.requests == []


def test_offline_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # no server on that port
    with pytest.raises(WeightsError, match=r"cannot be reached\. Fetch again .*weights convert"):
        fetch(NAME)
    assert leftovers() == []


def test_a_model_is_not_fetched_twice_at_a_time(fake):
    def again(done: int, total: int) -> None:
        with pytest.raises(WeightsError, match="being fetched already"):
            fetch(NAME)

    assert fetch(NAME, again).path.read_bytes() == fake.content


def test_only_official_models_can_be_fetched():
    with pytest.raises(WeightsError, match=r"'resnet'.*vitpose-base-simple"):
        fetch("resnet")
