"""The certificate of this computer."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest
from cryptography import x509

from gymform.service import https
from gymform.service.https import local_certificate, network_address, own_names


@pytest.fixture(name="names")
def _names(monkeypatch) -> list[str]:
    """The computer's names, which a test may change."""
    names = ["localhost", "127.0.0.1", "gym", "192.168.7.7"]
    monkeypatch.setattr(https, "own_names", lambda: list(names))
    return names


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "192.168.7.7"])
def test_a_browser_that_trusts_the_authority_trusts_the_server(tmp_path, names, name):
    found = local_certificate(tmp_path / "https")
    assert _greeting(found, name) == b"hello"


def test_a_browser_that_does_not_trust_it_or_asks_for_another_name_is_warned(tmp_path, names):
    found = local_certificate(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _greeting(found, "localhost", trusted=False)
    with pytest.raises(ssl.SSLCertVerificationError):
        _greeting(found, "bank.example")


def test_it_stays_the_same_until_a_name_is_new_or_its_time_runs_out(tmp_path, names, monkeypatch):
    first = local_certificate(tmp_path).chain.read_bytes()
    assert local_certificate(tmp_path).chain.read_bytes() == first
    names.append("192.168.7.8")
    second = local_certificate(tmp_path).chain.read_bytes()
    assert second != first
    monkeypatch.setattr(https, "RENEW_DAYS", https.DAYS)
    assert local_certificate(tmp_path).chain.read_bytes() != second


@pytest.mark.parametrize("lost", ["authority", "chain", "key"])
def test_a_file_that_is_lost_or_damaged_is_made_again(tmp_path, names, lost):
    found = local_certificate(tmp_path)
    getattr(found, lost).unlink()
    assert _greeting(local_certificate(tmp_path), "localhost") == b"hello"
    found.chain.write_bytes(b"nothing")
    assert _greeting(local_certificate(tmp_path), "localhost") == b"hello"


def test_nobody_else_can_read_the_key_and_the_authority_s_is_kept_nowhere(tmp_path, names):
    found = local_certificate(tmp_path)
    assert found.key.stat().st_mode & 0o077 == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(
        [https.AUTHORITY, https.CERTIFICATE, https.KEY]
    )
    assert sum(b"PRIVATE KEY" in one.read_bytes() for one in tmp_path.iterdir()) == 1
    leaf, authority = x509.load_pem_x509_certificates(found.chain.read_bytes())
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 397
    leaf.verify_directly_issued_by(authority)


def test_own_names_hold_this_computer_and_its_network():
    assert {"localhost", "127.0.0.1", socket.gethostname().lower()} <= set(own_names())
    address = network_address()
    assert address is None or address in own_names()


def _greeting(found, name: str, *, trusted: bool = True) -> bytes:
    """What a client that asks for ``name`` gets from a server with the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(found.chain, found.key)
    client = ssl.create_default_context(cafile=found.authority if trusted else None)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as secure:
                secure.sendall(b"hello")
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with here, client.wrap_socket(here, server_hostname=name) as secure:
            return secure.recv(16)
    finally:
        thread.join(10)
