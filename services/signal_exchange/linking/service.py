"""Linking, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "linking"
DECLARED = Declaration(
    services=(Service(SERVICE, "signal_exchange.linking.composition:consumer_spec", "signal_exchange.linking.rebuilding:plan"),),
    groups={SERVICE: "signal_exchange.linking.commands:app"},
    tables="signal_exchange.linking.tables:TABLES",
)
