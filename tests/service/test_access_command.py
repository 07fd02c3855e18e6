"""The command ``access``: passwords come from the keyboard or a pipe, and go to disk as hashes."""

from __future__ import annotations

import io
import sys

import pytest

from gymform import cli
from gymform.roles import Role
from gymform.service import passwords
from gymform.storage import data_dir

PASSWORD = "five plates on the bar"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "_COST", 4)


@pytest.fixture(name="access")
def _access(monkeypatch, capsys):
    """Runs ``access`` with words and what is piped in: exit code, and what was printed."""

    def run(*words: str, typed: str = PASSWORD) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed + "\n"))
        code = cli.main(["access", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_password_is_set_listed_and_taken_away(access):
    assert "No role has a password" in access("list")[1]
    code, said, _ = access("set-password", "curator")
    assert code == 0
    assert "No admin has a password yet" in said
    assert "No admin" not in access("set-password", "admin", "--name", "Anna")[1]
    assert access("list")[1].split() == ["curator", "(shared)", "admin", "Anna"]
    assert access("remove-password", "admin", "--name", "Anna")[0] == 0
    assert access("remove-password", "admin")[0] == 1
    (left,) = passwords.accounts({})
    assert passwords.matches(PASSWORD, left.hash)


def test_the_password_is_nowhere_in_what_was_kept_or_said(access):
    code, said, problem = access("set-password", "admin")
    assert code == 0
    for text in (said, problem, (data_dir() / "access.json").read_text()):
        assert "plates" not in text


def test_an_entry_for_the_environment_is_printed_and_not_kept(access):
    code, said, _ = access("set-password", "curator", "--name", "Anna", "--print")
    assert code == 0
    (account,) = passwords.accounts({passwords.SETTING: said.strip()})
    assert (account.role, account.name) == (Role.CURATOR, "Anna")
    assert not (data_dir() / "access.json").exists()


def test_a_short_password_is_refused_in_words(access):
    code, _, problem = access("set-password", "admin", typed="short")
    assert code == 1
    assert "10 to 200 characters" in problem
    assert passwords.accounts({}) == ()


def test_a_typed_password_is_asked_for_twice(access, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = iter([PASSWORD, PASSWORD + "x", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert cli.main(["access", "set-password", "admin"]) == 1
    assert cli.main(["access", "set-password", "admin"]) == 0
