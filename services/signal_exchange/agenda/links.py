"""Links on the chain director's table: those that linking found, and the acts that they allow (R-LINK-04, R-LINK-05)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from signal_exchange.agenda.tables import CANDIDATES, LINK_ACTS
from signal_exchange.cli.naming import start_of, the_one
from signal_exchange.contracts.records import LinkCandidate
from signal_exchange.domain.people import Person
from signal_exchange.domain.referrals.transitions import CHAIN_DIRECTOR
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.database import add_once, put_newer, rows_of, values_of
from signal_exchange.stream.link_answers import send_link_answer
from signal_exchange.stream.work import Work

REVOKED, SHARED_CONTEXT = "REVOKED", "SHARED_CONTEXT"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A link as linking published it last; the fields of the record LinkCandidate."""

    link_id: str
    revision: int
    kind: str
    key_types: Sequence[str]
    frequency: str
    state: str
    evidence_gone: bool
    signal_a: str
    signal_b: str
    across: bool
    found_at: datetime
    released_at: datetime | None
    awaits: Sequence[str]
    answer_by: datetime | None
    overdue: bool

    def require(self, act: str) -> None:
        """Check that the chain director may do this now.

        Raises:
            RefusedError: the state of the link does not allow it, or it is for the attention officers to say.
        """
        if act == "UNDO" and self.state != "CONFIRMED":
            raise RefusedError("LINK_NOT_CONFIRMED", rule="R-LINK-04")
        if act == "RELEASE" and not self.waits_for_release:
            raise RefusedError("LINK_NOT_TO_RELEASE", rule="R-LINK-04")
        if act in {"CONFIRM", "REJECT"} and not self.is_for_chain_director:
            raise RefusedError("LINK_NOT_TO_CONFIRM" if act == "CONFIRM" else "LINK_NOT_TO_REJECT", rule="R-LINK-04")

    @property
    def waits_for_release(self) -> bool:
        """Say whether the question about a person in two municipalities was not released yet."""
        return self.state == "CANDIDATE" and self.across and self.kind != SHARED_CONTEXT and self.released_at is None

    @property
    def is_for_chain_director(self) -> bool:
        """Say whether the chain director judges this candidate: a shared place or means, of which the evidence still stands."""
        return self.state == "CANDIDATE" and self.kind == SHARED_CONTEXT and not self.evidence_gone


class Links:
    """The links of the agenda in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, records: Sequence[LinkCandidate]) -> None:
        """Keep the candidates of linking, of which an older revision never wins."""
        put_newer(self._connection, CANDIDATES, rows_of(CANDIDATES, records), guard="revision")

    def undone(self, records: Sequence[LinkCandidate]) -> list[str]:
        """Return the links that these records say are undone and that were not before."""
        last = {row["link_id"]: row for row in sorted(records, key=lambda each: each["revision"])}
        known = self._states(last) if any(row["state"] == REVOKED for row in last.values()) else {}
        new = {link_id: row for link_id, row in last.items() if known.get(link_id, ("", 0))[1] < row["revision"]}
        return sorted(each for each, row in new.items() if row["state"] == REVOKED != known.get(each, ("", 0))[0])

    def _states(self, link_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        rows = self._connection.execute(select(CANDIDATES).where(CANDIDATES.c.link_id.in_(link_ids)))
        return {row.link_id: (row.state, row.revision) for row in rows}

    def forget(self, link_ids: Collection[str]) -> None:
        """Delete links of which linking keeps nothing any more; who decided what about them stays."""
        self._connection.execute(delete(CANDIDATES).where(CANDIDATES.c.link_id.in_(link_ids)))

    def candidates(self) -> list[Candidate]:
        """Return every link: what is overdue first, then by when it was found."""
        found = values_of(Candidate, self._connection, select(CANDIDATES))
        return sorted(found, key=lambda each: (not each.overdue, each.found_at, each.link_id))

    def find(self, named: str) -> Candidate:
        """Return the link that a person named, by its id or short number.

        Raises:
            RefusedError: there is none, or more than one.
        """
        start = start_of(named)
        found = {each.link_id: each for each in self.candidates() if each.link_id.startswith(start)}
        return found[the_one(found, start)]


def decide_on(candidate: Candidate, act: str, *, who: Person, at: datetime, work: Work) -> None:
    """Record what the chain director decided about a link, and answer linking.

    Raises:
        RefusedError: the link does not allow it.
    """
    candidate.require(act)
    answer_id = str(uuid.uuid4())
    row = {"answer_id": answer_id, "link_id": candidate.link_id, "kind": act, "at": at, "who": who.name}
    add_once(work.connection, LINK_ACTS, [row])
    send_link_answer(
        work,
        answer_id=answer_id,
        link_id=candidate.link_id,
        kind=act,
        by_role=CHAIN_DIRECTOR,
        key_types=candidate.key_types,
        at=at,
    )
