"""The declaration of each package of the product in its service.py: its services, their commands and their tables.

A declaration names its parts as `module:name` and imports none of them, so that the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

PACKAGES = (
    "municipality", "routing", "linking", "worklist", "agenda", "statistics", "feedback", "oversight", "participants",
    "pseudonyms",
)  # fmt: skip
"""The packages with a service.py, in the order in which help shows their commands."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service that `run` starts: its name is also its principal, its consumer group and its store.

    `spec` makes its consumer from its `settings`; a service that is more than a consumer names the function to `run`. `plan`
    makes the plan by which its store is rebuilt. `reader` names the service whose view of the records it has, in
    schemas/readers: itself where empty. `pages` makes the site of its screens, which run apart from it, from SiteSettings.
    """

    name: str
    spec: str = ""
    plan: str = ""
    run: str = ""
    settings: str = "signal_exchange.runtime.settings:ServiceSettings"
    reader: str = ""
    pages: str = ""

    def start(self) -> None:
        """Run the service until it is stopped, by the settings of the environment."""
        if self.run:
            part_of(self.run)()
            return
        from signal_exchange.runtime.settings import loaded  # noqa: PLC0415 - a declaration loads nothing before it is used
        from signal_exchange.stream.service import run_consumer  # noqa: PLC0415 - as above

        settings = loaded(part_of(self.settings))
        run_consumer(part_of(self.spec)(settings), settings)


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that the rest of the product finds in one package: `groups` of commands and single `commands`, each by its name.

    `former` are names that commands had: each still works until 1.0, and help does not show it.
    """

    services: tuple[Service, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    tables: str | None = None


def part_of(where: str) -> Any:  # noqa: ANN401 - a Typer app, a function or the tables of a store
    """Import a part that was declared as `module:name`."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def declarations() -> dict[str, Declaration]:
    """Return the declaration of each package."""
    return {name: part_of(f"signal_exchange.{name}.service:DECLARED") for name in PACKAGES}
