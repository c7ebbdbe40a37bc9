"""The acts of the chain director at the screening meeting: items, frozen agendas, decisions, alerts and links."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from signal_exchange.agenda.deciding import DecisionRequest, DecisionRules, recorded, report_decision, require_due, words_bound_to
from signal_exchange.agenda.following_up import decision_to_follow_up, report_follow_up
from signal_exchange.agenda.freezing import closing, next_agenda
from signal_exchange.agenda.handler import chain_director_in, trace_item
from signal_exchange.agenda.items import STUB, Item
from signal_exchange.agenda.links import Candidate, Links, decide_on
from signal_exchange.agenda.listing import AgendaRow, MeetingTable, all_rows, rows_of_week
from signal_exchange.agenda.records import Agenda, Alert, FollowUp, Note, RecordedDecision
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.stream.acting import ActionStore, require_seen
from signal_exchange.stream.texts import opened_summary
from signal_exchange.stream.work import Work

LinkAct = Literal["RELEASE", "CONFIRM", "REJECT", "UNDO"]


@dataclass(frozen=True, slots=True)
class Opened:
    """The opened words about an item: its summary, and motivation and feedback of each decision by offer and number."""

    summary: str | None = field(repr=False)
    words: Mapping[tuple[int, int], Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ItemDetails:
    """One item with its row on an agenda, if it stands on one, and every act on it; `opened` when a person opened its words."""

    item: Item
    row: AgendaRow | None
    decisions: Sequence[RecordedDecision]
    follow_ups: Sequence[FollowUp]
    notes: Sequence[Note]
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert with the moment by which the chain director answers it (R-ROUTE-08), and whether that was or is too late."""

    alert: Alert
    acknowledge_by: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class FrozenAgenda:
    """A version of an agenda that was just frozen, with its number of items and of those that it puts off."""

    agenda: Agenda
    items: int
    put_off: int


@dataclass(frozen=True, slots=True)
class AgendaActions:
    """Everything that the chain director can see or do. Each method is one transaction; several threads may call them.

    `now` is the clock. An act takes as `seen_version` the version or revision that the person saw, and is refused when that
    changed since.
    """

    store: ActionStore
    rules: DecisionRules
    now: Callable[[], datetime]

    def items(self, week: str | None = None) -> list[AgendaRow]:
        """Return the rows of one week's agenda, or of every agenda with an undecided item.

        Raises:
            RefusedError: this is no week, or nobody meets in it.
        """
        if week is not None:
            closing(week, self.rules.calendar)
        with self.store.reading() as connection:
            table = self._table(AgendaStore(connection))
        return all_rows(table) if week is None else rows_of_week(week, table)

    def show(self, named: str) -> ItemDetails:
        """Return the details of an item, named by its id or short number; all words stay sealed.

        Raises:
            RefusedError: there is none, or more than one.
        """
        with self.store.reading() as connection:
            store = AgendaStore(connection)
            return self._details(store.find(named), store)

    def open_words(self, named: str, who: Person) -> ItemDetails:
        """Return the details of an item with its summary and the words of its decisions; it is kept who opened them.

        Raises:
            RefusedError: there is no such item, or it has no summary that can be opened here.
        """
        with self.store.deciding() as work:
            store = AgendaStore(work.connection)
            details = self._details(store.find(named), store)
            item = details.item
            words = {(each.offer, each.number): self._words(each) for each in details.decisions}
            store.add_opening(item.signal_id, item.version, self.now(), who.name)
            return replace(details, opened=Opened(self._summary(item), words))

    def freeze(self, week: str, who: Person | None = None) -> FrozenAgenda:
        """Freeze the agenda of a week: the draft once its cut-off has passed, and then the final one, which `who` signs.

        Raises:
            RefusedError: there is no meeting, the cut-off has not passed, nobody signs the final one, or it is final already.
        """
        with self.store.deciding() as work:
            store = AgendaStore(work.connection)
            table = self._table(store)
            agenda, put_off = next_agenda(week, table.waiting, table.known, table.agendas.get(week), at=self.now(), who=who)
            store.add_agenda(agenda, put_off)
            _trace_weeks(self._table(store), agenda.made_at, work)
        return FrozenAgenda(agenda, len(json.loads(agenda.content)["items"]), len(put_off))

    def decide(self, named: str, request: DecisionRequest, *, keeps: str | None = None) -> list[RecordedDecision]:
        """Decide on an item and the undecided others of its cluster (R-AGENDA-03, R-AGENDA-07); a duplicate by itself.

        `keeps` names the signal that stays when the item is a duplicate. Each municipality hears the outcome, not the decision.

        Raises:
            RefusedError: an item is not open or changed since it was seen, or the decision breaks a rule.
        """
        request = request.guarded()
        with self.store.deciding() as work:
            store = AgendaStore(work.connection)
            item = store.find(named)
            request = replace(request, kept_signal=store.find(keeps).signal_id) if keeps else request
            table = self._table(store)
            together = [item] if request.kept_signal else table.decided_with(item)
            others = replace(request, seen_version=None)
            return [self._decide_one(each, request if each is item else others, table, work) for each in together]

    def follow_up(self, named: str, who: Person, *, next_date: date | None = None) -> FollowUp:
        """Record that a decision with a date was followed up (R-FLOW-02); without `next_date` it is done with.

        Raises:
            RefusedError: nothing with a date was decided, the signal waits for a new decision, or the date cannot be.
        """
        require_due(next_date, local_day(self.now()), self.rules.calendar.policy, "next_date")
        day = next_date.isoformat() if next_date else None
        with self.store.deciding() as work:
            store = AgendaStore(work.connection)
            item = store.find(named)
            decision = decision_to_follow_up(item, store.decisions([item.signal_id]))
            number = sum(each.offer == decision.offer for each in store.follow_ups(item.signal_id)) + 1
            follow_up = FollowUp(item.signal_id, decision.offer, number, day, self.now(), who.name)
            store.add_follow_up(follow_up)
            report_follow_up(follow_up, decision, item, work)
        return follow_up

    def alerts(self) -> list[AlertRow]:
        """Return every alert: those that nobody took note of first, then the newest."""
        with self.store.reading() as connection:
            found = AgendaStore(connection).alerts()
        return [self._alert(each) for each in found]

    def acknowledge(self, named: str, who: Person) -> Alert:
        """Take note of an alert: the first person who does so is kept.

        Raises:
            RefusedError: there is none, or somebody took note of it already.
        """
        with self.store.deciding() as work:
            store = AgendaStore(work.connection)
            alert = store.find_alert(named)
            if alert.acknowledged_at is not None:
                raise RefusedError("ALERT_ACKNOWLEDGED", at=alert.acknowledged_at)
            store.acknowledge(alert.alert_id, self.now(), who.name)
        return alert

    def links(self) -> list[Candidate]:
        """Return every link: what is overdue first, then by when it was found."""
        with self.store.reading() as connection:
            return Links(connection).candidates()

    def decide_link(self, named: str, act: LinkAct, who: Person, *, seen_version: int | None = None) -> Candidate:
        """Release the question about a link, confirm or reject a candidate, or undo a confirmed link (R-LINK-04).

        Raises:
            RefusedError: there is no such link, its state does not allow it, or its revision changed since it was seen.
        """
        with self.store.deciding() as work:
            found = Links(work.connection).find(named)
            require_seen(seen_version, found.revision)
            decide_on(found, act, who=who, at=self.now(), work=work)
        return found

    def _table(self, store: AgendaStore) -> MeetingTable:
        return MeetingTable.of(store, self.rules.calendar)

    def _details(self, item: Item, store: AgendaStore) -> ItemDetails:
        table, signal_id = self._table(store), item.signal_id
        week = table.week_of(item)
        rows = rows_of_week(week, table) if week else []
        row = next((each for each in rows if each.signal_id == signal_id), None)
        return ItemDetails(item, row, store.decisions([signal_id]), store.follow_ups(signal_id), store.notes(signal_id))

    def _summary(self, item: Item) -> str | None:
        identity = self.store.identity
        return None if item.deliver_as == STUB else opened_summary(identity, item.summary, item.signal_id, item.version)

    def _words(self, decision: RecordedDecision) -> Mapping[str, Any]:
        if decision.words is None:
            return {}
        bound_to = words_bound_to(decision.signal_id, decision.offer, decision.number)
        words: dict[str, Any] = json.loads(self.store.identity.opened(decision.words, bound_to))
        return words

    def _decide_one(self, item: Item, request: DecisionRequest, table: MeetingTable, work: Work) -> RecordedDecision:
        seal_to = self.store.identity.sealed_part
        decision = recorded(item, request, table.slot_of(item), self.rules, at=self.now(), seal_to=seal_to)
        AgendaStore(work.connection).add_decision(decision, item)
        report_decision(decision, item, request.feedback, calendar=self.rules.calendar, seal_to=seal_to, work=work)
        return decision

    def _alert(self, alert: Alert) -> AlertRow:
        until = alert.raised_at + timedelta(minutes=self.rules.calendar.policy.alert_within_minutes)
        return AlertRow(alert, until, late=(alert.acknowledged_at or self.now()) > until)


def _trace_weeks(table: MeetingTable, at: datetime, work: Work) -> None:
    """Trace the meeting by which each undecided item is due, now that an agenda is frozen."""
    for placed in table.waiting:
        for item in placed.members:
            trace_item(item, chain_director_in(placed.week, table.known.calendar), at, work)
