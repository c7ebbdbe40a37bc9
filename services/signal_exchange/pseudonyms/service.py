"""A keeper of pseudonyms, declared: it reads no stream, so that there is nothing to rebuild it from."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "keeper"
DECLARED = Declaration(
    services=(Service(SERVICE, run="signal_exchange.pseudonyms.composition:main"),),
    groups={SERVICE: "signal_exchange.pseudonyms.commands:app"},
    tables="signal_exchange.pseudonyms.store:TABLES",
)
