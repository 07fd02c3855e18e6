"""Broken files by chance: the same seed breaks them the same way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Mutation = Callable[[bytearray, random.Random], None]


def flip_bits(data: bytearray, chance: random.Random) -> None:
    """Turn over one to sixteen single bits."""
    for _ in range(chance.randint(1, 16)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_in_header(data: bytearray, chance: random.Random) -> None:
    """Turn over bits near the beginning, where most structure lies."""
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(min(len(data), 600))] ^= 1 << chance.randrange(8)


def extreme_integer(data: bytearray, chance: random.Random) -> None:
    """Write an extreme value as one of the usual integer types."""
    size = chance.choice((1, 2, 4))
    at = chance.randrange(max(1, len(data) - size))
    value = chance.choice(EXTREMES) & ((1 << 8 * size) - 1)
    data[at : at + size] = value.to_bytes(size, chance.choice(("big", "little")))


def cut_end(data: bytearray, chance: random.Random) -> None:
    """Lose everything from some point on."""
    del data[chance.randrange(1, len(data)) :]


def cut_middle(data: bytearray, chance: random.Random) -> None:
    """Lose up to a fifth somewhere."""
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, max(1, len(data) // 5))]


def repeat(data: bytearray, chance: random.Random) -> None:
    """Have a stretch twice."""
    start = chance.randrange(len(data))
    data[start:start] = data[start : start + chance.randint(1, max(1, len(data) // 5))]


def blank(data: bytearray, chance: random.Random) -> None:
    """Overwrite a stretch with zeros or noise, as a failing disk does."""
    start = chance.randrange(len(data))
    length = min(len(data) - start, chance.randint(1, 512))
    data[start : start + length] = (
        bytes(length) if chance.random() < 0.5 else chance.randbytes(length)
    )


def swap(data: bytearray, chance: random.Random) -> None:
    """Exchange two stretches of equal length."""
    length = chance.randint(1, max(1, len(data) // 10))
    one, two = (chance.randrange(max(1, len(data) - length)) for _ in range(2))
    first, second = data[one : one + length], data[two : two + length]
    data[one : one + length], data[two : two + length] = second, first


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_in_header,
    extreme_integer,
    cut_end,
    cut_middle,
    repeat,
    blank,
    swap,
)


def mutants(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """``count`` broken copies of ``data``, each by one to three mutations."""
    chance = random.Random(seed)
    for _ in range(count):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            if len(broken) > 2:
                chance.choice(MUTATIONS)(broken, chance)
        yield bytes(broken)
