"""The synthetic region: a region without real persons and with a known truth."""

from signal_exchange.demo.region.generating import SIX, generate_region
from signal_exchange.demo.region.model import (
    Arrival,
    BadRecord,
    Erasure,
    Forgery,
    Leak,
    Mention,
    Region,
    SignalKey,
    TrueLink,
    TruePerson,
    Truth,
    Withdrawal,
)

__all__ = [
    "SIX",
    "Arrival",
    "BadRecord",
    "Erasure",
    "Forgery",
    "Leak",
    "Mention",
    "Region",
    "SignalKey",
    "TrueLink",
    "TruePerson",
    "Truth",
    "Withdrawal",
    "generate_region",
]
