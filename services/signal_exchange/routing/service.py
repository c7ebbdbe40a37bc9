"""Routing, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "routing"
DECLARED = Declaration(
    services=(
        Service(
            SERVICE,
            "signal_exchange.routing.composition:consumer_spec",
            "signal_exchange.routing.rebuilding:plan",
            settings="signal_exchange.runtime.settings:RoutingSettings",
        ),
    ),
    groups={
        "erasures": "signal_exchange.routing.erasure_commands:app",
        "rules": "signal_exchange.routing.rules_commands:app",
        SERVICE: "signal_exchange.routing.commands:app",
    },
    tables="signal_exchange.routing.tables:TABLES",
)
