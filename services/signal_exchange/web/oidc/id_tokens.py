"""The ID token of a log-in: who signed it, for whom it is, and how surely the provider knows the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from signal_exchange.domain.refusals import RefusedError

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Signatures that only the holder of a private key can make (OIDC NL GOV): never none, never a shared secret."""
LEEWAY: Final = timedelta(seconds=60)
"""How far the clocks of provider and service may differ."""
FRESH: Final = timedelta(minutes=10)
"""A token is made when its code is exchanged: an older one comes from elsewhere."""
REFUSALS: Final = MappingProxyType(
    {
        "iss": "LOGIN_OTHER_ISSUER",
        "aud": "LOGIN_FOR_ANOTHER_SERVICE",
        "nonce": "LOGIN_ANSWER_OF_ANOTHER",
        "exp": "LOGIN_OUT_OF_TIME",
        "iat": "LOGIN_OUT_OF_TIME",
        "nbf": "LOGIN_OUT_OF_TIME",
    }
)
"""The refusal of each claim that is not as it must be."""


class UnknownKeyError(Exception):
    """The signature was not made with a key that the provider is known to have: it may have new ones."""


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """A person, as their provider knows them: the subject at that issuer, how surely (acr) and when they proved it."""

    issuer: str
    subject: str
    acr: str
    auth_time: datetime | None
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """The claims that the ID token of a log-in must make: issuer, client, certainty of the log-in, and the nonce it answers."""

    issuer: str
    client_id: str
    acr_values: Sequence[str]
    nonce: str = field(repr=False)


def proven(tokens: Mapping[str, Any], keys: KeySet, expected: Expected, now: datetime) -> ProvenPerson:
    """Return the person whom an ID token proves (OpenID Connect Core 1.0, 3.1.3.7).

    Raises:
        UnknownKeyError: none of these keys signed it.
        RefusedError: it is not what this log-in must give.
    """
    id_token = str(tokens.get("id_token", ""))
    found = _signed(id_token, keys)
    _check_claims(found.claims, expected, now)
    _check_access_token(found, tokens.get("access_token"))
    claims = found.claims
    return ProvenPerson(expected.issuer, claims["sub"], claims["acr"], _proved_at(claims.get("auth_time"), now), id_token)


def _signed(id_token: str, keys: KeySet) -> jwt.Token:
    try:
        return jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
    except (InvalidKeyIdError, BadSignatureError):
        raise UnknownKeyError from None
    except (JoseError, ValueError):
        raise RefusedError("LOGIN_NOT_SIGNED") from None


def _check_claims(claims: Mapping[str, Any], expected: Expected, now: datetime) -> None:
    must_be = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": expected.nonce},
    )
    try:
        must_be.validate(dict(claims))
    except ClaimError as fault:
        raise RefusedError(REFUSALS.get(fault.claim, "LOGIN_INCOMPLETE")) from None
    _check_meant_for(claims, expected.client_id)
    if claims.get("acr") not in expected.acr_values:
        raise RefusedError("LOGIN_TOO_WEAK")
    if claims["iat"] < (now - FRESH - LEEWAY).timestamp():
        raise RefusedError("LOGIN_OUT_OF_TIME")


def _check_meant_for(claims: Mapping[str, Any], client_id: str) -> None:
    """Check that this service alone is meant, and that the person acts for themselves (`represents` of OIDC NL GOV)."""
    if claims["aud"] not in (client_id, [client_id]) or claims.get("azp", client_id) != client_id:
        raise RefusedError("LOGIN_FOR_ANOTHER_SERVICE")
    if "represents" in claims:
        raise RefusedError("LOGIN_FOR_ANOTHER_PERSON")


def _check_access_token(found: jwt.Token, access_token: object) -> None:
    """Check that the access token beside it was given with it, where it says so (OpenID Connect Core 1.0, 3.1.3.8)."""
    told = found.claims.get("at_hash")
    if told is not None and create_half_hash(str(access_token), found.header["alg"]) != str(told).encode():
        raise RefusedError("LOGIN_INCOMPLETE")


def _proved_at(auth_time: object, now: datetime) -> datetime | None:
    if not isinstance(auth_time, int):
        return None
    if not 0 < auth_time <= (now + LEEWAY).timestamp():
        raise RefusedError("LOGIN_OUT_OF_TIME")
    return datetime.fromtimestamp(auth_time, UTC)
