"""The command ``access``: sets, lists and removes the passwords of roles."""

from __future__ import annotations

import argparse
import getpass
import sys

from gymform.errors import OptionsError
from gymform.roles import Role
from gymform.service import passwords
from gymform.service.access import Settings

OK, FAILED = 0, 1

_ROLES = tuple(role.word for role in Role if role is not Role.NOBODY)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``access``."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("list", help="which roles have a password").set_defaults(action=_list)
    add = actions.add_parser(
        "set-password",
        help="ask for a password and store its scrypt hash",
        description="The password is asked for, or read from standard input when that is not a "
        "terminal. Only its scrypt hash is stored. A visitor may analyse and record, a curator may "
        "also review, an admin may do everything.",
    )
    add.add_argument("role", choices=_ROLES)
    add.add_argument(
        "--name", default="", help="for one person, who reviews under this name; else it is shared"
    )
    add.add_argument(
        "--print",
        action="store_true",
        help=f"print the entry for the environment variable {passwords.SETTING}, and store nothing",
    )
    add.set_defaults(action=_set)
    remove = actions.add_parser("remove-password", help="remove a password")
    remove.add_argument("role", choices=_ROLES)
    remove.add_argument("--name", default="")
    remove.set_defaults(action=_remove)


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code."""
    return int(options.action(options))


def _list(options: argparse.Namespace) -> int:
    settings = Settings.read("127.0.0.1")
    for account in settings.accounts:
        _say(f"{account.role.word:<8} {account.name or '(shared)'}")
    for who, role in settings.roles:
        _say(f"{role.word:<8} {who}, by a login of their own")
    if not settings.protected:
        _say("No role has a password: everything is open on this computer, and only here.")
    return OK


def _set(options: argparse.Namespace) -> int:
    role, password = passwords.role_called(options.role), _ask()
    if options.print:
        _say(passwords.as_setting(passwords.make_account(role, password, options.name)))
        return OK
    passwords.set_password(role, password, options.name)
    _say(f"The password for {options.name or options.role} is set, from now on in a running app.")
    if not any(account.role is Role.ADMIN for account in passwords.accounts()):
        _say("No admin has a password yet: nobody can import, train or delete until one has.")
    return OK


def _remove(options: argparse.Namespace) -> int:
    role = passwords.role_called(options.role)
    if passwords.remove_password(role, options.name):
        _say(f"The password for {options.name or options.role} is gone.")
        return OK
    sys.stderr.write(f"gymform: there is no password for {options.name or options.role}\n")
    return FAILED


def _ask() -> str:
    """The password, typed twice or read from a pipe. Raises OptionsError."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise OptionsError("The two passwords are not the same.")
    return password


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
