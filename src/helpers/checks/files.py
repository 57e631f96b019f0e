"""What can only be seen over many lines: copies, contradictions, leakage, the system message, one answer for all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rapidfuzz import fuzz

from helpers.checks.findings import Finding, finding
from helpers.checks.near import NEAR, NearIndex
from helpers.checks.texts import texts_of

NEAR_ROWS = 50_000  # rows compared for nearly equal ones: with their texts, about 200 MB
LEAST = 10  # examples that a job needs, of which as many should differ
OFTEN = 0.5  # the share of one and the same answer from which on it is a finding


class Collection:
    """The examples of a file, added one by one. Holds a digest a row, and the texts of the first NEAR_ROWS rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.whole: dict[bytes, int] = {}
        self.questions: dict[bytes, tuple[int, str]] = {}
        self.near = NearIndex()
        self.systems: Counter[str | None] = Counter()
        self.system_lines: dict[str | None, list[int]] = {}
        self.answers: Counter[bytes] = Counter()

    def add(self, messages: list[Any], line: int) -> Iterator[Finding]:
        """Take in one example; yield what is wrong with it beside those before it."""
        self.rows += 1
        asked, answer, system = parts(messages)
        if system not in self.systems:
            self.system_lines[system] = []
        self.systems[system] += 1
        if len(self.system_lines[system]) < 1000:
            self.system_lines[system].append(line)
        self.answers[digest(answer)] += 1
        text = f"{asked} {answer}"
        whole, question = digest(f"{asked}\n{answer}"), digest(asked)
        first, before = self.whole.setdefault(whole, line), self.questions.get(question)
        if first != line:
            yield finding("duplicate", line, f"The example of line {first} stands here again.")
            return
        if before is None:
            self.questions[question] = (line, answer[:2000])
        elif answer and asked and fuzz.ratio(answer[:2000], before[1]) < NEAR:
            yield finding("contradiction", line, f"Line {before[0]} asks the same and answers otherwise.")
        if self.rows <= NEAR_ROWS:
            near = self.near.find(text)
            if near is not None:
                yield finding("near_duplicate", line, f"The example is {near[1]:.0f}% like that of line {near[0]}.")
            self.near.add(text, line)

    def leak(self, messages: list[Any], line: int, name: str) -> Iterator[Finding]:
        """Yield whether this collection, the file called `name`, holds an example of another file already."""
        asked, answer, _ = parts(messages)
        same, question = self.whole.get(digest(f"{asked}\n{answer}")), self.questions.get(digest(asked))
        if same is not None:
            yield finding("leak", line, f"Line {same} of {name} is this example.")
        elif question is not None and asked:
            yield finding("leak_question", line, f"Line {question[0]} of {name} asks the same.")
        elif (near := self.near.find(f"{asked} {answer}")) is not None:
            yield finding("leak_near", line, f"Line {near[0]} of {name} is {near[1]:.0f}% like it.")

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with the whole."""
        if self.rows > NEAR_ROWS:
            yield finding("near_not_compared", None, f"The file has {self.rows:,} examples, {NEAR_ROWS:,} compared.")
        if self.rows >= LEAST > len(self.whole):
            yield finding("one_row_copied", None, f"Of {self.rows} examples only {len(self.whole)} differ.")
        often = self.answers.most_common(1)
        if self.rows >= 2 * LEAST and often and often[0][1] / self.rows >= OFTEN:
            yield finding("one_answer", None, f"{often[0][1]} of {self.rows} examples have the same answer.")
        yield from self._systems()

    def _systems(self) -> Iterator[Finding]:
        without = self.systems.get(None, 0)
        if without == self.rows:
            if without:
                yield finding("no_system", None, "No example has a system message.")
            return
        for line in self.system_lines.get(None, []):
            yield finding(
                "no_system", line, f"{self.rows - without} other examples have a system message, this has not."
            )
        usual, count = Counter({s: n for s, n in self.systems.items() if s is not None}).most_common(1)[0]
        others = [system for system in self.systems if system not in (None, usual)]
        if count * 2 <= self.rows and others:
            yield finding("system_differs", None, f"The examples have {len(others) + 1} different system messages.")
            return
        for system in others:
            for line in self.system_lines[system]:
                yield finding("system_differs", line, f"{count} other examples share a system message; this differs.")


def parts(messages: list[Any]) -> tuple[str, str, str | None]:
    """Return an example as (what is asked, the last answer, the system message or None).

    What is asked and answered has its case and white space evened, so that copies that differ only there are found.
    """
    told, said = [], []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        text = " ".join(" ".join(text.split()) for _, text in texts_of(message))
        if role in ("system", "developer"):
            told.append(text)
        else:
            said.append((text + _beside_text(message)).lower())
    answered = bool(messages) and isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"
    answer = said.pop() if answered else ""
    return "\n".join(said), answer, " ".join(told) if told else None


def _beside_text(message: Any) -> str:
    """What stands for a message's tool calls and images."""
    if not isinstance(message, dict):
        return ""
    content = message.get("content")
    others = (
        [part for part in content if isinstance(part, dict) and "text" not in part] if isinstance(content, list) else []
    )
    others += [message[key] for key in ("tool_calls", "function_call") if message.get(key)]
    return " ".join(f" {digest(json.dumps(other, sort_keys=True)).hex()}" for other in others)


def digest(text: str) -> bytes:
    """Return 16 bytes that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
