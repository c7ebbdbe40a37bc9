"""Commands of feedback: what each municipality was told, as far as this service itself can read it. Details stay sealed."""

from __future__ import annotations

from typing import Any

import typer

from signal_exchange.feedback.store import TABLES, FeedbackStore
from signal_exchange.feedback.views import View
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, Place, show_json, show_rows

app = typer.Typer(**GROUP, no_args_is_help=True, help="Wat elke gemeente over haar eigen signalen hoort.")
PLACE = Place("feedback", TABLES)
LISTED = {"municipality": "gemeente", "signal_id": "signaal", "numbers": "nummers", "steps": "stappen", "outcomes": "uitkomsten"}
SHOWN = {"source": "dienst", "kind": "soort", "state": "stand", "outcome": "uitkomst"}


@app.command("list")
def list_views(*, as_json: AsJson = False) -> None:
    """List every view with how much it holds."""
    rows = [_summary(view) for view in _views()]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, LISTED, empty="Er is nog niets teruggekoppeld.")


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show the outcomes of one signal; reasons and texts are sealed to its municipality."""
    found = next((view for view in _views() if view.owner[1] == signal_id), None)
    if found is None:
        raise Refused("Dit signaal is hier niet bekend.")
    outcomes = [{name: fields.get(name) for name in SHOWN} for _, fields in found.outcomes.values()]
    if as_json:
        show_json({**_summary(found), "outcomes": outcomes})
    else:
        show_rows(outcomes, SHOWN, empty="Er is nog geen uitkomst.")


def _views() -> list[View]:
    with PLACE.reading() as connection:
        return FeedbackStore(connection).all_views()


def _summary(view: View) -> dict[str, Any]:
    municipality, signal_id = view.owner
    counts = {"numbers": len(view.numbers), "steps": len(view.steps), "outcomes": len(view.outcomes)}
    return {"municipality": municipality, "signal_id": signal_id, "revision": view.revision, **counts}
