"""The truth of a stream of published signals, worked out naively from the rules.

An entry is a mapping, in the order in which the exchange receives it:

- `data`: a coded signal; or `record` (a municipal record) with `signal_id`, `version` and `supersedes`;
- `event`: published (the default), withdrawn or erased; the last two need only `signal_id` and `version`;
- `publish_day`: the Amsterdam date of the envelope's time; `sender`: who signed (default: the municipality in the data);
- `content_hash`: of the signed value, when sealed parts differ that the coded data do not show;
- `transport`: wrong_signature, oversized or expired_time, what the data cannot show;
- `cluster_size` and `rescreen_due`: facts that come from elsewhere (default 1 and false).

Run as `python -m signal_exchange_demo.oracle.oracle [DATA FOLDER]`: reads a JSON list of entries, prints the truth as JSON. With
`--lines` it does so for every line by itself, and adds to what is said of a `record` the coded `data` that it gives.
"""

import hashlib
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from signal_exchange_demo.oracle.coding import coded
from signal_exchange_demo.oracle.reference import DEFAULT_DATA, Json, Reference, load
from signal_exchange_demo.oracle.routes import Route, facts_of, retractions, routes_for, routes_withdrawn, unassigned
from signal_exchange_demo.oracle.verdict import codes_of

# The window of the envelope's time has no code of its own; what it refuses is the content.
WRONG_TRANSPORT = {"oversized": ("TOO_LARGE", ["V15"]), "expired_time": ("CONTENT_INVALID", [])}


@dataclass
class Known:
    """Everything that the exchange has seen of one signal."""

    municipality: str
    last: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    data: Json | None = None
    last_parked: bool = False
    routes: dict[str, Route] = field(default_factory=dict)
    state: str = "open"


def content_hash(data: Json) -> str:
    """Hash a value as JSON with sorted keys and no spaces (R-VAL-16)."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def truth_for(entries: list[Json], data: Path = DEFAULT_DATA) -> Json:
    """Give per entry what happens to it, and the raw report counts at the end."""
    reference = load(data)
    known: dict[str, Known] = {}
    return {"entries": [_judge(entry, known, reference) for entry in entries], "statistics": statistics(known)}


def statistics(known: dict[str, Known]) -> Json:
    """Count distinct signals by the classes of their latest version, without withdrawn ones (I01, R-STAT-01)."""
    counted = [one.data for one in known.values() if one.data is not None and one.state != "withdrawn"]
    return {
        "reports": len(counted),
        "by_municipality": dict(sorted(Counter(data["municipality"] for data in counted).items())),
        "by_primary_form": dict(sorted(Counter(data["forms"]["primary"] for data in counted).items())),
    }


def _parked(reason: str, codes: list[str], *, unattributed: bool = False) -> Json:
    return {"verdict": "parked", "dead_letter": reason, "codes": codes, "unattributed": unattributed}


def _conflict(reference: Reference) -> Json:
    return _parked(reference.dead_letter("V16"), [reference.full_code("V16")])


def _judge(entry: Json, known: dict[str, Known], reference: Reference) -> Json:
    if entry.get("event", "published") != "published":
        return _named(entry["signal_id"], entry["version"], _judge_end(entry, known, reference))
    day = date.fromisoformat(entry["publish_day"])
    signal = entry["data"] if "data" in entry else _from_record(entry, day)
    return _named(signal.get("signal_id"), signal.get("version"), _judge_published(entry, signal, known, reference))


def _named(signal_id: object, version: object, verdict: Json) -> Json:
    return {"signal_id": signal_id, "version": version, **verdict}


def _from_record(entry: Json, day: date) -> Json:
    names = ("signal_id", "version", "supersedes", "guard")
    return coded(entry["record"], day, **{name: entry[name] for name in names if name in entry})


def _judge_published(entry: Json, signal: Json, known: dict[str, Known], reference: Reference) -> Json:
    if entry.get("transport") == "wrong_signature":
        return _parked("SIGNATURE_INVALID", [], unattributed=True)
    reason, codes = _content(entry, signal, reference)
    if reference.full_code("V02") in codes:
        # Who is no member, or speaks for another, has no numbers of its own to account for.
        return _parked(reason, codes, unattributed=True)
    if not isinstance(signal.get("signal_id"), str) or not isinstance(signal.get("version"), int):
        return _parked(reason, codes)
    seen = known.setdefault(signal["signal_id"], Known(str(signal.get("municipality"))))
    version, digest = signal["version"], entry.get("content_hash") or content_hash(signal)
    if version in seen.hashes:
        return {"verdict": "repeat"} if seen.hashes[version] == digest else _conflict(reference)
    if seen.state == "erased" or version != seen.last + 1 or signal.get("supersedes") != (seen.last or None):
        return _conflict(reference)
    gap, seen.last_parked = seen.last_parked, bool(reason)
    seen.hashes[version], seen.last = digest, version
    return _parked(reason, codes) if reason else _accept(entry, signal, seen, reference, gap=gap)


def _content(entry: Json, signal: Json, reference: Reference) -> tuple[str, list[str]]:
    if entry.get("transport"):
        reason, codes = WRONG_TRANSPORT[entry["transport"]]
        return reason, [reference.full_code(code) for code in codes]
    day = date.fromisoformat(entry["publish_day"])
    short = codes_of(signal, day, entry.get("sender", str(signal.get("municipality"))), reference)
    return reference.dead_letter(short[0]) if short else "", [reference.full_code(code) for code in short]


def _accept(entry: Json, signal: Json, seen: Known, reference: Reference, *, gap: bool) -> Json:
    seen.data, seen.state = signal, "open"
    day = date.fromisoformat(entry["publish_day"])
    outside = {name: entry[name] for name in ("cluster_size", "rescreen_due") if name in entry}
    facts = facts_of(signal, **outside)
    routes = routes_for(signal, facts, day, reference)
    back, seen.routes = retractions(seen.routes, routes), routes
    kept = unassigned(routes, reference.rules)
    return {
        "verdict": "accepted",
        "after_gap": gap,
        "raised_urgency": facts["urgency"],
        "routes": routes,
        "retracted": back,
        "kept_by": None if kept is None else {"owner": kept[0], "next_wd": kept[1]},
    }


def _judge_end(entry: Json, known: dict[str, Known], reference: Reference) -> Json:
    seen = known.get(entry["signal_id"])
    if seen is None or seen.state == "erased" or entry["version"] != seen.last + 1:
        return _conflict(reference)
    if entry.get("sender", seen.municipality) != seen.municipality:
        return _parked(reference.dead_letter("V02"), [reference.full_code("V02")])
    seen.last, seen.state = entry["version"], "withdrawn" if entry["event"] == "withdrawn" else "erased"
    routes = routes_withdrawn()
    back, seen.routes = retractions(seen.routes, routes), routes
    return {"verdict": entry["event"], "routes": routes, "retracted": back}


def _answer(entries: list[Json], folder: Path) -> Json:
    truth = truth_for(entries, folder)
    for entry, fate in zip(entries, truth["entries"], strict=True):
        if "record" in entry:
            fate["data"] = _from_record(entry, date.fromisoformat(entry["publish_day"]))
    return truth


def main() -> None:
    """Read entries from standard input and print their truth."""
    folders = [Path(argument) for argument in sys.argv[1:] if argument != "--lines"]
    folder = folders[0] if folders else DEFAULT_DATA
    if "--lines" in sys.argv[1:]:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_answer(json.loads(line), folder), ensure_ascii=False) + "\n")
            sys.stdout.flush()
    else:
        json.dump(truth_for(json.load(sys.stdin), folder), sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
