"""One run of the rules on one signal: what goes where, what is taken back, and the report of it (R-ROUTE-05, R-ROUTE-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from signal_exchange.contracts.records import (
    ACCEPTED_SIGNAL,
    AcceptedSignal,
    MunicipalAnswer,
    SignalErased,
    SignalPublished,
    SignalWithdrawn,
    TokensRenewed,
)
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.destinations import DESTINATIONS, STATISTICS
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.rules.facts import Facts, facts_of
from signal_exchange.domain.rules.routing import Route, rescreen_due, routes_for, routes_of_ended, unassigned
from signal_exchange.domain.rules.ruleset import RuleSet
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.register import Register
from signal_exchange.routing import delivering, linking_signals, side_records
from signal_exchange.routing.accepted import erased_state, published_state, rescreen_at, withdrawn_state
from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.deciding import Delivery, Step, deliveries_of, end_offer, steps
from signal_exchange.routing.erasing import KIND, Saga
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.store import Membership, UsedNumber
from signal_exchange.routing.verifying import Verified
from signal_exchange.stream.erasing import RECEIPT
from signal_exchange.stream.erasure_word import word_of
from signal_exchange.stream.messages import Attribution
from signal_exchange.stream.outcomes import ActionOwner, SealTo, kept_by, outcome_id_of, send_outcome
from signal_exchange.stream.views import ClusterMembershipMessage, RoutingOutcomeMessage
from signal_exchange.stream.work import Work, about_signal

ENDED_BY = {each.ended_by: each.code for each in DESTINATIONS if each.owns_signals}
"""Destination whose offer an outcome of this kind can end."""
DECIDED = "DECIDED"
"""State of an item that the meeting decided on: its re-screen is due no more (R-ROUTE-08)."""
END_STATES = frozenset({"COMPLETED", "WITHDRAWN", "LAPSED", DECIDED})
"""States after which a new version of the signal is offered anew; of REJECTED only the one that asked for more data (R-REF)."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that decides; nothing of it changes while a batch runs."""

    ruleset: RuleSet
    members: Members
    codes: CodeLists
    calendar: WorkingCalendar
    policy: Policy
    register: Register


@dataclass(frozen=True, slots=True)
class SignalRouter:
    """Applies the rules to the signals of one batch: each act changes the batch, and its effects go through one Work."""

    rulebook: Rulebook
    seal_to: SealTo
    batch: BatchState
    work: Work

    def published(self, verified: Verified, fields: SignalPublished) -> None:
        """Route a new version of a signal."""
        signal, at = fields["signal"], verified.message.appended_at
        self._screen_if_due(signal["signal_id"], at)
        before = self.batch.accepted_of(signal["signal_id"])
        first = before["first_published_at"] if before else at
        due = rescreen_due(first, at, self.rulebook.calendar) and not (before and before["screened"])
        facts = facts_of(signal, cluster_size=self.batch.cluster_size(signal["signal_id"]), rescreen_due=due)
        routes = routes_for(signal, facts, self.rulebook.ruleset, local_day(fields["envelope"]["time"]))
        what = steps(deliveries_of(before), routes, at, new_version=True)
        accepted = published_state(verified, fields, before, what, self.batch.next_revision(signal["signal_id"]))
        self._publish(accepted, signal, facts, routes, what)
        linking_signals.pass_tokens_on(accepted, signal, work=self.work)

    def withdrawn(self, verified: Verified, fields: SignalWithdrawn) -> None:
        """Take a withdrawn signal back from every destination that holds it."""
        before, at = self.batch.accepted_of(fields["signal_id"]), verified.message.appended_at
        if before is None or before["signal"] is None:
            raise ValueError("Only an open signal can be withdrawn; the version verdict comes first.")
        facts = facts_of(before["signal"], cluster_size=1, rescreen_due=False)
        routes = routes_for(None, facts, self.rulebook.ruleset, local_day(at))
        what = steps(deliveries_of(before), routes, at, new_version=True)
        accepted = withdrawn_state(verified, fields, before, what, self.batch.next_revision(before["signal_id"]))
        self._publish(accepted, before["signal"], facts, routes, what)
        linking_signals.pass_tokens_on(accepted, before["signal"], work=self.work)

    def renewed(self, fields: TokensRenewed, at: datetime) -> None:
        """Take the new link tokens of the present version of an open signal; nothing is routed again (R-LINK-01)."""
        before = self._open(fields["signal_id"])
        if before is None or before[0]["version"] != fields["version"]:
            return
        state, signal = before
        sealed = [*(part for part in state["sealed"] if part["group"] != "linking"), fields["tokens"]]
        revision = self.batch.next_revision(state["signal_id"])
        accepted: AcceptedSignal = {**state, "revision": revision, "sealed": sealed, "tokens_pending": False}
        self._keep(accepted)
        linking_signals.pass_tokens_on(accepted, signal, work=self.work, at=at)

    def answered(self, fields: MunicipalAnswer, at: datetime) -> None:
        """Pass on what an officer answered about a link of a signal, unless nothing is known of the signal any more."""
        accepted = self.batch.accepted_of(fields["signal_id"])
        if accepted is not None and accepted["state"] != "ERASED":
            side_records.pass_answer_on(fields, at, self.work)

    def erased(self, verified: Verified, fields: SignalErased) -> None:
        """Begin the erasure of a signal, also of one that is not known here: others may hold something (R-RET-03)."""
        message = verified.message
        signal_id, at = fields["signal_id"], message.appended_at
        for used in self.batch.parked_numbers(signal_id):
            self.superseded(used, at)
        accepted = erased_state(verified, fields, self.batch.next_revision(signal_id))
        self.batch.erase(accepted)
        self._send_accepted(accepted)
        self._trace(accepted, routes_of_ended())
        version, revision, word = accepted["version"], accepted["revision"], word_of(message.incoming)
        self._saga.begin(
            signal_id=signal_id, municipality=verified.municipality, version=version, revision=revision, at=at, word=word
        )
        self.work.erased.add(signal_id)

    def _open(self, signal_id: str) -> tuple[AcceptedSignal, CodedSignal] | None:
        """Return the state of a signal with the signal itself; None unless it is open."""
        accepted = self.batch.accepted_of(signal_id)
        if accepted is None or accepted["state"] != "ROUTED" or accepted["signal"] is None:
            return None
        return accepted, accepted["signal"]

    def superseded(self, used: UsedNumber, at: datetime) -> None:
        """Give the number of a record that a later one made void its last place (R-FLOW-01)."""
        self.batch.use(replace(used, revision=used.revision + 1, verdict="superseded"))
        who = Attribution(*used.number, used.signal_id, used.version)
        self.work.trace_number("RECEIVED", who, at=at, key=used.signal_id, verdict="superseded")

    @property
    def _saga(self) -> Saga:
        return Saga(ErasureStore(self.work.connection), self.rulebook.calendar, self.seal_to, self.work)

    def on_outcome(self, message: RoutingOutcomeMessage) -> None:
        """Take what a service told of a signal: a receipt, or what became of an offer."""
        fields, saga = message.fields, self._saga
        signal_id = fields["signal_id"]
        key = f"{signal_id}/{fields['outcome_id']}"
        if fields["kind"] == RECEIPT:
            if saga.accept(message):
                self.batch.forget(signal_id)
        elif not self.batch.is_erased(signal_id):
            saga.store.add_outcomes([(key, signal_id)])
            self.offer_ended(message)
        elif fields["kind"] != KIND:
            self.work.tombstone("outcomes", key, at=message.appended_at, partition_by=signal_id)

    def linked(self, messages: Sequence[ClusterMembershipMessage]) -> None:
        """Judge again every open signal whose cluster these change (R-ROUTE-05); the same memberships again do nothing.

        All are taken first: a cluster that only gets another name must not look like one that falls apart.
        """
        affected: dict[str, datetime] = {}
        for message in messages:
            fields, at = message.fields, message.appended_at
            membership = Membership(fields["signal_id"], fields["revision"], fields["cluster_id"])
            around = self.batch.clusters.around(membership)
            self.batch.load_signals(around)
            for signal_id in sorted(around):
                self._screen_if_due(signal_id, at)
            affected |= dict.fromkeys(self.batch.clusters.change(membership), at)
        for signal_id, at in sorted(affected.items()):
            self._judge_again(signal_id, at)

    def rescreened(self, signal_id: str) -> None:
        """Judge a signal again because its re-screen is due (R-ROUTE-08): as at the computed moment, whenever this runs."""
        due_at = self.batch.rescreen_at(signal_id)
        if due_at is not None:
            self._judge_again(signal_id, due_at)
            self.batch.was_rescreened(signal_id)

    def _screen_if_due(self, signal_id: str, at: datetime) -> None:
        """Do first what was due before this came: who looks late gives the same dates (R-AGENDA-02)."""
        due_at = self.batch.rescreen_at(signal_id)
        if due_at is not None and due_at <= at:
            self.rescreened(signal_id)

    def _judge_again(self, signal_id: str, at: datetime) -> None:
        found = self._open(signal_id)
        if found is None:
            return
        before, signal = found
        due = rescreen_due(before["first_published_at"], at, self.rulebook.calendar) and not before["screened"]
        facts = facts_of(signal, cluster_size=self.batch.cluster_size(signal_id), rescreen_due=due)
        routes = routes_for(signal, facts, self.rulebook.ruleset, local_day(at))
        what = steps(deliveries_of(before), routes, at, new_version=False)
        if any(_differs(deliveries_of(before).get(step.destination), step.now) for step in what):
            deliveries = [step.now.as_fields() for step in what]
            revision = self.batch.next_revision(signal_id)
            accepted: AcceptedSignal = {**before, "revision": revision, "appended_at": at, "deliveries": deliveries}
            self._publish(accepted, signal, facts, routes, what)

    def offer_ended(self, message: RoutingOutcomeMessage) -> None:
        """Remember that a receiver ended its offer, and that the meeting decided (R-REF, R-ROUTE-08)."""
        destination = ENDED_BY.get(message.fields["kind"])
        accepted = self.batch.accepted_of(message.fields["signal_id"])
        if destination is None or accepted is None:
            return
        self._screen_if_due(accepted["signal_id"], message.appended_at)
        accepted = self.batch.accepted_of(accepted["signal_id"]) or accepted
        deliveries = deliveries_of(accepted)
        after = end_offer(deliveries, destination) if _ends(message, deliveries.get(destination)) else deliveries
        screened = accepted["screened"] or message.fields["state"] == DECIDED
        if (after, screened) != (deliveries, accepted["screened"]):
            revision = self.batch.next_revision(accepted["signal_id"])
            kept = [each.as_fields() for each in after.values()]
            self._keep({**accepted, "revision": revision, "screened": screened, "deliveries": kept})

    def _publish(
        self, accepted: AcceptedSignal, signal: CodedSignal, facts: Facts, routes: Sequence[Route], what: Sequence[Step]
    ) -> None:
        at = accepted["appended_at"]
        self._keep(accepted)
        for step in what:
            delivering.deliver(step, accepted, facts.urgency, at=at, work=self.work)
        if any(step.destination == STATISTICS and (step.offer or step.retract) for step in what):
            delivering.observe(accepted, signal, facts.urgency, local_day(accepted["first_published_at"]), work=self.work)
        self._trace(accepted, routes)
        self._report(accepted, routes, facts)

    def _keep(self, accepted: AcceptedSignal) -> None:
        self.batch.keep(accepted, rescreen_at(accepted, self.rulebook.calendar))
        self._send_accepted(accepted)

    def _send_accepted(self, accepted: AcceptedSignal) -> None:
        signal_id, at = accepted["signal_id"], accepted["appended_at"]
        self.work.send("accepted", signal_id, ACCEPTED_SIGNAL, accepted, event_id=f"{signal_id}.{accepted['revision']}", at=at)

    def _trace(self, accepted: AcceptedSignal, routes: Sequence[Route]) -> None:
        at = accepted["appended_at"]
        about, owner, delivered = about_signal(accepted), kept_by(self._owner(accepted, routes)), deliveries_of(accepted)
        for route in routes:
            # What its receiver ended and nobody offers anew is awaited from nobody.
            effect = delivered[route.destination].effect if delivered else route.effect
            key, destination = accepted["signal_id"], route.destination
            self.work.trace("ROUTED", at=at, key=key, destination=destination, verdict=effect, **about, **owner)

    def _owner(self, accepted: AcceptedSignal, routes: Sequence[Route]) -> ActionOwner | None:
        kept = unassigned(routes, self.rulebook.ruleset) if accepted["state"] == "ROUTED" else None
        if kept is None:
            return None
        owner, working_days = kept
        until = self.rulebook.calendar.deadline(accepted["appended_at"], working_days)
        return ActionOwner(owner, until.date().isoformat())

    def _report(self, accepted: AcceptedSignal, routes: Sequence[Route], facts: Facts) -> None:
        send_outcome(
            self.work,
            **about_signal(accepted),
            kind="ROUTED",
            number=1,
            revision=accepted["revision"],
            state=accepted["state"],
            occurred_at=accepted["appended_at"],
            own_ref=accepted["own_ref"],
            detail=_detail(routes, facts),
            seal_to=self.seal_to,
        )


def _differs(before: Delivery | None, now: Delivery) -> bool:
    return before is None or (before.effect, before.deliver_as, before.rule_id) != (now.effect, now.deliver_as, now.rule_id)


def _ends(message: RoutingOutcomeMessage, delivery: Delivery | None) -> bool:
    """Say whether an outcome ends this very offer, and not an earlier one that it may speak of late."""
    fields = message.fields
    if delivery is None or delivery.ended:
        return False
    about = outcome_id_of(fields["signal_id"], fields["source"], fields["kind"], delivery.offer)
    asked_for_more = fields["state"] == "REJECTED" and fields["outcome"] == "MORE_INFO_ASKED"
    return bool(fields["outcome_id"] == about and (asked_for_more or fields["state"] in END_STATES))


def _detail(routes: Sequence[Route], facts: Facts) -> dict[str, object]:
    shown = ("destination", "effect", "deliver_as", "rule_id", "reason")
    deliveries = [{name: getattr(route, name) for name in shown} for route in routes]
    return {"urgency": facts.urgency, "deliveries": deliveries}
