"""Step 4: a chat model as judge: which of two answers is better, how far its place sways it, does it agree with people.

    judge = judge_model(client)                       # FINETUNE_JUDGE names it; the small bases are refused
    report = judge_pairs(client, judge, pairs, people=["a", "tie", "b"])
    print(report)

Every pair is asked twice, with the answers in both orders: a judge that prefers whatever stands first gives itself away
(Zheng et al., "Judging LLM-as-a-judge", 2023). For a score in place of a choice, `score_grader` writes a score_model
grader for helpers.graders. Taught in notebook 04, run where a model able to judge is configured.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import openai

from helpers.asking import Answer, ask_all, requests
from helpers.errors import Explained
from helpers.stats import wilson

Choice = Literal["a", "b", "tie"]
MOST_TOKENS = 300
PROMPT = """You compare two answers to a customer's question, as a careful expert in the subject would.

Judge by this alone: {criterion}
The order of the answers, their length and their tone count for nothing unless the criterion names them.

[Question]
{question}

[Answer 1]
{first}

[Answer 2]
{second}

Say in a sentence or two what decides it. Then end with one line of JSON: {{"better": 1}} or {{"better": 2}}, or \
{{"better": 0}} if neither is."""


class Pair(TypedDict):
    """Two answers to one question."""

    question: str
    a: str
    b: str


@dataclass(frozen=True)
class JudgeReport:
    """What a judge said of pairs, and what that is worth. Shares are None where nothing can be counted."""

    verdicts: list[Choice | None]  # a or b where it says so in both orders, else tie; None where it could not be read
    failed: int  # pairs without a verdict: counted here, and in no share
    first: float | None  # how often the answer shown first won, of the judgements that were no tie; unswayed: 0.5
    consistent: float | None  # the share of pairs judged alike in both orders
    agreement: float | None  # the share of pairs on which judge and people say the same
    kappa: float | None  # that agreement beyond what chance would give (Cohen, 1960)
    judged_by_people: int  # how many pairs agreement and kappa rest on

    def __str__(self) -> str:
        said = Counter(str(verdict) for verdict in self.verdicts if verdict)
        lines = [
            f"{len(self.verdicts)} pairs: a better {said['a']}, b better {said['b']}, tie {said['tie']}, "
            f"failed {self.failed}",
            f"Place: the first answer won {_share(self.first)} of the judgements (0.5 where its place does not count); "
            f"{_share(self.consistent)} of the pairs were judged alike in both orders.",
        ]
        if self.agreement is None or self.kappa is None:
            return "\n".join([*lines, "People: none of these pairs was judged by people, so the judge is not checked."])
        low, high = wilson(round(self.agreement * self.judged_by_people), self.judged_by_people)
        people = f"People: agrees on {self.agreement:.2f} ({low:.2f} to {high:.2f}) of {self.judged_by_people} pairs"
        return "\n".join([*lines, f"{people}; kappa {self.kappa:.2f} (0 is chance, 1 is full agreement)."])


def judge_model(client: openai.OpenAI) -> str:
    """Return the model that FINETUNE_JUDGE names, once the service has agreed that it can judge.

    Raises Explained where none is named, or the service refuses it, as the local service refuses its small bases.
    """
    model = os.environ.get("FINETUNE_JUDGE", "").strip()
    if not model:
        raise Explained(
            "No judge is configured. Set FINETUNE_JUDGE to a chat model that is able to judge, in the shell that "
            "starts Jupyter; the local service's small bases are not. The graders of helpers.grader_sets need no judge."
        )
    try:
        client.fine_tuning.alpha.graders.validate(grader=score_grader(model, "correct"))  # type: ignore[arg-type]
    except openai.NotFoundError as error:
        if isinstance(error.body, dict) and error.body.get("code") == "model_not_found":
            raise Explained(f"FINETUNE_JUDGE names {model!r}: {error.body['message']}") from error
        return model  # a server without graders: whether its model can judge, agreement with people will show
    except openai.APIStatusError as error:
        said = error.body["message"] if isinstance(error.body, dict) and "message" in error.body else error
        raise Explained(f"FINETUNE_JUDGE names {model!r}, which the service refuses as a judge: {said}") from error
    return model


def score_grader(model: str, criterion: str, name: str = "judge") -> dict[str, Any]:
    """Return a score_model grader (OpenAI's JSON) that gives 0 to 1 by `criterion`, for items with a reference."""
    text = (
        f"Score the answer from 0 to 1 by this alone: {criterion} A good answer that differs from the reference in its "
        "wording only gets the full score.\n\n[Question]\n{{ item.question }}\n\n[Reference]\n{{ item.reference }}\n\n"
        "[Answer]\n{{ sample.output_text }}"
    )
    return {"type": "score_model", "name": name, "model": model, "input": [{"role": "user", "content": text}]}


def judge_pairs(
    client: openai.OpenAI,
    model: str,
    pairs: Sequence[Pair],
    *,
    criterion: str = "which answer is right and helps the person who asked.",
    people: Sequence[Choice | None] | None = None,
    workers: int | None = None,
    ceiling: float = 0.0,
) -> JudgeReport:
    """Return the judge's verdicts on all pairs, with its sway by place and its agreement with people.

    `people` says for each pair which is better, None where nobody judged it. Cost and ceiling: see asking.ask_all.
    """
    if people is not None and len(people) != len(pairs):
        raise ValueError(f"There are {len(people)} verdicts of people for {len(pairs)} pairs: one a pair, or None.")
    orders = [(pair, order) for pair in pairs for order in (("a", "b"), ("b", "a"))]
    asked = requests(model, [question(pair, order, criterion) for pair, order in orders], MOST_TOKENS, 0, 1)
    answers = ask_all(client, asked, workers=workers, label=f"judge {model}", ceiling=ceiling)
    better = [_better(answer) for answer in answers]
    named = [
        None if number is None else ("tie", *order)[number] for number, (_, order) in zip(better, orders, strict=True)
    ]
    both = list(zip(named[::2], named[1::2], strict=True))
    verdicts = [_verdict(one, other) for one, other in both]
    known = [(one, other) for one, other in both if one is not None and other is not None]
    decided = [number for number in better if number]
    agreed = [(v, p) for v, p in zip(verdicts, people or [], strict=False) if v is not None and p is not None]
    return JudgeReport(
        verdicts,
        failed=verdicts.count(None),
        first=decided.count(1) / len(decided) if decided else None,
        consistent=sum(one == other for one, other in known) / len(known) if known else None,
        agreement=sum(v == p for v, p in agreed) / len(agreed) if agreed else None,
        kappa=kappa(agreed),
        judged_by_people=len(agreed),
    )


def question(pair: Pair, order: tuple[str, str], criterion: str) -> list[dict[str, Any]]:
    """Return the conversation that asks a judge about a pair, with its answers in this order."""
    first, second = (pair["a"] if name == "a" else pair["b"] for name in order)
    text = PROMPT.format(criterion=criterion, question=pair["question"], first=first, second=second)
    return [{"role": "user", "content": text}]


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two raters; None where there is no pair, or both always say one and the same."""
    n = len(pairs)
    one, other = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(one[name] * other[name] for name in one) / n**2 if n else 1.0
    return (sum(a == b for a, b in pairs) / n - chance) / (1 - chance) if chance < 1 else None


def _better(answer: Answer) -> int | None:
    """1 or 2, 0 for neither; None where the answer failed or its last JSON line does not say."""
    start = answer.text.rfind("{")
    try:
        number = json.loads(answer.text[start : answer.text.rfind("}") + 1])["better"] if start >= 0 else None
    except (ValueError, KeyError, TypeError):
        return None
    return number if type(number) is int and number in (0, 1, 2) else None


def _verdict(one: str | None, other: str | None) -> Choice | None:
    if one is None or other is None:
        return None
    return one if one == other else "tie"  # type: ignore[return-value]  # "a", "b" or "tie"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
