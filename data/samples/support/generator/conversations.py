"""Plans a year of conversations: who wrote when about what, and what was answered.

From 1 September 2025 the autumn range is sold and other customers write, so a split by date gives a held-out set with
new names, numbers and products. Each conversation is clean here; raw_exports.py adds what a real export does to it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generator.banks import OLD_POLICY, UNNAMED_PRODUCT, Case, Decks, cases
from generator.facts import Facts, fill_ins
from generator.messages import Writer
from generator.people import People, address, card, email, phone
from generator.replies import house_reply, newcomer_reply, old_reply

SYSTEM_PROMPT = "Answer in the Lindermoor house style."

START, POLICY_CHANGE, AUTUMN, END = (datetime(2025, *day) for day in [(1, 6), (3, 1), (9, 1), (11, 22)])
COUNTS = {"train": 1800, "validation": 80, "test": 130}
UNSUITABLE = {"old_policy": 92, "stale_policy": 24, "off_style": 152, "unanswered": 72, "swapped_roles": 28}
OLD_CASES = [case for case in cases() if (case.intent, case.name) in OLD_POLICY]


@dataclass
class Conversation:
    """A clean conversation. `turns` alternate customer and agent; `use` says which file it belongs to, or why none."""

    facts: Facts
    turns: list[tuple[str, str]]
    use: str
    agent: str
    channel: str
    private: list[str] = field(default_factory=list)
    raw_id: str = ""

    @property
    def messages(self) -> list[dict[str, str]]:
        """In chat format, with the system prompt."""
        roles = {"customer": "user", "agent": "assistant"}
        head = [{"role": "system", "content": SYSTEM_PROMPT}]
        return head + [{"role": roles[who], "content": text} for who, text in self.turns]


def mask(text: str, facts: Facts) -> str:
    """The text with names, towns, products and numbers taken out, so that only its phrasing is left."""
    values = [(facts.customer.full, "N"), (facts.customer.first, "N"), (facts.product, "P"), (facts.customer.town, "T")]
    for value, tag in values:
        if value:
            text = re.sub(rf"\b{re.escape(value)}\b", tag, text, flags=re.IGNORECASE)
    return re.sub(r"\d+", "0", re.sub(r"\bN [A-Z]\.", "N", text)).lower()


class Planner:
    """Makes conversations one at a time; no two share a masked message."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.people = People(self.rng)
        self.decks = Decks(self.rng)
        self.writer = Writer(self.decks)
        self.seen: set[str] = set()

    def _facts(self, case: Case, created: datetime, missing_order: float = 0.1) -> Facts:
        rng, autumn = self.rng, created >= AUTUMN
        customer = self.people.customer(autumn)
        unnamed = rng.random() < UNNAMED_PRODUCT.get(case.intent, 0)
        product = None if unnamed else self.people.product(autumn)
        order = self.people.order() if case.needs_order and rng.random() >= missing_order else None
        if case.intent == "unsafe":
            priority = "urgent"
        elif rng.random() < (0.26 if case.needs_order else 0.12):
            priority = "high"
        else:
            priority = "normal" if case.needs_order else "low"
        return Facts(case, customer, order, product, priority, created)

    def conversation(self, use: str, case: Case) -> Conversation:
        """One conversation for `use`; its date, agent, channel and reply follow from that."""
        rng = self.rng
        created = self._date(use, case)
        channel = self.decks.draw(["ticket"] * 29 + ["email"] * 10 + ["chat"] * 11)
        if use == "swapped_roles":
            channel = "chat"
        elif use == "unanswered" and channel == "chat":
            channel = "ticket"
        one_turn = channel != "chat" or use in ("unanswered", "off_style", "old_policy") or not case.needs_order
        asks_first = not one_turn and self.decks.draw(["asks first", *["does not"] * 3]) == "asks first"
        while True:
            facts = self._facts(case, created, missing_order=0 if asks_first else 0.1)
            facts.fills = fill_ins(facts, self.decks)
            text = self.writer.message(facts, order_given=not asks_first)
            if (masked := mask(text, facts)) not in self.seen:
                self.seen.add(masked)
                break
        turns = [("customer", text)]
        if asks_first:
            turns += [("agent", house_reply(facts, order_known=False)), ("customer", self.writer.answer(facts))]
        if (reply := self._reply(use, facts)) is not None:
            turns.append(("agent", reply))
        agent = "Dale" if use == "off_style" else rng.choice(["Bridget", "Tom H.", "Ines", "Marcus"])
        return Conversation(facts, turns, use, agent, channel, self._private(turns, facts))

    def _date(self, use: str, case: Case) -> datetime:
        changed = POLICY_CHANGE if (case.intent, case.name) in OLD_POLICY else START
        first, last = {
            "test": (AUTUMN, END),
            "old_policy": (START, POLICY_CHANGE),
            "stale_policy": (POLICY_CHANGE + timedelta(days=2), datetime(2025, 5, 31)),
            "off_style": (datetime(2025, 4, 7), datetime(2025, 6, 30)),
            "unanswered": (changed, END),
        }.get(use, (changed, AUTUMN))
        return first + timedelta(minutes=self.rng.randrange(int((last - first).total_seconds()) // 60))

    def _reply(self, use: str, facts: Facts) -> str | None:
        if use == "unanswered":
            return None
        if use == "off_style":
            return newcomer_reply(facts, self.rng)
        return old_reply(facts) if use in ("old_policy", "stale_policy") else house_reply(facts)

    def _private(self, turns: list[tuple[str, str]], facts: Facts) -> list[str]:
        """A value for every [phone], [email], [card] and [address], in the order in which they stand."""
        makers = {
            "phone": phone,
            "card": card,
            "address": address,
            "email": lambda rng: email(rng, facts.customer),
        }
        found = [
            m for who, text in turns if who == "customer" for m in re.findall(r"\[(phone|email|card|address)\]", text)
        ]
        return [makers[name](self.rng) for name in found]


def quotas(total: int, wanted: list[Case]) -> list[Case]:
    """`total` cases in proportion to their weights; the largest remainders round up."""
    weight = sum(case.weight for case in wanted)
    exact = [total * case.weight / weight for case in wanted]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(wanted)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return [case for case, count in zip(wanted, counts, strict=True) for _ in range(count)]


def plan(seed: int) -> list[Conversation]:
    """Every distinct conversation with a customer: the curated ones first, then those not fit for training."""
    planner = Planner(seed)
    made = []
    for use, count in (COUNTS | UNSUITABLE).items():
        wanted = OLD_CASES if use in ("old_policy", "stale_policy") else cases()
        made += [planner.conversation(use, case) for case in quotas(count, wanted)]
    return made
