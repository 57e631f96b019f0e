"""Step 4 of a case study: several systems asked the same examples, graded alike, their figures in one frame.

systems = {"base": System(base), "prompt": System(base, prompt=good_prompt()), "tuned": System(tuned)}
done = evaluate_systems(client, systems, test, grade, task="legal")
rows = figures(done, ["rule_compliance", "all_rules"])
keep(rows, done, "legal", notebook="06_case_legal_discovery", service="local", seed=1)
saved(done["tuned"], [done["prompt"], done["few_shot"]])
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import openai
import pandas as pd

from helpers.asking import Conversation
from helpers.compare import rates_by
from helpers.errors import Explained
from helpers.evaluate import Evaluation, Example, Grader, evaluate, prompts, with_shots, with_system
from helpers.results import record
from helpers.stats import bootstrap_ratio, wilson


@dataclass(frozen=True)
class System:
    """A model and how it is asked: a prompt in place of the examples' own system message, and worked examples."""

    model: str
    prompt: str | None = None
    shots: Sequence[Conversation] = ()

    def asked(self, examples: Sequence[Example]) -> list[Conversation]:
        """Return what the model is asked for these examples: everything before the right answer."""
        questions = prompts(examples)
        questions = with_system(questions, self.prompt) if self.prompt is not None else questions
        return with_shots(questions, self.shots)


def pick_shots(
    train: Sequence[Example], count: int, kind_of: Callable[[Example], Hashable] | None = None, seed: int = 1
) -> list[Conversation]:
    """Return the messages of `count` training examples drawn by `seed`: of as many kinds as there are, in turn.

    Raises Explained where there are fewer examples than that.
    """
    if count > len(train):
        raise Explained(f"{count} worked examples cannot be picked from {len(train)}. Ask for fewer.")
    mixed = random.Random(seed).sample(list(train), len(train))
    kinds = [kind_of(example) if kind_of else None for example in mixed]
    turn = [kinds[:place].count(kind) for place, kind in enumerate(kinds)]  # the first of each kind, the second of each
    order = sorted(range(len(mixed)), key=lambda place: (turn[place], place))
    return [mixed[place]["messages"] for place in order[:count]]


def evaluate_systems(
    client: openai.OpenAI,
    systems: Mapping[str, System],
    examples: Sequence[Example],
    graders: Grader | Sequence[Grader],
    *,
    task: str,
    max_tokens: int = 220,
    seed: int = 1,
    ceiling: float = 0.0,
) -> dict[str, Evaluation]:
    """Return each system's Evaluation of the same examples; see helpers.evaluate.evaluate, also for the ceiling."""
    how: Any = {"task": task, "max_tokens": max_tokens, "seed": seed, "ceiling": ceiling}
    return {
        name: evaluate(client, s.model, examples, graders, system=name, conversations=s.asked(examples), **how)
        for name, s in systems.items()
    }


def figures(
    done: Mapping[str, Evaluation], metrics: Sequence[str], clusters: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Return one row a system and metric: system, metric, value, low, high (95%), n, failed; see Evaluation.rates."""
    return rates_by({name: evaluation.frame for name, evaluation in done.items()}, metrics, clusters)


def keep(
    rows: pd.DataFrame, done: Mapping[str, Evaluation], task: str, *, notebook: str, service: str, seed: int
) -> None:
    """Keep figures in build/results.json, each with the model of its system; see helpers.results.record."""
    for row in rows.to_dict("records"):
        model = done[row["system"]].model
        record(**{**row, "notebook": notebook, "task": task, "service": service, "seed": seed, "model": model})


def best(done: Mapping[str, Evaluation], metrics: Sequence[str]) -> str:
    """Return the system with the highest mean of the first metric, of the next where they are equal; then the first."""
    return max(done, key=lambda name: [float(done[name].frame[metric].mean()) for metric in metrics])


def ratio(metric: str, parts: Sequence[float], wholes: Sequence[float], seed: int = 1) -> dict[str, Any]:
    """Return the row of a share of sums, sum(parts) / sum(wholes), such as facts found of all facts: see figures.

    Parts and wholes are those of the same items, and whole items are drawn for the interval (bootstrap, 95%), because
    what stands in one item goes together; Wilson's, an item one answer, where none or all is found. An item where
    either is missing is left out of n. Raises ValueError where nothing is left to divide by.
    """
    pairs = np.column_stack([np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)])
    part, whole = pairs[~np.isnan(pairs).any(axis=1)].T
    if len(part) < 2 or not whole.sum():
        raise ValueError(f"{metric}: {len(part)} items with {whole.sum():.0f} in all make no share with an interval.")

    value, n = float(part.sum() / whole.sum()), len(part)
    alike = not part.any() or bool((part == whole).all())  # so are all samples: then an item counts as one answer
    low, high = wilson(round(value * n), n) if alike else bootstrap_ratio(part, whole, seed)
    return {"metric": metric, "value": value, "low": low, "high": high, "n": n, "failed": 0}


def saved(evaluation: Evaluation, rivals: Sequence[Evaluation]) -> dict[str, Any]:
    """Return the row `editing_saved`: the word edits saved against the rival that needs the fewest, paired by item.

    All have a grade `edits`, see helpers.editing; items that only one was asked are left out. Below 0 where more
    editing is needed.
    """
    theirs = min((rival.frame.set_index("item")["edits"] for rival in rivals), key=lambda edits: float(edits.mean()))
    ours = evaluation.frame.set_index("item")["edits"].reindex(theirs.index)
    return ratio("editing_saved", (theirs - ours).tolist(), theirs.tolist()) | {"failed": evaluation.failed}
