"""Roles: who is using the app, and what they may do.

A function that only some may use is decorated with :func:`only_for`. That holds whichever page
calls it, and whether or not buttons are hidden or disabled. In the terminal and in the app's own
threads there is no visitor, and everything is allowed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ParamSpec, TypeVar

from gymform.errors import NotAllowedError

P = ParamSpec("P")
R = TypeVar("R")


class Role(IntEnum):
    """What somebody may do; each role includes the ones before it."""

    NOBODY = 0
    VISITOR = 1
    """Analyse clips and record them."""
    CURATOR = 2
    """Review: accept, reject, trim, relabel, and undo what they decided themselves."""
    ADMIN = 3
    """Import, extract, train, choose the model in use, delete, and undo anybody's decisions."""

    @property
    def word(self) -> str:
        """The role as users type it."""
        return self.name.lower()


@dataclass(frozen=True)
class Visitor:
    """Somebody using a browser.

    ``name`` comes from a login, "" where they may type one; ``taken`` are the names of people with
    logins, which nobody else may type. ``key`` identifies their quota, ``owner`` their results, ""
    without roles. ``free`` is True without roles: everything is allowed, and any name may be used.
    """

    role: Role
    name: str = ""
    key: str = ""
    taken: frozenset[str] = frozenset()
    free: bool = False
    owner: str = ""

    def may(self, role: Role) -> bool:
        """Whether they have this role or a higher one."""
        return self.role >= role

    def may_be_called(self, name: str) -> bool:
        """Whether they may review under this name."""
        if self.free:
            return True
        if self.name:
            return name == self.name
        # addresses are the names of people who log in with their own account
        return "@" not in name and name.casefold() not in self.taken


_find: Callable[[], Visitor | None] | None = None


def ask_with(find: Callable[[], Visitor | None] | None) -> None:
    """Set the function that finds the current visitor; it returns None when there is none."""
    global _find
    _find = find


def asking() -> Visitor | None:
    """The current visitor; None in the terminal and in the app's own threads."""
    return _find() if _find else None


def require(role: Role, what: str) -> None:
    """Raise NotAllowedError unless the visitor has ``role``; ``what`` names the action."""
    visitor = asking()
    if visitor is not None and not visitor.may(role):
        raise NotAllowedError(
            f"{what} is for the role {role.word}; you have the role {visitor.role.word}. "
            f"Log in as {role.word}, or ask whoever runs gymform here."
        )


def only_for(role: Role, what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the function raises NotAllowedError unless the visitor has ``role``."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            require(role, what)
            return function(*args, **kwargs)

        return guarded

    return decorate


def check_name(name: str) -> None:
    """Raise NotAllowedError when the visitor uses somebody else's name."""
    visitor = asking()
    if visitor is not None and not visitor.may_be_called(name):
        why = f"you are logged in as {visitor.name}" if visitor.name else "it has a login"
        raise NotAllowedError(f"You cannot review under the name {name[:80]}: {why}.")
