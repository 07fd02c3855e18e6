"""Fixtures of the tests of pages."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _own_main(monkeypatch):
    """The program's main module comes back after each test.

    AppTest puts the page's script in its place, which processes that a later test spawns would run.
    """
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
