"""The pages on which an officer enters a signal in four steps, sees what leaves, sends it, and gets a receipt.

What was typed is kept at every step, as a draft of that person alone. An address holds the reference and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.entering import texts
from signal_exchange.municipality.entering.acts import Entering, Look
from signal_exchange.municipality.entering.entries import STEPS, Entry
from signal_exchange.municipality.entering.questions import Asked, asked
from signal_exchange.municipality.entering.texts import Found
from signal_exchange.municipality.pages import report_options as options
from signal_exchange.municipality.pages import report_rows as rows
from signal_exchange.municipality.publishing.importing import RECORD
from signal_exchange.municipality.publishing.wording import said_of
from signal_exchange.people.access import Act, is_allowed, require
from signal_exchange.web.forms import FieldFault, Form
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visit, Visitor

HOME: Final = "/melden"
ORDER: Final = tuple(STEPS)
CHECK: Final = ORDER[-1]
"""The last step, on which everything is looked over."""
TEMPLATES: Final = {
    "gezien": "municipality/report_seen.html.j2",
    "soort": "municipality/report_kind.html.j2",
    "wie-en-waar": "municipality/report_who.html.j2",
    CHECK: "municipality/report_check.html.j2",
}
OPTIONS: Final = {
    "gezien": options.of_seen,
    "soort": options.of_kind,
    "wie-en-waar": options.of_who,
    CHECK: options.of_check,
}
TITLES: Final = words.keyed(
    "entering.step.gezien", "entering.step.soort", "entering.step.wie-en-waar", "entering.step.controleren"
)
MISSING: Final = words.keyed("entering.missing.form", "entering.missing.urgency", "entering.missing.age_band")
PUTS: Final = words.keyed(
    "entering.put.BSN",
    "entering.put.PHONE",
    "entering.put.PLATE",
    "entering.put.IBAN",
    "entering.put.POSTCODE",
    "entering.put.ADDRESS",
    "entering.put.EMAIL",
    "entering.put.URL",
    "entering.put.NAME",
    "entering.put.DOB",
    "entering.put.DOCNR",
    "entering.put.VNR",
)
"""What is put in the place of each type of finding."""


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of the form."""
    found = APIRouter()

    @found.get(HOME)
    def begin(visit: Visitor) -> Response:
        """Show the first step, with what this person did not send yet."""
        allowed(visit)
        drafts = actions.entering.drafts_of(visit.person)
        return _step(visit, actions, actions.entering.begin(), ORDER[0], drafts=drafts)

    @found.get(HOME + "/{reference}/ontvangen")
    def received(visit: Visitor, reference: str) -> Response:
        """Show the receipt of a signal."""
        allowed(visit)
        receipt = actions.entering.receipt(reference)
        trace = actions.trace(receipt.signal_id)
        return page(visit, "municipality/report_receipt.html.j2", receipt=receipt, arrived=bool(trace["received"]))

    @found.get(HOME + "/{reference}/{step}")
    def look(visit: Visitor, reference: str, step: str, na: str = "") -> Response:
        """Show a step with what was typed; `na` says that the last step sent its person back to mend something."""
        allowed(visit)
        entry = actions.entering.entry(visit.person, reference)
        return _step(visit, actions, entry, _known(step), told=bool(na))

    @found.post(HOME + "/{reference}/weg")
    def discard(visit: Submitted, reference: str) -> Response:
        """Drop a draft."""
        allowed(visit)
        actions.entering.discard(visit.person, actions.entering.entry(visit.person, reference))
        visit.tell("entering.discarded")
        return visit.go(HOME)

    @found.post(HOME + "/{reference}/versturen")
    def send(visit: Submitted, reference: str) -> Response:
        """Send what the last step showed. Twice is once."""
        allowed(visit)
        return _sent(visit, actions, reference)

    @found.post(HOME + "/{reference}/lek")
    def read_along(visit: Submitted, reference: str) -> Response:
        """Keep the text while it is typed, and say what the leak guard finds in it."""
        allowed(visit)
        entry = actions.entering.entry(visit.person, reference).answered(["summary"], visit.form.values)
        actions.entering.save(visit.person, entry)
        if not visit.wants_fragment:
            return visit.go(f"{_address(entry, ORDER[0])}#lek")
        return _step(visit, actions, entry, ORDER[0], block="lek")

    @found.post(HOME + "/{reference}/{step}")
    def save(visit: Submitted, reference: str, step: str) -> Response:
        """Keep what a step says, and go where its button leads."""
        allowed(visit)
        return _saved(visit, actions, reference, _known(step))

    return found


def rescue(actions: MunicipalityActions) -> Callable[[Person, str, Form], str]:
    """Return the function that keeps the answers of a step whose log-in ended, and says where their maker goes on."""

    def kept(person: Person, path: str, form: Form) -> str:
        reference, _, step = path.removeprefix(f"{HOME}/").partition("/")
        if step not in STEPS or not is_allowed(person, Act.MUNICIPALITY_PUBLISH):
            return ""
        entry = actions.entering.entry(person, reference).answered(STEPS[step], form.values)
        if entry.value("urgency") == "ACUTE" and entry.advised_at is None:
            entry = entry.answered(["urgency"], {})  # it is kept after the advice to call 112 only
        actions.entering.save(person, entry)
        return _address(entry, step)

    return kept


def allowed(visit: Visit) -> None:
    """Let only who may publish enter signals."""
    require(visit.person, Act.MUNICIPALITY_PUBLISH)


def _known(step: str) -> str:
    if step not in STEPS:
        raise RefusedError("REFERENCE_UNREADABLE", field="reference")
    return step


def _saved(visit: Visit, actions: MunicipalityActions, reference: str, step: str) -> Response:
    entering, do = actions.entering, visit.form.value("doe", "verder")
    entry = entering.entry(visit.person, reference).answered(STEPS[step], visit.form.values)
    if step == CHECK:
        entry = _with_exchanges(entering, entry, visit.form)
    if entry.value("urgency") == "ACUTE" and entry.advised_at is None:
        if not visit.form.value("advised"):
            # Nothing of it is kept before the advice to call 112 stood here once more (R-VAL-18).
            return _step(visit, actions, entry, step, status=422, danger=True)
        entry = replace(entry, advised_at=actions.now())
    entry = _with_text_act(entry, do, visit.person.name)
    entering.save(visit.person, entry)
    return _onward(visit, actions, entry, step, do)


def _with_text_act(entry: Entry, do: str, by: str) -> Entry:
    """Return the entry after what a button does to its text, as `vervang|NAME|words`, `mag|NAME|FALSE_ALARM|words` or `zet|0`."""
    act, _, rest = do.partition("|")
    kind, _, said = rest.partition("|")
    if act == "vervang":
        return texts.masked(entry, kind, said, words.text(PUTS[kind]) if kind in PUTS else "")
    if act == "weg":
        return texts.masked(entry, kind, said, "")
    if act == "mag":
        reason, _, said = said.partition("|")
        return texts.kept(entry, kind, said, reason, by)
    if act in {"zet", "niet"} and kind.isdecimal():
        return (texts.unmasked if act == "zet" else texts.unkept)(entry, int(kind))
    return entry


def _onward(visit: Visit, actions: MunicipalityActions, entry: Entry, step: str, do: str) -> Response:
    at = ORDER.index(step)
    if do == "bewaar":
        visit.tell("entering.saved")
        return visit.go(HOME)
    if do == "terug":
        return visit.go(_address(entry, ORDER[at - 1]))
    if do != "verder" or step == CHECK:
        return visit.go(f"{_address(entry, step)}#lek")
    faults = [FieldFault(each, words.text(MISSING[each])) for each in entry.missing if each in STEPS[step]]
    if faults:
        return _step(visit, actions, entry, step, status=422, faults=faults)
    found, silent = _findings(actions.entering, entry)
    if (found or silent) and step == ORDER[0] and not visit.form.value("lek_gezien"):
        return visit.go(f"{_address(entry, step)}#lek")
    return visit.go(_address(entry, ORDER[at + 1]))


def _sent(visit: Visit, actions: MunicipalityActions, reference: str) -> Response:
    entering, form = actions.entering, visit.form
    try:
        entry = entering.entry(visit.person, reference)
    except RefusedError as fault:
        if fault.code != "ALREADY_SENT":
            raise
        entering.send(visit.person, reference, confirmed=True)
        return visit.go(f"{HOME}/{reference}/ontvangen")
    entry = _with_exchanges(entering, entry, form)
    entering.save(visit.person, entry)
    seen = entering.look(entry)
    faults = _unread(seen, form)
    if faults:
        return _step(visit, actions, entry, CHECK, status=422, faults=faults)
    result = entering.send(visit.person, reference, confirmed=True)
    if result is not None and result.faults:
        return _step(visit, actions, entry, CHECK, status=422)
    return visit.go(_address(entry, "ontvangen"))


def _unread(seen: Look, form: Form) -> list[FieldFault]:
    """Return a fault for each thing that a person must still do before a signal goes."""
    if seen.preview is None:
        return []
    faults = []
    if form.value("gezien") != seen.preview.digest:
        faults.append(FieldFault("uit", words.text("entering.changed_since_seen")))
    if seen.preview.text and not form.value("gelezen"):
        faults.append(FieldFault("gelezen", words.text("entering.read_first")))
    if seen.preview.contradictions and not form.value("bedoeld"):
        faults.append(FieldFault("bedoeld", words.text("entering.confirm_first")))
    return faults


def _with_exchanges(entering: Entering, entry: Entry, form: Form) -> Entry:
    """Return the entry with the purposes and grounds of the last step; what is as proposed is not kept."""
    proposed = entering.look(entry).exchanges
    goes = set(form.chosen("gaat"))
    left_out = [each.purpose for each in proposed if each.purpose not in goes]
    chosen = {f"basis.{each.purpose}": form.value(f"basis.{each.purpose}", each.proposed) for each in proposed}
    bases = {f"basis.{each.purpose}": [chosen[f"basis.{each.purpose}"]] for each in proposed}
    changed = {name: each for (name, each), one in zip(bases.items(), proposed, strict=True) if each != [one.proposed]}
    own = {"left_out": left_out, "release_ref": [form.value("release_ref")], **changed}
    return entry.answered([*bases, "left_out", "release_ref"], own)


def _address(entry: Entry, step: str) -> str:
    return f"{HOME}/{entry.reference}/{step}"


def _findings(entering: Entering, entry: Entry) -> tuple[tuple[Found, ...], bool]:
    """Return the findings in the text, and whether the leak guard is silent."""
    try:
        return entering.found(entry), False
    except RefusedError as fault:
        if fault.code != "GUARD_SILENT":
            raise
        return (), True


def _panes(entry: Entry, seen: Look) -> dict[str, Any]:
    """Return the rows that leave, the rows that stay, and the receivers who get to see the signal."""
    leaves = list(rows.leaves(seen.preview)) if seen.preview else []
    receivers = list(rows.receivers(seen.expected)) if seen.expected else []
    return {"leaves": leaves, "stays": list(rows.stays(entry)), "receivers": receivers}


def _link(entry: Entry, wrong: Asked) -> dict[str, str]:
    """Return the fault of an answer in a sentence, and the way to its question."""
    return {"text": _sentence(wrong), "href": f"{_address(entry, wrong.step)}?na=controle#{wrong.question}"}


def _sentence(wrong: Asked) -> str:
    fault = wrong.fault
    if fault.code == "V01_MISSING" and wrong.question in MISSING:
        return words.text(MISSING[wrong.question])
    if fault.rule == "R-LEAK-01":
        return words.text("entering.guard_silent")
    if fault.found:
        return words.text("entering.leak_left", what=words.label("leak_type", fault.found))
    said = said_of(fault, RECORD)
    return f"{said[:1].upper()}{said[1:]} ({fault.rule})."


def _step(
    visit: Visit,
    actions: MunicipalityActions,
    entry: Entry,
    step: str,
    *,
    status: int = 200,
    faults: Sequence[FieldFault] = (),
    told: bool = False,
    block: str | None = None,
    **more: Any,  # noqa: ANN401 - facts of a template
) -> Response:
    found, silent = _findings(actions.entering, entry)
    facts: dict[str, Any] = {"danger": False, "drafts": (), "found": found, "silent": silent, "puts": PUTS, **more}
    if step == CHECK:
        seen = actions.entering.look(entry)
        facts |= {"seen": seen, "wrong": [_link(entry, each) for each in asked(seen.faults)], **_panes(entry, seen)}
    elif told:
        faults = [
            FieldFault(each.question, _sentence(each)) for each in asked(actions.entering.look(entry).faults) if each.step == step
        ]
    form = Form({name: list(each) for name, each in entry.answers.items()}, faults)
    return page(
        visit,
        TEMPLATES[step],
        status=status,
        block=block,
        entry=entry,
        form=form,
        step=step,
        at=ORDER.index(step) + 1,
        titles=[words.text(TITLES[each]) for each in ORDER],
        options=OPTIONS[step](local_day(actions.now())),
        **facts,
    )
