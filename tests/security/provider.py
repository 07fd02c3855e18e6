"""A small OpenID Connect provider on the loopback; what it says of its user, a test decides."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

CLIENT, SECRET = "gymform", "a secret of the two"


def make_key() -> rsa.RSAPrivateKey:
    """A new key to sign with."""
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Provider:
    """The provider: where it is, and what it will say of whoever logs in next.

    ``claims`` are added to those of a sound identity token, ``signs`` signs it, ``header`` is its
    header.
    """

    port: int = 0
    key: rsa.RSAPrivateKey = field(default_factory=make_key)
    signs: rsa.RSAPrivateKey | None = None
    header: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """The last request to log somebody in."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next_user(
        self, *, signs: rsa.RSAPrivateKey | None = None, alg: str = "RS256", **claims: Any
    ) -> None:
        """Say this of whoever logs in next."""
        self.claims, self.signs = claims, signs or self.key
        self.header = {"alg": alg, "kid": "1", "typ": "JWT"}

    def secrets(self, redirect_to: str) -> str:
        """The part of ``secrets.toml`` with which an app uses this provider."""
        return f"""
[auth]
redirect_uri = "{redirect_to}/oauth2callback"
cookie_secret = "a long secret that only the server of this test knows"
[auth.gym]
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{self.address}/.well-known/openid-configuration"
"""

    # -- what it answers -----------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        modulus = numbers.n.to_bytes(256, "big")
        return {
            "keys": [
                {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
                 "n": _encoded(modulus), "e": _encoded(numbers.e.to_bytes(3, "big"))}
            ]
        }  # fmt: skip

    def token(self) -> dict[str, Any]:
        now = int(time.time())
        sound = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "user 1",
            "iat": now,
            "exp": now + 600,
            "nonce": self.asked.get("nonce", ""),
        }
        return {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(sound)}

    def _signed(self, sound: dict[str, Any]) -> str:
        parts = [_encoded(json.dumps(part).encode()) for part in (self.header, sound | self.claims)]
        assert self.signs
        text = ".".join(parts)
        signature = self.signs.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return f"{text}.{_encoded(b'' if self.header['alg'] == 'none' else signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that answers until the end of the block."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                provider.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                query = urlencode({"code": "once", "state": provider.asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{provider.asked['redirect_uri']}?{query}")
                self.end_headers()
            elif parts.path == "/keys":
                self._send(provider.keys())
            else:
                self._send(provider.about())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(provider.token())

        def _send(self, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
