"""Expected readers of a signal, and the moments by which they look, by the default rules of the region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.meetings.dates import meeting_of, week_for
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.referrals.clocks import decide_by
from signal_exchange.domain.rules.facts import facts_of
from signal_exchange.domain.rules.routing import Route, routes_for, unassigned
from signal_exchange.domain.times import local_day
from signal_exchange.reference.loading import load_default_ruleset, load_equated_days


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected course of a signal: the way to each destination, and the moments at which somebody looks.

    `alerted` says that the chain director is told at once, `youth` that care goes by the youth route, `own_by` is by which day
    its own officer looks again where it goes neither to care nor to the agenda (R-ROUTE-11).
    """

    routes: tuple[Route, ...]
    alerted: bool
    youth: bool
    care_by: datetime | None
    meeting_at: datetime | None
    own_by: date | None


def expected(signal: Mapping[str, object], at: datetime) -> Expected:
    """Return the expected course of a coded signal that is published at a moment."""
    calendar, facts = WorkingCalendar(load_equated_days(), policy=Policy()), facts_of(signal)
    rules = load_default_ruleset()
    routes = routes_for(signal, facts, rules, local_day(at))
    sent = {each.destination: each.deliver_as for each in routes if each.effect == "SEND"}
    owner = unassigned(routes, rules)
    return Expected(
        routes,
        "CHAIR_ALERT" in sent,
        sent.get("CARE_COORDINATOR") == "YOUTH_ROUTE",
        decide_by(facts.urgency, at, calendar) if "CARE_COORDINATOR" in sent else None,
        meeting_of(week_for(at, calendar), calendar) if "SCREENING_AGENDA" in sent else None,
        calendar.add_working_days(local_day(at), owner.next_wd) if owner else None,
    )
