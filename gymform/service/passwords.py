"""Passwords of roles: stored as scrypt hashes, slow to check, with limited attempts.

An account is a role with a password. It may have a name, for one person; one without is shared by
all who know the password. Accounts are in ``access.json`` in gymform's folder, which
``gymform access set-password`` writes, and in the environment variable GYMFORM_PASSWORDS.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gymform.errors import NotAllowedError, OptionsError
from gymform.roles import Role
from gymform.storage import atomic_path, data_dir

SETTING = "GYMFORM_PASSWORDS"

MIN_LENGTH, MAX_LENGTH = 10, 200
"""Fewest and most characters of a password."""

MAX_NAME = 80
"""Most characters of an account's name, as for a reviewer's."""

FREE_TRIES = 5
"""Wrong passwords from one address before it has to wait."""

MAX_WAIT_S = 300.0
"""Longest wait after many wrong passwords; it doubles from one second."""

_COST, _BLOCK, _PARALLEL = 15, 8, 1
"""scrypt with 2^15 rounds and blocks of 1 KiB: 32 MiB and about a tenth of a second."""

_MEMORY = 64 * 1024 * 1024
_ADDRESSES = 10_000
"""Addresses whose wrong passwords are counted, the latest ones."""

FORM = (
    f"{SETTING}: expected ROLE=HASH or ROLE/NAME=HASH, with commas between, and each hash as "
    "`access set-password ROLE --print` makes it. A password itself has no place there."
)


@dataclass(frozen=True)
class Account:
    """A role with a password; ``name`` is "" when people share it."""

    role: Role
    name: str
    hash: str


# -- hashes ----------------------------------------------------------------------------------


def hashed(password: str) -> str:
    """``scrypt:15:8:1:SALT:KEY`` for a password. Raises OptionsError when it is too short or long.

    The salt is random. No character is special in a shell.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise OptionsError(
            f"Expected a password of {MIN_LENGTH} to {MAX_LENGTH} characters, got {len(password)}. "
            "A few words in a row are easy to remember."
        )
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    parts = (_COST, _BLOCK, _PARALLEL, _text(salt), _text(key))
    return ":".join(("scrypt", *map(str, parts)))


def matches(password: str, stored: str) -> bool:
    """Whether ``stored`` is the hash of this password."""
    _, cost, block, parallel, salt, key = stored.split(":")
    if len(password) > MAX_LENGTH:
        return False
    made = _scrypt(password, _bytes(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(made, _bytes(key))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=2**cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_hash(text: str) -> bool:
    """Whether it is a valid hash that is not too expensive to check."""
    with contextlib.suppress(ValueError):
        kind, cost, block, parallel, salt, key = text.split(":")
        numbers = 1 <= int(cost) <= _COST and 1 <= int(block) <= 8 and 1 <= int(parallel) <= 4
        return kind == "scrypt" and numbers and len(_bytes(salt)) >= 16 and len(_bytes(key)) == 32
    return False


# -- where accounts are kept -----------------------------------------------------------------


def accounts(environment: Mapping[str, str] = os.environ) -> tuple[Account, ...]:
    """All accounts, from the file and from the environment.

    Raises OptionsError when either cannot be read, so that a mistake grants nothing.
    """
    return (*_in_file(_file()), *_in_setting(environment.get(SETTING, "")))


def set_password(role: Role, password: str, name: str = "") -> None:
    """Store the hash of a password for a role, or one person in it. Raises OptionsError."""
    kept = [one for one in _in_file(_file()) if (one.role, one.name) != (role, name)]
    _write([*kept, make_account(role, password, name)])


def make_account(role: Role, password: str, name: str = "") -> Account:
    """An account with this password. Raises OptionsError for a name that cannot be used."""
    plain = name.isprintable() and name == name.strip() and not set(name) & set(",=/@")
    if len(name) > MAX_NAME or not plain:
        raise OptionsError(
            f"Expected a name of at most {MAX_NAME} characters without , = / or @; "
            f"got {name[:MAX_NAME]!r}."
        )
    return Account(role, name, hashed(password))


def remove_password(role: Role, name: str = "") -> bool:
    """Remove an account from the file; False when there is none. Raises OptionsError."""
    before = _in_file(_file())
    kept = [one for one in before if (one.role, one.name) != (role, name)]
    _write(kept)
    return len(kept) < len(before)


def as_setting(account: Account) -> str:
    """The account as GYMFORM_PASSWORDS holds it."""
    return f"{account.role.word}{'/' + account.name if account.name else ''}={account.hash}"


def _file() -> Path:
    try:
        return data_dir() / "access.json"
    except OSError as error:
        raise OptionsError(
            f"gymform cannot use its data folder ({error.strerror}). Set GYMFORM_HOME to a folder "
            "that can be written, and start it again."
        ) from None


def _in_file(path: Path) -> list[Account]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [_account(one["role"], one["name"], one["hash"]) for one in content["accounts"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionsError(
            f"{path.name} in gymform's folder cannot be read ({type(error).__name__}). Set the "
            "passwords anew: delete that file, then use `access set-password`."
        ) from None


def _in_setting(text: str) -> list[Account]:
    found = []
    for entry in filter(None, map(str.strip, text.split(","))):
        who, _, stored = entry.partition("=")
        role, _, name = who.partition("/")
        try:
            found.append(_account(role, name, stored))
        except (ValueError, TypeError):
            raise OptionsError(FORM) from None  # the entry is not quoted: it may be a password
    return found


def _account(role: str, name: str, stored: str) -> Account:
    if not _is_hash(stored):
        raise ValueError("not a hash")
    return Account(role_called(role), str(name), stored)


def role_called(word: str) -> Role:
    """The role of that name. Raises OptionsError."""
    roles = {role.word: role for role in Role if role is not Role.NOBODY}
    if word not in roles:
        raise OptionsError(f"Expected a role of {', '.join(roles)}, got {word[:40]!r}.")
    return roles[word]


def _write(kept: Iterable[Account]) -> None:
    entries = [{"role": one.role.word, "name": one.name, "hash": one.hash} for one in kept]
    try:
        with atomic_path(_file()) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump({"accounts": entries}, file, indent=1)
    except OSError as error:
        raise OptionsError(f"The passwords cannot be kept: {error.strerror}.") from None


# -- logging in ------------------------------------------------------------------------------


class Door:
    """Checks passwords one at a time; after wrong ones, an address has to wait ever longer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def log_in(
        self, known: Iterable[Account], password: str, *, name: str = "", address: str = ""
    ) -> Account:
        """The account with this password, the one of the highest role.

        Raises NotAllowedError when there is none, or when ``address`` has to wait.
        """
        with self._lock:
            self._check_wait(address)
            asked = [one for one in known if one.name.casefold() == name.strip().casefold()]
            opened = [one for one in asked if matches(password, one.hash)]
            if (
                not asked
            ):  # takes as long as a wrong password, so as not to reveal which names exist
                _scrypt(password[:MAX_LENGTH], bytes(16), _COST, _BLOCK, _PARALLEL)
            if opened:
                self._wrong.pop(address, None)
                return max(opened, key=lambda one: one.role)
            self._note_wrong(address)
        raise NotAllowedError("That is no password of gymform here, or not of that name.")

    def _check_wait(self, address: str) -> None:
        count, last = self._wrong.get(address, (0, 0.0))
        if count < FREE_TRIES:
            return
        left = last + min(2.0 ** (count - FREE_TRIES), MAX_WAIT_S) - self._clock()
        if left > 0:
            raise NotAllowedError(
                f"{count} wrong passwords came from this address. Wait {left:.0f} seconds and try "
                "again."
            )

    def _note_wrong(self, address: str) -> None:
        count, _ = self._wrong.get(address, (0, 0.0))
        self._wrong[address] = (count + 1, self._clock())
        self._wrong.move_to_end(address)
        if len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)
