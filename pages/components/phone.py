"""Shows how a phone becomes the camera: a code to read, and the certificate to trust."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from gymform.installation import program
from gymform.service.access import is_loopback
from gymform.service.https import AUTHORITY
from gymform.service.phone import TRUST, address_for_phones, as_svg

QR_WIDTH = 220


def phone_as_camera() -> None:
    """The address of the app for phones as a QR code, or how to start gymform for them."""
    with st.expander("Phone as camera", icon=":material/qr_code_2:"):
        certificate = st.get_option("server.sslCertFile")
        if not certificate or is_loopback(str(st.get_option("server.address") or "")):
            st.markdown(
                "A phone in the same network can be the camera. It needs https: stop gymform and "
                f"start it with `{program()} app --https`. Then a code to read appears here."
            )
            return
        address = address_for_phones(int(st.get_option("server.port")), secure=True)
        if address is None:
            st.markdown("This computer is in no network, so no phone reaches it.")
            return
        _code(address, Path(certificate).with_name(AUTHORITY))


def _code(address: str, authority: Path) -> None:
    """The code, the same address to type, and what to do about the browser's warning."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    left.image(as_svg(address), width=QR_WIDTH, alt=f"QR code of {address}")
    with right:
        st.markdown(f"Read the code with the phone, or type **{address}**")
        st.caption(TRUST)
        if authority.is_file():
            st.download_button(
                "Certificate to trust",
                data=authority.read_bytes(),
                file_name="gymform.crt",
                mime="application/x-x509-ca-cert",
                icon=":material/verified_user:",
                on_click="ignore",
            )
