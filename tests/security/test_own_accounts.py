"""Logins with one's own account, against a provider on the loopback that says what it likes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.security.visitor import Browser, browser, said

pytest.importorskip("authlib", reason="logins need Authlib: pip install Authlib")
from tests.security.provider import Provider, make_key, running_provider

PROJECT = Path(__file__).parents[2]
ANNA, BEN, EVE = "anna@gym.example", "ben@gym.example", "eve@elsewhere.example"


@dataclass
class Gym:
    """The app, and the provider of its users' accounts."""

    port: int
    provider: Provider

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(name="gym", scope="module")
def _gym(serve, tmp_path_factory) -> Iterator[Gym]:
    home = tmp_path_factory.mktemp("home")
    (home / ".streamlit").mkdir()
    with running_provider() as provider:
        address = serve(
            PROJECT / "serve.py",
            HOME=str(home),
            GYMFORM_HOME=str(home / "gymform"),
            GYMFORM_ROLES=f"{ANNA}=admin,*@gym.example=curator",
            NO_PROXY="127.0.0.1,localhost",
        )
        (home / ".streamlit" / "secrets.toml").write_text(provider.secrets(address))
        yield Gym(int(urlsplit(address).port or 0), provider)


def way_to_log_in(gym: Gym) -> str:
    """The address to which the button "Log in with gym" leads."""
    with browser(gym.port) as one:
        seen = one.open("models")
        one.press(seen.id_of("Log in with gym"))
        (url,) = set(re.findall(r'auth_redirect \{\s*url: "([^"]+)"', one.everything))
        return url


def cookies_after_login(gym: Gym) -> dict[str, str]:
    """Follow the way as a browser does, there and back; the cookies that it then has."""
    with httpx.Client(base_url=gym.address, follow_redirects=True, trust_env=False) as client:
        client.get(way_to_log_in(gym))
        client.get("/_stcore/health")  # the token without which no login counts
        return dict(client.cookies)


def as_user(gym: Gym, cookies: dict[str, str]) -> Browser:
    """A session with these cookies."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Browser(
        gym.port,
        host="localhost",
        origin=gym.address,
        headers={"Cookie": header},
        token=cookies["_streamlit_xsrf"],
    )


def seen_on(gym: Gym, page: str, cookies: dict[str, str]) -> str:
    """What the page shows to somebody with these cookies."""
    one = as_user(gym, cookies)
    try:
        return said(one.open(page))
    finally:
        one.close()


def role_of(gym: Gym, cookies: dict[str, str]) -> str:
    """The role that the pages give to somebody with these cookies."""
    (role,) = set(re.findall(r"(?:·|label: \") ?(visitor|Visitor|curator|admin)\"",
                             seen_on(gym, "", cookies)))  # fmt: skip
    return str(role).lower()


@pytest.mark.parametrize(
    ("email", "role"), [(ANNA, "admin"), (ANNA.upper(), "admin"), (BEN, "curator"),
                        (EVE, "visitor"), ("", "visitor"), (f"{ANNA}.evil.example", "visitor"),
                        (f"eve@elsewhere.example,{ANNA}=admin", "visitor")],
)  # fmt: skip
def test_a_verified_address_gives_the_role_that_the_operator_named(gym, email, role):
    gym.provider.next_user(email=email, email_verified=True)
    cookies = cookies_after_login(gym)
    assert "_streamlit_user" in cookies
    assert role_of(gym, cookies) == role
    assert ("For the role admin" in seen_on(gym, "models", cookies)) is False


def test_the_curator_reviews_under_the_address(gym):
    gym.provider.next_user(email=BEN, email_verified=True)
    shown = seen_on(gym, "", cookies_after_login(gym))
    assert "ben@gym.example · curator" in shown.replace("\u2060", "")  # it is there to make no link


@pytest.mark.parametrize("verified", [False, "false", "False", 0, "", None, "no"])
def test_an_address_that_is_not_verified_counts_for_nothing(gym, verified):
    gym.provider.next_user(email=ANNA, email_verified=verified)
    assert role_of(gym, cookies_after_login(gym)) == "visitor"


FORGED = {
    "signed by somebody else": {"signs": make_key()},
    "not signed": {"alg": "none"},
    "signed with a public secret": {"alg": "HS256"},
    "for another app": {"aud": "another"},
    "of another provider": {"iss": "http://evil.example"},
    "too old": {"exp": 1_000_000},
    "of another login": {"nonce": "of yesterday"},
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_identity_is_none(gym, how):
    gym.provider.next_user(**({"email": ANNA, "email_verified": True} | FORGED[how]))
    cookies = cookies_after_login(gym)
    assert "_streamlit_user" not in cookies
    assert role_of(gym, cookies) == "visitor"


def test_an_answer_that_nobody_asked_for_is_none(gym):
    """A login of one's own cannot be slipped to somebody else."""
    gym.provider.next_user(email=ANNA, email_verified=True)
    cookies_after_login(gym)
    with httpx.Client(base_url=gym.address, follow_redirects=True, trust_env=False) as client:
        client.get("/oauth2callback", params={"code": "once", "state": "guessed"})
        client.get("/oauth2callback", params={"code": "once", **gym.provider.asked})
        assert "_streamlit_user" not in dict(client.cookies)


def test_a_changed_cookie_is_none(gym):
    gym.provider.next_user(email=BEN, email_verified=True)
    cookies = cookies_after_login(gym)
    kept = cookies["_streamlit_user"]
    for at in range(0, len(kept), max(1, len(kept) // 12)):
        other = "A" if kept[at] != "A" else "B"
        changed = cookies | {"_streamlit_user": kept[:at] + other + kept[at + 1 :]}
        assert role_of(gym, changed) == "visitor"


def test_who_logs_out_is_a_visitor_again(gym):
    gym.provider.next_user(email=ANNA, email_verified=True)
    with httpx.Client(base_url=gym.address, follow_redirects=True, trust_env=False) as client:
        client.get(way_to_log_in(gym))
        client.get("/_stcore/health")
        one = as_user(gym, dict(client.cookies))
        one.press(one.open().id_of("Log out"))
        assert re.search(r'auth_redirect \{\s*url: "[^"]*logout', one.everything)
        one.close()
        client.get("/auth/logout")
        assert "_streamlit_user" not in dict(client.cookies)
        assert role_of(gym, dict(client.cookies)) == "visitor"


def test_the_provider_is_asked_with_a_challenge_and_for_one_s_own_address(gym):
    gym.provider.next_user(email=ANNA, email_verified=True)
    cookies_after_login(gym)
    assert gym.provider.asked["code_challenge_method"] == "S256"
    assert gym.provider.asked["redirect_uri"] == f"{gym.address}/oauth2callback"
