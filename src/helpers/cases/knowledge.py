"""The knowledge sample of notebook 09: its house style and questions, and how answers to them are graded.

A question is a row of questions_<split>.jsonl: task, question, name ("" where nobody is greeted), and what is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import pandas as pd

from helpers.retrieval import CITATION, Passage, check_citations
from helpers.workspace import read_jsonl, sample

TASKS = ("facts_that_change", "style", "both", "raw_documents")
JOBS = {"compose": "Answer from the passages.", "query": "Write the search query.", "style": "Write the letter."}
END = "Until soon, the front desk."
MOST_WORDS = 40
VALUE = re.compile(r"£\d+\.\d\d|\b\d{1,2}\.\d\d [ap]m\b|\b\d{5}\b|\bGate \d+\b")
Question = dict[str, Any]


@cache
def house_style() -> str:
    """Return the house style, as a person reads it and as a prompt can hold it."""
    return (sample("knowledge") / "house_style.md").read_text(encoding="utf-8")


def questions(split: str, task: str) -> list[Question]:
    """Return the questions of a task: split "validation" or "test", task one of TASKS."""
    return [row for row in read_jsonl(sample("knowledge") / f"questions_{split}.jsonl") if row["task"] == task]


def in_house_style(answer: str, name: str) -> bool:
    """Whether an answer keeps every rule of the house style: greeting, ending, one line, no "!", 40 words."""
    greeting = f"Good day, {name}. " if name else "Good day. "
    return (
        answer.startswith(greeting)
        and answer.endswith(END)
        and answer.count(END) == 1
        and not set("!\n") & set(answer)
        and len(answer.split()) <= MOST_WORDS
    )


def grade(answer: str, question: Question, given: Sequence[Passage] = ()) -> dict[str, bool]:
    """Return the grades of one answer; `given` are the passages that were in its prompt.

    - facts_correct: the right value, and no other of such values (in task style: name, thing and number of the note);
    - citation_correct: the right passage is cited, it was given, and every figure stands in what is cited;
    - style_kept: see in_house_style;
    - all_right: what the task asks for, at once. raw_documents asks for the fact alone;
    - outdated: the value that held before is given, where it is another;
    - invented: a value is given that stands in no passage of the prompt.
    """
    answer = answer.strip()
    style = in_house_style(answer, question["name"])
    if question["task"] == "style":
        right = all(question[part] in answer for part in ("name", "thing", "number"))
        return {"facts_correct": right, "style_kept": style, "all_right": right and style}
    said = set(VALUE.findall(CITATION.sub("", answer)))
    right, found = said == {question["value"]}, check_citations(answer, given)
    cites = found.cited == [question["passage"]] and found.hold
    needed = {
        "facts_that_change": right and cites,
        "both": right and cites and style,
        "raw_documents": right,
    }
    return {
        "facts_correct": right,
        "citation_correct": cites,
        "style_kept": style,
        "all_right": needed[question["task"]],
        "outdated": question["before"] in said and question["before"] != question["value"],
        "invented": any(not any(value in passage.text for passage in given) for value in said),
    }


def score(answers: Sequence[str], asked: Sequence[Question], given: Sequence[Sequence[Passage]] = ()) -> pd.DataFrame:
    """Return one row of grades an answer. `given` has the passages of each, or nothing where none had any.

    Raises ValueError when answers, questions and passages are not equally many.
    """
    rows = zip(answers, asked, given or [()] * len(asked), strict=True)
    return pd.DataFrame([grade(answer, question, passages) for answer, question, passages in rows]).astype(bool)
