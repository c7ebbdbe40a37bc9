"""Every setting of every process, each with its meaning; docs/operator/settings.md is generated from here.

Settings come from the environment, with the prefix SIGNAL_EXCHANGE_. Secrets come from files, never from the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from dotenv import dotenv_values
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from signal_exchange.domain.refusals import Phrase, RefusedError
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.private_files import require_private_store
from signal_exchange.words import Language

PREFIX = "SIGNAL_EXCHANGE_"
DRIVERS = ("postgresql+psycopg", "sqlite+pysqlite")
"""The databases that stores are tested on, as their addresses begin."""


class ReaderSettings(BaseSettings):
    """The settings of every command."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    language: Language = Field("nl", description="Language of what people read: nl or en.")


class ProcessSettings(ReaderSettings):
    """The settings of every process."""

    mode: Literal["production", "demo"] = Field(
        "production",
        description="production refuses to start with what is only good for a demo: plain-text connections and listeners, "
        "secrets that others can read, DEBUG.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING"] = Field("INFO", description="Lowest level of log events.")
    data_dir: Path = Field(description="Folder for the database (when SQLite) and other working files of this process.")
    register_file: Path = Field(description="The participants' register, signed by the region.")
    region_key_file: Path = Field(description="Public key of the region, with which the register is checked.")
    database_url: str = Field(
        "",
        description="Address of the store, as postgresql+psycopg://USER@HOST/DATABASE?passfile=FILE, without a password; "
        "empty: SQLite in data_dir. See stores.md.",
    )
    clock_file: Path | None = Field(
        None,
        description="File of a driven clock, for a demo whose processes all follow it; refused in production. See decision 0031.",
    )

    person_token_file: Path | None = Field(
        None,
        description="Token of the person who types commands, from `signal-exchange people token`; empty: the account of the "
        "operating system says who it is.",
    )

    @field_validator("clock_file")
    @classmethod
    def _drives_a_demo_only(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and info.data.get("mode") != "demo":
            raise ValueError("A file must not choose the time in production.")
        return file

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            known = not url or make_url(url).drivername in DRIVERS
        except ArgumentError:
            known = False
        if not known:
            raise ValueError(f"Not an address of {' or '.join(DRIVERS)}.")
        return url

    def database(self, service: str) -> str:
        """Return the URL of the store of a service.

        Raises:
            RefusedError: others may look into the data folder, or read the store.
        """
        require_private_store(self.data_dir, "" if self.database_url else f"{service}.sqlite")
        return self.database_url or f"sqlite+pysqlite:///{self.data_dir / (service + '.sqlite')}"


class StoreSettings(ProcessSettings):
    """The settings of a process that acts on the store of a service, with the keys of that service."""

    keys_file: Path = Field(description="Private keys of this process: opening, and for a municipality signing.")


class ListeningSettings(ProcessSettings):
    """The settings of a process that may be heard from outside its machine."""

    listen: str = Field(
        "127.0.0.1",
        description="Address of the API or the screens; without a certificate production takes loopback only: TLS ends before "
        "it there.",
    )
    certificate_file: Path | None = Field(
        None, description="Private key and certificate as one PEM file, with which it speaks TLS itself; empty: plain text."
    )


class ServiceSettings(StoreSettings):
    """The settings of every process on the stream."""

    kafka_bootstrap: str = Field(description="Address of Kafka, as host:port, several with commas.")
    kafka_user: str = Field(description="Principal of this process, a SCRAM user of the topic catalogue.")
    kafka_password_file: Path = Field(description="File with the password of that user.")
    kafka_ca_file: Path | None = Field(None, description="Certificates to trust for TLS; empty: no TLS, refused in production.")
    backup_key_file: Path | None = Field(
        None,
        description="Key that makes back-ups and opens none, from `signal-exchange backup-keys`; empty: no back-up can be made.",
    )
    metrics_port: int = Field(0, description="Port of /metrics and /health; 0: a free one.")
    metrics_listen: str = Field(
        "127.0.0.1",
        description="Address of /metrics and /health, in plain text: they hold counts and ages, and nothing of a signal. "
        "Another than loopback only on a network that is shared with Prometheus alone.",
    )
    instance: str = Field("1", description="Name of this worker among those of the same service; keep it stable over restarts.")
    batch_records: int = Field(200, description="Most records in one batch.")
    grace_seconds: float = Field(10.0, description="How long a batch in hand may finish at a stop or a rebalance.")
    patience_seconds: float = Field(
        300.0, description="How long the consumer waits for the database or the broker before it stops."
    )
    session_seconds: float = Field(45.0, description="Kafka session time-out: how long a dead worker keeps its partitions.")
    flood_records: int = Field(
        200,
        description="Parked records within a minute, when they are the larger part, that are a flood: routing sets aside what "
        "that municipality sends for ten minutes; of a topic that services write the consumer stops.",
    )
    stall_seconds: float = Field(60.0, description="Seconds without progress after which the process is unhealthy.")
    watchdog_seconds: float = Field(
        300.0,
        gt=0,
        description="Seconds without any sign of life, while Kafka and the store answer, after which the process ends itself "
        "with exit code 1, so that whoever supervises it starts it again; longer than a step of a batch may take.",
    )

    @property
    def kafka(self) -> KafkaConnection:
        """Return the connection to Kafka as this principal."""
        password = self.kafka_password_file.read_text(encoding="utf-8").strip()
        return KafkaConnection(self.kafka_bootstrap, self.kafka_user, password, self.kafka_ca_file)


class WebSettings(StoreSettings):
    """The settings of screens, wherever they run: nothing of Kafka."""

    web_port: int = Field(0, description="Port of the screens that run apart from a consumer; 0: a free one.")
    web_organisation: str = Field("", description="Name of the organisation whose people use these screens, as they see it.")
    practice_people_file: Path | None = Field(
        None, description="Invented people whom anybody may be in a demo, as JSON; refused in production."
    )
    web_address: str = Field(
        "", description="Address at which browsers reach the screens, as https://HOST: identity providers send people back there."
    )
    identity_providers_file: Path | None = Field(
        None,
        description="The identity providers at which people log in, as JSON: see log-in.md; empty: nobody can log in.",
    )
    idle_minutes: int = Field(30, gt=5, description="Minutes without a request after which a log-in ends; its person can stay.")
    longest_hours: int = Field(8, gt=0, description="Hours after which a log-in ends whatever its person does.")

    @field_validator("practice_people_file")
    @classmethod
    def _practises_in_a_demo_only(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and info.data.get("mode") != "demo":
            raise ValueError("Nobody may be somebody by a click in production.")
        return file


class SiteSettings(WebSettings, ListeningSettings):
    """The settings of the screens of a service that run apart from its consumer."""


class RoutingSettings(ServiceSettings):
    """The further settings of routing."""

    unattributed_per_hour: int = Field(
        100,
        description="Records an hour that nobody can be named for and of which a part is kept; further ones are only counted.",
    )
    erasure_look_seconds: float = Field(60.0, description="Pause between two looks for erasures that time brings further.")
    erasure_segment_seconds: float = Field(
        26 * 3600.0,
        description="After the tombstones of an erased signal: when a marker record is sent, so that Kafka closes its segment; "
        "longer than the topics' segment.ms.",
    )
    erasure_clean_seconds: float = Field(
        50 * 3600.0,
        description="After the marker: when the logs are checked and the certificate is made; longer than the topics' "
        "max.compaction.lag.ms.",
    )
    backup_days: float = Field(
        35.0,
        description="Days that anybody of this exchange keeps a back-up, a snapshot or an archived log of a store: the "
        "certificate of an erasure says when the last one ends.",
    )


class ProposedBases(ReaderSettings):
    """The legal grounds that a municipality proposes for a signal that is entered by hand: codes of legal_basis.csv."""

    basis_care: str = Field("PUBLIC_TASK", description="Ground proposed for help to an adult: a code of legal_basis.csv.")
    basis_minors: str = Field("YOUTH_PROTECTION", description="Ground proposed for help to a minor, and for an alert about one.")
    basis_acute: str = Field(
        "VITAL_INTEREST", description="Ground proposed for help to an adult in acute danger, and for its alert."
    )
    basis_table: str = Field(
        "PUBLIC_TASK", description="Ground proposed for screening, linking and the answer to the municipality."
    )

    @field_validator("basis_care", "basis_minors", "basis_acute", "basis_table")
    @classmethod
    def _is_a_ground(cls, code: str) -> str:
        if code not in load_code_lists().codes("legal_basis"):
            raise ValueError("No code of legal_basis.csv.")
        return code


class MunicipalitySettings(ServiceSettings, WebSettings, ProposedBases):
    """The further settings of the node of a municipality."""

    municipality: str = Field(description="CBS code of the municipality, as GM0983.")
    vault_key_file: Path = Field(description="Key of the vault, 32 bytes in hex.")
    officer_phone: str = Field("", description="Telephone number of the attention officer, as reporters see it; empty: none.")
    api_port: int = Field(0, description="Loopback port of the REST API; 0: a free one.")
    api_token_file: Path | None = Field(
        None, description="File with the bearer token of the REST API; empty: the API refuses everybody."
    )
    keeper_token_file: Path | None = Field(
        None,
        description="File with the bearer tokens of this municipality: a JSON object with one per keeper, by the keeper's name.",
    )
    keeper_ca_file: Path | None = Field(
        None, description="Certificates to trust for the keepers, as PEM; empty: those that this machine trusts."
    )
    barred_values_file: Path | None = Field(
        None,
        description="CSV with the columns type and value: what would link strangers here, as the own shelter or switchboard; "
        "empty: nothing more than the rules bar.",
    )
    keeper_seconds: float = Field(
        5.0, description="How long a keeper may take to answer; later the signal goes without link tokens."
    )
    relay_seconds: float = Field(0.5, description="Pause between two looks in the outbox.")
    resend_seconds: float = Field(
        600.0, description="Age at which an outbox row that the exchange has not confirmed is sent again."
    )
    checkpoint_seconds: float = Field(900.0, description="Pause between two checkpoints.")
    renew_seconds: float = Field(
        60.0, description="Pause between two looks for signals whose link tokens are pending or of an earlier epoch."
    )


class KeeperSettings(ListeningSettings):
    """The settings of a keeper of the link tokens."""

    keeper: str = Field(description="Name of this keeper in the participants' register, as keeper-a.")
    keys_file: Path = Field(description="Private epoch keys of this keeper.")
    tokens_file: Path = Field(description="Digests of the bearer tokens of the municipalities.")
    port: int = Field(0, description="Port of the API; 0: a free one.")
    requests_per_day: int = Field(
        100, description="Requests of 16 points that one municipality may make in a day; this bounds guessing."
    )
    requests_per_month: int = Field(1000, description="The same in a month.")


Some = TypeVar("Some", bound=ProcessSettings)


class CommandSettings(ReaderSettings):
    """The settings of a command before it is known which: the language, and the folder of its log."""

    data_dir: Path | None = None


def of_a_command() -> CommandSettings:
    """Return the settings of any command; a wrong language is Dutch, in which the command itself can refuse it."""
    try:
        return CommandSettings()
    except ValidationError:
        return CommandSettings(language="nl")


def take_file(file: Path) -> None:
    """Let the settings in a file, as NAME=VALUE lines, hold above those of the environment.

    Raises:
        OSError: it cannot be read.
    """
    with file.open(encoding="utf-8") as lines:
        found = dotenv_values(stream=lines, interpolate=False)
    os.environ.update({name: value for name, value in found.items() if value is not None})


def loaded(group: type[Some]) -> Some:
    """Return these settings, from the environment, and let the clock of this process be the one that they name.

    Raises:
        RefusedError: settings are missing or wrong; all named together, with their meaning, and never their value.
    """
    try:
        settings = group()
    except ValidationError as fault:
        names = sorted({str(each["loc"][0]) for each in fault.errors()})
        meant = [
            Phrase("setting", {"name": PREFIX + name.upper(), "meaning": group.model_fields[name].description}) for name in names
        ]
        raise RefusedError("SETTINGS_WRONG", settings=meant) from None
    clock.follow(settings.clock_file)
    return settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the settings' documentation."""

    variable: str
    default: str
    meaning: str
    processes: str


_GROUPS: tuple[tuple[type[ReaderSettings], str], ...] = (
    (ReaderSettings, "every process and command"),
    (ProcessSettings, "every process"),
    (StoreSettings, "consumers, screens and municipalities"),
    (ListeningSettings, "keepers and screens"),
    (ServiceSettings, "consumers and municipalities"),
    (WebSettings, "screens and municipalities"),
    (RoutingSettings, "routing"),
    (ProposedBases, "municipalities"),
    (MunicipalitySettings, "municipalities"),
    (KeeperSettings, "keepers"),
)


def settings_catalogue() -> tuple[Setting, ...]:
    """Return every setting once, under the widest group of processes that has it."""
    return tuple(setting for group, processes in _GROUPS for setting in _own_settings(group, processes))


def _own_settings(group: type[ReaderSettings], processes: str) -> Iterator[Setting]:
    parents = {
        name for parent in group.__mro__[1:] if issubclass(parent, BaseSettings) for name in getattr(parent, "model_fields", {})
    }
    for name, info in group.model_fields.items():
        if name not in parents:
            default = "(required)" if info.is_required() else str(info.default if info.default is not None else "")
            yield Setting(PREFIX + name.upper(), default, info.description or "", processes)
