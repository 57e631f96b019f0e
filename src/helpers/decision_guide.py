"""Which approach fits a task: the reader's answers to seven questions, and the first rule that they meet.

    advise({"exact": "no", "measured": "nothing", ...})
    Guide()                 # the same to click, as the last line of a notebook's cell

The rules are data, so that what decides and what is shown cannot differ. tests/decision_key.json holds 20 scenarios,
judged before the rules were written. Shown in notebook 09.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import ipywidgets
import pandas as pd

from helpers.errors import Explained
from helpers.frontend import in_full, with_widgets
from helpers.tokens import price_table

TUNED = ("fine_tune", "tuned_query", "tuned_composer")


class Question(NamedTuple):
    """A question to the reader and its answers: a name for the rules, words for the reader."""

    text: str
    answers: dict[str, str]


QUESTIONS = {
    "exact": Question(
        "Could a rule, a calculation or a database query give the answer exactly?", {"no": "no", "yes": "yes"}
    ),
    "measured": Question(
        "What have you measured on held-out examples?",
        {
            "nothing": "nothing yet",
            "prompt_short": "a careful prompt falls short",
            "examples_short": "a prompt with examples falls short too",
            "enough": "the answers are good enough",
        },
    ),
    "facts": Question(
        "Where are the facts that an answer needs?",
        {
            "request": "in the request itself",
            "fits_prompt": "in a few lasting pages that fit into a prompt",
            "documents": "in documents that change, must be cited, or are too many for a prompt",
        },
    ),
    "form": Question(
        "How would you explain the form and tone you want?",
        {"free": "any will do", "told": "in a paragraph of instructions", "shown": "only by showing examples"},
    ),
    "examples": Question(
        "How many approved examples are there?",
        {"none": "none", "few": "fewer than 10", "some": "10 to 49", "many": "50 or more"},
    ),
    "search": Question(
        "Does a search with the reader's own words find the right document?",
        {"not_tried": "not tried", "yes": "mostly", "no": "mostly not"},
    ),
    "load": Question(
        "Is the prompt that works too long for your budget or your readers' patience?", {"no": "no", "yes": "yes"}
    ),
}
APPROACHES = {
    "no_model": "no language model",
    "prompt": "a careful prompt",
    "few_shot": "worked examples in the prompt",
    "retrieval": "retrieval: search, passages in the prompt, cited answers",
    "fine_tune": "fine-tuning",
    "tuned_query": "retrieval, with a tuned model that writes the query",
    "tuned_composer": "retrieval, with a tuned model that composes the answer",
    "collect": "none yet: collect approved examples first",
}


class Rule(NamedTuple):
    """An approach, the answers it takes (a question that is not named may have any), and the reason."""

    approach: str
    when: dict[str, tuple[str, ...]]
    why: str


RULES = (
    Rule("no_model", {"exact": ("yes",)}, "What can be computed or looked up is exact, cheap and easy to check."),
    Rule(
        "prompt", {"measured": ("enough",), "load": ("no",)}, "It works. A tuned model would be one more to look after."
    ),
    Rule(
        "retrieval",
        {"facts": ("documents",), "search": ("not_tried",)},
        "Weights keep what was true on the day of training and cannot say where they have it from. A search reads "
        "today's documents. Try a plain one, and measure how often it finds the right passage.",
    ),
    Rule(
        "retrieval",
        {"facts": ("documents",), "search": ("yes",), "measured": ("nothing", "prompt_short", "enough")},
        "The search finds the passage, so send that in place of everything, and have the answer cite it.",
    ),
    Rule(
        "tuned_query",
        {"facts": ("documents",), "search": ("no",), "examples": ("many",)},
        "No answer is better than its passages. Readers and documents use different words; a model tuned on questions "
        "with their right documents can translate.",
    ),
    Rule(
        "tuned_composer",
        {"facts": ("documents",), "search": ("yes",), "examples": ("many",)},
        "The facts arrive; what falls short is what is made of them, and that can be shown by example.",
    ),
    Rule(
        "collect",
        {"facts": ("documents",)},
        "Neither query nor answer can be learned from so few examples. Keep readers' questions with the documents "
        "that answer them.",
    ),
    Rule("prompt", {"measured": ("nothing",)}, "It takes an afternoon, and whatever comes later has to beat it."),
    Rule(
        "fine_tune",
        {"load": ("yes",), "examples": ("many",)},
        "What a long prompt says at every request, training says once. helpers.costs tells after how many requests "
        "that has paid.",
    ),
    Rule(
        "collect",
        {"load": ("yes",), "measured": ("enough",)},
        "The long prompt works: keep its checked answers. They are the examples that a tuned model needs.",
    ),
    Rule(
        "few_shot",
        {"measured": ("prompt_short",), "examples": ("some", "many")},
        "Three to five examples in the prompt show what words do not tell, and cost no training.",
    ),
    Rule(
        "fine_tune",
        {"measured": ("examples_short",), "examples": ("many",)},
        "The cheaper ways were tried and measured, and there are examples to learn from.",
    ),
    Rule("collect", {}, "There is too little to show a model, in a prompt or in training: write down good answers."),
)


@dataclass(frozen=True)
class Advice:
    """What fits, why, which of the reader's answers led there, and what to mind."""

    approach: str
    why: str
    because: list[str]
    mind: list[str]

    def __str__(self) -> str:
        lines = [f"{APPROACHES[self.approach].capitalize()}.", f"Why: {self.why}"]
        lines += [f"You said: {said}" for said in self.because]
        return "\n".join([*lines, *(f"Mind: {text}" for text in self.mind)])


def advise(answers: Mapping[str, str]) -> Advice:
    """Return what fits the reader's answers, one for each of QUESTIONS by the names there.

    Raises Explained for a question left open, and for an answer or a question that is not in the guide.
    """
    for name in answers:
        if name not in QUESTIONS:
            raise Explained(f"The guide has no question '{name}'. It asks: {', '.join(QUESTIONS)}.")
    for name, question in QUESTIONS.items():
        if answers.get(name) not in question.answers:
            said = f"'{answers[name]}' is no answer to" if name in answers else "There is no answer to"
            raise Explained(f'{said} "{question.text}" ({name}). Choose one of: {", ".join(question.answers)}.')
    rule = next(rule for rule in RULES if all(answers[name] in wanted for name, wanted in rule.when.items()))
    because = [f"{QUESTIONS[name].text} {QUESTIONS[name].answers[answers[name]].capitalize()}." for name in rule.when]
    return Advice(rule.approach, rule.why, because, list(_mind(rule.approach)))


def _mind(approach: str) -> list[str]:
    """What goes with an approach, whatever led there."""
    if approach in TUNED:
        table = price_table()
        return [
            "Set test examples aside before anything else, and measure the approach you have beside the tuned one.",
            f"OpenAI closed fine-tuning to newcomers on {table['fine_tuning_closed_to_new_organisations']}, "
            f"and to all from {table['fine_tuning_closed_to_everyone']}: plan with an open model.",
        ]
    return ["Check citations by code."] if approach == "retrieval" else []


def rules_table() -> pd.DataFrame:
    """Return the rules for those who read: columns approach, when, why. The first row that fits counts."""
    rows = []
    for rule in RULES:
        said = [
            f"{name}: {' or '.join(QUESTIONS[name].answers[w] for w in wanted)}" for name, wanted in rule.when.items()
        ]
        rows.append((APPROACHES[rule.approach], "; ".join(said) or "everything else", rule.why))
    return pd.DataFrame(rows, columns=["approach", "when", "why"], index=range(1, len(rows) + 1))


class Guide:
    """The guide to click: a list for each question and the advice below. Where nobody watches it is the table."""

    def __repr__(self) -> str:
        return rules_table().to_string()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = {"text/plain": repr(self), "text/html": in_full(rules_table().reset_index(names="")).to_html()}
        return with_widgets(shown, lambda: self.page.box)

    @cached_property
    def page(self) -> GuidePage:
        """The widgets."""
        return GuidePage()


class GuidePage:
    """The guide's widgets: `lists` by the question's name, `said` for the advice."""

    def __init__(self) -> None:
        self.lists = {name: _list(question) for name, question in QUESTIONS.items()}
        self.said = ipywidgets.HTML()
        rows = []
        for name, question in QUESTIONS.items():
            self.lists[name].observe(self._advise, names="value")
            rows += [ipywidgets.HTML(html.escape(question.text)), self.lists[name]]
        self.box = ipywidgets.VBox([*rows, self.said])
        self._advise()

    def _advise(self, _: Any = None) -> None:
        advice = advise({name: chosen.value for name, chosen in self.lists.items()})
        self.said.value = "<br>".join(html.escape(line) for line in str(advice).splitlines())


def _list(question: Question) -> ipywidgets.Dropdown:
    options = [(text, name) for name, text in question.answers.items()]
    return ipywidgets.Dropdown(options=options, layout={"width": "95%"})
