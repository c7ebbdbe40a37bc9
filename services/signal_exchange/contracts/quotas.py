"""The share of Kafka that one user may take, so that no member starves the others (docs/decisions/0022)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

LONGEST_BATCH_BYTES: Final = 131_072
"""Of one batch on `signals`, as sent: twice the longest value that R-VAL-15 allows, so that key and headers fit as well."""
SENT_BATCH_BYTES: Final = 98_304
"""At which our own producers close a batch, so that what is added to it stays within the longest one."""

Quota = Mapping[str, float]
"""By Kafka's own names: bytes a second written and read, and percent of one broker thread; each for each broker."""
MEMBER: Final[Quota] = MappingProxyType({"producer_byte_rate": 65_536, "consumer_byte_rate": 1_048_576, "request_percentage": 50})
"""Of a municipality: some five signals a second for as long as it likes, and the first 700 kB at once."""
SERVICE: Final[Quota] = MappingProxyType(
    {"producer_byte_rate": 16_777_216, "consumer_byte_rate": 67_108_864, "request_percentage": 300}
)
"""Of a service: far more than it takes when a store is rebuilt, and less than what a broker can give."""


def quotas_of(services: Iterable[str], members: Iterable[str]) -> dict[str, Quota]:
    """Return the quota of each principal."""
    return {**dict.fromkeys(services, SERVICE), **dict.fromkeys(members, MEMBER)}
