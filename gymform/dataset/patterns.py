"""A pattern that somebody typed, tried on file names in a process that is stopped when it hangs.

A pattern such as ``^(a+)+$`` takes years on some names, and Python holds every other thread while
it tries. So the trying is done by a process of its own, with limits on its time and memory.

    python -m gymform.dataset.patterns < {"pattern": "...", "names": [...]}
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from gymform.errors import OptionsError
from gymform.installation import child_environment

MAX_PATTERN = 500
"""Longest pattern, characters."""

TIME_LIMIT_S = 5.0
"""How long all names together may take. A sound pattern does ten thousand names in a fraction."""

_MEMORY_BYTES = 512 * 1024**2


def groups_by(pattern: str, names: Sequence[str]) -> list[str | None]:
    """What ``pattern`` finds in each name: the group called ``group``, else the first, else all.

    None where it finds nothing. Raises OptionsError for what is no pattern, is too long, or takes
    longer than `TIME_LIMIT_S`.
    """
    if len(pattern) > MAX_PATTERN:
        raise OptionsError(
            f"The pattern has {len(pattern)} characters, at most {MAX_PATTERN} are allowed."
        )
    answer = _asked(json.dumps({"pattern": pattern, "names": list(names)}))
    if isinstance(answer, str):
        raise OptionsError(f"The pattern {pattern!r} is no regular expression: {answer}.")
    return answer


def _asked(question: str) -> list[str | None] | str:
    """The answer of a process that is ended when it takes too long; a text says what is wrong."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gymform.dataset.patterns"],
            input=question,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=2 * TIME_LIMIT_S,
            env=child_environment(),
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise OptionsError(
            f"The pattern took more than {TIME_LIMIT_S:.0f} seconds on the names of the clips and "
            "was stopped. Repeats within repeats, as in (a+)+, do that: write it without them."
        ) from None
    answer: list[str | None] | str = json.loads(done.stdout)
    return answer


def _answer(text: str, names: list[str]) -> list[str | None] | str:
    """What is found in each name; for what is no pattern, why not."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return [_found(pattern, name) for name in names]


def _found(pattern: re.Pattern[str], name: str) -> str | None:
    match = pattern.search(name)
    if match is None:
        return None
    named = match.groupdict().get("group")
    return named or (match.group(1) if pattern.groups else match.group(0))


def _limit() -> None:
    """Let the system end this process when it takes too much; where there are no such limits,
    whoever asked does so."""
    try:
        import resource
    except ImportError:  # Windows
        return
    seconds = round(TIME_LIMIT_S)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Answer the question on standard input."""
    question = json.loads(sys.stdin.buffer.read())
    _limit()
    json.dump(_answer(question["pattern"], question["names"]), sys.stdout)


if __name__ == "__main__":
    main()
