"""Texts that pages show: durations, dates, names that came from a user."""

from __future__ import annotations

from datetime import datetime

from gymform.text import cleaned, markdown, shortened


def plain(name: str, length: int = 60) -> str:
    """A user's name for something as text: nothing in it is markup, nor endlessly long."""
    return markdown(shortened(cleaned(name, 10_000), length))


def as_text(text: object, length: int = 2000) -> str:
    """A sentence of gymform's that may quote a user, such as an error, as text."""
    return markdown(cleaned(str(text), length))


def duration(seconds: float) -> str:
    """An estimated duration, rounded as people would say it."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} seconds"
    if seconds < 90:
        return "about a minute"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} hours"


def clock(seconds: float) -> str:
    """A measured duration as a clock shows it: 4:05 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def when(iso: str) -> str:
    """A time in ISO 8601 as day and local time of the computer that runs gymform."""
    try:
        moment = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    return f"{moment.day} {moment:%b, %H:%M}"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 clip``, ``1,024 clips``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: list[str]) -> str:
    """``squat, lunge and row``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))
