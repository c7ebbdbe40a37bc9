"""The records that carry one routing decision to its receivers, each no more than its form of delivery may carry."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from signal_exchange.contracts.delivered import delivered_fields
from signal_exchange.domain.pruning import prune
from signal_exchange.routing.deciding import Delivery, Step
from signal_exchange.stream.work import Work

ALERT_NAMESPACE = uuid.UUID("6f5a4f44-2d4e-5f53-8f6c-0f5a6f7ab001")
PURPOSE_OF = {"CARE_COORDINATOR": "CARE_REFERRAL", "SCREENING_AGENDA": "SCREENING", "CHAIR_ALERT": "ACUTE_ALERT"}
SUMMARY_GROUP = {
    ("CARE_COORDINATOR", "FULL_PSEUDONYMOUS"): "care",
    ("CARE_COORDINATOR", "YOUTH_ROUTE"): "youth",
    ("SCREENING_AGENDA", "FULL_PSEUDONYMOUS"): "table",
}
"""The group whose sealed summary a form carries; the other forms carry no text."""


def deliver(step: Step, accepted: Mapping[str, Any], urgency: str, *, at: datetime, work: Work) -> None:
    """Send what one step asks: a retraction, an offer, or both. `accepted` is the signal's new state."""
    send = {"CARE_COORDINATOR": _referral, "SCREENING_AGENDA": _agenda_item}.get(step.destination)
    if step.retract is not None and send is not None:
        send(step.retract, accepted, urgency, retracted_by=step.now.rule_id, at=at, work=work)
    if step.offer is not None and send is not None:
        send(step.offer, accepted, urgency, retracted_by=None, at=at, work=work)
    if step.offer is not None and step.is_new and step.destination == "CHAIR_ALERT":
        _alert(step.offer, accepted, urgency, at=at, work=work)


def _referral(
    delivery: Delivery, accepted: Mapping[str, Any], urgency: str, *, retracted_by: str | None, at: datetime, work: Work
) -> None:
    topic = "referrals-youth" if delivery.deliver_as == "YOUTH_ROUTE" else "referrals"
    fields = _common(delivery, accepted, urgency, retracted_by)
    _send(topic, "Referral", fields, at, work)


def _agenda_item(
    delivery: Delivery, accepted: Mapping[str, Any], urgency: str, *, retracted_by: str | None, at: datetime, work: Work
) -> None:
    minor = delivery.deliver_as == "MINOR_STUB"
    fields = {**_common(delivery, accepted, urgency, retracted_by), "minor": minor}
    _send("agenda-items", "AgendaItem", fields, at, work)


def _send(topic: str, record: str, fields: Mapping[str, Any], at: datetime, work: Work) -> None:
    event_id = f"{fields['signal_id']}.{fields['revision']}.{fields['offer']}.{fields['status'].lower()}"
    work.send(topic, fields["signal_id"], record, fields, event_id=event_id, at=at)


def _common(delivery: Delivery, accepted: Mapping[str, Any], urgency: str, retracted_by: str | None) -> dict[str, Any]:
    signal = None if retracted_by else accepted["signal"]
    exchange = _exchange(signal, PURPOSE_OF[delivery.destination])
    return {
        "signal_id": accepted["signal_id"],
        "version": accepted["version"],
        # A retraction and the offer that follows it are two states of one key: twice the revision keeps them in order.
        "revision": accepted["revision"] * 2 + (0 if retracted_by else 1),
        "offer": delivery.offer,
        "municipality": accepted["municipality"],
        "status": "RETRACTED" if retracted_by else "OFFERED",
        "deliver_as": delivery.deliver_as,
        "rule_id": retracted_by or delivery.rule_id,
        "urgency": urgency,
        "due_from": delivery.due_from,
        "legal_basis": exchange.get("legal_basis"),
        "partnership": exchange.get("partnership"),
        "signal": None if signal is None else delivered_fields(prune(signal, delivery.deliver_as, delivery.destination)),
        "summary": None if signal is None else _summary(delivery, accepted["sealed"]),
    }


def _exchange(signal: Mapping[str, Any] | None, purpose: str) -> Mapping[str, Any]:
    entries = signal["exchanges"] if signal else ()
    return next((entry for entry in entries if entry["purpose"] == purpose), {})


def _summary(delivery: Delivery, sealed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    group = SUMMARY_GROUP.get((delivery.destination, str(delivery.deliver_as)))
    return next((part for part in sealed if part["group"] == group), None)


def _alert(delivery: Delivery, accepted: Mapping[str, Any], urgency: str, *, at: datetime, work: Work) -> None:
    alert_id = str(uuid.uuid5(ALERT_NAMESPACE, f"{accepted['signal_id']}:{delivery.offer}"))
    minor = any(subject["is_minor"] and subject["role"] == "VICTIM" for subject in accepted["signal"]["subjects"])
    fields = {
        "alert_id": alert_id,
        "signal_id": accepted["signal_id"],
        "version": accepted["version"],
        "municipality": accepted["municipality"],
        "urgency": urgency,
        "minor": minor,
        "rule_id": delivery.rule_id,
        "raised_at": at,
    }
    work.send("chair-alerts", alert_id, "ChairAlert", fields, event_id=alert_id, at=at)


def observe(accepted: Mapping[str, Any], signal: Mapping[str, Any], urgency: str, publish_day: date, *, work: Work) -> None:
    """Send the report fact of a signal to the statistics, under its random id (R-STAT-01)."""
    fields = {
        "observation_id": accepted["observation_id"],
        "revision": accepted["revision"],
        "kind": "REPORT",
        "municipality": accepted["municipality"],
        "publish_day": publish_day.isoformat(),
        "form": signal["forms"]["primary"],
        "sector": signal["sector"],
        "urgency": urgency,
        "reporter_source": signal["reporter_source"],
        "victim_age_bands": [subject["age_band"] for subject in signal["subjects"] if subject["role"] == "VICTIM"],
        "estimated_victims": signal["estimated_victims"],
        "counted": accepted["state"] != "WITHDRAWN",
    }
    event_id = f"{accepted['observation_id']}.{accepted['revision']}"
    work.send("observations", accepted["observation_id"], "Observation", fields, event_id=event_id, at=accepted["appended_at"])
