"""Oversight's work on one batch: place each number, set each clock, and keep what is known of parked records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from signal_exchange.contracts.records import TraceFact
from signal_exchange.domain.destinations import OWNING
from signal_exchange.domain.figures.ledger import UNATTRIBUTED, VERDICTS, Checkpoint, Entry, Number, is_another
from signal_exchange.oversight.store import SENT, Clock, OversightStore
from signal_exchange.stream.messages import Unreadable
from signal_exchange.stream.views import OversightReads, TraceFactMessage
from signal_exchange.stream.work import Work

ACCOUNTS = "routing"
"""The service that judges numbers: what another one received or parked is not a place of a number."""
CLOCK_STAGES = frozenset({"ROUTED", "STORED", "RETRACTED", "OUTCOME", "RECEIPT"})


def handle(messages: Sequence[OversightReads], work: Work) -> None:
    """Take each fact once, by its trace id, in the order of the trace. Of parked records it sees no content."""
    store = OversightStore(work.connection)
    sound = [message for message in messages if message.record == "TraceFact" and not _parked(message, work)]
    facts = {message.fields["trace_id"]: message.fields for message in sound}
    known = store.known_facts(facts)
    fresh = [fields for trace_id, fields in facts.items() if trace_id not in known]
    unattributed = _place([_entry(fields) for fields in fresh if _accounts(fields)], store)
    checkpoints = [(_number(fields), fields["at"]) for fields in fresh if fields["stage"] == "CHECKPOINT"]
    store.put_checkpoints([Checkpoint(*number, at) for number, at in checkpoints if number is not None])
    clocked = [fields for fields in fresh if fields["stage"] in CLOCK_STAGES and fields["signal_id"]]
    store.put_clocks([clock for fields in clocked for clock in _clocks(fields)])
    told = {fields["trace_id"]: fields["records"] or 1 for fields in fresh if fields["trace_id"] in unattributed}
    store.add_facts([fields["trace_id"] for fields in fresh], told)
    store.put_parked([message.fields for message in messages if message.record == "ParkedRecord"])


def _parked(message: TraceFactMessage, work: Work) -> bool:
    """Park a step that cannot be placed in the ledger, which no service of ours writes, and say whether it was."""
    if fault := _fault(message.fields):
        work.park(Unreadable(message.incoming, "CONTENT_INVALID", (f"{fault} R-FLOW-01",)))
    return fault is not None


def _fault(fields: TraceFact) -> str | None:
    """Return the field that a step lacks to be placed; None when it has what it needs."""
    if fields["stage"] == "CHECKPOINT":
        return "sequence" if _number(fields) is None else None
    if not _accounts(fields):
        return None
    if fields["verdict"] not in (*VERDICTS, UNATTRIBUTED):
        return "verdict"
    return "municipality" if fields["sequence"] is not None and _number(fields) is None else None


def _number(fields: TraceFact) -> Number | None:
    municipality, run, sequence = fields["municipality"], fields["publisher_run"], fields["sequence"]
    return None if municipality is None or run is None or sequence is None else (municipality, run, sequence)


def _accounts(fields: TraceFact) -> bool:
    return fields["stage"] in ("RECEIVED", "PARKED") and fields["service"] == ACCOUNTS


def _entry(fields: TraceFact) -> tuple[str, Entry]:
    return fields["trace_id"], Entry(_number(fields), fields["verdict"] or "", fields["signal_id"], fields["version"] or 0)


def _place(entries: Sequence[tuple[str, Entry]], store: OversightStore) -> set[str]:
    """Give each number its place, and return the facts that blame nobody (R-FLOW-01)."""
    placed = store.entries({entry.number for _, entry in entries if entry.number is not None})
    unattributed, times = set(), Counter[Number]()
    for trace_id, entry in entries:
        if entry.number is None or is_another(entry, placed.get(entry.number)):
            unattributed.add(trace_id)
        else:
            placed[entry.number] = entry
            times[entry.number] += 1
    store.put_entries([placed[number] for number in times], times)
    return unattributed


def _clocks(fields: TraceFact) -> Iterator[Clock]:
    if fields["stage"] != "ROUTED":
        part = "RECEIPT" if fields["stage"] == "RECEIPT" else fields["destination"]
        yield _clock(fields, fields["service"] if part is None else f"{fields['service']}/{part}")
        return
    # Routing tells owner and date with each destination alike: it has one clock per signal, and one per receiver to hear from.
    yield _clock(fields, fields["service"])
    if fields["destination"] in OWNING:
        stage = SENT if fields["verdict"] == "SEND" else "DENIED"
        sent: TraceFact = {**fields, "owner_role": None, "next_date": None, "stage": stage}
        yield _clock(sent, f"{SENT}/{fields['destination']}")


def _clock(fields: TraceFact, keeper: str) -> Clock:
    return Clock(
        signal_id=fields["signal_id"] or "",
        keeper=keeper,
        told_at=fields["at"],
        version=fields["version"] or 0,
        municipality=fields["municipality"],
        stage=fields["stage"],
        owner_role=fields["owner_role"],
        next_date=fields["next_date"],
    )
