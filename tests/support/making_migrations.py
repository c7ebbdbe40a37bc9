"""Writes the migration of every store that changed: run by `make migration`, and held by tests/unit/runtime/test_migrations.py.

Nothing is released yet, so that the one migration of each store, the first, is written anew whenever its tables change.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
from sqlalchemy.types import TypeDecorator

from signal_exchange.cli.declaring import declarations, part_of
from signal_exchange.runtime.migrations import PACKAGE, migrate_to, scripts_of

STORES: tuple[MetaData, ...] = tuple(part_of(each.tables) for each in declarations().values() if each.tables)
"""The tables of every store; the worklists share theirs, as the keepers do."""
RELEASED = 0
"""The last revision that a release holds: it and those before are never written again, `make migration` writes the next."""

FRAME = '''"""{meaning}

Written by `make migration` from the tables of this service.
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {previous}


def upgrade() -> None:
    """Make the changes."""
    {changes}
'''


def service_of(tables: MetaData) -> str:
    """Return the package of a store's service."""
    return str(tables.info[PACKAGE]).split(".")[1]


def file_of(tables: MetaData) -> Path:
    """Return where the migration stands that is not released yet."""
    return Path(str(files(tables.info[PACKAGE]))) / f"revision_{RELEASED + 1:04}.py"


def written(tables: MetaData) -> str | None:
    """Return the migration from the last release to these tables, or None when they are the same."""
    with create_engine("sqlite://").begin() as connection:
        previous = _last_released(tables)
        if previous is not None:
            migrate_to(connection, tables, previous)
        context = MigrationContext.configure(connection)
        upgrade = produce_migrations(context, tables).upgrade_ops
        if upgrade is None or upgrade.is_empty():
            return None
        return _formatted(_text(previous, render_python_code(upgrade, render_item=_plain_type, migration_context=context)))


def _last_released(tables: MetaData) -> str | None:
    known = (script.revision for script in scripts_of(tables.info[PACKAGE]).walk_revisions())
    return max((revision for revision in known if int(revision) <= RELEASED), default=None)


def _text(previous: str | None, changes: str) -> str:
    meaning = "The tables of the first release." if previous is None else f"The changes since revision {previous}."
    shown = "None" if previous is None else f'"{previous}"'
    lines = "\n".join(line for line in changes.splitlines() if not line.lstrip().startswith("#"))
    return FRAME.format(meaning=meaning, revision=f"{RELEASED + 1:04}", previous=shown, changes=lines.strip())


def _plain_type(kind: str, value: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write a type of runtime.columns as what the database keeps: a migration must not change when the code does."""
    return f"sa.{type(value.impl).__name__}()" if kind == "type" and isinstance(value, TypeDecorator) else False


def _formatted(text: str) -> str:
    ruff = [str(Path(sys.executable).with_name("ruff")), "format", "--stdin-filename", "revision.py", "-"]
    return subprocess.run(ruff, input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout


def main() -> None:
    """Write what changed, and tell it."""
    for tables in STORES:
        file, text = file_of(tables), written(tables)
        known = file.read_text(encoding="utf-8") if file.exists() else None
        if text is None:
            file.unlink(missing_ok=True)
        elif text != known:
            file.write_text(text, encoding="utf-8")
        if text != known:
            print(f"{service_of(tables)}: {file.name} {'removed' if text is None else 'written'}")  # noqa: T201 - its only word


if __name__ == "__main__":
    main()
