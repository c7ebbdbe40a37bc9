"""Messages that go past validation inside, described: another part of the demo sends them with a test key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from signal_exchange_demo.region.model import Forgery, Record
from signal_exchange_demo.region.truth import may_link
from signal_exchange_demo.region.turns import Turns

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
    parked_by: str = "routing"
    fits: Callable[[Record], bool] = lambda _: True


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
    Trick("expired_epoch", "EPOCH_EXPIRED", ("V14_TOKEN",), parked_by="linking", fits=may_link),
    Trick("duplicate_resend", None, is_new_signal=False),
    Trick(
        "resend_other_bytes",
        "VERSION_CONFLICT",
        ("V16_VERSION",),
        lambda record: (("estimated_victims", record["estimated_victims"] + 1),),
        is_new_signal=False,
    ),
)


class Forgeries:
    """Forges from one signal in a hundred, for each kind of forgery."""

    def __init__(self) -> None:
        self._turns = Turns(len(TRICKS))

    def of(self, signal_id: str, record: Record, *, has_pending: bool) -> Iterator[Forgery]:
        """Give the forgeries for which it is this signal's turn; it must have one version and stay.

        Only while somebody is pending (`has_pending`) can a message come from there.
        """
        self._turns.pass_by()
        for kind, trick in enumerate(TRICKS):
            possible = has_pending or trick.sender is None
            if self._turns.is_due(kind) and possible and trick.fits(record):
                self._turns.take(kind)
                yield _forged(trick, signal_id, record)


def _forged(trick: Trick, base: str, record: Record) -> Forgery:
    return Forgery(
        kind=trick.kind,
        base=base,
        municipality=record["municipality"],
        sender=trick.sender or record["municipality"],
        changes=trick.changes(record),
        is_new_signal=trick.is_new_signal,
        expected_reason=trick.reason,
        expected_codes=trick.codes,
        unattributed=trick.unattributed,
        days_old=trick.days_old,
        parked_by=trick.parked_by,
    )
