"""One identity provider: a log-in begins here, the browser goes there and comes back, and here it is finished."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.private_files import require_private
from signal_exchange.web.oidc.id_tokens import Expected, ProvenPerson, UnknownKeyError, proven
from signal_exchange.web.oidc.published import Publication, Published, is_safe

SCOPE: Final = "openid"
"""Nothing about the person is asked but who it is: no `profile` (OIDC NL GOV)."""
SECRET_BYTES: Final = 32
"""Of state, nonce and verifier; the profile asks for 16, RFC 7636 for 32."""
UNSURE: Final = "unmet_authentication_requirements"
UNFINISHED: Final = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
FAILING: Final = frozenset({"server_error", "temporarily_unavailable"})
SPENT: Final = "invalid_grant"


@dataclass(frozen=True, slots=True)
class LoginStarted:
    """A log-in on its way: the address that the browser goes to, and what the answer is held against."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    issuer: str
    redirect_uri: str


class Provider:
    """One identity provider, and how this service is known there.

    The service proves itself with a private key (`key_file`, PEM; the way of OIDC NL GOV) or with a secret (`secret_file`); with
    neither it is a public client. `acr_values` are the levels of assurance that are accepted, `ca_file` the certificates to trust
    for the provider; None: those that this machine trusts.

    Raises:
        RefusedError: the issuer is not reached by https, or others may read the key or secret, or it is no key.
        OSError: a file is not there.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        acr_values: Sequence[str],
        now: Callable[[], datetime],
        secret_file: Path | None = None,
        key_file: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        if not is_safe(issuer):
            raise RefusedError("PROVIDER_IN_PLAIN_TEXT")
        self.issuer, self._client_id, self._acr_values = issuer, client_id, tuple(acr_values)
        self._secret_file, self._key_file, self._now = secret_file, key_file, now
        self._publication = Publication(issuer, ca_file, now)
        # A key or secret that is missing or open to others is told when the process starts, not at the first log-in.
        if key_file is not None:
            _private_key(key_file)
        if secret_file is not None:
            _secret(secret_file)

    def begin(self, redirect_uri: str) -> LoginStarted:
        """Begin a log-in that comes back at `redirect_uri`.

        Raises:
            RefusedError: the provider does not answer, or publishes what cannot be relied on.
        """
        state, nonce, verifier = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(3))
        address = self._publication.current().authorization_endpoint
        asked = {"nonce": nonce, "acr_values": " ".join(self._acr_values)}
        proof = {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
        url = prepare_grant_uri(address, self._client_id, "code", redirect_uri, SCOPE, state, **asked, **proof)
        return LoginStarted(url, state, nonce, verifier, self.issuer, redirect_uri)

    def finish(self, started: LoginStarted, query: Mapping[str, str]) -> ProvenPerson:
        """Return whom the answer proves that the browser brought back.

        Raises:
            RefusedError: the provider refused, or the answer is not one to this log-in.
        """
        published = self._publication.current()
        self._check_answer(started, query, published)
        tokens = self._exchanged(started, query["code"], published)
        expected = Expected(self.issuer, self._client_id, self._acr_values, started.nonce)
        try:
            return proven(tokens, published.keys, expected, self._now())
        except UnknownKeyError:
            return self._proven_by_new_keys(tokens, expected)

    def end(self, id_token: str, return_to: str) -> str:
        """Return where the browser ends the log-in at the provider too, and which then sends it to `return_to`.

        Raises:
            RefusedError: the provider does not answer, or publishes what cannot be relied on.
        """
        address = self._publication.current().end_session_endpoint
        told = {"id_token_hint": id_token, "client_id": self._client_id, "post_logout_redirect_uri": return_to}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(told)}" if address else return_to

    def _check_answer(self, started: LoginStarted, query: Mapping[str, str], published: Published) -> None:
        if not hmac.compare_digest(query.get("state", "").encode(), started.state.encode()):
            raise RefusedError("LOGIN_ANSWER_OF_ANOTHER")
        # RFC 9207: an answer of another provider that knows the state as well
        named = query.get("iss", "" if published.names_itself else self.issuer)
        if named != self.issuer or started.issuer != self.issuer:
            raise RefusedError("LOGIN_OTHER_ISSUER")
        if "error" in query:
            raise _refusal_of_person(query["error"])
        if not query.get("code"):
            raise RefusedError("LOGIN_INCOMPLETE")

    def _exchanged(self, started: LoginStarted, code: str, published: Published) -> Mapping[str, Any]:
        with self._client(published) as client:
            try:
                tokens: Mapping[str, Any] = client.fetch_token(
                    published.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=started.verifier,
                    redirect_uri=started.redirect_uri,
                )
            except OAuthError as error:
                raise RefusedError("LOGIN_CODE_SPENT" if error.error == SPENT else "PROVIDER_REFUSES_US") from None
            except httpx2.HTTPError:
                raise RefusedError("PROVIDER_SILENT") from None
            except (TypeError, ValueError):
                raise RefusedError("PROVIDER_UNREADABLE") from None
        return tokens

    def _proven_by_new_keys(self, tokens: Mapping[str, Any], expected: Expected) -> ProvenPerson:
        try:
            return proven(tokens, self._publication.read().keys, expected, self._now())
        except UnknownKeyError:
            raise RefusedError("LOGIN_NOT_SIGNED") from None

    def _client(self, published: Published) -> OAuth2Client:
        options = self._publication.http_options
        if self._key_file is not None:
            return _keyed_client(self._client_id, self._key_file, published.token_endpoint, options)
        secret = _secret(self._secret_file) if self._secret_file else None
        only_posted = secret and "client_secret_basic" not in published.client_proofs
        return OAuth2Client(
            self._client_id, secret, token_endpoint_auth_method="client_secret_post" if only_posted else None, **options
        )


def _secret(file: Path) -> str:
    require_private(file)
    return file.read_text(encoding="utf-8").strip()


def _keyed_client(client_id: str, key_file: Path, token_endpoint: str, options: Mapping[str, Any]) -> OAuth2Client:
    key = _private_key(key_file)
    proof = PrivateKeyJWT(token_endpoint, alg="RS256" if isinstance(key, RSAKey) else "ES256")
    client = OAuth2Client(client_id, key, token_endpoint_auth_method=proof.name, **options)
    client.register_client_auth_method(proof)
    return client


def _private_key(file: Path) -> RSAKey | ECKey:
    require_private(file)
    pem = file.read_bytes()
    for kind in (RSAKey, ECKey):
        with suppress(JoseError, ValueError):
            key = kind.import_key(pem)
            if key.is_private and (isinstance(key, RSAKey) or key.curve_name == "P-256"):
                return key
    raise RefusedError("CLIENT_KEY_UNREADABLE", file=file.name)


def _refusal_of_person(error: str) -> RefusedError:
    """Return why the provider sent the person back without a code. What it says itself is not repeated: anybody can write it."""
    if error == UNSURE:
        return RefusedError("LOGIN_TOO_WEAK")
    if error in UNFINISHED:
        return RefusedError("LOGIN_UNFINISHED")
    return RefusedError("PROVIDER_SILENT" if error in FAILING else "PROVIDER_REFUSES_US")
