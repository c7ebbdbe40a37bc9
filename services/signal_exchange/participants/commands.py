"""The commands `signal-exchange participants`: what a municipality asks, and what the region's office does in one go each."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, tell
from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.times import local_day
from signal_exchange.participants.actions import MemberKeys, Proposal, RegionOffice, text_of
from signal_exchange.participants.requests import read_request
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.private_files import write_private
from signal_exchange.runtime.settings import MunicipalitySettings, loaded
from signal_exchange.stream.identity import trusted_register

app = typer.Typer(no_args_is_help=True, help="Who takes part: join, leave, and new keys.", **GROUP)
Code = Annotated[MunicipalityCode, typer.Argument(parser=parse_municipality_code, help="CBS code, as GM0983.")]
Request = Annotated[Path, typer.Argument(help="The request that `participants new-keys` wrote at the municipality.")]
RegisterFile = Annotated[Path, typer.Option("--register", help="The participants' register; it is replaced as a whole.")]
Secret = Annotated[Path, typer.Option("--region-secret", help="The region's signing key.")]
Bootstrap = Annotated[str, typer.Option(help="Address of Kafka, as host:port, several with commas.")]
AdminUser = Annotated[str, typer.Option(help="Who administers Kafka.")]
AdminPassword = Annotated[Path, typer.Option("--admin-password-file", help="File with that user's password.")]
CaFile = Annotated[Path | None, typer.Option(help="Certificates to trust for TLS; without: no TLS.")]
On = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="First day; without it today.")]


Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking; what changes is shown all the same.")]


def _office(register: Path, secret: Path, *, bootstrap: str, user: str, password: Path, ca_file: Path | None) -> RegionOffice:
    """Return the office, after Kafka answered: a wrong address changes nothing."""
    kafka = KafkaConnection(bootstrap, user, text_of(password).strip(), ca_file)
    office = RegionOffice(register, secret, kafka, clock.now)
    office.require_kafka()
    return office


def agree(proposal: Proposal, *, yes: bool) -> Proposal:
    """Show the changes that a proposal makes in the register, and ask whether it may.

    Raises:
        Abort: the office does not agree.
    """
    for line in proposal.changes:
        typer.echo(f"  {line}", err=True)
    if proposal.changes and not yes:
        serial = proposal.before.serial
        typer.confirm(words.text("register.ask_sign", serial=serial, following=serial + 1), abort=True, err=True)
    return proposal


@app.command("new-keys")
def make_new_keys(
    out: Annotated[Path, typer.Option("--out", help="File for the request: public, to hand to the region's office.")],
    *,
    name: Annotated[str, typer.Option(help="What tells this pair of keys from others, as 2027-1.")],
) -> None:
    """At the municipality: make new keys and the request for them. Private keys stay in its key file.

    A first pair is for joining. A later one is signed with the key in use; the node signs with it once the register names it.
    """
    settings = loaded(MunicipalitySettings)
    code, register = parse_municipality_code(settings.municipality), trusted_register(settings)
    made = MemberKeys(code, settings.keys_file, register, clock.now).request(name)
    out.write_text(made.text, encoding="utf-8")
    typer.echo(words.text("keys.requested", signing=made.signing_key_id, sealing=made.sealing_key_id, file=str(out)))


@app.command()
def join(
    request: Request,
    *,
    register: RegisterFile,
    region_secret: Secret,
    bootstrap: Bootstrap,
    admin_password_file: AdminPassword,
    password_out: Annotated[Path, typer.Option(help="File for the password of its node; made when it is missing, mode 600.")],
    on: On = None,
    yes: Yes = False,
    admin_user: AdminUser = "admin",
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a municipality take part: its keys in the register, its user, topic and rules on Kafka. Twice is once."""
    asked = read_request(text_of(request))
    office = _office(register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file)
    code, day = asked.request.municipality, _day(on)
    proposal = agree(office.propose_joining(asked, day), yes=yes)
    after = office.join(proposal, code, _password(password_out))
    told = {"municipality": code, "serial": after.serial, "user": municipality_principal(code), "topic": feedback_topic(code)}
    tell(told, words.text("member.joined", municipality=code, day=day.isoformat(), serial=after.serial), as_json=as_json)


@app.command()
def leave(
    municipality: Code,
    *,
    register: RegisterFile,
    region_secret: Secret,
    bootstrap: Bootstrap,
    admin_password_file: AdminPassword,
    on: On = None,
    with_open_signals: Annotated[
        bool, typer.Option("--with-open-signals", help="Leave although signals are open; nobody will hear of their outcome.")
    ] = False,
    yes: Yes = False,
    admin_user: AdminUser = "admin",
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a municipality leave: it publishes and reads nothing from that day on; what it published stays valid. Twice is once."""
    office = _office(register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file)
    day = _day(on)
    proposal = agree(office.propose_leaving(municipality, day, with_open_signals=with_open_signals), yes=yes)
    after = office.leave(proposal, municipality)
    told = {"municipality": municipality, "serial": after.serial, "open_signals": proposal.open_signals}
    tell(told, words.text("member.left", municipality=municipality, serial=after.serial), as_json=as_json)


@app.command("rotate-key")
def rotate_key(
    request: Request,
    *,
    register: RegisterFile,
    region_secret: Secret,
    bootstrap: Bootstrap,
    admin_password_file: AdminPassword,
    yes: Yes = False,
    admin_user: AdminUser = "admin",
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """Renew the keys of a municipality: it can sign with the new one at once, with the old one for eight more days."""
    asked = read_request(text_of(request))
    office = _office(register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file)
    after = office.sign(agree(office.propose_new_keys(asked), yes=yes))
    code, key = asked.request.municipality, asked.request.signing.key_id
    tell(
        {"municipality": code, "serial": after.serial, "key_id": key},
        words.text("member.signs_with", municipality=code, key=key),
        as_json=as_json,
    )


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Id of the signing key, as gm0983-2027-1.")],
    *,
    register: RegisterFile,
    region_secret: Secret,
    bootstrap: Bootstrap,
    admin_password_file: AdminPassword,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%dT%H:%M:%S%z"], help="Moment with its offset; without it now.")
    ] = None,
    yes: Yes = False,
    admin_user: AdminUser = "admin",
    ca_file: CaFile = None,
    as_json: AsJson = False,
) -> None:
    """End a signing key, as when it was stolen: nothing that came in from then on is taken. What was taken stands."""
    office = _office(register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file)
    after = office.sign(agree(office.propose_revoking(key_id, since or clock.now()), yes=yes))
    tell({"key_id": key_id, "serial": after.serial}, words.text("key.revoked", key=key_id, serial=after.serial), as_json=as_json)


def _password(file: Path) -> str:
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return text_of(file).strip()


def _day(on: datetime | None) -> date:
    return on.date() if on is not None else local_day(clock.now())
