"""The records that carry one routing decision to its receivers, each no more than its form of delivery may carry."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from signal_exchange.contracts import records
from signal_exchange.contracts.delivered import delivered_fields
from signal_exchange.contracts.record_names import RecordName
from signal_exchange.contracts.records import AcceptedSignal, AgendaItem, ChairAlert, Referral, SealedPart
from signal_exchange.domain.destinations import BY_CODE, CHAIR_ALERT, Receiver
from signal_exchange.domain.rules.pruning import prune
from signal_exchange.domain.signals.coded_types import CodedSignal, Exchange
from signal_exchange.routing.deciding import Delivery, Step
from signal_exchange.routing.erasures import Erasure
from signal_exchange.stream.erasing import ERASED
from signal_exchange.stream.observations import REPORT, send_observation
from signal_exchange.stream.work import Work

ALERT_NAMESPACE = uuid.UUID("6f5a4f44-2d4e-5f53-8f6c-0f5a6f7ab001")


def deliver(step: Step, accepted: AcceptedSignal, urgency: str, *, at: datetime, work: Work) -> None:
    """Send what one step asks: a retraction, an offer, or both. `accepted` is the signal's new state."""
    if BY_CODE[step.destination].owns_signals:
        if step.retract is not None:
            _send(step.retract, accepted, urgency, retracted_by=step.now.rule_id, at=at, work=work)
        if step.offer is not None:
            _send(step.offer, accepted, urgency, retracted_by=None, at=at, work=work)
    elif step.offer is not None and step.is_new and step.destination == CHAIR_ALERT:
        _alert(step.offer, accepted, urgency, at=at, work=work)


def _send(
    delivery: Delivery, accepted: AcceptedSignal, urgency: str, *, retracted_by: str | None, at: datetime, work: Work
) -> None:
    receiver, fields = _receiver(delivery), _delivered(delivery, accepted, urgency, retracted_by)
    event_id = f"{fields['signal_id']}.{fields['revision']}.{fields['offer']}.{fields['status'].lower()}"
    send_delivered(receiver, fields, minor=delivery.deliver_as == "MINOR_STUB", event_id=event_id, at=at, work=work)


def _receiver(delivery: Delivery) -> Receiver:
    return BY_CODE[delivery.destination].receiver_of(delivery.deliver_as)


def send_delivered(receiver: Receiver, fields: Referral, *, minor: bool, event_id: str, at: datetime, work: Work) -> None:
    """Send the fields that the records of all destinations share, which a Referral has, as the record of one receiver."""
    record = RecordName[Referral](receiver.record)
    item: AgendaItem = {**fields, "minor": minor}
    work.send(receiver.topic, fields["signal_id"], record, item if receiver.tells_minor else fields, event_id=event_id, at=at)


def _delivered(delivery: Delivery, accepted: AcceptedSignal, urgency: str, retracted_by: str | None) -> Referral:
    """Return the fields that every destination gets."""
    if delivery.due_from is None or delivery.deliver_as is None:
        raise ValueError("Only what is sent is delivered, since a moment and in a form.")
    signal = None if retracted_by else accepted["signal"]
    exchange = _exchange(signal, BY_CODE[delivery.destination].purpose)
    return Referral(
        signal_id=accepted["signal_id"],
        version=accepted["version"],
        # A retraction and the offer that follows it are two states of one key: twice the revision keeps them in order.
        revision=accepted["revision"] * 2 + (0 if retracted_by else 1),
        offer=delivery.offer,
        municipality=accepted["municipality"],
        status="RETRACTED" if retracted_by else "OFFERED",
        deliver_as=delivery.deliver_as,
        rule_id=retracted_by or delivery.rule_id,
        urgency=urgency,
        due_from=delivery.due_from,
        legal_basis=exchange["legal_basis"] if exchange else None,
        partnership=exchange["partnership"] if exchange else None,
        signal=None if signal is None else delivered_fields(prune(signal, delivery.deliver_as, delivery.destination)),
        summary=None if signal is None else _summary(delivery, accepted["sealed"]),
        word=None,
    )


def erased_referral(erasure: Erasure) -> Referral:
    """Return a delivery that asks to erase the signal: nothing of it but the word on which that rests."""
    return Referral(
        signal_id=erasure.signal_id,
        version=erasure.version,
        # Later than every offer and retraction of the signal, whose records count twice the accepted revision.
        revision=erasure.revision * 2 + 1,
        offer=0,
        municipality=erasure.municipality,
        status=ERASED,
        deliver_as="",
        rule_id="",
        urgency="",
        due_from=erasure.erased_at,
        legal_basis=None,
        partnership=None,
        signal=None,
        summary=None,
        word=erasure.word,
    )


def _exchange(signal: CodedSignal | None, purpose: str) -> Exchange | None:
    entries = signal["exchanges"] if signal else ()
    return next((entry for entry in entries if entry["purpose"] == purpose), None)


def _summary(delivery: Delivery, sealed: Sequence[SealedPart]) -> SealedPart | None:
    group = BY_CODE[delivery.destination].group_of(delivery.deliver_as)
    return next((part for part in sealed if part["group"] == group), None)


def _alert(delivery: Delivery, accepted: AcceptedSignal, urgency: str, *, at: datetime, work: Work) -> None:
    alert_id = str(uuid.uuid5(ALERT_NAMESPACE, f"{accepted['signal_id']}:{delivery.offer}"))
    subjects = accepted["signal"]["subjects"] if accepted["signal"] else ()
    alert = ChairAlert(
        alert_id=alert_id,
        signal_id=accepted["signal_id"],
        version=accepted["version"],
        municipality=accepted["municipality"],
        urgency=urgency,
        minor=any(subject["is_minor"] and subject["role"] == "VICTIM" for subject in subjects),
        rule_id=delivery.rule_id,
        raised_at=at,
    )
    work.send("chair-alerts", alert_id, records.CHAIR_ALERT, alert, event_id=alert_id, at=at)


def observe(accepted: AcceptedSignal, signal: CodedSignal, urgency: str, publish_day: date, *, work: Work) -> None:
    """Send the report fact of a signal to the statistics, under its random id (R-STAT-01)."""
    send_observation(
        work,
        at=accepted["appended_at"],
        observation_id=accepted["observation_id"] or "",
        revision=accepted["revision"],
        kind=REPORT,
        municipality=accepted["municipality"],
        publish_day=publish_day.isoformat(),
        form=signal["forms"]["primary"],
        sector=signal["sector"],
        urgency=urgency,
        reporter_source=signal["reporter_source"],
        victim_age_bands=[subject["age_band"] for subject in signal["subjects"] if subject["role"] == "VICTIM"],
        estimated_victims=signal["estimated_victims"],
        counted=accepted["state"] != "WITHDRAWN",
    )
