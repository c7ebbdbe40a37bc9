"""The profile of each form of exploitation: the distributions of the synthetic region, all of them our own proposals."""

from dataclasses import dataclass
from typing import Final

FORM_MIX: Final = {"SEXUAL": 0.40, "LABOUR": 0.38, "CRIMINAL": 0.17, "SERVICES": 0.03, "ORGAN": 0.005, "UNKNOWN": 0.015}
MINOR_SHARE: Final = {"SEXUAL": 0.10, "CRIMINAL": 0.30, "LABOUR": 0.02}
REGISTERED_SHARE: Final = {"NL": 1.0, "EU_EEA_CH": 0.35, "THIRD_COUNTRY": 0.15, "NAT_UNKNOWN": 0.0}
URGENCY: Final = {"ACUTE": 0.03, "URGENT": 0.17, "REGULAR": 0.60, "MONITOR": 0.20}
CONSENT: Final = {"GIVEN": 0.45, "NOT_ASKED": 0.35, "REFUSED": 0.12, "WITHDRAWN": 0.03, "NOT_APPLICABLE": 0.05}
WITHDRAWAL: Final = {
    "MISTAKE": 0.25,
    "NOT_TRAFFICKING": 0.35,
    "CONSENT_WITHDRAWN": 0.1,
    "DUPLICATE": 0.2,
    "WRONG_MUNICIPALITY": 0.08,
    "LEGAL_ORDER": 0.02,
}
NATIONALITIES: Final = {
    "NL": ("Nederlandse",),
    "EU_EEA_CH": ("Poolse", "Roemeense", "Bulgaarse", "Hongaarse"),
    "THIRD_COUNTRY": ("Marokkaanse", "Syrische", "Nigeriaanse", "Vietnamese"),
    "NAT_UNKNOWN": ("onbekend",),
}
SOURCES: Final = {
    "AREA_TEAM": 0.16,
    "COUNTER_STAFF": 0.12,
    "ENFORCEMENT": 0.10,
    "RESIDENT": 0.10,
    "EDUCATION": 0.07,
    "HEALTHCARE": 0.07,
    "HOUSING_CORP": 0.06,
    "STAFF_OTHER": 0.06,
    "SAFE_HOME": 0.05,
    "SHELTER": 0.05,
    "POLICE": 0.035,
    "LABOUR_INSPECTORATE": 0.03,
    "VICTIM_SELF": 0.03,
    "NGO": 0.025,
    "HOTEL_TAXI": 0.02,
    "LAWYER": 0.01,
    "BORDER_POLICE": 0.005,
    "CROSS_BORDER": 0.005,
}
MORE_SOURCES: Final = {"LABOUR": {"JOINT_INSPECTION": 0.25, "LABOUR_INSPECTORATE": 0.08}, "SEXUAL": {"HOTEL_TAXI": 0.05}}
ANY_DAY_SOURCES: Final = frozenset(
    {"RESIDENT", "ANONYMOUS_TIP", "VICTIM_SELF", "POLICE", "BORDER_POLICE", "SHELTER", "HOTEL_TAXI", "SAFE_HOME", "CROSS_BORDER"}
)
FUNCTIONS: Final = {
    "AREA_TEAM": "wijkteam",
    "COUNTER_STAFF": "balie burgerzaken",
    "ENFORCEMENT": "toezichthouder",
    "RESIDENT": "inwoner",
    "EDUCATION": "mentor",
    "HEALTHCARE": "praktijkondersteuner",
    "HOUSING_CORP": "wijkbeheerder corporatie",
    "STAFF_OTHER": "klantmanager",
    "SAFE_HOME": "veiligheidsexpert",
    "SHELTER": "begeleider",
    "POLICE": "rechercheur",
    "LABOUR_INSPECTORATE": "inspecteur",
    "VICTIM_SELF": "betrokkene",
    "NGO": "vrijwilliger",
    "HOTEL_TAXI": "receptionist",
    "LAWYER": "advocaat",
    "BORDER_POLICE": "wachtmeester",
    "CROSS_BORDER": "liaison",
    "JOINT_INSPECTION": "teamleider",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The codes and weights of which signals of one form are made; weights need not add up to 1."""

    sectors: dict[str, float]
    sex: dict[str, float]
    groups: dict[str, float]
    acts: tuple[str, ...]
    means: tuple[str, ...]
    indicators: tuple[str, ...]
    vulnerabilities: tuple[str, ...]
    relations: dict[str, float]
    places: dict[str, float]
    care_needs: tuple[str, ...]
    adult_ages: tuple[int, int] = (18, 55)


_EVEN_SEX: Final = {"F": 0.5, "M": 0.49, "X": 0.01}
_MIXED: Final = {"NL": 0.4, "EU_EEA_CH": 0.3, "THIRD_COUNTRY": 0.25, "NAT_UNKNOWN": 0.05}

PROFILES: Final = {
    "SEXUAL": Profile(
        sectors={"SEX_HOME_HOTEL": 4, "SEX_ONLINE": 3, "SEX_MASSAGE": 2, "SEX_ESCORT": 2, "SEX_CLUB": 1, "SEX_STREET": 0.5},
        sex={"F": 0.90, "M": 0.09, "X": 0.01},
        groups={"NL": 0.35, "EU_EEA_CH": 0.35, "THIRD_COUNTRY": 0.25, "NAT_UNKNOWN": 0.05},
        acts=("RECRUIT", "TRANSPORT", "HOUSE"),
        means=("VIOLENCE_THREAT", "BLACKMAIL", "DECEPTION", "ABUSE_VULNERABLE", "DEBT"),
        indicators=(
            "DEP_DEBT",
            "DEP_ISOLATED",
            "FREE_NO_ID",
            "FREE_NO_CONTACT",
            "FREE_NO_MOVEMENT",
            "INT_INJURY",
            "PAT_REPEATED",
        ),
        vulnerabilities=("NO_HOUSING", "MENTAL_HEALTH", "DEBTS", "LVB", "ADDICTED"),
        relations={"PARTNER": 0.35, "RECRUITER": 0.35, "ACQUAINTANCE": 0.2, "REL_UNKNOWN": 0.1},
        places={"DWELLING": 4, "HOTEL": 3, "MASSAGE_NAIL": 2, "HOLIDAY_PARK": 2, "SEX_VENUE": 1, "ONLINE_AD": 1},
        care_needs=("SHELTER_CRISIS", "MEDICAL", "MENTAL", "RESIDENCE", "LEGAL", "INTERPRETER", "DECLARATION_SUPPORT"),
        adult_ages=(18, 40),
    ),
    "LABOUR": Profile(
        sectors={"LAB_HORTICULTURE": 5, "LAB_AGENCY": 3, "LAB_LOGISTICS": 3, "LAB_TRANSPORT": 1, "LAB_MEAT": 1, "LAB_CARWASH": 1},
        sex={"M": 0.65, "F": 0.34, "X": 0.01},
        groups={"EU_EEA_CH": 0.75, "THIRD_COUNTRY": 0.15, "NL": 0.05, "NAT_UNKNOWN": 0.05},
        acts=("RECRUIT", "TRANSPORT", "HOUSE", "TRANSFER"),
        means=("DECEPTION", "ABUSE_VULNERABLE", "DEBT", "FRAUD", "VIOLENCE_THREAT"),
        indicators=(
            "DEP_HOUSING_BY_EMPLOYER",
            "DEP_DEBT",
            "COND_LOW_PAY",
            "COND_LONG_DAYS",
            "COND_UNINSURED",
            "PLACE_MANY_MOVES",
        ),
        vulnerabilities=("MIGRANT_WORKER", "NO_HOUSING", "DEBTS"),
        relations={"EMPLOYER": 0.6, "RECRUITER": 0.2, "LANDLORD": 0.15, "REL_UNKNOWN": 0.05},
        places={"MIGRANT_HOUSING": 4, "GREENHOUSE": 3, "WAREHOUSE": 2, "DWELLING": 2, "BUSINESS": 1, "CARWASH": 0.5},
        care_needs=("SHELTER_REGULAR", "INCOME", "INTERPRETER", "LEGAL", "RETURN", "HEALTH_INSURANCE"),
    ),
    "CRIMINAL": Profile(
        sectors={"CRI_MONEY_MULE": 4, "CRI_DRUG_COURIER": 4, "CRI_THEFT": 2, "CRI_CANNABIS": 1, "CRI_EXPLOSIVES": 1},
        sex={"M": 0.75, "F": 0.24, "X": 0.01},
        groups={"NL": 0.80, "EU_EEA_CH": 0.1, "THIRD_COUNTRY": 0.1},
        acts=("RECRUIT", "TRANSPORT", "TRANSFER"),
        means=("BLACKMAIL", "VIOLENCE_THREAT", "DEBT", "ABUSE_VULNERABLE"),
        indicators=("DEP_DEBT", "FREE_NO_MONEY", "INT_ABUSE_THREAT", "COND_THREAT_FAMILY", "PAT_REPEATED"),
        vulnerabilities=("LVB", "DEBTS", "ADDICTED", "MENTAL_HEALTH"),
        relations={"ACQUAINTANCE": 0.6, "RECRUITER": 0.2, "FAMILY": 0.1, "REL_UNKNOWN": 0.1},
        places={"SCHOOL_AREA": 2, "DWELLING": 3, "WORKSHOP": 1, "WAREHOUSE": 1},
        care_needs=("LVB_SUPPORT", "DEBT_HELP", "MENTAL", "WORK_EDUCATION", "LEGAL"),
        adult_ages=(18, 30),
    ),
    "SERVICES": Profile(
        sectors={"SRV_HOUSEHOLD": 3, "SRV_AUPAIR": 1, "SRV_OTHER": 1},
        sex=_EVEN_SEX,
        groups=_MIXED,
        acts=("RECRUIT", "HOUSE"),
        means=("DECEPTION", "ABUSE_VULNERABLE", "DEBT"),
        indicators=("DEP_ISOLATED", "FREE_NO_ID", "FREE_NO_CONTACT", "COND_LONG_DAYS", "COND_LOW_PAY"),
        vulnerabilities=("NO_HOUSING", "LVB"),
        relations={"EMPLOYER": 0.5, "FAMILY": 0.3, "PARTNER": 0.2},
        places={"DWELLING": 1},
        care_needs=("SHELTER_REGULAR", "RESIDENCE", "INTERPRETER", "LEGAL"),
    ),
    "ORGAN": Profile(
        sectors={"ORG_KIDNEY": 3, "ORG_OTHER": 1},
        sex=_EVEN_SEX,
        groups=_MIXED,
        acts=("RECRUIT", "TRANSPORT"),
        means=("DEBT", "DECEPTION"),
        indicators=("DEP_DEBT", "COND_FALSE_PROMISE"),
        vulnerabilities=("DEBTS",),
        relations={"RECRUITER": 0.8, "REL_UNKNOWN": 0.2},
        places={"DWELLING": 1},
        care_needs=("MEDICAL", "LEGAL", "DEBT_HELP"),
    ),
    "UNKNOWN": Profile(
        sectors={"SECTOR_UNKNOWN": 1},
        sex={"F": 0.45, "M": 0.45, "SEX_UNKNOWN": 0.1},
        groups=_MIXED,
        acts=("ACT_UNKNOWN",),
        means=("MEANS_UNKNOWN",),
        indicators=("DEP_ISOLATED", "FREE_NO_MOVEMENT", "PLACE_UNCLEAR_USE"),
        vulnerabilities=("NO_HOUSING",),
        relations={"REL_UNKNOWN": 1},
        places={"DWELLING": 2, "PLACE_OTHER": 1},
        care_needs=("ADVICE_ONLY",),
    ),
}
