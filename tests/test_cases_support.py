"""The grader of the support case: right replies keep every rule, and a near miss of a rule breaks that rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cases.support import SIGN_OFF, actions, check, good_prompt, house_compliant, policies, split_reply

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
Turn = tuple[list[dict[str, str]], str]


def turns(name: str) -> list[Turn]:
    """Every (messages before, assistant message) of a split."""
    found = []
    for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        messages = json.loads(line)["messages"]
        found += [(messages[:i], m["content"]) for i, m in enumerate(messages) if m["role"] == "assistant"]
    return found


TEST = turns("test") + turns("test_new_phrasings")
RULES = [name for name in check(TEST[0][1], TEST[0][1], []) if name.startswith("rule_")]


def ticket(gold: str) -> dict[str, str | None]:
    return json.loads(split_reply(gold)[1])


def with_ticket(gold: str, **changes: str | None) -> str:
    return with_line(gold, json.dumps(ticket(gold) | changes))


def with_line(gold: str, line: str) -> str:
    return f"{line}\n{split_reply(gold)[0]}" if line else split_reply(gold)[0]


def with_prose(gold: str, prose: str) -> str:
    return f"{split_reply(gold)[1]}\n{prose}"


def in_prose(old: str, new: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """Replaces a pattern in the prose only."""

    def change(gold: str) -> str:
        return with_prose(gold, re.sub(old, new, split_reply(gold)[0], count=1))

    return change


def policy_of(gold: str) -> str:
    return next(sentence for sentence in policies() if sentence in gold)


def other_policy(gold: str) -> str:
    wrong = policies()[(policies().index(policy_of(gold)) + 1) % len(policies())]
    return gold.replace(policy_of(gold), wrong)


def other_figure(gold: str) -> str:
    policy = policy_of(gold)
    return gold.replace(policy, re.sub(r"\d+", lambda m: str(int(m[0]) + 1), policy).replace("free", "cheap", 1))


def other_action_words(gold: str) -> str:
    words = actions()[str(ticket(gold)["action"])]
    return gold.replace(words, next(w for w in actions().values() if w != words))


def toggled_queue(gold: str) -> str:
    if "first in the queue" in gold:
        return gold.replace(", first in the queue", "")
    return gold.replace("Next:", "Next, first in the queue:")


def without_order_words(gold: str) -> str:
    head, rest = re.split(r"(?<=[.?])\s", split_reply(gold)[0], maxsplit=1)
    if ticket(gold)["order"]:
        head = head.replace(str(ticket(gold)["order"]), "your order")
    elif "the order number" in head:
        head = head.replace("the order number", "your order")
    else:
        head += " Please send the order number."
    return with_prose(gold, f"{head} {rest}")


def another_number(gold: str) -> str:
    prose = split_reply(gold)[0]
    other = re.sub(r"LM-(\d{4})(\d)", lambda m: f"LM-{m[1]}{(int(m[2]) + 1) % 10}", prose, count=1)
    return with_prose(gold, other)


def shortened(gold: str) -> str:
    return with_prose(gold, " ".join(split_reply(gold)[0].split()[:15]) + f"\n{SIGN_OFF}")


def lower_product(gold: str) -> str:
    product = str(ticket(gold)["product"])
    return with_prose(gold, split_reply(gold)[0].replace(product, product.lower()))


def other_product(gold: str) -> str:
    return with_prose(gold, split_reply(gold)[0].replace(str(ticket(gold)["product"]), "Zennith lamp"))


def without_product(gold: str) -> str:
    return with_prose(gold, split_reply(gold)[0].replace(str(ticket(gold)["product"]), "thing"))


def late_product(gold: str) -> str:
    product = str(ticket(gold)["product"])
    return without_product(gold).replace("Next", f"We mean the {product}. Next")


def reordered(gold: str) -> str:
    return with_line(gold, json.dumps(dict(reversed(ticket(gold).items()))))


def always(gold: str) -> bool:
    return True


def has(key: str) -> Callable[[str], bool]:
    return lambda gold: ticket(gold)[key] is not None


MUTATIONS: list[tuple[str, str, Callable[[str], str], Callable[[str], bool]]] = [
    ("rule_01_greeting", "other word", in_prose("^Hello", "Hi"), always),
    ("rule_01_greeting", "other name", in_prose("^Hello [^,]+,", "Hello Zebulon,"), always),
    (
        "rule_01_greeting",
        "lower case",
        in_prose("^Hello (.)", lambda m: f"Hello {m[1].lower()}"),
        lambda g: "Hello there" not in g,
    ),
    ("rule_01_greeting", "surname too", in_prose("^(Hello [^,]+),", r"\1 Smith,"), always),
    ("rule_01_greeting", "no comma", in_prose("^(Hello [^,]+),", r"\1"), always),
    ("rule_02_order_number", "not in the first sentence", without_order_words, always),
    ("rule_02_order_number", "another number", another_number, has("order")),
    ("rule_02_order_number", "without hyphen", in_prose(r"LM-", "LM"), has("order")),
    ("rule_03_product", "another product", other_product, has("product")),
    ("rule_03_product", "missing", without_product, has("product")),
    ("rule_03_product", "lower case", lower_product, has("product")),
    ("rule_03_product", "in the second sentence", late_product, has("product")),
    ("rule_03_product", "one too many", in_prose("Next", "The Zennith lamp too. Next"), always),
    ("rule_03_product", "one too many, called The", in_prose("Next", "The Thennith lamp too. Next"), always),
    ("rule_04_house_words", "refund", in_prose("Next", "A refund is near. Next"), always),
    ("rule_04_house_words", "Returned", in_prose("Next", "Returned goods are welcome. Next"), always),
    ("rule_05_no_apologies", "sorry", in_prose("^(Hello [^,]+),", r"\1, sorry,"), always),
    ("rule_05_no_apologies", "inconvenience", in_prose("Next", "What an inconvenience. Next"), always),
    ("rule_06_policy", "another policy", other_policy, always),
    ("rule_06_policy", "a promise beside it", in_prose("Next", "We also send you a free toaster. Next"), always),
    ("rule_06_policy", "taken back", in_prose("Next", "None of that holds for you. Next"), always),
    ("rule_06_policy", "another figure", other_figure, lambda g: g != other_figure(g)),
    (
        "rule_06_policy",
        "a second policy",
        lambda g: g.replace(" Next", f" {policy_of(other_policy(g))} Next"),
        always,
    ),
    ("rule_07_next_step", "missing", in_prose("Next", "Then"), always),
    ("rule_07_next_step", "other action", other_action_words, always),
    ("rule_07_next_step", "not the last sentence", in_prose(rf"\n{SIGN_OFF}", rf" Bye now.\n{SIGN_OFF}"), always),
    ("rule_07_next_step", "denied", in_prose(r"(Next[^:]*:)", r"\1 we do not promise that"), always),
    ("rule_07_next_step", "twice", in_prose("Next", "Next: wait. Next"), always),
    ("rule_08_queue", "toggled", toggled_queue, always),
    ("rule_09_sign_off", "other words", in_prose(SIGN_OFF, "Best wishes, Lindermoor"), always),
    ("rule_09_sign_off", "same line", in_prose(rf"\n{SIGN_OFF}", f" {SIGN_OFF}"), always),
    ("rule_09_sign_off", "missing", in_prose(rf"\n{SIGN_OFF}", ""), always),
    ("rule_10_length", "too long", in_prose("Next", "We do like a long reply at times, " * 4 + "so. Next"), always),
    ("rule_10_length", "too short", shortened, always),
    ("rule_11_plain_and_private", "exclamation", in_prose(r"\.", "!"), always),
    ("rule_11_plain_and_private", "link", in_prose("Next", "See https://lindermoor.example. Next"), always),
    ("rule_11_plain_and_private", "telephone", in_prose("Next", "We ring 07700 900123. Next"), always),
    ("rule_11_plain_and_private", "placeholder", in_prose("Next", "We post it to [address]. Next"), always),
    ("rule_11_plain_and_private", "list", in_prose("Next", "\n- Next"), always),
    ("rule_12_ticket_line", "other order", reordered, always),
    ("rule_12_ticket_line", "one key more", lambda g: with_ticket(g, note="x"), always),
    ("rule_12_ticket_line", "single quotes", lambda g: with_line(g, str(ticket(g))), always),
    ("rule_12_ticket_line", "fenced", lambda g: with_line(g, f"```json\n{split_reply(g)[1]}\n```"), always),
    ("rule_12_ticket_line", "cut off", lambda g: with_line(g, split_reply(g)[1][:-1]), always),
    ("rule_12_ticket_line", "missing", lambda g: with_line(g, ""), always),
    ("rule_12_ticket_line", "text before it", lambda g: "Hi\n" + g, always),
    ("rule_12_ticket_line", "text after it", lambda g: with_line(g, split_reply(g)[1] + " Bye"), always),
    ("rule_12_ticket_line", "key twice", lambda g: g.replace("}", ', "action": "watch"}', 1), always),
    ("rule_13_ticket_values", "other intent", lambda g: with_ticket(g, intent="gardening"), always),
    ("rule_13_ticket_values", "other order", lambda g: with_ticket(g, order="LM-00000"), always),
    ("rule_13_ticket_values", "other product", lambda g: with_ticket(g, product="Zennith lamp"), always),
    ("rule_13_ticket_values", "other action", lambda g: with_ticket(g, action="sing"), always),
    ("rule_14_priority", "other", lambda g: with_ticket(g, priority="low" if "normal" in g else "normal"), always),
]


@pytest.mark.parametrize("name", ["train", "validation", "test", "test_new_phrasings"])
def test_gold_replies_keep_every_rule(name: str) -> None:
    broken = [(gold, check(gold, gold, before)) for before, gold in turns(name)]
    assert [gold for gold, found in broken if not all(found.values())] == []


@pytest.mark.parametrize(("rule", "what", "change", "fits"), MUTATIONS, ids=[f"{m[0]}: {m[1]}" for m in MUTATIONS])
def test_near_miss_breaks_its_rule(
    rule: str, what: str, change: Callable[[str], str], fits: Callable[[str], bool]
) -> None:
    fitting = [(before, gold) for before, gold in TEST if fits(gold)]
    assert len(fitting) > 50
    for before, gold in fitting:
        reply = change(gold)
        assert not check(reply, gold, before)[rule], reply
        assert not house_compliant(reply, gold, before)


def test_every_rule_has_near_misses() -> None:
    assert {m[0] for m in MUTATIONS} == set(RULES)
    assert len(RULES) == 14


def test_free_wording_is_free() -> None:
    """Another first sentence and next step within the rules, curly apostrophes and compact JSON are all right."""
    for before, gold in TEST:
        found = ticket(gold)
        name = split_reply(gold)[0].split(",")[0]
        about = f" and the {found['product']}" if found["product"] else ""
        first = f"{found['order']}{about} reached us this minute."
        if not found["order"]:
            want = "kindly tell us the order number" if found["action"] == "ask_order" else "what a pleasant letter"
            first = f"{want}{about}, read over tea."
        lead = "Next, first in the queue" if found["priority"] == "high" else "Next"
        step = f"{lead}: well, {actions()[str(found['action'])]}."
        reply = f"{json.dumps(found, separators=(',', ':'))}\n\n{name}, {first} {policy_of(gold)} {step}\n{SIGN_OFF}\n"
        assert [rule for rule, kept in check(reply.replace("'", "\u2019"), gold, before).items() if not kept] == []


def test_facts_are_judged_apart_from_style() -> None:
    before, gold = next((b, g) for b, g in TEST if ticket(g)["order"] and ticket(g)["product"])
    plain = gold.replace(policy_of(gold), "We shall see!").replace(f"{SIGN_OFF}\n", "")
    assert check(plain, gold, before)["facts_correct"]
    assert not house_compliant(plain, gold, before)
    for wrong in (another_number(gold), lower_product(gold), gold.replace("Hello ", "Hello X")):
        assert not check(wrong, gold, before)["facts_correct"]
    assert check(with_line(gold, ""), gold, before)["facts_correct"], "prose alone carries the facts"


def test_wrong_policy_is_not_house_compliant_even_with_a_right_ticket() -> None:
    for before, gold in TEST:
        found = check(other_policy(gold), gold, before)
        assert found["intent_correct"] and found["json_valid"] and not found["rule_06_policy"]


def test_private_data_of_the_customer_must_not_come_back() -> None:
    before, gold = TEST[0]
    asked = [*before, {"role": "user", "content": "I live at 12 Corder Street, my mail is a.b@example.com."}]
    for leak in ("12 Corder Street", "a.b@example.com"):
        reply = gold.replace("Next", f"We noted {leak}. Next")
        assert not check(reply, gold, asked)["rule_11_plain_and_private"]


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_judged_without_raising(reply: str) -> None:
    before, gold = TEST[0]
    found = check(reply, gold, before)
    assert set(found) == {*RULES, "facts_correct", "json_valid", "intent_correct"}
    assert not all(found.values())


def test_odd_json_is_not_a_ticket() -> None:
    before, gold = TEST[0]
    for line in (
        "{}",
        "[]",
        "{1}",
        '{"a": {"b": 1}}',
        '{"intent": 1, "order": 2, "product": 3, "priority": 4, "action": 5}',
    ):
        assert not check(with_line(gold, line), gold, before)["json_valid"]


def test_a_gold_reply_without_ticket_is_refused_with_a_clear_message() -> None:
    with pytest.raises(ValueError, match="no right ticket line"):
        check("Hello", "Hello there, bye.", [])


def test_good_prompt_holds_all_policies_and_actions_in_700_words() -> None:
    prompt = good_prompt()
    assert len(prompt.split()) <= 700
    assert all(sentence in prompt for sentence in policies())
    assert all(f"{name}: {words}" in prompt for name, words in actions().items())
    assert SIGN_OFF in prompt
