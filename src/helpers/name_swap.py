"""Step 2: does the customer's name change the reply? The same requests, with names of different groups.

    requests, left_out = swap_names(examples, {"one": ["Emma", "Jack"], "other": ["Aisha", "Omar"]})
    compare_replies(requests, lambda messages: ask(client, model, [messages])[0].text)

Each request is asked under two names of every group. Replies that change from group to group more often than within a
group treat customers unequally; those that change within a group as well are merely unsteady. Shown in notebook 04.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import pandas as pd
from rapidfuzz import fuzz

from helpers.errors import Explained
from helpers.stats import bootstrap, wilson

GREETING = re.compile(r"\b(?:Hello|Hi|Dear|Good (?:morning|afternoon|evening)),? ([^\W\d_][\w'\u2019-]+)")
TITLES = r"\b(?:Mr|Mrs|Ms|Miss|Mx|Sir|Madam|Dr)\.? "
Messages = list[dict[str, Any]]


class Request(NamedTuple):
    """One example's messages, up to its last answer, under another name."""

    example: int  # from 1
    group: str
    name: str
    messages: Messages


def greeted(example: Mapping[str, Any]) -> str:
    """Return the name that the last answer greets, as in "Hello Ann, …", or "" where it greets none."""
    answers = [m for m in example["messages"] if m.get("role") == "assistant"]
    found = GREETING.search(str(answers[-1].get("content"))) if answers else None
    return found[1] if found and found[1][0].isupper() else ""


def swap_names(
    examples: Sequence[Mapping[str, Any]],
    names_by_group: Mapping[str, Sequence[str]],
    name_of: Callable[[Mapping[str, Any]], str] = greeted,
    seed: int = 1,
) -> tuple[list[Request], pd.DataFrame]:
    """Return every example under two names of each group, drawn by `seed`, and the examples left out: example, why.

    `name_of` tells the customer's name in an example, which has to stand in the request; what stands beside it, such as
    a family name, stays. A group of one name gives one request an example. Raises Explained for fewer than two groups,
    or one without names.
    """
    if len(names_by_group) < 2 or not all(names_by_group.values()):
        raise Explained("A name-swap test needs two groups or more, with a name or more in each.")
    draw, requests, left_out = random.Random(seed), [], []
    for number, example in enumerate(examples, start=1):
        messages = list(example["messages"])
        if messages and messages[-1].get("role") == "assistant":
            messages.pop()
        name = name_of(example)
        why = _why_not(name, " ".join(str(m.get("content")) for m in messages if m.get("role") == "user"))
        if why:
            left_out.append({"example": number, "why": why})
            continue
        for group, names in names_by_group.items():
            for new in draw.sample(list(names), min(2, len(names))):
                requests.append(Request(number, group, new, [_renamed(m, name, new) for m in messages]))
    return requests, pd.DataFrame(left_out, columns=["example", "why"])


def _why_not(name: str, asked: str) -> str:
    """Why a request cannot be asked under another name; "" where it can."""
    if not name:
        return "no name was found"
    if not _pattern(name).search(asked):
        return f"{name} is not in the request"
    if re.search(TITLES + rf"(?:\w+ )?{re.escape(name)}\b", asked):
        return f"a title stands before {name}, which says more than the name"
    if re.search(rf"\b{re.escape(name)}\b", _pattern(name).sub("", asked), re.IGNORECASE):
        return f"{name} stands there in small letters too, as a name or a word"
    return ""


def _pattern(name: str) -> re.Pattern[str]:
    """The name as a word of its own, as it is written and in capitals: "Will" is a name where "will" is not."""
    return re.compile(rf"\b(?:{re.escape(name)}|{re.escape(name.upper())})\b")


def _renamed(message: dict[str, Any], name: str, new: str) -> dict[str, Any]:
    content = message.get("content")
    if message.get("role") == "system" or not isinstance(content, str):
        return message
    return {
        **message,
        "content": _pattern(name).sub(lambda match: new if match[0] == name else new.upper(), content),
    }


def compare_replies(requests: Sequence[Request], answer: Callable[[Messages], str] | Sequence[str]) -> pd.DataFrame:
    """Return how often the reply changes with the name: a row for two names of each group, and for each two groups.

    `answer` is any function that answers messages, or the replies themselves in the order of the requests. The name is
    masked in each reply before it is compared. Columns: first, second (groups; the same one twice: its two names), n,
    changed, share with low and high (95%, Wilson), similarity (mean of rapidfuzz's ratio, 0 to 1) with similarity_low
    and similarity_high (bootstrap), examples (those whose reply changed). Raises Explained for too few replies.
    """
    replies = [answer(request.messages) for request in requests] if callable(answer) else list(answer)
    if len(replies) != len(requests):
        raise Explained(
            f"There are {len(requests)} requests but {len(replies)} replies. Give one each, in their order."
        )
    said: dict[str, dict[int, list[str]]] = {}
    for request, reply in zip(requests, replies, strict=True):
        told = _pattern(request.name).sub("[name]", reply)
        said.setdefault(request.group, {}).setdefault(request.example, []).append(told)
    pairs = [(group, group, 1) for group in said] + [(*pair, 0) for pair in combinations(said, 2)]
    rows = []
    for first, second, which in pairs:
        both = [(number, one[0], said[second][number]) for number, one in said[first].items()]
        compared = [(number, one, other[which]) for number, one, other in both if len(other) > which]
        if compared:
            rows.append({"first": first, "second": second, **_compared(compared)})
    return pd.DataFrame(rows)


def _compared(replies: list[tuple[int, str, str]]) -> dict[str, Any]:
    n, changed = len(replies), [number for number, one, other in replies if one != other]
    low, high = wilson(len(changed), n)
    alike = [fuzz.ratio(one, other) / 100 for _, one, other in replies]
    similar_low, similar_high = bootstrap(alike) if n > 1 else (0.0, 1.0)
    return {
        "n": n,
        "changed": len(changed),
        "share": len(changed) / n,
        "low": low,
        "high": high,
        "similarity": sum(alike) / n,
        "similarity_low": similar_low,
        "similarity_high": similar_high,
        "examples": changed,
    }
