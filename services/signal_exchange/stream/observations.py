"""Facts for the statistics, under random ids that lead to no signal (R-STAT-01): reports of routing, and persons of linking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signal_exchange.contracts.records import OBSERVATION, Observation
from signal_exchange.stream.work import Work

REPORT, PERSON = "REPORT", "PERSON"


def send_observation(
    work: Work,
    *,
    at: datetime,
    observation_id: str,
    revision: int,
    kind: str,
    municipality: str,
    publish_day: str,
    form: str,
    counted: bool,
    sector: str = "",
    urgency: str = "",
    reporter_source: str = "",
    victim_age_bands: Sequence[str] = (),
    estimated_victims: int | None = None,
    age_class: str | None = None,
) -> None:
    """Send one fact. A report has no age class, and a person nothing of the report."""
    fact = Observation(
        observation_id=observation_id,
        revision=revision,
        kind=kind,
        municipality=municipality,
        publish_day=publish_day,
        form=form,
        sector=sector,
        urgency=urgency,
        reporter_source=reporter_source,
        victim_age_bands=list(victim_age_bands),
        estimated_victims=estimated_victims,
        counted=counted,
        age_class=age_class,
    )
    work.send("observations", observation_id, OBSERVATION, fact, event_id=f"{observation_id}.{revision}", at=at)
