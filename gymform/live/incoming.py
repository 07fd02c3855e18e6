"""Limits on what a browser sends to the live view, which comes into the app's own process.

aiortc's decoder for VP8 takes memory for whatever size a packet of 200 bytes claims: 925 MB for
16383 x 16383 px. And it keeps the parts of a message that never ends, though it told the sender how
many bytes it takes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import av

MAX_PIXELS = 1920 * 1200
"""Most pixels of a picture. gymform asks the camera for 640 x 360."""

CODECS = {"video/vp8": "vp8", "video/h264": "h264"}
"""Kinds of streams and FFmpeg's own decoders, which look at the size before they take memory."""


def limit_incoming() -> None:
    """Set all limits, from now on."""
    limit_decoders()
    limit_messages()


def limit_messages() -> None:
    """Have aiortc drop parts of messages for which it has promised no room: about 1 MB in all."""
    from aiortc.rtcsctptransport import RTCSctpTransport

    receive = RTCSctpTransport._receive_data_chunk
    if getattr(receive, "is_limited", False):
        return

    @functools.wraps(receive)
    async def limited(transport: Any, chunk: Any) -> None:
        if len(chunk.user_data) <= transport._advertised_rwnd:
            await receive(transport, chunk)

    limited.is_limited = True  # type: ignore[attr-defined]
    RTCSctpTransport._receive_data_chunk = limited  # type: ignore[method-assign, assignment]


def limit_decoders(receiver: Any = None) -> None:
    """Have aiortc use these decoders from now on; ``receiver`` is its module that decodes."""
    if receiver is None:
        import aiortc.rtcrtpreceiver as receiver
    if not isinstance(receiver.get_decoder, LimitedDecoders):
        receiver.get_decoder = LimitedDecoders(receiver.get_decoder)


class LimitedDecoders:
    """Makes the decoder for a stream as ``make`` does, with a limit on the picture's size."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __call__(self, codec: Any) -> Any:
        """The decoder for the codec of a stream."""
        decoder = self._make(codec)
        if (name := CODECS.get(codec.mimeType.lower())) is not None:
            decoder.codec = limited_context(name)
        return decoder


def limited_context(name: str) -> av.VideoCodecContext:
    """A decoder that raises av.FFmpegError for a picture of more than :data:`MAX_PIXELS`."""
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_count = 1
    return context
