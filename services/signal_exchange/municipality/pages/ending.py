"""The pages by which a signal ends: withdrawing it, erasing it, and the certificates of what was erased."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.pages import tracing
from signal_exchange.municipality.pages.signal import SIGNALS
from signal_exchange.municipality.publishing.wording import label
from signal_exchange.municipality.telling import ERASURE_STATES, named
from signal_exchange.people.access import Act, require
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.web.forms import FieldFault, Form
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visit, Visitor

ERASED: Final = "/vernietigd"
REASONS: Final = "withdrawal_reason"
SERVICES: Final = words.keyed(
    "municipality.service.worklist",
    "municipality.service.worklist-youth",
    "municipality.service.agenda",
    "municipality.service.statistics",
    "municipality.service.linking",
    "municipality.service.feedback",
    "municipality.service.oversight",
    "municipality.service.routing",
)


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of taking a signal back, and of erasing it."""
    found = APIRouter()

    @found.get(SIGNALS + "/{signal_id}/intrekken")
    def ask_withdraw(visit: Visitor, signal_id: str) -> Response:
        """Ask why, and say who will be told."""
        return _withdrawing(visit, actions, signal_id, Form())

    @found.post(SIGNALS + "/{signal_id}/intrekken")
    def withdraw(visit: Submitted, signal_id: str) -> Response:
        """Withdraw the signal, and show who took it back."""
        require(visit.person, Act.MUNICIPALITY_WITHDRAW)
        try:
            done = actions.withdraw(signal_id, visit.form.value("reason"))
        except RefusedError as refusal:
            if refusal.field != "reason":
                raise
            fault = FieldFault("reason", words.text("municipality.page.withdraw.reason.missing"))
            return _withdrawing(visit, actions, signal_id, visit.form.with_faults([fault]))
        visit.tell("municipality.page.withdrawn_before" if done.already else "municipality.page.withdrawn")
        return visit.go(f"{SIGNALS}/{done.signal_id}")

    @found.get(SIGNALS + "/{signal_id}/wissen")
    def ask_erase(visit: Visitor, signal_id: str) -> Response:
        """Show the losses and the receivers that will be told, and ask for the short reference."""
        return _erasing(visit, actions, signal_id, Form())

    @found.post(SIGNALS + "/{signal_id}/wissen")
    def erase(visit: Submitted, signal_id: str) -> Response:
        """Erase the signal for good, once its short reference was typed."""
        require(visit.person, Act.MUNICIPALITY_ERASE)
        listed = actions.signal(signal_id).listed
        if visit.form.value("nummer").upper() != listed.number.upper():
            fault = FieldFault("nummer", words.text("municipality.page.erase.number.wrong", number=listed.number))
            return _erasing(visit, actions, signal_id, visit.form.with_faults([fault]))
        actions.erase(listed.signal_id, visit.person)
        return visit.go(f"{ERASED}/{listed.signal_id}")

    return found


def certificates_router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of what was erased."""
    found = APIRouter()

    @found.get(ERASED)
    def certificates(visit: Visitor) -> Response:
        """Show the erased signals and the state of each erasure."""
        require(visit.person, Act.MUNICIPALITY_CERTIFICATES)
        rows = [{**each, "told": named(ERASURE_STATES, each["state"])} for each in actions.certificates()]
        return page(visit, "municipality/certificates.html.j2", rows=rows)

    @found.get(ERASED + "/{signal_id}")
    def certificate(visit: Visitor, signal_id: str) -> Response:
        """Show one erasure: who answered what, and the certificate once it is there."""
        require(visit.person, Act.MUNICIPALITY_CERTIFICATES)
        one = actions.certificate(signal_id)
        receipts: Any = [(named(SERVICES, who), label("erasure_receipt_state", state)) for who, state in one["receipts"].items()]
        facts = {"state": named(ERASURE_STATES, one["state"]), "receipts": receipts, "owes": actions.still_owes_bytes()}
        return page(visit, "municipality/certificate.html.j2", erased=one, **facts)

    return found


def _withdrawing(visit: Visit, actions: MunicipalityActions, signal_id: str, form: Form) -> Response:
    require(visit.person, Act.MUNICIPALITY_WITHDRAW)
    day = local_day(actions.now())
    reasons = [(each, label(REASONS, each).capitalize()) for each in load_code_lists().codes_on(REASONS, day)]
    facts = {"form": form, "reasons": reasons, **_who_is_told(actions, signal_id)}
    return page(visit, "municipality/withdraw.html.j2", status=422 if form.faults else 200, **facts)


def _erasing(visit: Visit, actions: MunicipalityActions, signal_id: str, form: Form) -> Response:
    require(visit.person, Act.MUNICIPALITY_ERASE)
    facts = {"form": form, **_who_is_told(actions, signal_id)}
    return page(visit, "municipality/erase.html.j2", status=422 if form.faults else 200, **facts)


def _who_is_told(actions: MunicipalityActions, signal_id: str) -> dict[str, Any]:
    own = actions.signal(signal_id)
    return {"own": own, "holders": tracing.holders(actions.trace(own.listed.signal_id))}
