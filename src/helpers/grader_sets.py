"""Step 4: ready graders for accuracy, relevance and coherence; each says how it is computed and what it cannot see.

    print(relevance())

They are OpenAI's grader JSON, to be run anywhere (helpers.graders, helpers.promptfoo), on items with a `question` and a
`reference`, as helpers.graders.item makes them. General graders know no task: where a task has rules of its own, as the
support desk has (helpers.score), judge by those as well. Shown in notebook 04.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from openai.types.chat.chat_completion import Choice

from helpers import grader_checks as checks
from helpers.graders import GraderSet

ANSWER, QUESTION, REFERENCE = "{{ sample.output_text }}", "{{ item.question }}", "{{ item.reference }}"


def accuracy(fields: Sequence[str] = ()) -> GraderSet:
    """Return the grader of accuracy against the reference. `fields`: the keys of a JSON answer that have to agree."""
    if fields:
        parts = {f"field_{number}": _same_field(name) for number, name in enumerate(fields, start=1)}
        return GraderSet(
            _multi("accuracy", parts, f"({' + '.join(parts)}) / {len(parts)}"),
            f"the share of the fields {', '.join(fields)} in which the answer's JSON and the reference's are the same.",
            "a right value in other words or another form, and all that stands outside these fields. An answer that is "
            "not JSON, or lacks a field, cannot be graded: it is counted as a failure.",
        )
    return GraderSet(
        _multi(
            "accuracy",
            {"facts": _python(checks.fact_match, checks.facts), "wording": _similar("fuzzy_match", REFERENCE)},
            "(facts + wording) / 2",
        ),
        "half is the agreement (F1) between the facts of answer and reference, a fact being what has a digit or is a "
        "name inside a sentence; half is how alike the two texts are, letter by letter (rapidfuzz's WRatio).",
        'a negation ("we will" and "we will not" are nearly the same text), a right answer in quite other words, and '
        "facts that are neither figures nor names.",
    )


def relevance() -> GraderSet:
    """Return the grader of relevance: does the answer speak of what was asked, and say what it had to?"""
    return GraderSet(
        _multi(
            "relevance",
            {
                "question": _similar("rouge_1", QUESTION),
                "reference": _similar("meteor", REFERENCE),
                "facts": _python(checks.fact_recall, checks.facts),
            },
            "(question + reference + facts) / 3",
        ),
        "the mean of three: words shared with the question (ROUGE-1, F1), words and stems shared with the reference "
        "(METEOR without synonyms), and the share of the reference's facts that the answer has.",
        "meaning: an answer that repeats the question scores on it, one that answers in other words does not, and what "
        "is said of a fact is not looked at. Even a perfect answer stays below 1, since it is not the question: "
        "compare systems by it, do not read it as a share of good answers.",
    )


def coherence() -> GraderSet:
    """Return the grader of coherence: is the answer a finished text in order, whatever it says?"""
    return GraderSet(
        _multi(
            "coherence",
            {
                "repetition": _python(checks.not_repeated),
                "sentences": _python(checks.whole_sentences),
                "agreement": _python(checks.agreement),
            },
            "min(repetition, sentences, agreement)",
        ),
        "1 if three checks hold, else 0: nothing is said twice (a word after itself, a sentence, seven words in a "
        "row); it begins and ends as a text does and closes its brackets; subject and verb, and a or an, agree in "
        "common English cases.",
        "sense: sentences in order that contradict each other pass, and most slips of grammar are not in its lists. It "
        "reads English only.",
    )


def mean_log_probability(choice: Choice) -> float:
    """Return the mean log-probability (nats a token) that a model gave the answer it has just made.

    Ask with `logprobs=True`. It says how sure that model was: a fluent falsehood and a loop that repeats itself score
    high, a rare right name scores low, and short answers differ from long ones. It is no grade of coherence by itself.
    The chat API gives it for a model's own answer only: what the base model would have given a tuned model's answer
    cannot be asked, here or at OpenAI, so no ready set has it. Raises ValueError for an answer without logprobs.
    """
    tokens = choice.logprobs.content if choice.logprobs else None
    if not tokens:
        raise ValueError("There are no log-probabilities in this answer: ask with logprobs=True.")
    return math.fsum(token.logprob for token in tokens) / len(tokens)


def _multi(name: str, parts: dict[str, dict[str, Any]], formula: str) -> dict[str, Any]:
    graders = {key: {"name": key, **part} for key, part in parts.items()}
    return {"type": "multi", "name": name, "graders": graders, "calculate_output": formula}


def _similar(metric: str, reference: str) -> dict[str, Any]:
    return {"type": "text_similarity", "input": ANSWER, "reference": reference, "evaluation_metric": metric}


def _python(check: Any, *needs: Any) -> dict[str, Any]:
    return {"type": "python", "source": checks.source(check, *needs)}


def _same_field(name: str) -> dict[str, Any]:
    place = f"['{name}']"
    return {
        "type": "string_check",
        "input": f"{{{{ sample.output_json{place} }}}}",
        "reference": f"{{{{ item.reference_json{place} }}}}",
        "operation": "eq",
    }
