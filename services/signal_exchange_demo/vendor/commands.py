"""The command that watches another vendor's client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from signal_exchange.domain.ids import NotAnIdError, parse_municipality_code
from signal_exchange.runtime import clock
from signal_exchange.runtime.kafka import read_to_end
from signal_exchange.stream.messages import Incoming
from signal_exchange_demo.vendor.judging import STEPS, Judge, Judged
from signal_exchange_demo.vendor.watching import Answers, Demo, Said, answers_in, concerns, followed, in_order, polled

app = typer.Typer(no_args_is_help=True, help="For who builds a client of its own (schemas/WRITING.md).")
WAIT_SECONDS = 10.0
"""How long an answer of the exchange is waited for before a record is shown without one."""
QUIET_SECONDS = 2.0
HEARD = "hear what became of a signal"


@app.callback()
def _group() -> None:
    """Keep `check` a command of its own name."""


@app.command()
def check(
    *,
    municipality: Annotated[
        str, typer.Option("--municipality", help="CBS code of the municipality whose client it is, as GM0907.")
    ],
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the demo.")] = Path("var/demo"),
    once: Annotated[
        bool, typer.Option("--once", help="Judge what is there now and stop; exit code 1 when something is wrong.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each record, and one for the steps at the end.")
    ] = False,
) -> None:
    """Watch what a vendor's client sends to the demo, and say step by step what is right or wrong with it; until Ctrl-C."""
    try:
        demo = Demo(folder, parse_municipality_code(municipality))
    except NotAnIdError as fault:
        raise typer.BadParameter(str(fault)) from None
    session = Session(demo, demo.judge(), as_json=as_json)
    session.begin()
    try:
        session.follow(once=once)
    except KeyboardInterrupt:
        session.show(session.waiting)
    session.end()
    raise typer.Exit(0 if session.right else 1)


@dataclass(slots=True)
class Session:
    """One watch: records that were judged, and wait until the exchange has said something of them."""

    demo: Demo
    judging: Judge
    as_json: bool
    answers: Answers = field(default_factory=Answers)
    waiting: list[Judged] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    right: bool = True

    def begin(self) -> None:
        """Name the watched municipality."""
        if not self.as_json:
            typer.echo(
                f"Watching what {self.demo.municipality} sends to the demo in {self.demo.folder}. Ctrl-C stops and sums up."
            )

    def follow(self, *, once: bool) -> None:
        """Take in record after record; `once`: until nothing new comes and all was answered, or waited for."""
        with followed(self.demo) as (records, answers):
            self._take(in_order(read_to_end(records)))
            quiet_since = time.monotonic()
            while not once or time.monotonic() - quiet_since < (WAIT_SECONDS if self.waiting else QUIET_SECONDS):
                came = list(polled(records))
                self._take(came)
                for fields in answers_in(answers):
                    self.answers.add(fields)
                self.show([each for each in self.waiting if self._is_settled(each)])
                quiet_since = time.monotonic() if came else quiet_since
        self.show(self.waiting)

    def _take(self, came: Iterable[Incoming]) -> None:
        self.waiting += [self.judging.judge(each) for each in came if self._concerns(each)]

    def _concerns(self, incoming: Incoming) -> bool:
        return concerns(incoming, self.demo.municipality, self.judging.opener.register)

    def _is_settled(self, judged: Judged) -> bool:
        waited = (clock.now() - judged.incoming.appended_at).total_seconds()
        return self.answers.of(judged) is not None or waited > WAIT_SECONDS

    def show(self, judged: list[Judged]) -> None:
        """Show records with what the exchange said of each."""
        for each in list(judged):
            self.waiting.remove(each)
            said = self.answers.of(each)
            good = each.right and (said is None or said.reason is None)
            self.right = self.right and good
            if good and each.step is not None:
                self.steps.add(each.step)
            typer.echo(json.dumps(as_fields(each, said)) if self.as_json else "\n".join(lines_of(each, said)))

    def end(self) -> None:
        """Sum up which steps of the way were seen without a fault, and which were not seen yet."""
        seen = {text: step in self.steps for step, text in STEPS.items()} | {HEARD: self.demo.has_heard()}
        missing = self.judging.missing()
        self.right = self.right and not missing
        if self.as_json:
            typer.echo(json.dumps({"steps": seen, "missing": missing, "right": self.right}))
            return
        typer.echo("\nThe way of a signal:")
        typer.echo("\n".join(f"  {'right' if good else 'not seen':9} {text}" for text, good in seen.items()))
        typer.echo("".join(f"  WRONG     {each}\n" for each in missing), nl=False)


def as_fields(judged: Judged, said: Said | None) -> dict[str, Any]:
    """Return a record as JSON: where it stands, what is wrong by section, and what the exchange said."""
    incoming = judged.incoming
    return {
        "place": f"{incoming.topic}/{incoming.partition}@{incoming.offset}",
        "at": incoming.appended_at.isoformat(),
        "record": judged.record,
        "sequence": judged.fields["envelope"]["sequence"] if judged.record else None,
        "right": judged.right,
        "findings": {finding.section: list(finding.wrong) for finding in judged.findings},
        "exchange": None if said is None else {"verdict": said.verdict, "reason": said.reason, "errors": list(said.errors)},
    }


def lines_of(judged: Judged, said: Said | None) -> Iterator[str]:
    """Yield a record as lines for a person: first what it is, then what is right, what is wrong, and what the exchange said."""
    fields = as_fields(judged, said)
    number = f", number {fields['sequence']}" if judged.record and judged.record != "Checkpoint" else ""
    yield f"\n{judged.record or 'no record'}{number}  ({fields['place']}, {judged.incoming.appended_at:%H:%M:%S} UTC)"
    good = [finding.section for finding in judged.findings if not finding.wrong]
    if good:
        yield f"  right   sections {', '.join(good)}"
    for finding in judged.findings:
        yield from (f"  WRONG   section {finding.section}: {wrong}" for wrong in finding.wrong)
    if said is None:
        yield "  the exchange has not said anything of it yet"
    elif said.reason is None:
        yield f"  the exchange: {said.verdict}"
    else:
        yield f"  the exchange: {said.verdict} as {said.reason} ({'; '.join(said.errors)})"
