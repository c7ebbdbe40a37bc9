"""The second act of the demo: people link, help, decide and undo, and wait out a re-screen on the driven clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.rules.routing import rescreen_due_from
from signal_exchange.domain.times import local_day
from signal_exchange.reference.loading import load_equated_days
from signal_exchange.runtime import clock
from signal_exchange_demo.driving import DrivenClock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.probing import ALONE, MIXED, TIP, WEAK
from signal_exchange_demo.region.model import Arrival
from signal_exchange_demo.watching import states_until_now

BY = ("--by", "demo")
AWAIT_SECONDS = 120.0
"""How long an act may take to show its effect in what routing decided."""
LOOK_SECONDS = 0.5
_DECIDED = ("--decision", "NO_TRAFFICKING", "--motivation", "Verzonnen besluit.", "--seat", "POLICE_AVIM", *BY)


class CannotActError(Exception):
    """A command of the second act was refused, or what it waits for stayed away."""


@dataclass(frozen=True, slots=True)
class SecondAct:
    """The second act on an exchange at rest. `ids` are the signals by their own references; `rest` waits until all rests."""

    exchange: Exchange
    driven: DrivenClock
    ids: Mapping[str, str]
    rest: Callable[[], object]

    def play(self, changed: Arrival, folder: Path) -> None:
        """Confirm a link, help, decide, undo the link, wait out the re-screens, decide on one, and publish its next version.

        Raises:
            CannotActError: a command was refused, or what it should bring about stayed away.
        """
        self._link("confirm")
        self._await("the confirmed link", lambda: self._rule_of(TIP) == "A40")
        self._help()
        self._decide(WEAK, TIP)
        self._link("undo")
        self._await("the undone link", lambda: self._rule_of(TIP) == "A10")
        self._wait_out_rescreens()
        self._decide(ALONE)
        self._publish(changed, folder)
        self.rest()

    def _help(self) -> None:
        weak, today = self.ids[WEAK], local_day(clock.now())
        self._command("worklist", "worklist", "accept", weak, "--planned", today.isoformat(), *BY)
        self._command("worklist", "worklist", "in-care", weak, "--first-contact", today.isoformat(), *BY)
        self._command("worklist", "worklist", "complete", weak, "--result", "CARE_STARTED_COMPLETED", *BY)
        self._command("worklist", "worklist", "reject", self.ids[MIXED], "--reason", "INSUFFICIENT_DATA", *BY)
        care = "CARE_COORDINATOR"
        self._await("the end of care", lambda: all(self._delivery(name, care)["ended"] for name in (WEAK, MIXED)))

    def _decide(self, *names: str) -> None:
        """Decide on the first, and with it on the others of its cluster."""
        self._command("agenda", "agenda", "decide", self.ids[names[0]], *_DECIDED)
        self._await("the decision", lambda: all(self._accepted()[self.ids[name]]["screened"] for name in names))

    def _link(self, act: str) -> None:
        self._command("agenda", "agenda", "links", act, self._shared_link(), *BY)

    def _shared_link(self) -> str:
        pair = {self.ids[WEAK], self.ids[TIP]}
        links = json.loads(self._command("agenda", "agenda", "links", "--json"))
        found = [each["link_id"] for each in links if {each["signal_a"], each["signal_b"]} == pair]
        if not found:
            raise CannotActError("Two signals that share a telephone number are not linked.")
        return str(found[0])

    def _wait_out_rescreens(self) -> None:
        self.rest()  # nothing may be under way while the clock jumps
        first = max(each["first_published_at"] for each in self._accepted().values())
        due = rescreen_due_from(first, WorkingCalendar(load_equated_days()))
        self.driven.drive(due + timedelta(hours=1))
        self._await("the re-screen", lambda: self._rule_of(ALONE) == "A50")

    def _publish(self, changed: Arrival, folder: Path) -> None:
        code, file = changed.key.municipality, folder / "next-version.jsonl"
        file.write_text(json.dumps(changed.record, ensure_ascii=False) + "\n", encoding="utf-8")
        self._command(municipality_principal(code), "publish", str(file), "--municipality", code, "--yes", "--json")
        self._await("the next version", lambda: self._accepted()[self.ids[ALONE]]["version"] == changed.version)

    def _await(self, what: str, come: Callable[[], bool]) -> None:
        until = time.monotonic() + AWAIT_SECONDS
        while not come():
            if time.monotonic() > until:
                raise CannotActError(f"Second act: {what} has no effect after {AWAIT_SECONDS:.0f} s.")
            time.sleep(LOOK_SECONDS)

    def _accepted(self) -> dict[str, dict[str, Any]]:
        return states_until_now(self.exchange.admin, "accepted")

    def _delivery(self, name: str, destination: str) -> dict[str, Any]:
        deliveries = self._accepted()[self.ids[name]]["deliveries"]
        return next(each for each in deliveries if each["destination"] == destination)

    def _rule_of(self, name: str) -> str:
        return str(self._delivery(name, "SCREENING_AGENDA")["rule_id"])

    def _command(self, process: str, *command: str) -> str:
        said = self.exchange.command(process, *command)
        if said.returncode:
            raise CannotActError(f"`{' '.join(command[:3])}` was refused: {said.stderr.strip()[-300:]}")
        return said.stdout
