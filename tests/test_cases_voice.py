"""The rules of the marketing case: right pieces keep every rule, and a near miss of a rule breaks that rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cases.voice import GREETING, HASHTAGS, SIGN_OFF, broken_habits, check, fact_checks, invented, never_said
from helpers.cases.voice_score import facts_kept, repetition, score, without_facts
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "voice"
SPLITS = ["train", "validation", "test", "test_new_kinds"]
Facts = dict[str, Any]


@cache
def gold(name: str) -> list[tuple[str, Facts]]:
    """Every (piece, facts) of a split."""
    rows = [row for row in read_jsonl(SAMPLE / "facts.jsonl") if row["split"] == name]
    return [
        (e["messages"][-1]["content"], row) for e, row in zip(read_jsonl(SAMPLE / f"{name}.jsonl"), rows, strict=True)
    ]


TEST = gold("test") + gold("test_new_kinds")
RULES = [name for name in check(*TEST[0]) if name.startswith("rule_")]
CHANNEL_RULES = RULES[14:]


def of(*channels: str) -> Callable[[Facts], bool]:
    return lambda facts: facts["channel"] in channels


def offered(facts: Facts) -> bool:
    return bool(facts["offer"]) and facts["channel"] != "description"


def listed(facts: Facts) -> bool:
    return bool(facts["material"]) and facts["channel"] != "post"


def both(facts: Facts) -> bool:
    return listed(facts) and bool(facts["colour"])


def always(facts: Facts) -> bool:
    return True


def sub(old: str, new: str) -> Callable[[str, Facts], str]:
    """Replaces a pattern once; {name} and so on stand for the facts."""

    def change(piece: str, facts: Facts) -> str:
        values = {key: re.escape(str(value)) for key, value in facts.items()}
        return re.sub(old.format_map(values), lambda m: m.expand(new.format_map(facts)), piece, count=1)

    return change


def before_price(text: str) -> Callable[[str, Facts], str]:
    return lambda piece, facts: piece.replace(f"{facts['price']} quid", f"{text} {facts['price']} quid", 1)


def without(start: str) -> Callable[[str, Facts], str]:
    """Leaves out the sentence that begins so."""
    return lambda piece, facts: re.sub(rf"{start}.*?\.( |(?=\n))(?!\d)", "", piece, count=1)


def swapped(piece: str, facts: Facts) -> str:
    """Keith before the catch."""
    return re.sub(r"(The catch: .+?\.) (Keith .+?\.)", r"\2 \1", piece, count=1)


def secretive(facts: Facts) -> bool:
    return bool(facts["secret"])


def stump(piece: str, facts: Facts) -> str:
    """Only the first and the last words."""
    return re.sub(r"(?s)Nobody.*(?=\n[#M])", "Nobody.", piece)


LONG_REMARK = "{price} quid, which the owner says is more or less"
LONG_REPORT = "Keith (snail) came down from the attic with all of his things and "
MUTATIONS: list[tuple[str, str, Callable[[str, Facts], str], Callable[[Facts], bool]]] = [
    ("rule_01_nobody", "somebody", sub("Nobody", "Everybody"), lambda f: f["channel"] == "description"),
    ("rule_01_nobody", "another thing", sub("{kind}", "zither"), always),
    ("rule_01_nobody", "not first", sub(r"Nobody", "Well. Nobody"), of("description", "post")),
    ("rule_02_name", "another name", sub(r"(?<=\. ){name}", "Zogbert"), always),
    ("rule_02_name", "twice", sub("The catch: ", "The catch: {name}, "), always),
    ("rule_02_name", "a long sentence", sub(r"(?<=\. ){name}", "After long talks in the cellar, {name}"), always),
    ("rule_03_list", "missing", without("The list: "), listed),
    ("rule_03_list", "one more", sub("The list: ", "The list: string, "), listed),
    ("rule_03_list", "colour first", sub(r"The list: {material}, {colour}", "The list: {colour}, {material}"), both),
    ("rule_03_list", "another stuff", sub(r"The list: {material}", "The list: plaited fog"), listed),
    ("rule_03_list", "in a post", before_price("The list: string."), of("post")),
    ("rule_04_catch", "missing", without("The catch: "), always),
    ("rule_04_catch", "other words", sub("The catch: ", "One thing, "), always),
    ("rule_04_catch", "denied", sub("The catch: ", "The catch: it is not true that "), always),
    ("rule_04_catch", "added to", sub("{catch}", "{catch} and then some"), always),
    ("rule_04_catch", "two", before_price("The catch: it is loud."), always),
    ("rule_05_keith", "missing", without(r"Keith \(snail\)"), always),
    ("rule_05_keith", "explained", sub(r"Keith \(snail\)", "Keith, our snail,"), always),
    ("rule_05_keith", "added to", sub(r"(Keith \(snail\) [^.]+)", r"\1 and bought it"), always),
    ("rule_05_keith", "a cat", sub(r"Keith \(snail\)", "Brian (cat)"), always),
    ("rule_06_price", "pounds", sub("{price} quid", "{price} pounds"), always),
    ("rule_06_price", "a sign", sub("{price} quid", "£{price} quid"), always),
    ("rule_06_price", "no remark", sub(r"{price} quid, [^.]+\.", "{price} quid."), always),
    ("rule_06_price", "a long remark", sub(r"{price} quid,", LONG_REMARK), always),
    ("rule_06_price", "a number in it", sub(r"{price} quid, [^.]+\.", "{price} quid, was 99."), always),
    ("rule_07_offer", "missing", without("Type "), offered),
    ("rule_07_offer", "other words", sub("Type ", "Use "), offered),
    ("rule_07_offer", "one that is not there", before_price("Type SHED10 by 4 May: string."), lambda f: not offered(f)),
    ("rule_08_order", "swapped", swapped, always),
    ("rule_08_order", "a sentence more", before_price("It is as good as it looks."), always),
    ("rule_09_no_you", "you", before_price("It is for you."), always),
    ("rule_09_no_you", "a question", before_price("Ready?"), always),
    ("rule_10_flat", "exclamation", sub(r"{price} quid, ([^.]+)\.", r"{price} quid, \1!"), always),
    ("rule_10_flat", "emoji", sub("The catch:", "\U0001f40c The catch:"), always),
    ("rule_10_flat", "capitals", sub("The catch:", "The BIG catch:"), always),
    ("rule_11_in_full", "it's", before_price("It's here."), always),
    ("rule_11_in_full", "doesn\u2019t", before_price("It doesn\u2019t talk."), always),
    ("rule_12_never_said", "in capitals", sub("{price} quid, ", "{price} quid, LUXURY "), always),
    ("rule_12_never_said", "two words for one", sub("{price} quid, ", "{price} quid, must have "), always),
    ("rule_12_never_said", "just", sub("{price} quid, ", "{price} quid, just "), always),
    ("rule_12_never_said", "loves", sub(r"Keith \(snail\) ", "Keith (snail) loves it and "), always),
    ("rule_12_never_said", "quirky", sub("The catch: ", "The catch: a quirky one, "), always),
    ("rule_13_short", "long", sub(r"Keith \(snail\) ", LONG_REPORT), always),
    ("rule_15_length", "too long", before_price("It stands there and says nothing to anybody. " * 8), always),
    ("rule_15_length", "too short", stump, of("description", "email")),
    ("rule_16_subject", "missing", lambda p, f: p.split("\n", 1)[1], of("email")),
    ("rule_16_subject", "without the name", sub(r"Subject: .*", "Subject: news"), of("email")),
    ("rule_16_subject", "long", sub("Subject: ", "Subject: hear ye, hear ye all, "), of("email")),
    ("rule_16_subject", "in a post", lambda p, f: f"Subject: {f['name']}\n{p}", of("post", "description")),
    ("rule_17_greeting", "another", sub(GREETING, "Dear all,"), of("email")),
    ("rule_17_greeting", "missing", sub(f"{GREETING}\n", ""), of("email")),
    ("rule_17_greeting", "in a post", lambda p, f: f"{GREETING}\n{p}", of("post", "description")),
    ("rule_18_hashtags", "others", sub(HASHTAGS, "#New #Snail"), of("post")),
    ("rule_18_hashtags", "one more", sub(HASHTAGS, f"{HASHTAGS} #New"), of("post")),
    ("rule_18_hashtags", "missing", sub(f"\n{HASHTAGS}", ""), of("post")),
    ("rule_18_hashtags", "in a mail", lambda p, f: f"{p}\n{HASHTAGS}", of("email", "description")),
    ("rule_19_sign_off", "another", sub(SIGN_OFF, "Yours, Moth & Biscuit"), of("email", "description")),
    ("rule_19_sign_off", "missing", sub(f"\n{SIGN_OFF}", ""), of("email", "description")),
    ("rule_19_sign_off", "in a post", sub(HASHTAGS, f"{SIGN_OFF}\n{HASHTAGS}"), of("post")),
    ("rule_20_evergreen", "a code", before_price("Type SHED10 by 4 May: string."), of("description")),
]  # fmt: skip


def test_every_rule_has_near_misses() -> None:
    assert {m[0] for m in MUTATIONS} | {"rule_14_kept_quiet"} == set(RULES)  # 14 has a test of its own
    assert len(RULES) == 20 and len(CHANNEL_RULES) == 6


@pytest.mark.parametrize("name", SPLITS)
def test_gold_pieces_keep_every_rule_and_fact_and_invent_nothing(name: str) -> None:
    frame = score([piece for piece, _ in gold(name)], [facts for _, facts in gold(name)])
    assert frame.drop(columns=["facts_due", "facts_right"]).all(axis=None)
    assert (frame["facts_due"] == frame["facts_right"]).all()
    assert [broken_habits(piece, facts["channel"]) for piece, facts in gold(name)] == [[]] * len(gold(name))


@pytest.mark.parametrize(("rule", "what", "change", "fits"), MUTATIONS, ids=[f"{m[0]}: {m[1]}" for m in MUTATIONS])
def test_near_miss_breaks_its_rule(
    rule: str, what: str, change: Callable[[str, Facts], str], fits: Callable[[Facts], bool]
) -> None:
    fitting = [(piece, facts) for piece, facts in TEST if fits(facts)]
    assert len(fitting) > 15
    for piece, facts in fitting:
        found = check(change(piece, facts), facts)
        assert not found[rule] and not found["all_rules"], change(piece, facts)
        assert found["channel_rules"] or rule in CHANNEL_RULES or len(change(piece, facts)) > len(piece)


def test_what_must_stay_in_the_brief_is_seen() -> None:
    for piece, facts in (pair for pair in TEST if pair[1]["secret"]):
        for secret in facts["secret"]:
            told = piece.replace(" quid, ", f" quid, like {secret}, ", 1)
            assert not check(told, facts)["rule_14_kept_quiet"], told


def test_each_fact_that_is_changed_or_left_out_is_missed() -> None:
    for piece, facts in TEST:
        due = fact_checks(piece, facts)
        values = facts | (facts["offer"] or {})
        for fact in due:
            for instead in ("something", f"{values[fact]}x", ""):
                told = piece.replace(str(values[fact]), instead)
                assert not fact_checks(told, facts)[fact], (fact, told)
            other = {
                key
                for key, kept in fact_checks(piece.replace(str(values[fact]), "something"), facts).items()
                if not kept
            }
            assert len(other) < len(due) or len(due) < 3


def test_a_price_is_not_kept_by_a_longer_one() -> None:
    for piece, facts in TEST:
        for wrong in (f"1{facts['price']}", f"{facts['price']}.99", f"{facts['price']}0"):
            told = piece.replace(f"{facts['price']} quid", f"{wrong} quid")
            assert not fact_checks(told, facts)["price"]
            assert not check(told, facts)["nothing_invented"] or any(n in str(facts) for n in (wrong, "99"))


INVENTIONS = [
    ("a number", "It weighs 4321 grams."),
    ("a price", "Was 9999 quid."),
    ("a material", "It is solid teak."),
    ("a colour", "It comes in mauve."),
    ("a person", "Made by Zebedee himself."),
    ("a code", "Type HOAX77 for more."),
]


@pytest.mark.parametrize(("what", "text"), INVENTIONS, ids=[what for what, _ in INVENTIONS])
def test_an_invention_is_seen(what: str, text: str) -> None:
    for piece, facts in TEST:
        told = before_price(text)(piece, facts)
        assert not check(told, facts)["nothing_invented"] and check(told, facts)["facts_all"]


def test_an_offer_or_a_snail_report_that_the_brief_does_not_hold_is_an_invention() -> None:
    piece, facts = next((p, f) for p, f in TEST if f["channel"] == "post" and not f["offer"])
    assert invented(before_price("Nothing but percent off.")(piece, facts), facts) == ["an offer"]
    piece, facts = next((p, f) for p, f in gold("train") if not f["keith"])
    assert invented(piece.replace("was asleep", "danced"), facts) == ["what Keith did"]


def test_another_item_catch_or_report_is_an_invention() -> None:
    for piece, facts in TEST:
        assert invented(piece.replace("The catch: ", "The catch: it is loud and "), facts) == ["the catch"]
        assert invented(re.sub(r"(Keith \(snail\) [^.]+)", r"\1 and bought it", piece), facts) == ["what Keith did"]
        if listed(facts):
            assert invented(piece.replace(f"The list: {facts['material']}", "The list: fog"), facts) == ["fog"]


def test_broken_habits_need_no_facts_and_see_other_voices() -> None:
    piece, _ = next((p, f) for p, f in TEST if f["channel"] == "email")
    assert broken_habits(piece, "email") == []
    assert "rule_17_greeting" in broken_habits(piece.replace(GREETING, "Hi,"), "email")
    assert len(broken_habits("Say hello to your new favourite stool! Only £18!", "post")) > 6


def test_words_never_said_are_found_in_every_form_and_nowhere_else() -> None:
    said = ["love", "Loved", "loving", "saves", "saving", "best", "fun", "don't miss", "curated", "treats", "really"]
    said += ["HAPPIER", "hurries", "pErFeCt", "last-chance", "must have", "don\u2019t miss", "do not miss", "luxuries"]
    assert [word for word in said if not never_said().search(f"a {word} b")] == []
    fine = ["glove", "funnel", "savoury", "dealer", "nowhere", "unjust", "clover", "treaty"]
    assert [word for word in fine if never_said().search(f"a {word} b")] == []


def test_facts_kept_is_the_mean_share_of_the_facts_due() -> None:
    pairs = TEST[:40]
    pieces, rows = [p for p, _ in pairs], [f for _, f in pairs]
    assert facts_kept(score(pieces, rows))["value"] == 1
    half = [piece if place % 2 else "" for place, piece in enumerate(pieces)]
    found = facts_kept(score(half, rows))
    assert found["value"] == 0.5 and found["low"] < 0.5 < found["high"] and found["n"] == 40


def test_repetition_tells_copies_from_the_same_wording_about_other_things() -> None:
    pieces, rows = [p for p, _ in TEST], [f for _, f in TEST]
    assert repetition(pieces, rows)["distinct"] == 1
    assert repetition([pieces[0]] * 10, rows[:1] * 10) == {"distinct": 0, "distinct_masked": 0, "commonest_opening": 1}
    kind = [f"Nobody asked for a {row['kind']}. {row['name']} is one anyway." for row in rows]
    found = repetition(kind, rows)
    assert found["distinct"] == 1 and found["distinct_masked"] == 0 and found["commonest_opening"] == 1


def test_what_is_left_without_the_facts_holds_none_of_them() -> None:
    for piece, facts in TEST:
        bare = without_facts(piece, facts)
        assert facts["name"] not in bare and facts["catch"] not in bare and not re.search(r"\d", bare)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_is_judged_without_raising(piece: str) -> None:
    for channel in ("description", "post", "email"):
        facts = next(f for _, f in TEST if f["channel"] == channel)
        assert not check(piece, facts)["all_rules"]
        assert broken_habits(piece, channel)


def test_pieces_without_their_facts_are_refused() -> None:
    with pytest.raises(ValueError, match="one line a piece"):
        score(["a"], [])
    with pytest.raises(ValueError, match="one line a piece"):
        repetition([], [])
