"""One signal under judgement, and where its coded values stand."""

from dataclasses import dataclass, field
from datetime import date

from signal_exchange_demo.oracle.reference import Json, Reference


@dataclass
class Case:
    """One signal under judgement."""

    signal: Json
    day: date
    sender: str
    reference: Reference
    unusable: set[str] = field(default_factory=set)

    def can_use(self, *parts: str) -> bool:
        """Say whether none of the parts is missing or of an invalid code."""
        return not self.unusable.intersection(parts)

    def victims(self) -> list[Json]:
        """Give the subjects with role VICTIM."""
        return [subject for subject in self.signal["subjects"] if subject["role"] == "VICTIM"]

    def entries(self) -> list[Json]:
        """Give the exchange entries."""
        found: list[Json] = self.signal["exchanges"]
        return found

    def purposes(self) -> list[str | None]:
        """Give the purposes of the exchange entries, in order."""
        return [entry.get("purpose") for entry in self.entries()]


CODED = {
    "reporter_source": "reporter_source",
    "sector": "sector",
    "urgency": "urgency",
    "acts": "act",
    "means": "means",
    "indicators": "indicator",
    "vulnerabilities": "vulnerability",
    "care_needs": "care_need",
}
CODED_INSIDE = {
    ("forms", "primary"): "form_of_exploitation",
    ("forms", "secondary"): "form_of_exploitation",
    ("subjects", "role"): "subject_role",
    ("subjects", "age_band"): "age_band",
    ("subjects", "sex"): "sex",
    ("subjects", "nationality_group"): "nationality_group",
    ("subjects", "relation_to_offender"): "relation",
    ("places", "kind"): "place_kind",
    ("consent", "status"): "consent_status",
    ("consent", "given_by"): "consent_giver",
    ("exchanges", "purpose"): "purpose",
    ("exchanges", "legal_basis"): "legal_basis",
    ("exchanges", "partnership"): "partnership",
    ("guard", "findings"): "leak_type",
}


def _as_list(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _values_at(signal: Json, outer: str, inner: str) -> list[object]:
    holders = [item for item in _as_list(signal.get(outer)) if isinstance(item, dict)]
    return [value for holder in holders for value in _as_list(holder.get(inner))]


def coded_values(signal: Json) -> list[tuple[str, str, str]]:
    """List every coded value as (part, list name, code)."""
    found = [(name, code_list, code) for name, code_list in CODED.items() for code in _as_list(signal.get(name))]
    for (outer, inner), code_list in CODED_INSIDE.items():
        part = "forms" if outer == "forms" else f"{outer}.{inner}"
        found += [(part, code_list, code) for code in _values_at(signal, outer, inner)]
    for override in signal.get("guard", {}).get("overrides", []):
        found += [("guard.overrides", "leak_type", code) for code in _as_list(override.get("type"))]
        found += [("guard.overrides", "override_reason", code) for code in _as_list(override.get("reason"))]
    return [(part, code_list, str(code)) for part, code_list, code in found]
