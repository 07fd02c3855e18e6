"""ICE servers, through which a browser and a host in different networks find each other.

None are needed on one computer or in one local network, and none are used by default.
"""

from __future__ import annotations

import json
from typing import Any

from gymform.errors import OptionsError

SETTING = "GYMFORM_ICE_SERVERS"
"""The environment variable (or Streamlit secret) that lists them."""

_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")
_KEYS = {"urls", "username", "credential"}


def parse_ice_servers(text: str) -> list[dict[str, Any]]:
    """The servers in ``text``: addresses separated by commas, or JSON as for a browser.

        stun:stun.example.org:3478, stun:stun2.example.org
        [{"urls": "turn:turn.example.org", "username": "me", "credential": "secret"}]

    Raises OptionsError, which never quotes a credential.
    """
    text = text.strip()
    if not text:
        return []
    if not text.startswith(("[", "{")):
        return [_checked({"urls": part.strip()}) for part in text.split(",") if part.strip()]
    try:
        servers = json.loads(text)
    except ValueError:
        raise OptionsError(f"{SETTING} starts like JSON but is not valid JSON.") from None
    return [_checked(server) for server in (servers if isinstance(servers, list) else [servers])]


def _checked(server: Any) -> dict[str, Any]:
    """A copy of ``server`` if it has the form that browsers expect, else OptionsError."""
    if not isinstance(server, dict) or not set(server) <= _KEYS or "urls" not in server:
        raise OptionsError(
            f"{SETTING}: expected for each server an object with urls and, if needed, username "
            "and credential."
        )
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    if not urls or not all(isinstance(url, str) and url.startswith(_SCHEMES) for url in urls):
        raise OptionsError(f"{SETTING}: expected addresses that start with stun: or turn:.")
    return dict(server)
