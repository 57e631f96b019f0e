"""From a firm's own files to training examples: privilege first, then what is no model to follow, then the names.

prepared = prepare(sample("legal") / "raw")
prepared.warned, prepared.dropped, prepared.examples
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.alike import alike
from helpers.cases.legal import ENDINGS
from helpers.cases.legal_privilege import privileged
from helpers.cases.legal_style import CODE, read
from helpers.clean import mend_encoding, normalise, strip_notices
from helpers.errors import Explained
from helpers.personal import find
from helpers.placeholders import Placeholders
from helpers.workspace import read_jsonl

SYSTEM_PROMPT = "You draft discovery requests in the style of Thessaly Oake LLP."
STARTS = "Bran Cor Del Fen Gal Har Jun Kol Lem Mar Nor Pel Quil Ros Sev Tor Ul Vas Wen Zel"
MIDDLES = "a e i o u ar el en il on"
CLOSES = "bel den dor kin len mond nor ric sen ton vel wick"
TRADES = "Trading Works Supplies Services Products Holdings Goods Crafts Provisions Equipment Stores Materials"


@dataclass
class Prepared:
    """Examples without names, their raw ids and codes in the same order, and what stayed out and why.

    warned: one row a sentence that may be privileged (id, reason, sentence). dropped: one row a record (id, version,
    reason).
    """

    examples: list[dict[str, Any]]
    ids: list[str]
    codes: list[str]
    warned: pd.DataFrame
    dropped: pd.DataFrame


def read_requests(raw: Path) -> pd.DataFrame:
    """Return every record of requests.csv and mails.jsonl, oldest first, their encoding mended. Raises Explained."""
    both = pd.concat(
        [_table(raw / "requests.csv"), pd.DataFrame(read_jsonl(raw / "mails.jsonl")).astype(str)], ignore_index=True
    )
    both["note"] = [mend_encoding(note) for note in both["note"]]
    return both.sort_values(["date", "doc_id", "version"], ignore_index=True)


def prepare(raw: Path, seed: int = 1) -> Prepared:
    """Return what may be learned from a folder like data/samples/legal/raw, and what may not.

    Reasons for dropping: privileged, no_draft, earlier_version, off_style, wrong_matter, duplicate. Each record gets
    the first that fits. Raises Explained where the files cannot be read.
    """
    requests, matters, people = read_requests(raw), _table(raw / "matters.csv"), _table(raw / "people.csv")
    warned = privileged(requests["note"].tolist(), people.loc[people["role"] == "attorney", "name"].tolist())
    # Only now are notices cut off: one that says "Confidential: attorney-client" is the warning itself.
    requests["note"] = [normalise(strip_notices(note)) for note in requests["note"]]
    newest = requests.groupby("doc_id")["version"].transform("max")
    reasons = pd.Series("", index=requests.index)
    for reason, fits in [
        ("privileged", requests.index.isin(warned["row"])),
        ("no_draft", requests["draft"].str.strip() == ""),
        ("earlier_version", requests["version"] != newest),
        ("off_style", ~requests["draft"].map(_in_style)),
        ("wrong_matter", [_other_code(*pair) for pair in zip(requests["note"], requests["draft"], strict=True)]),
    ]:
        reasons = reasons.mask((reasons == "") & np.asarray(fits), reason)
    left = requests[reasons == ""]
    groups = pd.Series(alike(left["note"].tolist()), index=left.index)
    reasons[groups.index[groups.duplicated()]] = "duplicate"
    kept = requests[reasons == ""]
    parties = matters.set_index("code")[["plaintiff", "defendant"]]
    names = [[*parties.loc[code], *people["name"]] for code in kept["code"]]
    return Prepared(
        examples=without_names([_example(row) for row in kept.to_dict("records")], names, seed),
        ids=kept["doc_id"].tolist(),
        codes=kept["code"].tolist(),
        warned=warned.assign(id=requests["doc_id"].reindex(warned["row"]).tolist())[["id", "reason", "sentence"]],
        dropped=requests.assign(reason=reasons)[reasons != ""][["doc_id", "version", "reason"]].reset_index(drop=True),
    )


def without_names(
    examples: Sequence[dict[str, Any]], names: Sequence[Sequence[str]], seed: int = 1
) -> list[dict[str, Any]]:
    """Return the examples with a stand-in for every name, drawn anew for each example, and <PHONE_1>, <EMAIL_1>.

    Stand-ins in place of <NAME_1>: a model that has seen only placeholders never learns to take a name over. `names`
    holds for each example those to look for, as in helpers.mask, whose finder this uses. There is no way back.
    """
    rng = random.Random(seed)
    return [_renamed(example, own, rng) for example, own in zip(examples, names, strict=True)]


def _renamed(example: dict[str, Any], names: Sequence[str], rng: random.Random) -> dict[str, Any]:
    stand_ins: dict[str, str] = {}
    placeholders = Placeholders()

    def change(text: str) -> str:
        made, end = "", 0
        for span in find(text, names):
            said = text[span.start : span.end]
            if span.kind == "NAME":
                put = stand_ins.setdefault(said, stand_in(said, rng))
            elif span.kind in ("PHONE", "EMAIL"):
                put = placeholders.stand_in(span.kind, said)
            else:  # codes and dates are what a request is about
                put = said
            made, end = made + text[end : span.start] + put, span.end
        return made + text[end:]

    spoken = [m if m["role"] == "system" else {**m, "content": change(m["content"])} for m in example["messages"]]
    return {"messages": spoken}


def stand_in(name: str, rng: random.Random) -> str:
    """Return an invented name of the same sort: a company with the same ending, a person, or a single name."""

    def word() -> str:
        return "".join(rng.choice(parts.split()) for parts in (STARTS, MIDDLES, CLOSES))

    if found := re.search(rf" ({ENDINGS})\Z", name):
        return f"{word()} {rng.choice(TRADES.split())} {found[1]}"
    return f"{word()} {word()}" if " " in name else word()


def _example(row: dict[str, str]) -> dict[str, Any]:
    texts = {"system": SYSTEM_PROMPT, "user": row["note"], "assistant": row["draft"]}
    return {"messages": [{"role": role, "content": text} for role, text in texts.items()]}


def _in_style(draft: str) -> bool:
    try:
        read(draft)
    except ValueError:
        return False
    return True


def _other_code(note: str, draft: str) -> bool:
    """Whether the draft carries a code that the note does not."""
    return not set(re.findall(rf"\b{CODE}\b", draft)) <= set(re.findall(rf"\b{CODE}\b", note))


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise Explained(
            f"{path} cannot be read ({error}). It needs requests.csv, mails.jsonl, matters.csv and people.csv."
        ) from error
