"""Which parked records a person means: by id, or by what they have in common, and never all of them by mistake."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from signal_exchange.domain.times import AMSTERDAM
from signal_exchange.runtime.faults import Refused

Record = Mapping[str, Any]
SHOWN = 5
"""Records that are shown of those that are meant."""
MOMENTS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]

Ids = Annotated[list[str] | None, typer.Argument(metavar="[PARKED_ID]...", help="Ids, as `parked list` shows them.")]
OfService = Annotated[str | None, typer.Option("--service", help="Only what this service parked.")]
ParkedAs = Annotated[str | None, typer.Option("--parked-as", help="Only what was parked for this reason, as UNKNOWN_CODE.")]
OfSender = Annotated[str | None, typer.Option("--sender", help="Only of this municipality, as GM0983; 'none': of nobody.")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=MOMENTS, help="Only what came in from then on; Amsterdam time unless said.")
]
Until = Annotated[datetime | None, typer.Option("--until", formats=MOMENTS, help="Only what came in before then.")]
Everything = Annotated[bool, typer.Option("--all", help="Every record that waits, when nothing else says which.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say which and how many, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """What records must have to be meant; what is None says nothing."""

    ids: Sequence[str] = ()
    service: str | None = None
    parked_as: str | None = None
    sender: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> bool:
        """Say whether anything but ids says which records are meant."""
        return any(each is not None for each in (self.service, self.parked_as, self.sender, self.since, self.until))

    def among(self, records: Iterable[Record]) -> list[Record]:
        """Return those that are meant, in their order."""
        return [record for record in records if self._means(record)]

    def _means(self, record: Record) -> bool:
        at = record["parked_at"]
        return (
            (not self.ids or record["parked_id"] in self.ids)
            and self.service in (None, record["service"])
            and self.parked_as in (None, record["reason"])
            and self.sender in (None, record["municipality"] or NOBODY)
            and (self.since is None or at >= _aware(self.since))
            and (self.until is None or at < _aware(self.until))
        )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)


def require_a_choice(choice: Choice, *, everything: bool) -> None:
    """See to it that nobody decides about every record without saying so.

    Raises:
        Refused: nothing says which records are meant.
    """
    if not (choice.ids or choice.filters or everything):
        raise Refused("Noem welke records: een of meer id's, een filter zoals --parked-as of --sender, of --all.")


def told(chosen: Sequence[Record]) -> dict[str, Any]:
    """Return how many records are meant, by service and reason, and the first of them."""
    counted = Counter((record["service"], record["reason"]) for record in chosen)
    by = [{"service": service, "reason": reason, "count": count} for (service, reason), count in sorted(counted.items())]
    return {"count": len(chosen), "by": by, "first": [record["parked_id"] for record in chosen[:SHOWN]]}


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, yes: bool) -> None:
    """Ask a person whether it is meant.

    Raises:
        Refused: nobody is there to ask and nothing says that it is meant.
        Abort: it is not meant.
    """
    if yes:
        return
    if not _terminal():
        raise Refused(f"{question} Zonder terminal: zeg --yes als dit de bedoeling is; --dry-run laat zien wat er zou gebeuren.")
    typer.confirm(question, abort=True, err=True)
