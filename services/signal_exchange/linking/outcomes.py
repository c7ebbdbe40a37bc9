"""The records of linking: candidates to the agenda, clusters to routing and the agenda, persons to the figures, questions home.

No step goes to the trace: that two signals may concern one person is not for operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from signal_exchange.contracts.records import CLUSTER_MEMBERSHIP, LINK_CANDIDATE, ClusterMembership, LinkCandidate
from signal_exchange.domain.links.states import CANDIDATE
from signal_exchange.linking.clustering import Membership
from signal_exchange.linking.counting import Fact
from signal_exchange.linking.records import ERASED, Link, Signal
from signal_exchange.stream.observations import PERSON, send_observation
from signal_exchange.stream.outcomes import SealTo, send_outcome
from signal_exchange.stream.work import Work

KIND = "LINK_QUESTION"
ASKED, COMPARING, CLOSED = "ASKED", "COMPARING", "CLOSED"
QUESTION = "Dit signaal gaat mogelijk over dezelfde persoon als een signaal elders."
"""The words of R-LINK-04: they name no municipality, no signal and no value.

They travel sealed in a record and are kept as they came, in one language: so they do not stand in the catalogue.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """The question about one link, as one side reads it. `other` is shown only after both chose to compare."""

    state: str
    key_types: tuple[str, ...]
    frequency: str
    answer_by: datetime | None
    shows_other: bool


def publish_candidate(link: Link, work: Work) -> None:
    """Publish a link to the agenda; never a value (R-LINK-05). Of an erased signal nothing stays on the topic."""
    fields = LinkCandidate(
        link_id=link.link_id,
        revision=link.revision,
        kind=link.kind,
        key_types=list(link.key_types),
        frequency=link.frequency,
        state=link.state,
        evidence_gone=link.evidence_gone,
        signal_a=link.signal_a,
        signal_b=link.signal_b,
        across=link.across,
        found_at=link.found_at,
        released_at=link.released_at,
        awaits=list(link.awaits),
        answer_by=link.answer_by,
        overdue=link.overdue,
    )
    event_id = f"{link.link_id}.{link.revision}"
    work.send("link-candidates", link.link_id, LINK_CANDIDATE, fields, event_id=event_id, at=link.changed_at)
    if link.state == ERASED:
        work.tombstone("link-candidates", link.link_id, at=link.changed_at)


def publish_membership(membership: Membership, work: Work) -> None:
    """Publish the cluster of a signal to routing and the agenda."""
    signal_id, at = membership.signal_id, membership.changed_at
    fields = ClusterMembership(
        signal_id=signal_id,
        revision=membership.revision,
        cluster_id=membership.cluster_id,
        kinds=list(membership.kinds),
        link_ids=list(membership.link_ids),
        changed_at=at,
    )
    work.send("links", signal_id, CLUSTER_MEMBERSHIP, fields, event_id=f"{signal_id}.{membership.revision}", at=at)


def publish_fact(fact: Fact, at: datetime, work: Work) -> None:
    """Publish a person in a year to the figures, under an id that says nothing to them (docs/decisions/0010)."""
    send_observation(
        work,
        at=at,
        observation_id=fact.observation_id,
        revision=fact.revision,
        kind=PERSON,
        municipality=fact.municipality,
        publish_day=fact.publish_day,
        form=fact.form,
        age_class=fact.age_class,
        counted=fact.counted,
    )


def question_of(link: Link | None, municipality: str, places: Iterable[str]) -> Question | None:
    """Return the question about a link as one municipality's officer reads it; None while nothing is asked of this side."""
    if link is None or not link.asked:
        return None
    if link.state != CANDIDATE or municipality not in link.awaits:
        return Question(CLOSED, (), link.frequency, None, shows_other=False)
    both = set(places) <= {*link.compared}
    return Question(COMPARING if both else ASKED, link.key_types, link.frequency, link.answer_by, shows_other=both)


def report_questions(before: Link | None, link: Link, signals: Mapping[str, Signal], seal_to: SealTo, work: Work) -> None:
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
    send_outcome(
        work,
        signal_id=own.signal_id,
        version=own.version,
        municipality=own.municipality,
        kind=KIND,
        number=link.link_id,
        revision=link.revision,
        state=question.state,
        occurred_at=link.changed_at,
        detail=_detail(link, question, elsewhere),
        seal_to=seal_to,
    )


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
