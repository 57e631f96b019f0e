"""Plans the firm's matters and requests: the ones to learn from, the held-out ones, and those that must stay out."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from generator.banks import HELD_OUT, Decks, asks, bank, matter_types
from generator.names import Names
from generator.notes import DATE_FORMS, Writer, email, fill, phone, values
from generator.requests import Facts, Matter, draft

SYSTEM_PROMPT = "You draft discovery requests in the style of Thessaly Oake LLP."
COUNTS = {"train": 1320, "validation": 80, "test": 130, "test_new_matters": 80}
PRIVILEGED = 72  # notes that must stay out, drawn like the ones to learn from
DAYS = [14, 21, 28, 45, 60]


@dataclass
class Request:
    """One request. `facts`, `note` and `draft` carry stand-ins for every name; `raw_facts` and `raw_note` the real ones."""

    facts: Facts
    note: str
    raw_facts: Facts
    raw_note: str
    use: str
    writer: str
    staff: str
    writer_raw: str
    staff_raw: str
    created: date
    why: str = ""  # the reason why a privileged note is privileged
    private: bool = False
    raw_id: str = ""

    @property
    def draft(self) -> str:
        return draft(self.facts)

    @property
    def raw_draft(self) -> str:
        return draft(self.raw_facts)

    @property
    def messages(self) -> list[dict[str, str]]:
        """In chat format, with the system prompt."""
        return [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": self.note},
            {"role": "assistant", "content": self.draft},
        ]


def masked(request: Request) -> str:
    """The note with names, codes, dates and numbers taken out, so that only its phrasing is left."""
    facts, text = request.facts, request.note
    matter = facts.matter
    for value in (matter.client, matter.other, matter.attorney, facts.subject, request.writer, request.staff):
        text = re.sub(rf"\b{re.escape(value)}\b", "n", text)
    text = re.sub(r"\b[A-Z]{2,3}-\d{4}\b", "c", text)
    return re.sub(r"\d+", "0", re.sub(r"\b[A-Z][a-z]+ \d+, \d{4}", "d", text)).lower()


class Planner:
    """Makes requests, some from one matter; no two share a masked note."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.names, self.decks = Names(self.rng), Decks(self.rng)
        self.seen: set[str] = set()
        self.own_attorneys = [self.names.person(later=False) for _ in range(14)]
        self.own_staff = [self.names.first(later=False) for _ in range(12)]

    def requests(self, use: str, count: int) -> list[Request]:
        """`count` requests for one use, with one to three from each matter, all kinds and matter types in turn."""
        types = matter_types()
        types = [t for t in types if (t in HELD_OUT) == (use == "test_new_matters")]
        made: list[Request] = []
        while len(made) < count:
            matter = self._matter(self.decks.draw(types), use)
            numbers = sorted(self.rng.sample(range(1, 41), self.rng.choice([1, 2, 2, 3])))
            made += [self._request(use, matter, number) for number in numbers[: count - len(made)]]
        return made

    def _matter(self, type_: str, use: str) -> Matter:
        later = use.startswith("test")
        first, second = (
            self.names.person(later) if self.rng.random() < 0.25 else self.names.company(later) for _ in range(2)
        )
        role = self.decks.draw(["Plaintiff", "Defendant"])
        return Matter(self.names.code(), type_, first, second, role, self.rng.choice(self.own_attorneys), later)

    def _stand_in(self, matter: Matter) -> Matter:
        """The same matter with other names, drawn anew for every request."""
        client, other = (
            self.names.company(matter.later)
            if name.split()[-1] in bank("names")["ending"]
            else self.names.person(matter.later)
            for name in (matter.client, matter.other)
        )
        return replace(matter, client=client, other=other, attorney=self.names.person(matter.later))

    def _facts(self, matter: Matter, number: int, new: bool) -> Facts:
        rng, matters, notes = self.rng, bank("matters"), bank("new_notes" if new else "notes")
        ask = self.decks.draw(list(asks()))
        past, base, noun = self.decks.draw(matters[f"{matter.type} act"]).split(" | ")
        first_day = date(2015, 1, 1) + timedelta(days=rng.randrange(2900))
        details = rng.sample(notes[f"detail {ask}"], 3) if f"detail {ask}" in notes else []
        return Facts(
            matter=matter,
            number=number,
            ask=ask,
            past=past,
            base=base,
            noun=noun,
            subject=f"the {self.names.word(matter.later)} {self.decks.draw(matters[f'{matter.type} head'])}",
            first_day=first_day,
            last_day=first_day + timedelta(days=rng.randrange(40, 900)),
            details=tuple(details),
            bates=self.names.bates() if rng.random() < 0.2 else None,
            days=30 if rng.random() < 0.5 else rng.choice(DAYS),
        )

    def _request(self, use: str, matter: Matter, number: int) -> Request:
        rng, new = self.rng, use == "test_new_matters"
        raw_facts = self._facts(matter, number, new)
        facts = replace(raw_facts, matter=self._stand_in(matter))
        private = use != "test_new_matters" and rng.random() < 0.08
        form, raw_writer, raw_staff = rng.randrange(DATE_FORMS), *rng.sample(self.own_staff, 2)
        writer, staff = self.names.first(matter.later), self.names.first(matter.later)
        writes = Writer(self.decks, "new_notes" if new else "notes")
        why = ""
        while True:
            template = writes.template(facts, private)
            if use == "privileged":
                template, why = self._privileged(template)
            hidden = {"phone": "<PHONE_1>", "email": "<EMAIL_1>", "writer": writer, "staff": staff}
            shown = {"phone": phone(rng), "email": email(rng, raw_writer), "writer": raw_writer, "staff": raw_staff}
            made = Request(
                facts=facts,
                note=fill(template, values(facts, form, **hidden)),
                raw_facts=raw_facts,
                raw_note=fill(template, values(raw_facts, form, **shown)),
                use=use,
                writer=writer,
                staff=staff,
                writer_raw=raw_writer,
                staff_raw=raw_staff,
                created=date(2025, 1, 6) + timedelta(days=rng.randrange(220) + 60 * matter.later),
                why=why,
                private=private,
            )
            if masked(made) not in self.seen:
                self.seen.add(masked(made))
                return made

    def _privileged(self, template: str) -> tuple[str, str]:
        """The note with a sentence that makes it privileged, somewhere between its sentences, and why."""
        why = self.decks.draw(["marked", "advice", "client", "work"])
        sentence = self.decks.draw(bank("privileged")[why])
        sentences = re.split(r"(?<!\bno\.)(?<=[.?!]) ", template)
        place = 0 if why == "marked" else self.rng.randrange(1, len(sentences))
        return " ".join([*sentences[:place], sentence, *sentences[place:]]), why


def plan(seed: int) -> tuple[dict[str, list[Request]], list[Request]]:
    """The requests of every split, training in a shuffled order, and the privileged ones that belong to none."""
    planner = Planner(seed)
    splits = {name: planner.requests(name, count) for name, count in COUNTS.items()}
    random.Random(f"{seed} order").shuffle(splits["train"])
    return splits, planner.requests("privileged", PRIVILEGED)
