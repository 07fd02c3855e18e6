"""Who is asking, and what they may do.

A function that only some may use says so itself, by :func:`only_for`: it holds whichever page calls
it, and whatever buttons were hidden or disabled. In the terminal, and in the app's own threads,
nobody is asking, and everything may be done.
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
    """What somebody may do; each may also do what those before it may."""

    NOBODY = 0
    VISITOR = 1
    """Analyse clips and record them."""
    CURATOR = 2
    """Review: accept, reject, trim, relabel, and undo what they decided themselves."""
    ADMIN = 3
    """Import, extract, train, take models into use, delete, and undo what anybody decided."""

    @property
    def word(self) -> str:
        """The role as people type it."""
        return self.name.lower()


@dataclass(frozen=True)
class Visitor:
    """Somebody in front of a browser.

    ``name`` is their own by a login, "" where they may type one; ``taken`` are the names of others
    that nobody may type. ``key`` says whose quota they use up. ``free`` where there are no roles:
    everything is open, and any name may be used.
    """

    role: Role
    name: str = ""
    key: str = ""
    taken: frozenset[str] = frozenset()
    free: bool = False

    def may(self, role: Role) -> bool:
        """Do they have this role, or a higher one?"""
        return self.role >= role

    def may_be_called(self, name: str) -> bool:
        """May they review under this name?"""
        if self.free:
            return True
        if self.name:
            return name == self.name
        # addresses are the names of people who log in with their own account
        return "@" not in name and name.casefold() not in self.taken


_find: Callable[[], Visitor | None] | None = None


def ask_with(find: Callable[[], Visitor | None] | None) -> None:
    """From now on ``find`` says who is asking; it answers None where nobody is."""
    global _find
    _find = find


def asking() -> Visitor | None:
    """Who is asking, None in the terminal and in the app's own threads."""
    return _find() if _find else None


def require(role: Role, what: str) -> None:
    """Raise NotAllowedError unless whoever is asking has ``role``; ``what`` they want to do."""
    visitor = asking()
    if visitor is not None and not visitor.may(role):
        raise NotAllowedError(
            f"{what} is for the role {role.word}; you have the role {visitor.role.word}. "
            f"Log in as {role.word}, or ask whoever runs gymform here."
        )


def only_for(role: Role, what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function raise NotAllowedError when whoever is asking does not have ``role``."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            require(role, what)
            return function(*args, **kwargs)

        return guarded

    return decorate


def check_name(name: str) -> None:
    """Raise NotAllowedError when whoever is asking uses a name that is somebody else's."""
    visitor = asking()
    if visitor is not None and not visitor.may_be_called(name):
        why = f"you are logged in as {visitor.name}" if visitor.name else "it has a login"
        raise NotAllowedError(f"You cannot review under the name {name[:80]}: {why}.")
