"""Judges drafts of the legal case by the numbered rules of data/samples/legal/style_guide.md.

    checks = check(draft, final)    # {"rule_01_five_lines": True, …, "all_rules": True, "facts_correct": True, …}
    frame = score(drafts, examples)

`final` is the senior paralegal's version of the same request; what was asked, and of whom, is read from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from dateutil import parser

from helpers.cases.legal_style import BATES, CODE, DATE, MONTHS, ROLES, Request, asks, clauses, read
from helpers.editing import word_edits

TERMS = "YOU|YOUR|PERSONS?|PAYMENTS?|DOCUMENTS?|COMMUNICATIONS?"
ENDINGS = "LLC|LLP|Inc|Corp|Ltd|Group|Partners|Company|PLC|LP"
COURTESIES = re.compile(r"\b(please|kindly|thank\w*|could|would)\b", re.I)
DOUBLETS = re.compile(r"\b(any and all|each and every|without limitation|but not limited to)\b", re.I)
OLD_FORMS = re.compile(r"\b(shall|here(in|by|of|to)\w*|there(of|in|to|by)|aforesaid|said|such|pursuant)\b", re.I)
PERSONAL = re.compile(
    r"\b(I|[Ww]e|[Uu]s|[Oo]urs?|[Mm]y|[Mm]e)\b|\w(n['\u2019]t|['\u2019](re|ll|ve|m|d))\b|\b[Ii]t['\u2019]s\b"
)
SIGNS = re.compile(r"[!?\"*#_\u2018\u201c\u201d\u2022\u2013\u2014\x00-\x09\x0b-\x1f]|^\s*[-+]", re.MULTILINE)
NOTES = re.compile(
    r"\bprivileged?\b(?! log)|\b(strateg\w+|advice|advis\w+|confidential\w*|work product|attorneys?|our client)\b"
    r"|\bsettle\w*|@|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|<(EMAIL|PHONE)_|[$£€]|\b(dollar|euro)s?\b"
    r"|\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b",
    re.I,
)
VERBS = re.compile(r"\b(Identify|State|Produce|Admit|Describe|List|Explain)\b")
OTHER_DATE = re.compile(
    rf"\d{{1,4}}[/.]\d{{1,2}}[/.]\d{{1,4}}|\d{{4}}-\d\d-\d\d|\d(?:st|nd|rd|th)\b|\d (?:{MONTHS})\b"
    r"|\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.? \d"
)
ANY_DATE = re.compile(
    rf"(?:{MONTHS}|[A-Z][a-z]{{2,3}}\.?) \d{{1,2}},? \d{{4}}|\d{{1,2}} [A-Z]\w+ \d{{4}}|\d+/\d+/\d{{4}}"
    r"|\d{4}-\d\d-\d\d"
)
DRAFT = re.compile(rf"interrogatory|request for (production|admission)|\bTo (the )?({ROLES})\b", re.I)


def check(draft: str, final: str) -> dict[str, bool]:
    """Return each numbered rule, all_rules, fact_parties, fact_codes, fact_dates, and facts_correct: all three.

    The facts are judged in whatever form they are written; how they are written is what the rules judge. A text with
    neither a heading nor an addressee is no draft and keeps no rule. Raises ValueError where `final` is not in style.
    """
    asked, text = read(final), draft.strip()
    rules = _rules(text, asked)
    if not DRAFT.search(text):
        rules = dict.fromkeys(rules, False)
    facts = {
        "fact_parties": _parties(text, asked),
        "fact_codes": _codes(text) == ({asked.code}, list(asked.bates)),
        "fact_dates": dates(text) == dates(f"{asked.first} {asked.last}"),
    }
    return rules | facts | {"all_rules": all(rules.values()), "facts_correct": all(facts.values())}


def score(drafts: Sequence[str], examples: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return one row a draft: what `check` says, rule_compliance (the share of rules kept), and edits.

    `examples` are the chat examples that were asked, whose last message is the senior paralegal's version; `edits` are
    the words to change until the draft reads like it, a stand-in for time. Raises ValueError when they do not match.
    """
    if len(drafts) != len(examples):
        raise ValueError(f"{len(drafts)} drafts cannot be graded by {len(examples)} examples: one draft an example.")
    return pd.DataFrame([grade(draft, example) for draft, example in zip(drafts, examples, strict=True)])


def grade(draft: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return the grades of one draft, as `score` describes them: a grader for helpers.evaluate."""
    final = example["messages"][-1]["content"]
    checks = check(draft, final)
    rules = [kept for name, kept in checks.items() if name.startswith("rule_")]
    return checks | {"rule_compliance": sum(rules) / len(rules), "edits": word_edits(draft, final)}


def _rules(text: str, asked: Request) -> dict[str, bool]:
    heading, request, clause, deadline, signature = (text.split("\n") + [""] * 5)[:5]
    body = "\n".join(text.split("\n")[1:])
    right_heading, right_clause = clauses()[asked.kind]
    firm_dates = re.findall(DATE, text)
    return {
        "rule_01_five_lines": len(text.split("\n")) == 5 and all(line.strip() for line in text.split("\n")),
        "rule_02_kind": heading.startswith(f"{right_heading} NO"),
        "rule_03_number": f" NO. {asked.number} " in f"{heading} ",
        "rule_04_code": bool(re.search(rf" \[{CODE}\]$", heading)) and len(re.findall(rf"\b{CODE}\b", text)) == 1,
        "rule_05_addressee": bool(re.match(rf"To ({ROLES}) [^:]+: \S", request)),
        "rule_06_opening_words": _opening(request) == asks()[asked.ask][1],
        "rule_07_one_request": _is_one(request),
        "rule_08_subject": text.count(asked.subject) == 1 and _as_noted(request, asked),
        "rule_09_time_frame": _time_frame(text),
        "rule_10_dates": not OTHER_DATE.search(text) and all(_is_day(day) for day in firm_dates),
        "rule_11_comma_after_year": not re.search(rf"{DATE}(?![,.])", text),
        "rule_12_details": _details(request) == (", ".join(asked.details), _frame(asked)),
        "rule_13_serial_comma": not re.search(r"\w, (?!with |including |through )[\w' -]+? (and|or) \w", request),
        "rule_14_bates": _bates(text, request, bool(asked.bates)),
        "rule_15_clause": clause.strip() == right_clause,
        "rule_16_deadline": bool(re.fullmatch(r"Respond within \d+ days of service\.", deadline.strip())),
        "rule_17_days": re.findall(r"(\w+) days\b", text) == [asked.days],
        "rule_18_signature": bool(re.fullmatch(rf"For ({ROLES}) [^:]+: {re.escape(asked.attorney)}\W*", signature)),
        "rule_19_roles": sorted(re.findall(rf"\b({ROLES})\b(?= [A-Z])", text)) == sorted(ROLES.split("|"))
        and len(re.findall(rf"\b({ROLES})", text, re.I)) == 2,
        "rule_20_party_names": _names_whole(text, asked),
        "rule_21_defined_terms": all(term.isupper() for term in re.findall(rf"\b(?:{TERMS})\b", body, re.I)),
        "rule_22_no_other_capitals": not re.search(rf"\b(?!(?:{TERMS}|{ENDINGS}|{BATES})\b)[A-Z]{{2,}}\b", body),
        "rule_23_no_courtesies": not COURTESIES.search(text),
        "rule_24_no_doublets": not DOUBLETS.search(text),
        "rule_25_no_old_forms": not OLD_FORMS.search(text),
        "rule_26_no_first_person": not PERSONAL.search(text),
        "rule_27_plain_signs": not SIGNS.search(text),
        "rule_28_full_stops": all(re.search(r"[^.]\.$", line) for line in (request, clause, deadline))
        and not any(line.endswith(".") for line in (heading, signature)),
        "rule_29_length": 35 <= len(text.split()) <= 85,
        "rule_30_nothing_of_the_notes": not NOTES.search(text),
    }


def _opening(request: str) -> str | None:
    """The opening words of the table with which a request begins; "Admit that YOU" are not those of "did not"."""
    said = request.partition(": ")[2]
    known = sorted((words for _, words in asks().values()), key=len, reverse=True)
    return next((words for words in known if said.startswith(f"{words} ")), None)


def _as_noted(request: str, asked: Request) -> bool:
    """Whether it asks of the act and the subject of the notes, and nothing is put in before or behind the dates."""
    opening, noted = _opening(request), f" {asked.act} {asked.subject} from "
    right = f": {opening}{noted}" if opening else noted
    behind = re.search(rf"through {DATE}(.*?)(?=, (?:with the|including) |\.|$)", request)
    return right in request and not (behind and behind[1])


def _is_one(request: str) -> bool:
    said = re.sub(r" Refer to Bates .*", "", request.partition(": ")[2])
    sentences = re.split(r"[.?!]\s", said)
    return bool(said) and len(sentences) == 1 and len(VERBS.findall(said)) == 1 and not re.search(r";|\band/or\b", said)


def _time_frame(text: str) -> bool:
    frames = re.findall(rf"\bfrom ({DATE}),? through ({DATE})", text)
    if len(frames) != 1 or len(re.findall(DATE, text)) != 2 or not all(map(_is_day, frames[0])):
        return False
    first, last = (datetime.strptime(day, "%B %d, %Y") for day in frames[0])
    return first < last


def _is_day(day: str) -> bool:
    try:
        datetime.strptime(day, "%B %d, %Y")
    except ValueError:  # June 31
        return False
    return True


def _frame(asked: Request) -> str:
    """The words around the details: those before, and what each of them belongs to."""
    return {"persons": "with the PERSON", "payments": "with the PAYMENT", "did": "", "did_not": ""}.get(
        asked.ask, "including"
    )


def _details(request: str) -> tuple[str, str]:
    """The details in a request, and the words around them; both empty where there are none."""
    found = re.search(r", (with the|including) (.+?)(?: of each ([A-Z]+))?\.", request)
    if not found:
        return "", ""
    return ", ".join(re.split(r",? and |, ", found[2])), " ".join(filter(None, (found[1], found[3])))


def _bates(text: str, request: str, wanted: bool) -> bool:
    if not wanted:
        return not re.search(rf"\bbates\b|{BATES}", text, re.I)
    return bool(re.search(rf"[^.]\. Refer to Bates {BATES} to {BATES}\.$", request)) and text.count("Bates") == 1


def _names_whole(text: str, asked: Request) -> bool:
    """Whether both parties are named once and in full, a company with its ending; which they are, the facts judge."""
    named = re.findall(rf"\b(?:To|For) (?:{ROLES}) ([^:\n]+):", text)
    right = [party.split(" ", 1)[1] for party in (asked.to, asked.client)]
    ended = [re.search(rf" ({ENDINGS})$", name) for name in right]
    rest = re.sub("|".join(map(re.escape, [*named, asked.attorney])), "", text)
    return len(named) == 2 and all(
        len(name.split()) >= 2
        and text.count(name) == 1
        and (not end or name.endswith(end[0]))
        and not re.search(rf"\b{re.escape(name.split()[0])}\b", rest)
        for name, end in zip(named, ended, strict=True)
    )


def _parties(text: str, asked: Request) -> bool:
    """Whether both parties are named with their roles, and neither in the other's place."""
    named = asked.to in text and asked.client in text
    return named and f"For {asked.to}" not in text and f"To {asked.client}" not in text


def _codes(text: str) -> tuple[set[str], list[str]]:
    """The case codes, and the Bates numbers in their order: a range is not the same turned round."""
    bates = re.findall(BATES, text)
    return set(re.findall(rf"{BATES}|{CODE}", text)) - set(bates), list(dict.fromkeys(bates))


def dates(text: str) -> list[datetime]:
    """Return the dates in a text in their order, each once, however written; month first where only numbers stand."""
    found = []
    for match in ANY_DATE.finditer(text):
        try:
            found.append(parser.parse(match[0]))
        except (ValueError, OverflowError):  # "Room 12, 2021" is no date
            continue
    return list(dict.fromkeys(found))
