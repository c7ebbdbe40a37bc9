"""Every destination of a signal, declared once (R-ROUTE-01): what the rest of the exchange knows of one follows from here.

Rules, pruning, topics, access rules, sealing, erasing, oversight and set-up read these rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from signal_exchange.domain.signals.coded import has_minor_subject, has_minor_victim, purposes
from signal_exchange.domain.signals.coded_types import CodedSignal

CARE_COORDINATOR: Final = "CARE_COORDINATOR"
SCREENING_AGENDA: Final = "SCREENING_AGENDA"
STATISTICS: Final = "STATISTICS"
CHAIR_ALERT: Final = "CHAIR_ALERT"
LINKING: Final = "linking"
"""Purpose, service and recipient group that compare link tokens: no destination, since no rule sends there."""

IsMinors = Callable[[CodedSignal], bool]
"""Says whether a signal is a minor's, as one destination counts."""


@dataclass(frozen=True, slots=True)
class Text:
    """The summary, sealed: for which recipient group, in which form of delivery, and whether of minors' signals or of others'."""

    group: str
    form: str
    of_minors: bool = False


@dataclass(frozen=True, slots=True)
class Receiver:
    """One service at a destination: the topic and record by which it gets signals, and in which forms.

    `owner` is the role that owns a signal there where the trace names nobody; `tells_minor` says that the record has the flag
    `minor`.
    """

    service: str
    topic: str
    record: str
    forms: frozenset[str]
    why: str
    text: Text | None = None
    owner: str | None = None
    tells_minor: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination, with the purpose whose exchange entry opens its gate (R-ROUTE-02).

    `ended_by` is the kind of outcome by which a receiver ends its offer, with the code list of its `states`; None where nobody
    owns the signal. An ended offer that is `ended_in_every_form` waits for a new version, also when the rules choose another
    form. `is_minors` says which signals are shielded as a minor's. Who sees which field stands in `domain/signals/fields.py`.
    """

    code: str
    purpose: str
    receivers: tuple[Receiver, ...]
    ended_by: str | None = None
    states: str | None = None
    ended_in_every_form: bool = False
    is_minors: IsMinors = has_minor_victim

    @property
    def owns_signals(self) -> bool:
        """Say whether a receiver has the signal, as its next owner, until it ends the offer (R-ROUTE-11)."""
        return self.ended_by is not None

    @property
    def forms(self) -> frozenset[str]:
        """Return the forms of delivery that go there."""
        return frozenset(form for receiver in self.receivers for form in receiver.forms)

    def receiver_of(self, form: str | None) -> Receiver:
        """Return the receiver of a form of delivery; a form that does not go there is a KeyError."""
        return {each: receiver for receiver in self.receivers for each in receiver.forms}[str(form)]

    def group_of(self, form: str | None) -> str | None:
        """Return the recipient group whose sealed summary a form of delivery carries; the other forms carry no text."""
        return next((each.text.group for each in self.receivers if each.text and each.text.form == form), None)


DESTINATIONS: Final = (
    Destination(
        CARE_COORDINATOR,
        "CARE_REFERRAL",
        (
            Receiver(
                "worklist",
                "referrals",
                "Referral",
                frozenset({"FULL_PSEUDONYMOUS", "CONSULT"}),
                "What care needs of adults.",
                Text("care", "FULL_PSEUDONYMOUS"),
                owner="CARE_COORDINATOR",
            ),
            Receiver(
                "worklist-youth",
                "referrals-youth",
                "Referral",
                frozenset({"YOUTH_ROUTE"}),
                "What care needs of minors.",
                Text("youth", "YOUTH_ROUTE", of_minors=True),
                owner="YOUTH_COORDINATOR",
            ),
        ),
        ended_by="REFERRAL",
        states="referral_state",
        ended_in_every_form=True,
    ),
    Destination(
        SCREENING_AGENDA,
        "SCREENING",
        (
            Receiver(
                "agenda",
                "agenda-items",
                "AgendaItem",
                frozenset({"FULL_PSEUDONYMOUS", "MINOR_STUB"}),
                "What the screening meeting needs.",
                Text("table", "FULL_PSEUDONYMOUS"),
                owner="CHAIN_DIRECTOR",
                tells_minor=True,
            ),
        ),
        ended_by="DECISION",
        states="agenda_state",
        is_minors=has_minor_subject,
    ),
    Destination(
        STATISTICS,
        "STATISTICS",
        (
            Receiver(
                "statistics",
                "observations",
                "Observation",
                frozenset({"STAT_RECORD"}),
                "Facts for the figures, under random ids.",
            ),
        ),
    ),
    Destination(
        CHAIR_ALERT,
        "ACUTE_ALERT",
        (Receiver("agenda", "chair-alerts", "ChairAlert", frozenset({"ALERT"}), "Direct danger, within minutes."),),
    ),
)
"""The destinations, judged independently and in this order."""
CODES: Final = tuple(each.code for each in DESTINATIONS)
BY_CODE: Final[Mapping[str, Destination]] = MappingProxyType({each.code: each for each in DESTINATIONS})
RECEIVERS: Final = tuple(receiver for each in DESTINATIONS for receiver in each.receivers)
OWNING: Final = tuple(each.code for each in DESTINATIONS if each.owns_signals)
"""Destinations of which one has an open signal, or an owner is named (R-ROUTE-11)."""
OWNING_RECEIVERS: Final = tuple(receiver for each in DESTINATIONS if each.owns_signals for receiver in each.receivers)
"""Receivers that own a signal until they end its offer; on their topics a record stands under the signal's own id."""
GROUP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {each.service: each.text.group for each in RECEIVERS if each.text} | {LINKING: LINKING}
)
"""The recipient group whose sealed parts a service may open."""


def groups_of_text(signal: CodedSignal) -> Iterator[str]:
    """Give the recipient groups that may read the summary: nobody without a purpose, and no table for a minor's (R-VAL-23)."""
    named = purposes(signal)
    for destination in (each for each in DESTINATIONS if each.purpose in named):
        texts = (receiver.text for receiver in destination.receivers if receiver.text is not None)
        yield from (text.group for text in texts if text.of_minors == destination.is_minors(signal))


def recipient_groups(signal: CodedSignal) -> tuple[str, ...]:
    """Return the groups for whom a part of a signal is sealed, each once (R-VAL-23)."""
    return (*groups_of_text(signal), *([LINKING] if "LINKING" in purposes(signal) else []))
