"""What production mode refuses at the start: settings that are good for a demo only."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url

from signal_exchange.runtime.faults import Refused
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
)
"""Settings that name a file which only its owner may read."""
PUBLIC_FILES = ("register_file", "region_key_file", "kafka_ca_file", "keeper_ca_file")
"""Settings that name a file which everybody may read."""
DEMO_FILES = ("clock_file",)
"""Settings that name a file which only a demo may have; `ProcessSettings` refuses them in production."""


def refuse_sample_settings(settings: ProcessSettings) -> None:
    """Refuse to start in production mode with what is only good for a demo; mode demo allows it.

    Raises:
        Refused: every reason together, each with its setting and never with the value.
    """
    reasons = () if settings.mode == "demo" else tuple(_reasons(settings))
    if reasons:
        raise Refused("Production mode refuses to start: " + "; ".join(reasons) + ".")


def refuse_plain_addresses(settings: ProcessSettings, addresses: Iterable[str]) -> None:
    """Refuse in production mode to ask in plain text what is not on this machine: a bearer token would be read on the way.

    Raises:
        Refused: an address is neither https nor http to a loopback address; named without user or path.
    """
    if settings.mode == "demo":
        return
    for address in addresses:
        found = urlsplit(address)
        host = found.hostname or ""
        if not host or not (found.scheme == "https" or (found.scheme == "http" and is_loopback(host))):
            raise Refused(f"Production mode asks no keeper in plain text: {found.scheme}://{host} in the register is not https.")


def is_loopback(address: str) -> bool:
    """Say whether what listens on this address hears this machine only."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _reasons(settings: ProcessSettings) -> Iterator[str]:
    fields = settings.model_dump()
    if settings.log_level == "DEBUG":
        yield f"{_variable('log_level')} is DEBUG"
    if "kafka_ca_file" in fields and fields["kafka_ca_file"] is None:
        yield f"{_variable('kafka_ca_file')} is empty, so that the connection to Kafka would be plain text"
    if not is_loopback(fields.get("listen", "127.0.0.1")) and not fields.get("certificate_file"):
        yield f"{_variable('listen')} is not a loopback address, so that the API would be heard in plain text"
    if settings.database_url:
        yield from _reasons_of_store(make_url(settings.database_url))
    yield from (_told(name, fields[name]) for name in SECRET_FILES if fields.get(name) and not _is_private(fields[name]))


def _told(name: str, file: Path) -> str:
    wrong = "can be read by others: give it mode 600" if file.exists() else "is missing"
    return f"the file of {_variable(name)} {wrong}"


def _reasons_of_store(url: URL) -> Iterator[str]:
    if url.password is not None or "password" in url.query:
        yield f"{_variable('database_url')} holds a password: name a passfile instead"
    if "passfile" in url.query and not _is_private(Path(str(url.query["passfile"]))):
        yield f"the passfile of {_variable('database_url')} is missing or can be read by others: give it mode 600"
    host = url.host or url.query.get("host")
    local = host is None or str(host).startswith("/") or is_loopback(str(host))
    if not local and url.query.get("sslmode") != "verify-full":
        yield f"{_variable('database_url')} has no sslmode=verify-full, so that others could read it or answer in its place"


def _is_private(file: Path) -> bool:
    return file.exists() and not file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def _variable(name: str) -> str:
    return PREFIX + name.upper()
