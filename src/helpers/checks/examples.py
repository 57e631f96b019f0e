"""What an example says, whatever its method: what is asked, what is answered, and digests that stand for its parts."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from helpers.checks.lines import Row
from helpers.checks.rows import CHAT_KEYS, OUTPUTS
from helpers.checks.texts import texts_of


class Example(NamedTuple):
    """An example with its case and white space evened, so that copies that differ only there are found.

    The answer is the last message if it is the assistant's; in a preference both outputs; in a row for reinforcement
    what a grader compares with. Digests are numbers of 64 bits; 0 stands for nothing.
    """

    asked: str
    answer: str
    question: int  # digest of what is asked
    answered: int  # digest of the answer
    whole: int  # digest of both
    begins: list[int]  # digests of the conversation up to each earlier answer, made like `whole`
    turned: int | None  # in a preference: `whole` of the one that prefers the other output
    system: int  # digest of the system messages
    keys: int  # digest of the names of the keys beside messages and tools that hold something


def example_of(row: Row) -> Example | None:
    """Return what a row says, or None where it has no list of messages."""
    given = row.get("input")
    holder = row if "messages" in row or not isinstance(given, dict) else given
    messages = holder.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    told: list[str] = []
    said: list[str] = []
    answers: list[int] = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            told.append(_words(message))
            continue
        if role == "assistant":
            answers.append(len(said))
        said.append(_words(message).lower())
    system = digest(" ".join(told)) if told else 0
    if holder is given:
        return _preference(row, "\n".join(said), system)
    more = {key: value for key, value in row.items() if key not in CHAT_KEYS and value not in (None, "")}
    graded = json.dumps(more, sort_keys=True) if more else ""
    answer = said.pop() if answers[-1:] == [len(said) - 1] else graded
    asked = "\n".join(said)
    begins = [_whole("\n".join(said[:place]), said[place]) for place in answers if place < len(said)]
    answered, keys = (digest(text) if text else 0 for text in (answer, " ".join(sorted(more))))
    return Example(asked, answer, digest(asked), answered, _whole(asked, answer), begins, None, system, keys)


def _preference(row: Row, asked: str, system: int) -> Example:
    better, worse = ("\n".join(map(_words, _listed(row.get(name)))).lower() for name in OUTPUTS)
    whole, turned = _whole(asked, f"{better}\n{worse}"), _whole(asked, f"{worse}\n{better}")
    answer = f"{better} {worse}"
    return Example(asked, answer, digest(asked), digest(better), whole, [], turned, system, 0)


def _whole(asked: str, answer: str) -> int:
    return digest(f"{asked}\n\n{answer}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(message: Any) -> str:
    """A message's text with even white space, and what stands for its tool calls and images."""
    text = " ".join(" ".join(text.split()) for _, text in texts_of(message))
    if not isinstance(message, dict) or (len(message) == 2 and isinstance(message.get("content"), str)):
        return text
    others = [part for part in _listed(message.get("content")) if isinstance(part, dict) and "text" not in part]
    others += [message[key] for key in ("tool_calls", "function_call") if message.get(key)]
    return text + " ".join(f" {digest(json.dumps(other, sort_keys=True))}" for other in others)


def digest(text: str) -> int:
    """Return a number of 64 bits that stands for a text, not 0."""
    made = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(made, "little") or 1
