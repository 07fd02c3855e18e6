"""What comes to the live view: pictures of cameras are decoded, more takes no memory."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import aiortc.rtcrtpreceiver as rtc
import av
import numpy as np
import pytest
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    DataChunk,
    InboundStream,
    RTCSctpTransport,
)

from gymform.live import incoming
from gymform.live.incoming import CODECS, LimitedDecoders, limit_decoders, limit_incoming

ENCODERS = {"video/vp8": "libvpx", "video/h264": "libx264"}


def decoder_for(kind: str) -> Any:
    """The decoder that aiortc then uses for this kind of stream."""
    limit_decoders()
    return rtc.get_decoder(RTCRtpCodecParameters(mimeType=kind, clockRate=90000))


def encoded(kind: str, width: int, height: int, count: int = 3) -> list[bytes]:
    """Pictures of that size as a browser sends them."""
    encoder = av.CodecContext.create(ENCODERS[kind], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    grey = np.full((height, width, 3), 90, np.uint8)
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts = number
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in [*packets, *encoder.encode(None)]]


def decode(decoder: Any, packets: list[bytes]) -> list[tuple[int, int]]:
    """Sizes of the pictures that come out."""
    frames = [
        frame
        for number, data in enumerate(packets)
        for frame in decoder.decode(JitterFrame(data=data, timestamp=3000 * number))
    ]
    return [(frame.width, frame.height) for frame in frames]


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (1920, 1080)])
def test_a_camera_s_pictures_are_decoded(kind, size):
    assert set(decode(decoder_for(kind), encoded(kind, *size))) == {size}


@pytest.mark.parametrize("kind", CODECS)
def test_larger_pictures_are_refused(kind, monkeypatch):
    monkeypatch.setattr(incoming, "MAX_PIXELS", 640 * 360)
    decoder = decoder_for(kind)
    with pytest.raises(av.FFmpegError):
        decode(decoder, encoded(kind, 656, 368))


CLAIM = struct.pack("<I", 1 << 4 | 60 << 5)[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383)
MEASURE = f"""
import resource
from aiortc.jitterbuffer import JitterFrame
from tests.live.test_incoming import decoder_for
decoder = decoder_for("video/vp8")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(5):
    try:
        decoder.decode(JitterFrame(data={CLAIM + bytes(200)!r}, timestamp=0))
    except Exception as error:
        print(type(error).__name__)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_packet_that_claims_an_enormous_picture_takes_no_memory():
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )
    *errors, grown = done.stdout.split()
    assert len(errors) == 5
    assert int(grown) < 30_000  # KiB on Linux; bytes, and then even less, on a Mac


def test_sound_is_decoded_as_before_and_nothing_is_wrapped_twice():
    made = object()
    receiver = SimpleNamespace(get_decoder=lambda codec: made)
    limit_decoders(receiver)
    once = receiver.get_decoder
    limit_decoders(receiver)
    assert receiver.get_decoder is once
    assert isinstance(once, LimitedDecoders)
    assert once(SimpleNamespace(mimeType="audio/opus")) is made


def test_the_page_limits_them_before_a_stream_begins(monkeypatch):
    from pages.components.live import live

    made: list[bool] = []

    def streamer(**_: Any) -> None:
        made.append(isinstance(rtc.get_decoder, LimitedDecoders))
        raise InterruptedError

    monkeypatch.setattr(rtc, "get_decoder", lambda codec: codec)
    monkeypatch.setattr("streamlit_webrtc.webrtc_streamer", streamer)
    with pytest.raises(InterruptedError):
        live.stream(SimpleNamespace(on_frame=None), key="a")
    assert made == [True]


class Peer:
    """The app's end of a data channel, as far as it takes in data."""

    def __init__(self) -> None:
        self.stream, self.messages = InboundStream(), list[bytes]()
        self._advertised_rwnd, self._sack_needed = 1024 * 1024, False

    def _mark_received(self, tsn: int) -> bool:
        return False

    def _get_inbound_stream(self, number: int) -> InboundStream:
        return self.stream

    async def _receive(self, stream: int, kind: int, data: bytes) -> None:
        self.messages.append(data)

    async def _reset_deferred_streams(self) -> None:
        """There are none."""

    def take(self, first: int, count: int, flags: int = 0) -> None:
        """Take in parts of 1,000 bytes."""
        for number in range(first, first + count):
            chunk = DataChunk(flags=flags)
            chunk.tsn, chunk.user_data = number, bytes(1000)
            asyncio.run(RTCSctpTransport._receive_data_chunk(self, chunk))

    def kept(self) -> int:
        return sum(len(chunk.user_data) for chunk in self.stream.reassembly)


def test_a_message_that_never_ends_takes_no_endless_memory():
    limit_incoming()
    limit_incoming()
    peer = Peer()
    peer.take(1, 1, SCTP_DATA_FIRST_FRAG)
    peer.take(2, 5000)
    assert 500_000 < peer.kept() <= 1024 * 1024


def test_whole_messages_come_through_and_leave_room_for_more():
    limit_incoming()
    peer = Peer()
    peer.take(1, 3000, SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG)
    assert (len(peer.messages), peer.kept()) == (3000, 0)
