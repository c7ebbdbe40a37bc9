"""The steps at the destinations when a signal is routed: pure, from the last run and this one (R-ROUTE-05, R-AGENDA-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from signal_exchange.contracts import records
from signal_exchange.contracts.records import AcceptedSignal
from signal_exchange.domain.destinations import BY_CODE
from signal_exchange.domain.rules.routing import Route
from signal_exchange.domain.rules.ruleset import Effect


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery to one destination as the rules last decided it; the same fields as the Avro record Delivery."""

    destination: str
    effect: Effect
    deliver_as: str | None
    rule_id: str
    reason: str
    due_from: datetime | None
    offer: int
    ended: bool

    @property
    def sent(self) -> bool:
        """Say whether the destination holds this delivery."""
        return self.effect == "SEND"

    def as_fields(self) -> records.Delivery:
        """Return the fields of the Avro record."""
        return records.Delivery(
            destination=self.destination,
            effect=self.effect,
            deliver_as=self.deliver_as,
            rule_id=self.rule_id,
            reason=self.reason,
            due_from=self.due_from,
            offer=self.offer,
            ended=self.ended,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """The step at one destination: first `retract` the old delivery, if any, then `offer` the new one, if any.

    `is_new` tells an offer from new content of the same offer.
    """

    destination: str
    retract: Delivery | None
    offer: Delivery | None
    now: Delivery
    is_new: bool


def deliveries_of(accepted: AcceptedSignal | None) -> dict[str, Delivery]:
    """Return the deliveries of the last run, by destination."""
    return {fields["destination"]: Delivery(**fields) for fields in (accepted["deliveries"] if accepted else ())}


def steps(before: Mapping[str, Delivery], routes: Iterable[Route], at: datetime, *, new_version: bool) -> tuple[Step, ...]:
    """Return the step at each destination, in the order of the routes.

    `at` is the append time of what caused the run; of a due re-screen its computed moment. `new_version` says that this was a
    version, a withdrawal too: only that offers anew what its receiver ended (R-REF).
    """
    return tuple(_step(before.get(route.destination), route, at, new_version=new_version) for route in routes)


def _step(before: Delivery | None, route: Route, at: datetime, *, new_version: bool) -> Step:
    ended = before is not None and before.ended and not new_version
    if before is not None and ended and BY_CODE[route.destination].ended_in_every_form and route.effect == "SEND":
        return Step(route.destination, None, before if before.sent else None, before, is_new=False)
    same = before is not None and before.sent and before.deliver_as == route.deliver_as
    continues = before is not None and same and (ended or not before.ended)
    now = _continued(before, route) if before is not None and continues else _anew(before, route, at, ended=ended)
    retract = before if before is not None and before.sent and not same else None
    return Step(route.destination, retract, now if now.sent else None, now, is_new=now.sent and not continues)


def _continued(before: Delivery, route: Route) -> Delivery:
    # due_from is set once, at the first SEND, and repeated until a retraction: a replay gives the same deadlines.
    return _delivery(route, due_from=before.due_from, offer=before.offer, ended=before.ended)


def _anew(before: Delivery | None, route: Route, at: datetime, *, ended: bool) -> Delivery:
    offers = before.offer if before else 0
    if route.effect != "SEND":
        return _delivery(route, due_from=None, offer=offers, ended=ended)
    return _delivery(route, due_from=at, offer=offers + 1, ended=False)


def _delivery(route: Route, *, due_from: datetime | None, offer: int, ended: bool) -> Delivery:
    return Delivery(route.destination, route.effect, route.deliver_as, route.rule_id, route.reason, due_from, offer, ended)


def end_offer(before: Mapping[str, Delivery], destination: str) -> dict[str, Delivery]:
    """Return the deliveries with the last offer to one destination ended by its receiver (R-REF)."""
    return {**before, destination: replace(before[destination], ended=True)}
