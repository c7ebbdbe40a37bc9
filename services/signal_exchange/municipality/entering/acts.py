"""The acts of an officer on a signal that is entered by hand: begin, save, look it over, send, and read the receipt."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from signal_exchange.domain.people import Person
from signal_exchange.domain.references import BITS, SIGNAL, read_reference, reference
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.entering.bases import Bases, Exchange
from signal_exchange.municipality.entering.entries import Entry
from signal_exchange.municipality.entering.expecting import Expected, expected
from signal_exchange.municipality.entering.records import exchanges_of, record_of
from signal_exchange.municipality.entering.texts import Found, found_in
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.importing import RECORD, Line
from signal_exchange.municipality.publishing.previewing import Preview
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.submissions import Result
from signal_exchange.web.drafts import Draft, Drafts

FORM: Final = "signal"
"""The name under which the drafts of this form are kept."""


@dataclass(frozen=True, slots=True)
class Look:
    """An entry looked over: what would leave, or why it may not; its purposes; what is expected; what was found in its text."""

    preview: Preview | None
    faults: tuple[FieldFault, ...]
    exchanges: Sequence[Exchange]
    expected: Expected | None
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Receipt of a signal that was entered here: when it was kept, and what is expected."""

    reference: str
    signal_id: str
    at: datetime
    record: Mapping[str, Any] = field(repr=False)
    expected: Expected


@dataclass(frozen=True, slots=True)
class Entering:
    """The acts on signals that are entered by hand at one municipality. A draft is its maker's alone."""

    municipality: str
    drafts: Drafts
    publisher: Publisher
    bases: Bases

    def begin(self) -> Entry:
        """Return a new entry, under a reference that nobody has; it is kept when it is saved."""
        drawn = reference(SIGNAL, secrets.randbits(BITS))
        return Entry(drawn, self.publisher.now()) if self._sent(drawn) is None else self.begin()

    def drafts_of(self, person: Person) -> Sequence[Draft]:
        """Return the drafts of a person, which were entered and not sent yet, the last saved first."""
        return self.drafts.all_of(person)

    def entry(self, person: Person, named: str) -> Entry:
        """Return the entry of a person, a new one where nothing was saved under this reference.

        Raises:
            RefusedError: this is no reference of ours, or its signal was sent.
        """
        known = read_reference(SIGNAL, named)
        if known is None:
            raise RefusedError("REFERENCE_UNREADABLE", field="reference")
        if self._sent(known) is not None:
            raise RefusedError("ALREADY_SENT", field="reference")
        draft = self.drafts.find(person, known)
        return Entry.of(known, draft.content) if draft else Entry(known, self.publisher.now())

    def save(self, person: Person, entry: Entry) -> None:
        """Keep what a person answered so far."""
        self.drafts.save(person, entry.reference, entry.content())

    def discard(self, person: Person, entry: Entry) -> None:
        """Drop what a person entered."""
        self.drafts.remove(person, entry.reference)

    def found(self, entry: Entry) -> tuple[Found, ...]:
        """Return the findings of the leak guard in the text of an entry.

        Raises:
            RefusedError: the leak guard gives no answer.
        """
        return found_in(entry, self._record(entry), self.publisher.rulebook.find_leaks)

    def look(self, entry: Entry) -> Look:
        """Look an entry over by the rules and the code that publish it."""
        line = self._line(entry)
        seen = self.publisher.preview(line)
        faults = () if isinstance(seen, Preview) else seen
        preview = seen if isinstance(seen, Preview) else None
        silent = any(each.rule == "R-LEAK-01" for each in faults)
        return Look(
            preview,
            tuple(_told(entry, faults)),
            () if entry.missing else exchanges_of(entry, self._record(entry), self.bases, self._today),
            expected(preview.signal, self.publisher.now()) if preview else None,
            () if silent else self.found(entry),
        )

    def send(self, person: Person, named: str, *, confirmed: bool) -> Result | None:
        """Publish an entry, and drop its draft; `confirmed` says that what contradicts itself is meant. Twice is once.

        None says that it was sent before.
        """
        known = read_reference(SIGNAL, named)
        if known is not None and self._sent(known) is not None:
            self.drafts.remove(person, known)
            return None
        entry = self.entry(person, named)
        (result,) = self.publisher.publish([self._line(entry)], changes=confirmed)
        if not result.faults:
            self.drafts.remove(person, entry.reference)
        return result

    def receipt(self, named: str) -> Receipt:
        """Return the receipt of a signal.

        Raises:
            RefusedError: no signal was sent under this reference.
        """
        known = read_reference(SIGNAL, named)
        sent = self._sent(known) if known else None
        if known is None or sent is None:
            raise RefusedError("SIGNAL_UNKNOWN", field="reference")
        recorder = self.publisher.recorder
        record = recorder.records([sent]).get(sent, {})
        at = recorder.kept_at(sent)
        signal = coded_signal(record, signal_id=sent, version=1, supersedes=None, day=local_day(at), guard={})
        return Receipt(known, sent, at, record, expected(signal, at))

    @property
    def _today(self) -> date:
        return local_day(self.publisher.now())

    def _sent(self, known: str) -> str | None:
        """Return the id of the signal under a reference, if one was sent."""
        mac = self.publisher.vault_key.mac(known)
        found = self.publisher.recorder.known([mac]).get(mac)
        return found.signal_id if found else None

    def _record(self, entry: Entry) -> dict[str, Any]:
        return record_of(entry, self.municipality, self.bases, self._today)

    def _line(self, entry: Entry) -> Line:
        return Line(1, "", self._record(entry), unit=RECORD, justified=entry.kept)


def _told(entry: Entry, faults: Sequence[FieldFault]) -> Iterator[FieldFault]:
    """Give the faults of an entry; while an answer is missing none is about the exchanges, which follow from the answers."""
    yield from (FieldFault(name, "R-VAL-01", "V01_MISSING") for name in entry.missing)
    yield from (
        each for each in faults if not entry.missing or not (each.field.startswith("exchanges") or each.code == "V01_MISSING")
    )
