"""The history: rows for analyses, found again, noted, restored, and each seen by its owner."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from gymform import roles
from gymform.errors import GymformError, NotAllowedError, OptionsError
from gymform.roles import Role, Visitor
from gymform.service.history import (
    DONE,
    FAILED,
    MAX_STARTS,
    SCHEMA,
    WAITING,
    Entry,
    History,
    owner_of_new,
    whose,
)
from gymform.storage import data_dir

KEY, OTHER_KEY = "a" * 64, "b" * 64
SUMMARY = {"exercise": "squat", "verdict": "Squat, 3 repetitions: deep in 2 of 3.", "frames": 150}


@pytest.fixture(name="history")
def _history():
    with_file = History.open()
    yield with_file
    with_file.close()


@pytest.fixture(name="visit")
def _visit():
    """Whoever asks from now on."""

    def visit(owner: str, role: Role = Role.VISITOR) -> None:
        roles.ask_with(lambda: Visitor(role, owner=owner))

    yield visit
    roles.ask_with(None)


def add(history: History, key: str = KEY, owner: str = "", **more) -> Entry:
    given = {"name": "squat.mp4", "path": Path("/x/clip.mp4"), "options": {"flip_test": True}}
    return history.add(key, **given | more, clip_sha256="c" * 64, owner=owner)


def done(history: History, key: str = KEY, owner: str = "", **notes) -> Entry:
    entry = add(history, key, owner)
    history.finish(key, SUMMARY, 12.0)
    return history.edit(entry.address, **notes) if notes else history.get(entry.address)


def test_a_row_is_found_again_by_an_address_that_cannot_be_guessed(history):
    entry = add(history)
    again = History.open()
    assert again.get(entry.address) == entry
    again.close()
    assert len(entry.address) >= 22  # 128 random bits
    assert entry.state == WAITING
    assert entry.options == {"flip_test": True}
    assert entry.address != add(history, OTHER_KEY).address
    assert history.get("nobody") is None
    assert history.get(entry.address[:-1]) is None


def test_one_owner_has_one_row_for_a_result_and_two_owners_have_two(history):
    first = add(history, owner="login:anna")
    assert add(history, owner="login:anna").address == first.address
    assert add(history, owner="login:ben").address != first.address


def test_what_was_found_is_kept_and_is_the_exercise_until_somebody_says_another(history):
    entry = done(history)
    assert (entry.state, entry.found, entry.exercise) == (DONE, "squat", "squat")
    assert entry.verdict.startswith("Squat, 3")
    assert entry.took_s == 12.0
    history.edit(entry.address, exercise="Zercher squat")
    history.finish(KEY, SUMMARY, None)  # analysed again
    entry = history.get(entry.address)
    assert (entry.exercise, entry.took_s) == ("Zercher squat", 12.0)


def test_a_failure_says_why_and_waits_again_when_asked_for_again(history):
    entry = add(history)
    history.fail(KEY, "Nobody was found.")
    assert history.get(entry.address).problem == "Nobody was found."
    again = add(history)
    assert (again.address, again.state, again.problem) == (entry.address, WAITING, "")
    done(history)
    history.fail(KEY, "too late")
    assert history.get(entry.address).state == DONE


# -- restarts ----------------------------------------------------------------------------------


def test_what_waited_is_taken_up_again_but_not_for_ever(history):
    assert not history.is_waiting()
    first, second = add(history), add(history, OTHER_KEY)
    add(history, owner="login:ben")  # the same job
    done(history, "d" * 64)
    assert history.is_waiting()
    for _ in range(MAX_STARTS):
        assert [one.key for one in history.unfinished()] == [first.key, second.key]
        history.begin(first.key)
        history.begin(second.key)
    assert history.unfinished() == []
    assert history.get(first.address).state == FAILED
    assert "ended twice" in history.get(second.address).problem


def test_what_only_waited_is_taken_up_however_often_the_app_ends(history):
    running, waiting = add(history), add(history, OTHER_KEY)
    for _ in range(5):
        history.begin(running.key)
        history.unfinished()
    assert history.get(running.address).state == FAILED
    assert [one.key for one in history.unfinished()] == [waiting.key]


def test_rows_of_another_version_are_refused_and_left_alone(history):
    add(history)
    history.close()
    path = data_dir() / "history.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(GymformError, match="later version"):
        History.open()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)


def test_a_damaged_file_is_said_without_its_path(tmp_path):
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(GymformError, match="damaged") as caught:
        History.open(path)
    assert str(tmp_path) not in str(caught.value)


def test_a_change_that_fails_half_way_changes_nothing(history):
    rows = history.take(key=done(history).key)
    broken = {**rows[0], "address": "x", "key": OTHER_KEY, "took_s": "no number"}
    with pytest.raises(GymformError):
        history.put_back([*rows, broken])
    assert history.find()[1] == 0


# -- looking -----------------------------------------------------------------------------------


def test_filters_and_words(history):
    done(history, "1" * 64, lifter="Anna", load_kg=80, note="felt 100% easy", day="2026-01-02")
    done(history, "2" * 64, lifter="Ben", exercise="deadlift", favourite=True, day="2026-01-03")
    names = lambda **asked: [one.lifter for one in history.find(**asked)[0]]  # noqa: E731
    assert names() == ["Ben", "Anna"]
    assert names(search="anna EASY") == ["Anna"]
    assert names(search="100%") == ["Anna"]
    assert names(search="%") == ["Anna"]  # no wildcard
    assert names(search="_nna") == []
    assert names(exercise="deadlift") == ["Ben"]
    assert names(lifter="Anna") == ["Anna"]
    assert names(favourites=True) == ["Ben"]
    assert names(first=1, most=1) == ["Anna"]
    assert history.find(most=1)[1] == 2
    assert history.choices("lifter") == ["Anna", "Ben"]
    assert history.choices("exercise") == ["deadlift", "squat"]
    with pytest.raises(ValueError, match="note"):
        history.choices("note")


def test_five_thousand_results_are_listed_in_a_moment(history):
    """The page shows one sheet and the choices of its filters; in all it may take a second."""
    one = {**asdict(done(history, lifter="Anna")), "name": "clip.mov"}
    history.put_back(
        {**one, "address": f"{n}", "key": f"{n:064d}", "lifter": f"Lifter {n % 50}",
         "day": f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}"}
        for n in range(5000)
    )  # fmt: skip
    began = time.perf_counter()
    entries, total = history.find(search="lifter 4", most=12)
    assert len(entries) == 12
    assert history.find()[1] == 5001
    assert len(history.choices("lifter")) == 51
    assert history.choices("exercise") == ["squat"]
    assert total == 1400  # 4, 14, 24, 34 and 40 to 49
    assert time.perf_counter() - began < 0.5


def test_the_pace_is_the_median_of_the_last_analyses(history):
    assert history.pace() is None
    for number, took_s in enumerate((3.0, 15.0, 600.0)):
        entry = add(history, f"{number:064d}")
        history.finish(entry.key, SUMMARY, took_s)
    assert history.pace() == pytest.approx(0.1)


# -- whose -------------------------------------------------------------------------------------


def test_a_visitor_lists_and_changes_their_own_and_an_admin_all(history, visit):
    visit("browser:eve")
    mine = done(history, "1" * 64, owner_of_new())
    visit("login:anna")
    assert owner_of_new() == whose() == "login:anna"
    hers = done(history, "2" * 64, owner_of_new(), lifter="Anna")
    assert [one.address for one in history.find()[0]] == [hers.address]
    assert history.choices("lifter") == ["Anna"]
    assert history.get(mine.address) == mine  # whoever has the address
    for act in (lambda: history.edit(mine.address, note="x"),
                lambda: history.check_mine(mine.address)):  # fmt: skip
        with pytest.raises(NotAllowedError, match="somebody else"):
            act()
    assert history.get(mine.address).note == ""
    visit("login:boss", Role.ADMIN)
    assert history.find()[1] == 2
    history.edit(mine.address, note="seen")
    visit("browser:nobody")
    assert history.find() == ([], 0)


def test_a_new_reference_takes_the_place_of_the_lifter_s_former_one(history):
    first = done(history, "1" * 64, lifter="Anna", reference=True)
    other = done(history, "2" * 64, lifter="Ben", reference=True)
    assert history.reference_of("squat", "Anna").address == first.address
    second = done(history, "3" * 64, lifter="Anna", reference=True)
    assert history.reference_of("squat", "Anna").address == second.address
    assert not history.get(first.address).reference
    assert history.get(other.address).reference
    assert history.reference_of("deadlift", "Anna") is None
    assert history.favourite_keys() == {"2" * 64, "3" * 64}


@pytest.mark.parametrize(
    ("notes", "kept"),
    [
        ({"lifter": "  An\x00na\n\u202e " * 40}, None),
        ({"load_kg": "102.5"}, 102.5),
        ({"load_kg": None}, None),
        ({"note": "two\nlines\x1b[2J"}, "two\nlines[2J"),
        ({"day": "2026-03-31"}, "2026-03-31"),
    ],
)
def test_notes_are_made_safe(history, notes, kept):
    ((name, _),) = notes.items()
    entry = history.edit(done(history).address, **notes)
    value = getattr(entry, name)
    if name == "lifter":
        assert value.startswith("Anna Anna")
        assert len(value) <= 80
    else:
        assert value == kept


@pytest.mark.parametrize(
    "notes", [{"load_kg": -1}, {"load_kg": "nan"}, {"load_kg": "a lot"}, {"day": "31.3.2026"}]
)
def test_values_that_are_none_are_refused_and_nothing_changes(history, notes):
    entry = done(history)
    with pytest.raises(OptionsError, match=r"[Ee]xpected"):
        history.edit(entry.address, lifter="Anna", **notes)
    assert history.get(entry.address) == entry


def test_no_row_is_said(history):
    with pytest.raises(OptionsError, match="no result at this address"):
        history.edit("nowhere", note="x")


# -- going and coming back ---------------------------------------------------------------------


def test_rows_are_taken_out_and_come_back_as_they_were(history):
    entry = done(history, lifter="Anna", load_kg=100, favourite=True)
    by_clip = add(history, OTHER_KEY)  # the same clip, other options
    rows = history.take(key=KEY, clip_sha256="c" * 64)
    assert history.get(entry.address) is None
    history.put_back(rows)
    assert history.get(entry.address) == entry
    assert history.get(by_clip.address) == by_clip
    history.put_back([{**rows[0], "lifter": "Eve"}])  # what is there stays
    assert history.get(entry.address) == entry


def test_only_what_was_never_finished_is_dropped(history):
    waiting, finished = add(history, OTHER_KEY), done(history)
    history.drop(waiting.address)
    history.drop(finished.address)
    assert history.get(waiting.address) is None
    assert history.get(finished.address) == finished


def test_rows_without_files_are_forgotten(history):
    kept, gone = done(history), done(history, OTHER_KEY)
    waiting = add(history, "d" * 64)
    assert history.prune({KEY}) == 1
    assert history.get(gone.address) is None
    assert history.get(kept.address) == kept
    assert history.get(waiting.address) == replace(waiting)
