"""Step 4: grade answers with graders written as OpenAI's grader JSON, on this computer or by a service's endpoint.

    grade = Graders(accuracy(), coherence())                  # here
    grade = Graders(accuracy(), coherence(), client=client)   # the service's /fine_tuning/alpha/graders/run
    grade(answer, example)                                    # {"accuracy": 0.81, …}; evaluate() takes it as a grader
    grade.table(answers, examples)                            # a row an answer, failures counted

Both give the same: the service runs the same code. The ready sets are in helpers.grader_sets. Shown in notebook 04.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import openai
import pandas as pd

from helpers.errors import Explained
from helpers.frontend import StatusLine
from helpers.local_service.errors import ApiError
from helpers.local_service.graders import parse, run
from helpers.local_service.graders.failure import Failure
from helpers.local_service.graders.judges import Asked, Reply
from helpers.local_service.graders.python_source import LimitedPython
from helpers.local_service.graders.templates import read_json_text

# What befalls one answer and not the next; any other refusal of the service would befall them all.
OF_ONE = (openai.InternalServerError, openai.APITimeoutError)


class GraderSet(NamedTuple):
    """A grader that comes ready, with what a reader of its figures has to know."""

    grader: dict[str, Any]  # OpenAI's grader JSON
    how: str  # how the figure is computed
    blind: str  # what it cannot see

    def __str__(self) -> str:
        return f"{self.grader['name']}: {self.how}\nIt cannot see: {self.blind}"


class Graders:
    """One or several graders, called with an answer and its example.

    With `client` the service's endpoint grades. Without it this computer does; python graders then run in a limited
    process, and score_model graders ask their model through `judge`, a client of any chat service. Raises Explained for
    a grader that is none, and for two of one name.
    """

    def __init__(
        self,
        *graders: dict[str, Any] | GraderSet,
        client: openai.OpenAI | None = None,
        judge: openai.OpenAI | None = None,
    ) -> None:
        specs = [given.grader if isinstance(given, GraderSet) else given for given in graders]
        try:
            self._parsed = [parse(spec) for spec in specs]
        except ApiError as error:
            raise Explained(f"This is not a grader as OpenAI defines it: {error.message}") from error
        self.specs = {grader.name or grader.type: spec for grader, spec in zip(self._parsed, specs, strict=True)}
        if len(self.specs) < len(specs):
            raise Explained("Two graders have the same name; give each a `name` of its own: it names their column.")
        self._client, self._judge = client, judge
        self._processes: dict[str, LimitedPython] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, answer: str, example: dict[str, Any]) -> dict[str, bool | float]:
        """Return the grades by name: True or False of a string check, otherwise a number, usually from 0 to 1.

        A multi grader's parts come with it, as "relevance.facts". Raises Explained where one could not be graded.
        """
        grades, error = self._grades(self.results(answer, example))
        if error:
            raise Explained(error)
        return grades

    def results(self, answer: str, example: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return for each grader what OpenAI's graders/run gives back (JSON). `example`: see `item`.

        Raises Explained for what would befall every answer: a service that is away, refuses the key or the grader.
        """
        item_of_example = item(example)
        found = {}
        for parsed, (name, spec) in zip(self._parsed, self.specs.items(), strict=True):
            if self._client is not None:
                found[name] = _ask_service(self._client, spec, answer, item_of_example)
                continue
            try:
                found[name] = run(parsed, answer, item_of_example, judge=self._ask_judge, python=self._run_python)
            except openai.OpenAIError as error:
                raise Explained(f"The judge of grader '{name}' cannot be asked: {_said(error)}") from error
        return found

    def table(self, answers: Sequence[str], examples: Sequence[dict[str, Any]], workers: int = 8) -> pd.DataFrame:
        """Return one row an answer: a column a grade, and `error`, "" where all went well.

        What could not be graded is empty and its row says why; helpers.compare.rates counts such rows as `failed`.
        Through a service `workers` requests are under way at a time.
        """
        if len(answers) != len(examples):
            raise ValueError(f"{len(answers)} answers cannot be graded by {len(examples)} examples: one an answer.")
        line, rows = StatusLine(every=0.5, only_end=True), []
        with ThreadPoolExecutor(workers if self._client is not None or self._judge is not None else 1) as pool:
            try:
                for results in pool.map(self.results, answers, examples):
                    grades, error = self._grades(results)
                    rows.append({**grades, "error": error})
                    line.show(f"{len(rows)} of {len(answers)} answers graded")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        failed = sum(bool(row["error"]) for row in rows)
        line.end(f"{len(rows)} answers graded" + (f"; {failed} could not be, see `error`" if failed else ""))
        frame = pd.DataFrame(rows, columns=None if rows else [*self.specs, "error"])
        return frame[[name for name in frame if name != "error"] + ["error"]]

    def close(self) -> None:
        """End the processes of python graders; they start again when they are needed."""
        with self._one_at_a_time:
            for process in self._processes.values():
                process.close()
            self._processes.clear()

    def _grades(self, results: dict[str, dict[str, Any]]) -> tuple[dict[str, bool | float], str]:
        """The grades of one answer, and why some are missing."""
        grades: dict[str, bool | float] = {}
        errors = []
        for name, result in results.items():
            if problem := _problem(result):
                errors.append(f"{name}: {problem}")
                continue
            reward = float(result["reward"])
            grades[name] = bool(reward) if self.specs[name]["type"] == "string_check" else reward
            grades |= {f"{name}.{part}": float(value) for part, value in result["sub_rewards"].items()}
        return grades, "; ".join(errors)

    def _run_python(self, source: str, sample: dict[str, Any], item: Any) -> float:
        with self._one_at_a_time:
            if source not in self._processes:
                self._processes[source] = LimitedPython(source)
            return self._processes[source].grade(sample, item)

    def _ask_judge(self, asked: Asked) -> Reply:
        if self._judge is None:
            raise Explained(
                f"This grader asks the model {asked.model}. Say through which service: Graders(…, judge=client) asks "
                "it from here, Graders(…, client=client) lets the service grade."
            )
        try:
            reply = self._judge.chat.completions.create(
                model=asked.model,
                messages=asked.messages,  # type: ignore[arg-type]  # plain dicts
                temperature=asked.temperature,
                top_p=asked.top_p,
                seed=asked.seed,
                max_completion_tokens=asked.most_tokens,
            )
        except OF_ONE as error:
            raise Failure("model_grader_server_error", _said(error)) from error
        message, usage = reply.choices[0].message, reply.usage
        tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return Reply(message.content or "", message.refusal, *tokens)


def item(example: dict[str, Any]) -> dict[str, Any]:
    """Return what graders know of an example as `item`: all its own fields, and what its messages say.

    Of a chat example these are question (the last user message), reference (the last assistant message) and
    reference_json, where the reference is JSON. An example without messages is an item as it is.
    """
    messages = example.get("messages")
    if not isinstance(messages, list):
        return example
    found: dict[str, Any] = {name: value for name, value in example.items() if name != "messages"}
    for name, role in (("question", "user"), ("reference", "assistant")):
        texts = [message["content"] for message in messages if message.get("role") == role and message.get("content")]
        if texts:
            found.setdefault(name, texts[-1])
    read = read_json_text(found["reference"]) if isinstance(found.get("reference"), str) else None
    return found if read is None else {"reference_json": read, **found}


def _ask_service(client: openai.OpenAI, spec: dict[str, Any], answer: str, item: dict[str, Any]) -> dict[str, Any]:
    """The service's result; a failure of this one request looks like any other failure to grade."""
    try:
        response = client.fine_tuning.alpha.graders.run(
            grader=spec,  # type: ignore[arg-type]  # the JSON as it is
            model_sample=answer,
            item=item,
        )
        return response.to_dict()
    except OF_ONE as error:
        return {"reward": 0.0, "metadata": {"errors": {}, "scores": {"error": _said(error)}}, "sub_rewards": {}}
    except openai.NotFoundError as error:
        if error.code == "model_not_found":
            raise Explained(f"The service cannot run this grader: {_said(error)}") from error
        raise Explained("This service has no graders endpoint. Leave `client` out: graders then run here.") from error
    except openai.OpenAIError as error:
        raise Explained(f"The service refused to grade: {_said(error)}") from error


def _problem(result: dict[str, Any]) -> str:
    """Why an answer has no grade, in the grader's words or, where it has none, OpenAI's flags; "" where it has one."""
    errors = result["metadata"]["errors"]
    flags = [name for name, raised in errors.items() if raised is True]
    details = [text for text in errors.values() if isinstance(text, str)]
    said: str = result["metadata"]["scores"].get("error") or "; ".join(details or flags)
    return said


def _said(error: openai.OpenAIError) -> str:
    body = getattr(error, "body", None)
    return str(body["message"]) if isinstance(body, dict) and body.get("message") else str(error)
