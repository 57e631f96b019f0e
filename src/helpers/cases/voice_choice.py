"""From the raw exports of data/samples/voice to the pieces worth learning from: read, clean, compare, choose.

    pieces = read_pieces(sample("voice") / "raw")
    chosen, left = choose(pieces)           # the best of each comparable group, then those fit to be learned from

Sales alone choose what was cheap, discounted and paid for. So a piece is ranked by its rate of clicks (baskets, for
descriptions), and only among pieces of the same channel, half-year, offer or none, boosted or not. Opens are not used:
since mail programs open mails by themselves they tell little.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.cases import voice
from helpers.clean import mend_encoding, normalise, strip_controls, strip_html
from helpers.load import load
from helpers.selection import Rule, Selected, select

COLUMNS = {
    "catalogue.csv": {
        "id": "sku",
        "day": "live_since",
        "writer": "writer",
        "brief": "brief",
        "text": "page_text",
        "reach": "views",
        "clicks": "baskets",
        "sold": "sold_90_days",
        "status": "state",
    },
    "social_posts.jsonl": {
        "id": "id",
        "day": "published",
        "writer": "writer",
        "brief": "brief",
        "text": "text",
        "reach": "impressions",
        "opens": "likes",
        "clicks": "clicks",
        "sold": "sold",
        "status": "status",
        "boosted": "boosted",
    },
    "mailings.csv": {
        "id": "mailing",
        "day": "sent_on",
        "writer": "author",
        "brief": "request",
        "text": "content",
        "reach": "recipients",
        "opens": "opens",
        "clicks": "clicks",
        "sold": "orders",
        "status": "state",
    },
}
CHANNEL = {"catalogue.csv": "description", "social_posts.jsonl": "post", "mailings.csv": "email"}
PUBLISHED = ("live", "published", "sent")
COMPARABLE = ["channel", "half_year", "offer", "boosted"]
BEST = 0.3  # of a comparable group, ranked from 0 to 1: what is below is left out
LINK = re.compile(r"\s*https?://\S+")


def read_pieces(folder: Path | str) -> pd.DataFrame:
    """Return one row a piece with clean text, its figures, and its place among comparable pieces.

    Columns: id, day, channel, writer, brief, text, reach, opens, clicks, sold, status, boosted, offer, half_year, rate
    (clicks a reader reached) and rank (0 to 1, the best is 1; missing where there are no figures). Raises Explained
    where a file is missing or has other columns.
    """
    tables = []
    for name, columns in COLUMNS.items():
        rows = load(Path(folder) / name, columns).rows
        tables.append(
            rows.assign(channel=CHANNEL[name], day=pd.to_datetime(rows["day"], dayfirst=name == "mailings.csv"))
        )
    pieces = pd.concat(tables, ignore_index=True)
    for column in ("reach", "opens", "clicks", "sold"):
        pieces[column] = pd.to_numeric(pieces[column], errors="coerce")
    pieces["text"] = pieces["text"].map(clean_piece)
    pieces["brief"] = pieces["brief"].map(lambda text: normalise(text, keep_lines=True))
    pieces["boosted"] = pieces["boosted"].eq(True)
    pieces["offer"] = pieces["text"].str.contains(voice.CODE)
    pieces["half_year"] = pieces["day"].dt.year.astype(str) + pieces["day"].dt.month.gt(6).map(
        {False: " a", True: " b"}
    )
    pieces["rate"] = pieces["clicks"] / pieces["reach"]
    public = pieces["rate"].where(pieces["status"].isin(PUBLISHED))
    pieces["rank"] = public.groupby([pieces[name] for name in COMPARABLE]).rank(pct=True)
    return pieces


def clean_piece(text: str) -> str:
    """Return a piece as it was written: without markup, tracking links and traces of wrong encodings, line by line."""
    text = strip_controls(strip_html(mend_encoding(text)))
    return normalise(LINK.sub("", text), keep_lines=True)


def choose(pieces: pd.DataFrame, at_least: float = BEST) -> Selected:
    """Return the pieces to learn from, and the others with why: not published, not among the best, or with a fault.

    The same text published twice counts once, the first time.
    """
    rules = [Rule("status", gaps="drop", among=PUBLISHED), Rule("rank", gaps="drop", at_least=at_least)]
    best, left = select(pieces, rules)
    first = pieces.sort_values("day", kind="stable").drop_duplicates("text")["id"]
    why = [fault(row) if row["id"] in set(first) else "published before" for row in best.to_dict("records")]
    fit = pd.Series([not words for words in why], index=best.index, dtype=bool)
    faulty = best[~fit].assign(why=[words for words in why if words])
    return Selected(best[fit], pd.concat([left, faulty], ignore_index=True))


def fault(row: dict[str, Any]) -> str:
    """Return why a published piece must not be learned from, or "": another voice, or a number the brief does not hold.

    The facts behind a raw piece are nobody's list yet, so only what the text and its brief show is judged.
    """
    broken = voice.broken_habits(row["text"], row["channel"])
    if broken:
        return f"not in the house voice ({', '.join(broken[:3])})"
    numbers = set(voice.NUMBER.findall(row["brief"]))
    strange = [number for number in voice.NUMBER.findall(row["text"]) if number not in numbers]
    return f"tells {strange[0]}, which the brief does not" if strange else ""
