"""Judges one record after the other as WRITING.md asks: every section that a record touches is right, or says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from signal_exchange.contracts.border import breaches
from signal_exchange.contracts.cloud_events import EVENT_TYPES
from signal_exchange.contracts.codec import MAX_RECORD_BYTES, Decoded, decode_whole
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.topics import PARTITIONS, carries
from signal_exchange.domain.members import Members
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.times import is_credible, local_day
from signal_exchange.stream.messages import Incoming
from signal_exchange_demo.vendor.headers import wrong_headers, wrong_place
from signal_exchange_demo.vendor.sealed import Opener

STEPS: Mapping[str, str] = {
    "SignalPublished": "publish a signal",
    "correction": "correct a signal",
    "TokensRenewed": "renew the tokens of a signal",
    "MunicipalAnswer": "answer a question about a link",
    "SignalWithdrawn": "withdraw a signal",
    "SignalErased": "erase a signal",
    "Checkpoint": "tell the highest number",
}
"""The steps that a client takes, by what shows them."""
BYTES_OF_OWN_REF = range(1, 65)


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of a look at one section of WRITING.md, with the faults there; none when it is right."""

    section: str
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One record: what it is, and a finding for each section that could be looked at."""

    incoming: Incoming = field(repr=False)
    record: str | None
    fields: Mapping[str, Any] = field(repr=False)
    findings: tuple[Finding, ...]

    @property
    def right(self) -> bool:
        """Say whether nothing is wrong with it."""
        return not any(finding.wrong for finding in self.findings)

    @property
    def step(self) -> str | None:
        """Return the step that it shows, a key of STEPS."""
        corrects = self.record == "SignalPublished" and self.fields["signal"]["version"] > 1
        return "correction" if corrects else self.record


@dataclass(slots=True)
class Judge:
    """Judges the records of one municipality in the order in which they came: numbers and versions follow each other."""

    municipality: str
    members: Members
    opener: Opener
    _values: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False)
    _told: dict[str, int] = field(default_factory=dict, repr=False)
    _versions: dict[str, int] = field(default_factory=dict, repr=False)
    _erased: set[str] = field(default_factory=set, repr=False)

    def judge(self, incoming: Incoming) -> Judged:
        """Return the judgement of a record."""
        try:
            decoded = decode_whole(incoming.value)
        except UndecodableError as fault:
            return Judged(incoming, None, {}, (Finding("5 encode", (_SAID.get(fault.reason, fault.reason),)),))
        if not carries("signals", decoded.record):
            wrong = f"a {decoded.record} does not belong on the topic signals"
            return Judged(incoming, None, {}, (Finding("5 encode", (wrong,)),))
        findings = tuple(Finding(section, tuple(wrong)) for section, wrong in self._sections(incoming, decoded))
        return Judged(incoming, decoded.record, decoded.fields, findings)

    def _sections(self, incoming: Incoming, decoded: Decoded) -> Iterator[tuple[str, Iterator[str]]]:
        record, fields = decoded.record, decoded.fields
        run, member = fields["envelope"]["publisher_run"], self.opener.register.municipality(self.municipality)
        yield "5 envelope", self._wrong_envelope(incoming, record, fields)
        yield "3 border", iter(breaches(record, fields, incoming.appended_at))
        yield "5 signature", self._wrong_signature(incoming, fields)
        yield "6 place", wrong_place(incoming, run if record == "Checkpoint" else signal_id_of(fields), PARTITIONS)
        yield "6 headers", wrong_headers(incoming, record, fields, member.oin if member else "")
        if record == "Checkpoint":
            yield "7 checkpoint", self._wrong_checkpoint(fields["envelope"], fields["highest"])
            return
        is_again = self._is_again(incoming, fields["envelope"])
        yield "5 number", self._wrong_number(incoming, fields["envelope"])
        yield "3 content", self._wrong_content(incoming, record, fields)
        yield "9 version", iter(()) if is_again else self._wrong_version(record, fields)
        if record == "SignalPublished":
            yield "4 sealed parts", self.opener.wrong_parts(fields, incoming.appended_at)
        if record == "TokensRenewed":
            yield "4 sealed parts", self.opener.wrong_renewal(fields, incoming.appended_at)

    def _wrong_envelope(self, incoming: Incoming, record: str, fields: Mapping[str, Any]) -> Iterator[str]:
        envelope = fields["envelope"]
        if envelope["event_type"] != EVENT_TYPES[record]:
            yield f"event_type: expected {EVENT_TYPES[record]}"
        if not is_credible(envelope["time"], incoming.appended_at, self.opener.policy):
            yield "time: more than 7 days before or 2 minutes after the broker's append time"
        if len(incoming.value or b"") > MAX_RECORD_BYTES:
            yield f"the value has more than {MAX_RECORD_BYTES} bytes (R-VAL-15)"
        if municipality_of(fields) != self.municipality:
            yield f"municipality: expected {self.municipality}"

    def _wrong_signature(self, incoming: Incoming, fields: Mapping[str, Any]) -> Iterator[str]:
        key_id = fields["envelope"]["key_id"]
        found = self.opener.register.signing_key(key_id, incoming.appended_at)
        if found is None:
            yield "key_id: the register has no such key, it was not valid when the record came, or its owner is no member"
        elif found[0] != self.municipality:
            yield f"key_id: it is a key of {found[0]}"
        elif not found[1].verify(incoming.value or b"", incoming.headers.get("signature") or b""):
            yield "the header signature is not this key's Ed25519 over the value, its first ten bytes included"

    def _is_again(self, incoming: Incoming, envelope: Mapping[str, Any]) -> bool:
        known = self._values.get((envelope["publisher_run"], envelope["sequence"]))
        return known is not None and known == sha256(incoming.value or b"").digest()

    def _wrong_number(self, incoming: Incoming, envelope: Mapping[str, Any]) -> Iterator[str]:
        run, sequence = envelope["publisher_run"], envelope["sequence"]
        known = self._values.setdefault((run, sequence), sha256(incoming.value or b"").digest())
        if known != sha256(incoming.value or b"").digest():
            yield f"number {sequence} was used before with other bytes: what is sent again must be the same bytes"
        elif sequence < 1:
            yield f"number {sequence}: numbers begin at 1"

    def _wrong_checkpoint(self, envelope: Mapping[str, Any], highest: int) -> Iterator[str]:
        if envelope["sequence"] != 0:
            yield f"its own sequence is {envelope['sequence']}, and a Checkpoint has none: 0"
        if highest < 0:
            yield "highest: numbers begin at 1"
        self._told[envelope["publisher_run"]] = max(highest, self._told.get(envelope["publisher_run"], 0))

    def missing(self) -> list[str]:
        """Return, by run, how many numbers were given out, by a later number or a checkpoint, and did not come."""
        seen = {
            run: {number for of, number in self._values if of == run} for run in {*self._told, *(of for of, _ in self._values)}
        }
        highest = {run: max(self._told.get(run, 0), *numbers, 0) for run, numbers in seen.items()}
        left = {run: highest[run] - sum(1 for number in seen[run] if number > 0) for run in seen}
        return [f"run {run}: {count} of the numbers up to {highest[run]} did not come" for run, count in left.items() if count]

    def _wrong_content(self, incoming: Incoming, record: str, fields: Mapping[str, Any]) -> Iterator[str]:
        day = local_day(incoming.appended_at)
        if record == "SignalPublished":
            if len(fields["own_ref"]) not in BYTES_OF_OWN_REF:
                yield "own_ref: 1 to 64 bytes"
            broken = validate(
                {name: value for name, value in fields["signal"].items() if not (name == "guard" and value is None)},
                day=day,
                sender=self.municipality,
                members=self.members,
                codes=self.opener.codes,
                policy=self.opener.policy,
            )
            yield from (f"{each.field} {each.rule}" for each in broken)
        elif record == "SignalWithdrawn" and not self.opener.codes.valid("withdrawal_reason", fields["reason"], day):
            yield "reason R-VAL-03"

    def _wrong_version(self, record: str, fields: Mapping[str, Any]) -> Iterator[str]:
        signal_id = signal_id_of(fields)
        version = fields["signal"]["version"] if record == "SignalPublished" else fields["version"]
        last = self._versions.get(signal_id)
        if signal_id in self._erased:
            yield "this signal was erased: nothing more is taken of it"
        elif record in ("TokensRenewed", "MunicipalAnswer"):
            if last is not None and not 1 <= version <= last:
                yield f"version {version}: the last one is {last}"
        else:
            if last is not None and version != last + 1:
                yield f"version {version}: expected {last + 1} (R-VAL-16)"
            self._versions[signal_id] = max(version, last or 0)
            self._erased.update([signal_id] if record == "SignalErased" else [])


def signal_id_of(fields: Mapping[str, Any]) -> str:
    """Return the signal that a record is about."""
    return str(fields.get("signal", fields).get("signal_id", ""))


def municipality_of(fields: Mapping[str, Any]) -> str:
    """Return the municipality that a record names."""
    return str(fields.get("signal", fields).get("municipality", ""))


_SAID: Mapping[str, str] = {
    "unknown_fingerprint": "unknown_fingerprint: after C3 01 stands no fingerprint of a record (see the end of WRITING.md)",
    "no_single_object_header": "no_single_object_header: the value does not begin with C3 01",
    "broken_body": "broken_body: the body is no Avro of this record's schema",
    "trailing_bytes": "trailing_bytes: there are bytes after the record",
    "tombstone": "tombstone: the record has no value",
    "empty": "empty: the value has no bytes",
}
