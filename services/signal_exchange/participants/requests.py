"""The request of a municipality to join the region or to renew its keys: public halves, signed with what they belong to."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.plain_json import canonical_json
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.sealing import SealingPrivateKey, SealingPublicKey
from signal_exchange.privacy.signing import SigningKey, VerifyingKey

KIND = "signal-exchange/key-request/v1"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""What tells the keys of one municipality apart, as 2027-1: the rest of a key's id, after its municipality."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """The new public keys of one municipality, as the register will name them."""

    municipality: MunicipalityCode
    signing: VerifyingKey
    sealing: SealingPublicKey

    def to_mapping(self) -> Document:
        """Return the fields that are signed."""
        return {
            "kind": KIND,
            "municipality": self.municipality,
            "signing": {"key_id": self.signing.key_id, "public_key": self.signing.raw.hex()},
            "sealing": {"key_id": self.sealing.key_id, "public_key": base64.b64encode(self.sealing.raw).decode()},
        }

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> Self:
        """Read the fields; KeyError, TypeError or ValueError where they do not fit."""
        if fields["kind"] != KIND:
            raise ValueError("The document is of another kind.")
        code = parse_municipality_code(fields["municipality"])
        signing, sealing = fields["signing"], fields["sealing"]
        group, raw = f"gm:{code}", base64.b64decode(sealing["public_key"], validate=True)
        public = VerifyingKey(str(signing["key_id"]), bytes.fromhex(signing["public_key"]))
        return cls(code, public, SealingPublicKey(str(sealing["key_id"]), group, raw))


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that its own new key signed; `continues` is the signature of the key that was in use before, if any."""

    request: KeyRequest
    continues: bytes | None

    def is_continued_by(self, key: VerifyingKey) -> bool:
        """Say whether the owner of this key asked for the new ones."""
        return self.continues is not None and key.verify(_signed_bytes(self.request), self.continues)


def new_keys(code: MunicipalityCode, name: str) -> tuple[SigningKey, SealingPrivateKey]:
    """Return new private keys of a municipality; `name` tells this pair from others, as 2027-1.

    Raises:
        RefusedError: the name has other signs than it may have.
    """
    if NAME.fullmatch(name) is None:
        raise RefusedError("NAME_OF_KEYS", field="name")
    return SigningKey.generate(signing_prefix(code) + name), SealingPrivateKey.generate(sealing_prefix(code) + name, f"gm:{code}")


def signing_prefix(code: str) -> str:
    """Return the beginning of the id of every signing key of a municipality: GM0983 gives gm0983-."""
    return f"{code.lower()}-"


def sealing_prefix(code: str) -> str:
    """Return the beginning of the id of every sealing key of a municipality: GM0983 gives gm:GM0983-."""
    return f"gm:{code}-"


def request_text(code: MunicipalityCode, signing: SigningKey, sealing: SealingPrivateKey, before: SigningKey | None) -> str:
    """Return a request as JSON, signed with the new key, and with the one before where there is one."""
    request = KeyRequest(code, signing.public, sealing.public)
    signed = _signed_bytes(request)
    continues = before.sign(signed).hex() if before is not None else None
    return json.dumps(
        {"request": request.to_mapping(), "signature": signing.sign(signed).hex(), "continues": continues}, indent=1
    )


def read_request(text: str) -> SignedRequest:
    """Return a request whose sender holds the key that it names.

    Raises:
        RefusedError: it cannot be read, is not signed with its own new key, or names a key that is not its own.
    """
    try:
        document = json.loads(text)
        request = KeyRequest.from_mapping(document["request"])
        signature, continues = bytes.fromhex(document["signature"]), document["continues"]
        earlier = None if continues is None else bytes.fromhex(continues)
    except (KeyError, TypeError, ValueError, UnusableKeyError):
        raise RefusedError("NO_KEY_REQUEST") from None
    if not request.signing.verify(_signed_bytes(request), signature):
        raise RefusedError("REQUEST_NOT_SIGNED_BY_ITS_KEY")
    _require_own_ids(request)
    return SignedRequest(request, earlier)


def _require_own_ids(request: KeyRequest) -> None:
    signing, sealing = signing_prefix(request.municipality), sealing_prefix(request.municipality)
    if not (_is_own(request.signing.key_id, signing) and _is_own(request.sealing.key_id, sealing)):
        raise RefusedError("REQUEST_NAMES_OTHER_KEYS", municipality=request.municipality, signing=signing, sealing=sealing)


def _is_own(key_id: str, prefix: str) -> bool:
    return key_id.startswith(prefix) and NAME.fullmatch(key_id.removeprefix(prefix)) is not None


def _signed_bytes(request: KeyRequest) -> bytes:
    canonical = canonical_json(request.to_mapping()).encode()
    return framed(KIND.encode()) + canonical
