"""The commands `signal-exchange participants`: what a municipality asks, and what the region's office does in one go each."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from signal_exchange.contracts.reference import load_members
from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.times import local_day
from signal_exchange.participants.access import admit, dismiss, listens, open_signals
from signal_exchange.participants.changing import joined, left, revoked, rotated
from signal_exchange.participants.differences import differences
from signal_exchange.participants.requests import new_keys, read_request, request_text
from signal_exchange.privacy.register import Register, load_register, sign_register
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.private_files import PUBLIC_FILE
from signal_exchange.runtime.settings import MunicipalitySettings, loaded
from signal_exchange.stream.commands import GROUP, AsJson, show_json
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
Step = Callable[[Register], Register]
"""From one register to the next."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A change that the office saw and agreed to: from which register, and what changes, in words."""

    step: Step
    before: Register
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """What the region's office works with: the register, the key that signs it, and Kafka."""

    register_file: Path
    secret_file: Path
    kafka: KafkaConnection

    @classmethod
    def of(cls, register: Path, secret: Path, *, bootstrap: str, user: str, password: Path, ca_file: Path | None) -> Office:
        """Return the office, after Kafka answered: a wrong address changes nothing."""
        connection = KafkaConnection(bootstrap, user, _text_of(password).strip(), ca_file)
        listens(connection)
        return cls(register, secret, connection)

    def agree(self, step: Step, *, yes: bool) -> Agreed:
        """Show what a step makes of the register, and ask whether it may; nothing changes yet.

        Raises:
            Refused: the register cannot be read, or the step refuses.
            Abort: the office does not agree.
        """
        before = self._register(self._key())
        told = differences(before, step(before))
        for line in told:
            typer.echo(f"  {line}", err=True)
        if told and not yes:
            typer.confirm(f"Register {before.serial} wordt {before.serial + 1}. Ondertekenen?", abort=True, err=True)
        return Agreed(step, before, tuple(told))

    def sign(self, agreed: Agreed) -> Register:
        """Replace the register by what was agreed on, signed by the region; an equal one is left alone.

        Raises:
            Refused: the register, or what becomes of it, is not what was shown.
        """
        key = self._key()
        before = self._register(key)
        after = agreed.step(before)
        if before != agreed.before or tuple(differences(before, after)) != agreed.told:
            raise Refused("The register changed meanwhile: look at it and do it again.")
        if after is not before:
            _replace(self.register_file, sign_register(after, key))
        return after

    def _key(self) -> SigningKey:
        return SigningKey.from_mapping(json.loads(_text_of(self.secret_file)))

    def _register(self, key: SigningKey) -> Register:
        return load_register(self.register_file.read_bytes(), key.public)


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
    code = parse_municipality_code(settings.municipality)
    keys = _keys_in(settings.keys_file)
    in_use = _signing_in_use(keys, trusted_register(settings))
    signing, sealing = _waiting_pair(keys, code, name) or new_keys(code, name)
    held = {each["key_id"]: each for each in (*keys.get("sealing", []), sealing.to_mapping())}
    first, following = (in_use, signing) if in_use is not None else (signing, None)
    content = {"sealing": list(held.values()), "signing": first.to_mapping()}
    if following is not None:
        content["next_signing"] = following.to_mapping()
    _write_private(settings.keys_file, json.dumps(content))
    out.write_text(request_text(code, signing, sealing, in_use), encoding="utf-8")
    typer.echo(f"De aanvraag voor {signing.key_id} en {sealing.key_id} staat in {out}.")


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
    asked = read_request(_text_of(request))
    office = Office.of(
        register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file
    )
    code, day, now = asked.request.municipality, _day(on), clock.now()
    agreed = office.agree(lambda before: joined(before, asked, load_members().get(code), day, now), yes=yes)
    admit(office.kafka, code, _password(password_out))
    after = office.sign(agreed)
    told = {"municipality": code, "serial": after.serial, "user": municipality_principal(code), "topic": feedback_topic(code)}
    _tell(told, f"{code} neemt deel vanaf {day.isoformat()}; register {after.serial}.", as_json=as_json)


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
    office = Office.of(
        register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file
    )
    day = _day(on)
    if day > local_day(clock.now()):
        raise Refused("Leaving begins on the day itself: run this command then.")
    still_open = open_signals(office.kafka, municipality)
    if still_open and not with_open_signals:
        raise Refused(
            f"{municipality} has {still_open} open signals: let it withdraw them, or hand them over and say --with-open-signals."
        )
    after = office.sign(office.agree(lambda before: left(before, municipality, day), yes=yes))
    dismiss(office.kafka, municipality)
    told = {"municipality": municipality, "serial": after.serial, "open_signals": still_open}
    _tell(told, f"{municipality} neemt niet meer deel; register {after.serial}.", as_json=as_json)


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
    asked = read_request(_text_of(request))
    office = Office.of(
        register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file
    )
    now = clock.now()
    after = office.sign(office.agree(lambda before: rotated(before, asked, now), yes=yes))
    code, key = asked.request.municipality, asked.request.signing.key_id
    _tell({"municipality": code, "serial": after.serial, "key_id": key}, f"{code} tekent met {key}.", as_json=as_json)


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
    office = Office.of(
        register, region_secret, bootstrap=bootstrap, user=admin_user, password=admin_password_file, ca_file=ca_file
    )
    moment = since or clock.now()
    after = office.sign(office.agree(lambda before: revoked(before, key_id, moment), yes=yes))
    _tell({"key_id": key_id, "serial": after.serial}, f"{key_id} tekent niet meer; register {after.serial}.", as_json=as_json)


def _keys_in(file: Path) -> dict[str, Any]:
    keys: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return keys


def _signing_in_use(keys: dict[str, Any], register: Register) -> SigningKey | None:
    """Return the key that the register knows: the next one where it was taken over already."""
    held = [SigningKey.from_mapping(keys[name]) for name in ("next_signing", "signing") if keys.get(name)]
    return next((key for key in held if register.signing_key(key.key_id, clock.now()) is not None), None)


def _waiting_pair(keys: dict[str, Any], code: str, name: str) -> tuple[SigningKey, SealingPrivateKey] | None:
    """Return the pair of this name that an earlier run made, so that asking again asks for the same keys."""
    signing = [SigningKey.from_mapping(keys[each]) for each in ("next_signing", "signing") if keys.get(each)]
    sealing = [SealingPrivateKey.from_mapping(each) for each in keys.get("sealing", [])]
    found = [key for key in signing if key.key_id == f"{code.lower()}-{name}"]
    opening = [key for key in sealing if key.key_id == f"gm:{code}-{name}"]
    return (found[0], opening[0]) if found and opening else None


def _password(file: Path) -> str:
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(24))
    return _text_of(file).strip()


def _day(on: datetime | None) -> date:
    return on.date() if on is not None else local_day(clock.now())


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        raise Refused(f"The file {file.name} cannot be read.") from None


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(content)
    fresh.chmod(PUBLIC_FILE)
    fresh.replace(file)


def _write_private(file: Path, text: str) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    mode = stat.S_IRUSR | stat.S_IWUSR
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(file)


def _tell(told: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        show_json(told)
    else:
        typer.echo(sentence)
