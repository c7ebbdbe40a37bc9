"""Where the commands of the agenda work."""

from __future__ import annotations

from signal_exchange.agenda.composition import SERVICE
from signal_exchange.agenda.tables import TABLES
from signal_exchange.stream.commands import Place

PLACE = Place(SERVICE, TABLES)
