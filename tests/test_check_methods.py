"""check of preference rows (dpo) and of rows for reinforcement: faults are found, valid rows pass, kinds do not mix."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted_files import CALLING, FRUITS, TOOLS, Row, codes, example, report_on, text, valid

from helpers.check import check_examples, main
from helpers.checks.report import Report
from helpers.errors import Explained

E, W = "error", "warning"
IMAGE = [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]


def pair(word: str) -> Row:
    """A valid preference row, unlike those of other words."""
    *asked, answer = example(word)["messages"]
    worse = {**answer, "content": answer["content"][::-1]}
    return {"input": {"messages": asked}, "preferred_output": [answer], "non_preferred_output": [worse]}


def task(word: str) -> Row:
    """A valid row for reinforcement, with a key for the grader, unlike those of other words."""
    *asked, answer = example(word)["messages"]
    return {"messages": asked, "reference": answer["content"]}


def planted(kind: Callable[[str], Row], change: Callable[[Row], Any]) -> list[Row]:
    """Twelve rows of a kind, the third of them changed, in place or to what `change` returns."""
    rows = [kind(word) for word in FRUITS]
    changed = change(rows[2])
    rows[2] = changed if isinstance(changed, dict) else rows[2]
    return rows


def found(report: Report) -> set[tuple[Any, ...]]:
    return {(f.severity, f.code, f.line, f.message, f.key) for f in report.findings}


BETTER, WORSE = "preferred_output", "non_preferred_output"
# The fault: severity, code, message, key, and the change of the third row
PAIR_FAULTS: dict[str, tuple[str, str, int | None, str | None, Callable[[Row], Any]]] = {
    "a supervised row": (E, "chat_row", None, None, lambda row: example("mango")),
    "messages beside the pair": (E, "chat_row", None, "messages", lambda row: row.update(example("mango"))),
    "a row of another library": (
        E,
        "other_format",
        None,
        "chosen",
        lambda row: {"prompt": "a", "chosen": "b", "rejected": "c"},
    ),
    "no input": (E, "no_preference", None, "input", lambda row: row.pop("input") and None),
    "input is a list": (E, "no_preference", None, "input", lambda row: row.update(input=row["input"]["messages"])),
    "no messages": (E, "no_messages", None, "input.messages", lambda row: row.update(input={})),
    "extra key": (E, "extra_key", None, "temperature", lambda row: row.update(temperature=1)),
    "extra key in input": (E, "extra_key", None, "input.seed", lambda row: row["input"].update(seed=1)),
    "old name of an output": (
        E,
        "extra_key",
        None,
        "preferred_completion",
        lambda row: row.update(preferred_completion=row.pop("preferred_output")),
    ),
    "no worse output": (E, "no_preference", None, WORSE, lambda row: row.pop(WORSE) and None),
    "output is a text": (E, "bad_output", None, BETTER, lambda row: row.update(preferred_output="Yes.")),
    "output is empty": (E, "bad_output", None, BETTER, lambda row: row.update(preferred_output=[])),
    "two messages in an output": (
        E,
        "bad_output",
        None,
        BETTER,
        lambda row: row.update(preferred_output=row[BETTER] * 2),
    ),
    "output from the user": (E, "bad_output", 1, f"{BETTER}.role", lambda row: row[BETTER][0].update(role="user")),
    "output from nobody": (E, "unknown_role", 1, f"{WORSE}.role", lambda row: row[WORSE][0].update(role="bot")),
    "empty output": (E, "empty_answer", 1, f"{WORSE}.content", lambda row: row[WORSE][0].update(content=" ")),
    "weight in an output": (E, "unknown_key", 1, f"{BETTER}.weight", lambda row: row[BETTER][0].update(weight=1)),
    "an image": (E, "no_images", None, "input.content", lambda row: row["input"]["messages"][1].update(content=IMAGE)),
    "input ends with an answer": (
        E,
        "last_not_user",
        3,
        "input",
        lambda row: row["input"]["messages"].append(row[BETTER][0]),
    ),
    "a role that does not exist": (
        E,
        "unknown_role",
        2,
        "input.role",
        lambda row: row["input"]["messages"][1].update(role="human"),
    ),
    "tools are no list": (E, "bad_tools", None, "input.tools", lambda row: row["input"].update(tools="weigh")),
    "the same outputs": (W, "same_outputs", None, BETTER, lambda row: row.update(non_preferred_output=row[BETTER])),
    "a call to no tool": (
        W,
        "tools_not_declared",
        None,
        f"{BETTER}.tools",
        lambda row: row.update({BETTER: [CALLING]}),
    ),
    "an address in an output": (
        W,
        "personal_data",
        1,
        f"{WORSE}.content",
        lambda row: row[WORSE][0].update(content="Write to ann@shop.example."),
    ),
}
TASK_FAULTS: dict[str, tuple[str, str, int | None, str | None, Callable[[Row], Any]]] = {
    "ends with an answer": (E, "last_not_user", 3, None, lambda row: example("mango")),
    "a preference row": (E, "preference_row", None, None, lambda row: pair("mango")),
    "no messages": (E, "no_messages", None, "messages", lambda row: row.pop("messages") and None),
    "a weight": (
        E,
        "unknown_key",
        2,
        "weight",
        lambda row: row["messages"].insert(1, {"role": "assistant", "content": "Yes?", "weight": 0}),
    ),
    "an image": (E, "no_images", None, "content", lambda row: row["messages"][1].update(content=IMAGE)),
    "empty question": (W, "empty_text", 2, "content", lambda row: row["messages"][1].update(content="")),
    "a row without the grader's key": (W, "grader_keys", None, None, lambda row: row.pop("reference") and None),
    "the grader's key holds null": (W, "grader_keys", None, None, lambda row: row.update(reference=None)),
    "the grader's key is empty": (W, "grader_keys", None, None, lambda row: row.update(reference="")),
}


@pytest.mark.parametrize(
    "method, fault", [("dpo", f) for f in PAIR_FAULTS] + [("reinforcement", f) for f in TASK_FAULTS]
)
def test_a_fault_is_found_in_its_line(method: str, fault: str, tmp_path: Path) -> None:
    kind, table = (pair, PAIR_FAULTS) if method == "dpo" else (task, TASK_FAULTS)
    severity, code, message, key, change = table[fault]
    report = report_on(text(planted(kind, change)), tmp_path, method=method)
    assert (severity, code, 3, message, key) in found(report), report
    assert {f.line for f in report.findings} == {3}, report
    assert report.ok == (severity == W), report


def with_tools(row: Row) -> None:
    row["input"].update(tools=TOOLS, parallel_tool_calls=True)
    row["preferred_output"] = [copy.deepcopy(CALLING)]


def continued(row: Row) -> None:
    row["input"]["messages"] += [row["preferred_output"][0], {"role": "user", "content": "And in winter? 🍎 süß"}]


VALID: dict[str, tuple[str, list[Row]]] = {
    "pairs": ("dpo", planted(pair, lambda row: None)),
    "a call is preferred": ("dpo", planted(pair, with_tools)),
    "several turns before the pair": ("dpo", planted(pair, continued)),
    "empty tools, as in OpenAI's guide": ("dpo", planted(pair, lambda row: row["input"].update(tools=[]))),
    "one question, three answers": (
        "dpo",
        [
            *planted(pair, lambda row: None),
            {**pair("fig"), "preferred_output": [{"role": "assistant", "content": "Sweet."}]},
        ],
    ),
    "tasks": ("reinforcement", planted(task, lambda row: None)),
    "tasks of any keys": ("reinforcement", [{**task(w), "n": [1], "input": {"a": None}} for w in FRUITS]),
    "tasks with developer and tools": (
        "reinforcement",
        [
            {
                **task(w),
                "tools": TOOLS,
                "messages": [{"role": "developer", "content": "Weigh."}, *task(w)["messages"][1:]],
            }
            for w in FRUITS
        ],
    ),
}


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_valid_rows_have_no_findings(name: str, ends: bytes, tmp_path: Path) -> None:
    method, rows = VALID[name]
    report = report_on(text(rows).replace(b"\n", ends), tmp_path, method=method)
    assert report.findings == [] and report.examples == len(rows), report


def test_rows_of_two_kinds_are_errors_of_their_lines(tmp_path: Path) -> None:
    mixed = text([*valid()[:6], *(pair(word) for word in FRUITS[6:])])
    errors = report_on(mixed, tmp_path).errors
    assert [(f.line, f.code) for f in errors] == [(line, "preference_row") for line in range(7, 13)]
    assert all("--method dpo" in f.fix for f in errors)
    errors = report_on(mixed, tmp_path, method="dpo").errors
    assert [(f.line, f.code) for f in errors] == [(line, "chat_row") for line in range(1, 7)]


def test_what_is_seen_over_many_pairs() -> None:
    turned = {**pair("fig"), "preferred_output": pair("fig")[WORSE], "non_preferred_output": pair("fig")[BETTER]}
    rows = [*planted(pair, lambda row: None), pair("kiwi"), turned]
    findings = check_examples(rows, method="dpo").findings
    assert [(f.line, f.code) for f in findings if f.code != "near_duplicate"] == [
        (13, "duplicate"),
        (14, "contradiction"),
    ]
    assert "Line 6 " in findings[1].why


def test_what_is_seen_over_many_tasks() -> None:
    other = {**task("fig"), "reference": "Forty-two."}
    findings = check_examples([*planted(task, lambda row: None), task("kiwi"), other], method="reinforcement").findings
    assert [(f.line, f.code) for f in findings] == [(13, "duplicate"), (14, "contradiction")]


def test_a_pair_of_equals_contradicts_nothing() -> None:
    rows = planted(pair, lambda row: {**row, WORSE: row[BETTER]})
    assert [(f.line, f.code) for f in check_examples(rows, method="dpo").findings] == [(3, "same_outputs")]


def test_tasks_with_nothing_to_compare_with() -> None:
    rows = planted(lambda word: {"messages": task(word)["messages"]}, lambda row: None)
    report = check_examples(rows, method="reinforcement")
    assert report.ok and [(f.line, f.code) for f in report.findings] == [(None, "grader_keys")]


def test_leakage_of_pairs(tmp_path: Path) -> None:
    train = tmp_path / "train.jsonl"
    train.write_bytes(text(planted(pair, lambda row: None)))
    rows = [pair("fig"), *(pair(f"{word} pie") for word in FRUITS)]
    report = report_on(text(rows), tmp_path, "test.jsonl", method="dpo", against=train)
    assert [(f.line, f.code) for f in report.findings] == [(1, "leak")]


def test_lengths_of_pairs_and_models(tmp_path: Path) -> None:
    long = planted(pair, lambda row: row[WORSE][0].update(content="word " * 66_000))
    assert [(f.line, f.code) for f in report_on(text(long), tmp_path, method="dpo").findings] == [(3, "too_long")]
    both = planted(pair, lambda row: [row[name][0].update(content=f"{name[0]} " * 40_000) for name in (BETTER, WORSE)])
    assert "too_long" not in codes(report_on(text(both), tmp_path, method="dpo"))  # each of them is short enough
    tasks = text(planted(task, lambda row: None))
    report = report_on(tasks, tmp_path, method="reinforcement", model="gpt-4o-2024-08-06")
    assert codes(report) == {"no_fine_tuning"} and "reinforcement" in report.findings[0].why


def test_the_method_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(text(planted(pair, lambda row: None)))
    assert main([str(path), "--method", "dpo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert main([str(path), "--method", "supervised"]) == 1
    assert "preference_row" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([str(path), "--method", "guess"])


def test_a_method_that_does_not_exist_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match="supervised, dpo, reinforcement"):
        report_on(text(valid()), tmp_path, method="guess")
