"""The trace of one signal in words: every receiver with its rule and result, and what happened in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from signal_exchange import words
from signal_exchange.domain.destinations import BY_CODE
from signal_exchange.municipality.inbox.tracing import LINK_QUESTION
from signal_exchange.municipality.pages.wording import Badge
from signal_exchange.municipality.publishing.wording import label
from signal_exchange.municipality.telling import STATES, STEPS, VERDICTS, named

_REASONS: Final = {"REJECTED": "rejection_reason", "COMPLETED": "referral_result", "WITHDRAWN": "withdrawal_reason"}
"""The code list of the reason of a referral in each state."""
_HAS_IT: Final = ("STORED", "OUTCOME")
_NOT_TAKEN: Final = frozenset({"REJECTED", "LAPSED", "WITHDRAWN"})
"""States of a referral in which nobody took the signal on."""
_SEEN: Final = frozenset({"SEEN", "ACCEPTED", "REJECTED", "IN_CARE", "COMPLETED"})
"""States of a referral by which a coordinator has looked at the signal."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver of a signal: in which form it goes there, by which rule, and what came of it."""

    name: str
    form: str
    rule: str
    result: Badge


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, and when."""

    tone: str
    icon: str
    text: str
    at: datetime
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One receiver that had a withdrawn signal, and since when it is gone there; None while nothing was heard."""

    name: str
    at: datetime | None


def receivers(trace: Mapping[str, Any]) -> list[Receiver]:
    """Return every receiver that the rules judged, also those that get nothing."""
    return [_receiver(each, trace) for each in _deliveries(trace)]


def _deliveries(trace: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    routed = [each for each in trace["outcomes"] if each["kind"] == "ROUTED"]
    found: Sequence[Mapping[str, Any]] = ((routed[-1]["detail"] or {}) if routed else {}).get("deliveries", ())
    return found


def _receiver(delivery: Mapping[str, Any], trace: Mapping[str, Any]) -> Receiver:
    sent, code = delivery.get("effect") == "SEND", str(delivery.get("destination"))
    rule = words.text(
        "municipality.trace.rule", rule=delivery.get("rule_id"), reason=label("route_reason", delivery.get("reason"))
    )
    form = label("delivery_form", delivery.get("deliver_as")) if sent else ""
    return Receiver(label("route_destination", code).capitalize(), form, rule, _result(code, trace) if sent else _not_sent())


def _not_sent() -> Badge:
    return Badge("", icon="circle-minus", text=words.text("municipality.trace.not_sent"))


def _result(code: str, trace: Mapping[str, Any]) -> Badge:
    destination = BY_CODE.get(code)
    ended_by = destination.ended_by if destination else None
    told = [each for each in trace["outcomes"] if each["kind"] == ended_by]
    if told:
        ended_badly = told[-1]["state"] in _NOT_TAKEN
        text = _state(told[-1]).capitalize()
        return Badge("warn", icon="circle-x", text=text) if ended_badly else Badge("ok", icon="circle-check", text=text)
    has_it = any(each["destination"] == code and each["stage"] in _HAS_IT for each in trace["steps"])
    if has_it:
        return Badge("ok", icon="circle-check", text=words.text("municipality.trace.delivered"))
    return Badge("info", icon="send", text=named(VERDICTS, "SEND").capitalize())


def events(trace: Mapping[str, Any]) -> list[Event]:
    """Return the events of a signal, the oldest first."""
    found = [*_steps(trace["steps"]), *(_outcome(each) for each in trace["outcomes"] if each["kind"] != "ROUTED")]
    kept = datetime.fromisoformat(trace["recorded_at"])
    began = Event("ok", icon="pencil", text=words.text("municipality.trace.kept"), at=kept)
    return sorted([began, *found], key=lambda each: each.at)


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    told: set[tuple[str, str]] = set()
    for step in steps:
        # Routing says of each destination that it was routed: here that is one event, and OUTCOME tells itself below.
        key = (step["stage"], "" if step["stage"] == "ROUTED" else step["destination"] or "")
        if step["stage"] != "OUTCOME" and key not in told:
            told.add(key)
            yield _step(step, key[1])


def _step(step: Mapping[str, Any], destination: str) -> Event:
    text = named(STEPS, step["stage"]).capitalize()
    named_text = f"{text}: {label('route_destination', destination)}" if destination else text
    parked = step["stage"] == "PARKED"
    lines = (words.text("node.version", version=step["version"]).capitalize(),) if step["version"] else ()
    return Event("wait" if parked else "ok", "player-pause" if parked else "route", named_text, _moment(step["at"]), lines)


def _outcome(outcome: Mapping[str, Any]) -> Event:
    question = outcome["kind"] == LINK_QUESTION
    text = words.text("municipality.trace.question") if question else _state(outcome).capitalize()
    lines = [label("outcome", outcome["outcome"]).capitalize()] if outcome["outcome"] else []
    return Event("info", icon="message-check", text=text, at=_moment(outcome["occurred_at"]), lines=(*lines, *said_in(outcome)))


def said_in(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words of a receiver with an outcome: the label of its reason, and its text."""
    detail = outcome["detail"] or {}
    if detail.get("unreadable"):
        return (words.text("municipality.trace.unreadable"),)
    code_list = _REASONS.get(outcome["state"])
    reason = [label(code_list, detail["reason"]).capitalize()] if code_list and detail.get("reason") else []
    return (*reason, *(str(detail[name]) for name in ("feedback_text", "text") if detail.get(name)))


def _state(outcome: Mapping[str, Any]) -> str:
    if outcome["state"] in STATES_BESIDES:
        return words.text(STATES_BESIDES[outcome["state"]])
    return label(STATES.get(outcome["kind"]) or "agenda_state", outcome["state"])


STATES_BESIDES: Final = words.keyed("municipality.trace.ADVISED", "municipality.trace.DECIDED", "municipality.trace.DEFERRED")
"""What a receiver tells that is no state of a code list."""


def last_said(trace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that came with the last outcome of a receiver."""
    told = [each for each in trace["outcomes"] if each["kind"] in ("REFERRAL", "DECISION")]
    return said_in(told[-1]) if told else ()


def looked(trace: Mapping[str, Any]) -> list[tuple[str, datetime]]:
    """Return which class of reader looked at the signal, and when, as far as receivers tell it."""
    seen = [each for each in trace["outcomes"] if each["kind"] == "REFERRAL" and each["state"] in _SEEN]
    met = [each for each in trace["outcomes"] if each["kind"] == "DECISION"]
    roles = [("YOUTH_COORDINATOR" if each["source"] == "worklist-youth" else "CARE_COORDINATOR", each) for each in seen]
    roles += [("MEETING_MEMBER", each) for each in met]
    return [(label("role", role).capitalize(), _moment(each["occurred_at"])) for role, each in roles]


def taken_back(trace: Mapping[str, Any]) -> list[TakenBack]:
    """Return the receivers that had a signal before it was withdrawn, and whether each took it back."""
    steps = trace["steps"]
    had = [each for each in steps if each["stage"] == "STORED" and each["destination"]]
    gone = {each["destination"]: _moment(each["at"]) for each in steps if _is_gone(each)}
    names = dict.fromkeys(each["destination"] for each in had)
    return [TakenBack(label("route_destination", each).capitalize(), gone.get(each)) for each in names]


def _is_gone(step: Mapping[str, Any]) -> bool:
    return step["stage"] in ("STORED", "RETRACTED") and "RETRACTED" in (step["stage"], step["verdict"])


def holders(trace: Mapping[str, Any]) -> list[str]:
    """Return the holders of a signal, who are told when it is withdrawn or erased: every receiver to which it was sent."""
    return [
        label("route_destination", each["destination"]).capitalize()
        for each in _deliveries(trace)
        if each.get("effect") == "SEND"
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(str(text))
