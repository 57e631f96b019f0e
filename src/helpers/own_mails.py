"""Mails of a folder, as conversations: who wrote first asks, everybody else in the thread answers.

Threads are known by Message-ID, In-Reply-To and References (RFC 5322), which mail programs write into every reply.
"""

from __future__ import annotations

import email.utils
import re
from datetime import datetime, timedelta

import pandas as pd

from helpers.alike import connected
from helpers.clean import strip_html, strip_notices, strip_quoted
from helpers.load import PLACE

IDS = re.compile(r"<[^<>\s]+>")
LINKS = ("Message-Id", "In-Reply-To", "References")


def mail_conversations(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a thread with its `messages`, and the threads that nobody answered: file, row, why.

    `rows` are mails as helpers.load reads them. Quoted mails, HTML and legal notices are taken out of the texts; mails
    after the last reply are left out, because there is no answer to them.
    """
    sent = [_time(date) for date in rows.reindex(columns=["Date"])["Date"]]
    mails = rows.reset_index(drop=True).assign(thread=_threads(rows), at=sent)
    found, unanswered = [], []
    for _, thread in mails.sort_values("at", kind="stable").groupby("thread", sort=False):
        senders = [email.utils.parseaddr(str(sender))[1].lower() for sender in thread["From"]]
        roles = ["user" if sender == senders[0] else "assistant" for sender in senders]
        place = {name: thread[name].iloc[0] for name in PLACE}
        if "assistant" not in roles:
            unanswered.append({**place, "why": "Nobody answered this mail."})
            continue
        end = len(roles) - roles[::-1].index("assistant")
        texts = [strip_notices(strip_quoted(strip_html(str(text)))).strip() for text in thread["text"]]
        turns = [{"role": role, "content": text} for role, text in list(zip(roles, texts, strict=True))[:end]]
        found.append({"messages": turns, **place})
    return pd.DataFrame(found, columns=["messages", *PLACE]), pd.DataFrame(unanswered, columns=[*PLACE, "why"])


def _threads(rows: pd.DataFrame) -> list[int]:
    """A number for each mail, the same for those that name each other."""
    nodes: dict[str, int] = {}
    starts, ends = [], []
    for place, links in enumerate(
        rows.reindex(columns=LINKS).astype(object).fillna("").astype(str).agg(" ".join, axis=1)
    ):
        for name in IDS.findall(links):
            starts.append(place)
            ends.append(nodes.setdefault(name, len(rows) + len(nodes)))
    return [int(label) for label in connected(len(rows) + len(nodes), starts, ends)[: len(rows)]]


def _time(date: object) -> datetime:
    """When a mail was sent; one without a date that can be read counts as the oldest, in its place in the folder."""
    try:
        sent = email.utils.parsedate_to_datetime(str(date))
    except ValueError:
        return datetime.min
    return sent.replace(tzinfo=None) - (sent.utcoffset() or timedelta())
