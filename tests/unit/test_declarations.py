"""What the packages declare of their services: complete, as the catalogue of topics knows them, and free to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from signal_exchange.cli.declaring import PACKAGES, declarations
from signal_exchange.contracts.schemas import reader_schemas
from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.domain.destinations import GROUP_OF

PRODUCT = Path(__file__).parents[2] / "services" / "signal_exchange"
SERVICES = [service for each in declarations().values() for service in each.services]
LOADED = (
    "import sys; from signal_exchange.cli.declaring import declarations; declarations(); "
    "print(*(name for name in sys.modules if name.startswith('signal_exchange.') and name.count('.') > 1))"
)


def test_every_package_that_declares_something_is_found() -> None:
    declared = {file.parent.name for file in PRODUCT.glob("*/service.py") if "DECLARED = " in file.read_text(encoding="utf-8")}
    assert declared == set(PACKAGES)


def test_each_service_has_one_declaration() -> None:
    names = [service.name for service in SERVICES]
    assert len(names) == len(set(names))


def test_the_services_that_can_be_rebuilt_are_the_consumers_and_the_node_of_a_municipality() -> None:
    assert {service.name for service in SERVICES if service.plan} == {*CONSUMERS, "municipality"}


def test_each_consumer_has_a_view_of_the_records_that_it_reads() -> None:
    assert all(reader_schemas(service.reader or service.name) for service in SERVICES if service.plan)


def test_each_recipient_group_belongs_to_a_service_that_there_is() -> None:
    assert set(GROUP_OF) <= {service.name for service in SERVICES}


def test_to_read_the_declarations_loads_nothing_else_of_a_package() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True)
    assert set(said.stdout.split()) == {
        "signal_exchange.cli.declaring",
        *(f"signal_exchange.{name}.service" for name in PACKAGES),
    }
