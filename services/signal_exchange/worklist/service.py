"""The worklists of the care coordinator and of the youth coordinator, declared: one code, each with its own everything."""

from signal_exchange.cli.declaring import Declaration, Service

WORKLIST, WORKLIST_YOUTH = "worklist", "worklist-youth"
DECLARED = Declaration(
    services=(
        Service(
            WORKLIST,
            "signal_exchange.worklist.composition:care_consumer",
            "signal_exchange.worklist.rebuilding:plan",
            pages="signal_exchange.worklist.pages.site:care_site",
        ),
        Service(
            WORKLIST_YOUTH,
            "signal_exchange.worklist.composition:youth_consumer",
            "signal_exchange.worklist.rebuilding:plan_youth",
            reader=WORKLIST,
            pages="signal_exchange.worklist.pages.site:youth_site",
        ),
    ),
    groups={
        WORKLIST: "signal_exchange.worklist.commands:app",
        WORKLIST_YOUTH: "signal_exchange.worklist.commands:youth_app",
    },
    tables="signal_exchange.worklist.store:TABLES",
)
