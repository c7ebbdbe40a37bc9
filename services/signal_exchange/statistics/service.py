"""Statistics, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "statistics"
DECLARED = Declaration(
    services=(
        Service(SERVICE, "signal_exchange.statistics.composition:consumer_spec", "signal_exchange.statistics.rebuilding:plan"),
    ),
    groups={SERVICE: "signal_exchange.statistics.commands:app"},
    tables="signal_exchange.statistics.store:TABLES",
)
