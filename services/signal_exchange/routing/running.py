"""One run of the rules on one signal: what goes where, what is taken back, and the report of it (R-ROUTE-05, R-ROUTE-06)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from signal_exchange.contracts.signed import content_of
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.routing import (
    Facts,
    Route,
    facts_of,
    rescreen_due,
    rescreen_due_from,
    routes_for,
    routes_of_ended,
    unassigned,
)
from signal_exchange.domain.rulesets import RuleSet
from signal_exchange.domain.times import local_day
from signal_exchange.domain.versions import content_hash
from signal_exchange.privacy.register import Register
from signal_exchange.routing import delivering, linking_signals, statements
from signal_exchange.routing.deciding import Delivery, Step, deliveries_of, end_offer, steps
from signal_exchange.routing.desk import Desk
from signal_exchange.routing.erasing import KIND, Saga
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.store import Membership, UsedNumber
from signal_exchange.routing.verifying import Verified
from signal_exchange.stream.erasing import ERASED, RECEIPT
from signal_exchange.stream.erasure_word import word_of
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outcomes import SealTo, outcome_id_of, padded
from signal_exchange.stream.work import Work

ENDED_BY = {"REFERRAL": "CARE_COORDINATOR", "DECISION": "SCREENING_AGENDA"}
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
class Run:
    """One batch's runs of the rules: by which rulebook, on which desk, with effects through which work."""

    rulebook: Rulebook
    seal_to: SealTo
    desk: Desk
    work: Work

    def published(self, verified: Verified) -> None:
        """Route a new version of a signal."""
        message, signal = verified.message, verified.message.fields["signal"]
        self._screen_if_due(signal["signal_id"], message.appended_at)
        before = self.desk.accepted_of(signal["signal_id"])
        first = before["first_published_at"] if before else message.appended_at
        due = rescreen_due(first, message.appended_at, self.rulebook.calendar) and not (before and before["screened"])
        facts = facts_of(signal, cluster_size=self.desk.cluster_size(signal["signal_id"]), rescreen_due=due)
        routes = routes_for(signal, facts, self.rulebook.ruleset, local_day(message.fields["envelope"]["time"]))
        what = steps(deliveries_of(before), routes, message.appended_at, new_version=True)
        accepted = _accepted(verified, before, what, self.desk.next_revision(signal["signal_id"]))
        self._tell(accepted, signal, facts, routes, what)
        linking_signals.pass_tokens_on(accepted, signal, work=self.work)

    def withdrawn(self, verified: Verified) -> None:
        """Take a withdrawn signal back from every destination that holds it."""
        message = verified.message
        before = self.desk.accepted_of(message.fields["signal_id"])
        if before is None:
            raise ValueError("Only an accepted signal can be withdrawn; the version verdict comes first.")
        facts = facts_of(before["signal"], cluster_size=1, rescreen_due=False)
        routes = routes_for(None, facts, self.rulebook.ruleset, local_day(message.appended_at))
        what = steps(deliveries_of(before), routes, message.appended_at, new_version=True)
        accepted = _withdrawn(verified, before, what, self.desk.next_revision(before["signal_id"]))
        self._tell(accepted, before["signal"], facts, routes, what)
        linking_signals.pass_tokens_on(accepted, before["signal"], work=self.work)

    def renewed(self, verified: Verified) -> None:
        """Take the new link tokens of the present version of an open signal; nothing is routed again (R-LINK-01)."""
        message = verified.message
        before = self.desk.accepted_of(message.fields["signal_id"])
        if before is None or before["state"] != "ROUTED" or before["version"] != message.fields["version"]:
            return
        sealed = [*(part for part in before["sealed"] if part["group"] != "linking"), message.fields["tokens"]]
        revision = self.desk.next_revision(before["signal_id"])
        accepted = {**before, "revision": revision, "sealed": sealed, "tokens_pending": False}
        self._keep(accepted)
        linking_signals.pass_tokens_on(accepted, before["signal"], work=self.work, at=message.appended_at)

    def answered(self, verified: Verified) -> None:
        """Pass on what an officer answered about a link of a signal, unless nothing is known of the signal any more."""
        accepted = self.desk.accepted_of(verified.message.fields["signal_id"])
        if accepted is not None and accepted["state"] != "ERASED":
            statements.pass_answer_on(verified, self.work)

    def erased(self, verified: Verified) -> None:
        """Begin the erasure of a signal, also of one that is not known here: others may hold something (R-RET-03)."""
        message = verified.message
        signal_id, at = message.fields["signal_id"], message.appended_at
        for used in self.desk.parked_numbers(signal_id):
            self.superseded(used, at)
        accepted = _erased(verified, self.desk.next_revision(signal_id))
        self.desk.erase(accepted)
        self._send_accepted(accepted)
        self._trace(accepted, routes_of_ended())
        version, revision, word = accepted["version"], accepted["revision"], word_of(message.incoming)
        self._saga.begin(
            signal_id=signal_id, municipality=verified.municipality, version=version, revision=revision, at=at, word=word
        )
        self.work.erased.add(signal_id)

    def superseded(self, used: UsedNumber, at: datetime) -> None:
        """Give the number of a record that a later one made void its last place (R-FLOW-01)."""
        self.desk.use(replace(used, revision=used.revision + 1, verdict="superseded"))
        names = ("signal_id", "version", "municipality", "publisher_run", "sequence")
        facts = {name: getattr(used, name) for name in names}
        self.work.trace("RECEIVED", at=at, key=used.signal_id, verdict="superseded", **facts)

    @property
    def _saga(self) -> Saga:
        return Saga(ErasureStore(self.work.connection), self.rulebook.calendar, self.seal_to, self.work)

    def heard(self, message: Message) -> None:
        """Take what a service told of a signal: a receipt, or what became of an offer."""
        fields, saga = message.fields, self._saga
        signal_id = fields["signal_id"]
        key = f"{signal_id}/{fields['outcome_id']}"
        if fields["kind"] == RECEIPT:
            if saga.take(message):
                self.desk.forget(signal_id)
        elif not self.desk.is_erased(signal_id):
            saga.store.add_outcomes([(key, signal_id)])
            self.offer_ended(message)
        elif fields["kind"] != KIND:
            self.work.tombstone("outcomes", key, at=message.appended_at, partition_by=signal_id)

    def linked(self, messages: Sequence[Message]) -> None:
        """Judge again every open signal whose cluster these change (R-ROUTE-05); the same memberships again do nothing.

        All are taken first: a cluster that only gets another name must not look like one that falls apart.
        """
        affected: dict[str, datetime] = {}
        for message in messages:
            fields, at = message.fields, message.appended_at
            membership = Membership(fields["signal_id"], fields["revision"], fields["cluster_id"])
            around = self.desk.clusters.around(membership)
            self.desk.load_signals(around)
            for signal_id in sorted(around):
                self._screen_if_due(signal_id, at)
            affected |= dict.fromkeys(self.desk.clusters.change(membership), at)
        for signal_id, at in sorted(affected.items()):
            self._judge_again(signal_id, at)

    def rescreened(self, signal_id: str) -> None:
        """Judge a signal again because its re-screen is due (R-ROUTE-08): as at the computed moment, whenever this runs."""
        due_at = self.desk.rescreen_at(signal_id)
        if due_at is not None:
            self._judge_again(signal_id, due_at)
            self.desk.was_rescreened(signal_id)

    def _screen_if_due(self, signal_id: str, at: datetime) -> None:
        """Do first what was due before this came: who looks late gives the same dates (R-AGENDA-02)."""
        due_at = self.desk.rescreen_at(signal_id)
        if due_at is not None and due_at <= at:
            self.rescreened(signal_id)

    def _judge_again(self, signal_id: str, at: datetime) -> None:
        before = self.desk.accepted_of(signal_id)
        if before is None or before["state"] != "ROUTED":
            return
        signal, first = before["signal"], before["first_published_at"]
        due = rescreen_due(first, at, self.rulebook.calendar) and not before["screened"]
        facts = facts_of(signal, cluster_size=self.desk.cluster_size(signal_id), rescreen_due=due)
        routes = routes_for(signal, facts, self.rulebook.ruleset, local_day(at))
        what = steps(deliveries_of(before), routes, at, new_version=False)
        if any(_differs(deliveries_of(before).get(step.destination), step.now) for step in what):
            deliveries = [step.now.as_fields() for step in what]
            revision = self.desk.next_revision(signal_id)
            accepted = {**before, "revision": revision, "appended_at": at, "deliveries": deliveries}
            self._tell(accepted, signal, facts, routes, what)

    def offer_ended(self, message: Message) -> None:
        """Remember that a receiver ended its offer, and that the meeting decided (R-REF, R-ROUTE-08)."""
        destination = ENDED_BY.get(message.fields["kind"])
        accepted = self.desk.accepted_of(message.fields["signal_id"])
        if destination is None or accepted is None:
            return
        self._screen_if_due(accepted["signal_id"], message.appended_at)
        accepted = self.desk.accepted_of(accepted["signal_id"]) or accepted
        deliveries = deliveries_of(accepted)
        after = end_offer(deliveries, destination) if _ends(message, deliveries.get(destination)) else deliveries
        screened = accepted["screened"] or message.fields["state"] == DECIDED
        if (after, screened) != (deliveries, accepted["screened"]):
            revision = self.desk.next_revision(accepted["signal_id"])
            kept = [each.as_fields() for each in after.values()]
            self._keep({**accepted, "revision": revision, "screened": screened, "deliveries": kept})

    def _tell(
        self, accepted: Mapping[str, Any], signal: Mapping[str, Any], facts: Facts, routes: Sequence[Route], what: Sequence[Step]
    ) -> None:
        at = accepted["appended_at"]
        self._keep(accepted)
        for step in what:
            delivering.deliver(step, accepted, facts.urgency, at=at, work=self.work)
        if any(step.destination == "STATISTICS" and (step.offer or step.retract) for step in what):
            delivering.observe(accepted, signal, facts.urgency, local_day(accepted["first_published_at"]), work=self.work)
        self._trace(accepted, routes)
        self._report(accepted, routes, facts)

    def _keep(self, accepted: Mapping[str, Any]) -> None:
        self.desk.keep(accepted, rescreen_at(accepted, self.rulebook.calendar))
        self._send_accepted(accepted)

    def _send_accepted(self, accepted: Mapping[str, Any]) -> None:
        signal_id, at = accepted["signal_id"], accepted["appended_at"]
        self.work.send("accepted", signal_id, "AcceptedSignal", accepted, event_id=f"{signal_id}.{accepted['revision']}", at=at)

    def _trace(self, accepted: Mapping[str, Any], routes: Sequence[Route]) -> None:
        at = accepted["appended_at"]
        about = {name: accepted[name] for name in ("signal_id", "version", "municipality")}
        owner = self._owner(accepted, routes)
        delivered = deliveries_of(accepted)
        for route in routes:
            # What its receiver ended and nobody offers anew is awaited from nobody.
            effect = delivered[route.destination].effect if delivered else route.effect
            where = {"destination": route.destination, "verdict": effect}
            self.work.trace("ROUTED", at=at, key=accepted["signal_id"], **about, **where, **owner)

    def _owner(self, accepted: Mapping[str, Any], routes: Sequence[Route]) -> dict[str, str]:
        kept = unassigned(routes, self.rulebook.ruleset) if accepted["state"] == "ROUTED" else None
        if kept is None:
            return {}
        owner, working_days = kept
        until = self.rulebook.calendar.deadline(accepted["appended_at"], working_days)
        return {"owner_role": owner, "next_date": until.date().isoformat()}

    def _report(self, accepted: Mapping[str, Any], routes: Sequence[Route], facts: Facts) -> None:
        signal_id, at = accepted["signal_id"], accepted["appended_at"]
        outcome_id = outcome_id_of(signal_id, self.work.service, "ROUTED", 1)
        fields = {
            **{name: accepted[name] for name in ("signal_id", "version", "revision", "municipality", "state", "own_ref")},
            "outcome_id": outcome_id,
            "source": "routing",
            "kind": "ROUTED",
            "outcome": None,
            "occurred_at": at,
            "detail": self.seal_to(f"gm:{accepted['municipality']}", _detail(routes, facts), f"{signal_id}/{outcome_id}"),
        }
        event_id = f"{outcome_id}.{accepted['revision']}"
        self.work.send(
            "outcomes", f"{signal_id}/{outcome_id}", "Outcome", fields, event_id=event_id, at=at, partition_by=signal_id
        )


def rescreen_at(accepted: Mapping[str, Any], calendar: WorkingCalendar) -> datetime | None:
    """Return when time alone makes the rules judge an accepted signal again (R-ROUTE-08); None when they need not."""
    due_at = rescreen_due_from(accepted["first_published_at"], calendar)
    waits = accepted["state"] == "ROUTED" and not accepted["screened"] and accepted["appended_at"] < due_at
    return due_at if waits else None


def _differs(before: Delivery | None, now: Delivery) -> bool:
    return before is None or (before.effect, before.deliver_as, before.rule_id) != (now.effect, now.deliver_as, now.rule_id)


def _ends(message: Message, delivery: Delivery | None) -> bool:
    """Say whether an outcome ends this very offer, and not an earlier one that it may speak of late."""
    fields = message.fields
    if delivery is None or delivery.ended:
        return False
    about = outcome_id_of(fields["signal_id"], fields["source"], fields["kind"], delivery.offer)
    asked_for_more = fields["state"] == "REJECTED" and fields["outcome"] == "MORE_INFO_ASKED"
    return bool(fields["outcome_id"] == about and (asked_for_more or fields["state"] in END_STATES))


def _accepted(verified: Verified, before: Mapping[str, Any] | None, what: Sequence[Step], revision: int) -> dict[str, Any]:
    fields, at = verified.message.fields, verified.message.appended_at
    kept = before or {"first_published_at": at, "observation_id": str(uuid.uuid4()), "screened": False}
    return {
        "signal_id": fields["signal"]["signal_id"],
        "version": fields["signal"]["version"],
        "revision": revision,
        "state": "ROUTED",
        "municipality": verified.municipality,
        "publisher_run": verified.publisher_run,
        "sequence": verified.sequence,
        "first_published_at": kept["first_published_at"],
        "appended_at": at,
        "content_hash": bytes.fromhex(content_hash(content_of(fields))),
        **{name: fields[name] for name in ("own_ref", "tokens_pending", "signal", "sealed")},
        "deliveries": [step.now.as_fields() for step in what],
        "screened": kept["screened"],
        "observation_id": kept["observation_id"],
    }


def _withdrawn(verified: Verified, before: Mapping[str, Any], what: Sequence[Step], revision: int) -> dict[str, Any]:
    return {
        **before,
        "version": verified.message.fields["version"],
        "revision": revision,
        "state": "WITHDRAWN",
        "publisher_run": verified.publisher_run,
        "sequence": verified.sequence,
        "appended_at": verified.message.appended_at,
        "signal": None,
        "sealed": [],
        "deliveries": [step.now.as_fields() for step in what],
    }


def _erased(verified: Verified, revision: int) -> dict[str, Any]:
    """Return the erased state: who, which version, when, and nothing of what it was."""
    fields, at = verified.message.fields, verified.message.appended_at
    about = {name: fields[name] for name in ("signal_id", "version", "municipality")}
    number = {"publisher_run": verified.publisher_run, "sequence": verified.sequence}
    nothing = {
        "own_ref": b"",
        "content_hash": b"",
        "tokens_pending": False,
        "signal": None,
        "sealed": [],
        "deliveries": [],
        "screened": False,
    }
    own = {"revision": revision, "state": ERASED, "first_published_at": at, "appended_at": at, "observation_id": None}
    return {**about, **number, **own, **nothing}


def _detail(routes: Sequence[Route], facts: Facts) -> bytes:
    shown = ("destination", "effect", "deliver_as", "rule_id", "reason")
    deliveries = [{name: getattr(route, name) for name in shown} for route in routes]
    return padded({"urgency": facts.urgency, "deliveries": deliveries})
