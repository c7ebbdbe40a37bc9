"""Routing's work on one batch: verify each record, judge it, and hand what is new to the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from typing_extensions import TypeIs

from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.effects import Rulebook, SignalRouter
from signal_exchange.routing.erasing import Saga
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.judging import RecordJudge
from signal_exchange.routing.numbers import is_the_same, number_of, used_number
from signal_exchange.routing.senders import SenderGate
from signal_exchange.routing.store import Number, RoutingStore
from signal_exchange.routing.verifying import Judged, Verified, is_signed, verify
from signal_exchange.runtime import clock
from signal_exchange.stream.erasing import keys_of
from signal_exchange.stream.messages import Attribution, Incoming, Message
from signal_exchange.stream.outcomes import SealTo
from signal_exchange.stream.views import ClusterMembershipMessage, RoutingReads
from signal_exchange.stream.work import Work

RESCREENS_AT_ONCE = 500
FLOOD_RECORDS = 200


@dataclass(frozen=True, slots=True)
class RoutingHandler:
    """Handles batches of signed records and of outcomes."""

    current_rulebook: Callable[[], Rulebook]
    seal_to: SealTo
    flood_records: int = FLOOD_RECORDS

    @property
    def rulebook(self) -> Rulebook:
        """Return the rules in force now."""
        return self.current_rulebook()

    def __call__(self, messages: Sequence[RoutingReads], work: Work) -> None:
        """Take each record in order; what the batch touches is read once and written once."""
        judged, rulebook = [self._verified(message) for message in messages], self.rulebook
        batch = BatchState(RoutingStore(work.connection), _ids(judged), _numbers(judged))
        senders = {each.municipality for each in judged if isinstance(each, Verified)}
        router = SignalRouter(rulebook, self.seal_to, batch, work)
        judge = RecordJudge(rulebook, router, SenderGate(work.connection, senders, self.flood_records))
        for links, together in groupby(judged, key=_is_membership):
            if links:
                router.linked([each for each in together if _is_membership(each)])
            else:
                for each in together:
                    judge.take(each)
        judge.senders.save()
        batch.save()

    def on_tombstones(self, gone: Sequence[Incoming], work: Work) -> None:
        """Forget the clusters of signals whose membership is gone; linking told before that they left theirs."""
        RoutingStore(work.connection).forget_memberships(keys_of(gone, "links"))

    def attribute(self, message: RoutingReads, work: Work) -> Attribution | None:
        """Say whose number a record has at which routing fails, and remember that it is parked: a retry begins there."""
        verified = self._verified(message)
        if not (isinstance(verified, Verified) and verified.has_number):
            return None
        store, number = RoutingStore(work.connection), number_of(verified)
        used = store.numbers([number]).get(number)
        if used is not None and not (used.verdict == "parked" and is_the_same(verified, used)):
            return None
        store.put([], [used_number(verified, "parked", used)])
        return verified.attribution

    def saga(self, work: Work) -> Saga:
        """Return the erasures, to be brought further in a transaction."""
        return Saga(ErasureStore(work.connection), self.rulebook.calendar, self.seal_to, work)

    def recheck(self, now: datetime, work: Work) -> int:
        """Judge the signals whose re-screen is due, and return how many those were (R-ROUTE-08); some remain when many are."""
        store = RoutingStore(work.connection)
        due = store.due_for_rescreen(now, RESCREENS_AT_ONCE, self._unreachable())
        batch = BatchState(store, due, ())
        router = SignalRouter(self.rulebook, self.seal_to, batch, work)
        for signal_id in due:
            router.rescreened(signal_id)
        batch.save()
        return len(due)

    def _unreachable(self) -> list[str]:
        """Return the municipalities that the register has no key of, so that nothing can be told to them."""
        register = self.rulebook.register
        codes = (str(member.code) for member in register.municipalities)
        return [code for code in codes if not register.has_sealing_key(f"gm:{code}", clock.now())]

    def _verified(self, message: RoutingReads) -> Judged:
        return verify(message, self.rulebook.register) if is_signed(message) else message


def _is_membership(judged: Judged) -> TypeIs[ClusterMembershipMessage]:
    return isinstance(judged, Message) and judged.record == "ClusterMembership"


def _ids(judged: Iterable[Judged]) -> set[str]:
    told = (each.fields["signal_id"] for each in judged if isinstance(each, Message))
    sent = (each.signal_id for each in judged if isinstance(each, Verified))
    return {each for each in (*told, *sent) if each is not None}


def _numbers(judged: Iterable[Judged]) -> set[Number]:
    return {number_of(each) for each in judged if isinstance(each, Verified) and each.has_number}
