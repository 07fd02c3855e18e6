"""Who may use the app, and in which role: the operator's settings, and the rules that follow.

Nothing here depends on Streamlit. The guard (`guard.py`) checks every request with it, the pages
every run.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from gymform.errors import OptionsError
from gymform.roles import Role, Visitor
from gymform.service.passwords import Account, accounts, role_called
from gymform.service.quotas import address_key
from gymform.storage import data_dir, expanded

HOSTS = "GYMFORM_ALLOWED_HOSTS"
ROOTS = "GYMFORM_IMPORT_ROOTS"
ROLES = "GYMFORM_ROLES"
WAITING = "GYMFORM_MAX_WAITING"
UPLOADS = "GYMFORM_UPLOAD_BYTES_PER_DAY"

MAX_WAITING = 2
"""How many analyses of one visitor may wait at the same time."""

UPLOAD_BYTES_PER_DAY = 2 * 1024**3
"""How much one visitor may upload in 24 hours, bytes."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_DEFAULT_PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


@dataclass(frozen=True)
class Client:
    """What is known about a browser: the Host it asked for, its address, and its login.

    ``forwarded`` is True when a proxy passed the request on; ``login`` is the verified e-mail
    address of a login with an account of the user's own, ``account`` belongs to a password.
    ``browser`` is a secret of this browser alone, which the guard gave it.
    """

    host: str = ""
    address: str = ""
    forwarded: bool = False
    login: str = ""
    account: Account | None = None
    browser: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """The operator's settings; ``address`` is where the app listens, "" on all addresses."""

    address: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    roots: tuple[Path, ...] | None = None
    roles: tuple[tuple[str, Role], ...] = ()
    accounts: tuple[Account, ...] = field(default=(), repr=False)
    logins: bool = False
    max_waiting: int = MAX_WAITING
    upload_bytes: int = UPLOAD_BYTES_PER_DAY

    @classmethod
    def read(
        cls,
        address: str | None,
        *,
        logins: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> Settings:
        """The settings from the environment and the password file.

        ``address`` is where the server listens, None on all addresses; ``logins`` says whether
        people can log in with an account of their own. Raises OptionsError for invalid settings.
        """
        roots = environment.get(ROOTS)
        return cls(
            address=address or "",
            hosts=tuple(_host_rule(one) for one in _entries(environment.get(HOSTS, ""))),
            roots=None if roots is None else tuple(_root(one) for one in roots.split(os.pathsep)),
            roles=tuple(_role_rule(one) for one in _entries(environment.get(ROLES, ""))),
            accounts=accounts(environment),
            logins=logins,
            max_waiting=_whole(environment, WAITING, MAX_WAITING),
            upload_bytes=_whole(environment, UPLOADS, UPLOAD_BYTES_PER_DAY),
        )

    # -- where it can be reached -------------------------------------------------------------

    @property
    def local(self) -> bool:
        """Whether only this computer can reach the app, under one of its own names."""
        return is_loopback(self.address) and all(map(is_loopback, self.hosts))

    @property
    def protected(self) -> bool:
        """Whether there is any way to log in."""
        return bool(self.accounts or self.roles or self.logins)

    def host_allowed(self, header: str | None) -> bool:
        """Whether a request may ask for this Host; other names may come from DNS rebinding."""
        host = _host_of(header)
        if not host:
            return False
        if host in _LOOPBACK_NAMES or any(_fits(host, rule) for rule in self.hosts):
            return True
        if is_loopback(self.address):
            return False
        # Nobody can make a numeric address point here, so it is not DNS rebinding.
        own = socket.gethostname().lower()
        return _is_ip(host) or host in (own, f"{own}.local", self.address.lower())

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this Origin may connect: our own, or an allowed host's usual port.

        The second is for a proxy that does not pass on the Host.
        """
        try:
            parts = urlsplit(origin or "")
            port = parts.port
        except ValueError:
            return False
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            return False
        if parts.netloc.lower() == (host or "").lower():
            return True
        usual = port in (None, _DEFAULT_PORTS[parts.scheme])
        return usual and any(_fits(parts.hostname.lower(), rule) for rule in self.hosts)

    # -- who may do what ---------------------------------------------------------------------

    def open_to(self, client: Client) -> bool:
        """Whether everything is allowed: only this computer has access, and no roles are set up."""
        return self.local and not self.protected and not client.forwarded

    def visitor(self, client: Client) -> Visitor:
        """The client with its role and name, and the key of its quota."""
        key = client.login or (client.account.name if client.account else "")
        key = key or self._address(client)
        if self.open_to(client):
            return Visitor(Role.ADMIN, key=key, free=True)
        name = client.login or (client.account.name if client.account else "")
        taken = frozenset(one.name.casefold() for one in self.accounts if one.name)
        return Visitor(self._role(client), name, key, taken, owner=_owner(client, name))

    def _role(self, client: Client) -> Role:
        roles = [self._anonymous()]
        if client.account in self.accounts:  # a removed account grants nothing
            assert client.account is not None
            roles.append(client.account.role)
        roles += [role for rule, role in self.roles if client.login and _fits(client.login, rule)]
        return max(roles)

    def _anonymous(self) -> Role:
        """The role without a login: visitor, unless visitors need a password."""
        granted = {one.role for one in self.accounts} | {role for _, role in self.roles}
        return Role.NOBODY if Role.VISITOR in granted else Role.VISITOR

    def _address(self, client: Client) -> str:
        """The quota key of a client without a login.

        The server trusts what a proxy on this computer says about the client's address. When no
        proxy was set up, somebody may use that to appear as many clients: they share one quota.
        """
        return "forwarded" if client.forwarded and self.local else address_key(client.address)

    # -- folders -----------------------------------------------------------------------------

    def import_roots(self) -> tuple[Path, ...]:
        """Folders below which clips may be imported: those set, else the home folder if local."""
        if self.roots is not None:
            return self.roots
        try:
            return (Path.home(),) if self.local else ()
        except RuntimeError:
            return ()

    def may_import(self, path: Path) -> bool:
        """Whether a path, with links resolved, is below a root and not in gymform's own folder."""
        try:
            real, own = path.resolve(), data_dir().resolve()
            roots = [root.resolve() for root in self.import_roots()]
        except (OSError, RuntimeError, ValueError):  # circular links, a NUL in the name
            return False
        inside = any(real.is_relative_to(root) for root in roots)
        return inside and not real.is_relative_to(own)

    # -- in words ----------------------------------------------------------------------------

    def in_words(self) -> str:
        """Who can use the app for what, for the terminal in which it starts."""
        if self.local:
            who = "Only this computer can reach gymform."
        elif is_loopback(self.address):
            who = "gymform is reached through a proxy on this computer."
        else:
            who = (
                "Everybody who can reach this computer over the network can reach gymform, and "
                "what they send is not encrypted: SECURITY.md says how to change that."
            )
        if self.protected:
            return f"{who} What needs a role needs a login."
        if self.local:
            return f"{who} Everything is open to whoever uses it."
        return (
            f"{who} They can analyse and record clips. Review, import and training are closed "
            "until you set a password: gymform access set-password admin"
        )


def _owner(client: Client, name: str) -> str:
    """Whose results a client's are: those of a login, else of a browser.

    An address would not do: a whole household shares one. Only a hash of the browser's secret is
    kept, so that a copy of the history opens nothing.
    """
    if name:
        return f"login:{name}"
    return f"browser:{hashlib.sha256(client.browser.encode()).hexdigest()[:32]}"


def is_loopback(host: str) -> bool:
    """Whether this is a name or address by which a computer reaches itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_of(header: str | None) -> str:
    """The name or address in a Host header; "" when the header is invalid."""
    try:
        parts = urlsplit(f"//{header or ''}")
        _ = parts.port  # raises when it is not a port
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").lower().rstrip(".")


def _fits(name: str, rule: str) -> bool:
    """Whether a name equals the rule, or ends like a rule that starts with ``*``."""
    name = name.lower()
    return name.endswith(rule[1:]) if rule.startswith("*") else name == rule


# -- reading settings ------------------------------------------------------------------------


def _entries(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _host_rule(text: str) -> str:
    plain = text.removeprefix("*.")
    if "*" in plain or _host_of(f"[{plain}]" if plain.count(":") > 1 else plain) != plain.lower():
        raise OptionsError(
            f"{HOSTS}: expected names or addresses without port, such as gym.example or "
            f"*.gym.example, with commas between; got {text[:80]!r}."
        )
    return text.lower()


def _role_rule(text: str) -> tuple[str, Role]:
    who, _, word = text.rpartition("=")
    who = who.strip().lower()
    if "@" not in who or "*" in who.removeprefix("*@"):
        raise OptionsError(
            f"{ROLES}: expected anna@gym.example=admin or *@gym.example=curator, with commas "
            f"between; got {text[:80]!r}."
        )
    return who, role_called(word.strip())


def _root(text: str) -> Path:
    path = expanded(text.strip())
    if not text.strip() or not path.is_absolute():
        raise OptionsError(
            f"{ROOTS}: expected whole paths of folders with {os.pathsep!r} between; "
            f"got {text[:80]!r}."
        )
    return path


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not text.isdecimal() or not 1 <= int(text) < 2**50:
        raise OptionsError(f"{name}: expected a whole number of 1 or more, got {text[:40]!r}.")
    return int(text)
