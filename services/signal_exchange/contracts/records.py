# ruff: noqa: E501 - a schema's doc is one line
"""The fields of every record on the stream, as types.

Generated from schemas/ by `make schemas`; a test holds it equal. Change a schema, not this file.
A field of an Avro enum has its symbols; a time is aware, in UTC, in whole milliseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypedDict

from signal_exchange.contracts.record_names import RecordName
from signal_exchange.domain.signals.coded_types import CodedSignal, Consent, Forms, ObservedWeeks, Place


class DeliveredSignal(TypedDict):
    """The coded fields that a form of delivery may carry; what it may not carry is null (R-ROUTE-07, R-ROUTE-13)."""

    observed_weeks: ObservedWeeks | None
    """When it was observed."""
    reporter_source: str | None
    """Code of reporter_source.csv."""
    corroborated: bool | None
    """Confirmed by a second source."""
    forms: Forms | None
    """Forms of exploitation."""
    sector: str | None
    """Code of sector.csv."""
    acts: list[str] | None
    """Codes of act.csv."""
    means: list[str] | None
    """Codes of means.csv."""
    indicators: list[str] | None
    """Codes of indicator.csv."""
    vulnerabilities: list[str] | None
    """Codes of vulnerability.csv."""
    subjects: list[DeliveredSubject] | None
    """Persons, pruned."""
    places: list[Place] | None
    """Places, by kind."""
    estimated_victims: int | None
    """Estimate by the municipality."""
    care_needs: list[str] | None
    """Codes of care_need.csv."""
    consent: Consent | None
    """Consent."""
    police_data: bool | None
    """Holds police data."""


class DeliveredSubject(TypedDict):
    """One person as a receiver may see it (R-ROUTE-13): of the other care class only ref and role remain."""

    ref: str | None
    """Reference within the signal."""
    role: str | None
    """Code of subject_role.csv."""
    age_band: str | None
    """Code of age_band.csv."""
    is_minor: bool | None
    """Under 18 on the publish day."""
    minor_at_event: bool | None
    """Under 18 on the first observed day."""
    sex: str | None
    """Code of sex.csv."""
    nationality_group: str | None
    """Code of nationality_group.csv."""
    relation_to_offender: str | None
    """Code of relation.csv."""


class Delivery(TypedDict):
    """What one run of the rules decided for one destination (R-ROUTE-06), kept until the next run."""

    destination: str
    """Code of route_destination.csv."""
    effect: Literal["SEND", "DENY"]
    """SEND or DENY."""
    deliver_as: str | None
    """Code of delivery_form.csv; null for DENY."""
    rule_id: str
    """Rule that decided, or state, gate, default."""
    reason: str
    """Code of route_reason.csv."""
    due_from: datetime | None
    """Append time of the record with which this destination first got SEND; kept until a retraction (R-AGENDA-02)."""
    offer: int
    """Counts the offers to this destination, from 1; 0 when there was none."""
    ended: bool
    """The receiver ended its last offer; only a new version makes a new one (R-REF)."""


class DeliveryView(TypedDict):
    """Where a signal is, as its own municipality may see it."""

    service: str
    """Service that spoke."""
    stage: str
    """Stage of the trace."""
    destination: str | None
    """Code of route_destination.csv."""
    verdict: str | None
    """SEND, DENY or the ledger's entry."""
    version: int
    """Version."""
    owner_role: str | None
    """Who keeps the signal."""
    next_date: str | None
    """Until when."""
    at: datetime
    """When."""


class Envelope(TypedDict):
    """What stands in every signed value: who sends, which number, under which key."""

    event_type: str
    """Reverse-DNS event type, a code of event_type.csv."""
    time: datetime
    """When the municipality recorded this; at most 7 days before and 2 minutes after the broker's append time."""
    publisher_run: str
    """UUID of the publisher run: one numbering. A restored node starts a new run."""
    sequence: int
    """Number within the run, from 1, given at the first send and kept for every retry; 0 for a Checkpoint, which has none."""
    key_id: str
    """Id of the signing key in the participants' register; equal to the header signing-key."""


class LinkSubject(TypedDict):
    """One person of a signal, as linking needs it: who is it within the signal, and in which age class (R-STAT-02)."""

    ref: str
    """Reference within the signal, as s1."""
    role: str
    """Code of subject_role.csv; only a VICTIM counts as a person (R-STAT-01)."""
    age_class: str
    """MINOR, AGE_18_22, AGE_23_PLUS or UNKNOWN, of the latest version (R-STAT-02)."""


class OutcomeView(TypedDict):
    """An outcome, as its own municipality may see it."""

    outcome_id: str
    """Id of the outcome."""
    source: str
    """Service that says so."""
    kind: str
    """ROUTED, REFERRAL, DECISION, LINK_QUESTION, ERASURE (of routing: REQUESTED, DONE, then CERTIFIED) or RECEIPT (erasure_receipt_state)."""
    state: str
    """State code within the kind."""
    outcome: str | None
    """Code of outcome.csv."""
    version: int
    """Version it speaks of."""
    occurred_at: datetime
    """When."""
    detail: SealedPart | None
    """Sealed to this municipality."""
    word: SignedWord | None
    """On ERASURE: this municipality's own SignalErased, on which it rests; its node erases on no other word."""


class SealedPart(TypedDict):
    """Text or tokens, readable by one recipient group only (RFC 9180, HPKE)."""

    group: str
    """Recipient group: care, youth, table, linking, gm:<code> or parking:<service>."""
    key_id: str
    """Id of the group's key."""
    ciphertext: bytes
    """Encapsulated key and ciphertext, bound to signal id and version (parked: to the parked id)."""


class SignedWord(TypedDict):
    """What a municipality itself signed, carried along byte for byte, so that whoever acts on it can check whose word it is."""

    value: bytes
    """The signed value, as it stood on the topic signals."""
    signature: bytes
    """Ed25519 over the value: the header signature."""
    key_id: str
    """Id of the signing key in the participants' register: the header signing-key, and the envelope's."""


class AcceptedSignal(TypedDict):
    """The last verified state of a signal and what was sent where. Topic accepted, state by signal_id, for rebuild and rehearsal."""

    signal_id: str
    """The signal."""
    version: int
    """Last version."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    state: str
    """Code of signal_state.csv."""
    municipality: str
    """CBS code."""
    publisher_run: str
    """Run of the last version."""
    sequence: int
    """Number of the last version."""
    first_published_at: datetime
    """Append time of version 1; of an erased signal that of its erasure."""
    appended_at: datetime
    """Append time of what caused this state: a version, or a link that changed; of a due re-screen its computed moment."""
    content_hash: bytes
    """SHA-256 of R-VAL-16."""
    own_ref: bytes
    """As published; empty once erased."""
    tokens_pending: bool
    """As published."""
    signal: CodedSignal | None
    """The coded signal; null after withdrawal and erasure."""
    sealed: list[SealedPart]
    """As published; empty after withdrawal and erasure."""
    deliveries: list[Delivery]
    """One per destination."""
    screened: bool
    """The meeting decided on this signal: its re-screen is due no more (R-ROUTE-08)."""
    observation_id: str | None
    """Random id of this signal's report fact in the statistics; null once erased, so that nothing leads to it."""


class AgendaItem(TypedDict):
    """What the screening meeting needs of one signal. Topic agenda-items, state by signal_id."""

    signal_id: str
    """The signal."""
    version: int
    """Version of the signal."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    offer: int
    """Counts the offers, from 1."""
    municipality: str
    """CBS code."""
    status: str
    """OFFERED, RETRACTED or ERASED (R-RET-03): of an erased signal every text is empty and offer 0."""
    deliver_as: str
    """FULL_PSEUDONYMOUS or MINOR_STUB."""
    rule_id: str
    """Rule that sends, or that caused the retraction."""
    urgency: str
    """Raised urgency (R-ROUTE-10)."""
    minor: bool
    """A victim or suspect is a minor."""
    due_from: datetime
    """Decides the week (R-AGENDA-02); of an erased signal the append time of its erasure."""
    legal_basis: str | None
    """Basis of the SCREENING entry."""
    partnership: str | None
    """Partnership of that entry."""
    signal: DeliveredSignal | None
    """Pruned signal; null when retracted or erased."""
    summary: SealedPart | None
    """Summary sealed for the table; null for a stub."""
    word: SignedWord | None
    """With status ERASED: the municipality's own SignalErased, on which it rests; without it nothing is erased."""


class ChairAlert(TypedDict):
    """Direct danger, or urgent with a minor victim: the chain director is told within minutes. Topic chair-alerts, log."""

    alert_id: str
    """Deterministic UUID of signal, version and offer."""
    signal_id: str
    """The signal."""
    version: int
    """Version of the signal."""
    municipality: str
    """CBS code."""
    urgency: str
    """Raised urgency."""
    minor: bool
    """A victim is a minor."""
    rule_id: str
    """H10 or H20 in the default rules."""
    raised_at: datetime
    """Append time of the record that caused it; the 15 minutes of R-ROUTE-08 run from here."""


class CheckpointBody(TypedDict):
    """What Checkpoint says, before its sender numbers and signs it."""

    municipality: str
    """CBS code of the municipality."""
    highest: int
    """Highest sequence given out in this run."""


class Checkpoint(CheckpointBody):
    """The highest number a publisher run has given out, so that a gap shows. Topic signals; signed, unnumbered; keyed by publisher_run."""

    envelope: Envelope
    """Sender and key; sequence 0."""


class ClusterMembership(TypedDict):
    """To which cluster of confirmed links a signal belongs. Topic links, state by signal_id."""

    signal_id: str
    """The signal."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    cluster_id: str | None
    """Random id, G-...; null when the signal is in no cluster. Open signals with the same id are one item; who reads counts the open ones."""
    kinds: list[str]
    """Codes of link_kind.csv of this signal's own confirmed links, in alphabetical order."""
    link_ids: list[str]
    """Ids of this signal's own confirmed links, so that they can be undone."""
    changed_at: datetime
    """Append time, or moment of the act, that caused this state."""


class LinkAnswer(TypedDict):
    """Something that a person decided about one link. Topic link-answers, a log by link_id."""

    answer_id: str
    """Random UUID of the decision: doing it twice equals doing it once."""
    link_id: str
    """The link, as LinkCandidate or a question named it."""
    kind: str
    """RELEASE (the question may go out), COMPARE, CONFIRM, REJECT, UNDO, or SPLIT (undo of a link because its item is split)."""
    by_role: str
    """Code of role.csv: ATTENTION_OFFICER for a municipality, CHAIN_DIRECTOR for the meeting."""
    municipality: str | None
    """CBS code of the officer who answers; null for the chain director."""
    signal_id: str | None
    """The officer's own signal; null for the chain director."""
    key_types: list[str]
    """Codes of link_key_type.csv that were shown. A REJECT holds until another type is shared (R-LINK-04); empty: all that were shared then."""
    answered_at: datetime
    """Append time of the officer's answer, or the moment of the chain director's act."""


class LinkCandidate(TypedDict):
    """Two signals that may concern the same person or context, and what was decided; never a value. Topic link-candidates, state by link_id."""

    link_id: str
    """Deterministic UUID of the pair and the kind."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    kind: str
    """Code of link_kind.csv: SAME_PERSON or SHARED_CONTEXT (R-LINK-02)."""
    key_types: list[str]
    """Codes of link_key_type.csv that both share now, in alphabetical order; empty when the evidence is gone."""
    frequency: str
    """How often the most frequent shared value occurs: 2, 3-5, 6-10, MORE or COMMON (veelvoorkomend, above the cap of R-LINK-03)."""
    state: str
    """Code of link_state.csv, or ERASED once one of the signals is."""
    evidence_gone: bool
    """True for a CANDIDATE that was CONFIRMED until a new version took the shared value away."""
    signal_a: str
    """The smaller signal id of the pair."""
    signal_b: str
    """The other signal id."""
    across: bool
    """The signals are of two municipalities: both officers answer, and only after a release."""
    found_at: datetime
    """When the pair was found: append time of what brought the second value."""
    released_at: datetime | None
    """When the chain director released the question; null when it is not, or needs no release."""
    awaits: list[str]
    """Who must still confirm: CBS codes of municipalities, or CHAIN_DIRECTOR; empty unless it is a CANDIDATE that can be confirmed."""
    answer_by: datetime | None
    """When the open question becomes overdue: 10 working days after its release (R-LINK-04). Null when nobody is asked."""
    overdue: bool
    """Not answered in time; it stays a CANDIDATE, on the overdue list."""


class LinkTokens(TypedDict):
    """What linking needs of one signal; its tokens stay sealed. Topic link-tokens, state by signal_id. Written for every signal, since persons are counted of all (R-STAT-01)."""

    signal_id: str
    """The signal."""
    version: int
    """Version of the signal, to which the tokens are bound."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    municipality: str
    """CBS code."""
    status: str
    """OPEN, CLOSED, WITHDRAWN or ERASED. OPEN is state PUBLISHED, ROUTED, DECIDED, RETURNED or REOPENED (R-AGENDA-03)."""
    publish_day: str
    """Local day of version 1, as 2026-11-18; no clock time."""
    appended_at: datetime
    """Append time of version 1: the order of the frequency cap and of the oldest signal (R-LINK-03)."""
    stated_at: datetime
    """Append time of what caused this state; of a status other than OPEN the moment since when."""
    tokens_at: datetime | None
    """Append time of the record that brought these tokens: their epoch is judged at it (R-VAL-14). Null without tokens."""
    form: str | None
    """Primary form of this version; null once erased."""
    subjects: list[LinkSubject]
    """Persons of this version; empty once erased."""
    tokens: SealedPart | None
    """The part sealed for linking, passed on unopened, bound to signal id and version; null without purpose LINKING, without tokens, and once withdrawn or erased."""
    word: SignedWord | None
    """With status ERASED: the municipality's own SignalErased, on which it rests; without it nothing is erased."""


class MunicipalAnswerBody(TypedDict):
    """What MunicipalAnswer says, before its sender numbers and signs it."""

    answer_id: str
    """Random UUID of the answer, which is also its ce_id: doing it twice equals doing it once."""
    signal_id: str
    """The municipality's own signal that was asked about."""
    version: int
    """Version of the signal that the answer speaks of."""
    municipality: str
    """CBS code of the municipality."""
    link_id: str
    """The link, as the question named it."""
    kind: str
    """COMPARE, CONFIRM, REJECT or UNDO."""
    key_types: list[str]
    """Codes of link_key_type.csv that the question showed. A REJECT holds until another type is shared; empty: all that were shared then."""


class MunicipalAnswer(MunicipalAnswerBody):
    """A municipality answers a question about a link. Topic signals; the value is signed. It is no version of the signal (R-LINK-04)."""

    envelope: Envelope
    """Sender, number and key."""


class Observation(TypedDict):
    """One fact for the regional statistics, under a random id that leads to no signal. Topic observations, state by observation_id."""

    observation_id: str
    """Random UUID, one per fact, kept by its writer."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    kind: str
    """REPORT, or PERSON: one person in one calendar year (R-STAT-01); then sector, urgency and reporter_source are empty."""
    municipality: str
    """CBS code; of a PERSON that of the first report of the year."""
    publish_day: str
    """Local day of version 1, as 2026-11-18; no clock time. Of a PERSON that of the first report of the year."""
    form: str
    """Primary form of the latest version; of a PERSON that of the earliest signal of the year (R-STAT-02)."""
    sector: str
    """Sector of the latest version."""
    urgency: str
    """Raised urgency of the latest version."""
    reporter_source: str
    """Code of reporter_source.csv."""
    victim_age_bands: list[str]
    """Age band of each victim."""
    estimated_victims: int | None
    """Shown apart, never added (R-STAT-01)."""
    counted: bool
    """False once withdrawn, or for a PERSON who turned out to be another one (R-STAT-01)."""
    age_class: str | None
    """Of a PERSON: MINOR, AGE_18_22, AGE_23_PLUS or UNKNOWN at the first report (R-STAT-02); null for a REPORT."""


class Outcome(TypedDict):
    """Something that happened to a signal and that its municipality must hear. Topic outcomes, state by signal_id/outcome_id."""

    outcome_id: str
    """Deterministic UUID within the signal."""
    signal_id: str
    """The signal."""
    version: int
    """Version it speaks of."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    municipality: str
    """CBS code."""
    source: str
    """Service that says so."""
    kind: str
    """ROUTED, REFERRAL, DECISION, LINK_QUESTION, ERASURE (of routing: REQUESTED, DONE, then CERTIFIED) or RECEIPT (erasure_receipt_state)."""
    state: str
    """State code within the kind, such as a referral_state."""
    outcome: str | None
    """Code of outcome.csv for the municipality (R-AGENDA-09)."""
    occurred_at: datetime
    """When it happened: append time of the cause, or the time of the person's act."""
    own_ref: bytes | None
    """As published, on ROUTED."""
    detail: SealedPart | None
    """Rule ids, reasons and texts, sealed to gm:<code>."""
    word: SignedWord | None
    """On ERASURE: the municipality's own SignalErased, on which it rests; without it nobody erases anything."""


class ParkedRecord(TypedDict):
    """A record that a service could not process, kept until a person resolves it. Topic parked, state by parked_id."""

    parked_id: str
    """Deterministic UUID of service, topic, partition and offset."""
    service: str
    """Service that parked it and owns it."""
    topic: str
    """Where it came from."""
    partition: int
    """Partition."""
    offset: int
    """Offset."""
    reason: str
    """Code of dead_letter_reason.csv; never a value."""
    errors: list[str]
    """Field and rule of each violation, as sector R-VAL-05; never a value."""
    attributed: bool
    """The sender was verified; an unattributed record blames nobody."""
    municipality: str | None
    """CBS code, where attributed."""
    publisher_run: str | None
    """Run, where attributed."""
    sequence: int | None
    """Number, where attributed."""
    signal_id: str | None
    """The signal, where attributed."""
    version: int | None
    """Its version, where attributed."""
    state: str
    """PARKED, RESOLVED or DISCARDED."""
    parked_at: datetime
    """Append time of the parked record."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    record: SealedPart
    """Key, value and headers, sealed to parking:<service> and bound to the parked id; of what is resolved or discarded nothing."""


class Referral(TypedDict):
    """What the care or youth coordinator needs of one signal. Topics referrals and referrals-youth, state by signal_id."""

    signal_id: str
    """The signal."""
    version: int
    """Version of the signal."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    offer: int
    """Counts the offers, from 1."""
    municipality: str
    """CBS code."""
    status: str
    """OFFERED, RETRACTED (R-ROUTE-12) or ERASED (R-RET-03): of an erased signal every text is empty and offer 0."""
    deliver_as: str
    """FULL_PSEUDONYMOUS, CONSULT or YOUTH_ROUTE."""
    rule_id: str
    """Rule that sends, or that caused the retraction."""
    urgency: str
    """Raised urgency (R-ROUTE-10)."""
    due_from: datetime
    """Start of the deadlines (R-REF-04); of an erased signal the append time of its erasure."""
    legal_basis: str | None
    """Basis of the CARE_REFERRAL entry."""
    partnership: str | None
    """Partnership of that entry."""
    signal: DeliveredSignal | None
    """Pruned signal; null when retracted or erased."""
    summary: SealedPart | None
    """Summary sealed for this group; null where the form carries none."""
    word: SignedWord | None
    """With status ERASED: the municipality's own SignalErased, on which it rests; without it nothing is erased."""


class RetryRequest(TypedDict):
    """What a person decided about a parked record: its owner tries it again, or drops it. Topic retry.<service>, log."""

    request_id: str
    """Random UUID of the decision: doing it twice is doing it once."""
    parked_id: str
    """The parked record."""
    service: str
    """The service that parked it and must act."""
    action: str
    """RETRY or DISCARD."""
    reason: str
    """Code from a closed list; who decided stays in the store of oversight."""
    at: datetime
    """When it was decided."""


class SignalErasedBody(TypedDict):
    """What SignalErased says, before its sender numbers and signs it."""

    signal_id: str
    """The signal."""
    version: int
    """Last version + 1."""
    municipality: str
    """CBS code of the municipality."""


class SignalErased(SignalErasedBody):
    """A municipality erased a signal, whose key it destroyed: every receiver must erase it too (R-RET-03). Topic signals; the value is signed."""

    envelope: Envelope
    """Sender, number and key."""


class SignalPublishedBody(TypedDict):
    """What SignalPublished says, before its sender numbers and signs it."""

    own_ref: bytes
    """Keyed hash of the sender's own reference, returned on feedback so that a restored node publishes nothing twice."""
    tokens_pending: bool
    """A keeper did not answer: the link tokens follow later."""
    signal: CodedSignal
    """The signal in codes."""
    sealed: list[SealedPart]
    """At most one part per recipient group."""


class SignalPublished(SignalPublishedBody):
    """A municipality publishes a signal, or a new version of it. Topic signals; the value is signed."""

    envelope: Envelope
    """Sender, number and key."""


class ReceivedNumber(TypedDict):
    """A number that the exchange has accounted for."""

    publisher_run: str
    """Run."""
    sequence: int
    """Number in the run."""
    verdict: str
    """Entry of the ledger (R-FLOW-01)."""


class SignalView(TypedDict):
    """Everything a municipality may see of one of its own signals. Topic feedback.<gm>, state by signal_id."""

    signal_id: str
    """The signal."""
    own_ref: bytes | None
    """As published."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    version: int
    """Highest version that was received."""
    received: list[ReceivedNumber]
    """Numbers accounted for: their outbox rows may go."""
    steps: list[DeliveryView]
    """Latest step per service, stage and destination."""
    outcomes: list[OutcomeView]
    """Latest state of each outcome."""


class SignalWithdrawnBody(TypedDict):
    """What SignalWithdrawn says, before its sender numbers and signs it."""

    signal_id: str
    """The signal."""
    version: int
    """Last version + 1."""
    municipality: str
    """CBS code of the municipality."""
    reason: str
    """Code of withdrawal_reason.csv."""


class SignalWithdrawn(SignalWithdrawnBody):
    """A municipality withdraws a signal. Topic signals; the value is signed."""

    envelope: Envelope
    """Sender, number and key."""


class TokensRenewedBody(TypedDict):
    """What TokensRenewed says, before its sender numbers and signs it."""

    renewal_id: str
    """Random UUID of the renewal, which is also its ce_id: doing it twice equals doing it once."""
    signal_id: str
    """The signal."""
    version: int
    """Version of the signal to which the tokens are bound."""
    municipality: str
    """CBS code of the municipality."""
    tokens: SealedPart
    """The part sealed for linking, in place of the one before."""


class TokensRenewed(TokensRenewedBody):
    """A municipality gives the link tokens of a signal anew. They could not be made before, or a new epoch began (R-LINK-01): no new version, no new routing. Topic signals; the value is signed."""

    envelope: Envelope
    """Sender, number and key."""


class TraceFact(TypedDict):
    """One step of a signal through the exchange, without any reason that tells about a person. Topic signal-trace, log."""

    trace_id: str
    """Deterministic UUID of the step."""
    service: str
    """Service that writes it."""
    stage: str
    """RECEIVED, ROUTED, STORED, PARKED, RETRACTED, OUTCOME, RECEIPT or CHECKPOINT."""
    signal_id: str | None
    """The signal, where it is known and verified."""
    version: int | None
    """Version of the signal."""
    municipality: str | None
    """CBS code, where it is verified."""
    publisher_run: str | None
    """Run, where it is verified."""
    sequence: int | None
    """Number in the run, or the highest number of a checkpoint."""
    destination: str | None
    """Code of route_destination.csv."""
    verdict: str | None
    """Entry of the ledger (R-FLOW-01) at RECEIVED and PARKED; SEND or DENY at ROUTED."""
    owner_role: str | None
    """Who keeps the signal, a code of role.csv (R-ROUTE-11)."""
    next_date: str | None
    """Until when, as 2026-12-14."""
    records: int | None
    """How many records this fact stands for, when it is more than one: records at PARKED that nobody can be named for and of which nothing is kept."""
    at: datetime
    """Append time of the record that caused the step."""


class FeedbackTraceFact(TypedDict):
    """One step of a signal through the exchange, without any reason that tells about a person. Topic signal-trace, log."""

    service: str
    """Service that writes it."""
    stage: str
    """RECEIVED, ROUTED, STORED, PARKED, RETRACTED, OUTCOME, RECEIPT or CHECKPOINT."""
    signal_id: str | None
    """The signal, where it is known and verified."""
    version: int | None
    """Version of the signal."""
    municipality: str | None
    """CBS code, where it is verified."""
    publisher_run: str | None
    """Run, where it is verified."""
    sequence: int | None
    """Number in the run, or the highest number of a checkpoint."""
    destination: str | None
    """Code of route_destination.csv."""
    verdict: str | None
    """Entry of the ledger (R-FLOW-01) at RECEIVED and PARKED; SEND or DENY at ROUTED."""
    owner_role: str | None
    """Who keeps the signal, a code of role.csv (R-ROUTE-11)."""
    next_date: str | None
    """Until when, as 2026-12-14."""
    at: datetime
    """Append time of the record that caused the step."""


class OversightParkedRecord(TypedDict):
    """A record that a service could not process, kept until a person resolves it. Topic parked, state by parked_id."""

    parked_id: str
    """Deterministic UUID of service, topic, partition and offset."""
    service: str
    """Service that parked it and owns it."""
    topic: str
    """Where it came from."""
    reason: str
    """Code of dead_letter_reason.csv; never a value."""
    errors: list[str]
    """Field and rule of each violation, as sector R-VAL-05; never a value."""
    attributed: bool
    """The sender was verified; an unattributed record blames nobody."""
    municipality: str | None
    """CBS code, where attributed."""
    publisher_run: str | None
    """Run, where attributed."""
    sequence: int | None
    """Number, where attributed."""
    signal_id: str | None
    """The signal, where attributed."""
    version: int | None
    """Its version, where attributed."""
    state: str
    """PARKED, RESOLVED or DISCARDED."""
    parked_at: datetime
    """Append time of the parked record."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""


class RebuildTraceFact(TypedDict):
    """One step of a signal through the exchange, without any reason that tells about a person. Topic signal-trace, log."""

    service: str
    """Service that writes it."""
    stage: str
    """RECEIVED, ROUTED, STORED, PARKED, RETRACTED, OUTCOME or CHECKPOINT."""
    signal_id: str | None
    """The signal, where it is known and verified."""
    version: int | None
    """Version of the signal."""
    municipality: str | None
    """CBS code, where it is verified."""
    publisher_run: str | None
    """Run, where it is verified."""
    sequence: int | None
    """Number in the run, or the highest number of a checkpoint."""
    verdict: str | None
    """Entry of the ledger (R-FLOW-01) at RECEIVED and PARKED; SEND or DENY at ROUTED."""
    at: datetime
    """Append time of the record that caused the step."""


class RoutingOutcome(TypedDict):
    """Something that happened to a signal and that its municipality must hear. Topic outcomes, state by signal_id/outcome_id."""

    outcome_id: str
    """Deterministic UUID within the signal."""
    signal_id: str
    """The signal."""
    version: int
    """Version it speaks of."""
    revision: int
    """Counts the states of this record; a reader ignores an older one."""
    municipality: str
    """CBS code."""
    source: str
    """Service that says so."""
    kind: str
    """REFERRAL, DECISION or RECEIPT matter here, and in a rebuild its own ERASURE."""
    state: str
    """State code within the kind, such as a referral_state."""
    outcome: str | None
    """Code of outcome.csv for the municipality (R-AGENDA-09)."""
    occurred_at: datetime
    """When it happened: append time of the cause, or the time of the person's act."""
    word: SignedWord | None
    """On ERASURE: the municipality's own SignalErased, on which it rests; without it nobody erases anything."""


ACCEPTED_SIGNAL: Final = RecordName[AcceptedSignal]("AcceptedSignal")
AGENDA_ITEM: Final = RecordName[AgendaItem]("AgendaItem")
CHAIR_ALERT: Final = RecordName[ChairAlert]("ChairAlert")
CHECKPOINT: Final = RecordName[Checkpoint]("Checkpoint")
CHECKPOINT_BODY: Final = RecordName[CheckpointBody]("Checkpoint")
CLUSTER_MEMBERSHIP: Final = RecordName[ClusterMembership]("ClusterMembership")
LINK_ANSWER: Final = RecordName[LinkAnswer]("LinkAnswer")
LINK_CANDIDATE: Final = RecordName[LinkCandidate]("LinkCandidate")
LINK_TOKENS: Final = RecordName[LinkTokens]("LinkTokens")
MUNICIPAL_ANSWER: Final = RecordName[MunicipalAnswer]("MunicipalAnswer")
MUNICIPAL_ANSWER_BODY: Final = RecordName[MunicipalAnswerBody]("MunicipalAnswer")
OBSERVATION: Final = RecordName[Observation]("Observation")
OUTCOME: Final = RecordName[Outcome]("Outcome")
PARKED_RECORD: Final = RecordName[ParkedRecord]("ParkedRecord")
REFERRAL: Final = RecordName[Referral]("Referral")
RETRY_REQUEST: Final = RecordName[RetryRequest]("RetryRequest")
SIGNAL_ERASED: Final = RecordName[SignalErased]("SignalErased")
SIGNAL_ERASED_BODY: Final = RecordName[SignalErasedBody]("SignalErased")
SIGNAL_PUBLISHED: Final = RecordName[SignalPublished]("SignalPublished")
SIGNAL_PUBLISHED_BODY: Final = RecordName[SignalPublishedBody]("SignalPublished")
SIGNAL_VIEW: Final = RecordName[SignalView]("SignalView")
SIGNAL_WITHDRAWN: Final = RecordName[SignalWithdrawn]("SignalWithdrawn")
SIGNAL_WITHDRAWN_BODY: Final = RecordName[SignalWithdrawnBody]("SignalWithdrawn")
TOKENS_RENEWED: Final = RecordName[TokensRenewed]("TokensRenewed")
TOKENS_RENEWED_BODY: Final = RecordName[TokensRenewedBody]("TokensRenewed")
TRACE_FACT: Final = RecordName[TraceFact]("TraceFact")
