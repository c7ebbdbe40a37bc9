"""The last verified state of a signal, as routing keeps it and sends it to `accepted`: how each act makes the next one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from signal_exchange.contracts.records import AcceptedSignal, SignalErased, SignalPublished, SignalWithdrawn
from signal_exchange.contracts.signed import content_of
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.rules.routing import rescreen_due_from
from signal_exchange.domain.signals.versions import content_hash
from signal_exchange.routing.deciding import Step
from signal_exchange.routing.verifying import Verified
from signal_exchange.stream.erasing import ERASED


def published_state(
    verified: Verified, fields: SignalPublished, before: AcceptedSignal | None, steps: Sequence[Step], revision: int
) -> AcceptedSignal:
    """Return the state after a new version."""
    at = verified.message.appended_at
    return AcceptedSignal(
        signal_id=fields["signal"]["signal_id"],
        version=fields["signal"]["version"],
        revision=revision,
        state="ROUTED",
        municipality=verified.municipality,
        publisher_run=verified.publisher_run,
        sequence=verified.sequence,
        first_published_at=before["first_published_at"] if before else at,
        appended_at=at,
        content_hash=bytes.fromhex(content_hash(content_of(fields))),
        own_ref=fields["own_ref"],
        tokens_pending=fields["tokens_pending"],
        signal=fields["signal"],
        sealed=fields["sealed"],
        deliveries=[step.now.as_fields() for step in steps],
        screened=before["screened"] if before else False,
        observation_id=before["observation_id"] if before else str(uuid.uuid4()),
    )


def withdrawn_state(
    verified: Verified, fields: SignalWithdrawn, before: AcceptedSignal, steps: Sequence[Step], revision: int
) -> AcceptedSignal:
    """Return the state after a withdrawal: nothing of the signal itself is left."""
    return {
        **before,
        "version": fields["version"],
        "revision": revision,
        "state": "WITHDRAWN",
        "publisher_run": verified.publisher_run,
        "sequence": verified.sequence,
        "appended_at": verified.message.appended_at,
        "signal": None,
        "sealed": [],
        "deliveries": [step.now.as_fields() for step in steps],
    }


def erased_state(verified: Verified, fields: SignalErased, revision: int) -> AcceptedSignal:
    """Return the erased state: who, which version, when, and nothing of what it was."""
    at = verified.message.appended_at
    return AcceptedSignal(
        signal_id=fields["signal_id"],
        version=fields["version"],
        revision=revision,
        state=ERASED,
        municipality=fields["municipality"],
        publisher_run=verified.publisher_run,
        sequence=verified.sequence,
        first_published_at=at,
        appended_at=at,
        content_hash=b"",
        own_ref=b"",
        tokens_pending=False,
        signal=None,
        sealed=[],
        deliveries=[],
        screened=False,
        observation_id=None,
    )


def rescreen_at(accepted: AcceptedSignal, calendar: WorkingCalendar) -> datetime | None:
    """Return the moment at which time alone makes the rules judge an accepted signal again (R-ROUTE-08), or None."""
    due_at = rescreen_due_from(accepted["first_published_at"], calendar)
    waits = accepted["state"] == "ROUTED" and not accepted["screened"] and accepted["appended_at"] < due_at
    return due_at if waits else None
