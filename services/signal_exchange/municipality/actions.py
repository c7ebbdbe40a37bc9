"""The acts of one municipality, for commands, the REST API and pages alike: publish, follow, withdraw, erase, answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.people import Person
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.entering.acts import FORM, Entering
from signal_exchange.municipality.entering.bases import Bases
from signal_exchange.municipality.inbox.erasing import Certificates, Eraser
from signal_exchange.municipality.inbox.listing import Listing, Page, Wanted
from signal_exchange.municipality.inbox.looking import OwnSignal, look_at
from signal_exchange.municipality.inbox.parked import DiscardReason, InboxParked, RetryReason, WaitingRecord
from signal_exchange.municipality.inbox.questions import Answered, Officers
from signal_exchange.municipality.inbox.tracing import trace
from signal_exchange.municipality.inbox.withdrawing import Withdrawn, find, withdraw
from signal_exchange.municipality.node import Node, node_of
from signal_exchange.municipality.publishing.file_check import CheckedRow, check_file, refused_rows
from signal_exchange.municipality.publishing.file_publication import FilePublication
from signal_exchange.municipality.publishing.importing import Line, Source, source_of
from signal_exchange.municipality.publishing.old_reject_files import end_old_rejects, noted
from signal_exchange.municipality.publishing.preparing import Tokens
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.reject_file import RejectFile
from signal_exchange.municipality.publishing.renewing import Renewed
from signal_exchange.municipality.publishing.submissions import Result
from signal_exchange.municipality.publishing.tally import Tally
from signal_exchange.municipality.reports.acts import Reports
from signal_exchange.municipality.reports.postbox import Box, Kind, Postbox
from signal_exchange.municipality.sending.beside import DELIVERY_SECONDS, relaying
from signal_exchange.municipality.sending.outbox import Outbox, Waiting
from signal_exchange.municipality.service import SERVICE
from signal_exchange.municipality.store import Erased, Vault
from signal_exchange.people.actions import PeopleActions
from signal_exchange.privacy.leak_guard import check_text
from signal_exchange.reference.loading import load_equated_days
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import MunicipalitySettings
from signal_exchange.web.drafts import Drafts


class MunicipalityActions:
    """Everything that the people and the systems of one municipality can see or do; several threads may call it.

    A `reference` is the municipality's own of a signal, or the signal's id. The keepers are connected at the first act that
    publishes, and stay so until it is closed: to look needs none. `now` is the clock.
    """

    def __init__(self, node: Node, now: Callable[[], datetime] | None = None, tokens: Tokens | None = None) -> None:
        self.node, self.now, self._given, self._opened = node, now or clock.now, tokens, ExitStack()

    @classmethod
    def opened(cls, settings: MunicipalitySettings) -> Self:
        """Return the actions of a node, with its tables made.

        Raises:
            RefusedError: others may read a key file, or it holds no key.
        """
        return cls(node_of(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections with the keepers and the store."""
        self._opened.close()
        self.node.database.close()

    @cached_property
    def tokens(self) -> Tokens:
        """Return the maker of link tokens with both keepers.

        Raises:
            RefusedError: as for `Node.keepers`.
        """
        return self._given or self._opened.enter_context(self.node.keepers())

    @cached_property
    def publisher(self) -> Publisher:
        """Return the publisher of records.

        Raises:
            RefusedError: as for `Node.keepers`, or the list of barred values is not right.
        """
        return replace(self.node.publisher(self.tokens), now=self.now)

    def publish(self, lines: Iterable[Line], *, changes: bool) -> Iterator[Result]:
        """Publish records, and give the result of each in order; without `changes` what changes a signal only asks."""
        return self.publisher.publish(lines, changes=changes)

    @contextmanager
    def publication(
        self, source: Source, rejects: Path, tally: Tally, *, input_bytes: int = 0, again: bool = False
    ) -> Iterator[FilePublication]:
        """Open the publication of a file whose refused rows go to the file `rejects`; `again` also publishes what was withdrawn.

        Raises:
            RefusedError: the reject file cannot be made, or as for `publisher`.
        """
        with noted(self.node.settings.data_dir, rejects, self.now), RejectFile(rejects, source, input_bytes) as file:
            tally.rejects = file
            yield FilePublication(replace(self.publisher, again=again), file, tally)

    @property
    def entering(self) -> Entering:
        """Return the acts of an officer on a signal that is entered by hand."""
        settings = self.node.settings
        bases = Bases(settings.basis_care, settings.basis_minors, settings.basis_acute, settings.basis_table)
        return Entering(settings.municipality, self._drafts, self.publisher, bases)

    @property
    def reports(self) -> Reports:
        """Return the acts on what reporters tell this municipality."""
        calendar = WorkingCalendar(load_equated_days(), policy=Policy())
        return Reports(self.node.vault_key, self.node.database, self.now, calendar, check_text)

    def signal_of_report(self, named: str, who: Person) -> str:
        """Put what a reporter told into a draft of an officer, and return its reference. Nothing is sent; twice is one draft.

        An officer who has no draft of it gets the text again: another one began it, or it was thrown away.

        Raises:
            RefusedError: it was sent already.
        """
        opened, entering = self.reports.open(named), self.entering
        reference = self.reports.made_signal(opened.report.reference, entering.begin().reference)
        entry = entering.entry(who, reference)
        if reference not in {each.name for each in entering.drafts_of(who)}:
            entering.save(who, entry.answered(*opened.as_entered))
        return reference

    def postbox(self, kind: Kind, number: int, who: Person) -> Box:
        """Return one page of what waits for an officer: reports, questions about links and own drafts."""
        return Postbox(self.reports, self.officers, self.entering).page(kind, number, who)

    def is_nobody_there(self) -> bool:
        """Say whether no officer and no deputy of one is there today; of a list without people nobody knows."""
        people = PeopleActions(self.node.database, SERVICE, self.now)
        return not people.is_empty() and people.cover().nobody_from == local_day(self.now())

    @property
    def _drafts(self) -> Drafts:
        return Drafts(FORM, self.node.database, self.node.vault_key, self.now)

    def check_file(self, content: bytes) -> list[CheckedRow]:
        """Return every row of a file as it would be judged; nothing is published.

        Raises:
            UnreadableFileError: no row of it can be read.
        """
        return check_file(content, self.publisher)

    def publish_file(self, content: bytes) -> Tally:
        """Publish the rows of a file that may go; what changes a signal, or contradicts itself, is left alone."""
        tally = Tally()
        for result in self.publish(source_of(io.BytesIO(content)).lines, changes=False):
            tally.take(result)
        return tally

    def refused_rows(self, content: bytes) -> tuple[str, bytes]:
        """Return a file with the refused rows of a file, by its ending; it is not kept."""
        return refused_rows(content, self.publisher, self.node.settings.data_dir)

    def end_old(self) -> None:
        """Delete what is kept for a while only (R-RET-02): reject files, drafts that nobody went on with, and closed reports."""
        end_old_rejects(self.node.settings.data_dir, self.now())
        self._drafts.end_old()
        self.reports.end_old()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send the rows of the outbox beside the block, and then wait until the broker took them, or took nothing for a while.

        Raises:
            RefusedError: the participants' register does not know this node's signing key as its municipality's.
        """
        with relaying(self.node.relay(DELIVERY_SECONDS), self.node.settings.checkpoint_seconds):
            yield

    def send(self) -> None:
        """Send the rows of the outbox, as for `sending`."""
        with self.sending():
            pass

    def outbox(self) -> list[Waiting]:
        """Return the records that the exchange has not confirmed yet."""
        with self.node.database.reading() as connection:
            return Outbox(connection).waiting()

    def unsent(self) -> int:
        """Return the number of records that no broker took yet."""
        with self.node.database.reading() as connection:
            return Outbox(connection).unsent()

    def signals(self, wanted: Wanted) -> Page:
        """Return one page of the own signals: what asks something first, and then the newest first."""
        return self._listing.page(wanted, local_day(self.now()))

    def signal(self, reference: str) -> OwnSignal:
        """Return one own signal, with its versions and until when it is kept."""
        return look_at(self._listing, reference, local_day(self.now()))

    def signal_id(self, reference: str) -> str:
        """Return the id of a signal by the municipality's own reference.

        Raises:
            RefusedError: there is no such signal here.
        """
        with self.node.database.reading() as connection:
            return find(Vault(connection), reference, self.node.vault_key).signal_id

    def trace(self, reference: str) -> dict[str, Any]:
        """Return the place of a signal, which rule sent it there, and what came back."""
        return trace(reference, self.node.vault_key, self.node.database, self.node.identity.opened)

    def withdraw(self, reference: str, reason: str) -> Withdrawn:
        """Withdraw a signal: every receiver takes it back. `reason` is a code of withdrawal_reason. Twice is once."""
        node = self.node
        code = node.settings.municipality
        return withdraw(reference, reason, self.now(), municipality=code, key=node.vault_key, database=node.database)

    def erase(self, reference: str, who: Person) -> Erased:
        """Erase a signal for good, here and at every receiver. Twice is once."""
        return self._eraser.erase(reference, who.name, self.now())

    def still_owes_bytes(self) -> bool:
        """Say whether bytes of erased signals are in the store still; the running node takes them away."""
        return self._eraser.still_owes_bytes()

    def certificates(self) -> list[dict[str, Any]]:
        """Return every erased signal with its state and certificate, the last erased first."""
        return self._certificates.all()

    def certificate(self, signal_id: str) -> dict[str, Any]:
        """Return the state of one erasure, with the certificate once the exchange gave it."""
        return self._certificates.one(signal_id)

    def questions(self) -> list[dict[str, Any]]:
        """Return the questions about links by number, signal and state, and never what they say."""
        return self.officers.questions()

    def open_question(self, named: str, who: Person) -> dict[str, Any]:
        """Return the content of a question about a link; that this officer opened it is recorded and counted (R-LINK-04)."""
        return self.officers.show(named, who=who.name, at=self.now())

    def answer(self, named: str, kind: str, who: Person) -> Answered:
        """Record and send the answer of an officer, one of `domain.links.states`. Twice is once."""
        return self.officers.answer(named, kind, who=who.name, at=self.now())

    def renew_tokens(self) -> Renewed:
        """Make the link tokens that are pending or of an earlier epoch, with the keepers that the register names now."""
        with self.node.keepers() as tokens:
            return self.node.renewer(tokens).renew()

    def parked(self) -> list[WaitingRecord]:
        """Return the headers of what this node's inbox could not read, the oldest first."""
        return self._parked.waiting()

    def retry_parked(self, parked_id: str, reason: RetryReason, who: Person) -> None:
        """Read a parked record as if it came in now."""
        self._parked.retry(parked_id, reason.value, who.name, self.now())

    def discard_parked(self, parked_id: str, reason: DiscardReason, who: Person) -> None:
        """Drop a parked record for good: its content is destroyed."""
        self._parked.discard(parked_id, reason.value, who.name, self.now())

    @property
    def _certificates(self) -> Certificates:
        return Certificates(self.node.database, self.node.identity.opened)

    @property
    def _listing(self) -> Listing:
        return Listing(self.node.vault_key, self.node.database)

    @property
    def _eraser(self) -> Eraser:
        return Eraser(self.node.settings.municipality, self.node.vault_key, self.node.database)

    @property
    def officers(self) -> Officers:
        """Return the acts of attention officers on questions about links."""
        return Officers(self.node.settings.municipality, self.node.database, self.node.identity.opened, Policy())

    @property
    def _parked(self) -> InboxParked:
        node = self.node
        service, seal = municipality_principal(node.settings.municipality), node.identity.parking_seal(SERVICE)
        return InboxParked(service, node.database, node.vault_key, seal, node.inbox())
