"""A certificate for this computer alone, so that a phone in the same network can be the camera.

Browsers give a page the camera only over https or on the computer itself. The certificate is made
at the first start. It is signed by an authority that is made with it and whose key is thrown away,
so that whoever trusts the authority trusts nothing but this certificate.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gymform.storage import atomic_path, data_dir

FOLDER = "https"
AUTHORITY, CERTIFICATE, KEY = "authority.crt", "certificate.pem", "key.pem"

DAYS = 397
"""How long it is valid: browsers accept no server's certificate for longer."""

RENEW_DAYS = 30
"""It is made anew when it is valid for less than this."""

_TEST_NET = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737)."""


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate: what to trust, and the server's chain and key."""

    authority: Path
    chain: Path
    key: Path


def local_certificate(folder: Path | None = None) -> Certificate:
    """The certificate of this computer, made where there is none that fits. Raises OSError.

    It is made anew when the computer's names or addresses changed, or its time runs out.
    """
    folder = data_dir() / FOLDER if folder is None else folder
    found = Certificate(folder / AUTHORITY, folder / CERTIFICATE, folder / KEY)
    names = own_names()
    if not _fits(found, names):
        _make(found, names)
    return found


def own_names() -> list[str]:
    """The names and addresses by which browsers reach this computer."""
    host = socket.gethostname().lower()
    names = ["localhost", "127.0.0.1", "::1", host]
    if "." not in host:
        names.append(f"{host}.local")
    if address := network_address():
        names.append(address)
    return list(dict.fromkeys(names))


def network_address() -> str | None:
    """This computer's address in its network; None without a network. Nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_TEST_NET, 9))
        address = str(probe.getsockname()[0])
        return None if ipaddress.ip_address(address).is_loopback else address
    return None


def _fits(found: Certificate, names: Sequence[str]) -> bool:
    """Whether the files are there, and hold for these names for long enough."""
    try:
        found.authority.read_bytes(), found.key.read_bytes()
        leaf = x509.load_pem_x509_certificates(found.chain.read_bytes())[0]
        known = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    left = leaf.not_valid_after_utc - datetime.now(UTC)
    return left > timedelta(days=RENEW_DAYS) and set(_general(names)) <= set(known)


def _make(target: Certificate, names: Sequence[str]) -> None:
    """Make an authority and a certificate that it signs, and forget the authority's key."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"gymform on {socket.gethostname()}"[:60]
    authority = _authority(authority_key, f"{name} (authority)"[:64])
    leaf = _leaf(key, name, names, authority, authority_key)
    pem = serialization.Encoding.PEM
    target.key.parent.mkdir(parents=True, exist_ok=True)
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(target.key, secret, mode=0o600)
    _write(target.authority, authority.public_bytes(pem))
    _write(target.chain, leaf.public_bytes(pem) + authority.public_bytes(pem))


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    with atomic_path(path) as temporary:
        temporary.touch(mode=mode)
        temporary.chmod(mode)
        temporary.write_bytes(content)


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS - 1))
    )


def _authority(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    name: str,
    names: Sequence[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    issuer = authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(name, str(issuer), key)
        .add_extension(x509.SubjectAlternativeName(_general(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
        crl_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found
