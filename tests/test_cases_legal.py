"""The grader of the legal case: right drafts keep every rule, and a near miss breaks its rule and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cases.legal import check, dates, score
from helpers.cases.legal_style import asks, clauses, good_prompt, read, style_guide
from helpers.editing import editing_saved, word_edits
from helpers.evaluate import gold
from helpers.workspace import read_jsonl, sample

SPLITS = ["train", "validation", "test", "test_new_matters"]
Change = Callable[[str], str]


@cache
def drafts(name: str) -> list[str]:
    return gold(read_jsonl(sample("legal") / f"{name}.jsonl"))


TEST = drafts("test") + drafts("test_new_matters")
RULES = [name for name in check(TEST[0], TEST[0]) if name.startswith("rule_")]


def sub(pattern: str, put: str) -> Change:
    """Replaces the first match, in a draft of several lines."""
    return lambda draft: re.sub(pattern, put, draft, count=1, flags=re.MULTILINE)


def swapped_dates(draft: str) -> str:
    asked = read(draft)
    return draft.replace(asked.first, "\0").replace(asked.last, asked.first).replace("\0", asked.last)


def other_subject(draft: str) -> str:
    return draft.replace(read(draft).subject, "the Zzyx anvil")


def other_act(draft: str) -> str:
    asked = read(draft)
    return draft.replace(f" {asked.act} ", " the theft of " if asked.act.startswith("the ") else " stole ", 1)


def other_opening(draft: str) -> str:
    asked = read(draft)
    wrong = {
        "persons": "Identify every PERSON who",
        "did": "Admit here that YOU",
        "did_not": "Admit here that YOU did not",
    }
    return draft.replace(asks()[asked.ask][1], wrong.get(asked.ask, asks()[asked.ask][1].replace(" o", " upon o")))


def other_clause(draft: str) -> str:
    return draft.replace(clauses()[read(draft).kind][1], "If YOU object, say why.")


def short_name(draft: str) -> str:
    """The company without its ending."""
    return re.sub(r"(For \w+ [^:\n]+) (?:LLC|LLP|Inc|Corp|Ltd|Group|Partners):", r"\1:", draft)


def named_again(draft: str) -> str:
    return draft.replace(" from ", f" of {read(draft).to.split(' ', 1)[1]} from ", 1)


def invented_bates(draft: str) -> str:
    return draft if "Bates" in draft else draft.replace(".\n", ". Refer to Bates ABC-0001 to ABC-0002.\n", 1)


def lower_role(draft: str) -> str:
    return re.sub(r"^To (\w+)", lambda match: f"To {match[1].lower()}", draft, flags=re.MULTILINE)


def exchanged(draft: str) -> str:
    """The two parties, each in the other's place."""
    asked = read(draft)
    return draft.replace(asked.to, "\0").replace(asked.client, asked.to).replace("\0", asked.client)


def other_digit(draft: str) -> str:
    """Another last digit of the code."""
    return re.sub(r"(\d)\]", lambda match: f"{(int(match[1]) + 1) % 10}]", draft)


def other_day(draft: str) -> str:
    """Another first day, which every month has."""
    return re.sub(r"from (\w+) (\d+),", lambda match: f"from {match[1]} {int(match[2]) % 28 + 1},", draft)


# rule, what is wrong, how, and which other rules the same fault breaks by its nature
NEAR_MISSES: list[tuple[str, str, Change, set[str]]] = [
    ("rule_01_five_lines", "a blank line", sub(r"\nRespond", "\n\nRespond"), {"rule_16", "rule_18", "rule_28"}),
    ("rule_01_five_lines", "a line more", lambda d: f"{d}\nEnd of request", set()),
    ("rule_02_kind", "title case", lambda d: d.split(" NO")[0].title() + d[len(d.split(" NO")[0]) :], set()),
    ("rule_02_kind", "another kind", sub(r"^\S.*? NO\.", "REQUEST NO."), set()),
    ("rule_03_number", "another number", sub(r"NO\. (\d+)", r"NO. 1\1"), set()),
    ("rule_03_number", "a zero before it", sub(r"NO\. (\d+)", r"NO. 0\1"), set()),
    ("rule_04_code", "round brackets", sub(r"\[(.*?)\]", r"(\1)"), set()),
    ("rule_04_code", "twice", sub(r"\[(.*?)\]", r"[\1] [\1]"), set()),
    ("rule_05_addressee", "no To", sub(r"^To (\w+ [^:]+):", r"\1:"), {"rule_20"}),
    ("rule_05_addressee", "a comma for the colon", sub(r"^(To [^:\n]+):", r"\1,"), {"rule_06", "rule_07", "rule_20"}),
    ("rule_06_opening_words", "others", other_opening, set()),
    (
        "rule_06_opening_words",
        "the other admission",
        lambda d: d.replace("Admit that YOU did not ", "Admit that YOU "),
        set(),
    ),
    (
        "rule_07_one_request",
        "a second verb",
        sub(r": (\w+) ", r": Identify, State, Produce and \1 "),
        {"rule_06", "rule_13"},
    ),
    (
        "rule_07_one_request",
        "a second sentence",
        sub(r"\.(?=( Refer.*)?\n)", r". Then answer more."),
        {"rule_14", "rule_12"},
    ),
    ("rule_07_one_request", "and/or", sub(r" from ", " and/or its parts from "), {"rule_08"}),
    ("rule_08_subject", "another", other_subject, set()),
    ("rule_08_subject", "another act", other_act, set()),
    ("rule_08_subject", "a denial put in", sub(r"(PERSON who|that YOU(?: did not)?) ", r"\1 never "), set()),
    ("rule_08_subject", "a place put in", sub(r" from ", " in Boston from "), set()),
    ("rule_08_subject", "a party put in", sub(r" from ", " or Acme Tools LLC from "), set()),
    ("rule_08_subject", "a place behind the dates", sub(r"(through \w+ \d+, \d{4})", r"\1, in the yard"), set()),
    ("rule_09_time_frame", "dates swapped", swapped_dates, set()),
    ("rule_09_time_frame", "until", sub(r", through ", ", until "), set()),
    ("rule_10_dates", "numbers", sub(r"from [A-Z]\w+ \d+, (\d{4})", r"from 3/3/\1"), {"rule_09"}),
    ("rule_10_dates", "ordinal", sub(r"from (\w+) \d+,", r"from \1 1st,"), {"rule_09"}),
    ("rule_10_dates", "a day that there is not", sub(r"from \w+ \d+,", "from June 31,"), {"rule_09"}),
    ("rule_11_comma_after_year", "none", sub(r"(\d{4}), through", r"\1 through"), set()),
    ("rule_12_details", "one too few", sub(r"(with the|including) [\w ]+, ", r"\1 "), {"rule_13"}),
    ("rule_12_details", "another", sub(r"(with the|including) [\w ]+,", r"\1 zebra,"), set()),
    (
        "rule_12_details",
        "where there are none",
        sub(r"(Admit .*?\d{4})\.", r"\1, including emails, notes, and logs."),
        set(),
    ),
    ("rule_13_serial_comma", "none", sub(r"(with the|including) ([\w ]+), ([\w ]+), and", r"\1 \2, \3 and"), set()),
    (
        "rule_14_bates",
        "in brackets",
        sub(r"\. Refer to Bates (\S+) to (\S+)\.", r" (Bates \1 to \2)."),
        {"rule_08", "rule_11", "rule_12"},
    ),
    ("rule_14_bates", "invented", invented_bates, set()),
    ("rule_15_clause", "another", other_clause, set()),
    ("rule_16_deadline", "other words", sub(r"days of service", "days after service"), set()),
    ("rule_17_days", "other days", sub(r"within (\d+)", r"within 1\1"), set()),
    ("rule_17_days", "in words", sub(r"within \d+", "within thirty"), {"rule_16"}),
    ("rule_18_signature", "signed", sub(r"^For (.*)$", r"For \1 /s/"), set()),
    ("rule_18_signature", "another attorney", sub(r"^(For [^:]+): .*$", r"\1: Zadok Zuse"), set()),
    ("rule_19_roles", "lower case", lower_role, {"rule_05", "rule_20"}),
    ("rule_19_roles", "a third", sub(r" from ", " of the Defendant from "), {"rule_08"}),
    ("rule_20_party_names", "shortened", short_name, set()),
    ("rule_20_party_names", "named again", named_again, {"rule_08", "rule_22"}),
    (
        "rule_21_defined_terms",
        "lower case",
        lambda d: d.replace("YOU", "you").replace("DOCUMENT", "document"),
        {"rule_06", "rule_15"},
    ),
    ("rule_22_no_other_capitals", "ALL", sub(r" from ", " and ALL of it from "), {"rule_08"}),
    ("rule_23_no_courtesies", "please", sub(r"Respond", "Please respond"), {"rule_16"}),
    ("rule_24_no_doublets", "each and every", sub(r" from ", " and each and every part from "), {"rule_08"}),
    ("rule_25_no_old_forms", "shall", sub(r" from ", " as it shall be found from "), {"rule_08"}),
    ("rule_26_no_first_person", "our", sub(r" from ", " near our office from "), {"rule_08"}),
    ("rule_26_no_first_person", "a contraction", sub(r" from ", " that wasn't ready from "), {"rule_08"}),
    ("rule_27_plain_signs", "quotation marks", sub(r" from ", ' "as is" from '), {"rule_08"}),
    ("rule_26_no_first_person", "a curly contraction", sub(r" from ", " that wasn\u2019t ready from "), {"rule_08"}),
    ("rule_27_plain_signs", "single quotation marks", sub(r" from ", " \u2018as is\u2019 from "), {"rule_08"}),
    ("rule_27_plain_signs", "a control character", sub(r" from ", " \x0b from "), {"rule_08"}),
    ("rule_27_plain_signs", "a dash", sub(r" from ", " \u2013 all of it \u2013 from "), {"rule_08"}),
    ("rule_28_full_stops", "none", sub(r"service\.", "service"), {"rule_16"}),
    ("rule_28_full_stops", "one under the signature", lambda d: f"{d}.", set()),
    ("rule_29_length", "too long", sub(r" from ", " and what lies around it" * 9 + " from "), {"rule_08"}),
    ("rule_30_nothing_of_the_notes", "strategy", sub(r" from ", " as the strategy needs from "), {"rule_08"}),
    ("rule_30_nothing_of_the_notes", "money", sub(r" from ", " for 4,000 dollars from "), {"rule_08"}),
    ("rule_30_nothing_of_the_notes", "a telephone", sub(r" from ", " at (212) 555-0101 from "), {"rule_08"}),
]


@pytest.mark.parametrize("name", SPLITS)
def test_gold_drafts_keep_every_rule_and_all_facts(name: str) -> None:
    frame = score(drafts(name), read_jsonl(sample("legal") / f"{name}.jsonl"))
    assert frame["all_rules"].all() and frame["facts_correct"].all()
    assert (frame["rule_compliance"] == 1).all() and (frame["edits"] == 0).all()


@pytest.mark.parametrize(
    ("rule", "what", "change", "others"), NEAR_MISSES, ids=[f"{m[0]}: {m[1]}" for m in NEAR_MISSES]
)
def test_near_miss_breaks_its_rule_and_no_other(rule: str, what: str, change: Change, others: set[str]) -> None:
    changed = [(draft, change(draft)) for draft in TEST if change(draft) != draft]
    assert len(changed) >= 20
    for draft, wrong in changed[:40]:
        found = check(wrong, draft)
        broken = {name for name in RULES if not found[name]}
        assert rule in broken, wrong
        assert {name[:7] for name in broken - {rule}} <= others, (broken, wrong)
        assert not found["all_rules"]


def test_every_rule_of_the_guide_has_a_near_miss() -> None:
    numbered = [int(number) for number in re.findall(r"^(\d+)\. \*\*", style_guide(), re.MULTILINE)]
    assert numbered == [int(name[5:7]) for name in RULES] == list(range(1, 31))
    assert {miss[0] for miss in NEAR_MISSES} == set(RULES)


WRONG_FACTS: list[tuple[str, str, Change]] = [
    ("fact_parties", "another party", sub(r"^To (\w+) \w+", r"To \1 Zzyx")),
    ("fact_parties", "the other role", sub(r"^For (Plaintiff|Defendant)", "For Intervenor")),
    ("fact_parties", "the two exchanged", exchanged),
    ("fact_codes", "a digit of the code", other_digit),
    ("fact_codes", "a Bates number", sub(r"Bates (\w{3})-\d{4}", r"Bates \1-0000")),
    ("fact_dates", "another year", sub(r"through (\w+ \d+), \d{4}", r"through \1, 2031")),
    ("fact_dates", "another day", other_day),
    ("fact_codes", "the Bates range turned round", sub(r"Bates (\S+) to (\S+)\.", r"Bates \2 to \1.")),
    ("fact_dates", "the two exchanged", swapped_dates),
    ("fact_dates", "one left out", sub(r", through [A-Z]\w+ \d+, \d{4}", "")),
]


@pytest.mark.parametrize(("fact", "what", "change"), WRONG_FACTS, ids=[f"{m[0]}: {m[1]}" for m in WRONG_FACTS])
def test_a_wrong_fact_is_found(fact: str, what: str, change: Change) -> None:
    changed = [(draft, change(draft)) for draft in TEST if dates(change(draft)) != dates(draft) or "dates" not in fact]
    changed = [(draft, wrong) for draft, wrong in changed if draft != wrong]
    assert len(changed) >= 20
    for draft, wrong in changed[:40]:
        found = check(wrong, draft)
        assert not found[fact] and not found["facts_correct"], wrong
        assert all(found[name] for name in ("fact_parties", "fact_codes", "fact_dates") if name != fact)


def test_facts_are_judged_apart_from_form() -> None:
    """Right parties, codes and dates in a letter that keeps few rules are still right."""
    for draft in TEST[:30]:
        asked = read(draft)
        first, last = (min(dates(asked.first)), min(dates(asked.last)))
        bates = f" See {' and '.join(asked.bates)}." if asked.bates else ""
        letter = (
            f"Dear {asked.to}, please answer interrogatory {asked.number} in {asked.code} on behalf of {asked.client}, "
            f"between {first:%m/%d/%Y} and {last.day} {last:%B} {last:%Y}.{bates} Thanks!"
        )
        found = check(letter, draft)
        assert found["facts_correct"] and not found["all_rules"], letter


@given(st.text(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_text_is_judged_without_raising_and_is_no_draft(text: str) -> None:
    found = check(text, TEST[0])
    assert set(found) == set(check(TEST[0], TEST[0]))
    assert not any(found[name] for name in RULES)


def test_a_final_version_that_is_not_in_style_is_refused() -> None:
    with pytest.raises(ValueError, match="no request in the firm's style"):
        check(TEST[0], "Please produce the papers.")
    with pytest.raises(ValueError, match="one draft an example"):
        score(TEST[:2], [])


def test_what_is_read_is_what_the_facts_say() -> None:
    rows = read_jsonl(sample("legal") / "facts.jsonl")
    for name in SPLITS:
        own = [row for row in rows if row["split"] == name]
        assert len(own) == len(drafts(name))
        for row, draft in zip(own, drafts(name), strict=True):
            asked = read(draft)
            keys = ("kind", "ask", "code", "to", "client", "attorney", "subject")
            assert all(getattr(asked, key) == row[key] for key in keys)
            assert (asked.first, asked.last) == (row["from"], row["through"])
            assert (int(asked.number), int(asked.days)) == (row["number"], row["days"])
            assert list(asked.details) == row["details"] and list(asked.bates) == (row["bates"] or [])


def test_the_good_prompt_holds_every_rule_and_clause() -> None:
    prompt = good_prompt()
    assert len(prompt.split()) <= 700
    assert all(clause in prompt and heading in prompt for heading, clause in clauses().values())
    assert all(opening in prompt for _, opening in asks().values())
    assert prompt.count("\n") > 40


def test_word_edits_count_words_and_lines() -> None:
    assert word_edits("a b c", "a b c") == 0
    assert word_edits("a b c", "a x c d") == 2
    assert word_edits("a b\nc", "a b c") == 1
    assert word_edits("", "one two") == 2


def test_editing_saved_is_held_against_the_baseline() -> None:
    assert editing_saved([1, 2], [5, 5]) == pytest.approx(0.7)
    assert editing_saved([20], [10]) == -1
    for edits, baseline in (([1], [1, 2]), ([1], [0])):
        with pytest.raises(ValueError, match="same items"):
            editing_saved(edits, baseline)
