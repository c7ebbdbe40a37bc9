"""Ids that are the same each time their owner makes them, and that say nothing to anybody else."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass, field

from signal_exchange.privacy.framing import framed

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SecretIds:
    """Makes ids of what they stand for, under a key that one service holds.

    Without the key they are random: nobody can see what one stands for, or that two belong together.
    """

    _key: bytes = field(repr=False)

    def digest(self, kind: str, *of: str) -> bytes:
        """Return 32 bytes that stand for these texts, and for nothing else of that kind or of another (HMAC-SHA256)."""
        return hmac.digest(self._key, framed(kind.encode(), *(each.encode() for each in of)), "sha256")

    def uuid(self, kind: str, *of: str) -> str:
        """Return a UUID that stands for these texts; to others it is a random one."""
        return str(uuid.UUID(bytes=self.digest(kind, *of)[:16], version=4))
