"""The commands of a municipality's node: publish, trace, withdraw, outbox."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from signal_exchange.municipality import printing
from signal_exchange.municipality.cases import Result
from signal_exchange.municipality.csv_format import COLUMNS
from signal_exchange.municipality.ending_rejects import end_old_rejects, noted
from signal_exchange.municipality.importing import Source, source_of
from signal_exchange.municipality.node import Node, node_of
from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.rejects import RejectFile, reject_path
from signal_exchange.municipality.relay import Relay, RelayLoop
from signal_exchange.municipality.stopping import Stopping
from signal_exchange.municipality.store import Erased
from signal_exchange.municipality.tally import Tally
from signal_exchange.municipality.threads import Worker
from signal_exchange.municipality.unreadable import UnreadableFile
from signal_exchange.municipality.withdrawing import Withdrawn
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.faults import Refused, WorldUnavailable
from signal_exchange.runtime.refusals import refuse_sample_settings
from signal_exchange.runtime.settings import PREFIX, MunicipalitySettings
from signal_exchange.stream.commands import AsJson, By, show_json, show_rows

WAIT_SECONDS: Final = 10.0
"""How long a command waits until the broker acknowledged what it left in the outbox."""
DELIVERY_SECONDS: Final = 5.0
RELAY_SECONDS: Final = 0.1


def _list_columns(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option
    if wanted:
        typer.echo("\n".join(COLUMNS))
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, help="Signals of one municipality.")
certificates_app = typer.Typer(no_args_is_help=True, help="Bewijs van vernietiging.")
Reference = Annotated[str, typer.Argument(help="The signal's own reference, or its id.")]
ListColumns = Annotated[
    bool, typer.Option("--csv-columns", callback=_list_columns, is_eager=True, help="List the columns of a CSV, and end.")
]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a file is to be published: what was withdrawn too, changes without asking or after asking, as CSV."""

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
    node = node_from_settings(municipality)
    end_old_rejects(node.settings.data_dir, clock.now())
    tally = Tally(as_json=as_json)
    wishes = Wishes(again=again, yes=yes, is_csv=csv, may_ask=not as_json and _is_at_a_terminal(file))
    try:
        _publish_file(node, file, rejects, wishes, tally)
    except UnreadableFile as fault:
        tally.unreadable(fault)
    except KeyboardInterrupt:
        tally.is_interrupted = True
    except (WorldUnavailable, Refused):
        if tally.rows:
            tally.show(None, _rows_in(file, wishes))
        raise
    with node.database.reading() as connection:
        waiting = Outbox(connection).unsent()
    tally.show(waiting, _rows_in(file, wishes) if tally.is_interrupted else None)
    raise typer.Exit(tally.exit_code)


@app.command()
def trace(reference: Reference, *, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Tell where a signal is, which rule sent it there, and what came back."""
    found = node_from_settings(municipality).tracer().trace(reference)
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
    node = node_from_settings(municipality)
    withdrawn = node.withdrawer().withdraw(reference, reason, clock.now())
    if not withdrawn.already:
        with relaying(node) as relay:
            await_sent(relay)
    if as_json:
        show_json(asdict(withdrawn))
    else:
        typer.echo(_withdrawn_text(withdrawn))


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
    node = node_from_settings(municipality)
    if not yes:
        typer.confirm("Dit signaal wordt overal vernietigd en is niet terug te halen. Doorgaan?", abort=True)
    erased = node.eraser().erase(reference, by, clock.now())
    if erased.left:
        with relaying(node) as relay:
            await_sent(relay)
    if as_json:
        show_json(asdict(erased))
    else:
        typer.echo(_erased_text(erased))
        if node.eraser().still_owes_bytes():
            typer.echo("De opslag wordt nog gelezen: het draaiende knooppunt haalt de laatste bytes weg zodra dat kan.")


@app.command()
def outbox(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what the exchange has not confirmed yet."""
    with node_from_settings(municipality).database.reading() as connection:
        rows = [asdict(row) for row in Outbox(connection).waiting()]
    if as_json:
        show_json([{**row, "recorded_at": _iso(row["recorded_at"]), "sent_at": _iso(row["sent_at"])} for row in rows])
    else:
        show_rows(rows, printing.OUTBOX_COLUMNS, empty="De uitbak is leeg: alles is ontvangen.")


def _publish_file(node: Node, file: str, rejects: Path | None, wishes: Wishes, tally: Tally) -> None:
    with _opened(file) as stream, Stopping(_tell_stopping) as stopping:
        source = source_of(stream, is_csv=wishes.is_csv)
        path = reject_path(file, rejects, source.header)
        size = 0 if file == "-" else Path(file).stat().st_size
        with noted(node.settings.data_dir, path, clock.now), RejectFile(path, source, size) as tally.rejects:
            _publish_lines(node, source, wishes, tally, stopping)
            tally.is_interrupted = stopping.asked
            if not stopping.asked:
                tally.rejects.finish()


def _publish_lines(node: Node, source: Source, wishes: Wishes, tally: Tally, stopping: Stopping) -> None:
    """Publish what may go, and then what changes a signal, as far as that is meant."""
    held: list[Result] = []
    with node.publishing() as ordinary, relaying(node) as relay:
        publisher = replace(ordinary, again=wishes.again)
        results = publisher.publish(stopping.lines(source.lines), changes=wishes.yes)
        for result in with_progress(results, source.stream):
            if result.asks:
                held.append(result)
            else:
                tally.take(result)
        meant = [result for result in held if wishes.may_ask and stopping.confirmed(printing.change_question(result))]
        for result in publisher.publish(result.line for result in meant):
            tally.take(result)
        confirmed = set(map(id, meant))
        for result in held:
            if id(result) not in confirmed:
                tally.take(result)
        await_sent(relay)


def _tell_stopping() -> None:
    typer.echo("Onderbroken: wat in behandeling is, wordt afgemaakt.", err=True)


def _is_at_a_terminal(file: str) -> bool:
    return file != "-" and sys.stdin.isatty() and sys.stderr.isatty()


def _rows_in(file: str, wishes: Wishes) -> int | None:
    """Return how many rows a file has; None when it cannot be read again."""
    try:
        with _opened(file) as stream:
            return None if file == "-" else sum(1 for _ in source_of(stream, is_csv=wishes.is_csv).lines)
    except Refused:
        return None


def municipality_settings(code: str | None) -> MunicipalitySettings:
    """Return the settings of this node, from the environment.

    Raises:
        Refused: a setting is missing or wrong, which is named and never shown, or the node is of another municipality.
    """
    try:
        settings = MunicipalitySettings()
    except ValidationError as fault:
        names = sorted(PREFIX + str(each["loc"][0]).upper() for each in fault.errors())
        raise Refused(f"Deze instellingen ontbreken of kloppen niet: {', '.join(names)}.") from None
    if code is not None and code != settings.municipality:
        raise Refused(f"Dit knooppunt is van {settings.municipality} en van geen andere gemeente.")
    clock.follow(settings.clock_file)
    return settings


def node_from_settings(code: str | None) -> Node:
    """Return the node of these settings, for a command.

    Raises:
        Refused: as for `municipality_settings`, or a setting is only good for a demo.
    """
    settings = municipality_settings(code)
    refuse_sample_settings(settings)
    logs.configure("municipality", "WARNING")
    return node_of(settings)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise Refused(f"Het bestand kan niet worden gelezen: {error.strerror}.") from None
        yield stream


@contextmanager
def relaying(node: Node) -> Iterator[Relay]:
    """Relay beside the command; the running node may relay at the same time."""
    relay = node.relay(DELIVERY_SECONDS)
    loop = RelayLoop(relay, relay_seconds=RELAY_SECONDS, checkpoint_seconds=node.settings.checkpoint_seconds)
    with Worker("relay", loop.run) as worker:
        yield relay
    if worker.error is not None:
        raise worker.error


def await_sent(relay: Relay) -> None:
    """Wait until the broker acknowledged everything in the outbox, or took nothing of it for a while.

    A file of many records takes minutes, since Kafka lets a member write so many bytes a second (docs/decisions/0022).
    """
    left, until = relay.unsent(), time.monotonic() + WAIT_SECONDS
    while left and time.monotonic() < until:
        time.sleep(RELAY_SECONDS)
        now = relay.unsent()
        if now < left:
            left, until = now, time.monotonic() + WAIT_SECONDS


def with_progress(results: Iterable[Result], stream: BinaryIO) -> Iterator[Result]:
    """Pass results on, and show on a terminal how much of the input was read."""
    if not (sys.stderr.isatty() and stream.seekable()):
        yield from results
        return
    place = stream.tell()
    total = stream.seek(0, 2)
    stream.seek(place)
    columns = (TextColumn("publiceren"), BarColumn(), TextColumn("{task.completed} van {task.total} bytes"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("publish", total=total)
        for result in results:
            progress.update(task, completed=stream.tell())
            yield result


def _withdrawn_text(withdrawn: Withdrawn) -> str:
    state = "was al ingetrokken" if withdrawn.already else "is ingetrokken"
    return f"Signaal {withdrawn.signal_id} {state} (versie {withdrawn.version})."


def _erased_text(erased: Erased) -> str:
    if not erased.left:
        return f"Signaal {erased.signal_id} is hier vernietigd; het was nog niet verstuurd."
    proof = f"`signal-exchange certificates show {erased.signal_id}`"
    return f"Signaal {erased.signal_id} is hier vernietigd, en de ontvangers zijn gevraagd dat ook te doen. Het bewijs: {proof}."


@certificates_app.command("list")
def list_certificates(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what was erased and how far each erasure is."""
    rows = node_from_settings(municipality).certificates().all()
    if as_json:
        show_json(rows)
    else:
        show_rows(
            [{**row, "state": printing.ERASURE_STATES[row["state"]]} for row in rows],
            printing.ERASED_COLUMNS,
            empty="Er is nog niets vernietigd.",
        )


@certificates_app.command("show")
def show_certificate(
    signal_id: Annotated[str, typer.Argument(help="Id of the signal; its own reference is erased with it.")],
    *,
    municipality: Municipality = None,
    as_json: AsJson = False,
) -> None:
    """Show who erased what when, and the certificate once the exchange gave it."""
    found = node_from_settings(municipality).certificates().one(signal_id)
    if as_json:
        show_json(found)
    else:
        printing.show_certificate(found)


def _iso(moment: Any) -> str | None:  # noqa: ANN401 - a moment or none
    return moment.isoformat() if moment is not None else None
