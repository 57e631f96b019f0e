"""Puts many pieces of the marketing case side by side: a table of checks, the facts kept, and how much they repeat.

frame = score(pieces, rows)       # rows: the pieces' lines of facts.jsonl
frame["on_brand"] = judge.on_brand(pieces, rows)      # see helpers.cases.voice_judge
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from helpers.cases.voice import check, fact_checks, parts
from helpers.stats import bootstrap


def score(pieces: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row a piece: the columns of `check`, and how many facts were due and right (facts_due, facts_right).

    Raises ValueError when there is not one line of facts a piece.
    """
    if len(pieces) != len(rows):
        raise ValueError(f"{len(pieces)} pieces cannot be judged by {len(rows)} lines of facts: one line a piece.")
    judged = []
    for piece, facts in zip(pieces, rows, strict=True):
        told = fact_checks(piece, facts)
        judged.append(check(piece, facts) | {"facts_due": len(told), "facts_right": sum(told.values())})
    return pd.DataFrame(judged)


def facts_kept(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the share of facts due that are told word for word, as a row of helpers.score.rates, n in pieces.

    The interval is drawn over pieces: the facts of one piece stand and fall together.
    """
    low, high = bootstrap((frame["facts_right"] / frame["facts_due"]).tolist())
    value = float((frame["facts_right"] / frame["facts_due"]).mean())
    return {"metric": "facts_kept", "value": value, "low": low, "high": high, "n": len(frame)}


def repetition(pieces: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return how much pieces about different products repeat each other, as shares of the pieces.

    distinct: texts that no other piece equals. distinct_masked: the same with the facts taken out, which tells how many
    wordings there are for all products. commonest_opening: the share of the most frequent first sentence without its
    facts. Raises ValueError when there is not one line of facts a piece, or none at all.
    """
    if not pieces or len(pieces) != len(rows):
        raise ValueError(f"There are {len(pieces)} pieces and {len(rows)} lines of facts: one line a piece.")
    bare = [without_facts(piece, facts) for piece, facts in zip(pieces, rows, strict=True)]
    openings = pd.Series([parts(text).sentences[0] for text in bare]).value_counts()
    return {
        "distinct": float((pd.Series(pieces).value_counts() == 1).sum() / len(pieces)),
        "distinct_masked": float((pd.Series(bare).value_counts() == 1).sum() / len(pieces)),
        "commonest_opening": float(openings.iloc[0] / len(pieces)),
    }


def without_facts(piece: str, facts: Mapping[str, Any]) -> str:
    """Return the piece with "_" for each fact of the brief: what is left is how it is said."""
    offer = facts["offer"] or {}
    values = [facts[key] for key in ("name", "kind", "material", "colour", "size", "catch", "keith", "price")]
    values += [offer.get(key) for key in ("deal", "code", "date")]
    for value in sorted(filter(None, values), key=len, reverse=True):
        piece = re.sub(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", "_", piece)
    return re.sub(r"\ban? _", "a _", piece)
