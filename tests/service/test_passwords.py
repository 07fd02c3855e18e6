"""Passwords: kept as hashes only, and guessed slowly."""

from __future__ import annotations

import json
import re

import pytest

from gymform.errors import NotAllowedError, OptionsError
from gymform.roles import Role
from gymform.service import passwords
from gymform.service.passwords import Account, Door
from gymform.storage import data_dir

PASSWORD = "five plates on the bar"


@pytest.fixture(name="cheap", autouse=True)
def _cheap(monkeypatch):
    """Hashes that cost little; one test looks at the real cost."""
    monkeypatch.setattr(passwords, "_COST", 4)


def test_a_hash_fits_its_password_and_no_other():
    made = passwords.hashed(PASSWORD)
    assert passwords.matches(PASSWORD, made)
    assert not passwords.matches(PASSWORD + "!", made)
    assert not passwords.matches("", made)
    assert passwords.hashed(PASSWORD) != made, "each has a salt of its own"


def test_a_hash_costs_what_it_should(monkeypatch):
    monkeypatch.undo()
    assert re.fullmatch(r"scrypt:15:8:1:[\w-]{22}:[\w-]{43}", passwords.hashed(PASSWORD))


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_has_a_length(password):
    with pytest.raises(OptionsError, match="10 to 200 characters"):
        passwords.hashed(password)


def test_only_hashes_are_on_disk_and_only_their_owner_reads_them():
    passwords.set_password(Role.ADMIN, PASSWORD)
    passwords.set_password(Role.CURATOR, PASSWORD + "!", "Anna")
    file = data_dir() / "access.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "plates" not in file.read_text()
    assert [(one.role, one.name) for one in passwords.accounts({})] == [
        (Role.ADMIN, ""),
        (Role.CURATOR, "Anna"),
    ]


def test_a_new_password_takes_the_place_of_the_old():
    passwords.set_password(Role.ADMIN, PASSWORD)
    passwords.set_password(Role.ADMIN, "another one, longer")
    (account,) = passwords.accounts({})
    assert not passwords.matches(PASSWORD, account.hash)
    assert passwords.remove_password(Role.ADMIN)
    assert not passwords.remove_password(Role.ADMIN)
    assert passwords.accounts({}) == ()


def test_the_environment_holds_hashes_too():
    made = passwords.make_account(Role.CURATOR, PASSWORD, "Anna")
    setting = f" {passwords.as_setting(made)} , visitor={passwords.hashed(PASSWORD)}"
    assert passwords.accounts({passwords.SETTING: setting})[0] == made
    assert passwords.accounts({passwords.SETTING: setting})[1].role is Role.VISITOR


@pytest.mark.parametrize(
    "setting",
    ["admin=hunter22222", "hunter22222", "admin=scrypt:99:8:1:YWJj:hunter22222", "chef=x"],
)
def test_a_password_in_the_environment_is_refused_and_not_repeated(setting):
    with pytest.raises(OptionsError, match="ROLE=HASH") as caught:
        passwords.accounts({passwords.SETTING: setting})
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"accounts": 5}', '{"accounts": [{"role": "admin"}]}',
     '{"accounts": [{"role": "admin", "name": "", "hash": "plain"}]}'],
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(content):
    (data_dir() / "access.json").write_text(content)
    with pytest.raises(OptionsError, match=r"access\.json"):
        passwords.accounts({})


@pytest.mark.parametrize("name", ["a,b", "a=b", "a/b", "a@b", " a", "a\n", "x" * 81])
def test_a_name_that_could_be_mistaken_is_refused(name):
    with pytest.raises(OptionsError, match="name"):
        passwords.make_account(Role.CURATOR, PASSWORD, name)


# -- logging in ------------------------------------------------------------------------------


@pytest.fixture(name="known")
def _known() -> tuple[Account, ...]:
    make = passwords.make_account
    return (
        make(Role.CURATOR, PASSWORD),
        make(Role.ADMIN, "the owner's own words"),
        make(Role.CURATOR, "Anna's own words", "Anna"),
    )


def test_the_password_opens_its_role(known):
    assert Door().log_in(known, PASSWORD).role is Role.CURATOR
    assert Door().log_in(known, "the owner's own words").role is Role.ADMIN
    assert Door().log_in(known, "Anna's own words", name="anna ").name == "Anna"


@pytest.mark.parametrize(
    ("password", "name"),
    [("wrong", ""), ("Anna's own words", ""), (PASSWORD, "Anna"), (PASSWORD, "Ben"), ("", "")],
)
def test_anything_else_opens_nothing(known, password, name):
    with pytest.raises(NotAllowedError, match="no password"):
        Door().log_in(known, password, name=name)


def test_whoever_guesses_waits_longer_and_longer(known):
    now = [0.0]
    door = Door(clock=lambda: now[0])
    tried = 0
    while now[0] < 3600:
        try:
            door.log_in(known, f"guess {now[0]}", address="evil")
        except NotAllowedError as error:
            tried += "no password" in str(error)
        now[0] += 1.0
    assert tried < 5 + 10 + 3600 / passwords.MAX_WAIT_S
    with pytest.raises(NotAllowedError, match="Wait"):
        door.log_in(known, PASSWORD, address="evil")
    assert door.log_in(known, PASSWORD, address="somebody else")


def test_the_right_password_ends_the_wait(known):
    now = [0.0]
    door = Door(clock=lambda: now[0])
    for _ in range(passwords.FREE_TRIES):
        with pytest.raises(NotAllowedError):
            door.log_in(known, "wrong", address="a")
    now[0] += 1.1
    door.log_in(known, PASSWORD, address="a")
    with pytest.raises(NotAllowedError, match="no password"):
        door.log_in(known, "wrong", address="a")


def test_the_file_can_be_read_by_people():
    passwords.set_password(Role.VISITOR, PASSWORD)
    content = json.loads((data_dir() / "access.json").read_text())
    assert content["accounts"][0].keys() == {"role", "name", "hash"}
