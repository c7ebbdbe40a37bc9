"""Invented names: four sets of 400 surnames and 200 given names, put together from syllables. Nobody bears them by intent."""

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from signal_exchange_demo.region.streams import chance, pick, zipf_weights


@dataclass(frozen=True, slots=True)
class NameSet:
    """Surnames, given names and the prefixes that stand before a surname, with the share of names that have one."""

    surnames: tuple[str, ...]
    given: tuple[str, ...]
    prefixes: tuple[str, ...]
    prefixed: float


_SYLLABLES: Final = {
    "DUTCH": (
        "Blar Brond Clev Dremm Elvr Fliem Grav Hesp Jorv Klost Lomm Mirst Norv Ploer Quaam Rensv Smiet Trauw Vlosk Wemm",
        "sma inga stra mansk sens ink veldt huisk kampf beekx dijk wijk broekx hoff ersk aart ema üm ouwk isse",
        "Jor Lie Fem Mar San Tij Brech Roe Ev Lin Da Maal Nyl Sva Pim Wou Els Gij Hil Kaa",
        "neke lien ra mer tje wijn bert tha rik da",
    ),
    "POLISH": (
        "Badz Chmor Drzew Fald Gorz Hrub Jask Klep Ludw Mrocz Niem Osk Przyb Rud Stach Trzep Wnuk Wilcz Zab Żarn",
        "owski owska czyk ewicz iak ecki icz arz uk ińska owicz ała yski cki zak ekh orz ynski ański okh",
        "Wies Zdzi Mił Bog Kaz Lud Rad Stan Wład Bole Jar Krzy Leo Mał Tad Ziem Agn Bar Dor Gra",
        "ława sław omir mira ława-Ola ek ina ysz eta ońka",
    ),
    "ROMANIAN": (
        "Albot Brăt Ciob Dâmb Ench Filim Grig Hort Ilin Lup Mold Negr Orz Păun Rădv Sturz Tanas Urs Văcar Zamf",
        "escu eanu oiu aru uță ache eanuk iuc aș ineanu encu opol ică ulea oaia ariu escul atu ilă ovan",
        "Dor Flor Ghe Il Lav Mir Nico Oct Pet Rox Sim Tra Val Vio Zam Aur Cor Emil Geo Lum",
        "ina ică iu eta an ela uța el ena işor",
    ),
    "ARABIC": (
        "Bous Cher Dahm Farr Ghaz Hamd Idr Jaou Khal Lahm Mess Nadr Ouaz Qass Rahm Slim Tahr Wazz Yass Zerh",
        "adi ami anni ari ouri oumi essam idi aoui assi atti bani darri fani hanni khari lani manni nari rachi",
        "Abd Bil Far Has Ibr Jam Kar Lat Mou Nab Omr Rach Sab Tar Was Yas Zak Fat Han Sou",
        "ima oun el id ira ane aya if ia our",
    ),
}
_PREFIXES: Final = {
    "DUTCH": (("van", "de", "van der", "van den", "ten", "van de"), 0.35),
    "POLISH": ((), 0.0),
    "ROMANIAN": ((), 0.0),
    "ARABIC": (("El", "Al", "Ben"), 0.5),
}
_BY_GROUP: Final = {
    "NL": {"DUTCH": 0.85, "ARABIC": 0.15},
    "EU_EEA_CH": {"POLISH": 0.55, "ROMANIAN": 0.45},
    "THIRD_COUNTRY": {"ARABIC": 1.0},
    "NAT_UNKNOWN": {"POLISH": 0.3, "ROMANIAN": 0.3, "ARABIC": 0.4},
}


@cache
def name_sets() -> dict[str, NameSet]:
    """Give the four sets by name."""
    return {name: _built(name) for name in _SYLLABLES}


def _built(name: str) -> NameSet:
    roots, endings, starts, ends = (part.split() for part in _SYLLABLES[name])
    prefixes, share = _PREFIXES[name]
    surnames = tuple(root + ending for ending in endings for root in roots)
    return NameSet(surnames, tuple(start + end for end in ends for start in starts), prefixes, share)


@cache
def _zipf(size: int) -> list[float]:
    return zipf_weights(size)


def draw_name(rng: Random, group: str) -> tuple[str, str]:
    """Draw a family name (with prefix, when it has one) and one or two given names for a nationality group."""
    names = name_sets()[pick(rng, _BY_GROUP[group])]
    family = rng.choices(names.surnames, cum_weights=_zipf(len(names.surnames)))[0]
    if chance(rng, names.prefixed):
        family = f"{rng.choice(names.prefixes)} {family}"
    given = rng.choices(names.given, cum_weights=_zipf(len(names.given)), k=2)
    return family, " ".join(given) if chance(rng, 0.4) and given[0] != given[1] else given[0]
