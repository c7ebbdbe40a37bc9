"""Structured log events from a closed list: an event and codes, never a personal value.

A new event lands here with its meaning; docs/operator/log-events.md is generated from this list. Libraries' messages pass as
their template without arguments, because arguments may hold anything; only names of topics and groups among them pass too.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO, cast

import structlog

COMMANDS_LOG: Final = "commands.log"
COMMANDS_LOG_BYTES: Final = 1_048_576
"""A longer log of commands is begun anew; the one before is kept beside it."""
IsName = Callable[[str], bool]

EVENTS: Mapping[str, str] = {
    "process_started": "A process is up.",
    "process_stopped": "A process ended in good order.",
    "batch_unreadable": "A batch could not be unpacked within its bound or taken apart: its records are parked as one.",
    "consumer_stopped": "A consumer stopped without commit: our fault, a flood, a long outage, or it stood still or lost its "
    "group; its type or a reason only. Page someone.",
    "stop_forced": "A consumer did not stop in time and ended itself; what was not committed comes again.",
    "batch_handled": "A batch was applied, sent and acknowledged; count and seconds.",
    "record_parked": "A record could not be processed and is kept; reason code and parked id. Alert.",
    "batch_divided": "A service failed at a batch and does it again record by record; count and the type of the fault.",
    "record_set_aside": "A service failed at one record and parked it as CANNOT_PROCESS; id, type of the fault. Page someone.",
    "sender_held": "One municipality sent a flood of bad records: what it sends is set aside for ten minutes. Alert.",
    "records_counted": "Records that nobody can be named for were only counted, enough of this hour are kept; count. Alert.",
    "parked_flood": "Within a minute too many records, and the larger part, were parked: the consumer stops. Page someone.",
    "world_unavailable": "The database or the broker does not answer; the same step is tried again after a pause.",
    "outbox_sent": "Rows of the outbox were acknowledged by the broker; count.",
    "outbox_resent": "Rows that the exchange has not confirmed are sent again, the same bytes; count.",
    "signal_published": "A signal was put in the outbox; signal id and version.",
    "signal_refused": "A record was refused before publishing; field and rule.",
    "rejects_ended": "Files with refused rows of 30 days ago were deleted; count.",
    "tokens_pending": "A keeper did not answer; the signal goes without link tokens; reason code.",
    "tokens_renewed": "Link tokens that were pending or of an earlier epoch were made and put in the outbox; count of signals.",
    "checkpoint_sent": "The highest number of a publisher run was told to the exchange.",
    "withdrawn_after_question": "Signals were withdrawn after a link question, which may have been a probe; count. Alert.",
    "tokens_deleted": "Link tokens older than two epochs were deleted (R-RET-02); count.",
    "erased_bytes_gone": "What was erased has left the pages and the log of the store; only now the receipts leave; count.",
    "erased_bytes_kept": "What was erased is still in the store's pages or log: no receipt leaves; reason. Tried again.",
    "retry_refused": "A parked record cannot be tried again or dropped: NOT_HERE, INCOMPLETE or CANNOT_OPEN; it stays as it is.",
    "feedback_received": "The municipality's own view of a signal came in; signal id.",
    "register_refused": "The participants' register is not signed, older or unreadable; the one before stays in force.",
    "sealing_key_missing": "The register has no valid sealing key of a group; what needs it waits until the key is there.",
    "keys_refused": "The file of private keys cannot be read, or others may read it; the keys before stay in use.",
    "tokens_refused": "A keeper's file of bearer tokens cannot be read; the tokens before stay in force.",
    "request_refused": "A request was refused; status and reason code.",
    "listens_beyond_loopback": "A keeper's API is heard beyond this machine, in plain text; mode demo only.",
    "points_evaluated": "A keeper evaluated blinded points; municipality and count.",
    "library_message": "A library's own message, as template without arguments; names of topics and groups in it are told.",
    "unexpected_fault": "Something failed that nobody waited for; its type and place only. Tell the maintainers.",
}
"""Every event that may be logged, with its meaning."""

FIELDS: Mapping[str, str] = {
    "event": "Name of the event.",
    "level": "info: all is well; warning: a person should look.",
    "timestamp": "When it was logged, UTC.",
    "service": "The process: a service, municipality-gmxxxx or pseudonyms.",
    "signal_id": "Random id of a signal.",
    "version": "Version of that signal.",
    "count": "How many.",
    "seconds": "How long it took.",
    "reason": "Reason code, or the type of the fault.",
    "parked_id": "Id of a parked record.",
    "exception": "Type of an unexpected exception, never its text.",
    "refused": "What a process was refused when it started or ran, as a port or a key; a code and facts, never of a record.",
    "field": "Name of a refused field.",
    "rule": "Rule that refused it.",
    "municipality": "CBS code of a municipality that asked a keeper, or whose records are set aside.",
    "step": "What waits: store, outbox, broker, relay or watch; or what stood still: consumer or relay.",
    "status": "HTTP status of a refusal.",
    "logger": "The library that speaks.",
    "template": "Its message without arguments, or the place in its code.",
    "topic": "Topic of a record.",
    "names": "Topics and groups of the catalogue that a library speaks of.",
}
"""Every field that may be logged, with its meaning."""


class UnlistedLogEventError(ValueError):
    """Code logs an event or a field that is not in the list."""


def only_listed(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let only listed events and fields through: a structlog processor."""
    unlisted = (entry.keys() - FIELDS.keys()) | ({str(entry["event"])} - EVENTS.keys())
    if unlisted:
        raise UnlistedLogEventError(f"Not in the list of log events: {', '.join(sorted(unlisted))}.")
    return entry


class _Template(logging.Handler):
    """Passes a library's message as its template, and those of its arguments that are names."""

    def __init__(self, is_name: IsName) -> None:
        super().__init__()
        self._is_name = is_name

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        details: dict[str, object] = {"exception": failed} if failed else {}
        if names := [each for each in _texts(record.args) if self._is_name(each)]:
            details["names"] = names
        structlog.get_logger().log(
            record.levelno, "library_message", logger=record.name, template=_template_of(record), **details
        )


def _template_of(record: logging.LogRecord) -> str:
    # A message without arguments was formatted by the library itself, so that it may hold anything: name the place instead.
    return str(record.msg) if record.args else f"{record.module}:{record.funcName}"


def _texts(given: object) -> list[str]:
    """Return the texts among a library's arguments, also those within a tuple, a list, a set or the keys of a mapping."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, Mapping):
        return _texts((*given.keys(), *given.values()))
    if isinstance(given, tuple | list | set | frozenset):
        return list(dict.fromkeys(text for each in given for text in _texts(each)))
    return []


class _Unbroken:
    """A file that loses what it cannot write: a full disk under the logs stops nobody's work."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


class _OfCommands:
    """The log file of commands in a folder: opened for each event, since several commands may write it at the same time.

    Where it cannot be written, as in a folder of somebody else, events go to stderr: an alert is for a person to see.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / COMMANDS_LOG

    def write(self, text: str) -> None:
        try:
            if self._file.exists() and self._file.stat().st_size > COMMANDS_LOG_BYTES:
                self._file.replace(self._file.with_suffix(".log.1"))
            number = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            _Unbroken(sys.stderr).write(text)

    def flush(self) -> None:
        """Keep nothing back: each text is written at once."""


def _none(_text: str) -> bool:
    return False


def configure(service: str, level: str = "INFO", *, is_name: IsName = _none, commands_in: Path | None = None) -> None:
    """Send listed events to stderr as JSON lines, and libraries' warnings as templates.

    `is_name` says which texts in them are names that everybody may see. The events of a command go to commands.log in the folder
    `commands_in`, so that none stands between the lines that a person reads.
    """
    file = _Unbroken(sys.stderr) if commands_in is None else _OfCommands(commands_in)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", file)),
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(handlers=[_Template(is_name)], level=logging.WARNING, force=True)


def log(event: str, **fields: object) -> None:
    """Log a listed event."""
    structlog.get_logger().info(event, **fields)


def warn(event: str, **fields: object) -> None:
    """Log a listed event that a person should look at."""
    structlog.get_logger().warning(event, **fields)


def tell_uncaught() -> None:
    """Let what fails in a thread or ends this process be one line of the log, of its type and place: a traceback shows values."""
    threading.excepthook = lambda failed: _tell_uncaught(failed.exc_type, failed.exc_traceback)
    sys.excepthook = lambda kind, _error, trace: _tell_uncaught(kind, trace)


def _tell_uncaught(kind: type[BaseException], trace: TracebackType | None) -> None:
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    place = f"{frames[-1].f_globals.get('__name__')}:{frames[-1].f_code.co_name}" if frames else ""
    warn("unexpected_fault", exception=kind.__name__, template=place)
