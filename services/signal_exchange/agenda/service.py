"""The agenda of the screening meeting, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "agenda"
DECLARED = Declaration(
    services=(Service(SERVICE, "signal_exchange.agenda.composition:consumer_spec", "signal_exchange.agenda.rebuilding:plan"),),
    groups={SERVICE: "signal_exchange.agenda.commands:app"},
    tables="signal_exchange.agenda.tables:TABLES",
)
