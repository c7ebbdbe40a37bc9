"""The publication of an identity provider about itself: its addresses and its public keys (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.production_checks import is_loopback

DISCOVERY: Final = "/.well-known/openid-configuration"
TIMEOUT_SECONDS: Final = 10.0
READ_AGAIN_AFTER: Final = timedelta(hours=1)
"""A key that the provider no longer publishes is trusted no longer than this."""


@dataclass(frozen=True, slots=True)
class Published:
    """The addresses and the public keys of a provider, as read at one moment."""

    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    client_proofs: tuple[str, ...]
    names_itself: bool
    keys: KeySet
    read_at: datetime


class Publication:
    """The publication of one provider, read at first use, an hour later, and when asked to."""

    def __init__(self, issuer: str, ca_file: Path | None, now: Callable[[], datetime]) -> None:
        self._issuer, self._now = issuer, now
        self._held: Published | None = None
        trusted = ssl.create_default_context(cafile=ca_file)
        # No proxy of the environment, and no redirect: the secret goes to the address that the provider publishes.
        self.http_options: Final[dict[str, Any]] = {
            "timeout": TIMEOUT_SECONDS,
            "trust_env": False,
            "verify": trusted,
            "follow_redirects": False,
        }
        """How this provider is asked."""

    def current(self) -> Published:
        """Return the publication that was read last, or the one that is read now when that is an hour old.

        Raises:
            RefusedError: the provider does not answer, or publishes what cannot be relied on.
        """
        held = self._held
        return held if held is not None and self._now() - held.read_at < READ_AGAIN_AFTER else self.read()

    def read(self) -> Published:
        """Read it now, and return it.

        Raises:
            RefusedError: as above.
        """
        with httpx2.Client(**self.http_options) as http:
            found = _object(http, self._issuer.rstrip("/") + DISCOVERY)
            if found.get("issuer") != self._issuer:
                raise RefusedError("PROVIDER_OTHER_ISSUER")
            keys = _keys(_object(http, _address(found, "jwks_uri")))
        self._held = _published(found, keys, self._now())
        return self._held


def is_safe(address: str) -> bool:
    """Say whether nobody on the way can read or change what goes to an address: https, or this machine."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))


def _object(http: httpx2.Client, address: str) -> dict[str, Any]:
    try:
        found = http.get(address, headers={"Accept": "application/json"}).raise_for_status().json()
    except httpx2.HTTPError:
        raise RefusedError("PROVIDER_SILENT") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError("PROVIDER_UNREADABLE")
    return found


def _address(found: dict[str, Any], name: str) -> str:
    address = found.get(name)
    if not isinstance(address, str) or not is_safe(address):
        raise RefusedError("PROVIDER_UNREADABLE")
    return address


def _keys(found: dict[str, Any]) -> KeySet:
    try:
        return KeySet.import_key_set({"keys": found["keys"]})
    except (JoseError, AttributeError, KeyError, TypeError, ValueError):
        raise RefusedError("PROVIDER_UNREADABLE") from None


def _published(found: dict[str, Any], keys: KeySet, now: datetime) -> Published:
    proofs = found.get("token_endpoint_auth_methods_supported")
    return Published(
        authorization_endpoint=_address(found, "authorization_endpoint"),
        token_endpoint=_address(found, "token_endpoint"),
        end_session_endpoint=_address(found, "end_session_endpoint") if "end_session_endpoint" in found else "",
        client_proofs=tuple(map(str, proofs)) if isinstance(proofs, list) else ("client_secret_basic",),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        keys=keys,
        read_at=now,
    )
