"""The one catalogue of metrics. No metric combines a municipality with a destination, form or urgency (promise 6)."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX = "signal_exchange"


@dataclass(frozen=True, slots=True)
class Described:
    """One line of the metrics' documentation; `name` is as a scrape shows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """The metrics of one process, in a registry of their own; every name starts with signal_exchange_."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._described: list[Described] = []
        self.records_read = self._counter("records_read", "Records handed to the handler, by topic.", ("topic",))
        self.records_parked = self._counter("records_parked", "Records parked, by reason code.", ("reason",))
        self.batches_handled = self._counter("batches_handled", "Batches applied, acknowledged and committed.")
        self.batch_seconds = self._histogram("batch_seconds", "Seconds from a batch in hand to its last acknowledgement.")
        self.outbox_sent = self._counter("outbox_sent", "Outbox rows acknowledged by the broker, by topic.", ("topic",))
        self.outbox_waiting = self._gauge("outbox_waiting", "Outbox rows of a municipality's node not yet acknowledged.")
        self.world_waits = self._counter(
            "world_waits", "Pauses because the database or the broker did not answer, by step.", ("step",)
        )
        self.last_progress = self._gauge(
            "last_progress_timestamp_seconds", "Unix time at which the process last moved or had nothing to do."
        )
        self.signals_published = self._counter("signals_published", "Signals put in the outbox of this node.")
        self.ledger_numbers = self._gauge("ledger_numbers", "Numbers by their place in the ledger (R-FLOW-01).", ("place",))
        self.ledger_signals = self._gauge("ledger_signals", "Signals by their place in the ledger (R-FLOW-01).", ("place",))
        self.ledger_difference = self._gauge("ledger_difference", "Numbers that the ledger has too many or too few.")
        self.numbers_overdue = self._gauge("numbers_overdue", "Numbers that a checkpoint names and that stay away.")
        self.unattributed_records = self._gauge("unattributed_records", "Records whose sender cannot be proven, ever.")
        self.parked_waiting = self._gauge(
            "parked_waiting", "Parked records that wait for a person, by service and reason code.", ("service", "reason")
        )
        self.parked_oldest_seconds = self._gauge(
            "parked_oldest_seconds", "Age of the oldest parked record that waits, by service.", ("service",)
        )
        self.signals_late = self._gauge("signals_late", "Clocks of open signals that are past their date (R-FLOW-02).")
        self.signals_ownerless = self._gauge("signals_ownerless", "Open signals without an owner and a next date.")
        self.receipts_overdue = self._gauge("receipts_overdue", "Receipts of an erasure that stay away after their date.")
        self.consumer_lag = self._gauge("consumer_lag", "Records that a group has not committed, by topic.", ("group", "topic"))
        self.commit_age_seconds = self._gauge(
            "commit_age_seconds", "Seconds since a group that is behind last committed further, by topic.", ("group", "topic")
        )
        self.watched = self._gauge("watch_timestamp_seconds", "Unix time at which oversight last drew up its figures.")
        self.withdrawn_after_question = self._counter(
            "withdrawn_after_question", "Signals withdrawn after a link question, which may have been a probe."
        )
        self.records_refused = self._counter("records_refused", "Records refused before publishing, by rule.", ("rule",))

    @property
    def described(self) -> tuple[Described, ...]:
        """Return every metric with its labels and meaning: docs/operator/metrics.md is generated from here."""
        return tuple(self._described)

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        full = self._describe(f"{name}_total", "counter", labels, meaning)
        return Counter(full.removesuffix("_total"), meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(self._describe(name, "gauge", labels, meaning), meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(self._describe(name, "histogram", (), meaning), meaning, registry=self.registry)

    def _describe(self, name: str, kind: str, labels: tuple[str, ...], meaning: str) -> str:
        full = f"{PREFIX}_{name}"
        self._described.append(Described(full, kind, labels, meaning))
        return full
