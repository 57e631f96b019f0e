"""What can only be seen over many lines: copies, contradictions, leakage, the system message, one answer for all."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator

from helpers.checks.examples import Example
from helpers.checks.findings import Finding, finding
from helpers.checks.near import NearIndex, alike, sketch

LEAST = 10  # examples that a job needs, of which as many should differ
OFTEN = 0.5  # the share of one answer, or of refusals, from which on it is a finding
NAMED = 1000  # lines named one by one for one fault; where there are more, their number is said
REFUSAL = re.compile(
    r"\bi(?:'m| am)? (?:can(?:no|')t|cannot|unable to|not able to|won't) "
    r"(?:help|assist|answer|provide|give|discuss|comply|share|advise|do that|fulfil|support)"
)


class Usual:
    """What most rows share: a number a row, so that the rows that differ from most can be named at the end."""

    def __init__(self) -> None:
        self.kinds, self.lines = array("Q"), array("I")

    def add(self, kind: int, line: int) -> None:
        """Note the kind of the row on this line."""
        self.kinds.append(kind)
        self.lines.append(line)

    def of(self, *kinds: int) -> list[int]:
        """Return the lines of rows of these kinds."""
        return [line for kind, line in zip(self.kinds, self.lines, strict=True) if kind in kinds]

    def ranked(self) -> list[tuple[int, int]]:
        """Return (kind, how many rows), the most frequent first."""
        return Counter(self.kinds).most_common()


class Collection:
    """The examples of a file, added one by one.

    Holds about 0.3 kB a row (0.5 while a table grows), and what the index of near-duplicates may take.
    """

    def __init__(self) -> None:
        self.rows = self.refused = 0
        self.whole: dict[int, int] = {}  # digests by the line they stand on first
        self.questions: dict[int, int] = {}
        self.begun: dict[int, int] = {}  # what longer conversations begin with
        self.near = NearIndex()
        self.systems, self.answers, self.keys = Usual(), Usual(), Usual()

    def add(self, example: Example, line: int) -> Iterator[Finding]:
        """Take in one example; yield what is wrong with it beside those before it."""
        self.rows += 1
        self.refused += REFUSAL.search(example.answer[:300].replace("\u2019", "'")) is not None
        self.systems.add(example.system, line)
        self.answers.add(example.answered, line)
        self.keys.add(example.keys, line)
        first = self.whole.setdefault(example.whole, line)
        if first != line:
            yield finding("duplicate", line, f"The example of line {first} stands here again.")
            return
        yield from self._snapshots(example, line)
        given = sketch(example.asked, example.answer)
        before = self.questions.setdefault(example.question, line)
        if example.turned != example.whole and example.turned in self.whole:
            yield finding("contradiction", line, f"Line {self.whole[example.turned]} prefers the other output.")
        elif before != line and example.asked and example.answer and example.turned is None:
            kept = self.near.words_of(before)
            if kept is None or not alike(kept, given.words):
                yield finding("contradiction", line, f"Line {before} asks the same and answers otherwise.")
        near = self.near.find(given)
        if near is not None:
            yield finding("near_duplicate", line, f"The example is {near[1]:.0f}% like that of line {near[0]}.")
        self.near.add(given, line)

    def _snapshots(self, example: Example, line: int) -> Iterator[Finding]:
        """Conversations that are the beginning of others; the shorter of two is named."""
        for beginning in example.begins:
            if beginning in self.whole:
                yield finding("snapshot", self.whole[beginning], f"Line {line} goes on where this ends.")
            self.begun.setdefault(beginning, line)
        if example.whole in self.begun:
            yield finding("snapshot", line, f"Line {self.begun[example.whole]} goes on where this ends.")

    def leak(self, example: Example, line: int, name: str) -> Iterator[Finding]:
        """Yield whether this collection, the file called `name`, holds an example of another file already."""
        same, question = self.whole.get(example.whole), self.questions.get(example.question)
        if same is not None:
            yield finding("leak", line, f"Line {same} of {name} is this example.")
        elif question is not None and example.asked:
            yield finding("leak_question", line, f"Line {question} of {name} asks the same.")
        elif (near := self.near.find(sketch(example.asked, example.answer))) is not None:
            yield finding("leak_near", line, f"Line {near[0]} of {name} is {near[1]:.0f}% like it.")

    def finish(self, method: str) -> Iterator[Finding]:
        """Yield what is wrong with the whole."""
        yield from self.near_finding("this file")
        if self.rows >= LEAST > len(self.whole):
            yield finding("one_row_copied", None, f"Of {self.rows} examples only {len(self.whole)} differ.")
        if self.rows >= 2 * LEAST:
            answer, often = self.answers.ranked()[0]
            if answer and often / self.rows >= OFTEN:
                yield finding("one_answer", None, f"{often} of {self.rows} examples have the same answer.")
            if self.refused / self.rows >= OFTEN:
                yield finding("refusals", None, f"{self.refused} of {self.rows} answers refuse.")
        yield from self._systems()
        if method == "reinforcement":
            yield from self._keys()

    def near_finding(self, name: str) -> Iterator[Finding]:
        """Yield whether the index of near-duplicates used up its budget; `name` says of which file."""
        if self.near.full is not None:
            room, line = f"{self.near.budget / 1024 / 1024:,.0f} MB", self.near.full
            what = f"The examples of {name} before line {line} filled the index's {room}; the others were not kept."
            yield finding("near_not_compared", None, what)

    def _systems(self) -> Iterator[Finding]:
        ranked = self.systems.ranked()
        without = dict(ranked).get(0, 0)
        if not ranked or without == self.rows:
            if without:
                yield finding("no_system", None, "No example has a system message.")
            return
        what = f"{self.rows - without} other examples have a system message"
        yield from _each("no_system", self.systems.of(0), f"{what}, this has not.", f"{what}, {{}} have none.")
        (_, count), *others = [pair for pair in ranked if pair[0] != 0]
        if others and count * 2 <= self.rows:
            yield finding("system_differs", None, f"The examples have {len(others) + 1} different system messages.")
        elif others:
            what = f"{count} other examples share a system message"
            lines = self.systems.of(*(kind for kind, _ in others))
            yield from _each("system_differs", lines, f"{what}; this differs.", f"{what}; those of {{}} differ.")

    def _keys(self) -> Iterator[Finding]:
        """Rows for graders whose keys are not those of most, and files without any."""
        (usual, count), *others = self.keys.ranked() or [(0, 0)]
        if count and not usual and not others:
            what = "No row has a key beside messages, such as a reference, so a grader has nothing to compare with."
            yield finding("grader_keys", None, what)
        lines = self.keys.of(*(kind for kind, _ in others)) if others else []
        what = f"{count} other examples share the keys that graders read"
        yield from _each("grader_keys", lines, f"{what}; this has others.", f"{what}; {{}} have others.")


def _each(code: str, lines: list[int], one: str, many: str) -> Iterator[Finding]:
    """A finding for each line, or for the file where there are very many; `many` has room for their number."""
    if len(lines) > NAMED:
        first = ", ".join(map(str, lines[:5]))
        yield finding(code, None, many.format(f"{len(lines):,} (lines {first} …)"))
    else:
        yield from (finding(code, line, one) for line in lines)
