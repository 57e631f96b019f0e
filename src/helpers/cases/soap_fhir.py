"""Turns a note of the healthcare case into a FHIR document, as a record system takes it, and back into the note's text.

    bundle = to_bundle(note, patient="p-17", seen=datetime(2025, 9, 3, 9, 30, tzinfo=UTC))
    assert to_note(bundle) == note        # both show the same facts

A document is a Bundle whose first entry is a Composition (FHIR R4B, hl7.org/fhir/R4B/documents.html): four sections
with their text and, for each fact, a resource. Everything is marked as a draft: the Composition is preliminary,
medicines are proposals, and the author is a device. Built and validated with fhir.resources, which knows structure,
types and how often a field may stand; `problems` adds references and code lists. A note that does not read as
note_guide.md has it is refused with the reason. FOR LEARNING, NOT FOR CARE.
"""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from helpers.cases import soap_resources
from helpers.cases.soap_style import SECTIONS, Fact, read_note, write_line
from helpers.errors import Explained

TITLES = {  # LOINC codes of the sections of a progress note (HL7 C-CDA R2.1, Progress Note)
    "S": ("Subjective", "61150-9"),
    "O": ("Objective", "61149-1"),
    "A": ("Assessment", "51848-0"),
    "P": ("Plan", "18776-5"),
}
NOTICE = "Draft by a language model from invented data. For learning, not for care."


def to_bundle(note: str, patient: str, seen: datetime, author: str = "a fine-tuned language model") -> Bundle:
    """Return the note as a validated FHIR R4B document; `patient` is a pseudonym, `seen` has a time zone.

    Raises Explained with the reason where the note cannot become one: a line in no form of the guide, a section missing
    or empty, a fact in another section than its own, a control character, a time without zone.
    """
    facts = read_note(note)
    if (reason := refusal(note, facts)) is not None:
        raise Explained(f"This note is not made a FHIR document: {reason} Mend the note, then run this again.")
    if seen.tzinfo is None:
        raise Explained(f"The time of the visit, {seen}, has no time zone. Give it one, for example tzinfo=UTC.")
    base = uuid.uuid5(uuid.NAMESPACE_URL, f"{patient} {seen.isoformat()} {note}")

    def url(name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(base, name)}"

    subject = {"reference": url("patient")}
    entries = [(url(str(place)), soap_resources.build(fact, subject, seen)) for place, fact in enumerate(facts)]
    composition = {
        "resourceType": "Composition",
        "status": "preliminary",
        "type": {"coding": [{"system": soap_resources.LOINC, "code": "11506-3", "display": "Progress note"}]},
        "subject": subject,
        "date": seen.isoformat(),
        "author": [{"reference": url("author")}],
        "title": f"SOAP note. {NOTICE}",
        "section": [_section(section, facts, url) for section in SECTIONS],
    }
    people = [
        (url("patient"), {"resourceType": "Patient", "identifier": [{"value": patient}]}),
        (url("author"), {"resourceType": "Device", "deviceName": [{"name": author, "type": "other"}]}),
    ]
    document = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{base}"},
        "timestamp": seen.isoformat(),
        "entry": [
            {"fullUrl": where, "resource": resource}
            for where, resource in [(url("composition"), composition), *people, *entries]
        ],
    }
    try:
        bundle = Bundle.model_validate(document)
    except ValidationError as error:
        raise Explained(f"This note is not made a FHIR document: the result would not be valid: {error}") from error
    if to_note(bundle) != note.strip():  # such as "every 08 hours"
        raise Explained(
            "This note is not made a FHIR document: it would not say quite the same. Write figures plainly."
        )
    if found := problems(bundle):
        raise Explained(f"This note is not made a FHIR document: the result would be wrong: {'; '.join(found)}")
    return bundle


def refusal(note: str, facts: list[Fact]) -> str | None:
    """Return why a note cannot become a document, or None."""
    if strange := re.search(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", note):  # XML 1.0, section 2.2
        return f"it holds the character {strange[0]!r}, which a narrative must not."
    for fact in facts:
        if fact.form is None:
            return f"the line {fact.text!r} is in none of the guide's forms."
        if fact.section != soap_resources.section_of(fact):
            return f"the line {fact.text!r} stands in section {fact.section or 'none'}."
    missing = [section for section in SECTIONS if section not in {fact.section for fact in facts}]
    if missing:
        return f"nothing stands in section {', '.join(missing)}."
    if note.strip() != _text(facts):
        return "beside its facts it holds other lines, headings or an order that the guide does not know."
    return None


def _section(section: str, facts: list[Fact], url: Any) -> dict[str, Any]:
    title, code = TITLES[section]
    own = [(place, fact) for place, fact in enumerate(facts) if fact.section == section]
    items = "".join(f"<li>{html.escape(fact.text)}</li>" for _, fact in own)
    return {
        "title": title,
        "code": {"coding": [{"system": soap_resources.LOINC, "code": code}]},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{items}</ul></div>'},
        "entry": [{"reference": url(str(place))} for place, _ in own],
    }


def to_note(bundle: Bundle) -> str:
    """Return the note that a document's resources say, not its narrative; raises Explained for another document."""
    document = json.loads(bundle.model_dump_json(), parse_float=Decimal)
    resources = {entry["fullUrl"]: entry["resource"] for entry in document.get("entry", [])}
    composition = document["entry"][0]["resource"] if document.get("entry") else {}
    sections = {title: section for section, (title, _) in TITLES.items()}
    facts = []
    try:
        for section in composition["section"]:
            for entry in section["entry"]:
                form, values = soap_resources.read(resources[entry["reference"]])
                facts.append(Fact(sections[section["title"]], form, values, write_line(form, values)))
    except (KeyError, IndexError, TypeError) as error:
        raise Explained(f"This is no document that to_bundle made: {error!r} is missing or another thing.") from error
    return _text(facts)


def _text(facts: list[Fact]) -> str:
    lines = []
    for section in SECTIONS:
        lines += [f"{section}:", *(fact.text for fact in facts if fact.section == section)]
    return "\n".join(lines)


def problems(bundle: Bundle) -> list[str]:
    """Return what is wrong with a document beyond its structure: references, code lists, the first entry."""
    document = json.loads(bundle.model_dump_json())
    known = [entry["fullUrl"] for entry in document["entry"]]
    found = [f"{where} stands there twice" for where in {w for w in known if known.count(w) > 1}]
    found += [f"{reference} leads nowhere" for reference in _references(document) if reference not in known]
    if document["entry"][0]["resource"]["resourceType"] != "Composition":
        found.append("the first entry is not the Composition")
    for entry in bundle.entry or []:
        resource: Any = entry.resource
        for name, field in type(resource).model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            allowed, value = extra.get("enum_values"), getattr(resource, name)
            if isinstance(allowed, list) and isinstance(value, str) and value not in allowed:
                found.append(f"{name} {value!r} is not one of {', '.join(map(str, allowed))}")
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)
