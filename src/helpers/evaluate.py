"""Step 4: put examples to any model, with any prompt, and keep graded answers. How to judge is the graders' matter.

    tuned = evaluate(client, model, test, grade_support, task="support", system="tuned")
    tuned.rates()

A grader is anything that is called with an answer and its example and returns its grades by name: True and False, or
numbers. Each evaluation is a file in build/evaluations, which later sessions read. Shown in notebook 04.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai
import pandas as pd

from helpers import spending
from helpers.asking import Answer, Conversation, ask, ask_all, requests, usual_workers
from helpers.compare import rates
from helpers.decisions import fingerprint
from helpers.errors import Explained
from helpers.workspace import build, write_whole

__all__ = ["Answer", "Evaluation", "ask", "evaluate", "evaluations", "gold", "prompts", "with_shots", "with_system"]
Example = dict[str, Any]
Grades = dict[str, Any]  # bool or float by name
Grader = Callable[[str, Example], Grades]
ASKED = ("item", "answer", "finish_reason", "prompt_tokens", "completion_tokens", "seconds", "error")


@dataclass
class Evaluation:
    """The graded answers of one system to one set of examples, `task`.

    `frame` has a row an example, in order: item (what tells it from others), answer, finish_reason, prompt_tokens,
    completion_tokens, seconds, error ("" where all went well), and a column a grade, empty where there was an error.
    """

    task: str
    system: str
    model: str
    service: str
    at: str  # ISO 8601, UTC
    settings: dict[str, Any]
    dollars: float | None  # what all these answers cost, those from before as well; None where it is not known
    examples: list[Example]
    frame: pd.DataFrame

    @property
    def metrics(self) -> list[str]:
        """The names of the grades."""
        return [column for column in self.frame if column not in ASKED]

    @property
    def failed(self) -> int:
        """How many examples have no graded answer."""
        return int(self.frame["error"].ne("").sum())

    def rates(self, metrics: Iterable[str] | None = None, clusters: Sequence[Hashable] | None = None) -> pd.DataFrame:
        """Return one row a metric with its interval, see helpers.compare.rates."""
        return rates(self.frame, self.metrics if metrics is None else metrics, clusters)

    @property
    def path(self) -> Path:
        """Its file: the same for the same model asked the same in the same way."""
        made_from = [self.model, self.settings, self.frame["item"].tolist()]
        name = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:12]
        return build("evaluations", f"{_plain(self.task)}-{_plain(self.system)}-{name}.json")

    def save(self) -> Path:
        """Write its file, whole or not at all, and return the path."""
        rows = self.frame.astype(object).where(self.frame.notna(), None).to_dict("records")
        content = {**{name: value for name, value in vars(self).items() if name != "frame"}, "rows": rows}
        return write_whole(self.path, json.dumps(content, indent=1) + "\n")


def evaluations(task: str | None = None) -> list[Evaluation]:
    """Return the evaluations that are kept, oldest first; those of one task where it is named.

    Raises Explained for a file that is not one.
    """
    found = []
    for path in build("evaluations", "_").parent.glob("*.json"):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found.append(Evaluation(frame=_frame(content.pop("rows")), **content))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Explained(f"{path} is no evaluation ({error}). Move it away, then evaluate again.") from error
    return sorted((e for e in found if task in (None, e.task)), key=lambda evaluation: evaluation.at)


def prompts(examples: Sequence[dict[str, Any]]) -> list[Conversation]:
    """Return the conversations up to the last assistant message: what the model is asked."""
    return [_split(example, number)[0] for number, example in enumerate(examples, start=1)]


def gold(examples: Sequence[dict[str, Any]]) -> list[str]:
    """Return the text of every last assistant message: the right answers."""
    return [_split(example, number)[1] for number, example in enumerate(examples, start=1)]


def _split(example: dict[str, Any], number: int) -> tuple[Conversation, str]:
    *before, last = example["messages"]
    if last.get("role") != "assistant":
        raise Explained(
            f"Example {number} ends with a {last.get('role')} message, so there is no right answer to compare with. "
            "Leave it out of the held-out set, or add the assistant message that should follow."
        )
    return before, last.get("content") or ""


def with_system(conversations: Sequence[Conversation], text: str) -> list[Conversation]:
    """Return the conversations with `text` as their system message, in place of the one they have."""
    rest = [[m for m in conversation if m["role"] != "system"] for conversation in conversations]
    return [[{"role": "system", "content": text}, *messages] for messages in rest]


def with_shots(conversations: Sequence[Conversation], shots: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations with example turns after the system message: few-shot prompting.

    A shot is the messages of one example; its own system message is left out.
    """
    turns = [message for shot in shots for message in shot if message["role"] != "system"]
    found = []
    for conversation in conversations:
        head = 1 if conversation and conversation[0]["role"] == "system" else 0
        found.append([*conversation[:head], *turns, *conversation[head:]])
    return found


def evaluate(
    client: openai.OpenAI,
    model: str,
    examples: Sequence[Example],
    graders: Grader | Sequence[Grader],
    *,
    task: str,
    system: str,
    conversations: Sequence[Conversation] | None = None,
    max_tokens: int = 220,
    temperature: float = 0,
    seed: int = 1,
    workers: int | None = None,
    batch: bool = False,
    ceiling: float = 0.0,
) -> Evaluation:
    """Ask the model every example, grade what it says, keep the evaluation in its file, and return it.

    `conversations` is what to ask in place of prompts(examples), as with_system and with_shots make it. Answers from
    before are used again, so a call that was interrupted goes on. What asking may cost, if anything, is printed first;
    over `ceiling` dollars OverBudget is raised and nothing sent. A request that fails, and an answer that a grader
    cannot judge (Explained, or an error of the service), is a row with its `error`: counted, never dropped. `batch`:
    see ask_all.
    """
    asked = requests(model, conversations or prompts(examples), max_tokens, temperature, seed)
    if len(asked) != len(examples):
        raise ValueError(f"There are {len(asked)} conversations for {len(examples)} examples: one an example.")
    answers = ask_all(client, asked, workers=workers, label=system, batch=batch, ceiling=ceiling)
    every = [graders] if callable(graders) else list(graders)
    with ThreadPoolExecutor(workers or usual_workers(client)) as pool:  # a grader of the service's waits for its answer
        rows = list(pool.map(lambda pair: _row(pair[0], pair[1], every), zip(answers, examples, strict=True)))
    after = spending.spent(client, model, ((a.prompt_tokens, a.completion_tokens) for a in answers), batch)
    settings = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed, "prompt": _prompt(asked)}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    made = Evaluation(
        task, system, model, str(client.base_url), at, settings, after.dollars, list(examples), _frame(rows)
    )
    made.save()
    print(f"{system}: {after}" + (f"; {made.failed} failed: run this again to try them once more" * bool(made.failed)))
    return made


def _row(answer: Answer, example: Example, graders: Sequence[Grader]) -> dict[str, Any]:
    said = answer._asdict()
    row = {"item": fingerprint(example), "answer": said.pop("text"), **said}
    grades: Grades = {}
    try:
        for grade in graders if not answer.error else ():
            grades |= grade(answer.text, example)
    except (Explained, openai.OpenAIError) as error:
        return row | {"error": f"not graded: {error}"}
    clash = sorted(set(grades) & set(ASKED))
    if clash:
        raise ValueError(f"A grade cannot be called {', '.join(clash)}: these columns hold what was asked.")
    return row | {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in grades.items()}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else list(ASKED))


def _prompt(asked: Sequence[dict[str, Any]]) -> str:
    """What tells one way of asking the same examples from another: the digest of all that is sent."""
    return hashlib.sha256(json.dumps([request["messages"] for request in asked]).encode()).hexdigest()[:12]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:40]
