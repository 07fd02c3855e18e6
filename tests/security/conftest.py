"""The app on a free port, for visitors that mean no good."""

from tests.browser.conftest import serve

__all__ = ["serve"]
