"""What an operator of a keeper does: serve, make and destroy epoch keys, let a municipality ask more for a while."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.register import Register
from signal_exchange.pseudonyms.api import create_app
from signal_exchange.pseudonyms.keeper import Keeper
from signal_exchange.pseudonyms.keys import (
    Bearers,
    HeldKey,
    digest_of,
    read_bearers,
    read_keys,
    write_digests,
    write_keys,
    write_secret,
)
from signal_exchange.pseudonyms.store import TABLES, CounterStore, Quota, QuotaRaise
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.runtime.live_file import LiveFile
from signal_exchange.runtime.refusals import is_loopback, refuse_sample_settings
from signal_exchange.runtime.settings import KeeperSettings, loaded
from signal_exchange.stream.identity import register_of

app = typer.Typer(no_args_is_help=True, help="A keeper of the link tokens.")
Code = Annotated[MunicipalityCode, typer.Argument(parser=parse_municipality_code, help="CBS code, as GM0983.")]
TOKEN_BYTES = 32
OVERLAP_DAYS = 30
"""How long a keeper still evaluates with the key of the epoch before: R-VAL-14 accepts its tokens that long."""


def keeper_of(settings: KeeperSettings) -> Keeper:
    """Return the keeper of these settings.

    Raises:
        Refused: a file cannot be read as what it should hold, others may read the keys, or a key is not the one that the
            participants' register names: every municipality would refuse its proofs. Or that register is older than one seen.
    """
    keys, database = read_keys(settings.keys_file), _database(settings)
    _require_registered(keys, settings.keeper, register_of(settings, database)())
    quota = Quota(settings.requests_per_day, settings.requests_per_month)
    return Keeper(keys, bearers_in(settings.tokens_file), CounterStore(database), clock.now, quota)


def bearers_in(file: Path) -> Callable[[], Bearers]:
    """Return who may ask as the file says now; one that cannot be read is told and not taken over.

    Raises:
        Refused: the file cannot be read now.
    """

    def refused(reason: str) -> None:
        logs.warn("tokens_refused", reason=reason)

    return LiveFile(file, lambda _: read_bearers(file), refused=refused, faults=(OSError, Refused))


def serve(settings: KeeperSettings) -> None:
    """Serve the keeper's API until the process is told to stop, with TLS of its own, or before it on the same machine.

    Raises:
        Refused: in production mode, what is only good for a demo, such as an address that is not loopback.
    """
    refuse_sample_settings(settings)
    logs.configure("pseudonyms", settings.log_level)
    if not is_loopback(settings.listen) and settings.certificate_file is None:
        logs.warn("listens_beyond_loopback")
    app = create_app(keeper_of(settings))
    uvicorn.run(app, host=settings.listen, port=settings.port, ssl_certfile=settings.certificate_file, **SERVER_OPTIONS)


def _require_registered(keys: Sequence[HeldKey], name: str, register: Register) -> None:
    keepers = [keeper for keeper in register.registered_keepers if keeper.name == name]
    registered = {key.epoch: key.public_key for keeper in keepers for key in keeper.keys}
    for held in keys:
        if registered.get(held.key.epoch, held.key.public_key) != held.key.public_key:
            raise Refused(f"De sleutel van {held.key.epoch} is niet die van {name} in het deelnemersregister.")


def epoch_days(epoch: str) -> tuple[date, date]:
    """Return the first and last day on which a keeper evaluates for an epoch such as 2026H2.

    Raises:
        Refused: the text is no epoch.
    """
    year, half, number = epoch[:4], epoch[4:5], epoch[5:]
    if not (year.isascii() and year.isdigit() and half == "H" and number in {"1", "2"}):
        raise Refused("Een sleutelperiode heet zoals 2026H2.")
    first = date(int(year), 1 if number == "1" else 7, 1)
    next_first = date(first.year + (number == "2"), 7 if number == "1" else 1, 1)
    return first, next_first + timedelta(days=OVERLAP_DAYS - 1)


def make_epoch_key(keys_file: Path, epoch: str) -> HeldKey:
    """Add a new key for an epoch to the key file and return it; its public key goes to the participants' register.

    Raises:
        Refused: the epoch has a key already.
    """
    keys = read_keys(keys_file) if keys_file.exists() else ()
    if any(held.key.epoch == epoch for held in keys):
        raise Refused("Deze sleutelperiode heeft al een sleutel.")
    made = HeldKey(EpochKey.generate(epoch), *epoch_days(epoch))
    write_keys(keys_file, [*keys, made])
    return made


def destroy_epoch_key(keys_file: Path, epoch: str, today: date, *, early: bool = False) -> None:
    """Destroy the key of an epoch: nobody can make its tokens any more.

    Raises:
        Refused: there is no such key, or tokens are still made with it and `early` does not say that they need not be.
    """
    keys = read_keys(keys_file)
    gone = [held for held in keys if held.key.epoch == epoch]
    if not gone:
        raise Refused("Deze sleutelperiode heeft hier geen sleutel.")
    if any(held.last_day >= today for held in gone) and not early:
        raise Refused("Met deze sleutel worden nog koppelsleutels gemaakt, of dat begint nog. Met --early verdwijnt zij toch.")
    write_keys(keys_file, [held for held in keys if held.key.epoch != epoch])


@app.command("new-key")
def new_key(epoch: str) -> None:
    """Make a new key for an epoch such as 2027H1 and print its public key, for the participants' register."""
    typer.echo(make_epoch_key(loaded(KeeperSettings).keys_file, epoch).key.public_key.hex())


@app.command("destroy-key")
def destroy_key(
    epoch: str,
    *,
    early: Annotated[bool, typer.Option("--early", help="Although tokens are still made with it, as after a theft.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
) -> None:
    """Destroy the key of an epoch whose last day is past; this cannot be undone."""
    if not yes:
        typer.confirm(f"De sleutel van {epoch} wordt vernietigd en is niet terug te halen. Doorgaan?", abort=True)
    destroy_epoch_key(loaded(KeeperSettings).keys_file, epoch, local_day(clock.now()), early=early)
    typer.echo(f"De sleutel van {epoch} is vernietigd.")


@app.command()
def admit(
    municipality: Code,
    *,
    token_out: Annotated[Path, typer.Option(help="File for its token, mode 600; a token that stands there is kept.")],
) -> None:
    """Let a municipality ask this keeper, at once. Hand the file over so that nobody else sees it. Twice is once.

    The file is a JSON object with a token per keeper, as SIGNAL_EXCHANGE_KEEPER_TOKEN_FILE of the municipality's node.
    """
    settings = loaded(KeeperSettings)
    held = _tokens_in(token_out)
    bearer = held.get(settings.keeper) or secrets.token_urlsafe(TOKEN_BYTES)
    write_secret(token_out, json.dumps({**held, settings.keeper: bearer}))
    write_digests(settings.tokens_file, {**_digests(settings), municipality: digest_of(bearer)})
    typer.echo(f"{municipality} mag {settings.keeper} vragen; het token staat in {token_out}.")


@app.command()
def remove(municipality: Code) -> None:
    """Let a municipality ask this keeper no more, at once. Twice is once."""
    settings = loaded(KeeperSettings)
    write_digests(settings.tokens_file, {code: kept for code, kept in _digests(settings).items() if code != municipality})
    typer.echo(f"{municipality} mag {settings.keeper} niet meer vragen.")


def _digests(settings: KeeperSettings) -> dict[MunicipalityCode, str]:
    return dict(read_bearers(settings.tokens_file).digests) if settings.tokens_file.exists() else {}


def _tokens_in(file: Path) -> dict[str, str]:
    try:
        held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError:
        held = None
    if not isinstance(held, dict) or not all(isinstance(each, str) and each for each in held.values()):
        raise Refused(f"The file {file.name} holds something else than tokens by keeper.")
    return held


@app.command("raise-quota")
def raise_quota(
    municipality: Code,
    first_day: datetime,
    last_day: datetime,
    *,
    a_day: Annotated[int, typer.Option(help="Requests of 16 points a day.")],
    a_month: Annotated[int, typer.Option(help="The same a month.")],
    approved_by: Annotated[str, typer.Option(help="Who approves this.")],
    second_approver: Annotated[str, typer.Option(help="Who approves this as well.")],
) -> None:
    """Let a municipality ask more for a while; two people approve it, and the other keeper needs its own."""
    days = first_day.date(), last_day.date()
    raised = QuotaRaise(municipality, *days, Quota(a_day, a_month), approved_by, second_approver)
    _store(loaded(KeeperSettings)).raise_quota(raised, clock.now())
    typer.echo(f"{municipality} mag meer vragen van {days[0]} tot en met {days[1]}.")


@app.command()
def usage(first_day: datetime, last_day: datetime) -> None:
    """Show how often each municipality asked, per day: for the audit."""
    table = Table("dag", "gemeente", "beantwoord", "geweigerd")
    for count in _store(loaded(KeeperSettings)).counts(first_day.date(), last_day.date()):
        table.add_row(count.day.isoformat(), count.municipality, str(count.evaluated), str(count.refused))
    Console().print(table)


def _store(settings: KeeperSettings) -> CounterStore:
    return CounterStore(_database(settings))


def _database(settings: KeeperSettings) -> Database:
    return Database(settings.database(f"keeper-{settings.keeper}"), TABLES)
