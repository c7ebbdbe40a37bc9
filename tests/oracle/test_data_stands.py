"""The data that product and oracle both read stand as they were last looked at: a wrong row would be seen by neither of them.

A difference means that a row changed. When that was meant, look at it beside docs/rules.md, and write the file again with
`cd tests && ../.venv/bin/python -m oracle.test_data_stands`.
"""

import hashlib
import json
from pathlib import Path

from signal_exchange_demo.oracle.reference import DEFAULT_DATA, Json, load

GOLDEN = Path(__file__).parent / "golden" / "data.json"
OF_THE_MACHINE = {"dead_letter_reason", "validation_error", "event_type", "link_warning", "audit_action"}
"""Lists of reasons and events: no rule of routing, agenda, referral or retention rests on them."""
FILES = ("routing_rules.json", "municipalities.csv", "equated_days.csv")


def data_as_it_is() -> Json:
    """Give a hash of each file, and of each code list the number of its codes and a hash of codes and dates."""
    files = {name: hashlib.sha256((DEFAULT_DATA / name).read_bytes()).hexdigest() for name in FILES}
    lists = {name: rows for name, rows in load().codes.items() if name not in OF_THE_MACHINE}
    return {"files": files, "codes": {name: [len(rows), _hash(rows)] for name, rows in sorted(lists.items())}}


def _hash(rows: dict[str, dict[str, str]]) -> str:
    lines = sorted(f"{code},{row['valid_from']},{row['valid_to']},{row.get('parent', '')}" for code, row in rows.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_no_row_changed_that_nobody_looked_at() -> None:
    assert data_as_it_is() == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_the_rules_are_those_that_the_worked_values_name() -> None:
    rules = load().rules["rules"]
    sent = {rule["rule_id"]: rule["deliver_as"] for rule in rules if rule["effect"] == "SEND"}
    full, consult, stub, alert = "FULL_PSEUDONYMOUS", "CONSULT", "MINOR_STUB", "ALERT"
    care = {"C20": "YOUTH_ROUTE", "C30": full, "C50": full, "C55": consult, "C60": consult, "C65": consult}
    agenda = {"A20": stub, "A30": full, "A40": full, "A50": full, "A60": full}
    assert sent == {**care, **agenda, "S10": "STAT_RECORD", "H10": alert, "H20": alert}
    denied = {rule["rule_id"] for rule in rules if rule["effect"] == "DENY"}
    assert denied == {"C10", "C40", "C70", "C80", "C90", "A10", "A90", "S90", "H90"}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(data_as_it_is(), indent=1) + "\n", encoding="utf-8")
