"""The erasures that routing remembers, each from the municipality's word to the certificate (R-RET-03)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from signal_exchange.contracts.records import SignedWord
from signal_exchange.domain.destinations import LINKING, OWNING_RECEIVERS
from signal_exchange.routing.tables import ERASURES, OUTCOMES, RECEIPTS
from signal_exchange.runtime.database import add_once, put_newer, row_of, values_of

ASKED: Final = (LINKING, *(receiver.service for receiver in OWNING_RECEIVERS), "feedback")
"""Services that must answer. Statistics is not asked: it holds facts under random ids that lead to no signal (R-STAT-01)."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. `revision` rises each time the services are asked; the moments say how far it is.

    `value`, `signature` and `key_id` are the municipality's word; none where a rebuild could not find it.
    """

    signal_id: str
    revision: int
    municipality: str
    version: int
    erased_at: datetime
    asked_at: datetime
    buried_at: datetime | None = None
    marked_at: datetime | None = None
    certified_at: datetime | None = None
    value: bytes | None = field(default=None, repr=False)
    signature: bytes | None = field(default=None, repr=False)
    key_id: str | None = None

    @property
    def word(self) -> SignedWord | None:
        """Return the municipality's own word, on which everybody erases."""
        if self.value is None or self.signature is None or self.key_id is None:
            return None
        return SignedWord(value=self.value, signature=self.signature, key_id=self.key_id)

    def on_word(self, word: SignedWord | None) -> Erasure:
        """Return the erasure with the word on which it rests; the first one that was known stands."""
        return self if word is None or self.value is not None else replace(self, **word)

    @property
    def state(self) -> str:
        """Return the state: REQUESTED until every receipt is in, then DONE, and CERTIFIED once the logs were checked."""
        if self.certified_at is not None:
            return "CERTIFIED"
        return "REQUESTED" if self.buried_at is None else "DONE"

    @property
    def is_buried(self) -> bool:
        """Say whether the records of the signal are gone; when that was is not known any more of one that was rebuilt."""
        return self.state != "REQUESTED"

    def moved(self, **moments: datetime) -> Erasure:
        """Return the erasure one step further."""
        return replace(self, revision=self.revision + 1, **moments)  # type: ignore[arg-type]  # moments only

    def as_told(self, state: str, revision: int, at: datetime) -> Erasure:
        """Return the erasure as far as routing told of it: its state under that revision, since that moment."""
        moments: dict[str, dict[str, Any]] = {
            "REQUESTED": {"asked_at": at, "buried_at": None},
            "DONE": {"buried_at": at},
            "CERTIFIED": {"certified_at": at},
        }
        return replace(self, revision=revision, **moments.get(state, {}))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one service."""

    signal_id: str
    service: str
    state: str
    at: datetime


class ErasureStore:
    """The erasures in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count_since(self, municipality: str, since: datetime) -> int:
        """Return the number of erasures of a municipality that began after a moment."""
        own = (ERASURES.c.municipality == municipality) & (ERASURES.c.erased_at > since)
        return int(self._connection.execute(select(func.count()).select_from(ERASURES).where(own)).scalar_one())

    def erasures(self, signal_ids: Iterable[str] | None = None) -> dict[str, Erasure]:
        """Return the erasures among these signals, or all, the oldest first."""
        chosen = select(ERASURES).order_by(ERASURES.c.erased_at, ERASURES.c.signal_id)
        chosen = chosen if signal_ids is None else chosen.where(ERASURES.c.signal_id.in_(set(signal_ids)))
        return {row.signal_id: Erasure(*row) for row in self._connection.execute(chosen)}

    def unfinished(self) -> list[Erasure]:
        """Return the erasures without a certificate, the oldest first."""
        chosen = select(ERASURES).where(ERASURES.c.certified_at.is_(None)).order_by(ERASURES.c.erased_at, ERASURES.c.signal_id)
        return values_of(Erasure, self._connection, chosen)

    def put(self, erasures: Sequence[Erasure]) -> None:
        """Write erasures; an older revision never wins."""
        put_newer(self._connection, ERASURES, [row_of(each) for each in erasures], guard="revision")

    def put_words(self, erasures: Iterable[Erasure]) -> None:
        """Write the word of erasures that are stored without one."""
        names = ("value", "signature", "key_id")
        for each in erasures:
            own = (ERASURES.c.signal_id == each.signal_id) & ERASURES.c.value.is_(None)
            self._connection.execute(update(ERASURES).where(own).values({name: getattr(each, name) for name in names}))

    def forget(self, signal_ids: Collection[str]) -> None:
        """Delete erasures that rest on nobody's word."""
        self._connection.execute(delete(ERASURES).where(ERASURES.c.signal_id.in_(signal_ids)))

    def answers(self, signal_id: str) -> dict[str, Answer]:
        """Return the answer of each service about a signal."""
        rows = self._connection.execute(select(RECEIPTS).where(RECEIPTS.c.signal_id == signal_id))
        return {row.service: Answer(*row) for row in rows}

    def add_answer(self, answer: Answer) -> None:
        """Keep an answer; the first one stands."""
        add_once(self._connection, RECEIPTS, [row_of(answer)])

    def add_outcomes(self, keys: Iterable[tuple[str, str]]) -> None:
        """Keep keys of outcomes, each with its signal."""
        add_once(self._connection, OUTCOMES, [{"key": key, "signal_id": signal_id} for key, signal_id in keys])

    def outcomes_of(self, signal_id: str) -> list[str]:
        """Return the keys of a signal's outcomes."""
        chosen = select(OUTCOMES.c.key).where(OUTCOMES.c.signal_id == signal_id).order_by(OUTCOMES.c.key)
        return list(self._connection.execute(chosen).scalars())

    def forget_outcomes(self, keys: Iterable[str]) -> None:
        """Delete keys that were buried."""
        self._connection.execute(delete(OUTCOMES).where(OUTCOMES.c.key.in_(list(keys))))
