"""Judges replies of the customer-support case by the numbered rules of data/samples/support/house_style.md.

    checks = check(reply, gold, messages)   # {"rule_01_greeting": True, …, "facts_correct": True, …}
    house_compliant(reply, gold, messages)  # True when every rule is kept

The gold reply says what is right for this customer (name, order number, product, policy, action, priority); policies
and actions are read from the style guide itself. The wording that the guide leaves free is not compared.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

STYLE_GUIDE = Path(__file__).resolve().parents[3] / "data" / "samples" / "support" / "house_style.md"
SIGN_OFF = "From the bench, Lindermoor"
QUEUE = "Next, first in the queue:"  # how the next step begins where the priority is high
NEXT = re.compile(rf"Next:|{QUEUE}")
FEWEST_WORDS, MOST_WORDS = 20, 45  # of the prose, the sign-off included
KEYS = ["intent", "order", "product", "priority", "action"]
KINDS = "kettle|toaster|coffee maker|grinder|iron|steamer|lamp|radio|clock|fan|heater|speaker"
ORDER = re.compile(r"LM-\d{5}(?!\d)")
NOT_HOUSE_WORDS = re.compile(r"\b(re-?turn|re-?fund|replac|exchang|repair|fix|deliver|packag)\w*", re.IGNORECASE)
APOLOGIES = re.compile(r"\b(sorry|apolog|unfortunate|regret|inconvenien)\w*", re.IGNORECASE)
NOT_PLAIN = re.compile(r"!|https?:|www\.|^\s*([-*•]|\d+[.)])\s|[\U0001F000-\U0001FAFF\u2600-\u27BF]", re.MULTILINE)
PRIVATE = re.compile(
    r"[\w.+-]+@[\w.-]+\w"  # e-mail
    r"|\+?(?:\d[ -]?){9,18}\d"  # telephone or card
    r"|\b\d{1,3} (?:[A-Z][\w'\u2019]+ ){1,3}(?:Street|Lane|Road|Bank|Close|Row|Walk|Yard|Hill|Parade|Rise|Steps)\b"
    r"|\[(?:email|phone|card|address)\]"  # and what stands for them in the cleaned data
)


def house_compliant(reply: str, gold: str, messages: list[dict[str, str]]) -> bool:
    """Whether the reply keeps every numbered rule."""
    return all(kept for name, kept in check(reply, gold, messages).items() if name.startswith("rule_"))


def check(reply: str, gold: str, messages: list[dict[str, str]]) -> dict[str, bool]:
    """Each numbered rule, and three summaries: facts_correct, json_valid, intent_correct.

    `gold` is a right answer to the same `messages`, the conversation before the reply. facts_correct: name, order
    number and product are the customer's, in the prose and in the ticket line if it can be read. json_valid is rule 12.
    Raises ValueError when `gold` has no right ticket line.
    """
    prose, ticket_line = split_reply(reply)
    right_prose, right_line = split_reply(gold)
    right, ticket = read_ticket(right_line), read_ticket(ticket_line)
    if right is None or right["action"] not in actions():
        raise ValueError(f"This gold reply has no right ticket line, so nothing can be judged by it: {gold[-120:]!r}")
    rules = {
        "rule_01_greeting": greeted(prose) == greeted(right_prose),
        "rule_02_order_number": _order_rule(prose, right),
        "rule_03_product": _product_rule(prose, right["product"]),
        "rule_04_house_words": not NOT_HOUSE_WORDS.search(prose),
        "rule_05_no_apologies": not APOLOGIES.search(prose),
        "rule_06_policy": _policy_rule(prose, right_prose),
        "rule_07_next_step": _next_step_rule(prose, actions()[str(right["action"])]),
        "rule_08_queue": _queue_rule(prose, right["priority"]),
        "rule_09_sign_off": prose.rstrip().split("\n")[-1].strip() == SIGN_OFF,
        "rule_10_length": FEWEST_WORDS <= len(prose.split()) <= MOST_WORDS,
        "rule_11_plain_and_private": _plain_rule(prose, messages),
        "rule_12_ticket_line": ticket is not None,
        "rule_13_ticket_values": ticket is not None and all(ticket[k] == right[k] for k in KEYS if k != "priority"),
        "rule_14_priority": ticket is not None and ticket["priority"] == right["priority"],
    }
    in_ticket = ticket is None or all(ticket[key] == right[key] for key in ("order", "product"))
    facts = rules["rule_01_greeting"] and set(ORDER.findall(prose)) == ({right["order"]} - {None})
    return rules | {
        "facts_correct": facts and rules["rule_03_product"] and in_ticket,
        "json_valid": ticket is not None,
        "intent_correct": ticket is not None and ticket["intent"] == right["intent"],
    }


def split_reply(reply: str) -> tuple[str, str]:
    """Prose and ticket line. Without a first line that looks like JSON the ticket line is empty."""
    first, _, prose = reply.strip().partition("\n")
    if first.startswith("{"):
        return prose.strip(), first.strip()
    return reply.strip(), ""


def read_ticket(line: str) -> dict[str, str | None] | None:
    """The ticket line's values, or None when it is not bare JSON with exactly the five keys in order."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except json.JSONDecodeError:
        return None
    if not isinstance(pairs, list) or [pair[0] for pair in pairs if isinstance(pair, tuple)] != KEYS or len(pairs) != 5:
        return None
    if not all(value is None or isinstance(value, str) for _, value in pairs):
        return None
    return dict(pairs)


def greeted(prose: str) -> str | None:
    """The name in the greeting ('there' for a customer who gave none), or None when the greeting is another."""
    match = re.match(r"Hello ([^,\n]+),\s", prose)
    return match[1] if match else None


def _first_sentence(prose: str) -> str:
    return re.split(r"(?<=[.?])\s", prose, maxsplit=1)[0]


def _order_rule(prose: str, right: dict[str, str | None]) -> bool:
    first = _first_sentence(prose)
    quoted = ORDER.findall(prose)
    if right["order"]:
        return right["order"] in ORDER.findall(first) and set(quoted) == {right["order"]}
    asks = "the order number" in prose
    return not quoted and ("the order number" in first if right["action"] == "ask_order" else not asks)


def _product_rule(prose: str, product: str | None) -> bool:
    """The first sentence names the customer's product as in the catalogue, and no other one is named anywhere."""
    named = re.findall(rf"\b(?!(?:The|Your|This|That|Our|A|An) )[A-Z][a-z]+ (?:{KINDS})\b", prose)
    return set(named) == ({product} - {None}) and (product is None or product in _first_sentence(prose))


def _policy_rule(prose: str, right_prose: str) -> bool:
    """The policy sentence that fits stands between the first sentence and the next step, and nothing beside it."""
    text, right_text = one_line(prose), one_line(right_prose)
    right = [sentence for sentence in policies() if sentence in right_text]
    told = NEXT.split(text)[0].removeprefix(_first_sentence(text)).strip()
    return [sentence for sentence in policies() if sentence in text] == right and told == " ".join(right)


def _next_step(prose: str) -> str:
    """What follows the last 'Next:' on its line, without the sign-off."""
    return one_line(NEXT.split(prose)[-1].split("\n")[0]).removesuffix(SIGN_OFF).strip()


def _next_step_rule(prose: str, words: str) -> bool:
    step = _next_step(prose)
    one_sentence = step.endswith(".") and not re.search(r"[.?!]\s", step)
    denied = re.search(r"\b(not|never|no)\b|n't\b", step.replace(words, ""))
    return len(NEXT.findall(prose)) == 1 and one_sentence and words in step and not denied


def _queue_rule(prose: str, priority: str | None) -> bool:
    if priority == "high":
        return QUEUE in prose
    return "first in the queue" not in prose.lower()


def _plain_rule(prose: str, messages: list[dict[str, str]]) -> bool:
    """No exclamation marks and so on, nothing that looks private, and nothing private that a customer wrote."""
    written = " ".join(m["content"] for m in messages if m["role"] == "user")
    known = [match.group().lower() for match in PRIVATE.finditer(written)]
    return not (NOT_PLAIN.search(prose) or PRIVATE.search(prose) or any(value in prose.lower() for value in known))


def one_line(text: str) -> str:
    """White space made single, curly apostrophes straight."""
    return " ".join(text.replace("\u2019", "'").split())


@cache
def style_guide() -> str:
    """The text of house_style.md; raises FileNotFoundError with what to do when the sample is not there."""
    if not STYLE_GUIDE.is_file():
        raise FileNotFoundError(
            f"{STYLE_GUIDE} is missing. Run the course from its own folder, with data/samples in it."
        )
    return STYLE_GUIDE.read_text(encoding="utf-8")


def _table(section: str) -> list[list[str]]:
    """The rows of the table in a section of the style guide."""
    body = style_guide().split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@cache
def policies() -> list[str]:
    """Every policy sentence in force."""
    return [row[2] for row in _table("Policies")]


@cache
def actions() -> dict[str, str]:
    """For every action the words that the next step must hold."""
    return {row[0]: row[1] for row in _table("Actions")}


def good_prompt() -> str:
    """The long system prompt that a careful practitioner would write: rules, policies, actions, in 600 words.

    When each policy fits is left to its sentence, which says so: the small base reads 2,048 tokens in all.
    """
    rules = re.findall(r"^\d+\. \*\*.*?\*\* (.*)$", style_guide(), re.MULTILINE)
    cases = _table("Policies")
    without_order = sorted({intent for intent, when, _, _ in cases if when.startswith("no order")})
    return "\n".join(
        [
            "You answer Lindermoor's customers. Keep every rule.",
            *rules,
            "",
            f"No order: {', '.join(without_order)}.",
            "Intent: policy sentence [action]",
            *[f"{intent}: {sentence} [{action}]" for intent, _, sentence, action in cases],
            "",
            "Action: words for the next step",
            *[f"{action}: {words}" for action, words in actions().items()],
        ]
    )
