"""What changes at each destination when a signal is routed: pure, from the last run and this one (R-ROUTE-05, R-AGENDA-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from signal_exchange.domain.routing import Route


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


def steps(before: Mapping[str, Delivery], routes: Iterable[Route], appended_at: datetime) -> tuple[Step, ...]:
    """Return what happens at each destination, in the order of the routes."""
    return tuple(_step(before.get(route.destination), route, appended_at) for route in routes)


def _step(before: Delivery | None, route: Route, appended_at: datetime) -> Step:
    continues = before is not None and before.sent and not before.ended and before.deliver_as == route.deliver_as
    now = _continued(before, route) if continues and before and route.effect == "SEND" else _anew(before, route, appended_at)
    stays = before is not None and before.sent and now.sent and before.deliver_as == now.deliver_as
    retract = before if before is not None and before.sent and not stays else None
    return Step(route.destination, retract, now if now.sent else None, now, is_new=now.sent and not continues)


def _continued(before: Delivery, route: Route) -> Delivery:
    # due_from is set once, at the first SEND, and repeated until a retraction: a replay gives the same deadlines.
    return _delivery(route, due_from=before.due_from, offer=before.offer)


def _anew(before: Delivery | None, route: Route, appended_at: datetime) -> Delivery:
    offers = before.offer if before else 0
    if route.effect != "SEND":
        return _delivery(route, due_from=None, offer=offers)
    return _delivery(route, due_from=appended_at, offer=offers + 1)


def _delivery(route: Route, *, due_from: datetime | None, offer: int) -> Delivery:
    return Delivery(route.destination, route.effect, route.deliver_as, route.rule_id, route.reason, due_from, offer, ended=False)


def end_offer(before: Mapping[str, Delivery], destination: str) -> dict[str, Delivery]:
    """Return the deliveries with the offer to one destination ended by its receiver: a new version makes a new offer (R-REF)."""
    found = before.get(destination)
    if found is None or not found.sent:
        return dict(before)
    ended = Delivery(**{**found.as_fields(), "ended": True})
    return {**before, destination: ended}
