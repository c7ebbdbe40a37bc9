"""Commands about the routing rules: proving a rule set, and showing which rule decides about a signal and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from signal_exchange.contracts.reference import load_code_lists, load_default_ruleset, load_members
from signal_exchange.domain.drafts import without_sealed_parts
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.routing import Keeper, facts_of, unassigned
from signal_exchange.domain.rule_lint import Explanation, LintProblem, LintReport, explain, lint
from signal_exchange.domain.rulesets import InvalidRuleSet, RuleSet, parse_ruleset
from signal_exchange.domain.times import local_day
from signal_exchange.domain.validation import Violation, dead_letter_reason, validate
from signal_exchange.runtime.clock import now
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import AsJson, printable, show_json

app = typer.Typer(no_args_is_help=True, help="De routeringsregels: bewijzen en uitleggen.")

PROVED = {
    "NAMED_RULE": "een regel met een naam beslist elke combinatie van feiten",
    "OWNER": "elk signaal dat niet naar zorg en niet naar de agenda gaat, heeft een eigenaar en een volgende datum",
    "UNREACHABLE": "elke regel beslist iets",
    "MATCHES_ALL": "geen regel past op alles",
    "MINOR_SHIELDED": "geen minderjarige komt onbeschermd op de agenda",
    "YOUTH_ROUTE": "een minderjarig slachtoffer gaat langs de jeugdroute, en niemand anders",
    "ACUTE_ALERTS": "bij acuut gevaar wordt altijd iemand gewaarschuwd",
    "UNKNOWN_CODE": "elke code in een regel bestaat",
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
        report = lint(_ruleset(file), load_code_lists(), day=on.date() if on else None)
    except InvalidRuleSet as fault:
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
    document = _read(signal)
    coded, day = _coded(document), on.date() if on else _day_of(document)
    broken = _violations(coded, day)
    if broken:
        _show(_parked(broken), _parked_lines(broken), as_json=as_json)
        raise typer.Exit(1)
    try:
        ruleset = _ruleset(rules)
    except InvalidRuleSet as fault:
        raise Refused(f"Deze regels zijn ongeldig: {fault}.") from None
    facts = facts_of(coded, cluster_size=cluster_size, rescreen_due=rescreen_due)
    found = explain(None if withdrawn else coded, facts, ruleset, day, load_code_lists())
    keeper = unassigned([each.route for each in found], ruleset)
    _show(_explained(found, keeper, day), _explanation_lines(found, keeper), as_json=as_json)


def _show(value: Mapping[str, Any], lines: Iterator[str], *, as_json: bool) -> None:
    if as_json:
        show_json(value)
    else:
        typer.echo(printable("\n".join(lines)))


def _read(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise Refused(f"{path.name} is niet te lezen: {fault.strerror}.") from None
    except ValueError:
        raise Refused(f"{path.name} is geen JSON in UTF-8.") from None


def _ruleset(path: Path | None) -> RuleSet:
    return load_default_ruleset() if path is None else parse_ruleset(_read(path))


def _coded(document: object) -> dict[str, object]:
    data = document.get("data", document) if isinstance(document, Mapping) else None
    if not isinstance(data, Mapping):
        raise Refused("Dit is geen signaal: een CloudEvent of de data daarvan wordt verwacht.")
    return without_sealed_parts(data)


def _day_of(document: object) -> date:
    sent = document.get("time") if isinstance(document, Mapping) else None
    try:
        return local_day(datetime.fromisoformat(str(sent)) if sent is not None else now())
    except ValueError:
        raise Refused("De tijd van dit CloudEvent is geen moment met tijdzone.") from None


def _violations(coded: Mapping[str, object], day: date) -> tuple[Violation, ...]:
    sender = str(coded.get("municipality"))
    return validate(coded, day=day, sender=sender, members=load_members(), codes=load_code_lists(), policy=Policy())


def _invalid_lines(fault: InvalidRuleSet) -> Iterator[str]:
    yield "Deze regels zijn ongeldig:"
    yield from (f"  {problem}" for problem in fault.problems)


def _report_lines(report: LintReport) -> Iterator[str]:
    days = ", ".join(day.isoformat() for day in report.days)
    yield f"Regels {report.ruleset_id}, versie {report.version}: {report.classes} klassen van feiten, vanaf {days}."
    for check, sentence in PROVED.items():
        found = [problem for problem in report.problems if problem.check == check]
        yield f"{'fout' if found else 'goed'}  {sentence}"
        yield from (f"      {_problem_line(problem)}" for problem in found)


def _problem_line(problem: LintProblem) -> str:
    where = " ".join(part for part in (problem.rule_id, problem.destination) if part)
    facts = ", ".join(f"{name}={json.dumps(value)}" for name, value in (problem.example or {}).items())
    return f"vanaf {problem.day.isoformat()} {where}".rstrip() + (f", zoals bij {facts}" if facts else "")


def _parked(broken: Sequence[Violation]) -> dict[str, Any]:
    codes = load_code_lists()
    return {"parked_as": dead_letter_reason(broken, codes), "violations": [asdict(violation) for violation in broken]}


def _parked_lines(broken: Sequence[Violation]) -> Iterator[str]:
    codes = load_code_lists()
    reason = codes.label_nl("dead_letter_reason", dead_letter_reason(broken, codes))
    yield f"Dit signaal wordt nergens heen gestuurd; het zou worden geparkeerd: {reason}."
    for violation in broken:
        yield f"  {violation.field}: {codes.label_nl('validation_error', violation.code)} ({violation.rule})"


def _explained(found: Sequence[Explanation], keeper: Keeper | None, day: date) -> dict[str, Any]:
    return {
        "day": day,
        "destinations": [{**asdict(each.route), "text_nl": each.text_nl, "tried": _tried(each)} for each in found],
        "kept_by": None if keeper is None else keeper._asdict(),
    }


def _tried(explanation: Explanation) -> list[dict[str, Any]]:
    return [asdict(trial) for trial in explanation.tried]


def _explanation_lines(found: Sequence[Explanation], keeper: Keeper | None) -> Iterator[str]:
    codes = load_code_lists()
    for each in found:
        form = f" als {codes.label_nl('delivery_form', each.route.deliver_as)}" if each.route.deliver_as else ""
        yield f"{each.destination_nl}: {'ja' if each.route.effect == 'SEND' else 'nee'}{form}, door {each.route.rule_id}"
        yield f"  {each.text_nl}"
        yield from (f"  niet {trial.rule_id}: {'; '.join(trial.unmet_nl)}" for trial in each.tried)
    if keeper is not None:
        owner = codes.label_nl("role", keeper.owner)
        yield f"Blijft bij: {owner}, opnieuw bekijken binnen {keeper.next_wd} werkdagen."
