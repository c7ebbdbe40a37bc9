"""The words in which the owner of a record reads why it was refused, in a reject file as on a screen."""

from __future__ import annotations

from signal_exchange import words
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.submissions import Result


def label(code_list: str, code: object) -> str:
    """Return the label of a code; a dash for none."""
    return "-" if code is None else words.label(code_list, str(code))


def faults_text(result: Result) -> str:
    """Return in words why a record was refused, all reasons together."""
    told = [each for each in result.faults if each.cause != Cause.CHANGES]
    said = [fault_text(each, result.line.unit) for each in told]
    if changed := changed_names(result):
        said.append(f"{changed} {words.text('CHANGES')}")
    elif result.asks:
        said.append(words.text("confirm_or_mend"))
    return "; ".join(said)


def changed_names(result: Result) -> str:
    """Return the names of the fields that a result would change."""
    return ", ".join(each.field for each in result.faults if each.cause == Cause.CHANGES)


def fault_text(fault: FieldFault, unit: str) -> str:
    """Return a fault in words: field, rule and what the rule asks."""
    return f"{fault.field} {fault.rule} ({said_of(fault, unit)})"


def said_of(fault: FieldFault, unit: str) -> str:
    """Return in words what is wrong, without field and rule."""
    if fault.cause == Cause.DOUBLE:
        said = words.text("DOUBLE", unit=words.text(unit), row=fault.row)
    elif fault.cause:
        said = words.text(fault.cause)
    else:
        said = label("leak_type", fault.found) if fault.found else label("validation_error", fault.code)
    return f"{said}: {fault.words}" if fault.words else said
