"""Clean Dutch phrases per form: no name, number, address or date can come out of them."""

from typing import Final

SUBJECTS: Final = {
    "SEXUAL": (
        "Vrouw in een hotel lijkt niet vrij te zijn",
        "Persoon ontvangt mannen op steeds andere adressen",
        "Jonge vrouw wordt door een vriend gebracht en gehaald",
        "Bewoner van een woning ontvangt dag en nacht bezoek",
        "Iemand moet online beelden maken voor een ander",
        "Gast van een vakantiepark komt de kamer niet af",
        "Medewerkster van een massagesalon slaapt in de zaak",
        "Persoon vertelt dat weggaan niet mag van een partner",
    ),
    "LABOUR": (
        "Arbeiders slapen in een te kleine woning bij de kassen",
        "Medewerker van een uitzendbureau krijgt nauwelijks loon",
        "Groep mensen wordt elke ochtend met een bus gehaald",
        "Werknemer durft niet naar de dokter na een val",
        "Plukker moet de reis en het bed zelf terugbetalen",
        "Chauffeur slaapt al weken in de cabine op het terrein",
        "Werknemers van een loods staan niet op de loonlijst",
        "Man in een wasstraat werkt alle dagen zonder pauze",
    ),
    "CRIMINAL": (
        "Jongere brengt pakketjes weg voor oudere jongens",
        "Leerling heeft ineens dure spullen en is bang",
        "Jongvolwassene gaf bankpas af na chantage",
        "Iemand moet stelen om een boete af te betalen",
        "Bewoner past onder dwang op een kwekerij in huis",
        "Jongen wordt na school opgewacht door onbekenden",
        "Scholier zegt dat er geen weg terug meer is",
        "Er loopt geld van anderen over een rekening",
    ),
    "SERVICES": (
        "Huishoudster in een gezin komt nooit alleen buiten",
        "Au pair werkt alle dagen en krijgt alleen zakgeld",
        "Familielid doet al het werk in huis en slaapt in de gang",
        "Hulp in de huishouding heeft geen eigen papieren",
    ),
    "ORGAN": (
        "Man kan een schuld aflossen door een nier af te staan",
        "Persoon kreeg een reis aangeboden in ruil voor een orgaan",
        "Iemand vraagt naar een operatie die een ander betaalt",
    ),
    "UNKNOWN": (
        "Persoon is zichtbaar bang en wil niet zeggen waarvoor",
        "Bewoner lijkt opgesloten maar vertelt er niets over",
        "Situatie in een woning klopt niet volgens de buren",
    ),
}
OBSERVATIONS: Final = (
    "Paspoort is in handen van een ander.",
    "Er is sprake van een schuld die steeds groeit.",
    "Contact met familie wordt door een ander geregeld.",
    "De telefoon wordt steeds gecontroleerd.",
    "Er zijn blauwe plekken gezien.",
    "Antwoorden lijken ingestudeerd.",
    "Een ander voert steeds het woord.",
    "Er zijn meer slaapplekken dan bewoners.",
    "Het verhaal wisselt per gesprek.",
    "Kleding past niet bij het weer.",
    "Geld moet direct worden afgegeven.",
    "Er is al eerder over deze plek gebeld.",
)
CLOSINGS: Final = (
    "Wil weg en vraagt om opvang.",
    "Wil nu nog geen hulp.",
    "Vertrouwen moet nog groeien.",
    "Reistijd en slaapplek hangen vast aan het werk.",
    "Er is haast, vertrek lijkt gepland.",
    "Melder blijft in contact.",
    "Nog niet alles is nagevraagd.",
    "Twijfel is genoeg om te melden.",
)
TIP_OPENING: Final = "Anonieme tip."
LOOK_ALIKES: Final = (
    "Op de doos stond ordernummer 123456789.",
    "Het gebeurt meestal tussen 12-14 uur.",
    "Er zou 1234 EUR zijn betaald.",
    "In week 48 was het ook zo.",
    "Gebeld met 0800-7000 voor advies.",
    "Het dossier heet 2026-00431.",
    "Er stonden 12 kramen op de markt.",
)
SLOTS: Final = {
    "NAME": ("Het gaat om {}.", "{} vertelde dit zelf.", "De naam {} viel daarbij."),
    "PHONE": ("Bereikbaar op {}.", "Er werd gebeld vanaf {}."),
    "PLATE": ("Gebracht met een bus met kenteken {}.", "Buiten stond een auto, {}."),
    "ADDRESS": ("Het speelt aan de {}.", "Gezien bij {}."),
    "IBAN": ("Het geld ging naar {}.",),
    "DOB": ("Geboren op {}.",),
}
