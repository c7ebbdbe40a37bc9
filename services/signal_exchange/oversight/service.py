"""Oversight, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "oversight"
DECLARED = Declaration(
    services=(
        Service(SERVICE, "signal_exchange.oversight.composition:consumer_spec", "signal_exchange.oversight.rebuilding:plan"),
    ),
    groups={
        "parked": "signal_exchange.oversight.parked_commands:app",
        "ledger": "signal_exchange.oversight.commands:ledger_app",
    },
    commands=dict.fromkeys(("alarms", "overdue"), "signal_exchange.oversight.commands:app"),
    former={"check": "ledger", "open": "overdue"},
    tables="signal_exchange.oversight.store:TABLES",
)
