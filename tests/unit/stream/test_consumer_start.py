"""A consumer that production mode refuses does not start at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refusing import refused

from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.service import run_consumer


def test_a_consumer_without_tls_does_not_start_in_production_and_leaves_nothing_behind(tmp_path: Path) -> None:
    for name in ("password", "keys.json"):
        (tmp_path / name).touch(mode=0o600)
    settings = ServiceSettings(
        data_dir=tmp_path / "data",
        register_file=tmp_path / "register.json",
        region_key_file=tmp_path / "region-key.json",
        kafka_bootstrap="127.0.0.1:1",
        kafka_user="routing",
        kafka_password_file=tmp_path / "password",
        keys_file=tmp_path / "keys.json",
    )
    never_asked: Any = None
    with refused(r"^Production mode refuses to start: SIGNAL_EXCHANGE_KAFKA_CA_FILE is empty", "en"):
        run_consumer(never_asked, settings)
    assert not settings.data_dir.exists()
