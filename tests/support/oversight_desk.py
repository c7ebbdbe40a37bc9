"""Oversight's store in a folder, with what an operator types on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from builders import an_environment, unsealed
from typer.testing import CliRunner, Result

from signal_exchange.contracts.codec import decode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.oversight import commands, parked_commands
from signal_exchange.oversight.handler import handle
from signal_exchange.oversight.store import OUTBOX, TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.work import Work

PARTS = {"ledger": commands.ledger_app, "parked": parked_commands.app, "alarms": commands.app, "overdue": commands.app}
BY = ("--by", "beheer")


class Desk:
    """A store in a folder, with the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.environment = an_environment(folder, "oversight", "parking:oversight")
        self.database = Database(f"sqlite+pysqlite:///{folder / 'oversight.sqlite'}", TABLES)
        self.database.create_tables()

    def take(self, *messages: Message) -> None:
        with self.database.transaction() as connection:
            handle(messages, Work("oversight", connection, unsealed))

    def say(self, part: str, *words: str) -> Result:
        app: typer.Typer = PARTS[part]
        result = CliRunner().invoke(app, list(words if part in ("ledger", "parked") else (part, *words)), env=self.environment)
        if isinstance(result.exception, RefusedError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def told(self, part: str, *words: str) -> Any:
        return json.loads(self.say(part, *words, "--json").stdout)

    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """Give topic and fields of what is asked of services."""
        with self.database.reading() as connection:
            waiting = [each.record for each in Outbox(connection, OUTBOX).waiting(2_000)]
        return [(record.topic, decode(record.value, "retry").fields) for record in waiting]
