"""The commands of a municipality's node: publish, trace, withdraw, outbox."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer
from pydantic import ValidationError

from signal_exchange.municipality import printing
from signal_exchange.municipality.cases import Outcome, Result
from signal_exchange.municipality.csv_format import COLUMNS
from signal_exchange.municipality.importing import read_lines
from signal_exchange.municipality.node import Node, node_of
from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.rejects import RejectFile, reject_path
from signal_exchange.municipality.relay import Relay, RelayLoop
from signal_exchange.municipality.threads import Worker
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import PREFIX, MunicipalitySettings
from signal_exchange.stream.commands import AsJson, show_json

SOME_REFUSED: Final = 2
INTERRUPTED: Final = 130
WAIT_SECONDS: Final = 10.0

app = typer.Typer(no_args_is_help=True, help="Signals of one municipality.")
Reference = Annotated[str, typer.Argument(help="The signal's own reference, or its id.")]
Municipality = Annotated[str | None, typer.Option("--municipality", "-m", help="CBS code of the node, as GM0983; refuses any other node.")]
