"""The office of the region, declared: commands without a service of their own."""

from signal_exchange.cli.declaring import Declaration

DECLARED = Declaration(
    groups={"participants": "signal_exchange.participants.commands:app"},
    commands={"init-region": "signal_exchange.participants.region_commands:app"},
    former={"found": "init-region"},
)
