"""Takes the eighteen identifiers of HIPAA's Safe Harbor method out of transcripts, as far as rules find them.

    done = deidentify(examples, names=[["Maren Caldley", "Dr Imber"], …])
    done.examples, done.checklist

The finding is helpers.personal's; dates, ages over 89, devices, plates, ZIP codes, photographs, fingerprints and study
codes are added here. The list is 45 CFR 164.514(b)(2)(i)(A) to (R); (b)(2)(ii) asks for more: nobody may know that what
is left points to a person. So the checklist says for each what a person has to look at, and an empty row is no proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from helpers.mask import anonymise
from helpers.personal import MONTHS


class Identifier(NamedTuple):
    """One of the eighteen: its letter in the rule, its name, the placeholders that stand for it, what is left to do."""

    letter: str
    name: str
    kinds: tuple[str, ...]
    person: str


IDENTIFIERS = [
    Identifier("A", "names", ("NAME",), "names that no column, title or introduction gives away; read a sample"),
    Identifier("B", "places smaller than a state", ("ADDRESS", "ZIP"), "towns, hospitals, landmarks in running text"),
    Identifier(
        "C", "dates, ages over 89", ("BIRTH_DATE", "DATE", "AGE_OVER_89"), "feasts, ages in words; years may stay"
    ),
    Identifier("D", "telephone numbers", ("PHONE",), "numbers spoken in words"),
    Identifier("E", "fax numbers", ("PHONE",), "found as telephone numbers; numbers in words"),
    Identifier("F", "e-mail addresses", ("EMAIL",), "addresses spelled out: 'maren at example dot com'"),
    Identifier("G", "social security numbers", ("NATIONAL_ID",), "the last four digits alone"),
    Identifier("H", "medical record numbers", ("RECORD",), "numbers without a word such as MRN before them"),
    Identifier("I", "health plan numbers", ("ACCOUNT",), "numbers without a word such as member before them"),
    Identifier("J", "account numbers", ("ACCOUNT", "CARD", "IBAN"), "numbers without a word such as account before"),
    Identifier("K", "certificate and licence numbers", ("NATIONAL_ID",), "a clinician's own licence under a note"),
    Identifier("L", "vehicles and plates", ("VEHICLE",), "a plate without a word such as plate before it"),
    Identifier("M", "devices and serial numbers", ("DEVICE",), "a serial number without those words before it"),
    Identifier("N", "web addresses", ("URL",), "addresses spoken in words"),
    Identifier("O", "IP addresses", ("IP",), "the recorder's own log, which is not the transcript"),
    Identifier("P", "biometric identifiers", ("BIOMETRIC",), "the recording itself: a voice is one. Delete the audio"),
    Identifier("Q", "full-face photographs", ("PHOTO",), "pictures in the export: leave them out"),
    Identifier("R", "any other unique number, characteristic or code", ("CODE",), "a rare job, event or illness; read"),
]
IS = r"(?: (?:is|was|says))?[ :#]*"
CODED = r"([A-Z]{1,4}-?\d[\w-]*|\d[\w-]{3,}|[A-Z]{2,4}-\d[\w-]*)"
FULL_MONTHS = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
EXTRA: list[tuple[str, re.Pattern[str]]] = [  # where there is a group, that alone is taken out
    ("DATE", re.compile(rf"\b(?:{FULL_MONTHS}|{MONTHS}\.?) \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?")),
    ("DATE", re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {FULL_MONTHS}\b(?:,? \d{{4}})?")),
    ("DATE", re.compile(r"\b(?:\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})\b")),
    ("AGE_OVER_89", re.compile(r"\b(9\d|1[0-2]\d)(?=[ -](?:years?|year-)[ -]?old)|(?i:\baged? )(9\d|1[0-2]\d)\b")),
    ("DEVICE", re.compile(rf"(?i:\bserial number|\bdevice ID|\bserial no\.?){IS}{CODED}")),
    ("VEHICLE", re.compile(rf"(?i:\b(?:licen[cs]e )?plate|\bVIN){IS}([A-Z\d]{{2,}}-?[A-Z\d]+)")),
    ("ZIP", re.compile(rf"(?i:\bZIP(?: code)?|\bpostcode){IS}(\d{{5}}(?:-\d{{4}})?)\b")),
    ("BIOMETRIC", re.compile(rf"(?i:\b(?:fingerprint|voiceprint|iris|retina)(?: (?:ID|scan|number))?){IS}{CODED}")),
    ("PHOTO", re.compile(r"\b[\w-]+\.(?:jpe?g|png|heic|tiff?)\b", re.IGNORECASE)),
    ("CODE", re.compile(rf"(?i:\b(?:trial|study|research|subject) (?:code|number|ID)){IS}{CODED}")),
]

LABEL = re.compile(r"^(Doctor|Patient|Nurse|Guest_\w+): ", re.MULTILINE)  # "Patient: Just Beltavil" names nobody
HIDDEN = re.compile("^\ue000(\\w+)\ue000\n", re.MULTILINE)


class Deidentified(NamedTuple):
    """Examples with placeholders; `found`: line, kind, places; `checklist`: one row an identifier."""

    examples: list[dict[str, Any]]
    found: pd.DataFrame
    checklist: pd.DataFrame


def deidentify(examples: Sequence[dict[str, Any]], names: Sequence[Any] = ()) -> Deidentified:
    """Return the examples with placeholders such as <NAME_1> and <DATE>, and no way back.

    `names` holds for each example the names that the export's columns know: the patient, the clinician. The checklist
    has a row for each of the eighteen identifiers: letter, identifier, found (places), masked as, a person looks at; a
    kind of placeholder that stands for two identifiers, as <PHONE> does for telephone and fax, counts in both rows.
    Raises Explained where names and examples are not equally many.
    """
    hidden = [_changed(example, lambda text: LABEL.sub("\ue000\\1\ue000\n", text)) for example in examples]
    masked = anonymise(hidden, names)
    counts: list[Counter[str]] = [Counter() for _ in masked.examples]
    done = [_without(example, count) for example, count in zip(masked.examples, counts, strict=True)]
    rows = [(line, *found) for line, count in enumerate(counts, start=1) for found in count.items()]
    found = pd.concat([masked.found, pd.DataFrame(rows, columns=["line", "kind", "places"])], ignore_index=True)
    places = found.groupby("kind")["places"].sum() if len(found) else {}
    return Deidentified(done, found, checklist({str(kind): int(count) for kind, count in dict(places).items()}))


def checklist(places: Mapping[str, int]) -> pd.DataFrame:
    """Return the eighteen identifiers as a table, from how many places of each kind were masked."""
    rows = [
        {
            "letter": identifier.letter,
            "identifier": identifier.name,
            "found": sum(places.get(kind, 0) for kind in identifier.kinds),
            "masked as": " ".join(f"<{kind}>" for kind in identifier.kinds),
            "a person looks at": identifier.person,
        }
        for identifier in IDENTIFIERS
    ]
    return pd.DataFrame(rows)


def _without(example: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
    return _changed(example, lambda text: _masked(HIDDEN.sub(r"\1: ", text), counts))


def _changed(example: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The example with every message changed but the system's."""
    messages = [
        message if message.get("role") == "system" else message | {"content": change(message["content"])}
        for message in example["messages"]
    ]
    return example | {"messages": messages}


def _masked(text: str, counts: Counter[str]) -> str:
    for kind, pattern in EXTRA:

        def stand_in(match: re.Match[str], kind: str = kind) -> str:
            counts[kind] += 1
            start, end = match.span(match.lastindex or 0)
            return match.string[match.start() : start] + f"<{kind}>" + match.string[end : match.end()]

        text = pattern.sub(stand_in, text)
    return text
