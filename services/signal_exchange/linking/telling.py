"""What linking tells: candidates to the agenda, clusters to routing and the agenda, persons to the figures, questions home.

No step goes to the trace: that two signals may concern one person is not for operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from signal_exchange.domain.link_states import CANDIDATE
from signal_exchange.linking.clustering import Membership
from signal_exchange.linking.counting import Fact
from signal_exchange.linking.records import ERASED, Link, Signal
from signal_exchange.stream.outcomes import SealTo, outcome_id_of, padded
from signal_exchange.stream.work import Work

KIND = "LINK_QUESTION"
ASKED, COMPARING, CLOSED = "ASKED", "COMPARING", "CLOSED"
QUESTION = "Dit signaal gaat mogelijk over dezelfde persoon als een signaal elders."
"""The words of R-LINK-04: they name no municipality, no signal and no value."""
_CANDIDATE = ("link_id", "revision", "kind", "frequency", "state", "evidence_gone", "signal_a", "signal_b", "across")
_CANDIDATE_MORE = ("key_types", "found_at", "released_at", "awaits", "answer_by", "overdue")
_NO_REPORT: dict[str, object] = {
    "sector": "",
    "urgency": "",
    "reporter_source": "",
    "victim_age_bands": [],
    "estimated_victims": None,
}


@dataclass(frozen=True, slots=True)
class Question:
    """The question about one link, as one side hears it. `other` is shown only after both chose to compare."""

    state: str
    key_types: tuple[str, ...]
    frequency: str
    answer_by: datetime | None
    shows_other: bool


def tell_candidate(link: Link, work: Work) -> None:
    """Tell the agenda of a link; never a value (R-LINK-05). Of an erased signal nothing stays on the topic."""
    fields = {name: getattr(link, name) for name in (*_CANDIDATE, *_CANDIDATE_MORE)}
    event_id = f"{link.link_id}.{link.revision}"
    work.send("link-candidates", link.link_id, "LinkCandidate", fields, event_id=event_id, at=link.changed_at)
    if link.state == ERASED:
        work.tombstone("link-candidates", link.link_id, at=link.changed_at)


def tell_membership(membership: Membership, work: Work) -> None:
    """Tell routing and the agenda to which cluster a signal belongs."""
    names = ("signal_id", "revision", "cluster_id", "kinds", "link_ids", "changed_at")
    fields = {name: getattr(membership, name) for name in names}
    signal_id = membership.signal_id
    event_id = f"{signal_id}.{membership.revision}"
    work.send("links", signal_id, "ClusterMembership", fields, event_id=event_id, at=membership.changed_at)


def tell_fact(fact: Fact, at: datetime, work: Work) -> None:
    """Tell the figures of a person in a year, under an id that says nothing to them (docs/decisions/0010)."""
    names = ("observation_id", "revision", "municipality", "publish_day", "form", "age_class", "counted")
    fields = {**{name: getattr(fact, name) for name in names}, **_NO_REPORT, "kind": "PERSON"}
    event_id = f"{fact.observation_id}.{fact.revision}"
    work.send("observations", fact.observation_id, "Observation", fields, event_id=event_id, at=at)


def question_of(link: Link | None, municipality: str, places: Iterable[str]) -> Question | None:
    """Return what the officer of a municipality hears of a link; None while nothing is asked of this side."""
    if link is None or not link.asked:
        return None
    if link.state != CANDIDATE or municipality not in link.awaits:
        return Question(CLOSED, (), link.frequency, None, shows_other=False)
    both = set(places) <= {*link.compared}
    return Question(COMPARING if both else ASKED, link.key_types, link.frequency, link.answer_by, shows_other=both)


def tell_questions(before: Link | None, link: Link, signals: Mapping[str, Signal], seal_to: SealTo, work: Work) -> None:
    """Ask each side that must answer, and tell a side that was asked that nothing is asked any more, unless it is erased."""
    one, other = (signals[signal_id] for signal_id in link.pair)
    places = (one.municipality, other.municipality)
    for own, elsewhere in ((one, other), (other, one)):
        was = question_of(before, own.municipality, places)
        now = question_of(link, own.municipality, places) or _ended(was, link)
        asks = now is not None and now != was and (was is not None or now.state != CLOSED)
        if now is not None and asks and own.status != ERASED:
            _ask(link, now, (own, elsewhere), seal_to, work)


def _ended(was: Question | None, link: Link) -> Question | None:
    """Return the end of a question whose link asks nothing any more, as when the other signal was erased."""
    ended = was is not None and was.state != CLOSED
    return Question(CLOSED, (), link.frequency, None, shows_other=False) if ended else None


def _ask(link: Link, question: Question, sides: tuple[Signal, Signal], seal_to: SealTo, work: Work) -> None:
    own, elsewhere = sides
    outcome_id = outcome_id_of(own.signal_id, work.service, KIND, link.link_id)
    key = f"{own.signal_id}/{outcome_id}"
    fields = {
        "outcome_id": outcome_id,
        "signal_id": own.signal_id,
        "version": own.version,
        "revision": link.revision,
        "municipality": own.municipality,
        "source": work.service,
        "kind": KIND,
        "state": question.state,
        "outcome": None,
        "occurred_at": link.changed_at,
        "own_ref": None,
        "detail": seal_to(f"gm:{own.municipality}", padded(_detail(link, question, elsewhere)), key),
    }
    event_id = f"{outcome_id}.{link.revision}"
    work.send("outcomes", key, "Outcome", fields, event_id=event_id, at=link.changed_at, partition_by=own.signal_id)


def _detail(link: Link, question: Question, elsewhere: Signal) -> dict[str, object]:
    return {
        "link_id": link.link_id,
        "text": QUESTION,
        "kind": link.kind,
        "key_types": list(question.key_types),
        "frequency": question.frequency,
        "answer_by": question.answer_by.isoformat() if question.answer_by else None,
        "other": _coded(elsewhere) if question.shows_other else None,
    }


def _coded(signal: Signal) -> dict[str, object]:
    """Return the codes of the other signal: no id, no municipality, no day."""
    persons = [{"role": each["role"], "age_class": each["age_class"]} for each in signal.subjects]
    return {"form": signal.form, "subjects": persons}
