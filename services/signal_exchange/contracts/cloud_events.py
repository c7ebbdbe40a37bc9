"""Headers of a record: CloudEvents 1.0, binary mode for Kafka, in the NL GOV profile.

Headers are conveniences for tools. Everything that is trusted stands in the signed value.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from signal_exchange.domain.destinations import OWNING_RECEIVERS

Headers = list[tuple[str, bytes]]

PREFIX = "nl.mensenhandelsignalen."
REGION_OIN = "00000099000000000000"
"""Invented OIN of the exchange itself, which writes every derived record."""

EVENT_TYPES = {
    "SignalPublished": PREFIX + "signaal.gepubliceerd.v1",
    "SignalWithdrawn": PREFIX + "signaal.ingetrokken.v1",
    "MunicipalAnswer": PREFIX + "gemeente.geantwoord.v1",
    "TokensRenewed": PREFIX + "signaal.sleutels-vernieuwd.v1",
    "SignalErased": PREFIX + "signaal.vernietigd.v1",
    "Checkpoint": PREFIX + "verzending.controlepunt.v1",
    "AcceptedSignal": PREFIX + "signaal.aanvaard.v1",
    **{receiver.record: PREFIX + "levering.bijgewerkt.v1" for receiver in OWNING_RECEIVERS},
    "ChairAlert": PREFIX + "alarm.gegeven.v1",
    "LinkTokens": PREFIX + "koppelsleutels.bijgewerkt.v1",
    "LinkAnswer": PREFIX + "koppeling.beantwoord.v1",
    "LinkCandidate": PREFIX + "koppeling.gewijzigd.v1",
    "ClusterMembership": PREFIX + "samenhang.gewijzigd.v1",
    "Observation": PREFIX + "cijfer.waargenomen.v1",
    "Outcome": PREFIX + "uitkomst.vastgelegd.v1",
    "TraceFact": PREFIX + "spoor.vastgelegd.v1",
    "ParkedRecord": PREFIX + "signaal.geparkeerd.v1",
    "RetryRequest": PREFIX + "geparkeerd.besloten.v1",
    "SignalView": PREFIX + "uitkomst.teruggekoppeld.v1",
}
"""Event type of each record, a code of event_type.csv."""


def source_of(oin: str, system: str = "signaalpunt") -> str:
    """Return the CloudEvents source of an organisation's system."""
    return f"urn:nld:oin:{oin}:systeem:{system}"


def new_traceparent() -> str:
    """Return a W3C trace context that starts here."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def headers(record: str, *, event_id: str, at: datetime, source: str, traceparent: str) -> Headers:
    """Return the CloudEvents headers of one record; there is no subject, which would tell of whom it is."""
    fields = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": EVENT_TYPES[record],
        "ce_time": at.isoformat(timespec="milliseconds"),
        "ce_dataschema": f"urn:{PREFIX.rstrip('.')}:schema:{record}",
        "content-type": "application/avro",
        "traceparent": traceparent,
    }
    return [(name, text.encode()) for name, text in fields.items()]


def signature_headers(signature: bytes, key_id: str) -> Headers:
    """Return the headers that carry a signature over the value."""
    return [("signature", signature), ("signing-key", key_id.encode())]
