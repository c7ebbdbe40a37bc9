"""The node of a municipality, declared."""

from signal_exchange.cli.declaring import Declaration, Service

SERVICE = "municipality"
DECLARED = Declaration(
    services=(
        Service(
            SERVICE, plan="signal_exchange.municipality.rebuilding:plan", run="signal_exchange.municipality.composition:main"
        ),
    ),
    groups={
        "inbox": "signal_exchange.municipality.inbox.commands:app",
        "certificates": "signal_exchange.municipality.commands:certificates_app",
        "questions": "signal_exchange.municipality.inbox.question_commands:questions_app",
        "tokens": "signal_exchange.municipality.inbox.question_commands:tokens_app",
    },
    commands={
        **dict.fromkeys(("publish", "trace", "withdraw", "erase", "outbox"), "signal_exchange.municipality.commands:app"),
        "answer": "signal_exchange.municipality.inbox.question_commands:app",
    },
    tables="signal_exchange.municipality.node:TABLES_OF_NODE",
)
