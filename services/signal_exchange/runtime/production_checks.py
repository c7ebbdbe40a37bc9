"""The settings that production mode refuses at the start: those that are good for a demo only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url

from signal_exchange.domain.refusals import Phrase, RefusedError
from signal_exchange.runtime.private_files import is_private
from signal_exchange.runtime.settings import PREFIX, ProcessSettings

SECRET_FILES = (
    "kafka_password_file",
    "keys_file",
    "backup_key_file",
    "vault_key_file",
    "api_token_file",
    "keeper_token_file",
    "tokens_file",
    "barred_values_file",
    "certificate_file",
    "person_token_file",
    "identity_providers_file",
)
"""Settings that name a file which only its owner may read."""
PUBLIC_FILES = ("register_file", "region_key_file", "kafka_ca_file", "keeper_ca_file")
"""Settings that name a file which everybody may read."""
DEMO_FILES = ("clock_file", "practice_people_file")
"""Settings that name a file which only a demo may have; their settings refuse them in production."""


def refuse_sample_settings(settings: ProcessSettings) -> None:
    """Refuse to start in production mode with what is only good for a demo; mode demo allows it.

    Raises:
        RefusedError: every reason together, each with its setting and never with the value.
    """
    reasons = () if settings.mode == "demo" else tuple(_reasons(settings))
    if reasons:
        raise RefusedError("NOT_FOR_PRODUCTION", reasons=reasons)


def refuse_plain_addresses(settings: ProcessSettings, addresses: Iterable[str]) -> None:
    """Refuse in production mode to ask in plain text what is not on this machine: a bearer token would be read on the way.

    Raises:
        RefusedError: an address is neither https nor http to a loopback address; named without user or path.
    """
    if settings.mode == "demo":
        return
    for address in addresses:
        found = urlsplit(address)
        host = found.hostname or ""
        if not host or not (found.scheme == "https" or (found.scheme == "http" and is_loopback(host))):
            raise RefusedError("KEEPER_IN_PLAIN_TEXT", scheme=found.scheme, host=host)


def is_loopback(address: str) -> bool:
    """Say whether what listens on this address hears this machine only."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _reasons(settings: ProcessSettings) -> Iterator[Phrase]:
    fields = settings.model_dump()
    if settings.log_level == "DEBUG":
        yield Phrase("SETTING_DEBUG", {"setting": _variable("log_level")})
    if "kafka_ca_file" in fields and fields["kafka_ca_file"] is None:
        yield Phrase("SETTING_NO_TLS", {"setting": _variable("kafka_ca_file")})
    if not is_loopback(fields.get("listen", "127.0.0.1")) and not fields.get("certificate_file"):
        yield Phrase("SETTING_BEYOND_LOOPBACK", {"setting": _variable("listen")})
    if settings.database_url:
        yield from _reasons_of_store(make_url(settings.database_url))
    yield from (_told(name, fields[name]) for name in SECRET_FILES if fields.get(name) and not is_private(fields[name]))


def _told(name: str, file: Path) -> Phrase:
    return Phrase("SECRET_OPEN_TO_OTHERS" if file.exists() else "SECRET_MISSING", {"setting": _variable(name)})


def _reasons_of_store(url: URL) -> Iterator[Phrase]:
    if url.password is not None or "password" in url.query:
        yield Phrase("SETTING_HOLDS_PASSWORD", {"setting": _variable("database_url")})
    if "passfile" in url.query and not is_private(Path(str(url.query["passfile"]))):
        yield Phrase("PASSFILE_OPEN_TO_OTHERS", {"setting": _variable("database_url")})
    host = url.host or url.query.get("host")
    local = host is None or str(host).startswith("/") or is_loopback(str(host))
    if not local and url.query.get("sslmode") != "verify-full":
        yield Phrase("STORE_NOT_VERIFIED", {"setting": _variable("database_url")})


def _variable(name: str) -> str:
    return PREFIX + name.upper()
