"""Graders that ask a model: what it is asked, and how its answer is read.

As at OpenAI the judge gives {"steps": [{"description", "conclusion"}], "result": …}: it thinks in the steps, and the
result counts. OpenAI holds the judge to this shape by a response_format; here it is asked for in words at the end of
the last message, so that any chat model can be a judge, and a result that stands alone is read as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .failure import Failure
from .spec import LabelModel, ModelGrader, ScoreModel
from .templates import render

STEPS = '{"steps": [{"description": "what you look at", "conclusion": "what you find"}], "result": %s}'
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")


class Asked(NamedTuple):
    """One question to a judge: a chat, and how to sample the answer."""

    model: str
    messages: list[dict[str, str]]
    seed: int | None
    temperature: float
    top_p: float
    most_tokens: int | None


class Reply(NamedTuple):
    """A judge's answer and what it took."""

    text: str
    refusal: str | None
    prompt_tokens: int
    completion_tokens: int


Judge = Callable[[Asked], Reply]  # raises ApiError for a model that cannot judge, Failure where it does not answer


def question(grader: ModelGrader, item: Any, sample: dict[str, Any]) -> Asked:
    """Return what the judge is asked. Raises templates.MissingVariable. Temperature is 0 where nothing is said."""
    messages = [
        {"role": message.role, "content": "".join(render(text, item, sample) for text in message.texts())}
        for message in grader.input
    ]
    messages[-1]["content"] += "\n\n" + _wanted(grader)
    params = grader.sampling_params
    temperature = params.temperature if params else None
    top_p = params.top_p if params else None
    return Asked(
        grader.model,
        messages,
        params.seed if params else None,
        0.0 if temperature is None else temperature,
        1.0 if top_p is None else top_p,
        params.max_completions_tokens if params else None,
    )


def _wanted(grader: ModelGrader) -> str:
    if isinstance(grader, LabelModel):
        result = f'"one of: {", ".join(grader.labels)}"'
    else:
        assert isinstance(grader, ScoreModel)
        result = f"a number from {grader.range[0]:g} to {grader.range[1]:g}"
    return f"Answer with one JSON object and nothing else: {STEPS % result}"


def read(grader: ModelGrader, reply: Reply) -> float:
    """Return the reward in a judge's answer: the score cut to its range, or 1 for a passing label and 0 for another.

    Raises Failure for a refusal, and for an answer without a result.
    """
    if reply.refusal:
        raise Failure("model_grader_refusal_error", f"The judge refused: {reply.refusal}")
    result = _result(reply.text)
    if isinstance(grader, LabelModel):
        if result not in grader.labels:
            raise Failure("model_grader_parse_error", f"The judge gave no label: {_short(reply.text)}")
        return float(result in grader.passing_labels)
    assert isinstance(grader, ScoreModel)
    if isinstance(result, str) and NUMBER.fullmatch(result):
        result = float(result)
    if isinstance(result, bool) or not isinstance(result, int | float) or not math.isfinite(result):
        raise Failure("model_grader_parse_error", f"The judge gave no number: {_short(reply.text)}")
    return min(max(float(result), grader.range[0]), grader.range[1])


def _result(text: str) -> Any:
    """The result in the first JSON object of the answer; where there is none, the answer itself."""
    start = text.find("{")
    if start < 0:
        return text.strip()
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return found.get("result")


def _short(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")
