"""The commands of a municipality's node: publish, trace, withdraw, outbox."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from signal_exchange import words
from signal_exchange.cli.context import AsJson, By, show_json, show_list, tell
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality import printing
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.publishing.csv_format import COLUMNS
from signal_exchange.municipality.publishing.file_publication import FilePublication
from signal_exchange.municipality.publishing.importing import Source, source_of
from signal_exchange.municipality.publishing.reject_file import reject_path
from signal_exchange.municipality.publishing.stopping import Stopping
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.publishing.tally import Tally
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.municipality.store import Erased
from signal_exchange.municipality.telling import ERASURE_STATES
from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.runtime.production_checks import refuse_sample_settings
from signal_exchange.runtime.settings import MunicipalitySettings, loaded

ALL_WELL: Final = 0
SOME_REFUSED: Final = 2
INTERRUPTED: Final = 130


def _list_columns(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option
    if wanted:
        typer.echo("\n".join(COLUMNS))
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, help="Signals of one municipality.")
certificates_app = typer.Typer(no_args_is_help=True, help="Certificates of erasure.")
Reference = Annotated[str, typer.Argument(help="The signal's own reference, or its id.")]
ListColumns = Annotated[
    bool, typer.Option("--csv-columns", callback=_list_columns, is_eager=True, help="List the columns of a CSV, and end.")
]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How a file is to be published: what was withdrawn too, changes without asking or after asking, as CSV."""

    file: str
    rejects: Path | None
    again: bool
    yes: bool
    is_csv: bool
    may_ask: bool


Municipality = Annotated[str | None, typer.Option("--municipality", "-m", help="CBS code as GM0983; another node refuses.")]


@app.command()
def publish(
    file: Annotated[str, typer.Argument(help="CSV, JSON Lines or JSON, which shows by itself; - for standard input.")],
    *,
    municipality: Municipality = None,
    rejects: Annotated[Path | None, typer.Option(help="Where refused rows go; else FILE.rejects.csv or .jsonl.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Publish also what was withdrawn, as its next version.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: what changes a signal or is odd (R-VAL-25) goes.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The input is CSV, whatever it looks like.")] = False,
    as_json: AsJson = False,
    csv_columns: ListColumns = False,  # noqa: ARG001 - its callback ends the command
) -> None:
    """Publish records: good ones go, refused ones are written to a file with field and rule, so that you can mend them.

    Doing it twice publishes nothing twice. A record that changes a signal becomes its next version once you say so. Exit code 0:
    all went well, 2: some were refused, left alone or not read, 130: interrupted, and what was published will be sent.
    """
    wishes = _Wishes(file, rejects, again=again, yes=yes, is_csv=csv, may_ask=not as_json and _is_at_a_terminal(file))
    saying, tally = _Saying(as_json=as_json), Tally()
    with acting(municipality) as actions:
        actions.end_old()
        try:
            _publish_file(actions, wishes, tally, saying)
        except UnreadableFileError as fault:
            tally.fault = fault
        except KeyboardInterrupt:
            tally.is_interrupted = True
        except (WorldUnavailableError, RefusedError):
            if tally.rows:
                saying.summary(tally.summary(None, _rows_in(wishes)))
            raise
        saying.summary(tally.summary(actions.unsent(), _rows_in(wishes) if tally.is_interrupted else None))
    raise typer.Exit(_exit_code(tally))


def _exit_code(tally: Tally) -> int:
    if tally.is_interrupted:
        return INTERRUPTED
    return SOME_REFUSED if tally.counts[Outcome.REFUSED] or tally.fault is not None else ALL_WELL


@dataclass(slots=True)
class _Saying:
    """Prints each result as it comes, or all of them at the end as JSON."""

    as_json: bool
    results: list[dict[str, Any]] = field(default_factory=list)

    def result(self, result: Result) -> None:
        if self.as_json:
            self.results.append(result.to_mapping())
        else:
            typer.echo(printing.result_line(result))

    def summary(self, summary: Mapping[str, Any]) -> None:
        if self.as_json:
            show_json({**summary, "results": self.results})
        else:
            printing.show_summary(summary)


@app.command()
def trace(reference: Reference, *, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Tell where a signal is, which rule sent it there, and what came back."""
    with acting(municipality) as actions:
        found = actions.trace(reference)
    if as_json:
        show_json(found)
    else:
        printing.show_trace(found)


@app.command()
def withdraw(
    reference: Reference,
    reason: Annotated[str, typer.Option(help="Code of withdrawal_reason, as MISTAKE.")],
    *,
    municipality: Municipality = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a signal: every receiver takes it back. Doing it twice withdraws it once."""
    with acting(municipality) as actions:
        withdrawn = actions.withdraw(reference, reason)
        if not withdrawn.already:
            actions.send()
    signal, version = withdrawn.signal_id, withdrawn.version
    said = words.text("node.withdrawn_before" if withdrawn.already else "node.withdrawn", signal=signal, version=version)
    tell(asdict(withdrawn), said, as_json=as_json)


@app.command()
def erase(
    reference: Reference,
    by: By,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
    municipality: Municipality = None,
    as_json: AsJson = False,
) -> None:
    """Erase a signal for good, here and at every receiver. To take it back and keep your own record, use `withdraw`."""
    with acting(municipality) as actions:
        if not yes:
            typer.confirm(words.text("node.ask_erase"), abort=True)
        erased = actions.erase(reference, Person(by))
        if erased.left:
            actions.send()
        owes = actions.still_owes_bytes()
    if as_json:
        show_json(asdict(erased))
        return
    typer.echo(_erased_text(erased))
    if owes:
        typer.echo(words.text("node.bytes_left"))


@app.command()
def outbox(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what the exchange has not confirmed yet."""
    with acting(municipality) as actions:
        rows = [asdict(row) for row in actions.outbox()]
    show_list(rows, printing.OUTBOX_COLUMNS, empty=words.text("node.outbox_empty"), as_json=as_json)


def _publish_file(actions: MunicipalityActions, wishes: _Wishes, tally: Tally, saying: _Saying) -> None:
    with _opened(wishes.file) as stream, Stopping(lambda: typer.echo(words.text("node.stopping"), err=True)) as stopping:
        source = source_of(stream, is_csv=wishes.is_csv)
        path = reject_path(wishes.file, wishes.rejects, source.header)
        size = 0 if wishes.file == "-" else Path(wishes.file).stat().st_size
        with actions.publication(source, path, tally, input_bytes=size, again=wishes.again) as publication:
            with actions.sending():
                _publish_lines(publication, source, wishes, stopping, saying)
            tally.is_interrupted = stopping.asked
            if not stopping.asked:
                publication.rejects.finish()


def _publish_lines(publication: FilePublication, source: Source, wishes: _Wishes, stopping: Stopping, saying: _Saying) -> None:
    """Publish what may go, and then what changes a signal, as far as that is meant."""
    results = publication.results(stopping.lines(source.lines), changes=wishes.yes)
    for result in with_progress(results, source.stream):
        if not result.asks:
            saying.result(result)
    asking = publication.asking if wishes.may_ask else []
    meant = [result for result in asking if stopping.confirmed(partial(_confirmed, result))]
    for result in publication.settle(meant):
        saying.result(result)


def _confirmed(result: Result) -> bool:
    try:
        return typer.confirm(printing.change_question(result), err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None


def _is_at_a_terminal(file: str) -> bool:
    return file != "-" and sys.stdin.isatty() and sys.stderr.isatty()


def _rows_in(wishes: _Wishes) -> int | None:
    """Return the number of rows of a file; None when it cannot be read again."""
    try:
        with _opened(wishes.file) as stream:
            return None if wishes.file == "-" else sum(1 for _ in source_of(stream, is_csv=wishes.is_csv).lines)
    except RefusedError:
        return None


def municipality_settings(code: str | None) -> MunicipalitySettings:
    """Return the settings of this node, from the environment.

    Raises:
        RefusedError: a setting is missing or wrong, which is named and never shown, or the node is of another municipality.
    """
    settings = loaded(MunicipalitySettings)
    if code is not None and code != settings.municipality:
        raise RefusedError("NODE_OF_ANOTHER_MUNICIPALITY", municipality=settings.municipality)
    return settings


@contextmanager
def acting(code: str | None) -> Iterator[MunicipalityActions]:
    """Open the actions of the node of these settings, for one command.

    Raises:
        RefusedError: as for `municipality_settings`, or a setting is only good for a demo.
    """
    settings = municipality_settings(code)
    refuse_sample_settings(settings)
    logs.configure("municipality", "WARNING", commands_in=settings.data_dir)
    with MunicipalityActions.opened(settings) as actions:
        yield actions


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise RefusedError("INPUT_UNREADABLE", fault=error.strerror) from None
        yield stream


def with_progress(results: Iterable[Result], stream: BinaryIO) -> Iterator[Result]:
    """Pass results on, and show on a terminal how much of the input was read."""
    if not (sys.stderr.isatty() and stream.seekable()):
        yield from results
        return
    place = stream.tell()
    total = stream.seek(0, 2)
    stream.seek(place)
    done = f"{{task.completed}} {words.text('node.of')} {{task.total}} bytes"
    columns = (TextColumn(words.text("node.publishing")), BarColumn(), TextColumn(done), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("publish", total=total)
        for result in results:
            progress.update(task, completed=stream.tell())
            yield result


def _erased_text(erased: Erased) -> str:
    if not erased.left:
        return words.text("node.erased_here", signal=erased.signal_id)
    return words.text("node.erased", signal=erased.signal_id, proof=f"`signal-exchange certificates show {erased.signal_id}`")


@certificates_app.command("list")
def list_certificates(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what was erased and how far each erasure is."""
    with acting(municipality) as actions:
        rows = actions.certificates()
    shown = [{**row, "state": printing.named(ERASURE_STATES, row["state"])} for row in rows]
    show_list(shown, printing.ERASED_COLUMNS, value=rows, empty=words.text("node.nothing_erased"), as_json=as_json)


@certificates_app.command("show")
def show_certificate(
    signal_id: Annotated[str, typer.Argument(help="Id of the signal; its own reference is erased with it.")],
    *,
    municipality: Municipality = None,
    as_json: AsJson = False,
) -> None:
    """Show one erasure with its moment and person, and the certificate once the exchange gave it."""
    with acting(municipality) as actions:
        found = actions.certificate(signal_id)
    if as_json:
        show_json(found)
    else:
        printing.show_certificate(found)
