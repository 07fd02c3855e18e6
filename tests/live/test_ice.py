"""ICE servers for WebRTC, as an operator configures them."""

from __future__ import annotations

import pytest

from gymform.errors import OptionsError
from gymform.live.ice import parse_ice_servers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("stun:a.org:1, turn:b.org", [{"urls": "stun:a.org:1"}, {"urls": "turn:b.org"}]),
        (
            '[{"urls": ["turn:b.org"], "username": "u", "credential": "c"}]',
            [{"urls": ["turn:b.org"], "username": "u", "credential": "c"}],
        ),
        ('{"urls": "stun:a.org"}', [{"urls": "stun:a.org"}]),
    ],
)
def test_ice_servers(text, expected):
    assert parse_ice_servers(text) == expected


@pytest.mark.parametrize(
    "text",
    ["http://a.org", "[1]", '[{"urls": 3}]', '[{"urls": []}]', "[{", '[{"url": "stun:a"}]'],
)
def test_bad_ice_servers_are_reported_without_secrets(text):
    with pytest.raises(OptionsError, match="GYMFORM_ICE_SERVERS"):
        parse_ice_servers(text)
