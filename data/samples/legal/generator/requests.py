"""What one request is about, and the draft that the style guide makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from generator.banks import ENDINGS, asks, clauses


@dataclass(frozen=True)
class Matter:
    """A matter of the firm: its code and type, and who signs. Roles are Plaintiff and Defendant."""

    code: str
    type: str
    client: str
    other: str
    client_role: str
    attorney: str
    later: bool

    @property
    def other_role(self) -> str:
        return "Defendant" if self.client_role == "Plaintiff" else "Plaintiff"


@dataclass(frozen=True)
class Facts:
    """All that a draft depends on."""

    matter: Matter
    number: int
    ask: str
    past: str
    base: str
    noun: str
    subject: str
    first_day: date
    last_day: date
    details: tuple[str, ...]
    bates: tuple[str, str] | None
    days: int

    @property
    def kind(self) -> str:
        return asks()[self.ask][0]

    @property
    def to(self) -> str:
        return f"{self.matter.other_role} {self.matter.other}"

    @property
    def client(self) -> str:
        return f"{self.matter.client_role} {self.matter.client}"


def in_style(day: date) -> str:
    """The firm's form of a date."""
    return f"{day:%B} {day.day}, {day.year}"


def draft(facts: Facts) -> str:
    """The request as the senior paralegal leaves it."""
    heading, clause = clauses()[facts.kind]
    what = {"persons": facts.past, "did": facts.past, "did_not": facts.base}.get(facts.ask, f"the {facts.noun}")
    time = f"from {in_style(facts.first_day)}, through {in_style(facts.last_day)}"
    listed = f"{', '.join(facts.details[:-1])}, and {facts.details[-1]}" if facts.details else ""
    if facts.ask in ENDINGS:
        listed = f", with the {listed} of each {ENDINGS[facts.ask]}"
    elif listed:
        listed = f", including {listed}"
    bates = f" Refer to Bates {facts.bates[0]} to {facts.bates[1]}." if facts.bates else ""
    return "\n".join(
        [
            f"{heading} NO. {facts.number} [{facts.matter.code}]",
            f"To {facts.to}: {asks()[facts.ask][1]} {what} {facts.subject} {time}{listed}.{bates}",
            clause,
            f"Respond within {facts.days} days of service.",
            f"For {facts.client}: {facts.matter.attorney}",
        ]
    )
