"""The product's own loop: the transport alone, and the whole consumer of routing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust

from jobs import Job, Meter
from signal_exchange.routing.tables import OUTBOX
from signal_exchange.runtime import logs
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.batch_app import BatchApp
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.sender import KafkaSender
from signal_exchange.stream.service import Consumer, faust_options
from works import Routing, Transport


def settings_of(job: Job) -> ServiceSettings:
    """Return the settings of a service for this job, all else being the product's defaults."""
    folder = Path(job.region) / "bench" / f"{job.group}-{job.instance}"
    folder.mkdir(parents=True, exist_ok=True)
    password = folder / "password"
    password.write_text(job.password, encoding="utf-8")
    return ServiceSettings(
        mode="demo",
        data_dir=folder,
        register_file=Path(job.region) / "register.json",
        region_key_file=Path(job.region) / "region-key.json",
        keys_file=Path(job.region) / "routing" / "keys.json",
        kafka_bootstrap=job.bootstrap,
        kafka_user=job.username,
        kafka_password_file=password,
        instance=job.instance,
    )


def ours(job: Job, task: Transport | Routing, meter: Meter) -> None:
    """Run the product's consumer on this job."""
    logs.configure(job.group, "WARNING")
    app = ours_app(job, task, meter)
    faust.Worker(app, loglevel="ERROR", quiet=True, override_logging=False, redirect_stdouts=False).execute_from_commandline()


def ours_app(job: Job, task: Transport | Routing, meter: Meter) -> BatchApp:
    """Return the product's consumer, or its transport alone, for this job."""
    return _transport(job, task, meter) if isinstance(task, Transport) else _consumer(job, task, meter)


def _transport(job: Job, task: Transport, meter: Meter) -> BatchApp:
    settings = settings_of(job)
    sender = KafkaSender(settings.kafka)

    async def on_batch(records: Sequence[Any]) -> None:
        meter.begins()
        await sender.send(task.take([task.of_record(record) for record in records]))

    app = BatchApp(
        job.group,
        sources=(job.source,),
        on_batch=on_batch,
        on_idle=lambda: None,
        on_lost=_fail,
        before_first=sender.start,
        after_last=sender.stop,
        grace_seconds=settings.grace_seconds,
        **faust_options(settings, job.group),
    )
    return _metered(app, meter)


def _fail(lost: Exception) -> None:
    raise lost


def _consumer(job: Job, task: Routing, meter: Meter) -> BatchApp:
    settings = settings_of(job)
    spec = ConsumerSpec(
        name=job.group,
        reader="routing",
        sources=(job.source,),
        database=task.database,
        outbox=OUTBOX,
        handle=task.handle,
        seal=task.seal,
    )
    return _metered(Consumer(spec, settings).app, meter)


def _metered(app: BatchApp, meter: Meter) -> BatchApp:
    """Count a batch after its commit."""
    transport = app._new_transport  # noqa: SLF001 - the bench looks between the handler and the commit

    def new_transport() -> Any:
        made = transport()

        class Consumer(made.Consumer):  # type: ignore[name-defined,misc]  # the one that the app would make
            async def _run(self, records: Any) -> None:
                meter.begins()
                await super()._run(records)
                if meter.did(sum(map(len, records.values()))):
                    os._exit(0)

        made.Consumer = Consumer  # type: ignore[misc]  # in its place
        return made

    app._new_transport = new_transport  # type: ignore[method-assign]  # noqa: SLF001
    return app
