"""Judges copy of the marketing case by the numbered rules of data/samples/voice/voice_guide.md.

    checks = check(piece, facts)     # {"rule_01_nobody": True, …, "channel_rules": True, "nothing_invented": True, …}
    fact_checks(piece, facts)        # {"name": True, "price": False, …}: the facts that the channel must tell

`facts` is the piece's line in facts.jsonl: what the brief says. Whether a piece sounds like the house is for
helpers.cases.voice_judge, which has learned it from examples; here everything is a rule that a person can check.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

VOICE_GUIDE = Path(__file__).resolve().parents[3] / "data" / "samples" / "voice" / "voice_guide.md"
GREETING = "Hello from up the stairs,"
SIGN_OFF = "Moth & Biscuit, up the stairs on the left."
HASHTAGS = "#NobodyAsked #KeithWasHere"
CHANNELS = ("description", "post", "email")
LISTED = {"description": ("material", "colour", "size"), "post": (), "email": ("material", "colour")}
WORDS = {"description": (30, 65), "email": (35, 80)}
POST_CHARACTERS, SUBJECT_CHARACTERS = 280, 40
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
PRICE = re.compile(r"(\d+(?:\.\d\d)?) quid, (\D+)\.")
OFFER = re.compile(rf"Type ([A-Z]+\d+) by (\d+ (?:{MONTHS})): (.+)\.")
CODE = re.compile(r"\b[A-Z]{3,}\d+\b")
MONEY = re.compile(r"[£$€]|\b(pounds?|pence|p|GBP)\b")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
SPOKEN_TO = re.compile(r"\b(you|yours?|yoursel(f|ves)|you['\u2019]\w+)\b|\?", re.IGNORECASE)
LOUD = re.compile(r"!|\b[A-Z]{2,}\b|[\U0001F000-\U0001FAFF\u2600-\u27BF]")
SHORTENED = re.compile(
    r"\w['\u2019](t|re|ve|ll|d|m)\b|\b(it|that|there|what|who|here|let|s?he)['\u2019]s\b", re.IGNORECASE
)
# Words that say what a thing is made of or its colour; one that the brief does not hold has been made up.
STUFFS = (
    "aluminium|ash|bamboo|beech|birch|brass|bronze|canvas|ceramic|cherry|chrome|concrete|copper|cork|corduroy|cotton|"
    "denim|elm|enamel|felt|glass|granite|hemp|iron|jute|larch|leather|linen|maple|marble|metal|nickel|oak|pewter|pine|"
    "plastic|porcelain|rattan|rubber|silk|slate|steel|stoneware|suede|teak|velvet|walnut|willow|wood|wooden|wool|zinc"
)
SHADES = (
    "amber|beige|black|blue|brown|charcoal|coral|cream|gold|green|grey|indigo|ivory|lilac|maroon|mauve|mustard|navy|"
    "ochre|orange|peach|pink|purple|red|scarlet|silver|teal|turquoise|violet|white|yellow"
)
MATTER = re.compile(rf"\b({STUFFS}|{SHADES})\b", re.IGNORECASE)
HOUSE_NAMES = set(f"Nobody Keith Moth Biscuit The Type Hello Subject Here About Word Monday Sundays {MONTHS}".split())
HOUSE_NAMES |= set(MONTHS.split("|"))


class Parts(NamedTuple):
    """A piece taken apart: subject and greeting ("" where there is none), sentences, and the last line if set apart."""

    subject: str
    greeting: str
    sentences: list[str]
    ending: str


def parts(piece: str) -> Parts:
    """Return the parts of any text, whether or not it keeps the guide."""
    lines = [line.strip() for line in piece.strip().splitlines() if line.strip()]
    subject = lines.pop(0).removeprefix("Subject:").strip() if lines and lines[0].startswith("Subject:") else ""
    greeting = lines.pop(0) if lines and lines[0].endswith(",") else ""
    ending = lines.pop() if len(lines) > 1 else ""
    return Parts(subject, greeting, re.split(r"(?<=[.!?])\s+", " ".join(lines)), ending)


def fact_checks(piece: str, facts: Mapping[str, Any]) -> dict[str, bool]:
    """Return for each fact that the piece must tell, by the table in the guide, whether it is there word for word."""
    text = " ".join(piece.split())
    due = ["kind", "name", *LISTED[facts["channel"]], "catch", "keith"]
    found = {key: _holds(text, str(facts[key])) for key in due if facts[key]}
    found["price"] = _holds(text, f"{facts['price']} quid")
    if _offered(facts):
        found |= {key: _holds(text, str(facts["offer"][key])) for key in ("deal", "code", "date")}
    return found


def check(piece: str, facts: Mapping[str, Any]) -> dict[str, bool]:
    """Return each numbered rule, and what sums up: channel_rules, all_rules, nothing_invented, facts_all.

    channel_rules: rules 15 to 20. nothing_invented: see `invented`. facts_all: every fact due in the channel is there.
    """
    rules = _rules(piece, facts)
    return rules | {
        "channel_rules": all(kept for name, kept in rules.items() if name >= "rule_15"),
        "all_rules": all(rules.values()),
        "nothing_invented": not invented(piece, facts),
        "facts_all": all(fact_checks(piece, facts).values()),
    }


def invented(piece: str, facts: Mapping[str, Any]) -> list[str]:
    """Return what the piece tells and the brief does not: numbers, materials, colours, names, codes, offers, another
    item of the list, another catch, another report of Keith. What it claims beside these only rule 8 sees.
    """
    offer = facts["offer"] or {"deal": "", "code": "", "date": ""}
    keys = ("name", "kind", "material", "colour", "size", "catch", "keith")
    known = " ".join([*(str(facts[key]) for key in keys), f"{facts['price']} {' '.join(map(str, offer.values()))}"])
    text = piece.replace(HASHTAGS, "")
    found = [n for n in NUMBER.findall(text) if n not in NUMBER.findall(known)]
    found += [m[0] for m in MATTER.finditer(text) if not _holds(known.lower(), m[0].lower())]
    names = re.findall(r"(?<=[a-z,:&] )[A-Z][a-z]+\b", " ".join(text.split()))
    found += [name for name in names if name not in HOUSE_NAMES and not _holds(known, name)]
    found += [code for code in CODE.findall(text) if code != offer["code"]]
    if not facts["offer"] and re.search(r"\bType [A-Z]|\bpercent off\b|\bquid off\b", text):
        found.append("an offer")
    for sentence in parts(piece).sentences:
        if _kind(sentence) == "list":
            items = sentence.removeprefix("The list: ").rstrip(".").split(", ")
            found += [item for item in items if item not in (facts["material"], facts["colour"], facts["size"])]
        elif _kind(sentence) == "catch" and sentence != f"The catch: {facts['catch']}.":
            found.append("the catch")
        elif _kind(sentence) == "keith" and sentence != _report(facts):
            found.append("what Keith did")
    return list(dict.fromkeys(found))


def _report(facts: Mapping[str, Any]) -> str:
    return f"Keith (snail) {facts['keith'] or 'was asleep'}."


def broken_habits(piece: str, channel: str) -> list[str]:
    """Return the rules that the piece breaks as far as the text alone shows it, without the facts of its brief.

    Its own sentences are taken for the facts: what is told may still be wrong, only the form is judged.
    """
    sentences = parts(piece).sentences
    told = {kind: next((s for s in sentences if _kind(s) == kind), "") for kind in ("list", "catch", "keith", "offer")}
    kind = re.search(r"\ban? ([^.]+?)(?: on a list| in mind)?\.$", sentences[0])
    names = [w for w in (sentences[1].rstrip(".").split() if len(sentences) > 1 else []) if w[0].isupper()]
    name = next((word for word in names if word not in HOUSE_NAMES), "")
    items = told["list"].removeprefix("The list: ").rstrip(".").split(", ") if told["list"] else []
    listed = dict(zip(LISTED[channel], [*items, "", "", ""], strict=False))
    facts: dict[str, Any] = {
        "channel": channel,
        "name": name,
        "kind": kind[1] if kind else "\n",
        "catch": told["catch"].removeprefix("The catch: ").rstrip("."),
        "keith": told["keith"].removeprefix("Keith (snail) ").rstrip("."),
        "offer": told["offer"],
        "secret": [],
    }
    facts |= {"material": "", "colour": "", "size": ""} | listed
    return [rule for rule, kept in _rules(piece, facts).items() if not kept]


def _rules(piece: str, facts: Mapping[str, Any]) -> dict[str, bool]:
    found, told = parts(piece), " ".join(piece.split())
    body, sentences = " ".join(found.sentences), found.sentences
    by_kind = {
        kind: [s for s in sentences if _kind(s) == kind] for kind in ("list", "catch", "keith", "price", "offer")
    }
    second = sentences[1] if len(sentences) > 1 else ""
    due = [facts[key] for key in LISTED[facts["channel"]] if facts[key]]
    return {
        "rule_01_nobody": bool(re.fullmatch(rf"Nobody .*\ban? {re.escape(facts['kind'])}\b[^.]*\.", sentences[0])),
        "rule_02_name": body.count(facts["name"]) == 1 and facts["name"] in second and len(second.split()) <= 8,
        "rule_03_list": by_kind["list"] == [f"The list: {', '.join(due)}."] * bool(due),
        "rule_04_catch": by_kind["catch"] == [f"The catch: {facts['catch']}."],
        "rule_05_keith": by_kind["keith"] == [_report(facts)] and told.count("Keith") == 1 + (HASHTAGS in told),
        "rule_06_price": len(by_kind["price"]) == 1 and _price_told(by_kind["price"][0]) and not MONEY.search(told),
        "rule_07_offer": len(by_kind["offer"]) == _offered(facts) and all(map(OFFER.fullmatch, by_kind["offer"])),
        "rule_08_order": [_kind(s) for s in sentences[2:]] == _order(facts) and len(sentences) > 1,
        "rule_09_no_you": not SPOKEN_TO.search(told),
        "rule_10_flat": not LOUD.search(told),
        "rule_11_in_full": not SHORTENED.search(told),
        "rule_12_never_said": not never_said().search(told),
        "rule_13_short": all(len(sentence.split()) <= 14 for sentence in sentences),
        "rule_14_kept_quiet": not any(_holds(told, value) for value in facts["secret"]),
    } | _channel_checks(piece, found, facts)


def _offered(facts: Mapping[str, Any]) -> bool:
    return bool(facts["offer"]) and facts["channel"] != "description"


def _order(facts: Mapping[str, Any]) -> list[str]:
    """What follows the first two sentences."""
    listed = any(facts[key] for key in LISTED[facts["channel"]])
    return ["list"] * listed + ["catch", "keith", "price"] + ["offer"] * _offered(facts)


def _kind(sentence: str) -> str:
    starts = {"The list: ": "list", "The catch: ": "catch", "Keith (snail) ": "keith", "Type ": "offer"}
    kind = next((kind for start, kind in starts.items() if sentence.startswith(start)), "")
    return kind or ("price" if re.match(r"\d+(\.\d\d)? quid\b", sentence) else "other")


def _price_told(sentence: str) -> bool:
    told = PRICE.fullmatch(sentence)
    return told is not None and len(told[2].split()) <= 6


def _channel_checks(piece: str, found: Parts, facts: Mapping[str, Any]) -> dict[str, bool]:
    channel, name = facts["channel"], facts["name"]
    low, high = WORDS.get(channel, (1, POST_CHARACTERS))
    body = piece.split("\n", 1)[-1] if found.subject else piece
    length = low <= len(body.split()) <= high and (channel != "post" or len(piece) <= POST_CHARACTERS)
    words = found.subject.replace(name, "", 1).split()
    named = name in found.subject and len(words) <= 5 and len(found.subject) <= SUBJECT_CHARACTERS
    tags = re.findall(r"#\w*", piece)
    return {
        "rule_15_length": length,
        "rule_16_subject": named if channel == "email" else not found.subject,
        "rule_17_greeting": found.greeting == (GREETING if channel == "email" else ""),
        "rule_18_hashtags": found.ending == HASHTAGS and len(tags) == 2 if channel == "post" else not tags,
        "rule_19_sign_off": SIGN_OFF not in piece if channel == "post" else found.ending == SIGN_OFF,
        "rule_20_evergreen": channel != "description" or not (CODE.search(piece) or re.search(r"\bType [A-Z]", piece)),
    }


def _holds(text: str, value: str) -> bool:
    """Whether the value stands in the text, not as part of a longer word or number."""
    return bool(re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", text))


@cache
def voice_guide() -> str:
    """The text of voice_guide.md; raises FileNotFoundError with what to do when the sample is not there."""
    if not VOICE_GUIDE.is_file():
        raise FileNotFoundError(
            f"{VOICE_GUIDE} is missing. Run the course from its own folder, with data/samples in it."
        )
    return VOICE_GUIDE.read_text(encoding="utf-8")


@cache
def never_said() -> re.Pattern[str]:
    """What finds the words of the guide's table "Never said", in any of their forms."""
    rows = re.findall(r"^\| (?:\w+) \| ([^|]+) \|$", voice_guide().split("## Never said\n")[1], re.MULTILINE)
    words = [word.strip() for row in rows for word in row.split(",") if not row.startswith("these words")]
    return re.compile(rf"\b({'|'.join(map(_forms, words))})(s|d|ed|es|r|st|ing|ly)?\b", re.IGNORECASE)


def _forms(word: str) -> str:
    """A pattern for the word before its ending: love and loving, happy and happiest, must-have and must have."""
    stem = re.escape(word[:-1]) + {"e": "e?", "y": "(?:y|ie?)"}[word[-1]] if word[-1] in "ey" else re.escape(word)
    return stem.replace("don't", "do(?:n['\u2019]t| not)").replace("\\ ", "[ -]").replace("\\-", "[ -]")
