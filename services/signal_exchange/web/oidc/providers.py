"""The identity providers at which people of this service log in, read from one file of the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.private_files import require_private
from signal_exchange.web.oidc.provider import Provider

RESERVED: Final = "terug"
"""No name of a provider: it stands for the way back in addresses."""
Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    """One provider as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Text
    issuer: Text
    client_id: Text
    acr_values: Annotated[Sequence[Text], Field(min_length=1)]
    key_file: Path | None = None
    secret_file: Path | None = None
    ca_file: Path | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: Annotated[Sequence[_Entry], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class NamedProvider:
    """A provider, its name in addresses, and its title as people know it: the name of their organisation."""

    name: str
    title: str
    provider: Provider


def providers_of(file: Path, now: Callable[[], datetime]) -> Mapping[str, NamedProvider]:
    """Return every provider of a file by its name, in the file's order; docs/operator/log-in.md says what stands in it.

    Files that it names lie beside it, unless they are named from the root.

    Raises:
        RefusedError: others may read it or a file that it names, or it is not as it must be; with the places, and no value.
        OSError: one of them is not there.
    """
    require_private(file)
    entries = _read(file).providers
    if len({each.name for each in entries} - {RESERVED}) < len(entries):
        raise RefusedError("PROVIDERS_WRONG", file=file.name, places=["name"])
    return {each.name: NamedProvider(each.name, each.title, _provider(each, file.parent, now)) for each in entries}


def _read(file: Path) -> _File:
    try:
        return _File.model_validate_json(file.read_bytes())
    except ValidationError as fault:
        places = sorted({".".join(map(str, each["loc"])) or "JSON" for each in fault.errors()})
        raise RefusedError("PROVIDERS_WRONG", file=file.name, places=places) from None


def _provider(entry: _Entry, folder: Path, now: Callable[[], datetime]) -> Provider:
    secret, key, trusted = (folder / each if each else None for each in (entry.secret_file, entry.key_file, entry.ca_file))
    return Provider(
        entry.issuer,
        entry.client_id,
        acr_values=entry.acr_values,
        now=now,
        secret_file=secret,
        key_file=key,
        ca_file=trusted,
    )
