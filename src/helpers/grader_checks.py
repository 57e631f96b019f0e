"""Step 4: checks in Python that graders carry with them as source (`source`). Each stands on its own, as a grader must.

They read English. Shown in notebook 04.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def source(check: Callable[..., float], *needs: Callable[..., Any]) -> str:
    """Return the source of a python grader that runs `check`, a function of this module, and the functions it needs."""
    parts = [inspect.getsource(function) for function in (*needs, check)]
    parts.append(f"def grade(sample, item):\n    return {check.__name__}(sample, item)\n")
    return "\n\n".join(["from typing import Any\n", *parts])


def facts(text: str) -> set[str]:
    """Return the facts in a text that can be told by their look: what has a digit, and names inside a sentence.

    Small letters, without the marks around them: "LM-70059", "3", "£12.50", "Alder", "Lindermoor".
    """
    import re

    words = re.findall(r"(?:^|[.!?:\n]\s*|\s)?[£$€]?[\w'-]+(?:[.,:/]\w+)*%?", text)
    found = set()
    for word in words:
        plain = re.sub(r"^[\s.!?:]+", "", word)
        starts_sentence = not word.startswith(" ") or word.lstrip(" ") != plain
        if re.search(r"\d", plain) or (re.match(r"[A-Z][a-z]", plain) and not starts_sentence):
            found.add(plain.lower())
    return found


def fact_recall(sample: dict[str, Any], item: dict[str, Any]) -> float:
    """The share of the reference's facts that the answer has, wherever they stand; 1 where it has none to give."""
    wanted, text = facts(item["reference"]), sample["output_text"].lower()
    return sum(fact in text for fact in wanted) / len(wanted) if wanted else 1.0


def fact_match(sample: dict[str, Any], item: dict[str, Any]) -> float:
    """How far answer and reference hold the same facts: F1, so that an invented fact counts as a missing one does."""
    wanted, given = facts(item["reference"]), facts(sample["output_text"])
    return 2 * len(wanted & given) / (len(wanted) + len(given)) if wanted or given else 1.0


def not_repeated(sample: dict[str, Any], item: dict[str, Any]) -> float:
    """1 unless a word follows itself, or a sentence of three words or a run of seven stands in the answer twice."""
    import re
    from itertools import pairwise

    text = sample["output_text"].lower()
    words = re.findall(r"[\w'-]+", text)
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+|\n", text) if len(s.split()) >= 3]
    runs = [tuple(words[i : i + 7]) for i in range(len(words) - 6)]
    doubled = any(a == b and a not in ("that", "had") for a, b in pairwise(words))
    return float(not doubled and len(set(sentences)) == len(sentences) and len(set(runs)) == len(runs))


def whole_sentences(sample: dict[str, Any], item: dict[str, Any]) -> float:
    """1 if the answer begins with a capital, a digit or a bracket, comes to an end, and closes what it opens."""
    import re

    text = sample["output_text"].strip()
    begins = bool(re.match(r"[\"'\u201c\u2018]?[A-Z0-9]|[\[{(#*-]", text))
    ends = (
        bool(re.search(r"[.!?\u2026}\])][\"'\u201d\u2019]?$", text)) or "\n" in text
    )  # a signature or a list may end without
    open_marks = []
    for mark in re.findall(r"[()\[\]{}]", text):
        if mark in "([{":
            open_marks.append(mark)
        elif not open_marks or open_marks.pop() + mark not in ("()", "[]", "{}"):
            return 0.0
    return float(begins and ends and not open_marks and text.count('"') % 2 == 0)


def agreement(sample: dict[str, Any], item: dict[str, Any]) -> float:
    """1 unless a subject and its verb, or a or an and its word, disagree in one of the common ways listed here."""
    import re

    text = sample["output_text"]
    verbs = (
        r"\b(?:I (?:is|are|has|were|does)|(?:you|we|they) (?:is|was|has|does|doesn't|isn't|wasn't)"
        r"|(?:he|she|it) (?:are|am|have|do|don't|aren't)|(?:these|those) (?:is|was|has)"
        r"|(?:this|that) (?:are|were|have))\b"
    )
    asks = r"(?i)\b(?:does|do|did|can|could|will|would|should|may|might|must|if|that|as|make|let|let's|help|than|and) "
    wrong_verb = [m for m in re.finditer(verbs, text, re.I) if not re.search(asks + "$", text[: m.start()])]
    a_vowel = r"\b[Aa] (?=[aeiouAEIOU])(?!u[bcfhjkqrst][aeiou]|U[A-Z]|uni|one|once|eu|Uni|One|Eu|[A-Z]\b)\w"
    an_consonant = r"\b[Aa]n (?=[b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z])(?!hour|honest|hono|heir|[FHLMNRSX](?:\b|[A-Z-]))\w"
    return float(not wrong_verb and not re.search(a_vowel, text) and not re.search(an_consonant, text))
