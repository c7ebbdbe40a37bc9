"""The facts that the routing rules may use, and no others (R-ROUTE-04)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from signal_exchange.domain.signals.coded import exchange_for, has_minor_subject, has_minor_victim, raised_urgency, victims
from signal_exchange.domain.signals.coded_types import CodedSignal

Kind = Literal["count", "flag", "code"]


def _fact(kind: Kind, code_list: str | None = None) -> Mapping[str, str | None]:
    return {"kind": kind, "code_list": code_list}


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one signal at one run; no sex, no nationality, no age but the minor flags.

    `urgency` is the raised one (R-ROUTE-10); `any_minor_subject` looks at victims and suspects; `care_basis` is the
    basis of the CARE_REFERRAL entry; `cluster_size` counts the open signals of the confirmed cluster, 1 = alone.
    """

    victim_count: int = field(metadata=_fact("count"))
    any_minor_victim: bool = field(metadata=_fact("flag"))
    any_minor_subject: bool = field(metadata=_fact("flag"))
    urgency: str = field(metadata=_fact("code", "urgency"))
    consent: str = field(metadata=_fact("code", "consent_status"))
    care_need_count: int = field(metadata=_fact("count"))
    care_basis: str | None = field(metadata=_fact("code", "legal_basis"))
    reporter_source: str = field(metadata=_fact("code", "reporter_source"))
    corroborated: bool = field(metadata=_fact("flag"))
    cluster_size: int = field(default=1, metadata=_fact("count"))
    rescreen_due: bool = field(default=False, metadata=_fact("flag"))
    schema_valid: bool = field(default=True, metadata=_fact("flag"))


FACT_KINDS: Final[Mapping[str, Kind]] = {
    name: cast("Kind", found.metadata["kind"]) for name, found in Facts.__dataclass_fields__.items()
}
"""The kind of each fact by its name."""

FACT_CODES: Final[Mapping[str, str]] = {
    name: found.metadata["code_list"]
    for name, found in Facts.__dataclass_fields__.items()
    if found.metadata["code_list"] is not None
}
"""The code list of each fact that is a code."""


def facts_of(
    signal: Mapping[str, object], *, cluster_size: int = 1, rescreen_due: bool = False, schema_valid: bool = True
) -> Facts:
    """Read the facts of a valid coded signal; what the signal does not tell comes as an argument."""
    coded = cast("CodedSignal", signal)
    minor = has_minor_victim(coded)
    care = exchange_for(coded, "CARE_REFERRAL")
    return Facts(
        victim_count=len(victims(coded)),
        any_minor_victim=minor,
        any_minor_subject=has_minor_subject(coded),
        urgency=raised_urgency(coded["urgency"], any_minor_victim=minor),
        consent=coded["consent"]["status"],
        care_need_count=len(coded.get("care_needs", [])),
        care_basis=None if care is None else care.get("legal_basis"),
        reporter_source=coded["reporter_source"],
        corroborated=coded["corroborated"],
        cluster_size=cluster_size,
        rescreen_due=rescreen_due,
        schema_valid=schema_valid,
    )
