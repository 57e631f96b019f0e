"""Warns of notes that may be privileged: they are looked at first, and stay out of prompts and training files.

    warnings = privileged(notes, counsel)   # one row a sentence that warns: row, reason, sentence

What is privileged is for counsel to decide (in US federal courts Fed. R. Evid. 502 and Fed. R. Civ. P. 26(b)(3) and
(5)); this finds what says so itself, and sentences of the kinds that usually are. IT MISSES WHAT IS PUT DIFFERENTLY:
tests/test_legal_sample.py measures how much. When in doubt, leave the note out: nothing can be unlearned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

OPINION = (
    r"\b(advi[cs]e|advis\w+|thinks?|thought|believes?|believed|fears?|feared|recommend\w*|suggest\w*|opinions?|views?"
    r"|according to|warn\w*|doubts?|worr\w+|expects?|considers?|concern\w*|told|odds|assess\w*)\b"
)
SAID = (
    r"\b(told|tells?|admits?|admitted|confid\w+|wrote|writes|said|says|mentioned|afraid|fears?|worr\w+|instruct\w*|asked"
    r"|asks|wants?|explained|conceded|heard|learned|general counsel|in-house)\b"
)
REASONS = {  # in the order in which they are tried; the first that fits a sentence is given
    "marked": re.compile(
        r"\bprivileged?\b(?! log)|attorney[- ]client|work[- ]product|attorneys?'? eyes|confidential"
        r"|anticipation of litigation",
        re.I,
    ),
    "client": re.compile(rf"\b(our|the) client\b.*{SAID}|{SAID}.*\b(our|the) client\b", re.I),
    "work": re.compile(
        r"\bstrateg\w+|\bsettle(d|s|ments?)?\b(?! it\b)|\b(my|our) theory|impressions? of|cross-examin\w+"
        r"|\bweak(er|est|ness\w*)?\b|\bodds\b|\b(strengths?|risks?) of our\b|\bour (case|exposure|chances)\b",
        re.I,
    ),
}


def privileged(notes: Sequence[str], counsel: Sequence[str]) -> pd.DataFrame:
    """Return one row a sentence that warns: row (from 0), reason, sentence. `counsel` are the attorneys' names.

    Reasons: marked (it says so itself), advice (a named attorney's opinion), client (what a client said), work
    (strategy, weighing, preparation).
    """
    names = "|".join(re.escape(name) for name in counsel if name.strip())
    advice = re.compile(rf"(?:{names})\b.*{OPINION}|{OPINION}.*\b(?:{names})", re.I) if names else None
    found = []
    for row, note in enumerate(notes):
        for sentence in re.split(r"(?<=[.?!])\s+", note):
            reason = next((name for name, pattern in REASONS.items() if pattern.search(sentence)), None)
            if reason is None and advice is not None and advice.search(sentence):
                reason = "advice"
            if reason is not None:
                found.append({"row": row, "reason": reason, "sentence": sentence})
    return pd.DataFrame(found, columns=["row", "reason", "sentence"])
