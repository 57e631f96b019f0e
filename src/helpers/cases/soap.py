"""Judges notes of the healthcare case: the rules of data/samples/soap/note_guide.md, and the facts of the visit.

    checks = check(note, gold, talk)     # {"rule_01_sections": True, …, "all_rules": True}
    grades = grade_soap(note, example)   # … and section_placement, fact_recall, invented_facts, doses_exact, …

`gold` is a right note of the same talk. Facts are found in whatever style they are written; how they are written is
what the rules judge. What is dangerous is never averaged away: see helpers.cases.soap_safety. FOR LEARNING, NOT FOR
CARE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from helpers.cases.soap_style import DOSE, OFTEN, SECTIONS, SPAN, TAKEN, Fact, forms, gold_facts, read_note
from helpers.editing import editing_saved, word_edits
from helpers.personal import find
from helpers.placeholders import PLACEHOLDER

NUMBER_WORDS = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b(?! times daily)", re.I)
LONG_UNITS = re.compile(r"\b(milli|micro|kilo)\w+|\d(mg|mcg|ml|mmHg|kg)\b|\d [%/]|\b(degrees Celsius)\b|\d beats", re.I)
NOT_PLAIN = re.compile(r"[?!\"\u201c\u201d]|\b(I|you|your|my|doctor|nurse)\b")
OTHERS = re.compile(r"\b(husband|wife|mother|father|sister|brother|friend|son|daughter|neighbour)\b", re.I)
BRACKETED = re.compile(r"<[A-Z][A-Z\d_]*>|\[[a-z ]+\]")
MEDICINE_OPENINGS = re.compile(r"Takes(?! no)|Start |Change |Stop ")
DENIED = re.compile(r"\b(denie[sd]|denying|no|not|without|negative for|neither|nor|absent|none)\b", re.I)
UNSURE = re.compile(r"\b(unsure|uncertain|not sure|unclear|unknown|does not know|cannot say)\b", re.I)
CUES = {  # what a sentence must speak of, in any style, to say a fact of this form
    "worse": r"wors|aggravat|trigger|exacerbat|provok|brought on",
    "eased": r"eas(?:ed|es)|better|reliev|improv|help",
    "takes": r"\btak|\bon\b|current|medic|using|\buse",
    "takes_none": r"\bno (?:\w+ )?(?:medic|tablet|drug)",
    "allergy": r"allerg",
    "no_allergy": r"\bno (?:\w+ )?(?:drug )?allerg|\bNKD?A\b",
    "hr": r"\bHR\b|heart rate|pulse",
    "rr": r"\bRR\b|resp|breath",
    "temp": r"temp",
    "spo2": r"SpO2|sat|oxygen",
    "weight": r"weigh|\bkg\b",
    "start": r"start|begin|prescri|give|course|initiat|commence|take",
    "change": r"chang|adjust|increas|decreas|reduc|titrat|to \d",
    "stop": r"stop|discontinu|cease|come off",
    "review": r"review|follow|return|see again|back in|recheck",
}
ASSERTED = ("complaint", "worse", "eased", "exam", "impression", "stop", "order", "advise")  # a "no" turns them round
SILENT_WORDS = """
a an and are as at be been by complains current currently daily feels for from has have he her his in is it
its medication medications no noted of on or patient pain-free presents reported reports says she since states
than that the their they this to was were which who will with denied medicines medicine also taking taken
follow up
"""  # that carry no fact


def check(note: str, gold: str, talk: str) -> dict[str, bool]:
    """Return each numbered rule of the guide, and all_rules. Raises ValueError where `gold` is not in style."""
    rules = _rules(note, gold_facts(gold), gold, talk)
    return rules | {"all_rules": all(rules.values())}


def grade_soap(note: str, example: dict[str, Any]) -> dict[str, bool | float | None]:
    """Return the rules and measures of one note, for helpers.evaluate; None where there is nothing to measure.

    `example` is a chat example: the talk is what its user says, the gold note its last message.

    - section_placement: of the gold facts that the note holds, the share that stands in its right section (0: no fact);
    - fact_recall: the share of the gold facts that it holds;
    - invented_facts: the share of its sentences that say what nobody said: a word or number that neither the talk nor
      the gold note has, a medicine that is not the patient's or is begun, changed or stopped unordered, a fact turned
      round ("Impression: no …", a denied symptom as present), a denial of what nobody asked;
    - negations_kept, doses_exact: the share of denials kept as such, of medicines with name, dose and times right;
    - editing_saved: 1 - word edits to the gold note / words to write it from nothing. Words stand in for time.
    """
    *before, last = example["messages"]
    gold, talk = last["content"], "\n".join(m["content"] for m in before if m["role"] == "user")
    wanted, said = gold_facts(gold), read_note(note)
    held = [[fact for fact in said if says(fact, right)] for right in wanted]
    placed = [any(fact.section == right.section for fact in found) for right, found in zip(wanted, held, strict=True)]
    recalled = [bool(found) for found in held]
    invented = [is_invented(fact, wanted, gold, talk) for fact in said]
    denials = [found for right, found in zip(wanted, recalled, strict=True) if right.form == "denies"]
    doses = [
        found and not wrong_doses(right.values[0], said, wanted) and not wrong_times(right.values[0], said, wanted)
        for right, found in zip(wanted, recalled, strict=True)
        if right.form in TAKEN
    ]
    return check(note, gold, talk) | {
        "section_placement": _share(where for where, found in zip(placed, recalled, strict=True) if found) or 0.0,
        "fact_recall": _share(recalled),
        "invented_facts": _share(invented) or 0.0,
        "negations_kept": _share(denials),
        "doses_exact": _share(doses),
        "editing_saved": max(0.0, editing_saved([word_edits(note, gold)], [word_edits("", gold)])),
    }


def _share(flags: Iterable[bool]) -> float | None:
    known = list(flags)
    return sum(known) / len(known) if known else None


def _holds(text: str, value: str) -> bool:
    """Whether a text has a value whole, whatever the capitals; "5 mg" is not in "2.5 mg"."""
    text, value = f" {text.lower()} ", value.lower()
    at = text.find(value)
    while at > 0:
        before, after = text[at - 1], text[at + len(value) :]
        if not (before.isalnum() or before == "." or after[0].isalnum() or re.match(r"\.\d", after)):
            return True
        at = text.find(value, at + 1)
    return False


def says(said: Fact, right: Fact) -> bool:
    """Return whether a sentence says a gold fact, in any style: all its values, and neither denied nor in doubt."""
    text, form = said.text, right.form or ""
    values = [f"{right.values[0]}/{right.values[1]}"] if form == "bp" else list(right.values)
    if form == "start":
        values[3] += " days"
    if not all(_holds(text, value) for value in values):
        return False
    if form in CUES and not re.search(CUES[form], text, re.IGNORECASE):
        return False
    before = text[: text.lower().find(values[0].lower())] if values else ""
    if form == "unsure":
        return bool(UNSURE.search(text))
    if form == "denies":
        return bool(DENIED.search(before)) and not UNSURE.search(text)
    if form in ("complaint", "also", "allergy", "takes", "start"):
        return not DENIED.search(before) and not UNSURE.search(text)
    return not _denied_in_clause(before)


def _denied_in_clause(before: str) -> bool:
    """Whether the words before a value deny it: those of its own clause, so "No redness, stiff arm" does not."""
    return bool(DENIED.search(re.split(r"[,:;]|\bbut\b", before)[-1]))


def is_invented(said: Fact, wanted: Sequence[Fact], gold: str, talk: str) -> bool:
    """Return whether a sentence says what nobody said; see grade_soap."""
    if any(said.text == right.text for right in wanted):
        return False
    if said.form in ("denies", "unsure", "no_allergy", "takes_none") and not any(says(said, right) for right in wanted):
        return True  # every denial is a line of the gold note
    known = _words(gold) | _words(talk) | _house_words() | set(SILENT_WORDS.split())
    strange = _words(said.text) - known
    theirs = _medicines(talk) - _medicines(gold)
    unsaid = any(_holds(said.text, name) for name in theirs) or not_ordered(said, wanted)
    return bool(strange) or unsaid or bool(turned(said, wanted))


def not_ordered(said: Fact, wanted: Sequence[Fact]) -> bool:
    """Return whether a line has a gold medicine taken, begun, changed or stopped, of which the gold note has none."""
    treated = {*TAKEN, "stop"}
    if said.form not in treated:
        return False
    ordered = {right.form for right in wanted if right.values and right.values[0] == said.values[0]}
    return bool(ordered & treated) and said.form not in ordered


def turned(said: Fact, wanted: Sequence[Fact]) -> list[Fact]:
    """Return the gold facts that a sentence turns round: denied as present, present or in doubt as denied."""
    is_right = any(says(said, right) for right in wanted)
    denied = [right for right in wanted if right.form in ASSERTED and _denied(said.text, right.values)]
    found = [] if is_right else denied
    for right in wanted if said.form in (None, "denies", "also", "unsure") else ():
        if right.form in ("denies", "also", "unsure") and _holds(said.text, right.values[0]):
            pairs = [right._replace(form=form) for form in ("denies", "also", "unsure")]
            now = next((pair.form for pair in pairs if says(said, pair)), None)
            same_words = sum(_holds(said.text, other.values[0]) for other in wanted if other.values) > 1
            if now != right.form and not (same_words and is_right):
                found.append(right)
    return found


def _denied(text: str, values: Sequence[str]) -> bool:
    return all(_holds(text, value) for value in values) and _denied_in_clause(
        text[: text.lower().find(values[0].lower())]
    )


def wrong_doses(name: str, said: Sequence[Fact], wanted: Sequence[Fact]) -> list[str]:
    """Return the sentences that give a medicine a dose which the gold note does not give it."""
    return _taken_otherwise(DOSE, name, said, wanted)


def wrong_times(name: str, said: Sequence[Fact], wanted: Sequence[Fact]) -> list[str]:
    """Return the sentences that have a medicine taken at other times, or for other days, than the gold note says."""
    return _taken_otherwise(rf"{OFTEN}|(?<=for )\d+(?= days)", name, said, wanted)


def _taken_otherwise(pattern: str, name: str, said: Sequence[Fact], wanted: Sequence[Fact]) -> list[str]:
    """The sentences with the medicine that hold what the pattern finds and no gold line with its medicines has."""
    given = [fact for fact in wanted if fact.form in TAKEN]
    return [
        fact.text
        for fact in said
        if _holds(fact.text, name)
        and set(re.findall(pattern, fact.text))
        - {value for right in given if _holds(fact.text, right.values[0]) for value in right.values[1:]}
    ]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+(?:['-][^\W\d_]+)*", text.lower().replace("\u2019", "'")))


@cache
def _house_words() -> set[str]:
    return _words(" ".join(form.line for form in forms().values()))


def _medicines(text: str) -> set[str]:
    """Names with a capital that stand directly before a dose or after take, stop and the like."""
    before = re.findall(rf"\b([A-Z][a-z]{{4,}})[.,]? (?:\w+ )?(?={DOSE}|\d+(?:\.\d+)? mi)", text)
    return set(before) | set(re.findall(r"\b(?:Takes|Start|Change|Stop) ([A-Z][a-z]+)", text))


# Rules ----------------------------------------------------------------------------------------------------------------


def _rules(note: str, wanted: list[Fact], gold: str, talk: str) -> dict[str, bool]:
    lines = [line for line in note.strip().split("\n") if line not in [f"{s}:" for s in SECTIONS]]
    said = read_note(note)
    orders = [list(forms()).index(fact.form) for fact in said if fact.form]
    texts, right = [fact.text for fact in said], [fact.text for fact in wanted]
    theirs = _medicines(note) & _medicines(talk) - _medicines(gold)
    taken_back = {value for value in re.findall(rf"{DOSE}|{SPAN}", note) if value in talk and value not in gold}
    return {
        "rule_01_sections": _sections(note),
        "rule_02_one_fact_a_line": all(re.fullmatch(r"(?:[^.;]|\.(?=\d))+\.", line) for line in lines),
        "rule_03_opening_words": all(_opens(fact) for fact in said),
        "rule_04_order": orders == sorted(orders) and _common(right, texts) == _common(texts, right),
        "rule_05_figures": not NUMBER_WORDS.search(note),
        "rule_06_units": not LONG_UNITS.search(note) and all(fact.form for fact in said if _is(fact, "O", "Exam")),
        "rule_07_medicines": all(fact.form for fact in said if MEDICINE_OPENINGS.match(fact.text)),
        "rule_08_denials": _denials(said) == _denials(wanted),
        "rule_09_corrections": not taken_back and not _other_side(said, wanted),
        "rule_10_patient_alone": not theirs and not OTHERS.search(note),
        "rule_11_no_identifiers": not find(note) and not PLACEHOLDER.search(note) and not BRACKETED.search(note),
        "rule_12_plain": not NOT_PLAIN.search(note),
        "rule_13_length": 25 <= len(note.split()) <= 90,
    }


def _sections(note: str) -> bool:
    """The four headings alone on their lines, in order, each with something under it."""
    parts = re.split(r"^([SOAP]):$", note.strip(), flags=re.MULTILINE)
    return not parts[0] and tuple(parts[1::2]) == SECTIONS and all(part.strip() for part in parts[2::2])


def _opens(fact: Fact) -> bool:
    return any(fact.section == form.section and fact.text.startswith(form.opening) for form in forms().values())


def _common(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    return [text for text in texts if text in others]


def _is(fact: Fact, section: str, *but: str) -> bool:
    return fact.section == section and not fact.text.startswith(but)


def _denials(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    return sorted((f.form or "", f.text) for f in facts if f.text.startswith(("Denies", "Unsure")))


def _other_side(said: Sequence[Fact], wanted: Sequence[Fact]) -> bool:
    """Whether a sentence is a gold fact with left and right exchanged."""
    right = {fact.text for fact in wanted}
    return any(fact.text not in right and exchanged(fact.text) in right for fact in said)


def exchanged(text: str) -> str:
    """Return the text with left for right and right for left."""
    sides = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub(r"\b([Ll]eft|[Rr]ight)\b", lambda match: sides[match[1]], text)
