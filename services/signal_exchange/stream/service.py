"""Starts a consumer: settings in, a running process out. Every service's composition uses it.

Faust is imported when a consumer is made: the commands of people take their tables and handlers from the same compositions, and
answer in half the time without it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from signal_exchange.contracts.names import is_name
from signal_exchange.contracts.schemas import reader_schemas, writer_schemas
from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.answering import was_answered
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.health import HealthServer, Progress
from signal_exchange.runtime.private_files import private_folder
from signal_exchange.runtime.production_checks import refuse_sample_settings
from signal_exchange.runtime.scrubbing import require_scrubbable
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec, Handle, OnTombstones
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.scrubbing import LOOK_SECONDS, Scrubber
from signal_exchange.stream.sender import KafkaSender
from signal_exchange.stream.watchdog import Watchdog, world_answers

if TYPE_CHECKING:
    from signal_exchange.stream.batch_app import BatchApp

STOP_SECONDS = 30.0
"""How long everything besides the batch in hand may take to stop."""
GATHER_SECONDS = 0.25
"""For services whose work nobody waits for (docs/decisions/0018)."""
NICE = 5
"""How far those step back on a machine that they share with a service that is waited for."""
METADATA_MILLISECONDS = 30_000
"""Age at which a consumer asks Kafka anew which partitions there are."""
DRIVEN_LOOK_SECONDS = 0.5
"""How soon a pause under a driven clock sees that the clock was set forward."""
OUTBOX_SECONDS = 0.2
"""Pause between two looks for records that people's decisions, or a crash, left in the outbox."""


class Consumer:
    """A consumer with everything around it: producer, health server, outbox relay, Faust app."""

    def __init__(self, spec: ConsumerSpec, settings: ServiceSettings) -> None:
        self.spec, self.settings = spec, settings
        self.metrics = spec.metrics
        self.progress = Progress(self.metrics, settings.stall_seconds)
        self.health = HealthServer(settings.metrics_port, self.metrics, self.progress, settings.metrics_listen)
        self.sender = KafkaSender(settings.kafka)
        flood = FloodGate(settings.flood_records)
        self.loop = BatchLoop(spec, self.sender, self.progress, flood, settings.patience_seconds)
        self.app = self._app()
        self.scrubs = False
        self.watchdog = self._watchdog()
        self._tasks: list[asyncio.Task[None]] = []

    def _app(self) -> BatchApp:
        from signal_exchange.stream.batch_app import BatchApp  # noqa: PLC0415 - see above

        return BatchApp(
            self.spec.name,
            sources=self.spec.sources,
            on_batch=self._on_batch,
            on_idle=self._on_idle,
            on_lost=self._on_lost,
            before_first=self._start,
            after_last=self._stop,
            grace_seconds=self.settings.grace_seconds,
            gather_seconds=self.spec.gather_seconds,
            **faust_options(self.settings, self.spec.name),
        )

    def _watchdog(self) -> Watchdog:
        kafka, database = self.settings.kafka, self.spec.database
        parts = {"consumer": lambda: self.progress.signs, **self.spec.watched}
        # While a table is written anew, a batch may wait for it longer than for anything else: it does not stand still.
        return Watchdog(parts, self.settings.watchdog_seconds, lambda: not self.scrubs and world_answers(kafka, database))

    def _scrub(self) -> None:
        self.scrubs = True
        try:
            Scrubber(self.spec.database, self.spec.outbox).look()
        finally:
            self.scrubs = False

    def stop_begins(self) -> None:
        """Give the stop its time; afterwards the process ends, whatever still stands still."""
        self.watchdog.stop()
        end_in(self.settings.grace_seconds + STOP_SECONDS)

    async def _on_batch(self, records: Sequence[Any]) -> None:
        try:
            await self.loop.on_batch(records)
        except Exception as error:
            _tell_stopped(error)
            raise

    def _on_idle(self) -> None:
        # Where the relay does not come back from the outbox, there being no records is no progress.
        if not self.loop.at_work:
            self.progress.moved()

    def _on_lost(self, lost: Exception) -> None:
        logs.warn("consumer_stopped", reason="GROUP_LOST", exception=type(lost).__name__)

    async def _start(self) -> None:
        self.health.start()
        await asyncio.to_thread(_read_schemas, self.spec.reader)
        await self.sender.start()
        for run in (self._relay, every(LOOK_SECONDS, self._scrub), *self.spec.alongside):
            self._tasks.append(asyncio.create_task(self._until_stop(run)))
        logs.log("process_started")

    async def _until_stop(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - any failure alongside stops the whole process, as in the loop
            _tell_stopped(error)
            await self.app.crash(error)

    async def _relay(self) -> None:
        while True:
            await self.loop.flush()
            await asyncio.sleep(OUTBOX_SECONDS)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.stop()
        self.health.stop()
        self.spec.database.close()
        logs.log("process_stopped")


def _tell_stopped(error: Exception) -> None:
    """Log why a consumer stops: of a refusal its code and facts, of another fault its type, since its text may hold anything."""
    if isinstance(error, RefusedError):
        logs.warn("consumer_stopped", exception=type(error).__name__, refused=str(error))
    else:
        logs.warn("consumer_stopped", exception=type(error).__name__)


def _read_schemas(reader: str) -> None:
    """Read every schema before the first record comes, which need not wait for them then; they are kept from here on."""
    writer_schemas()
    reader_schemas(reader)


def every(seconds: float, look: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """Return a coroutine that does something every so many seconds, in a thread, for `alongside`.

    While the world does not answer, or the register lacks a key to seal to, it is left out; the next time does it all.
    """

    async def watch() -> None:
        while True:
            await _pause(seconds)
            try:
                await asyncio.to_thread(was_answered, "store", look)
            except NoSealingKeyError as fault:
                logs.warn("sealing_key_missing", reason=str(fault))

    return watch


async def _pause(seconds: float) -> None:
    """Wait so many seconds, under a driven clock by what that says (docs/decisions/0031)."""
    if not clock.is_driven():
        await asyncio.sleep(seconds)
        return
    until = clock.now() + timedelta(seconds=seconds)
    while clock.now() < until:  # noqa: ASYNC110 - what is waited for is a file that another process writes
        await asyncio.sleep(min(seconds, DRIVEN_LOOK_SECONDS))


def faust_options(settings: ServiceSettings, name: str) -> dict[str, Any]:
    """Return Faust's settings; docs/decisions/0003 says why each has this value."""
    from faust import SASLCredentials  # noqa: PLC0415 - see above

    session = settings.session_seconds
    return {
        "broker": settings.kafka.broker_urls(),
        "broker_credentials": SASLCredentials(**settings.kafka.credentials()),
        "datadir": str(settings.data_dir / "faust"),
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": METADATA_MILLISECONDS,
        "broker_max_poll_records": settings.batch_records,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": min(3.0, session / 3),
        "broker_rebalance_timeout": max(60.0, settings.grace_seconds + 15),
        "broker_request_timeout": session + 45,
        "consumer_group_instance_id": f"{name}-{settings.instance}",
        "stream_wait_empty": False,
        "worker_redirect_stdouts": False,
    }


def end_in(seconds: float, end: Callable[[int], None] = os._exit) -> threading.Timer:
    """End this process with exit code 1 after so many seconds, unless it ended by itself by then.

    A stop while the broker is away can leave a thread of Faust's consumer behind for ever. Nothing is lost: what was not
    committed comes again.
    """

    def force() -> None:
        logs.warn("stop_forced", seconds=seconds)
        end(1)

    timer = threading.Timer(seconds, force)
    timer.daemon = True
    timer.start()
    return timer


def consumer_of(
    name: str,
    database: Database,
    outbox: Table,
    identity: Identity,
    handle: Handle,
    *,
    on_tombstones: OnTombstones | None = None,
    reader: str = "",
    waited_for: bool = False,
) -> ConsumerSpec:
    """Return the declaration of a consumer whose topics, seals and register follow from its name and its keys."""
    return ConsumerSpec(
        name=name,
        reader=reader or name,
        sources=catalogue(()).sources_of(name),
        database=database,
        outbox=outbox,
        handle=handle,
        seal=identity.parking_seal(name),
        unseal=identity.opened,
        on_tombstones=on_tombstones,
        gather_seconds=0.0 if waited_for else GATHER_SECONDS,
        look=identity.current_register,
    )


def run_consumer(spec: ConsumerSpec, settings: ServiceSettings) -> None:
    """Run a consumer until SIGTERM or SIGINT; exit code 1 after an unexpected fault, with nothing committed.

    Raises:
        RefusedError: in production mode, what is only good for a demo.
    """
    from faust import Worker  # noqa: PLC0415 - see above

    refuse_sample_settings(settings)
    logs.configure(spec.name, settings.log_level, is_name=is_name)
    logs.tell_uncaught()
    for noisy in ("aiokafka", "alembic", "faust", "mode"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if spec.gather_seconds:
        os.nice(NICE)
    private_folder(settings.data_dir)
    spec.database.create_tables()
    if settings.mode == "production":
        require_scrubbable(spec.database)
    consumer = Consumer(spec, settings)
    consumer.app.on_stop_begins = consumer.stop_begins
    consumer.watchdog.start()
    worker = Worker(consumer.app, loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # it writes signs for a terminal into the log
    worker.execute_from_commandline()
