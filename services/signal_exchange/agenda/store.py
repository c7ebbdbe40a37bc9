"""The store of the agenda: items and alerts as they were delivered, frozen agendas, and what the meeting decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, select, update

from signal_exchange.agenda.items import DEFER, Item, OfferHistory
from signal_exchange.agenda.records import Agenda, Alert, FollowUp, Note, RecordedDecision
from signal_exchange.agenda.tables import (
    ACKNOWLEDGEMENTS,
    AGENDAS,
    ALERTS,
    DECISIONS,
    DEFERRALS,
    FOLLOW_UPS,
    ITEMS,
    MEMBERSHIPS,
    NOTES,
    OPENINGS,
)
from signal_exchange.cli.naming import start_of, the_one
from signal_exchange.contracts.records import ChairAlert, ClusterMembership
from signal_exchange.runtime.database import add_once, erase_rows, put_newer, row_of, rows_of, values_of


class AgendaStore:
    """The rows of the agenda in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def items(self, signal_ids: Iterable[str] | None = None) -> dict[str, Item]:
        """Return the items of these signals, or all."""
        chosen = _of(select(ITEMS), ITEMS, signal_ids).order_by(ITEMS.c.signal_id).with_for_update()
        found = values_of(Item, self._connection, chosen)
        return {item.signal_id: item for item in self._in_clusters(found)}

    def _in_clusters(self, items: Sequence[Item]) -> list[Item]:
        """Give each item the cluster that its signal is in; a lone signal is its own (R-AGENDA-03)."""
        chosen = _of(select(MEMBERSHIPS), MEMBERSHIPS, [item.signal_id for item in items])
        cluster = {row.signal_id: row.cluster_id for row in self._connection.execute(chosen)}
        return [replace(item, cluster_id=cluster.get(item.signal_id) or item.signal_id) for item in items]

    def owners(self, signal_ids: Collection[str]) -> dict[str, str]:
        """Return the municipality of each of these signals that was delivered, or of which an alert was given."""
        chosen = (
            select(each.c.signal_id, each.c.municipality).where(each.c.signal_id.in_(signal_ids)) for each in (ALERTS, ITEMS)
        )
        return {row.signal_id: row.municipality for each in chosen for row in self._connection.execute(each)}

    def erase(self, signal_ids: Collection[str]) -> set[str]:
        """Delete what is held of these signals; return those of which there was something.

        Frozen agendas keep order, ids and decisions; the words of a decision go (R-AGENDA-06).
        """
        held = erase_rows(self._connection, (ITEMS, ALERTS, MEMBERSHIPS, NOTES, OPENINGS, FOLLOW_UPS), signal_ids)
        with_words = DECISIONS.c.signal_id.in_(signal_ids) & DECISIONS.c.words.is_not(None)
        held |= set(self._connection.execute(select(DECISIONS.c.signal_id).where(with_words)).scalars())
        self._connection.execute(update(DECISIONS).where(with_words).values(words=None))
        return held

    def forget_memberships(self, signal_ids: Collection[str]) -> None:
        """Delete the memberships of signals of which linking keeps none any more."""
        self._connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.signal_id.in_(signal_ids)))

    def put_memberships(self, records: Sequence[ClusterMembership]) -> None:
        """Keep in which cluster signals are, of which an older revision never wins."""
        put_newer(self._connection, MEMBERSHIPS, rows_of(MEMBERSHIPS, records), guard="revision")

    def decisions(self, signal_ids: Iterable[str] | None = None) -> list[RecordedDecision]:
        """Return the decisions on these signals, or all, in order."""
        order = (DECISIONS.c.signal_id, DECISIONS.c.offer, DECISIONS.c.number)
        return values_of(RecordedDecision, self._connection, _of(select(DECISIONS), DECISIONS, signal_ids).order_by(*order))

    def histories(self, signal_ids: Iterable[str] | None = None) -> dict[tuple[str, int], OfferHistory]:
        """Return the history of each offer of these signals, or of all."""
        ids = None if signal_ids is None else set(signal_ids)
        weeks: dict[tuple[str, int], list[str]] = defaultdict(list)
        for row in self._connection.execute(_of(select(DEFERRALS), DEFERRALS, ids).order_by(DEFERRALS.c.week)):
            weeks[row.signal_id, row.offer].append(row.week)
        decided: dict[tuple[str, int], list[RecordedDecision]] = defaultdict(list)
        for each in self.decisions(ids):
            decided[each.signal_id, each.offer].append(each)
        return {key: _history(weeks[key], decided[key]) for key in {*weeks, *decided}}

    def find(self, named: str) -> Item:
        """Return the item that a person named, by its id or short number.

        Raises:
            RefusedError: there is none, or more than one.
        """
        start = start_of(named)
        starts = ITEMS.c.signal_id.startswith(start, autoescape=True)
        chosen = self._in_clusters(values_of(Item, self._connection, select(ITEMS).where(starts)))
        found = {item.signal_id: item for item in chosen}
        return found[the_one(found, start)]

    def put_items(self, items: Sequence[Item], notes: Sequence[Note]) -> None:
        """Write items, of which an older revision never wins, and notes to decided ones."""
        put_newer(self._connection, ITEMS, [row_of(item) for item in items], guard="revision")
        self.add_notes(notes)

    def add_notes(self, notes: Sequence[Note]) -> None:
        """Keep notes to decided items, each once."""
        add_once(self._connection, NOTES, [row_of(note) for note in notes])

    def follow_ups(self, signal_id: str) -> list[FollowUp]:
        """Return every time that the decisions on a signal were followed up, in order."""
        order = (FOLLOW_UPS.c.offer, FOLLOW_UPS.c.number)
        return values_of(FollowUp, self._connection, _of(select(FOLLOW_UPS), FOLLOW_UPS, [signal_id]).order_by(*order))

    def add_follow_up(self, follow_up: FollowUp) -> None:
        """Keep that a decision was followed up."""
        add_once(self._connection, FOLLOW_UPS, [row_of(follow_up)])

    def notes(self, signal_id: str) -> list[Note]:
        """Return the notes to the decided offers of a signal."""
        return values_of(Note, self._connection, _of(select(NOTES), NOTES, [signal_id]).order_by(NOTES.c.offer, NOTES.c.at))

    def agendas(self) -> dict[str, Agenda]:
        """Return the latest frozen version of each week's agenda."""
        chosen = select(AGENDAS).order_by(AGENDAS.c.week, AGENDAS.c.version)
        return {agenda.week: agenda for agenda in values_of(Agenda, self._connection, chosen)}

    def add_agenda(self, agenda: Agenda, put_off: Iterable[Item]) -> None:
        """Keep a frozen version, and the items that it put off."""
        add_once(self._connection, AGENDAS, [row_of(agenda)])
        self._defer(put_off, agenda.week)

    def add_decision(self, decided: RecordedDecision, item: Item) -> None:
        """Keep a decision; DEFER puts the item off."""
        add_once(self._connection, DECISIONS, [row_of(decided)])
        if decided.decision == DEFER:
            self._defer([item], decided.week)

    def _defer(self, items: Iterable[Item], week: str) -> None:
        rows = [{"signal_id": item.signal_id, "offer": item.offer, "week": week} for item in items]
        add_once(self._connection, DEFERRALS, rows)

    def add_alerts(self, alerts: Sequence[ChairAlert]) -> list[str]:
        """Keep alerts; return the ids of those that are new."""
        ids = {alert["alert_id"] for alert in alerts}
        chosen = select(ALERTS.c.alert_id).where(ALERTS.c.alert_id.in_(ids))
        known = set(self._connection.execute(chosen).scalars()) if ids else set()
        add_once(self._connection, ALERTS, rows_of(ALERTS, alerts))
        return sorted(ids - known)

    def alerts(self) -> list[Alert]:
        """Return every alert: those that nobody took note of first, then the newest."""
        joined = ALERTS.outerjoin(ACKNOWLEDGEMENTS, ALERTS.c.alert_id == ACKNOWLEDGEMENTS.c.alert_id)
        rows = self._connection.execute(select(ALERTS, ACKNOWLEDGEMENTS.c.at, ACKNOWLEDGEMENTS.c.who).select_from(joined))
        found = [Alert(*row) for row in rows]
        return sorted(found, key=lambda each: (each.acknowledged_at is not None, -each.raised_at.timestamp(), each.alert_id))

    def find_alert(self, named: str) -> Alert:
        """Return the alert that a person named, by its id or short number.

        Raises:
            RefusedError: there is none, or more than one.
        """
        start = start_of(named)
        found = {alert.alert_id: alert for alert in self.alerts() if alert.alert_id.startswith(start)}
        return found[the_one(found, start)]

    def acknowledge(self, alert_id: str, at: datetime, who: str) -> None:
        """Keep the person who took note of an alert first."""
        add_once(self._connection, ACKNOWLEDGEMENTS, [{"alert_id": alert_id, "at": at, "who": who}])

    def add_opening(self, signal_id: str, version: int, at: datetime, who: str) -> None:
        """Keep the name of a person who opened a summary."""
        add_once(self._connection, OPENINGS, [{"signal_id": signal_id, "version": version, "at": at, "who": who}])


def _of(chosen: Select[Any], table: Table, signal_ids: Iterable[str] | None) -> Select[Any]:
    return chosen if signal_ids is None else chosen.where(table.c.signal_id.in_(set(signal_ids)))


def _history(weeks: Sequence[str], decisions: Sequence[RecordedDecision]) -> OfferHistory:
    ended = any(each.decision != DEFER for each in decisions)
    return OfferHistory(tuple(weeks), sum(each.decision == DEFER for each in decisions), ended)
