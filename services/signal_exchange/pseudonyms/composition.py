"""Puts a keeper together: settings in, a running API out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.register import Register
from signal_exchange.pseudonyms.api import create_app
from signal_exchange.pseudonyms.keeper import Keeper
from signal_exchange.pseudonyms.keys import Bearers, HeldKey, read_bearers, read_keys
from signal_exchange.pseudonyms.store import CounterStore, Quota, database_of
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.runtime.live_file import LiveFile
from signal_exchange.runtime.private_files import private_folder
from signal_exchange.runtime.production_checks import is_loopback, refuse_sample_settings
from signal_exchange.runtime.settings import KeeperSettings, loaded
from signal_exchange.stream.identity import register_of


def keeper_of(settings: KeeperSettings) -> Keeper:
    """Return the keeper of these settings.

    Raises:
        RefusedError: a file cannot be read as what it should hold, others may read the keys, or a key is not the one that the
            participants' register names: every municipality would refuse its proofs. Or that register is older than one seen.
    """
    keys, database = read_keys(settings.keys_file), database_of(settings)
    _require_registered(keys, settings.keeper, register_of(settings, database)())
    quota = Quota(settings.requests_per_day, settings.requests_per_month)
    return Keeper(keys, bearers_in(settings.tokens_file), CounterStore(database), clock.now, quota)


def bearers_in(file: Path) -> Callable[[], Bearers]:
    """Return the bearers of a file as it stands now; one that cannot be read is logged and not taken over.

    Raises:
        RefusedError: the file cannot be read now.
    """

    def refused(reason: str) -> None:
        logs.warn("tokens_refused", reason=reason)

    return LiveFile(file, lambda _: read_bearers(file), refused=refused, faults=(OSError, RefusedError))


def serve(settings: KeeperSettings) -> None:
    """Serve the keeper's API until the process is told to stop, with TLS of its own, or before it on the same machine.

    Raises:
        RefusedError: in production mode, what is only good for a demo, such as an address that is not loopback.
    """
    refuse_sample_settings(settings)
    logs.configure("pseudonyms", settings.log_level)
    if not is_loopback(settings.listen) and settings.certificate_file is None:
        logs.warn("listens_beyond_loopback")
    app = create_app(keeper_of(settings))
    uvicorn.run(app, host=settings.listen, port=settings.port, ssl_certfile=settings.certificate_file, **SERVER_OPTIONS)


def _require_registered(keys: Sequence[HeldKey], name: str, register: Register) -> None:
    keepers = [keeper for keeper in register.registered_keepers if keeper.name == name]
    registered = {key.epoch: key.public_key for keeper in keepers for key in keeper.keys}
    for held in keys:
        if registered.get(held.key.epoch, held.key.public_key) != held.key.public_key:
            raise RefusedError("EPOCH_KEY_NOT_REGISTERED", epoch=held.key.epoch, keeper=name)


def main() -> None:
    """Run a keeper until it is stopped."""
    settings = loaded(KeeperSettings)
    private_folder(settings.data_dir)
    serve(settings)
