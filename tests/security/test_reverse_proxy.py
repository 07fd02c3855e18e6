"""The example of a reverse proxy: TLS, websocket and uploads come through, forgeries do not."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

PROJECT = Path(__file__).parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "gym.example"
UPLOADS = 3_000_000

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None,
    reason="needs nginx and openssl (Debian: apt install nginx-light openssl)",
)


@pytest.fixture(name="proxy", scope="module")
def _proxy(serve, tmp_path_factory) -> Iterator[int]:
    """The port of an nginx that runs docs/nginx.conf in front of the app."""
    folder = tmp_path_factory.mktemp("nginx")
    limits = {"GYMFORM_ALLOWED_HOSTS": NAME, "GYMFORM_UPLOAD_BYTES_PER_DAY": str(UPLOADS)}
    app = urlsplit(serve(PROJECT / "serve.py", **limits)).port
    make_certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "nginx.conf").write_text(configuration(folder, port, int(app or 0)))
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        wait_for(port, process)
        yield port
        process.terminate()


def make_certificate(folder: Path) -> None:
    """A certificate for gym.example that nobody vouches for."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")],
        check=True,
        capture_output=True,
    )  # fmt: skip


def configuration(folder: Path, port: int, app: int) -> str:
    """The example with our ports and folders, and what nginx needs around it."""
    example = (PROJECT / "docs" / "nginx.conf").read_text()
    for written, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/gymform", str(folder)),
        ("127.0.0.1:8501", f"127.0.0.1:{app}"),
    ):
        assert written in example
        example = example.replace(written, ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    owner = "user root;\n" if os.geteuid() == 0 else ""  # the temporary folders are its own
    return (
        f"{owner}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{example}}}\n"
    )


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when nginx takes connections; fail with its own words when it does not."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    assert process.stderr
    pytest.fail(f"nginx did not start: {process.stderr.read().decode()}")


def trusting() -> ssl.SSLContext:
    """TLS that takes the certificate that we made ourselves."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def https(port: int) -> httpx.Client:
    """A client that finds gym.example on this computer."""
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": f"{NAME}:{port}"},
        verify=trusting(),
        timeout=60,
        trust_env=False,
    )


def websocket(port: int, origin: str) -> connect:
    """The page's websocket through the proxy, to be opened by ``with``."""
    return connect(
        f"wss://{NAME}:{port}/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", port)),
        ssl=trusting(),
        origin=origin,  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
        open_timeout=60,
    )


def opened(page: ClientConnection, name: str = "") -> tuple[str, str]:
    """Run a page; the session's id, and all that was shown."""
    message = BackMsg()
    message.rerun_script.page_name = name
    page.send(message.SerializeToString())
    session, words = "", ""
    while "script_finished: FINISHED_SUCCESSFULLY" not in words:
        answer = ForwardMsg.FromString(page.recv(timeout=120))  # type: ignore[arg-type]
        words += str(answer)
        if answer.WhichOneof("type") == "new_session":
            session = answer.new_session.initialize.session_id
    return session, words


def test_a_page_comes_through_with_its_headers(proxy):
    with https(proxy) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert "<!doctype html>" in answer.text.lower()
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_websocket_and_uploads_come_through_and_are_counted(proxy):
    origin = f"https://{NAME}:{proxy}"
    with websocket(proxy, origin) as page, https(proxy) as client:
        session, words = opened(page)
        assert "How good is the lift?" in words
        token = client.get("/_stcore/health").cookies["_streamlit_xsrf"]
        cookie = f"_streamlit_xsrf={token}"
        headers = {"X-Xsrftoken": token, "Cookie": cookie, "Origin": origin}
        statuses = [
            client.put(
                f"/_stcore/upload_file/{session}/{number}",
                files={"file": ("clip.mp4", b"x" * (2 * UPLOADS // 3), "video/mp4")},
                headers=headers | {"X-Forwarded-For": claimed},
            ).status_code
            for number, claimed in enumerate(("1.1.1.1", "2.2.2.2"))
        ]
    assert statuses == [204, 429], "who claims another address is counted as the same"


def test_through_a_proxy_nobody_is_an_admin(proxy):
    with websocket(proxy, f"https://{NAME}:{proxy}") as page:
        assert "role curator" in opened(page, "review")[1]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://gym.example.evil.example"])
def test_pages_of_others_do_not(proxy, origin):
    with pytest.raises(InvalidStatus), websocket(proxy, origin):
        pass


def test_other_names_do_not(proxy):
    with https(proxy) as client:
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_more_than_the_limit_is_refused_by_the_proxy_itself(proxy):
    size = str(600 * 1024**2)
    with socket.create_connection(("127.0.0.1", proxy), timeout=60) as plain:
        line = trusting().wrap_socket(plain, server_hostname=NAME)
        line.sendall(
            f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: {NAME}:{proxy}\r\n"
            f"Content-Length: {size}\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 413")
