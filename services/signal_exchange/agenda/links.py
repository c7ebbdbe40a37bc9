"""Links on the chain director's table: what linking found, and what may be done about it (R-LINK-04, R-LINK-05)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from signal_exchange.agenda.tables import CANDIDATES, LINK_ACTS
from signal_exchange.domain.referrals import CHAIR
from signal_exchange.runtime.database import add_once, put_newer
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.naming import start_of, the_one
from signal_exchange.stream.work import Work

REVOKED, SHARED_CONTEXT = "REVOKED", "SHARED_CONTEXT"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A link as linking told it last; the fields of the record LinkCandidate."""

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
            Refused: the state of the link does not allow it, or it is for the attention officers to say.
        """
        if act == "UNDO":
            allowed = self.state == "CONFIRMED"
        elif act == "RELEASE":
            allowed = self.state == "CANDIDATE" and self.across and self.kind != SHARED_CONTEXT and self.released_at is None
        else:
            allowed = self.state == "CANDIDATE" and self.kind == SHARED_CONTEXT and not self.evidence_gone
        if not allowed:
            raise Refused(_WHY[act])


_WHY = {
    "UNDO": "Alleen een bevestigde koppeling kan ongedaan worden gemaakt (R-LINK-04).",
    "RELEASE": "Alleen een nog niet vrijgegeven vraag over een persoon in twee gemeenten wordt vrijgegeven (R-LINK-04).",
    "CONFIRM": "Alleen een kandidaat over een gedeelde plaats of middel bevestigt de ketenregisseur (R-LINK-04).",
    "REJECT": "Alleen een kandidaat over een gedeelde plaats of middel wijst de ketenregisseur af (R-LINK-04).",
}


class Links:
    """The links of the agenda in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Keep what linking told, of which an older revision never wins."""
        names = [each.name for each in fields(Candidate)]
        put_newer(self._connection, CANDIDATES, [{name: row[name] for name in names} for row in told], guard="revision")

    def undone(self, told: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the links that these records say are undone and that were not before."""
        last = {row["link_id"]: row for row in sorted(told, key=lambda each: int(each["revision"]))}
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
        rows = self._connection.execute(select(CANDIDATES))
        found = [Candidate(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
        return sorted(found, key=lambda each: (not each.overdue, each.found_at, each.link_id))

    def find(self, named: str) -> Candidate:
        """Return the link that a person named, by its id or short number.

        Raises:
            Refused: there is none, or more than one.
        """
        start = start_of(named)
        found = {each.link_id: each for each in self.candidates() if each.link_id.startswith(start)}
        return found[the_one(found, start)]


def decide_on(candidate: Candidate, act: str, *, who: str, at: datetime, work: Work) -> None:
    """Record what the chain director decided about a link, and tell linking.

    Raises:
        Refused: the link does not allow it.
    """
    candidate.require(act)
    answer_id = str(uuid.uuid4())
    row = {"answer_id": answer_id, "link_id": candidate.link_id, "kind": act, "at": at, "who": who}
    add_once(work.connection, LINK_ACTS, [row])
    answer = {
        "answer_id": answer_id,
        "link_id": candidate.link_id,
        "kind": act,
        "by_role": CHAIR,
        "municipality": None,
        "signal_id": None,
        "key_types": list(candidate.key_types),
        "answered_at": at,
    }
    work.send("link-answers", candidate.link_id, "LinkAnswer", answer, event_id=answer_id, at=at)
