"""The current visitor's role, and the login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gymform import roles
from gymform.errors import GymformError, OptionsError
from gymform.roles import Role, Visitor
from gymform.service.access import Client, Settings
from gymform.service.guard import COOKIE, WRONG_HOST, WRONG_ORIGIN, is_forwarded, is_secret
from gymform.service.once import Once
from gymform.service.passwords import Account, Door
from gymform.service.quotas import DailyBytes, in_words
from gymform.service.visits import Visits
from pages.components.text import as_text, plain

ACCOUNT = "access-account"
"""Key in a session's state: the account whose password was entered."""

MINE = "access-decisions"
"""Key in a session's state: the numbers of the decisions that were made in it."""


@Once
def door() -> Door:
    """The password check of all sessions."""
    return Door()


@Once
def uploads() -> DailyBytes:
    """The uploads of all visitors in the last 24 hours."""
    return DailyBytes()


@Once
def visits() -> Visits:
    """The visitor of every session."""
    return Visits()


def settings() -> Settings:
    """The operator's current settings. Raises OptionsError."""
    return Settings.read(st.get_option("server.address"), logins=bool(_providers()))


def _providers() -> list[str]:
    """Names of the login providers; one without a name is ""."""
    try:
        auth = st.secrets.get("auth", {})
    except (FileNotFoundError, StreamlitSecretNotFoundError):
        return []
    named = [name for name, value in auth.items() if isinstance(value, Mapping)]
    return named or [""] * bool(auth)


# -- who is it? ------------------------------------------------------------------------------


def visitor() -> Visitor | None:
    """The visitor of this page; None outside a page's run. Raises OptionsError."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    return settings().visitor(_client())


def _client() -> Client:
    headers = dict(st.context.headers.items())
    account = st.session_state.get(ACCOUNT)
    return Client(
        host=st.context.headers.get("Host") or "",
        address=st.context.ip_address or "127.0.0.1",  # None stands for this computer
        forwarded=is_forwarded(headers),
        login=_login(),
        account=account if isinstance(account, Account) else None,
        browser=_browser(),
    )


def _browser() -> str:
    """The secret that the guard gave this browser; without one the session stands for it."""
    secret = str(st.context.cookies.get(COOKIE) or "")
    context = get_script_run_ctx(suppress_warning=True)
    return secret if is_secret(secret) else (context.session_id if context else "")


def _login() -> str:
    """The e-mail address of a login with an account of the user's own; "" without one."""
    user: Mapping[str, Any] = st.user.to_dict()
    verified = str(user.get("email_verified", True)).lower()  # some providers send it as a text
    if user.get("is_logged_in") is not True or verified not in ("true", "1"):
        return ""
    return str(user.get("email") or "")[:80].lower()


def admit() -> None:
    """Let the visitor in, or show why not and stop; call it first in every run.

    The guard around the server has already checked Host and Origin. When the pages were started
    without it, this is the only check.
    """
    roles.ask_with(visitor)
    try:
        rules, who = settings(), visitor()
    except OptionsError as error:
        st.error(as_text(error), icon=":material/error:")
        st.stop()
    headers = st.context.headers
    if "Host" in headers:  # there are none in a test without a browser
        if not rules.host_allowed(headers["Host"]):
            _turn_away(WRONG_HOST)
        if not rules.origin_allowed(headers.get("Origin"), headers["Host"]):
            _turn_away(WRONG_ORIGIN)
    context = get_script_run_ctx()
    if context is not None and who is not None:
        visits().note(context.session_id, who)
    if who is not None and not who.free:
        _who_is_it(who)
        page_for(Role.VISITOR, "gymform")


def _turn_away(why: str) -> None:
    st.error(as_text(why), icon=":material/block:")
    st.stop()


def page_for(role: Role, title: str) -> None:
    """Continue with a page only for this role; else show how to get it, and stop."""
    try:
        who = visitor()
    except OptionsError as error:
        st.title(title)
        st.error(as_text(error), icon=":material/error:")
        st.stop()
    if who is None or who.may(role):
        return
    st.title(title)
    st.info(
        f"This is for the role {role.word}. Log in, or ask whoever runs gymform here.",
        icon=":material/lock:",
    )
    with st.container(border=True, width=480):
        _ways_in("page")
    st.stop()


def may(role: Role) -> bool:
    """Whether the visitor of this page has the role."""
    who = visitor()
    return who is None or who.may(role)


# -- logging in ------------------------------------------------------------------------------


def _who_is_it(who: Visitor) -> None:
    """Name and role at the top of the page, with buttons to log in or out."""
    label = f"{plain(who.name, 24)} · {who.role.word}" if who.name else who.role.word.capitalize()
    if who.role is Role.NOBODY:
        label = "Log in"
    with (
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover(label, icon=":material/account_circle:"),
    ):
        if _login() or st.session_state.get(ACCOUNT):
            st.button("Log out", icon=":material/logout:", on_click=_log_out)
        if who.role is not Role.ADMIN:
            _ways_in("top")


def _ways_in(key: str) -> None:
    """The form for a password and the buttons of the login providers, if there are any."""
    rules = settings()
    if problem := st.session_state.pop("access-problem", None):
        st.error(as_text(problem), icon=":material/error:")
    if rules.accounts:
        with st.form(f"access-{key}", clear_on_submit=True, border=False):
            st.text_input(
                "Name",
                key=f"access-name-{key}",
                max_chars=80,
                help="Only where you were given a password of your own.",
            )
            st.text_input("Password", key=f"access-password-{key}", type="password", max_chars=200)
            st.form_submit_button("Log in", type="primary", on_click=_log_in, args=(key,))
    for provider in _providers():
        where = f" with {plain(provider)}" if provider else " with your account"
        if st.button(f"Log in{where}", key=f"access-{key}-{provider}", icon=":material/login:"):
            st.login(provider or None)
    if not rules.protected:
        st.markdown(
            "No password has been set. Whoever runs gymform sets one in the terminal: "
            "`gymform access set-password admin`"
        )


def _log_in(key: str) -> None:
    state = st.session_state
    name, password = (str(state.get(f"access-{one}-{key}") or "") for one in ("name", "password"))
    who = visitor()
    address = who.key if who else ""
    try:
        known = settings().accounts
        state[ACCOUNT] = door().log_in(known, password, name=name, address=address)
    except GymformError as error:
        state["access-problem"] = str(error)
        return
    state.pop("reviewer-name", None)


def _log_out() -> None:
    for key in (ACCOUNT, "reviewer-name", MINE):
        st.session_state.pop(key, None)
    if _login():
        st.logout()


# -- what a visitor may use up ---------------------------------------------------------------


def owner() -> tuple[str, int] | None:
    """The visitor's quota key and how many of their analyses may wait; None without a limit."""
    who = visitor()
    if who is None or who.role > Role.VISITOR:
        return None
    return who.key, settings().max_waiting


def charge_upload(count: int) -> None:
    """Count bytes that were not uploaded as a file. Raises QuotaError."""
    who = visitor()
    if who is not None and who.role <= Role.VISITOR:
        uploads().charge(who.key, count, settings().upload_bytes)


def tell_upload_quota() -> None:
    """Show how much may still be uploaded, when it is little."""
    who = visitor()
    if who is None or who.role > Role.VISITOR:
        return
    limit = settings().upload_bytes
    left = uploads().left(who.key, limit)
    if left < limit / 4:
        st.caption(
            f":material/data_usage: {in_words(left)} of the {in_words(limit)} that one visitor may "
            "upload in 24 hours are left."
        )


# -- whose decisions -------------------------------------------------------------------------


def reviewer_of_login() -> str:
    """The reviewer's name from a login, else ""."""
    who = visitor()
    return who.name if who else ""


def own_decisions() -> set[int] | None:
    """Decisions that this session may undo; None for all that were made under its name.

    A typed name proves nothing, so decisions made under it in other sessions stay.
    """
    who = visitor()
    if who is None or who.name or who.may(Role.ADMIN):
        return None
    mine: set[int] = st.session_state.setdefault(MINE, set())
    return mine
