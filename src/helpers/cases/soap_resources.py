"""One FHIR R4B resource for each fact of a SOAP note, and the fact that such a resource says. Used by soap_fhir.

What a form of line becomes is said once here, for both ways. Codes: LOINC for readings (hl7.org/fhir/R4B, vital signs
profile), UCUM for units, SNOMED CT for "no known allergy". Complaints, findings and medicines are text: the medicines
are invented, so no code could be right.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from helpers.cases.soap_style import Fact, forms

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
ASKED_UNKNOWN = {"coding": [{"system": f"{HL7}/data-absent-reason", "code": "asked-unknown"}]}
READINGS = {  # form: LOINC code, UCUM unit, unit as shown
    "hr": ("8867-4", "/min", "/min"),
    "rr": ("9279-1", "/min", "/min"),
    "temp": ("8310-5", "Cel", "C"),
    "spo2": ("59408-5", "%", "%"),
    "weight": ("29463-7", "kg", "kg"),
}
PRESSURE, HIGH, LOW, FINDING = "85354-9", "8480-6", "8462-4", "29545-1"
DOSE_UNITS = {"mg": "mg", "mcg": "ug", "ml": "mL"}
TIMES: dict[str, dict[str, Any]] = {
    "once daily": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "twice daily": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "three times daily": {"frequency": 3, "period": 1, "periodUnit": "d"},
    "four times daily": {"frequency": 4, "period": 1, "periodUnit": "d"},
    "every morning": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN"]},
    "at bedtime": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]},
    "once weekly": {"frequency": 1, "period": 1, "periodUnit": "wk"},
}
STATED = {"worse": "Aggravating factor", "eased": "Relieving factor"}  # Observation.code.text, valueString
NO_MEDICINES = "Takes medicines"
NO_ALLERGY = {"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}
Resource = dict[str, Any]


def section_of(fact: Fact) -> str:
    """Return the section in which a fact of this form belongs."""
    return forms()[fact.form or ""].section


def build(fact: Fact, subject: dict[str, str], seen: datetime) -> Resource:
    """Return the resource that says a fact of a known form about the subject, a reference to a Patient."""
    form, values = fact.form or "", fact.values
    if form in ("complaint", "impression"):
        return _condition(form, values) | {"subject": subject}
    if form in ("takes", "start", "change", "stop"):
        return _medicine(form, values) | {"subject": subject}
    if form in ("allergy", "no_allergy"):
        code = {"text": values[0]} if values else {"coding": [NO_ALLERGY]}
        return {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": _coded("allergyintolerance-clinical", "active"),
            "code": code,
            "patient": subject,
        }
    if form == "order":
        made = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": values[0]}}
        return made | {"subject": subject}
    if form == "advise":
        made = {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "description": values[0]}
        return made | {"subject": subject}
    if form == "review":
        participant = [{"actor": subject, "status": "needs-action"}]
        return {
            "resourceType": "Appointment",
            "status": "proposed",
            "description": values[0],
            "participant": participant,
        }
    return _observation(form, values) | {
        "resourceType": "Observation",
        "status": "preliminary",
        "subject": subject,
        "effectiveDateTime": seen.isoformat(),
    }


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code}]}


def _condition(form: str, values: tuple[str, ...]) -> Resource:
    kind = "problem-list-item" if form == "complaint" else "encounter-diagnosis"
    made = {
        "resourceType": "Condition",
        "clinicalStatus": _coded("condition-clinical", "active"),
        "verificationStatus": _coded("condition-ver-status", "unconfirmed" if form == "complaint" else "provisional"),
        "category": [_coded("condition-category", kind)],
        "code": {"text": values[0]},
    }
    return made | ({"onsetString": f"{values[1]} before the visit"} if form == "complaint" else {})


def _quantity(value: str, code: str, unit: str) -> Resource:
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": code}


def _medicine(form: str, values: tuple[str, ...]) -> Resource:
    name = {"medicationCodeableConcept": {"text": values[0]}}
    request = {"resourceType": "MedicationRequest", "status": "draft", "intent": "proposal", **name}
    if form == "stop":
        return request | {"doNotPerform": True}
    amount, unit = values[1].split()
    hours = re.fullmatch(r"every (\d+) hours", values[2])
    repeat = {"frequency": 1, "period": int(hours[1]), "periodUnit": "h"} if hours else dict(TIMES[values[2]])
    if form == "start":
        repeat["boundsDuration"] = _quantity(values[3], "d", "days")
    dosage = {
        "text": f"{values[1]} {values[2]}",
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": _quantity(amount, DOSE_UNITS[unit], unit)}],
    }
    if form == "takes":
        return {"resourceType": "MedicationStatement", "status": "active", **name, "dosage": [dosage]}
    return request | {"category": [{"text": form}], "dosageInstruction": [dosage]}


def _observation(form: str, values: tuple[str, ...]) -> Resource:
    vital = {"category": [_coded("observation-category", "vital-signs")]}
    if form == "bp":
        parts = zip((HIGH, LOW), values, strict=True)
        return vital | {
            "code": _loinc(PRESSURE),
            "component": [
                {"code": _loinc(code), "valueQuantity": _quantity(value, "mm[Hg]", "mmHg")} for code, value in parts
            ],
        }
    if form in READINGS:
        code, ucum, unit = READINGS[form]
        return vital | {"code": _loinc(code), "valueQuantity": _quantity(values[0], ucum, unit)}
    if form == "exam":
        exam = {"category": [_coded("observation-category", "exam")]}
        return exam | {"code": _loinc(FINDING), "valueString": values[0]}
    if form in STATED:
        return {"code": {"text": STATED[form]}, "valueString": values[0]}
    if form == "takes_none":
        return {"code": {"text": NO_MEDICINES}, "valueBoolean": False}
    asked = {"code": {"text": values[0]}, "category": [_coded("observation-category", "survey")]}
    return asked | ({"dataAbsentReason": ASKED_UNKNOWN} if form == "unsure" else {"valueBoolean": form == "also"})


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}]}


# And back -------------------------------------------------------------------------------------------------------------


def read(resource: Resource) -> tuple[str, tuple[str, ...]]:
    """Return the form and the values that a resource says. Raises KeyError for one that build did not make."""
    kind = resource["resourceType"]
    if kind == "Condition":
        text, onset = resource["code"]["text"], resource.get("onsetString", "").removesuffix(" before the visit")
        return ("complaint", (text, onset)) if onset else ("impression", (text,))
    if kind == "AllergyIntolerance":
        return ("allergy", (resource["code"]["text"],)) if "text" in resource["code"] else ("no_allergy", ())
    if kind == "ServiceRequest":
        return "order", (resource["code"]["text"],)
    if kind in ("CarePlan", "Appointment"):
        return {"CarePlan": "advise", "Appointment": "review"}[kind], (resource["description"],)
    if kind in ("MedicationStatement", "MedicationRequest"):
        return _read_medicine(resource)
    return _read_observation(resource)


def _number(quantity: Resource) -> str:
    return str(quantity["value"])  # read as Decimal: FHIR keeps "37.0" and "37" apart


def _read_medicine(resource: Resource) -> tuple[str, tuple[str, ...]]:
    name = resource["medicationCodeableConcept"]["text"]
    if resource.get("doNotPerform"):
        return "stop", (name,)
    taken = resource["resourceType"] == "MedicationStatement"
    form = "takes" if taken else resource["category"][0]["text"]
    dosage = resource["dosage" if taken else "dosageInstruction"][0]
    amount = dosage["doseAndRate"][0]["doseQuantity"]
    repeat = dict(dosage["timing"]["repeat"])
    days = repeat.pop("boundsDuration", None)
    plain = {key: int(value) if key == "period" else value for key, value in repeat.items()}
    often = next((words for words, times in TIMES.items() if times == plain), None) or f"every {plain['period']} hours"
    values = (name, f"{_number(amount)} {amount['unit']}", often)
    return form, (*values, _number(days)) if days else values


def _read_observation(resource: Resource) -> tuple[str, tuple[str, ...]]:
    code = resource["code"].get("coding", [{}])[0].get("code")
    if code == PRESSURE:
        return "bp", tuple(_number(part["valueQuantity"]) for part in resource["component"])
    if code == FINDING:
        return "exam", (resource["valueString"],)
    for form, (known, _, _) in READINGS.items():
        if code == known:
            return form, (_number(resource["valueQuantity"]),)
    text = resource["code"]["text"]
    for form, meaning in STATED.items():
        if text == meaning:
            return form, (resource["valueString"],)
    if text == NO_MEDICINES and not resource.get("category"):
        return "takes_none", ()
    if "dataAbsentReason" in resource:
        return "unsure", (text,)
    return "also" if resource["valueBoolean"] else "denies", (text,)
