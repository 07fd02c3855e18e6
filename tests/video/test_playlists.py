"""No file makes FFmpeg open another one: playlists beside a secret clip show nothing of it."""

from pathlib import Path

import av
import pytest

from gymform.errors import VideoError
from gymform.sniff import AVI, MKV, MP4
from gymform.storage import store_upload
from gymform.video import source as source_module
from gymform.video.read import probe, read_frames
from tests.corpus.bad import PLAYLISTS, box_span, u32
from tests.corpus.clips import is_upright, write_clip

TARGETS = {
    "relative": lambda secret: secret.name,
    "dotted": lambda secret: f"./../{secret.parent.name}/{secret.name}",
    "absolute": lambda secret: str(secret),
    "url": lambda secret: f"file://{secret}",
    "network": lambda secret: f"http://127.0.0.1:9/{secret.name}",
}


@pytest.fixture
def secret(tmp_path) -> Path:
    return write_clip(tmp_path / "secret.mp4")


def secret_frames(path: Path) -> int:
    """How many frames of the secret clip can be got out of the file at ``path``."""
    try:
        with read_frames(path) as frames:
            return sum(is_upright(frame.rgb) for frame in frames)
    except VideoError:
        return 0


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_nothing_of_the_secret_is_decoded(tmp_path, secret, kind, target, suffix):
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(PLAYLISTS[kind](TARGETS[target](secret)))
    assert secret_frames(path) == 0
    if not kind.startswith("avi_"):
        with pytest.raises(VideoError):
            probe(path)
        with pytest.raises(VideoError):
            store_upload(path.read_bytes(), tmp_path / "uploads")


def test_the_secret_itself_would_be_seen(secret):
    assert secret_frames(secret) == 12


def test_without_the_guards_the_secret_leaks(tmp_path, secret):
    """The control: plain FFmpeg shows the neighbour's frames."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(PLAYLISTS["ffconcat"](secret.name))
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 12


@pytest.mark.parametrize("kind", ["ffconcat", "m3u8", "sdp", "dash"])
@pytest.mark.parametrize("demuxer", [None, MP4.demuxer, MKV.demuxer, AVI.demuxer, "concat", "hls"])
def test_the_whitelists_hold_even_past_the_sniffing(tmp_path, secret, kind, demuxer):
    path = tmp_path / "clip.mp4"
    path.write_bytes(PLAYLISTS[kind](str(secret)))
    try:
        container = av.open(str(path), format=demuxer, options=source_module.OPTIONS)
    except (av.FFmpegError, ValueError):
        return
    with container:
        assert list(container.streams.video) == []


# --- QuickTime files whose media lie elsewhere --------------------------------------------------


def test_an_external_track_is_not_opened(tmp_path, secret):
    path = tmp_path / "external.mov"
    path.write_bytes(without_media(secret.read_bytes(), secret.name))
    assert secret_frames(path) == 0
    # the control: FFmpeg follows the alias once it is allowed to
    with av.open(str(path), options={"enable_drefs": "1"}) as container:
        assert len(list(container.decode(video=0))) == 12


def without_media(content: bytes, name: str) -> bytes:
    """The header of a clip, its media blanked and looked for in the neighbouring file ``name``."""
    start, end = box_span(content, b"mdat")
    content = content[: start + 8] + bytes(end - start - 8) + content[end:]
    path = f"/{name}".encode()
    path += b"\0" * (len(path) % 2)
    alias = bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + b"\0\1\0\1" + bytes(16)
    alias += b"\0\2" + len(path).to_bytes(2, "big") + path + b"\xff\xff\0\0"
    box = u32(12 + len(alias)) + b"alis" + u32(0) + alias
    at = content.index(b"url \0\0\0\1") - 4
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start, end = box_span(content, kind)
        content = content[:start] + u32(end - start + len(box) - 12) + content[start + 4 :]
    return content[:at] + box + content[at + 12 :]
