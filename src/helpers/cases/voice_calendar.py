"""The content calendar: when each piece goes out, as a CSV file that opens in any spreadsheet.

    plan = schedule(pieces, rows, start=date(2026, 1, 5))
    write_calendar(build("voice", "calendar.csv"), plan.calendar)

Nothing goes out that breaks a rule of the guide, lacks a fact, tells what the brief does not, or comes too late for its
own offer: such pieces are held back with the reason, for a person to mend.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers.cases.voice import HASHTAGS, check, fact_checks, invented, parts
from helpers.workspace import write_whole

# Weekday (Monday is 0) and time of the slots; one piece a slot.
SLOTS = {
    "description": [(0, "09:00")],
    "post": [(1, "12:30"), (3, "17:00"), (5, "10:00")],
    "email": [(2, "07:30")],
}
NOTICE = 3  # days that an offer must still run when it is told
SAID = {"keith": "snail's report", "catch": "fault"}  # facts by names that a reader of the calendar understands
COLUMNS = ["date", "weekday", "time", "channel", "product", "price", "code", "offer_ends", "subject", "text"]
COLUMNS += ["hashtags", "words", "characters"]
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufffd]")  # control and direction marks
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Plan(NamedTuple):
    """`calendar` is what goes out, in order of time; `held_back` has product, channel, why and text."""

    calendar: pd.DataFrame
    held_back: pd.DataFrame


def schedule(pieces: Sequence[str], rows: Sequence[Mapping[str, Any]], start: date) -> Plan:
    """Return a plan for the pieces from `start` on, those whose offer ends first before the others.

    `rows` are the pieces' lines of facts.jsonl. Raises ValueError when there is not one a piece.
    """
    if len(pieces) != len(rows):
        raise ValueError(f"{len(pieces)} pieces cannot be planned by {len(rows)} lines of facts: one line a piece.")
    slots = {channel: _slots(start, times) for channel, times in SLOTS.items()}
    upcoming = {channel: next(following) for channel, following in slots.items()}
    planned, held = [], []
    for piece, facts in sorted(zip(pieces, rows, strict=True), key=lambda pair: _ends(pair[1])):
        day, time = upcoming[facts["channel"]]
        why = why_not(piece, facts)
        if not why and (_ends(facts) - day).days < NOTICE:
            why = f"the next free slot, {day}, is less than {NOTICE} days before its offer ends on {_ends(facts)}"
        if why:
            held.append({"product": facts["name"], "channel": facts["channel"], "why": why, "text": piece})
        else:
            planned.append(_entry(piece, facts, day, time))
            upcoming[facts["channel"]] = next(slots[facts["channel"]])
    calendar = pd.DataFrame(planned, columns=COLUMNS).sort_values(["date", "time"], kind="stable", ignore_index=True)
    return Plan(calendar, pd.DataFrame(held, columns=["product", "channel", "why", "text"]))


def why_not(piece: str, facts: Mapping[str, Any]) -> str:
    """Return why a piece must not go out as it is, or ""."""
    checks, kept = check(piece, facts), fact_checks(piece, facts)
    reasons = [f"breaks {name}" for name, right in checks.items() if name.startswith("rule_") and not right]
    reasons += [f"tells {what!r}, which the brief does not" for what in dict.fromkeys(invented(piece, facts))]
    reasons += [f"does not tell the {SAID.get(fact, fact)} of the brief" for fact, right in kept.items() if not right]
    reasons += [f"holds the character {sign!r}" for sign in dict.fromkeys(UNSEEN.findall(piece))]
    return "; ".join(reasons)


def write_calendar(path: Path, calendar: pd.DataFrame) -> Path:
    """Write the calendar as CSV whole or not at all, and return its path. Raises Explained where it cannot be written.

    It is UTF-8 with a byte order mark, without which Excel misreads it. A text that a spreadsheet would take for a
    formula gets an apostrophe before it (OWASP, CSV Injection).
    """
    safe = calendar.map(lambda value: f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value)
    return write_whole(path, "\ufeff" + safe.to_csv(index=False, lineterminator="\r\n"))


def _slots(start: date, times: Sequence[tuple[int, str]]) -> Iterator[tuple[date, str]]:
    """Day and time of every slot from `start` on."""
    for day in (start + timedelta(days=days) for days in itertools.count()):
        yield from ((day, time) for weekday, time in times if weekday == day.weekday())


def _ends(facts: Mapping[str, Any]) -> date:
    """The last day of the offer that the piece tells; the end of time where it tells none."""
    told = facts["offer"] and facts["channel"] != "description"
    return date.fromisoformat(facts["offer"]["ends"]) if told else date.max


def _entry(piece: str, facts: Mapping[str, Any], day: date, time: str) -> dict[str, Any]:
    found, told = parts(piece), facts["offer"] if facts["channel"] != "description" else None
    lines = [line for line in piece.splitlines() if line.strip() and not line.startswith("Subject:")]
    return {
        "date": day.isoformat(),
        "weekday": f"{day:%A}",
        "time": time,
        "channel": facts["channel"],
        "product": facts["name"],
        "price": facts["price"],
        "code": told["code"] if told else "",
        "offer_ends": told["ends"] if told else "",
        "subject": found.subject,
        "text": "\n".join(line for line in lines if line != HASHTAGS),
        "hashtags": HASHTAGS if HASHTAGS in lines else "",
        "words": len(piece.split()),
        "characters": len(piece),
    }
