"""Feedback, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "feedback"
DECLARED = Declaration(
    services=(
        Service(SERVICE, "signal_exchange.feedback.composition:consumer_spec", "signal_exchange.feedback.rebuilding:plan"),
    ),
    groups={SERVICE: "signal_exchange.feedback.commands:app"},
    tables="signal_exchange.feedback.store:TABLES",
)
