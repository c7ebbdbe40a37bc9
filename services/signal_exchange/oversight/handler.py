"""Oversight's work on one batch: place each number, set each clock, and keep what is known of parked records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signal_exchange.domain.ledger import UNATTRIBUTED, VERDICTS, Checkpoint, Entry, Number, is_another
from signal_exchange.oversight.store import RECEIVERS, SENT, Clock, OversightStore
from signal_exchange.stream.messages import Message, Unreadable
from signal_exchange.stream.work import Work

ACCOUNTS = "routing"
"""The service that judges numbers: what another one received or parked is not a place of a number."""
NUMBER = ("municipality", "publisher_run", "sequence")
CLOCK_STAGES = frozenset({"ROUTED", "STORED", "RETRACTED", "OUTCOME", "RECEIPT"})


@dataclass(frozen=True, slots=True)
class OversightHandler:
    """Handles batches of trace facts and of parked records, of which it sees no content."""

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Take each fact once, by its trace id, in the order of the trace."""
        store = OversightStore(work.connection)
        sound = [message for message in messages if message.record == "TraceFact" and not _parked(message, work)]
        facts = {message.fields["trace_id"]: message.fields for message in sound}
        known = store.known_facts(facts)
        fresh = [fields for trace_id, fields in facts.items() if trace_id not in known]
        unattributed = _place([_entry(fields) for fields in fresh if _accounts(fields)], store)
        store.put_checkpoints([_checkpoint(fields) for fields in fresh if fields["stage"] == "CHECKPOINT"])
        clocked = [fields for fields in fresh if fields["stage"] in CLOCK_STAGES and fields["signal_id"]]
        store.put_clocks([clock for fields in clocked for clock in _clocks(fields)])
        told = {fields["trace_id"]: fields["records"] or 1 for fields in fresh if fields["trace_id"] in unattributed}
        store.add_facts([fields["trace_id"] for fields in fresh], told)
        store.put_parked([message.fields for message in messages if message.record == "ParkedRecord"])


def _parked(message: Message, work: Work) -> bool:
    """Park a step that cannot be placed in the ledger, which no service of ours writes, and say whether it was."""
    if fault := _fault(message.fields):
        work.park(Unreadable(message.incoming, "CONTENT_INVALID", (f"{fault} R-FLOW-01",)))
    return fault is not None


def _fault(fields: Mapping[str, Any]) -> str | None:
    """Return the field that a step lacks to be placed; None when it has what it needs."""
    named = [name for name in NUMBER if fields[name] is not None]
    if fields["stage"] == "CHECKPOINT":
        return None if len(named) == len(NUMBER) else "sequence"
    if not _accounts(fields):
        return None
    if fields["verdict"] not in (*VERDICTS, UNATTRIBUTED):
        return "verdict"
    return None if fields["sequence"] is None or len(named) == len(NUMBER) else "municipality"


def _accounts(fields: Mapping[str, Any]) -> bool:
    return fields["stage"] in ("RECEIVED", "PARKED") and fields["service"] == ACCOUNTS


def _entry(fields: Mapping[str, Any]) -> tuple[str, Entry]:
    number = None if fields["sequence"] is None else (fields["municipality"], fields["publisher_run"], fields["sequence"])
    return fields["trace_id"], Entry(number, fields["verdict"], fields["signal_id"], fields["version"] or 0)


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


def _checkpoint(fields: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(fields["municipality"], fields["publisher_run"], fields["sequence"], fields["at"])


def _clocks(fields: Mapping[str, Any]) -> Iterator[Clock]:
    if fields["stage"] != "ROUTED":
        part = "RECEIPT" if fields["stage"] == "RECEIPT" else fields["destination"]
        yield _clock(fields, fields["service"] if part is None else f"{fields['service']}/{part}")
        return
    # Routing tells owner and date with each destination alike: it has one clock per signal, and one per receiver to hear from.
    yield _clock(fields, fields["service"])
    if fields["destination"] in RECEIVERS:
        nobody = {**fields, "owner_role": None, "next_date": None}
        yield _clock({**nobody, "stage": SENT if fields["verdict"] == "SEND" else "DENIED"}, f"{SENT}/{fields['destination']}")


def _clock(fields: Mapping[str, Any], keeper: str) -> Clock:
    return Clock(
        signal_id=fields["signal_id"],
        keeper=keeper,
        told_at=fields["at"],
        version=fields["version"] or 0,
        municipality=fields["municipality"],
        stage=fields["stage"],
        owner_role=fields["owner_role"],
        next_date=fields["next_date"],
    )
