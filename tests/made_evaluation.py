"""Evaluations made from answers, for tests of what comes after asking."""

from __future__ import annotations

from typing import Any

import pandas as pd
from live_service import examples

from helpers.decisions import fingerprint
from helpers.evaluate import ASKED, Evaluation


def made(
    answers: list[str],
    grades: dict[str, list[Any]] | None = None,
    *,
    system: str = "tuned",
    model: str = "ft:a",
    task: str = "numbers",
    at: str = "2026-11-20T12:00:00+00:00",
    **columns: list[Any],
) -> Evaluation:
    """An evaluation of the examples of live_service with these answers; columns stand in for the usual ones."""
    rows = examples(len(answers))
    usual: dict[str, Any] = {
        "item": [fingerprint(row) for row in rows],
        "answer": answers,
        "finish_reason": ["stop"] * len(answers),
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "seconds": 0.1,
        "error": [""] * len(answers),
    }
    frame = pd.DataFrame({name: columns.get(name, usual[name]) for name in ASKED} | (grades or {}))
    return Evaluation(task, system, model, "http://127.0.0.1:1/v1/", at, {"seed": 1}, 0.0, rows, frame)
