"""Records of linking as the agenda reads them."""

from __future__ import annotations

from typing import Any

from builders import START, a_message, signal_id

from signal_exchange.stream.messages import Message

LINK = "5d1f0c0a-6c1c-5f53-8f6c-0f5a6f7ab001"
TOGETHER = "G-7f3a9b21"
"""A cluster."""


def a_candidate(link_id: str = LINK, revision: int = 1, **changed: Any) -> Message:
    """Give a LinkCandidate."""
    fields = {
        "link_id": link_id,
        "revision": revision,
        "kind": "SHARED_CONTEXT",
        "key_types": ["PLATE"],
        "frequency": "2",
        "state": "CANDIDATE",
        "evidence_gone": False,
        "signal_a": signal_id(1),
        "signal_b": signal_id(2),
        "across": True,
        "found_at": START,
        "released_at": None,
        "awaits": ["CHAIN_DIRECTOR"],
        "answer_by": None,
        "overdue": False,
        **changed,
    }
    return a_message("LinkCandidate", fields, topic="link-candidates", reader="agenda", at=START)


def a_membership(number: int, revision: int, cluster_id: str | None) -> Message:
    """Give the membership of a signal in a cluster, or in none."""
    fields = {
        "signal_id": signal_id(number),
        "revision": revision,
        "cluster_id": cluster_id,
        "kinds": ["SHARED_CONTEXT"] if cluster_id else [],
        "link_ids": [LINK] if cluster_id else [],
        "changed_at": START,
    }
    return a_message("ClusterMembership", fields, topic="links", reader="agenda", at=START)
