"""The command `signal-exchange demo`."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from signal_exchange.domain.destinations import CODES
from signal_exchange.domain.times import local_day
from signal_exchange.participants.region import SIX
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.runtime import clock
from signal_exchange.runtime.kafka import reader
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.driving import DrivenClock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.holding import empty, held
from signal_exchange_demo.java import BrokerError
from signal_exchange_demo.probing import probes
from signal_exchange_demo.processes import ChildFailedError
from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.running import DemoRun, Input, NotAccountedForError, Result, prepare_input
from signal_exchange_demo.start.page import serving, start_site
from signal_exchange_demo.start.practice import SITES
from signal_exchange_demo.watching import Picture, Watch

app = typer.Typer()
MARK = ".signal-exchange-demo"
"""A file in every folder of the demo; it holds the address of its PostgreSQL, when it has one."""
PENDING = ("GM0907",)
"""Has not acceded: it has keys and no access, so that the demo can show that its signals are parked."""


@app.command("demo")
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop when every signal is accounted for, instead of at Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; everything else goes to stderr.")] = False,
    signals: Annotated[int, typer.Option(min=1, help="Signals of the synthetic region, besides the six examples.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic region; the same seed gives the same region.")] = 1,
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder for everything that the demo makes; it is emptied at the start.")
    ] = Path("var/demo"),
    keep: Annotated[bool, typer.Option("--keep", help="Go on with what the folder holds, and publish nothing new.")] = False,
    drive: Annotated[
        bool, typer.Option("--drive", help="Then let people act and four weeks pass on a driven clock, and judge again.")
    ] = False,
    database_url: Annotated[
        str,
        typer.Option(
            help="Keep the stores in PostgreSQL instead of in files, in databases beside this one, which are made and emptied: "
            "postgresql+psycopg://USER@HOST/DATABASE?passfile=FILE. No password in it."
        ),
    ] = "",
) -> None:
    """Run the whole exchange on this machine, with a synthetic region in which nobody is real.

    Exit code 0 when nothing was lost and everything went where an independent second implementation of the rules says it should.
    """
    console = Console(stderr=as_json or once, highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the shell had the first one ignored, as in the background
        signal.signal(number, signal.default_int_handler)
    try:
        place = _kept(folder, database_url) if keep else _usable(folder)
        with held(place):
            if not keep:
                _emptied(place, database_url)
            result = _run(place, console, None if keep else (signals, seed), stay=not once, drive=drive)
    except ChildFailedError as failure:
        raise DemoError(f"{failure} Nothing that was published is lost: `demo --keep` goes on with it.") from None
    except (BrokerError, NotAccountedForError) as failure:
        raise DemoError(str(failure)) from None
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        raise typer.Exit(130) from None
    if once:
        typer.echo(json.dumps(result.as_json(), indent=2) if as_json else _as_text(result))
    raise typer.Exit(0 if result.as_expected else 1)


def _kept(folder: Path, address: str) -> Path:
    mark = folder / MARK
    if not mark.exists():
        raise DemoError(f"{folder} holds nothing of the demo to go on with.")
    if address and address != mark.read_text(encoding="utf-8"):
        raise DemoError("The stores of this demo are elsewhere: leave --database-url out, and it goes on with them.")
    return folder.resolve()


def _usable(folder: Path) -> Path:
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DemoError(f"{folder} was not made by the demo and is not empty: choose another folder with --dir.")
    return folder


def _emptied(folder: Path, address: str) -> None:
    if address:
        Databases(address).clear()
    empty(folder)
    (folder / MARK).write_text(address, encoding="utf-8")


def _databases(folder: Path) -> Databases | None:
    address = (folder / MARK).read_text(encoding="utf-8")
    return Databases(address) if address else None


def _run(folder: Path, console: Console, size: tuple[int, int] | None, *, stay: bool, drive: bool) -> Result:
    driven = DrivenClock(folder) if drive or (folder / "clock").exists() else None
    today = local_day(clock.now())
    given = _input(folder, console, *size, today) if size else None
    parts: dict[str, Any] = {
        "sites": SITES,
        "databases": _databases(folder),
        "told": console.print,
        "settings": _lists(folder),
        "driven": driven,
    }
    with Exchange(folder, today, municipalities=(*SIX, *PENDING), **parts) as exchange, _start_page(exchange, console):
        with (
            reader(exchange.connection("oversight"), "signal-trace") as trace,
            Live(console=console, refresh_per_second=4) as live,
        ):
            run = DemoRun(exchange, Watch(trace), today, lambda picture: live.update(_picture(picture)))
            result = run.run(given) if given else run.wait()
        if stay:
            _stay(exchange, result, console)
    return result


@contextmanager
def _start_page(exchange: Exchange, console: Console) -> Iterator[None]:
    """Serve the start page, and tell its address."""
    practice, processes = exchange.practice, exchange.processes.children.values()
    if practice is None:
        yield
        return
    with serving(
        start_site(practice, lambda: (sum(each.is_ready() for each in processes), len(processes))), practice.ports["start"]
    ):
        console.print(f"Screens: {practice.start}/ (practice: everything there is invented, and this computer alone reaches it)")
        yield


def _input(folder: Path, console: Console, signals: int, seed: int, today: date) -> Input:
    console.print(f"Synthetic region: {signals} signals, seed {seed}; nobody in it is real.")
    return prepare_input(folder / "input", seed, signals, today, probes())


def _lists(folder: Path) -> dict[str, str]:
    """Let every municipality bar what everybody in the region knows (R-LINK-07)."""
    listed = folder / "input" / "barred_values.csv"
    return {"SIGNAL_EXCHANGE_BARRED_VALUES_FILE": str(listed)} if listed.exists() else {}


def _stay(exchange: Exchange, result: Result, console: Console) -> None:
    console.print(_as_text(result))
    console.print(_guide(exchange), soft_wrap=True)
    while True:
        exchange.processes.check()
        time.sleep(1)


LABELS = {
    "in_flight": "onderweg",
    "routed": "gerouteerd",
    "superseded": "vervangen door nieuwe versie",
    "repeat": "herhaling",
    "parked": "geparkeerd",
    "discarded": "weggelegd",
    "withdrawn": "ingetrokken",
    "erased": "vernietigd",
}
"""What the ledger's entries are called on the screen."""
RECEIVERS = {"CARE_COORDINATOR": "zorgcoördinator of jeugdroute", "CHAIR_ALERT": "spoedmelding aan de ketenregisseur"}
"""What the screen calls a destination where it says more than the code list."""


def _picture(picture: Picture) -> Group:
    ledger = picture.ledger
    numbers = Table("grootboek: elk nummer staat op precies één plaats", "nummers", box=SIMPLE)
    numbers.add_row("verzonden volgens de gemeenten", str(ledger.sent), style="bold")
    for verdict, label in LABELS.items():
        if ledger.counts[verdict] or verdict in ("in_flight", "routed"):
            numbers.add_row(f"  {label}", str(ledger.counts[verdict]))
    numbers.add_row("afzender niet zeker, telt bij niemand", str(ledger.unattributed))
    effects = Counter((destination, effect) for (_, _, destination), effect in picture.effects.items())
    routes = Table("besluiten van de regels", "wel", "niet", box=SIMPLE)
    for destination in CODES:
        label = RECEIVERS.get(destination) or load_code_lists().label_nl("route_destination", destination)
        routes.add_row(label, str(effects[destination, "SEND"]), str(effects[destination, "DENY"]))
    return Group(numbers, routes)


def _as_text(result: Result) -> str:
    figures = result.as_json()
    judged = ", and everything went where the rules say" if result.judged else ""
    verdict = f"Nothing was lost{judged}." if result.as_expected else "NOT as it should be."
    lines = [verdict, *(f"  {name}: {value}" for name, value in figures.items() if name not in ("differences", "numbers"))]
    return "\n".join([*lines, *(f"  difference: {each}" for each in result.differences[:20])])


def _short(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _guide(exchange: Exchange) -> str:
    command, folder = ".venv/bin/signal-exchange -e", _short(exchange.folder)
    return "\n".join([
        *([f"Screens, with everybody one can be: {exchange.practice.start}/"] if exchange.practice else []),
        "The exchange stays up until Ctrl-C. In another terminal, for example:",
        f"  {command} {folder}/worklist/env worklist list",
        f"  {command} {folder}/agenda/env agenda list",
        f"  {command} {folder}/oversight/env ledger conservation",
        f"  {command} {folder}/statistics/env statistics list",
        f"  {command} {folder}/municipality-gm0983/env trace VEN-2026-0311",
    ])  # fmt: skip
