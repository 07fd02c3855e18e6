"""How a phone gets to the app."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import segno

from gymform.service import phone

ADDRESS = "https://192.168.7.7:8501"


@pytest.mark.parametrize(("secure", "scheme"), [(True, "https"), (False, "http")])
def test_the_address_is_that_of_the_network(monkeypatch, secure, scheme):
    monkeypatch.setattr(phone, "network_address", lambda: "192.168.7.7")
    assert phone.address_for_phones(8501, secure=secure) == f"{scheme}://192.168.7.7:8501"
    monkeypatch.setattr(phone, "network_address", lambda: None)
    assert phone.address_for_phones(8501, secure=secure) is None


def test_the_code_in_the_terminal_is_read_as_the_address():
    """Every character shows two cells, one above the other."""
    upper = {"\u2588": (1, 1), "\u2580": (1, 0), "\u2584": (0, 1), " ": (0, 0)}
    plain = "".join(one for one in phone.in_terminal(ADDRESS) if one in upper or one == "\n")
    lines = [line for line in plain.split("\n") if line]
    width = max(map(len, lines))
    rows = np.array([[upper[one] for one in line.ljust(width)] for line in lines])  # (rows, w, 2)
    light = rows.transpose(0, 2, 1).reshape(-1, width)
    picture = np.kron(255 * light, np.ones((8, 8))).astype(np.uint8)
    framed = cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    found, *_ = cv2.QRCodeDetector().detectAndDecode(framed)
    assert found == ADDRESS


def test_the_code_in_the_page_is_of_the_address_with_a_margin():
    svg = phone.as_svg(ADDRESS)
    assert svg.startswith("<svg")
    code = segno.make(ADDRESS, error="m")
    assert f'width="{6 * code.symbol_size()[0]}"' in svg
    assert code.symbol_size()[0] - len(code.matrix) == 8  # four cells on each side
