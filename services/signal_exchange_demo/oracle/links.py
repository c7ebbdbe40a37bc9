"""The normal forms of section 6, written a second time from the text of the rules: what links, and what links nothing."""

import re
import unicodedata
from datetime import date

SERIES = re.findall(r"\w+", "LL9999 9999LL 99LL99 LL99LL LLLL99 99LLLL 99LLL9 9LLL99 LL999L L999LL LLL99L L99LLL 9LL999 999LL9")
PREFIXES = set(
    re.findall(
        "[a-z]+",
        "van vant de der den ten ter te het t s in int op opt aan bij uit uijt over onder voor tot von vom zu zum zur am im auf"
        " aus dem du des da dos das do del dell della dei degli di la las le les lo los el al ben bin ibn",
    )
)
SHORT = re.findall("[a-z]+", "vanden vander vande vden vder vdr vdn vd vh vt v d l")
SPELLED = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t"}
SPELLED |= {"ŋ": "ng", "ə": "e"}
SOUNDS = re.findall(r"\S+", "sch>sg ch>g ph>f th>t dt>t ck>k qu>kw x>ks c>k z>s v>f w>f")
LOOKS = dict(zip("АВЕКМНОРСТУХІΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIABEZHIKMNOPTYX", strict=True))


def read(text: str) -> str:
    """Give a text as it is read before every step."""
    shown = (_shown(char) for char in unicodedata.normalize("NFC", text))
    return " ".join(part for part in "".join(shown).split(" ") if part)


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if "\uff01" <= char <= "\uff5e":
        return _shown(chr(ord(char) - 0xFEE0))
    signs = {**dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4`", "'"), **dict.fromkeys("\u2044\u2215\u29f8", "/")}
    if char in signs:
        return signs[char]
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "Pd" or char == "\u2212":
        return "-"
    if category in ("Zs", "Zl", "Zp", "Cc"):
        return " "
    return "" if category == "Cf" else char


def number(text: str) -> str:
    """Give a number field as it is read: a sheet writes 12 as 12.0."""
    return re.sub(r"^([0-9]+)[.,]0+$", r"\1", read(text))


def letters(text: str) -> str:
    """Give lower case without accents."""
    lower = read(text).lower()
    spelled = "".join(SPELLED.get(char, char) for char in lower) if not lower.isascii() else lower
    return "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))


def placeholder(text: str) -> bool:
    """Say whether a filled value says that nothing is known."""
    plain = letters(text)
    if not plain:
        return False
    if not re.search(r"[^\W_]", plain):
        return True
    words = _joined(plain)
    phrase = " ".join(words)
    known = (
        "bekend|known|gevraagd|genoemd|opgegeven|doorgegeven|ingevuld|beschikbaar|duidelijk|achterhalen|van toepassing|applicable"
    )
    says_unknown = r"(^| )((onbek|unbekannt|anoniem)\w*|unknown|unkown|inconnue?|weet (ik |het )?niet)( |$)"
    if re.search(says_unknown, phrase) or re.search(rf"(^| )(niet|not) (\w+ )?({known})( |$)", phrase):
        return True
    left = _joined(re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", plain)) or words
    if re.fullmatch(r"test(persoon|naam|er|en)?[0-9]*", left[0]):
        return True
    alone = re.findall("[a-z]+", "na nb nn nvt nnb ntb null nil none empty leeg todo unk asdf qwerty")
    if all(word in alone or not word.strip("x") for word in left):
        return True
    first = re.findall(
        "[a-z]+",
        "geen niets niks niemand naamloos anonymous blanco vertrouwelijk nvt nnb ntb tbd nihil leeg idem zie diverse diversen"
        " meerdere wisselend geheim afgeschermd weigert geweigerd",
    )
    return left[0] in first and not any(char.isdigit() for char in "".join(left))


def _joined(plain: str) -> list[str]:
    words: list[str] = []
    single_before = False
    for word in re.findall(r"[^\W_]+", plain):
        if single_before and len(word) == 1:
            words[-1] += word
        else:
            words.append(word)
        single_before = len(word) == 1
    return words


def key(name: str, *, surname: bool) -> str:
    """Give the key of a surname or a given name."""
    plain = letters(name)
    if placeholder(name):
        return ""
    if surname:
        starts, ends = "[vaoiubt]", "(?:den|der|dr|dn|de|het|d|h|t|n)"
        plain = re.sub(rf"(?<![a-z]){starts} ?[./] ?'?{ends}(?![a-z])\.?", " ", plain)
        plain = re.sub(rf"(?<![a-z])(?:{'|'.join(SHORT)})(?![a-z])\.?", " ", plain)
    if any((char.isalnum() and not "a" <= char <= "z" and not "\u02b0" <= char <= "\u02ff") for char in plain):
        return ""
    parts = [re.findall("[a-z]+", part) for part in re.split("[-/]", plain)]
    parts = [part for part in parts if part]
    chosen = next((part for part in parts if not PREFIXES.issuperset(part)), parts[0] if parts else [])
    kept = [word for word in chosen if word not in PREFIXES] or chosen
    return "".join(kept if surname else kept[:1]).replace("ij", "y")


def name_forms(family: str, given: str, born: str) -> tuple[str | None, str | None]:
    """Give NAME_DOB and NAME_DOB_SOFT; the latter only beside the former."""
    surname, first = key(family, surname=True), key(given, surname=False)
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None, None
    if not surname or not first or day.isoformat() != born:
        return None, None
    return f"{surname}|{first}|{day:%Y%m%d}", f"{sounds(surname)}|{first[0]}|{day:%Y%m%d}"


def sounds(surname: str) -> str:
    """Give the skeleton of a surname's sounds."""
    for pair in SOUNDS:
        surname = surname.replace(*pair.split(">"))
    surname = _single(surname[:-1] + "t" if surname.endswith("d") else surname)
    return _single(surname[:1] + "".join(char for char in surname[1:] if char not in "aeiouy"))


def _single(text: str) -> str:
    return "".join(char for place, char in enumerate(text) if text[place - 1 : place] != char)


def bsn(text: str) -> str | None:
    digits = "".join(char for char in number(text) if char not in " .-")
    digits = "0" + digits if len(digits) == 8 else digits
    if not re.fullmatch("[0-9]{9}", digits) or digits == "000000000":
        return None
    total = sum(weight * int(digit) for weight, digit in zip([9, 8, 7, 6, 5, 4, 3, 2, -1], digits, strict=True))
    return digits if total % 11 == 0 else None


def phone(text: str) -> str | None:
    written = re.sub(r"(?i)^(telefoon|telnr|tel|mobiel|mob|gsm|t|m)([.:] ?| )(?=[+(0-9])", "", number(text))
    written = re.sub(r"\( ?0 ?\)", "", written)
    if not re.fullmatch(r"\(?\+?[0-9 ./()-]+", written):
        return None
    digits = "".join(char for char in written if char in "+0123456789")
    if digits[:1] == "+" or digits[:2] == "00":
        full = re.sub("^(31|32|33|40|41|43|44|49)0", r"\1", digits[1 if digits[0] == "+" else 2 :])
    elif re.fullmatch("0[0-9]{9}", digits):
        full = "31" + digits[1:]
    elif re.fullmatch("6[0-9]{8}", digits):
        full = "31" + digits
    else:
        full = digits if re.fullmatch("316[0-9]{8}", digits) else ""
    fits = re.fullmatch("31[0-9]{9}", full) if full.startswith("31") else re.fullmatch("[1-9][0-9]{7,14}", full)
    return "+" + full if fits else None


def kvk(text: str) -> str | None:
    digits = "".join(char for char in number(text) if char not in " .-")
    return digits.zfill(8) if re.fullmatch("[0-9]{7,8}", digits) else None


def bag(text: str) -> str | None:
    digits = "".join(char for char in number(text) if char not in " .-")
    return digits if re.fullmatch("[0-9]{16}", digits) and digits[4:6] == "20" else None


def address(postcode: str, house: str, addition: str) -> str | None:
    code = "".join(char for char in read(postcode) if char not in " .-").upper()
    found = re.fullmatch("0*([1-9][0-9]*)(.*)", number(house), re.DOTALL)
    if not found or not re.fullmatch("[1-9][0-9]{3}[A-Z]{2}", code) or code[4:] in ("SA", "SD", "SS"):
        return None
    return f"{code}|{found[1]}|{_extra(found[2])}{_extra(addition)}"


def _extra(text: str) -> str:
    kept = "".join(char for char in letters(text).upper() if char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    return kept if len(kept) == 1 or not placeholder(text) else ""


def plate(text: str, country: str | None) -> str | None:
    """Give the form of a plate of a country by its key; None for a country that is unknown."""
    if country is None or placeholder(text):
        return None
    signs = unicodedata.normalize("NFC", "".join(LOOKS.get(char, char) for char in read(text).upper()))
    if country == "DE":
        parts = re.match("([A-ZÄÖÜ]{1,3})[ .·•:/-]+(.+)$", signs)
        rest = re.sub("[ .·•:-]", "", parts[2]) if parts else ""
        shape = r"[A-Z]{1,2}[ .·•:-]*[1-9][0-9]{0,3}[ -]*[EH]?"
        return f"DE:{parts[1]}-{rest}" if parts and re.fullmatch(shape, parts[2]) else None
    compact = "".join(char for char in signs if char not in " .·•:'-")
    if country == "NL":
        series = re.sub("[A-Z]", "L", re.sub("[0-9]", "9", compact))
        return f"NL:{compact}" if series in SERIES and compact.isascii() else None
    ascii_digits = [char for char in compact if char in "0123456789"]
    fits = 2 <= len(compact) <= 10 and ascii_digits and all(char in "0123456789" or _is_latin(char) for char in compact)
    return f"{country}:{compact}" if fits else None


def _is_latin(char: str) -> bool:
    return char.isalpha() and ("A" <= char <= "Z" or "\u00c0" <= char <= "\u024f")
