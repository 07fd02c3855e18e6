"""The rules: which Host and Origin are ours, who has which role, which folders are open."""

from __future__ import annotations

from pathlib import Path

import pytest

from gymform.errors import OptionsError
from gymform.roles import Role
from gymform.service.access import Client, Settings, is_loopback
from gymform.service.passwords import Account
from gymform.storage import data_dir

ADMIN = Account(Role.ADMIN, "", "hash a")
ANNA = Account(Role.CURATOR, "Anna", "hash b")


def settings(address: str | None = "127.0.0.1", logins: bool = False, **environment: str):
    named = {f"GYMFORM_{name.upper()}": value for name, value in environment.items()}
    return Settings.read(address, logins=logins, environment=named)


# -- Host and Origin -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8501", "LOCALHOST:1", "127.0.0.1:8501", "[::1]:8501", "localhost."],
)
def test_this_computer_s_own_names_are_let_in(host):
    assert settings().host_allowed(host)
    assert settings("0.0.0.0").host_allowed(host)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "localhost.evil.example", "evil.example:8501", "127.0.0.1.nip.io",
     "192.168.1.5", "user@localhost", "localhost/x", "localhost:port", "localhost:99999", "[::1",
     "evil.example#localhost", "\x00"],
)  # fmt: skip
def test_names_of_others_are_not(host):
    assert not settings().host_allowed(host)


@pytest.mark.parametrize("address", ["0.0.0.0", "", None, "::", "192.168.1.5"])
def test_on_a_network_digits_are_let_in_and_names_only_where_allowed(address):
    open_to_all = settings(address)
    assert open_to_all.host_allowed("192.168.1.5:8501")
    assert open_to_all.host_allowed("[fe80::1]:8501")
    assert not open_to_all.host_allowed("evil.example")
    named = settings(address, allowed_hosts="gym.example, *.club.example")
    assert named.host_allowed("gym.example")
    assert named.host_allowed("Laptop.Club.example:8501")
    assert not named.host_allowed("club.example")
    assert not named.host_allowed("evilclub.example")


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://gym.example", "gym.example", True),
        ("https://gym.example", "127.0.0.1:8501", True),  # a proxy that keeps the Host to itself
        ("https://gym.example:444", "127.0.0.1:8501", False),
        ("http://localhost:3000", "localhost:8501", False),  # another program on this computer
        ("http://evil.example", "localhost:8501", False),
        ("http://localhost:8501.evil.example", "localhost:8501", False),
        ("http://evil@localhost:8501", "localhost:8501", False),
        ("file://localhost:8501", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("http://[", "localhost:8501", False),
        ("", "localhost:8501", False),
        (None, None, False),
    ],
)
def test_only_our_own_pages_may_talk_to_us(origin, host, allowed):
    assert settings(allowed_hosts="gym.example").origin_allowed(origin, host) is allowed


# -- roles -----------------------------------------------------------------------------------


def test_on_this_computer_everything_is_open():
    visitor = settings().visitor(Client("localhost:8501", "127.0.0.1"))
    assert visitor.role is Role.ADMIN
    assert visitor.free
    assert visitor.may_be_called("anybody")


def test_results_belong_to_a_login_or_to_a_browser_never_to_an_address():
    """A household shares an address. The browser's secret is not kept, only a hash of it."""
    both = Settings(accounts=(ADMIN, ANNA))
    at_home = {"address": "192.168.1.9"}
    one, other, again = (
        both.visitor(Client(browser=secret, **at_home)).owner
        for secret in ("x" * 43, "y", "x" * 43)
    )
    assert one == again != other
    assert "x" * 10 not in one
    assert both.visitor(Client(account=ANNA, browser="x")).owner == f"login:{ANNA.name}"
    assert both.visitor(Client(login=one)).owner == f"login:{one}" != one
    assert settings().visitor(Client("localhost", "127.0.0.1", browser="x")).owner == ""


@pytest.mark.parametrize(
    ("rules", "client"),
    [
        (settings("0.0.0.0"), Client("192.168.1.5", "192.168.1.9")),
        (settings(None), Client("localhost", "127.0.0.1")),
        (settings(allowed_hosts="gym.example"), Client("localhost", "127.0.0.1")),
        (settings(), Client("localhost", "9.9.9.9", forwarded=True)),
        (settings(roles="a@b.example=admin"), Client("localhost", "127.0.0.1")),
        (settings(logins=True), Client("localhost", "127.0.0.1")),
        (Settings(accounts=(ADMIN,)), Client("localhost", "127.0.0.1")),
    ],
)
def test_wherever_else_a_stranger_is_a_visitor(rules, client):
    visitor = rules.visitor(client)
    assert visitor.role is Role.VISITOR
    assert not visitor.free


def test_a_password_opens_its_role_until_it_is_taken_away():
    both = Settings(accounts=(ADMIN, ANNA))
    assert both.visitor(Client(account=ADMIN)).role is Role.ADMIN
    anna = both.visitor(Client(account=ANNA))
    assert (anna.role, anna.name) == (Role.CURATOR, "Anna")
    assert Settings(accounts=(ADMIN,)).visitor(Client(account=ANNA)).role is Role.VISITOR


def test_with_a_password_for_visitors_a_stranger_is_nobody():
    rules = Settings(accounts=(Account(Role.VISITOR, "", "x"),))
    assert rules.visitor(Client(address="1.2.3.4")).role is Role.NOBODY


@pytest.mark.parametrize(
    ("login", "role"),
    [
        ("anna@gym.example", Role.ADMIN),
        ("ben@gym.example", Role.CURATOR),
        ("eve@evilgym.example", Role.VISITOR),
        ("eve@evil.example", Role.VISITOR),
        ("eve@gym.example.evil.example", Role.VISITOR),
        ("", Role.VISITOR),
    ],
)
def test_roles_of_logins(login, role):
    rules = settings(logins=True, roles="Anna@gym.example = admin, *@gym.example=curator")
    visitor = rules.visitor(Client(login=login))
    assert visitor.role is role
    assert visitor.name == login


def test_a_quota_is_one_s_own_and_cannot_be_multiplied():
    rules = settings("0.0.0.0")
    key = rules.visitor(Client(address="2001:db8::1")).key
    assert key == rules.visitor(Client(address="2001:db8::ffff:2")).key
    assert key != rules.visitor(Client(address="2001:db8:1::1")).key
    forged = [Client(address=f"9.9.9.{n}", forwarded=True) for n in range(3)]
    assert len({settings().visitor(one).key for one in forged}) == 1


# -- folders ---------------------------------------------------------------------------------


@pytest.fixture(name="root")
def _root(tmp_path) -> Path:
    (tmp_path / "open" / "lifts").mkdir(parents=True)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "secret.mp4").touch()
    (tmp_path / "open" / "link").symlink_to(tmp_path / "closed")
    (tmp_path / "open" / "link.mp4").symlink_to(tmp_path / "closed" / "secret.mp4")
    (tmp_path / "open" / "circle").symlink_to(tmp_path / "open" / "circle")
    return tmp_path


@pytest.mark.parametrize("path", ["open", "open/lifts", "open/lifts/../lifts", "open/not there"])
def test_folders_below_a_root_are_open(root, path):
    assert settings(import_roots=str(root / "open")).may_import(root / path)


@pytest.mark.parametrize(
    "path",
    ["", "closed", "closed/secret.mp4", "open/../closed", "open/link", "open/link/secret.mp4",
     "open/link.mp4", "open/circle", "openly", "open/\0", "/etc/passwd"],
)  # fmt: skip
def test_all_others_are_not(root, path):
    assert not settings(import_roots=str(root / "open")).may_import(root / path)


def test_gymform_s_own_folder_is_never_open(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "gymform"))
    (data_dir() / "uploads").mkdir()
    rules = settings(import_roots=str(tmp_path))
    assert rules.may_import(tmp_path / "lifts")
    assert not rules.may_import(data_dir() / "uploads")


def test_without_a_setting_home_is_open_on_this_computer_and_nothing_on_a_network(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna"))
    assert settings().import_roots() == (Path("/home/anna"),)
    assert settings("0.0.0.0").import_roots() == ()
    assert settings(allowed_hosts="gym.example").import_roots() == ()
    assert not settings("0.0.0.0").may_import(Path("/home/anna/lifts"))


# -- reading them ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting",
    [
        {"allowed_hosts": "*"},
        {"allowed_hosts": "http://gym.example"},
        {"allowed_hosts": "gym.example:443"},
        {"import_roots": "lifts"},
        {"import_roots": ""},
        {"roles": "admin"},
        {"roles": "anna=admin"},
        {"roles": "*=admin"},
        {"roles": "anna@gym.example=king"},
        {"max_waiting": "0"},
        {"max_waiting": "two"},
        {"upload_bytes_per_day": "-1"},
    ],
)
def test_a_setting_that_cannot_be_read_is_said_and_lets_nobody_in(setting):
    with pytest.raises(OptionsError, match=r"GYMFORM_|[Ee]xpected"):
        settings(**setting)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (settings(), "Everything is open"),
        (Settings(accounts=(ADMIN,)), "needs a login"),
        (settings("0.0.0.0"), "Everybody who can reach this computer"),
        (settings("0.0.0.0"), "set-password admin"),
        (settings("0.0.0.0"), "not encrypted"),
        (settings(allowed_hosts="gym.example"), "through a proxy"),
    ],
)
def test_what_is_open_is_said_in_words(rules, words):
    assert words in rules.in_words()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("", False),
     ("0.0.0.0", False), ("10.0.0.1", False), ("localhost.evil.example", False)],
)  # fmt: skip
def test_which_addresses_are_this_computer(host, loopback):
    assert is_loopback(host) is loopback
