"""What changes at each destination when a signal is routed: pure, from the last run and this one (R-ROUTE-05, R-AGENDA-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from signal_exchange.domain.routing import Route
from signal_exchange.domain.rules import CARE_COORDINATOR


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the rules last decided for one destination; the same fields as the Avro record Delivery."""

    destination: str
    effect: str
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

    def as_fields(self) -> dict[str, Any]:
        """Return the fields of the Avro record."""
        return {name: getattr(self, name) for name in _FIELDS}  # dataclasses.asdict copies each value deeply


_FIELDS = tuple(each.name for each in fields(Delivery))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens at one destination: first `retract` the old delivery, if any, then `offer` the new one, if any.

    `is_new` tells an offer from new content of the same offer.
    """

    destination: str
    retract: Delivery | None
    offer: Delivery | None
    now: Delivery
    is_new: bool


def deliveries_of(accepted: Mapping[str, Any] | None) -> dict[str, Delivery]:
    """Return the deliveries of the last run, by destination."""
    return {fields["destination"]: Delivery(**fields) for fields in (accepted or {}).get("deliveries", ())}


def steps(before: Mapping[str, Delivery], routes: Iterable[Route], at: datetime, *, new_version: bool) -> tuple[Step, ...]:
    """Return what happens at each destination, in the order of the routes.

    `at` is the append time of what caused the run; of a due re-screen its computed moment. `new_version` says that this was a
    version, a withdrawal too: only that offers anew what its receiver ended (R-REF).
    """
    return tuple(_step(before.get(route.destination), route, at, new_version=new_version) for route in routes)


def _step(before: Delivery | None, route: Route, at: datetime, *, new_version: bool) -> Step:
    ended = before is not None and before.ended and not new_version
    if before is not None and ended and route.destination == CARE_COORDINATOR and route.effect == "SEND":
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
