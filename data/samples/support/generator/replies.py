"""Writes replies: in house style, with last year's figures, and as the new agent wrote them."""

from __future__ import annotations

import json
import random

from generator.banks import OLD_POLICY, action_words, bank
from generator.facts import Facts

SIGN_OFF = "From the bench, Lindermoor"


def expected_json(facts: Facts, order_known: bool = True) -> dict[str, str | None]:
    """What the ticket line must hold. An order number that is needed and missing changes the action to ask_order."""
    order = facts.order if order_known and facts.case.needs_order else None
    return {
        "intent": facts.case.intent,
        "order": f"LM-{order}" if order else None,
        "product": facts.product,
        "priority": facts.priority,
        "action": "ask_order" if facts.case.needs_order and not order else facts.case.action,
    }


def house_reply(facts: Facts, order_known: bool = True, policy: str | None = None) -> str:
    """The one reply that the house macros give for these facts; `policy` replaces the sentence now in force."""
    ticket = expected_json(facts, order_known)
    opening = "order" if ticket["order"] else "ask" if facts.case.needs_order else "none"
    macro = bank("replies")[opening if facts.product else f"{opening} bare"][0]
    first = macro.format(order=ticket["order"], product=facts.product)
    lead = "Next, first in the queue" if facts.priority == "high" else "Next"
    name = facts.customer.first[:1].upper() + facts.customer.first[1:]
    step = action_words()[str(ticket["action"])]
    prose = f"Hello {name or 'there'}, {first} {policy or facts.case.policy} {lead}: {step}."
    return f"{json.dumps(ticket, ensure_ascii=False)}\n{prose}\n{SIGN_OFF}"


def old_reply(facts: Facts) -> str:
    """In house style, but with the figures in force before 1 March 2025."""
    return house_reply(facts, policy=OLD_POLICY[facts.case.intent, facts.case.name])


def newcomer_reply(facts: Facts, rng: random.Random) -> str:
    """By Dale, who has not read the house style; half of them carry a ticket line of his own making."""
    lines = bank("newcomer")
    order = facts.order or "?"
    text = " ".join(
        [
            rng.choice(lines["start"]).format(first=facts.customer.first or "there"),
            *rng.sample(lines["middle"], rng.choice([1, 1, 2])),
            rng.choice(lines["end"]),
        ]
    )
    block = rng.choice(lines["block"]).format(intent=facts.case.intent, order=order)
    return text + ("\n" + block if rng.random() < 0.5 else "")
