"""A demo whose time can be driven: one clock file for all its processes, and topics that take the time of their producers.

See docs/decisions/0031; nothing of this is for an exchange that people use.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from kafka.admin import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime import clock
from signal_exchange.runtime.access_rules import AdministrationFailedError
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client

FARTHEST_MILLISECONDS = 10 * 366 * 24 * 3600 * 1000
"""How far a record may be ahead of the broker's own time: as far as anybody would drive."""
_DATED = {
    "message.timestamp.type": ("SET", "CreateTime"),
    "message.timestamp.after.max.ms": ("SET", str(FARTHEST_MILLISECONDS)),
}


class DrivenClock:
    """The clock of one demo, in a file of its folder. This process follows it from here on."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        clock.follow(self.file)

    @property
    def settings(self) -> dict[str, str]:
        """Return the setting by which a process follows it."""
        return {"SIGNAL_EXCHANGE_CLOCK_FILE": str(self.file)}

    def drive(self, until: datetime) -> None:
        """Set it forward for every process.

        Raises:
            ValueError: it is later already.
        """
        clock.drive(self.file, until)


def date_by_producers(connection: KafkaConnection, topics: Iterable[str]) -> None:
    """Let the time of each record be its producer's instead of the broker's; `connection` is the admin's.

    Raises:
        AdministrationFailedError: Kafka refuses.
        BrokerUnavailableError: Kafka does not answer.
    """
    changes = [ConfigResource(ConfigResourceType.TOPIC, name, dict(_DATED)) for name in topics]
    with admin_client(connection) as admin:
        answers = admin.alter_configs(changes, raise_on_unknown=False)["topic"]
    refused = sorted(name for name, answer in answers.items() if answer != "OK")
    if refused:
        raise AdministrationFailedError("TOPIC_SETTINGS_REFUSED", topic=refused[0], answer=answers[refused[0]])
