"""A message that is none is the end of the stream, whatever it holds."""

import io

import pytest

from gymform.video import messages
from gymform.video.messages import receive, send
from tests.fakes import make_clip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[]\n",
        b'{"value": 1}\n',
        b'{"value": ["bytes", 0], "sizes": [5]}\nabc',
        b'{"value": ["bytes", 3], "sizes": []}\n',
        b'{"value": ["clip", {}], "sizes": []}\n',
        b'{"value": ["array", 0, "|O", [1]], "sizes": [8]}\n12345678',
        b'{"value": ["array", 0, "<f4", [7]], "sizes": [8]}\n12345678',
        b'{"value": ["other", 0], "sizes": []}\n',
        b'{"value": 1, "sizes": [-1]}\n',
        b'{"value": 1, "sizes": [100000000]}\n',
        b'{"value": "' + b"x" * messages.MAX_LINE + b'", "sizes": []}\n',
    ],
)
def test_what_is_no_message_is_the_end(content):
    with pytest.raises(EOFError):
        receive(io.BytesIO(content))


def test_a_clip_comes_back_as_it_was():
    stream = io.BytesIO()
    clip = make_clip(problems=("one", "two"), capture_fps=119.88)
    send(stream, clip)
    stream.seek(0)
    assert receive(stream) == clip


def test_messages_follow_one_another():
    stream = io.BytesIO()
    for value in (b"one\n", ["two"], 3):
        send(stream, value)
    stream.seek(0)
    assert [receive(stream) for _ in range(3)] == [b"one\n", ["two"], 3]
    with pytest.raises(EOFError):
        receive(stream)
