"""Step 2: where a text names or identifies a person: e-mail, phone, card, IBAN, account and record numbers, names …

Numbers with check digits are judged by python-stdnum, telephone numbers also by phonenumbers. Other kinds are found by
their form or by the words before them ("born on", "account number"). Names come from the data's own columns,
salutations, titles and signatures. Nothing is downloaded, and nothing leaves this computer. Larger libraries were
not taken: presidio-analyzer needs spaCy, scrubadub scikit-learn and NLTK. tests/test_personal.py measures each kind.
NO OFFLINE TOOL FINDS ALL NAMES: of 30 in texts held out 22 were found. Read a sample before anything is uploaded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.se import personnummer
from stdnum.us import ssn


class Span(NamedTuple):
    """A place in a text that holds personal data of a kind."""

    start: int
    end: int
    kind: str


# Words before a value, and the value: what the words call for ---------------------------------------------------------

IS = r"(?: (?:is|was|on file))?[ :=#]*"
NUMBER = r"(?:[ -]?(?:numbers?|no\b\.?|nr\b\.?|ID\b|#))"
VALUE = r"((?=[\w./:-]*\d)[A-Z\d][\w./:-]*\w(?: \d[\d-]*)*(?![\w-]))"
MONTHS = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
DAY = r"\d{1,2}(?:st|nd|rd|th)?"
DATE = (
    rf"((?:the )?{DAY}(?: of)? {MONTHS}\b(?:,? \d{{4}})?|{MONTHS} {DAY}(?:,? \d{{4}})?"
    r"|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:\d{4}|\d{2}))(?!\w)"
)
BORN = r"(?i:\b(?:born|n[ée]e?|geboren|geburtsdatum|date of birth|birth ?date|birthday|d\.?o\.?b\b\.?)(?: is| on| le)?)"
ACCOUNTS = (
    r"\b(?i:bank account|account(?: holder)?|acct\.?|a/c|sort code|routing|policy|member(?:ship)?|customer|client"
    r"|(?:kunden|konto)nummer|BLZ)"
)
RECORDS = r"\b(?i:medical record|patient|chart|hospital|NHS|case|matter|docket|claim|file|record)"
IDENTITIES = (
    r"\b(?i:SSNs?|social security|national insurance|NINO|passport|driv(?:er'?s?|ing) licen[cs]e|national id|tax file"
    r"|tax id|TFN|SIN|BSN|PESEL|CPF|Aadhaar|Steuer-?ID|DNI|codice fiscale|personnummer)"
)

# What is seen by its form ---------------------------------------------------------------------------------------------

CAPITAL = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0106\u010c\u0141\u015a\u0160\u0179\u017b\u017d"
APOSTROPHE = "['\u2019]"
WORD = rf"[{CAPITAL}](?:\w|-|{APOSTROPHE}\w)*"
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*\w")
CARD = re.compile(r"(?<![\w-])[2-6](?:[ -]?\d){12,18}(?![\w-])")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?\b")
PHONE = re.compile(
    r"(?<![\w-])(?<!\d )(?:\+\d{1,3}[ .-]?\(?\d{1,5}\)?(?:[ .-]?\d{2,4}){2,4}"  # +44 7700 900 123
    r"|\(?0\d{2,5}\)?[ .-]\d{2,4}(?:[ .-]?\d{2,4}){1,2}|0[1-9]\d{8,9}"  # 07700 900123, 07700900123
    r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])"  # (212) 555-0100
)
REGIONS = ("GB", "US")  # whose national numbers are looked for; international ones always are
LENIENCY = phonenumbers.Leniency.STRICT_GROUPING  # with the spaces and dashes where that country puts them, or none
UNIT = r"(?:Flat|Apt\.?|Apartment|Suite|Unit) \w+"
POSTCODE = (
    r"(?:[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}"  # Britain
    r"|[A-Z]{2} (?:\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)|[A-Z]{2,3} \d{4})\b"  # the USA, Canada, Australia
)
TOWN = rf"{WORD}(?: {WORD}){{0,2}}"
NUMBERED = rf"\b\d{{1,5}}[A-Za-z]?(?: (?:{WORD}|\d+(?:st|nd|rd|th))){{1,5}}"
STREETS = "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Court|Close|Way|Square|Terrace|Crescent|Boulevard|Blvd|Row|View"
ADDRESS = re.compile(
    rf"(?:{UNIT},? )?{NUMBERED}(?:,? {UNIT})?(?:,? {TOWN}){{0,2}},? {POSTCODE}"
    rf"|\b\d{{1,5}}[A-Za-z]? {WORD}(?: {WORD})* (?:{STREETS})\b(?:,? {UNIT})?(?:, {TOWN})?"
    rf"|(?<![\w-])(?<!\w{APOSTROPHE})(?:{WORD}(?:straße|strasse|str\.|weg|platz|allee|gasse)"  # not amid a word: slow
    rf"|(?:Calle|Via|Avenida|Plaza|Rua) {TOWN}) \d+[a-z]?(?:, \d{{4,5}} {TOWN})?"
    rf"|\b\d{{1,4}},? (?:rue|avenue|boulevard|place|chemin) [\w' -]{{2,40}}(?:, \d{{5}} {TOWN})?"
    rf"|\bP\.?O\.? Box \d+(?:,? {TOWN})?(?:,? {POSTCODE})?"
)
VERSION = re.compile(r"(?:\bv\.?|version|release|build|firmware|driver|software|agent|update)(?: is)?[ :]*$", re.I)


def _is_ip(match: re.Match[str]) -> bool:
    if VERSION.search(match.string[: match.start()]):
        return False
    try:
        ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return len(match[0]) > 4  # "::1" is every computer's own


def _has_digits(match: re.Match[str]) -> bool:
    return sum(map(str.isdigit, match[1])) >= 4


def _always(match: re.Match[str]) -> bool:
    return True


def _judged(is_valid: Callable[[str], bool]) -> Callable[[re.Match[str]], bool]:
    return lambda match: is_valid(match[0])


def is_card(text: str) -> bool:
    """Return whether the text's digits pass the check that every card number does (Luhn, ISO/IEC 7812)."""
    return bool(luhn.is_valid(re.sub(r"\D", "", text)))


# In order: what is found first is not looked at again. A pattern with a group finds what is in it.
PATTERNS: list[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]]] = [
    ("URL", re.compile(r"\b(?:https?://|www\.)[^\s<>\"'()\[\]]+(?<![.,;:!?])", re.I), _always),
    ("EMAIL", EMAIL, _always),
    ("IBAN", IBAN, _judged(iban.is_valid)),
    ("CARD", CARD, _judged(is_card)),
    ("BIRTH_DATE", re.compile(rf"{BORN}[ :,]*{DATE}"), _always),
    ("NATIONAL_ID", re.compile(rf"{IDENTITIES}{NUMBER}?{IS}{VALUE}"), _has_digits),
    ("RECORD", re.compile(rf"(?:\bMRN{NUMBER}?|{RECORDS}{NUMBER}){IS}{VALUE}"), _has_digits),
    ("ACCOUNT", re.compile(rf"{ACCOUNTS}{NUMBER}?{IS}{VALUE}"), _has_digits),
    ("NATIONAL_ID", re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), _judged(ssn.is_valid)),
    ("NATIONAL_ID", re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D]\b"), _always),  # Britain
    ("NATIONAL_ID", re.compile(r"\b[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d\b"), _judged(nir.is_valid)),
    ("NATIONAL_ID", re.compile(r"\b\d{8}-?[A-Z]\b"), _judged(dni.is_valid)),
    ("NATIONAL_ID", re.compile(r"\b[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]\b"), _judged(codicefiscale.is_valid)),
    ("NATIONAL_ID", re.compile(r"\b\d{3}\.\d{3}\.\d{3}-\d\d\b"), _judged(cpf.is_valid)),
    ("NATIONAL_ID", re.compile(r"\b\d{6}[-+]\d{4}\b"), _judged(personnummer.is_valid)),
    ("IP", re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"), _is_ip),
    ("IP", re.compile(r"(?<![\w:.])(?:[\da-fA-F]{0,4}:){2,7}[\da-fA-F]{0,4}(?![\w:])"), _is_ip),
    ("ADDRESS", ADDRESS, _always),
]
KINDS = [*dict.fromkeys(kind for kind, _, _ in PATTERNS), "PHONE", "NAME"]

# Names ----------------------------------------------------------------------------------------------------------------

TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Judge|Sir|Dame|Herrn?|Frau|Señora?|Mme|Monsieur|Madame)\b\.?"
TITLED = re.compile(rf"{TITLE}\Z")
PARTICLE = "(?:van|von|de|der|den|la|le|da|dos|di|bin|al|el)"
PERSON = rf"((?:[A-Z]\. ?){{0,4}}{WORD}(?: (?:{PARTICLE} )*(?:{WORD}|[A-Z]\.)(?!\w))*)"
GREETING = r"(?:Dear|Hi|Hello|Hey|Hiya|Good (?:morning|afternoon|evening)|Hallo|Guten Tag|Bonjour|Hola|Ciao)"
CLOSING = (
    r"(?:Best|(?i:(?:kind |best |warm |with )*regards|(?:best|kind) wishes|(?:many )?thanks(?: a lot)?|thank you|cheers"
    r"|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|love|signed|mit freundlichen grüßen|cordialement"
    r"|saludos))"
)
KIN = "(?:husband|wife|partner|son|daughter|(?:grand)?(?:mother|father)|mum|dad|brother|sister|friend)"
NAME_CUES = [
    re.compile(rf"\b(?:{TITLE} (?:and |& )?)+{PERSON}"),
    re.compile(rf"\b{GREETING},? (?:{TITLE} )*{PERSON}"),
    re.compile(rf"\b(?i:my name(?: is|{APOSTROPHE}s)|name:|je m'appelle|mi nombre es|ich heiße) {PERSON}"),
    re.compile(rf"\b(?:I am|I{APOSTROPHE}m|[Tt]his is|Sono|Je suis|Ich bin) (?={WORD} {WORD}){PERSON}"),
    re.compile(rf"(?:^|[.!?,] |it's ){PERSON} (?:here|speaking|hier)\b(?=[ \t]*(?:[.,!:\n]|from|calling|$))"),
    re.compile(rf"\b(?:From|To|Cc|Attn|Contact): (?:{TITLE} )*{PERSON}"),
    re.compile(rf"\b(?:Patient|Client|Customer):? (?={WORD} {WORD}){PERSON}"),
    re.compile(rf"(?:[,.!?][ \t]|\n|- ){PERSON}\s*(?:\Z|\n-- ?\n)"),  # the last words, without a full stop
    re.compile(rf"^-- ?\n{PERSON}", re.MULTILINE),
    re.compile(rf"\b[Mm]y {KIN},? {PERSON}"),
    re.compile(rf"(?:^|[.!?,\n])[ \t]*{CLOSING}(?: from)?[,.!]?[ \t]*\n{{0,2}}[ \t]*{PERSON}[ \t]*$", re.MULTILINE),
]
LETTERS = re.compile(r"[^\W\d_]{2}")  # a column may hold "-" where no name is known
NO_NAME = re.compile(  # words with a capital that follow a greeting or end a mail
    r"(?:A|Account|Accounts|Admin|Again|All|Also|Am|An|And|Anonymous|Any|Anybody|Anyone|April|Are|As|Ask|At|August"
    r"|Be|Beneficiary|Best|Bonjour|But|By|Can|Cheers|Claims|Could|Customer|Customers|Dear|December|Did|Do|Does"
    r"|Don't|Everybody|Everyone|Everything|February|First|Folks|Friday|From|Get|Go|Good|Greetings|Guest|Guten"
    r"|Guys|Had|Hallo|Has|Have|He|Hello|Help|Her|Hey|Hi|His|Hola|Hope|How|I|I'd|I'm|I've|If|In|Is|It|It's|January"
    r"|July|June|Just|Kind|Ladies|Let|Love|Madam|Many|March|May|Me|Monday|Mum|My|Need|Nice|No|Not|Nothing"
    r"|November|October|Of|Office|Oh|Ok|Okay|Old|On|Or|Order|Our|Over|Patient|Please|Regards|Right|Sales|Saturday"
    r"|Sent|September|Service|She|Should|Sir|Sirs|So|Still|Sunday|Support|Team|Test|Thank|Thanks|That|The|Then"
    r"|There|These|They|This|Thursday|To|Today|Tuesday|Unknown|Up|Us|User|Valued|Was|We|Wednesday|Well|What|When"
    r"|Where|Which|Who|Why|Would|Yes|You|Your|Yours)\Z"
)


def names_in(texts: Iterable[str]) -> set[str]:
    """Return the names that salutations, titles, introductions and signatures in these texts give away."""
    found = {match[1] for text in texts for cue in NAME_CUES for match in cue.finditer(text)}
    return {name for name in map(_trimmed, found) if name}


def _trimmed(name: str) -> str:
    """A name from its first word that may be one to the last before one that may not."""
    words = name.split()
    may_be = [not NO_NAME.match(word.replace("\u2019", "'").strip(".,")) and not TITLED.match(word) for word in words]
    start = may_be.index(True) if any(may_be) else len(words)
    end = may_be.index(False, start) if False in may_be[start:] else len(words)
    return " ".join(words[start:end])


@lru_cache(maxsize=64)  # the messages of one conversation are searched for the same names
def _name_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds names whole in any case, and their parts as written or in capitals; the longest first."""
    whole = {" ".join(name.split()) for name in names if LETTERS.search(name) and not NO_NAME.match(name.strip())}
    parts = {part for name in whole for part in name.split() if len(part) > 1 and re.match(rf"{WORD}\Z", part)}
    parts = {part for part in parts - whole if not NO_NAME.match(part) and not TITLED.match(part)}
    ways = [(name, rf"(?i:{_spelled(name)})" if " " in name else _spelled(name)) for name in whole]
    ways += [(part, _spelled(part)) for part in parts]
    ways += [(name.upper(), _spelled(name.upper())) for name, _ in ways if " " not in name and len(name) > 2]
    ways.sort(key=lambda way: -len(way[0]))
    return re.compile(rf"(?<!\w)(?:{'|'.join(pattern for _, pattern in ways)})(?!\w)") if ways else None


def _spelled(name: str) -> str:
    return re.sub(APOSTROPHE, APOSTROPHE, re.escape(name).replace(r"\ ", r"\s+"))


def find(text: str, names: Collection[str] = ()) -> list[Span]:
    """Return where personal data stands in a text, in order and without overlaps; `names` are those to look for."""
    found: list[Span] = []
    free = bytearray(b"\1" * len(text))
    for span in _candidates(text, names):
        if all(free[span.start : span.end]):
            free[span.start : span.end] = bytes(span.end - span.start)
            found.append(span)
    return sorted(found)


def _candidates(text: str, names: Collection[str]) -> Iterator[Span]:
    if "@" in text or "www." in text or "://" in text or any(map(str.isdigit, text)):
        for kind, pattern, holds in PATTERNS:
            group = 1 if pattern.groups else 0
            yield from (Span(*match.span(group), kind) for match in pattern.finditer(text) if holds(match))
        yield from _phones(text)
    called = _name_pattern(tuple(names))
    if called is not None:
        yield from (Span(*match.span(), "NAME") for match in called.finditer(text))


def _phones(text: str) -> list[Span]:
    """Telephone numbers by their form and by the library, the longest first.

    The form also fits numbers kept free for films and examples, such as 07700 900123; the library knows how each
    country writes its own.
    """
    spans = {match.span() for match in PHONE.finditer(text)}
    if sum(map(str.isdigit, text)) > 6:
        for region in REGIONS:
            spans |= {(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, region, LENIENCY)}
    return [Span(*span, "PHONE") for span in sorted(spans, key=lambda span: span[0] - span[1])]
