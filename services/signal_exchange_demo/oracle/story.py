"""The truth of a whole story: what stands where after versions, ends, links, decisions and the passing of time.

Run as `python -m signal_exchange_demo.oracle.story`. It reads one JSON object from standard input:

- `versions`: per signal id and version, what was published: a municipal `record`, or coded `data`;
- `events`: in order of time, each with `what`, `signal_id` and `at` (ISO 8601, of the append):
  published (`version`, `publish_day`), withdrawn, erased, linked (`cluster_id` or null), care (`offer`, `state`, `lacks_data`)
  and meeting (`offer`, `decided`);
- `until`: the moment at which it looks.

It prints per open signal what each destination holds, what that shows, who keeps the signal, and until when; the agenda in order;
the alerts; how many persons there are; and the publish day of each signal.
"""

import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

from signal_exchange_demo.oracle.agendas import Waiting, agenda
from signal_exchange_demo.oracle.carrying import shown
from signal_exchange_demo.oracle.coding import coded
from signal_exchange_demo.oracle.days import AMSTERDAM, deadline
from signal_exchange_demo.oracle.histories import AGENDA, CARE, History, Life, Place
from signal_exchange_demo.oracle.reference import DEFAULT_DATA, Json, load
from signal_exchange_demo.oracle.routes import raised, unassigned

DECIDE_WORKING_DAYS = {"URGENT": 1, "REGULAR": 5, "MONITOR": 10}
DECIDE_ACUTE = timedelta(hours=2)


def story_of(told: Json, data: Path = DEFAULT_DATA) -> Json:
    """Give the place of everything at the end of a story."""
    history = History(load(data))
    clusters: dict[str, str | None] = {}
    erased = 0
    for event in told["events"]:
        erased += _victims(history.lives.get(event["signal_id"])) if event["what"] == "erased" else 0
        _take(event, told["versions"], history, clusters)
    history.passes(_moment(told["until"]))
    return {
        "signals": {signal_id: _standing(signal_id, history) for signal_id in sorted(history.lives)},
        "agenda": _agenda(history),
        "alerts": sorted(
            {signal_id for signal_id, place, what, *_ in history.told if (place, what) == ("CHAIR_ALERT", "OFFERED")}
        ),
        "persons": erased + sum(map(_victims, history.lives.values())),
        "publish_days": {signal_id: _day(life.first).isoformat() for signal_id, life in history.lives.items()},
        "retracted": sorted(
            [*one[:2], one[3], one[5]] for one in history.told if one[2] == "RETRACTED" and one[1] in (CARE, AGENDA)
        ),
    }


def _victims(life: Life | None) -> int:
    """Count the victims of a signal that is not withdrawn; nobody is the same as another as long as no link says so (I02)."""
    return sum(one["role"] == "VICTIM" for one in life.data["subjects"]) if life is not None and life.open else 0


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()


def _take(event: Json, versions: Json, history: History, clusters: dict[str, str | None]) -> None:
    what, signal_id, at = event["what"], event["signal_id"], _moment(event["at"])
    if what == "published":
        history.published(signal_id, _data(versions[signal_id][str(event["version"])], event), at)
    elif what == "linked":
        clusters[signal_id] = event["cluster_id"]
        history.linked(_together(clusters), at)
    elif signal_id not in history.lives:
        return
    elif what == "withdrawn":
        history.withdrawn(signal_id, at)
    elif what == "erased":
        history.erased(signal_id, at)
    elif what == "care":
        history.care_ended(signal_id, event["offer"], event["state"], lacks_data=event["lacks_data"], at=at)
    elif what == "meeting":
        history.meeting_said(signal_id, event["offer"], decided=event["decided"], at=at)


def _data(published: Json, event: Json) -> Json:
    if "data" in published:
        return dict(published["data"])
    version = event["version"]
    numbered = {"signal_id": event["signal_id"], "version": version, "supersedes": version - 1 or None}
    return coded(published["record"], date.fromisoformat(event["publish_day"]), **numbered)


def _together(clusters: dict[str, str | None]) -> list[set[str]]:
    names = sorted({name for name in clusters.values() if name is not None})
    return [{signal_id for signal_id, own in clusters.items() if own == name} for name in names]


def _urgency(life: Life) -> str:
    minor = any(one["is_minor"] and one["role"] == "VICTIM" for one in life.data["subjects"])
    return raised(life.data["urgency"], any_minor_victim=minor)


def _standing(signal_id: str, history: History) -> Json:
    life = history.lives[signal_id]
    places = {name: _place(place) for name, place in life.places.items()}
    held = {name: place for name, place in life.places.items() if place.sent and name in (CARE, AGENDA)}
    care = held.get(CARE)
    return {
        "open": life.open,
        "urgency": _urgency(life),
        "places": places,
        "shown": {name: shown(life.data, str(place.route["deliver_as"]), name) for name, place in held.items()},
        "decide_by": _decide_by(life, care, history) if care is not None and not care.ended else None,
        "kept_by": _kept_by(life, history),
    }


def _place(place: Place) -> Json:
    due_from = place.due_from.astimezone(AMSTERDAM).isoformat() if place.due_from else None
    return {**place.route, "due_from": due_from, "offer": place.offer, "ended": place.ended}


def _decide_by(life: Life, care: Place, history: History) -> str | None:
    if care.due_from is None:
        return None
    urgency = _urgency(life)
    if urgency == "ACUTE":
        return (care.due_from + DECIDE_ACUTE).astimezone(AMSTERDAM).isoformat()
    return deadline(care.due_from.astimezone(AMSTERDAM), DECIDE_WORKING_DAYS[urgency], history.reference.equated).isoformat()


def _kept_by(life: Life, history: History) -> list[str] | None:
    routes = {name: place.route for name, place in life.places.items()}
    kept = unassigned(routes, history.reference.rules) if life.open else None
    if kept is None or life.judged_at is None:
        return None
    owner, working_days = kept
    return [owner, deadline(life.judged_at.astimezone(AMSTERDAM), working_days, history.reference.equated).date().isoformat()]


def _agenda(history: History) -> list[Json]:
    items: dict[frozenset[str], list[Waiting]] = {}
    for signal_id, life in sorted(history.lives.items()):
        place = life.places[AGENDA]
        if place.sent and place.due_from is not None:
            minor = place.route["deliver_as"] == "MINOR_STUB"
            waiting = Waiting(signal_id, _urgency(life), minor, place.due_from, place.ended)
            items.setdefault(frozenset(history.together(signal_id)), []).append(waiting)
    rows = agenda(list(items.values()), history.reference.equated)
    return [{"week": week, "signal_id": signal_id, "rolled_over": rolled} for week, signal_id, rolled in rows]


def main() -> None:
    """Read a story from standard input and print what stands where."""
    json.dump(story_of(json.load(sys.stdin)), sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
