"""Run one grader on one answer: the object that OpenAI's /graders/run gives back.

What is wrong with the answer, the item or the judge's words becomes the reward 0 and a flag in `metadata.errors`; the
words for it stand in `metadata.scores["error"]`, the one place of OpenAI's answer that is open for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import formula
from .failure import DETAILS, FLAGS, Failure
from .judges import Judge, question, read
from .similarity import VECTORISER, similarity
from .spec import Grader, ModelGrader, Multi, Python, StringCheck, TextSimilarity
from .templates import MissingVariable, render, sample_namespace

RunPython = Callable[[str, dict[str, Any], Any], float]  # source, sample, item; raises Failure, or ApiError where off


@dataclass
class _Run:
    """One run under way: what it grades, by what means, and what it has met."""

    sample: dict[str, Any]
    item: Any
    judge: Judge
    python: RunPython
    failures: list[Failure] = field(default_factory=list)
    sub_rewards: dict[str, float] = field(default_factory=dict)
    usage: dict[str, dict[str, int]] = field(default_factory=dict)  # tokens by model
    measured_by: str | None = None

    def reward(self, grader: Grader) -> float:
        """The grader's reward; 0, and a failure noted, where there is none."""
        try:
            return self._reward(grader)
        except MissingVariable as error:
            flag = "sample_parse_error" if error.not_json else "invalid_variable_error"
            self.failures.append(Failure(flag, str(error)))
        except Failure as failure:
            self.failures.append(failure)
        return 0.0

    def _reward(self, grader: Grader) -> float:
        if isinstance(grader, StringCheck):
            return float(compare(grader.operation, self._fill(grader.input), self._fill(grader.reference)))
        if isinstance(grader, TextSimilarity):
            return self._similarity(grader)
        if isinstance(grader, Python):
            return self.python(grader.source, self.sample, self.item)
        if isinstance(grader, ModelGrader):
            return self._judged(grader)
        assert isinstance(grader, Multi)
        return self._combined(grader)

    def _fill(self, template: str) -> str:
        return render(template, self.item, self.sample)

    def _similarity(self, grader: TextSimilarity) -> float:
        if grader.evaluation_metric == "cosine":
            self.measured_by = VECTORISER
        try:
            return similarity(grader.evaluation_metric, self._fill(grader.input), self._fill(grader.reference))
        except ValueError as error:
            raise Failure("other_error", str(error)) from None

    def _judged(self, grader: ModelGrader) -> float:
        reply = self.judge(question(grader, self.item, self.sample))
        self.measured_by = grader.model
        used = self.usage.setdefault(grader.model, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
        used["prompt_tokens"] += reply.prompt_tokens
        used["completion_tokens"] += reply.completion_tokens
        used["total_tokens"] += reply.prompt_tokens + reply.completion_tokens
        return read(grader, reply)

    def _combined(self, grader: Multi) -> float:
        for name, part in grader.parts.items():
            before = len(self.failures)
            self.sub_rewards[name] = self.reward(part)
            self.failures[before:] = [Failure(f.flag, f"{name}: {f.words}") for f in self.failures[before:]]
        try:
            return formula.evaluate(grader.calculate_output, self.sub_rewards)
        except formula.FormulaError as error:
            raise Failure("formula_parse_error", str(error)) from None


def run(grader: Grader, model_sample: str, item: Any, *, judge: Judge, python: RunPython) -> dict[str, Any]:
    """Return OpenAI's RunGraderResponse (JSON) for one answer and its item.

    `judge` asks models and `python` runs sources; what they raise that is no Failure goes through to the caller.
    """
    started = time.perf_counter()
    under_way = _Run(sample_namespace(model_sample), item, judge, python)
    reward = under_way.reward(grader)
    words = "; ".join(failure.words for failure in under_way.failures)
    return {
        "reward": reward,
        "metadata": {
            "name": grader.name or grader.type,
            "type": grader.type,
            "errors": _errors(under_way.failures),
            "execution_time": time.perf_counter() - started,
            "scores": {"error": words} if words else {},
            "token_usage": sum(used["total_tokens"] for used in under_way.usage.values()) if under_way.usage else None,
            "sampled_model_name": under_way.measured_by,
        },
        "sub_rewards": under_way.sub_rewards,
        "model_grader_token_usage_per_model": under_way.usage,
    }


def _errors(failures: list[Failure]) -> dict[str, Any]:
    errors: dict[str, Any] = dict.fromkeys(FLAGS, False) | dict.fromkeys(DETAILS.values())
    for failure in failures:
        errors[failure.flag] = True
        if failure.flag in DETAILS:
            errors[DETAILS[failure.flag]] = failure.words
    return errors


def compare(operation: str, text: str, reference: str) -> bool:
    """Whether a string check holds: eq and ne compare whole texts, like and ilike ask whether `reference` is in it."""
    if operation == "like":
        return reference in text
    if operation == "ilike":
        return reference.casefold() in text.casefold()
    return (text == reference) == (operation == "eq")
