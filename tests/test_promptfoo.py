"""Graders and items as a promptfoo file: what its reference asks for, and, where promptfoo is, promptfoo itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.errors import Explained
from helpers.grader_sets import accuracy, coherence
from helpers.judge import score_grader
from helpers.promptfoo import THRESHOLD, assertion, config, write

ANSWER = "{{ sample.output_text }}"
EXAMPLES = [
    {
        "messages": [
            {"role": "user", "content": "Where is {{ it }}?"},
            {"role": "assistant", "content": "At 5 {{ it }}"},
        ]
    },
    {"messages": [{"role": "user", "content": 'A "quoted" one\n'}, {"role": "assistant", "content": "It is 6."}]},
]
CHECKS: list[dict[str, Any]] = [
    {
        "type": "string_check",
        "name": operation,
        "input": ANSWER,
        "reference": "{{ item.reference }}",
        "operation": operation,
    }
    for operation in ("eq", "ne", "like", "ilike")
]
# What promptfoo's JSON schema (config-schema.json of its site, version 0.123.1) lets a configuration and its parts say
TOP = {"description", "prompts", "providers", "tests", "defaultTest", "env", "outputPath", "evaluateOptions", "tags"}
ASSERTION = {"type", "value", "config", "threshold", "weight", "provider", "metric", "transform"}
TYPES = {"equals", "not-equals", "contains", "icontains", "python", "llm-rubric"}


def test_the_file_says_only_what_promptfoo_takes(tmp_path: Path) -> None:
    graders = [*CHECKS, accuracy(), score_grader("m", "is it right?")]
    path = write(tmp_path / "promptfooconfig.yaml", EXAMPLES, graders, providers=["echo"])
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content == config(EXAMPLES, graders, providers=["echo"])
    assert set(content) <= TOP and content["prompts"][0].keys() == {"id", "label", "raw"}
    assert len(content["tests"]) == 2
    for test in content["tests"]:
        assert test.keys() <= {"vars", "assert", "options", "description", "metadata"}
        assert all(isinstance(value, str) for value in test["vars"].values())  # a list would make several tests
        for made in test["assert"]:
            assert made.keys() <= ASSERTION and made["type"] in TYPES and isinstance(made["value"], str)
    kinds = [made["type"] for made in content["tests"][0]["assert"]]
    assert kinds == ["equals", "not-equals", "contains", "icontains", "python", "llm-rubric"]
    assert [made["metric"] for made in content["tests"][0]["assert"]] == [
        *("eq", "ne", "like", "ilike", "accuracy", "judge")
    ]
    assert json.loads(content["tests"][1]["vars"]["conversation"]) == [EXAMPLES[1]["messages"][0]]


def test_references_are_filled_in_and_kept_from_promptfoos_templates() -> None:
    tests = config(EXAMPLES, CHECKS, providers=["echo"])["tests"]
    assert tests[0]["assert"][0]["value"] == "{% raw %}At 5 {{ it }}{% endraw %}"
    assert tests[1]["assert"][0]["value"] == "It is 6."


def test_the_python_assertion_gives_our_own_figure() -> None:
    tests = config(EXAMPLES, [accuracy(), coherence()], providers=["echo"])["tests"]
    made, checked = tests[1]["assert"]
    context = {"vars": tests[1]["vars"], "config": made["config"]}
    assert assertion("It is 6.", context) == {"pass": True, "score": 1.0, "reason": "accuracy: 1.000"}
    wrong = assertion("No.", context)
    assert not wrong["pass"] and 0 <= wrong["score"] < THRESHOLD
    failed = assertion("No.", {**context, "vars": {"item": "{}"}})
    assert not failed["pass"] and "KeyError: 'reference'" in failed["reason"]
    assert assertion("it it is", {**context, "config": checked["config"]})["score"] == 0


def test_a_judges_threshold_is_a_share_of_its_range() -> None:
    judge = {**score_grader("m", "is it right?"), "range": [1, 5], "pass_threshold": 4}
    assert config(EXAMPLES, [judge], providers=["echo"])["tests"][0]["assert"][0]["threshold"] == 0.75
    assert config(EXAMPLES, [score_grader("m", "?")], providers=["echo"])["tests"][0]["assert"][0]["threshold"] == 0.5


def test_what_promptfoo_cannot_be_told_is_refused() -> None:
    multi = {
        "type": "multi",
        "name": "m",
        "graders": {"a": score_grader("m", "is it right?")},
        "calculate_output": "a",
    }
    with pytest.raises(Explained, match="asks a model inside a multi grader"):
        config(EXAMPLES, [multi], providers=["echo"])
    lacking = {**CHECKS[0], "reference": "{{ item.colour }}"}
    with pytest.raises(Explained, match=r"There is no 'item.colour': item has question, reference"):
        config(EXAMPLES, [lacking], providers=["echo"])


@pytest.mark.skipif(shutil.which("promptfoo") is None, reason="promptfoo (npm) is not installed")
def test_promptfoo_takes_the_file_and_grades_as_we_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the provider `echo` the answer is the conversation itself."""
    monkeypatch.setenv("PROMPTFOO_PYTHON", sys.executable)
    monkeypatch.setenv("PROMPTFOO_CONFIG_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("PROMPTFOO_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("PROMPTFOO_DISABLE_UPDATE", "1")
    graders = [CHECKS[1], CHECKS[3], accuracy()]
    path = write(tmp_path / "promptfooconfig.yaml", EXAMPLES, graders, providers=["echo"])

    def run(*arguments: str) -> str:
        shown = subprocess.run(["promptfoo", *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=300)
        return shown.stdout + shown.stderr

    assert "Configuration is valid" in run("validate", "-c", str(path))
    shown = run("eval", "-c", str(path), "--no-cache", "-o", str(tmp_path / "out.json"))
    assert (tmp_path / "out.json").is_file(), shown
    results = json.loads((tmp_path / "out.json").read_text())["results"]["results"]
    assert len(results) == 2
    tests = config(EXAMPLES, graders, providers=["echo"])["tests"]
    for result, test in zip(sorted(results, key=lambda found: found["testIdx"]), tests, strict=True):
        said = result["response"]["output"]
        said = said if isinstance(said, str) else json.dumps(said)
        assert json.loads(said) == json.loads(test["vars"]["conversation"])
        context = {"vars": test["vars"], "config": test["assert"][2]["config"]}
        assert result["namedScores"]["accuracy"] == pytest.approx(assertion(said, context)["score"])
        assert result["namedScores"]["ne"] == 1 and result["namedScores"]["ilike"] == 0
