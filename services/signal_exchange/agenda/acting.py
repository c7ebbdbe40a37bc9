"""The actions of the agenda, opened for one command."""

from __future__ import annotations

from signal_exchange.agenda.composition import actions_in
from signal_exchange.agenda.service import SERVICE
from signal_exchange.agenda.tables import TABLES
from signal_exchange.cli.context import CommandContext

acting = CommandContext(SERVICE, TABLES, actions_in).acting
"""Opens the actions of the agenda."""
