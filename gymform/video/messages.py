"""Values on a pipe between two processes: one line of JSON, then raw bytes.

Plain data only: a process that a hostile file has taken over can send wrong values, but nothing
that runs when it is read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from gymform.types import Clip

MAX_LINE = 1024 * 1024
"""Bytes of a message's line of JSON, at most."""

MAX_RAW = 64 * 1024 * 1024
"""Bytes of a message's raw part, at most."""


def send(stream: IO[bytes], value: Any) -> None:
    """Write ``value``: None, numbers, strings, bytes, arrays, paths, clips, and lists, tuples and
    dictionaries of them. Raises TypeError for anything else, OSError when nobody reads."""
    raw: list[bytes] = []
    plain = _packed(value, raw)
    line = json.dumps({"value": plain, "sizes": [len(part) for part in raw]})
    stream.write(line.encode("ascii") + b"\n" + b"".join(raw))
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next value; waits for it. Raises EOFError when the stream ends or is no message."""
    try:
        line = json.loads(stream.readline(MAX_LINE))
        if sum(line["sizes"]) > MAX_RAW or min(line["sizes"], default=0) < 0:
            raise ValueError("the raw part is too large")
        raw = [_exactly(stream, size) for size in line["sizes"]]
        return _unpacked(line["value"], raw)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise EOFError("the other process sent no message") from error


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other process stopped in the middle of a message")
    return data


def _packed(value: Any, raw: list[bytes]) -> Any:
    """``value`` as JSON; what JSON does not know is a list of its kind and its content."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {key: _packed(item, raw) for key, item in value.items()}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return [kind, *(_packed(item, raw) for item in value)]
    if isinstance(value, Path):
        return ["path", str(value)]
    if isinstance(value, Clip):
        return ["clip", _packed(asdict(value), raw)]
    if isinstance(value, bytes):
        raw.append(value)
        return ["bytes", len(raw) - 1]
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        raw.append(value.tobytes())
        return ["array", len(raw) - 1, value.dtype.str, list(value.shape)]
    raise TypeError(f"no message can hold a value of type {type(value).__name__}")


def _unpacked(value: Any, raw: list[bytes]) -> Any:
    if isinstance(value, dict):
        return {key: _unpacked(item, raw) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    kind, *content = value
    if kind == "list":
        return [_unpacked(item, raw) for item in content]
    if kind == "tuple":
        return tuple(_unpacked(item, raw) for item in content)
    if kind == "path":
        return Path(content[0])
    if kind == "clip":
        return Clip(**_unpacked(content[0], raw))
    if kind == "bytes":
        return raw[content[0]]
    number, dtype, shape = content
    return np.frombuffer(raw[number], dtype).reshape(shape)
