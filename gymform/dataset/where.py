"""The language of ``--where``: which repetitions a command is about.

    quality>0.8 and exercise=squat
    (problem=jitter or problem="low confidence") and not group~anna

Comparisons are joined by ``and``, ``or``, ``not`` and parentheses. ``~`` means "contains". Text is
compared without regard to case; values of several words stand in quotes. An item without the
number that is asked for, such as a clip whose keypoints are not known yet, never matches. The text
is parsed here and never evaluated as code.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gymform.dataset.items import REASONS, VERDICTS, Judged
from gymform.errors import OptionsError

MAX_LENGTH = 2000
"""Longest condition, characters."""

MAX_DEPTH = 40
"""Most parentheses and ``not`` within one another."""

Condition = Callable[[Judged], bool]
"""Whether an item is meant."""

NUMBERS: dict[str, Callable[[Judged], float | None]] = {
    "quality": lambda one: one.quality,
    "start": lambda one: one.item.start_s,
    "end": lambda one: one.item.end_s,
    "seconds": lambda one: one.item.end_s - one.item.start_s,
    "part": lambda one: one.item.part,
}
"""Fields that hold a number: quality in [0, 1], times in s, the number of the repetition."""

TEXTS: dict[str, Callable[[Judged], tuple[str, ...]]] = {
    "exercise": lambda one: (one.item.exercise,),
    "group": lambda one: (one.item.group,),
    "name": lambda one: (one.item.name,),
    "id": lambda one: (one.item.id,),
    "verdict": lambda one: (one.verdict,),
    "reviewer": lambda one: tuple({one.reviewer, *(said.reviewer for said in one.opinions)}),
    "settled": lambda one: ("yes" if one.settled else "no",),
    "comment": lambda one: (one.comment,),
    "problem": lambda one: one.problems,
    "reason": lambda one: one.reasons,
}
"""Fields that hold text; an item may have several problems, reasons and reviewers, and one of them
is enough. It is settled where reviewers disagreed and somebody made the final decision."""

FIELDS = (*NUMBERS, *TEXTS)

_KNOWN_VALUES = {"verdict": VERDICTS, "reason": REASONS, "settled": ("yes", "no")}
"""All values of these fields, so that a slip of the pen is noticed."""

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>==|!=|<=|>=|[=<>~()])
    |"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()=!<>~"']+)|(?P<bad>\S))""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    """A piece of the condition: a sign, a word, or a quoted text; where it begins, from 1."""

    kind: str
    text: str
    at: int

    def is_word(self, text: str) -> bool:
        return self.kind == "word" and self.text.lower() == text


def parse(text: str) -> Condition:
    """The condition that ``text`` states, see above. Raises OptionsError, with the place in it."""
    if len(text) > MAX_LENGTH:
        raise OptionsError(
            f"The condition has {len(text)} characters, at most {MAX_LENGTH} are allowed."
        )
    return _Parser(text).whole()


def fields_in(text: str) -> frozenset[str]:
    """The fields that a condition names. Raises OptionsError like :func:`parse`."""
    parser = _Parser(text)
    parser.whole()
    return frozenset(parser.named)


class _Parser:
    """Reads tokens from left to right; each method reads one part of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), _Token("end", "", len(text) + 1)]
        self._next = 0
        self._depth = 0
        self.named: set[str] = set()

    def whole(self) -> Condition:
        condition = self._any_of()
        if self._token.kind != "end":
            self._fail("and, or, or the end (a value of several words stands in quotes)")
        return condition

    def _any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._took("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda one: any(part(one) for part in parts)

    def _all_of(self) -> Condition:
        parts = [self._single()]
        while self._took("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda one: all(part(one) for part in parts)

    def _single(self) -> Condition:
        """A comparison, one in parentheses, or the opposite of one."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise OptionsError(f"The condition is nested too deeply: at most {MAX_DEPTH} levels.")
        try:
            if self._took("not"):
                inner = self._single()
                return lambda one: not inner(one)
            if self._token.text == "(" and self._token.kind == "sign":
                return self._in_parentheses()
            return self._comparison()
        finally:
            self._depth -= 1

    def _in_parentheses(self) -> Condition:
        self._next += 1
        inner = self._any_of()
        if self._token.kind != "sign" or self._token.text != ")":
            self._fail(") or and, or")
        self._next += 1
        return inner

    def _comparison(self) -> Condition:
        name = self._field()
        self.named.add(name)
        sign = self._token
        if sign.kind != "sign" or sign.text in "()":
            self._fail(f"=, !=, <, <=, >, >= or ~ after {name}")
        self._next += 1
        value = self._token
        if value.kind not in ("word", "text"):
            self._fail(f"a value after {name}{sign.text}")
        self._next += 1
        if name in NUMBERS:
            return _number_condition(name, sign, value)
        return _text_condition(name, sign, value)

    def _field(self) -> str:
        token = self._token
        name = token.text.lower()
        if token.kind != "word" or name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            self._fail(f"one of {', '.join(FIELDS)}", hint)
        self._next += 1
        return name

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _took(self, word: str) -> bool:
        if self._token.is_word(word):
            self._next += 1
            return True
        return False

    def _fail(self, expected: str, hint: str = "") -> None:
        raise _problem(self._token, f"expected {expected}", hint)


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while match := _TOKEN.match(text, place):
        place = match.end()
        kind = str(match.lastgroup)
        found = match[kind]
        at = match.start(kind) + 1
        if kind == "bad":
            what = "a closing quote" if found in "\"'" else "a field, a sign or a value"
            raise _problem(_Token(kind, found, at), f"expected {what}")
        yield _Token("text" if kind in ("double", "single") else kind, found, at)


def _problem(token: _Token, what: str, hint: str = "") -> OptionsError:
    got = "the end" if token.kind == "end" else repr(token.text[:40])
    return OptionsError(f"The condition, character {token.at}: {what}, got {got}.{hint}")


def _number_condition(name: str, sign: _Token, value: _Token) -> Condition:
    if sign.text == "~":
        raise _problem(sign, f"expected =, !=, <, <=, > or >= for the number {name}")
    try:
        wanted = float(value.text)
    except ValueError:
        raise _problem(value, f"expected a number for {name}") from None
    read, compared = NUMBERS[name], _COMPARED[sign.text]

    def condition(one: Judged) -> bool:
        number = read(one)
        return number is not None and compared(number, wanted)

    return condition


def _text_condition(name: str, sign: _Token, value: _Token) -> Condition:
    if sign.text not in ("=", "==", "!=", "~"):
        raise _problem(sign, f"expected =, != or ~ for the text {name}")
    wanted, known = value.text.casefold(), _KNOWN_VALUES.get(name)
    if known and sign.text != "~" and wanted not in known:
        raise _problem(value, f"expected a {name} of {', '.join(known)}")
    read = TEXTS[name]
    if sign.text == "~":
        return lambda one: any(wanted in text.casefold() for text in read(one))
    if sign.text == "!=":
        return lambda one: all(wanted != text.casefold() for text in read(one))
    return lambda one: any(wanted == text.casefold() for text in read(one))
