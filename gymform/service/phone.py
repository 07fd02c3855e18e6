"""The address at which a phone in the same network finds the app, and how it gets there."""

from __future__ import annotations

import io

import segno

from gymform.service.https import network_address

TRUST = (
    "The phone warns once, since this computer made the certificate itself. Either go on past the "
    "warning, or trust the certificate: open the page Webcam on the phone, fetch it under Phone as "
    "camera, and install it (iPhone: Settings, General, VPN & Device Management, then About, "
    "Certificate Trust Settings; Android: Settings, Security, Install a certificate, CA)."
)
"""What to do about the warning of a browser."""


def address_for_phones(port: int, *, secure: bool) -> str | None:
    """The address of the app in the local network; None where this computer has no network."""
    host = network_address()
    return None if host is None else f"http{'s' if secure else ''}://{host}:{port}"


def in_terminal(address: str) -> str:
    """A QR code of an address, in characters."""
    code = io.StringIO()
    segno.make(address, error="m").terminal(code, compact=True)
    return code.getvalue()


def as_svg(address: str) -> str:
    """A QR code of an address as an SVG image, black on white with the margin that readers need."""
    code = io.BytesIO()
    segno.make(address, error="m").save(code, kind="svg", scale=6, light="#fff", xmldecl=False)
    return code.getvalue().decode()
