"""Step 4: graders and items as a promptfoo file, so that an evaluation outlives OpenAI's Evals (30 November 2026).

    write("promptfooconfig.yaml", test, [accuracy(), coherence()], providers=["openai:chat:gpt-4o-2024-08-06"])

Then `npx promptfoo eval -c promptfooconfig.yaml`, and `npx promptfoo validate -c …` checks the file. String checks of
the whole answer become promptfoo's own assertions and score_model graders its llm-rubric, which words the question to
the judge in its own way; all others are run by this package's graders, by way of promptfoo's python assertion, so that
figures stay the same (PROMPTFOO_PYTHON names the Python that has the package). Sources: promptfoo's configuration
reference, its pages on assertions and its JSON schema, as of version 0.123.1 (November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from helpers.errors import Explained
from helpers.evaluate import prompts
from helpers.graders import Graders, GraderSet, item
from helpers.local_service.graders.templates import MissingVariable, render, sample_namespace
from helpers.workspace import write_whole

OPERATIONS = {"eq": "equals", "ne": "not-equals", "like": "contains", "ilike": "icontains"}
ANSWER = re.compile(r"\{\{\s*sample\.output_text\s*\}\}")
CALL = "from helpers.promptfoo import assertion\nreturn assertion(output, context)"
THRESHOLD = 0.5  # from which reward on promptfoo shows a pass, where the grader has no pass_threshold of its own


def write(
    path: Path | str,
    examples: Sequence[dict[str, Any]],
    graders: Sequence[dict[str, Any] | GraderSet],
    *,
    providers: Sequence[str | dict[str, Any]],
    description: str = "Exported from the fine-tuning notebooks",
) -> Path:
    """Write a promptfoo configuration (YAML), whole or not at all; return its path. Raises Explained, see config."""
    content = config(examples, graders, providers=providers, description=description)
    return write_whole(Path(path), yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120))


def config(
    examples: Sequence[dict[str, Any]],
    graders: Sequence[dict[str, Any] | GraderSet],
    *,
    providers: Sequence[str | dict[str, Any]],
    description: str = "Exported from the fine-tuning notebooks",
) -> dict[str, Any]:
    """Return a promptfoo configuration: a test an example, an assertion a grader, under the grader's name as metric.

    `providers` are promptfoo's names for models. The prompt is the example's own conversation. Raises Explained for
    what promptfoo cannot be told: a model grader inside a multi grader, or one whose template lacks a field.
    """
    specs = Graders(*graders).specs
    items = [item(example) for example in examples]
    tests = [
        {
            "vars": {"conversation": json.dumps(conversation, ensure_ascii=False), "item": json.dumps(known)},
            "assert": [_assertion(name, spec, known) for name, spec in specs.items()],
        }
        for conversation, known in zip(prompts(examples), items, strict=True)
    ]
    prompt = {"id": "conversation", "label": "conversation", "raw": "{{ conversation }}"}
    return {"description": description, "prompts": [prompt], "providers": list(providers), "tests": tests}


def assertion(output: str, context: dict[str, Any]) -> dict[str, Any]:
    """Return promptfoo's GradingResult for one answer; promptfoo calls this, with the grader in the config."""
    grader, known = context["config"]["grader"], json.loads(context["vars"]["item"])
    graders = Graders(grader)
    try:
        name, result = next(iter(graders.results(output, known).items()))
    finally:
        graders.close()
    error = result["metadata"]["scores"].get("error", "")
    reward = result["reward"]
    passed = not error and reward >= context["config"]["threshold"]
    return {"pass": passed, "score": min(max(reward, 0.0), 1.0), "reason": error or f"{name}: {reward:.3f}"}


def _assertion(name: str, spec: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    kind, threshold = spec["type"], float(spec.get("pass_threshold", THRESHOLD))
    parts = spec.get("graders", {})
    if kind == "string_check" and ANSWER.fullmatch(spec["input"]) and not ANSWER.search(spec["reference"]):
        return {"type": OPERATIONS[spec["operation"]], "value": _plain(_fill(spec["reference"], known)), "metric": name}
    if kind == "score_model":
        texts = [part if isinstance(part, str) else part.get("text", "") for part in _parts(spec)]
        rubric = _fill(ANSWER.sub("(the output)", "\n\n".join(texts)), known)
        least, most = spec.get("range", (0, 1))
        if "pass_threshold" in spec:  # a rubric's score is from 0 to 1, whatever the grader's range
            threshold = (threshold - least) / (most - least)
        return {"type": "llm-rubric", "value": _plain(rubric), "threshold": threshold, "metric": name}
    if any(part["type"].endswith("_model") for part in _listed(parts)):
        raise Explained(
            f"'{name}' asks a model inside a multi grader, which promptfoo has no form for. Export it alone."
        )
    return {"type": "python", "value": CALL, "config": {"grader": spec, "threshold": threshold}, "metric": name}


def _parts(spec: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for message in spec["input"]:
        found += message["content"] if isinstance(message["content"], list) else [message["content"]]
    return found


def _listed(parts: Any) -> list[dict[str, Any]]:
    if isinstance(parts, list):
        return parts
    return [parts] if isinstance(parts.get("type"), str) else list(parts.values())


def _fill(template: str, known: dict[str, Any]) -> str:
    try:
        return render(template, known, sample_namespace(""))
    except MissingVariable as error:
        raise Explained(f"An example cannot be exported: {error} Add the field, or leave that grader out.") from error


def _plain(text: str) -> str:
    """Text that promptfoo's own templates leave as it is."""
    return "{% raw %}" + text + "{% endraw %}" if re.search(r"\{[{%#]", text) else text
