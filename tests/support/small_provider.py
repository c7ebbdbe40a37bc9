"""A small identity provider on loopback that can be told to answer wrongly: a real server, not a stand-in of our client."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET = "signaalpunt", "a-secret-of-tests"
SUBSTANTIAL, LOW = "http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/low"
REDIRECT = "http://127.0.0.1:8123/aanmelden/terug"
SUBJECT = "5f0c8a2e-subject-of-tests"

Signer = Callable[[dict[str, Any]], str]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@cache
def rsa_key(kid: str) -> RSAKey:
    """Return a key that signs, the same for the same name: to make one takes long."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def signed_by(key: RSAKey | ECKey, alg: str = "RS256", kid: str | None = None) -> Signer:
    """Return what signs claims with a key."""
    header = {"alg": alg} | ({"kid": kid or key.kid} if kid or key.kid else {})
    return lambda claims: jwt.encode(header, claims, key, algorithms=[alg])


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token with algorithm none."""
    return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."


def signed_with_text(secret: bytes, kid: str) -> Signer:
    """Return what signs claims with HS256 and any text; no library does so with a public key, which is just such a text."""

    def sign(claims: dict[str, Any]) -> str:
        text = f"{_encoded({'alg': 'HS256', 'kid': kid})}.{_encoded(claims)}"
        return f"{text}.{_base64(hmac.digest(secret, text.encode(), 'sha256'))}"

    return sign


def _encoded(fields: dict[str, Any]) -> str:
    return _base64(json.dumps(fields).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class SmallProvider:
    """What it says of itself, its keys, the codes that it gave out, and how it answers.

    `claims` are put over those of the next ID tokens; None leaves a claim out. `sign` signs them. `answers` come from a path
    instead of its own.
    """

    issuer: str = ""
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("first")])
    sign: Signer | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    client_key: RSAKey | ECKey | None = None
    acr: str = SUBSTANTIAL

    def rotate(self) -> None:
        """Sign with a new key from here on, and publish that one only."""
        self.keys = [rsa_key("second")]

    def log_in(self, url: str) -> dict[str, str]:
        """Go to the provider as a browser does whose person proves at once who they are; return what comes back with it."""
        answer = httpx2.get(url, verify=False, trust_env=False)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def described(self) -> dict[str, Any]:
        """Return its discovery document."""
        own = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "end_session_endpoint": "/end",
        }
        said = {"issuer": self.issuer, **{name: self.issuer + path for name, path in own.items()}, **self.metadata}
        return {name: value for name, value in said.items() if value is not None}

    def authorize(self, asked: dict[str, str]) -> dict[str, str]:
        """Return what the browser brings back for what it was sent with."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def exchange(self, asked: dict[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the token endpoint."""
        if not self._is_client(asked, headers):
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(asked["code"], None)
        challenge = _base64(hashlib.sha256(asked["code_verifier"].encode()).digest())
        if begun is None or challenge != begun["code_challenge"] or asked["redirect_uri"] != begun["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "spent"}
        return 200, {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self._token(begun),
        }

    def _token(self, begun: dict[str, str]) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "sub": SUBJECT, "aud": CLIENT, "exp": now + 300, "iat": now, "auth_time": now}
        said |= {"nonce": begun["nonce"], "acr": self.acr, **self.claims}
        sign = self.sign or signed_by(self.keys[0])
        return sign({name: value for name, value in said.items() if value is not None})

    def _is_client(self, asked: dict[str, str], headers: Mapping[str, str]) -> bool:
        if self.client_key is None:
            basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            return basic == headers.get("Authorization") or asked.get("client_secret") == SECRET
        said = jwt.decode(asked["client_assertion"], self.client_key, algorithms=["RS256", "ES256"]).claims
        return (said["iss"], said["sub"], said["aud"]) == (
            CLIENT,
            CLIENT,
            self.issuer + "/token",
        ) and "client_secret" not in asked


class _Handler(BaseHTTPRequestHandler):
    provider: SmallProvider

    def do_GET(self) -> None:
        """Send the browser back, or say what the provider publishes."""
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if self._as_told(path):
            return
        if path == "/authorize":
            self._write(302, {"Location": f"{query['redirect_uri']}?{urlencode(self.provider.authorize(query))}"}, b"")
        elif path == "/keys":
            self._json(200, KeySet(list(self.provider.keys)).as_dict(private=False))
        else:
            self._json(200, self.provider.described())

    def do_POST(self) -> None:
        """Give tokens for a code."""
        asked = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if not self._as_told(self.path):
            self._json(*self.provider.exchange(asked, dict(self.headers)))

    def _as_told(self, path: str) -> bool:
        self.provider.asked.append(path)
        if answer := self.provider.answers.get(path):
            self._write(*answer)
        return answer is not None

    def _json(self, status: int, body: Any) -> None:
        self._write(status, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _write(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def small_provider() -> Iterator[SmallProvider]:
    """Give one that listens on loopback."""
    provider = SmallProvider()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider})) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
