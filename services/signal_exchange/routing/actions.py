"""The acts of an operator on routing, for commands, routes and pages alike: where signals went, and how far erasures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.records import ACCEPTED_SIGNAL, Delivery
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.recovery.log_check import keys_left
from signal_exchange.routing.composition import terms_of
from signal_exchange.routing.erasing import certificate_of, keys_to_be_gone
from signal_exchange.routing.erasures import ASKED, Answer, Erasure, ErasureStore
from signal_exchange.routing.store import RoutingStore, StoredSignal
from signal_exchange.runtime.settings import RoutingSettings
from signal_exchange.stream.acting import ActionStore


@dataclass(frozen=True, slots=True)
class RoutedSignal:
    """A signal that routing knows, with its state and the deliveries of its accepted version; its content is not seen."""

    signal_id: str
    municipality: str
    version: int
    state: str
    deliveries: Sequence[Delivery]

    @property
    def sent_to(self) -> list[str]:
        """Return the destinations that it was sent to."""
        return [each["destination"] for each in self.deliveries if each["effect"] == "SEND"]


@dataclass(frozen=True, slots=True)
class ErasureProgress:
    """An erasure, the answers of the services so far, and the services that still owe one."""

    erasure: Erasure
    answers: Sequence[Answer]

    @property
    def owing(self) -> list[str]:
        """Return the services that still owe an answer."""
        answered = {each.service for each in self.answers}
        return [service for service in ASKED if service not in answered]


@dataclass(frozen=True, slots=True)
class RoutingActions:
    """Everything that an operator can see of routing: states and counts. Reasons are for the municipality."""

    store: ActionStore
    settings: RoutingSettings

    def signals(self) -> list[RoutedSignal]:
        """Return every signal that routing knows."""
        with self.store.reading() as connection:
            return [_routed(stored) for stored in RoutingStore(connection).all_signals()]

    def signal(self, signal_id: str) -> RoutedSignal:
        """Return one signal.

        Raises:
            RefusedError: routing does not know it.
        """
        found = next((each for each in self.signals() if each.signal_id == signal_id), None)
        if found is None:
            raise RefusedError("ROUTED_SIGNAL_UNKNOWN")
        return found

    def erasures(self) -> list[ErasureProgress]:
        """Return every erasure."""
        with self.store.reading() as connection:
            store = ErasureStore(connection)
            return [_progress(store, each) for each in store.erasures().values()]

    def erasure(self, signal_id: str) -> ErasureProgress:
        """Return the erasure of a signal.

        Raises:
            RefusedError: there is none.
        """
        with self.store.reading() as connection:
            store = ErasureStore(connection)
            return _progress(store, _found(store, signal_id))

    def certificate(self, progress: ErasureProgress) -> dict[str, object]:
        """Return the certificate of an erasure as it would be now."""
        return certificate_of(progress.erasure, progress.answers, terms_of(self.settings))

    def left_in_logs(self, signal_id: str) -> dict[str, int]:
        """Read the topics from end to end, and return by topic how many records of an erased signal still stand.

        The service does so by itself when the logs must be clean.

        Raises:
            RefusedError: there is no erasure of this signal.
            BrokerUnavailableError: Kafka does not answer.
        """
        with self.store.reading() as connection:
            store = ErasureStore(connection)
            wanted = keys_to_be_gone(store, [_found(store, signal_id)])
        return {topic: len(keys) for topic, keys in sorted(keys_left(self.settings.kafka, wanted).items())}


def _routed(stored: StoredSignal) -> RoutedSignal:
    deliveries = decode_as(stored.accepted, ACCEPTED_SIGNAL)["deliveries"] if stored.accepted is not None else []
    return RoutedSignal(stored.signal_id, stored.municipality, stored.version, stored.state, deliveries)


def _progress(store: ErasureStore, erasure: Erasure) -> ErasureProgress:
    return ErasureProgress(erasure, list(store.answers(erasure.signal_id).values()))


def _found(store: ErasureStore, signal_id: str) -> Erasure:
    erasure = store.erasures([signal_id]).get(signal_id)
    if erasure is None:
        raise RefusedError("ERASURE_UNKNOWN")
    return erasure
