"""Turns clean conversations into the records of an export: spoils them, adds copies, snapshots, spam and empty ones."""

from __future__ import annotations

import copy
import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generator import defects as spoil
from generator.banks import bank, cases
from generator.conversations import COUNTS, END, POLICY_CHANGE, START, Conversation
from generator.people import Customer, People, email

COPIES = {"exact_duplicate": 64, "near_duplicate": 68}
STRANGERS = {"spam": 40, "off_topic": 44, "empty": 36}
CHAT_SNAPSHOTS = 32
MIGRATION = datetime(2025, 2, 10)  # tickets from here on are in the new helpdesk's export too


@dataclass
class Record:
    """One exported conversation: raw turns (customer, agent or system), what was done to it, and what it came from."""

    channel: str
    created: datetime
    customer: Customer
    address: str
    subject: str
    turns: list[tuple[str, str]]
    agent: str = ""
    tag: str = ""
    csat: str = ""
    status: str = "solved"
    defects: list[str] = field(default_factory=list)
    clean: Conversation | None = None
    copy_of: Record | None = None
    extras: dict[str, list[str]] = field(default_factory=dict)
    id: str = ""

    @property
    def usable(self) -> bool:
        return not any(spoil.DEFECTS[name].startswith("drop") for name in self.defects)


class Exporter:
    """Makes the records of the year, in order of their date, with ids."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"{seed} export")
        self.people = People(random.Random(f"{seed} strangers"))

    def records(self, conversations: list[Conversation]) -> list[Record]:
        made = [self._record(conversation) for conversation in conversations]
        curated = [r for r in made if r.clean and r.clean.use in COUNTS and not set(r.defects) & {"html_residue"}]
        singles = [r for r in curated if len(r.clean.turns) == 2 and r.channel != "chat"]  # type: ignore[union-attr]
        chosen = self.rng.sample(singles, sum(COPIES.values()))
        for kind, count in COPIES.items():
            made += [self._copy(chosen.pop(), kind) for _ in range(count)]
        chats = [r for r in curated if r.channel == "chat" and len([t for t in r.turns if t[0] != "system"]) > 2]
        made += [self._chat_snapshot(record) for record in self.rng.sample(chats, CHAT_SNAPSHOTS)]
        for kind, count in STRANGERS.items():
            made += [self._stranger(kind) for _ in range(count)]
        made.sort(key=lambda record: record.created)
        self._number(made)
        return made

    def _number(self, records: list[Record]) -> None:
        """Ids by channel in order of date. A snapshot has the id of the conversation that it is an early state of."""
        following = {"ticket": ("T", 20113), "email": ("E", 412), "chat": ("C", 70021)}
        for record in records:
            if "snapshot" in record.defects:
                continue
            letter, number = following[record.channel]
            record.id = f"{letter}-{number}"
            following[record.channel] = (letter, number + self.rng.randint(1, 3))
            if record.clean and record.copy_of is None:
                record.clean.raw_id = record.id
        for record in records:
            if record.copy_of and "snapshot" in record.defects:
                record.id = record.copy_of.id

    def _record(self, clean: Conversation) -> Record:
        rng, facts = self.rng, clean.facts
        subject = rng.choice(bank("noise")["subject"])
        values = facts.fills | {"product": facts.product or "order", "order": facts.fills.get("order", "")}
        record = Record(
            channel=clean.channel,
            created=facts.created,
            customer=facts.customer,
            address=email(rng, facts.customer),
            subject=subject.format(**({"kind": "order"} | values)).strip(),
            turns=[],
            agent="" if clean.use == "unanswered" else clean.agent,
            clean=clean,
        )
        if clean.use not in COUNTS:
            record.defects.append(clean.use)
        if clean.private:
            record.defects.append("personal_data")
        self._administer(record, clean)
        for who, text in clean.turns:
            if who == "customer":
                text = self._spoil_customer(record, spoil.with_private_data(text, clean.private))
            else:
                text = self._spoil_agent(record, text)
            record.turns.append((who, text))
        if record.channel == "chat":
            self._as_chat(record)
        return record

    def _administer(self, record: Record, clean: Conversation) -> None:
        """Intent tag, satisfaction score and status, as people leave them."""
        rng, draw = self.rng, self.rng.random()
        if clean.use == "unanswered":
            record.status = rng.choice(["open", "new"])
            return
        record.tag = clean.facts.case.intent
        if draw < 0.1:
            record.tag = rng.choice([c.intent for c in cases() if c.intent != record.tag] + ["other"])
            record.defects.append("wrong_tag")
        elif draw < 0.18:
            record.tag = ""
            record.defects.append("empty_tag")
        scores = ["1", "2", "3", "4", "5", ""]
        weights = [34, 28, 15, 5, 3, 15] if clean.use == "off_style" else [1, 2, 6, 26, 43, 22]
        record.csat, record.status = rng.choices(scores, weights)[0], rng.choice(["solved", "closed"])

    def _spoil_customer(self, record: Record, text: str) -> str:
        rng, done, latin_only = self.rng, record.defects, record.created < POLICY_CHANGE
        if rng.random() < 0.05:
            text = spoil.control_characters(text, rng, latin_only) if " " in text else text
            done += ["control_characters"] if re.search("[\x07\x0b\xad\u200b\ufeff]", text) else []
        if rng.random() < 0.25 and record.channel != "chat":
            text = spoil.paragraphs(text, rng)
        spoilt = spoil.mojibake(text) if not re.search("[\u200b\ufeff]", text) else text
        if spoilt != text and rng.random() < 0.12:
            text = spoilt
            done.append("mojibake")
        elif rng.random() < 0.25:
            text = spoil.curly(text)
        if record.channel != "ticket":
            if record.channel == "email":
                self._mail_extras(record)
            return text
        if rng.random() < 0.08:
            text = spoil.html_residue(text, rng)
            done.append("html_residue")
        elif rng.random() < 0.12:
            kind = self._signature_kind()
            text += "\n\n" + ("-- \n" if kind == "signature" else "") + "\n".join(spoil.signature(record.customer, rng))
            done.append(kind)
            if rng.random() < 0.3:
                text += "\n\n" + spoil.disclaimer(rng)
                done.append("disclaimer")
        return text

    def _signature_kind(self) -> str:
        return "bare_signature" if self.rng.random() < 0.2 else "signature"

    def _mail_extras(self, record: Record) -> None:
        """What raw_exports.py puts under an e-mail: signature, notice, older mail."""
        rng = self.rng
        if rng.random() < 0.65:
            record.extras[self._signature_kind()] = spoil.signature(record.customer, rng)
        if rng.random() < 0.35:
            record.extras["disclaimer"] = [spoil.disclaimer(rng)]
        if rng.random() < 0.22:
            record.extras["quoted_history"] = [rng.choice(bank("noise")["quoted"])]
        record.defects += list(record.extras)

    def _spoil_agent(self, record: Record, text: str) -> str:
        rng = self.rng
        if record.channel == "ticket" and rng.random() < 0.12:
            text += "\n\n" + bank("noise")["footer"][2]
            record.defects.append("footer")
        elif record.channel == "email":
            record.extras["footer"] = [rng.choice(bank("noise")["footer"][:2])]
            record.defects.append("footer")
        return text

    def _as_chat(self, record: Record) -> None:
        """Chat habits: a message in several turns, goodbye after the reply, notes of the system."""
        rng, turns = self.rng, list(record.turns)
        pieces = re.split(r"(?<=[.?!]) ", turns[0][1])
        if len(pieces) > 2 and rng.random() < 0.5:
            cut = rng.randint(1, len(pieces) - 1)
            turns[:1] = [("customer", " ".join(pieces[:cut])), ("customer", " ".join(pieces[cut:]))]
            record.defects.append("split_turns")
        if rng.random() < 0.25 and turns[-1][0] == "agent":
            turns.append(("customer", rng.choice(["thanks", "ok thank you", "Great, bye!", "Lovely, ta.", "will do"])))
            record.defects.append("trailing_turn")
        if "swapped_roles" in record.defects:
            turns = [("agent" if who == "customer" else "customer", text) for who, text in turns]
        record.turns = [("system", "Chat opened."), *turns, ("system", "Chat closed.")]

    def _copy(self, original: Record, kind: str) -> Record:
        """The same matter sent twice: exactly, or typed again; answered both times."""
        twin = copy.copy(original)
        twin.copy_of, twin.turns = original, list(original.turns)
        twin.defects = [*original.defects, kind]
        twin.created = original.created + timedelta(minutes=self.rng.randint(3, 60 * 30))
        if kind == "near_duplicate":
            clean = original.clean
            assert clean is not None
            text = spoil.with_private_data(clean.turns[0][1], clean.private)
            twin.turns = [("customer", spoil.near_copy(text, self.rng)), ("agent", clean.turns[1][1])]
            mail = (
                ["signature", "bare_signature", "disclaimer", "quoted_history", "footer"]
                if original.channel == "email"
                else []
            )
            keep = {"personal_data", "wrong_tag", "empty_tag", kind, *mail}
            twin.defects = [name for name in twin.defects if name in keep]
        return twin

    def _chat_snapshot(self, original: Record) -> Record:
        """The log as it was before the last reply."""
        early = copy.copy(original)
        last = max(i for i, (who, _) in enumerate(original.turns) if who == "agent")
        early.copy_of, early.turns = original, original.turns[:last]
        early.status, early.csat = "open", ""
        early.defects = [d for d in original.defects if d != "trailing_turn"] + ["snapshot"]
        return early

    def _stranger(self, kind: str) -> Record:
        """Spam, off-topic mail or an empty message."""
        rng = self.rng
        created = START + timedelta(minutes=rng.randrange(int((END - START).total_seconds()) // 60))
        customer = self.people.customer(autumn=False)
        text = rng.choice(bank("noise")[kind] + (["", "   "] if kind == "empty" else []))
        record = Record(
            channel=rng.choice(["ticket", "ticket", "email"]),
            created=created,
            customer=customer,
            address=email(rng, customer),
            subject=rng.choice(["Hello", "Your shop", "(no subject)", "Offer", "Question", ""]),
            turns=[("customer", text)],
            agent=rng.choice(["Bridget", "Tom H.", "Ines", "Marcus"]),
            tag=rng.choice(["", "other", "praise", "stock"]),
            status="closed",
            defects=[kind],
        )
        if kind != "empty" and rng.random() < 0.4:
            record.turns.append(("agent", rng.choice(bank("noise")["off_topic reply"])))
        return record
