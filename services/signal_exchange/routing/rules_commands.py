"""Commands about the routing rules: proving a rule set, and showing which rule decides about a signal and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import AsJson, printable, tell
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.rules.explaining import Explanation
from signal_exchange.domain.rules.lint import LintProblem, LintReport
from signal_exchange.domain.rules.ruleset import InvalidRuleSetError
from signal_exchange.routing.rule_actions import Explained, Parked, RuleActions
from signal_exchange.runtime.clock import now

app = typer.Typer(no_args_is_help=True, help="The routing rules: prove and explain them.")

PROVED = {
    "NAMED_RULE": "rules.named_rule",
    "OWNER": "rules.owner",
    "UNREACHABLE": "rules.reachable",
    "MATCHES_ALL": "rules.matches_all",
    "MINOR_SHIELDED": "rules.minor_shielded",
    "YOUTH_ROUTE": "rules.youth_route",
    "ACUTE_ALERTS": "rules.acute_alerts",
    "UNKNOWN_CODE": "rules.codes_exist",
}
"""What each check proves, for who reads the report."""

Rules = Annotated[Path | None, typer.Option("--rules", help="A rule set; without it the default rules.")]
On = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Judge as on this day.")]


@app.command("lint")
def lint_rules(
    file: Annotated[Path | None, typer.Argument(help="A rule set; without it the default rules.")] = None,
    *,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Prove a rule set by trying every combination of facts; exit code 1 when it is invalid or something does not hold."""
    try:
        report = RuleActions(now).prove(_read_rules(file), on.date() if on else None)
    except InvalidRuleSetError as fault:
        _show({"valid": False, "problems": list(fault.problems)}, _invalid_lines(fault), as_json=as_json)
        raise typer.Exit(1) from None
    _show({"valid": True, "holds": report.holds, **asdict(report)}, _report_lines(report), as_json=as_json)
    raise typer.Exit(0 if report.holds else 1)


@app.command("explain")
def explain_signal(
    signal: Annotated[Path, typer.Argument(help="A signal as JSON: a CloudEvent or its bare data.")],
    *,
    rules: Rules = None,
    on: On = None,
    cluster_size: Annotated[int, typer.Option(min=1, help="Open signals in the confirmed cluster.")] = 1,
    rescreen_due: Annotated[bool, typer.Option("--rescreen-due", help="The re-screen is due.")] = False,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="The signal is withdrawn.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show per destination which rule decides about a signal and why; exit code 1 when it would be parked."""
    found = RuleActions(now).explain(
        _read(signal),
        _read_rules(rules),
        day=on.date() if on else None,
        cluster_size=cluster_size,
        rescreen_due=rescreen_due,
        withdrawn=withdrawn,
    )
    if isinstance(found, Parked):
        violations = [{**asdict(each), "words": words.phrase(each.words) if each.words else ""} for each in found.violations]
        _show({"parked_as": found.reason, "violations": violations}, _parked_lines(found), as_json=as_json)
        raise typer.Exit(1)
    _show(_explained(found), _explanation_lines(found), as_json=as_json)


def _show(value: Mapping[str, Any], lines: Iterator[str], *, as_json: bool) -> None:
    tell(value, printable("\n".join(lines)), as_json=as_json)


def _read(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise RefusedError("JSON_FILE_UNREADABLE", file=path.name, cause=fault.strerror) from None
    except ValueError:
        raise RefusedError("NOT_JSON_IN_UTF8", file=path.name) from None


def _read_rules(path: Path | None) -> Any:  # noqa: ANN401 - any JSON
    """Return the rule set of a file, None without one; a file that holds null is an empty rule set, and never the default one."""
    if path is None:
        return None
    found = _read(path)
    return {} if found is None else found


def _invalid_lines(fault: InvalidRuleSetError) -> Iterator[str]:
    yield words.text("rules.invalid")
    yield from (f"  {problem}" for problem in fault.problems)


def _report_lines(report: LintReport) -> Iterator[str]:
    days = ", ".join(day.isoformat() for day in report.days)
    yield words.text("rules.report", ruleset=report.ruleset_id, version=report.version, classes=report.classes, days=days)
    for check, sentence in PROVED.items():
        found = [problem for problem in report.problems if problem.check == check]
        yield f"{words.text('rules.fails' if found else 'rules.holds')}  {words.text(sentence)}"
        yield from (f"      {_problem_line(problem)}" for problem in found)


def _problem_line(problem: LintProblem) -> str:
    where = " ".join(part for part in (problem.rule_id, problem.destination) if part)
    facts = ", ".join(f"{name}={json.dumps(value)}" for name, value in (problem.example or {}).items())
    since = words.text("rules.since", day=problem.day.isoformat(), where=where).rstrip()
    return since + (words.text("rules.as_with", facts=facts) if facts else "")


def _parked_lines(parked: Parked) -> Iterator[str]:
    yield words.text("rules.would_be_parked", reason=words.label("dead_letter_reason", parked.reason))
    for violation in parked.violations:
        yield f"  {violation.field}: {words.label('validation_error', violation.code)} ({violation.rule})"


def _explained(found: Explained) -> dict[str, Any]:
    return {
        "day": found.day,
        "destinations": [{**asdict(each.route), "text_nl": each.text_nl, "tried": _tried(each)} for each in found.destinations],
        "kept_by": None if found.kept_by is None else found.kept_by._asdict(),
    }


def _tried(explanation: Explanation) -> list[dict[str, Any]]:
    return [{"rule_id": each.rule_id, "unmet_nl": [words.phrase(one) for one in each.unmet]} for each in explanation.tried]


def _explanation_lines(found: Explained) -> Iterator[str]:
    keeper = found.kept_by
    for each in found.destinations:
        as_form = each.route.deliver_as and words.text("rules.as_form", form=words.label("delivery_form", each.route.deliver_as))
        goes = words.text("yes" if each.route.effect == "SEND" else "no") + (as_form or "")
        to = words.label("route_destination", each.route.destination)
        yield words.text("rules.route", destination=to, goes=goes, by=each.route.rule_id)
        yield f"  {each.text_nl}"
        yield from (words.text("rules.not", rule_id=trial.rule_id, unmet=trial.unmet) for trial in each.tried)
    if keeper is not None:
        yield words.text("rules.kept_by", owner=words.label("role", keeper.owner), count=keeper.next_wd)
