"""The way of a person's decision about a link to linking, from the agenda and from a municipality alike (R-LINK-04)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signal_exchange.contracts.records import LINK_ANSWER, LinkAnswer
from signal_exchange.stream.work import Work


def send_link_answer(
    work: Work,
    *,
    answer_id: str,
    link_id: str,
    kind: str,
    by_role: str,
    key_types: Sequence[str],
    at: datetime,
    municipality: str | None = None,
    signal_id: str | None = None,
) -> None:
    """Send what a person decided about a link, to linking; `at` is when it was decided, or came in."""
    answer = LinkAnswer(
        answer_id=answer_id,
        link_id=link_id,
        kind=kind,
        by_role=by_role,
        municipality=municipality,
        signal_id=signal_id,
        key_types=list(key_types),
        answered_at=at,
    )
    work.send("link-answers", link_id, LINK_ANSWER, answer, event_id=answer_id, at=at)
