"""Messages that go past validation inside, described: another part of the demo sends them with a test key."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from signal_exchange.demo.region.model import Forgery, Record, SignalKey

PENDING_MUNICIPALITY: Final = "GM0907"
TOO_OLD_DAYS: Final = 8
Changes = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Trick:
    """One kind of forgery and what the exchange must make of it."""

    kind: str
    reason: str | None
    codes: tuple[str, ...] = ()
    changes: Callable[[Record], Changes] = lambda _: ()
    is_new_signal: bool = True
    unattributed: bool = False
    days_old: int = 0
    sender: str | None = None


TRICKS: Final = (
    Trick("unknown_code", "UNKNOWN_CODE", ("V03_CODE",), lambda _: (("sector", "SEX_ON_THE_MOON"),)),
    Trick("missing_guard", "SCHEMA_INVALID", ("V01_MISSING",), lambda _: (("guard", None),)),
    Trick(
        "pending_sender",
        "SENDER_NOT_ALLOWED",
        ("V02_MUNICIPALITY",),
        lambda _: (("municipality", PENDING_MUNICIPALITY),),
        sender=PENDING_MUNICIPALITY,
        unattributed=True,
    ),
    Trick("wrong_signature", "SIGNATURE_INVALID", unattributed=True),
    Trick("oversized", "TOO_LARGE", ("V15_SIZE",)),
    Trick("expired_time", "CONTENT_INVALID", days_old=TOO_OLD_DAYS),
    Trick("duplicate_resend", None, is_new_signal=False),
    Trick(
        "resend_other_bytes",
        "VERSION_CONFLICT",
        ("V16_VERSION",),
        lambda record: (("estimated_victims", record["estimated_victims"] + 1),),
        is_new_signal=False,
    ),
)


def forgeries(rng: Random, untouched: Sequence[Record], per_kind: int) -> Iterator[Forgery]:
    """Give `per_kind` forgeries of each kind, based on signals that have one version and stay."""
    for trick in TRICKS:
        for base in rng.choices(untouched, k=per_kind) if untouched else []:
            yield _forged(trick, base)


def _forged(trick: Trick, base: Record) -> Forgery:
    return Forgery(
        kind=trick.kind,
        base=SignalKey(base["municipality"], base["local_ref"]),
        sender=trick.sender or base["municipality"],
        changes=trick.changes(base),
        is_new_signal=trick.is_new_signal,
        expected_reason=trick.reason,
        expected_codes=trick.codes,
        unattributed=trick.unattributed,
        days_old=trick.days_old,
    )
