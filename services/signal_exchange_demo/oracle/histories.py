"""The histories of signals in time, worked out naively from the rules: versions, links, ends, decisions, re-screens.

One `History` holds some signals. Tell it what happens, in order of time, and look at what stands where. Only R-ROUTE, R-REF and
R-AGENDA-02 speak here: shape, versions and numbers are judged elsewhere, and what is told here is valid.
"""

from dataclasses import dataclass, field
from datetime import datetime

from signal_exchange_demo.oracle.days import AMSTERDAM, deadline
from signal_exchange_demo.oracle.reference import Json, Reference
from signal_exchange_demo.oracle.routes import RESCREEN_AFTER, Route, facts_of, routes_for, routes_withdrawn

CARE, AGENDA = "CARE_COORDINATOR", "SCREENING_AGENDA"
OFFERED_AGAIN_AFTER = {"COMPLETED", "WITHDRAWN", "LAPSED"}
"""End states of a referral after which a new version makes a new one; of REJECTED only the one for lack of data (R-REF)."""


@dataclass
class Place:
    """The place of one signal at one destination. `ended`: the receiver is done with its last offer."""

    route: Route
    due_from: datetime | None = None
    offer: int = 0
    ended: bool = False

    @property
    def sent(self) -> bool:
        """Say whether the destination has it."""
        return self.route["effect"] == "SEND"


@dataclass
class Life:
    """One signal: its latest version, when version 1 came, whether it is open, and whether the meeting decided on it.

    `judged_at` is the event of the last run that changed anything: who keeps the signal has a date from then on (R-ROUTE-11).
    """

    data: Json
    first: datetime
    open: bool = True
    decided: bool = False
    re_screened: bool = False
    judged_at: datetime | None = None
    places: dict[str, Place] = field(default_factory=dict)


@dataclass
class History:
    """Some signals, the clusters that they are in, and every offer and retraction so far.

    `told` lists (signal, destination, OFFERED or RETRACTED, offer, form, rule): an offer that only repeats itself is not in it.
    """

    reference: Reference
    lives: dict[str, Life] = field(default_factory=dict)
    clusters: list[set[str]] = field(default_factory=list)
    told: list[tuple[str, str, str, int, str | None, str | None]] = field(default_factory=list)

    def published(self, signal_id: str, data: Json, at: datetime) -> None:
        """Take a new version of a signal, the first one too."""
        self.passes(at)
        known = self.lives.get(signal_id)
        if known is None:
            self.lives[signal_id] = Life(data, at)
        else:
            known.data, known.open = data, True
        self._judge(signal_id, at, new_version=True)

    def withdrawn(self, signal_id: str, at: datetime) -> None:
        """Close a signal: every destination gets DENY (R-ROUTE-02)."""
        self.passes(at)
        self.lives[signal_id].open = False
        self._judge(signal_id, at, new_version=True)

    def erased(self, signal_id: str, at: datetime) -> None:
        """Forget a signal."""
        self.passes(at)
        del self.lives[signal_id]

    def linked(self, clusters: list[set[str]], at: datetime) -> None:
        """Take over which signals are together: judge all again whose cluster is another one now (R-ROUTE-05)."""
        self.passes(at)
        before = {signal_id: self.together(signal_id) for signal_id in self.lives}
        self.clusters = clusters
        for signal_id in sorted(self.lives):
            if self.lives[signal_id].open and self.together(signal_id) != before[signal_id]:
                self._judge(signal_id, at, new_version=False)

    def care_ended(self, signal_id: str, offer: int, state: str, *, lacks_data: bool, at: datetime) -> None:
        """Hear how an offer to care went on; what ends it for good or for now, and what does not, R-REF says."""
        self.passes(at)
        place = self._place(signal_id, CARE)
        if place is not None and place.offer == offer:
            place.ended |= state in OFFERED_AGAIN_AFTER or (state == "REJECTED" and lacks_data)

    def meeting_said(self, signal_id: str, offer: int, *, decided: bool, at: datetime) -> None:
        """Hear what the meeting did with an item: a deferral decides nothing."""
        self.passes(at)
        if not decided or signal_id not in self.lives:
            return
        self.lives[signal_id].decided = True
        place = self._place(signal_id, AGENDA)
        if place is not None and place.offer == offer:
            place.ended = True

    def passes(self, now: datetime) -> None:
        """Let time pass: a re-screen that is due judges its signal as at 17:00 of its day (R-ROUTE-08, R-AGENDA-02)."""
        for signal_id, life in sorted(self.lives.items()):
            due = self.due(life)
            if life.open and not life.decided and not life.re_screened and now >= due:
                life.re_screened = True
                self._judge(signal_id, due, new_version=False)

    def due(self, life: Life) -> datetime:
        """Give the moment from which a signal's re-screen is due: a new version does not move it."""
        return deadline(life.first.astimezone(AMSTERDAM), RESCREEN_AFTER, self.reference.equated)

    def _place(self, signal_id: str, destination: str) -> Place | None:
        life = self.lives.get(signal_id)
        return life.places.get(destination) if life else None

    def together(self, signal_id: str) -> set[str]:
        """Give the signals of the cluster that one is in, itself included."""
        return next((cluster for cluster in self.clusters if signal_id in cluster), {signal_id})

    def _size(self, signal_id: str) -> int:
        others = self.together(signal_id) - {signal_id}
        return 1 + sum(other in self.lives and self.lives[other].open for other in others)

    def _judge(self, signal_id: str, at: datetime, *, new_version: bool) -> None:
        life, day = self.lives[signal_id], at.astimezone(AMSTERDAM).date()
        due = at >= self.due(life) and not life.decided
        facts = facts_of(life.data, cluster_size=self._size(signal_id), rescreen_due=due)
        routes = routes_for(life.data, facts, day, self.reference) if life.open else routes_withdrawn()
        for destination, route in routes.items():
            before = life.places.get(destination)
            after = self._next(signal_id, destination, before, route, at, new_version=new_version)
            if new_version or before is None or after.route != before.route:
                life.judged_at = at
            life.places[destination] = after

    def _next(
        self, signal_id: str, destination: str, before: Place | None, route: Route, at: datetime, *, new_version: bool
    ) -> Place:
        sends = route["effect"] == "SEND"
        if before is None:
            before = Place({"effect": "DENY", "deliver_as": None, "rule_id": None, "reason": None})
        if before.ended and not new_version and sends and destination == CARE:
            return before  # ended care is offered again by a new version alone
        same = before.sent and sends and before.route["deliver_as"] == route["deliver_as"]
        if before.sent and not same:
            self._tell(signal_id, destination, "RETRACTED", before, route)
        if same and not (before.ended and new_version):
            return Place(route, before.due_from, before.offer, before.ended)
        if not sends:
            return Place(route, None, before.offer, before.ended and not new_version)
        after = Place(route, at, before.offer + 1)
        self._tell(signal_id, destination, "OFFERED", after, route)
        return after

    def _tell(self, signal_id: str, destination: str, what: str, place: Place, by: Route) -> None:
        self.told.append((signal_id, destination, what, place.offer, place.route["deliver_as"], by["rule_id"]))
