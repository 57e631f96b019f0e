"""check through its doors: valid oddities pass, files, models and leakage, the report, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from planted_files import CALL, CALLING, OTHERS, TOOLS, Row, codes, example, report_on, text, valid

from helpers.check import check_examples, check_file, main

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"


def test_files_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    assert codes(check_file(tmp_path / "none.jsonl")) == {"unreadable"}
    assert codes(check_file(tmp_path)) >= {"unreadable"}
    path = tmp_path / "train.jsonl"
    path.write_bytes(text(valid()))
    assert codes(check_file(path, against=tmp_path / "none.jsonl")) == {"against_unreadable"}
    assert codes(report_on(text(valid()), tmp_path, "train.txt")) == {"extension"}


def test_a_file_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.check.MOST_BYTES", 1000)
    assert codes(report_on(text(valid()), tmp_path)) == {"too_large"}


def test_lengths_and_models(tmp_path: Path) -> None:
    rows = valid()
    rows[2]["messages"][1]["content"] = "word " * 70_000
    report = report_on(text(rows), tmp_path)
    assert [(f.line, f.code) for f in report.findings] == [(3, "too_long")]
    assert codes(report_on(text(valid()), tmp_path, model="gpt-4o-2024-05-13")) == {"no_fine_tuning"}
    alias = report_on(text(valid()), tmp_path, model="gpt-4o")
    assert codes(alias) == {"no_fine_tuning"} and "gpt-4o-2024-08-06" in alias.findings[0].fix
    assert codes(report_on(text(valid()), tmp_path, model="nobody")) == {"unknown_model"}


def test_leakage_between_files(tmp_path: Path) -> None:
    train = tmp_path / "train.jsonl"
    train.write_bytes(text(valid()))
    held_out = [example(word) for word in OTHERS]
    held_out[0] = example("fig")
    held_out[1]["messages"][1] = example("kiwi")["messages"][1]
    held_out[2] = json.loads(json.dumps(example("lemon")).replace("Tell", "Please tell"))
    report = report_on(text(held_out), tmp_path, "test.jsonl", against=train)
    assert [(f.line, f.code) for f in report.findings] == [(1, "leak"), (2, "leak_question"), (3, "leak_near")]
    assert "Line 6 of train.jsonl" in report.findings[0].why


# Valid files --------------------------------------------------------------------------------------------------------


def odd(row: Row, *messages: Row, **more: Any) -> Row:
    return {"messages": [*row["messages"], *messages], **more}


def picture(name: str) -> Row:
    image = {"type": "image_url", "image_url": {"url": f"https://a.example/{name}.png"}}
    answer = {"a": "That is a mango, and a ripe one.", "b": "Nothing but leaves, I fear."}[name]
    return {
        "messages": [
            {"role": "system", "content": "You are a grocer."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
            {"role": "assistant", "content": answer},
        ]
    }


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"  # how such files begin
WEBP = "UklGRiQAAABXRUJQVlA4IA=="
WINDOWS = {"role": "assistant", "content": "It is sweet.\r\nIt is also yellow.\r\n"}
VALID = {
    "plain": valid(),
    "final unanswered call": [
        *valid(),
        odd(example("mango"), {"role": "user", "content": "Weigh it"}, CALLING, tools=TOOLS),
    ],
    "text, then a call": [
        *valid(),
        odd(example("mango"), {"role": "assistant", "content": "I shall."}, CALLING, tools=TOOLS),
    ],
    "parallel calls": [
        *valid(),
        odd(
            example("mango"),
            {"role": "user", "content": "Weigh both"},
            {**CALLING, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
            {"role": "tool", "tool_call_id": "c2", "content": "4"},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
            {"role": "assistant", "content": "Seven in all, three of them figs."},
            tools=TOOLS,
            parallel_tool_calls=True,
        ),
    ],
    "several turns with weights": [
        *valid(),
        odd(
            {"messages": [*example("mango")["messages"][:2], {"role": "assistant", "content": "Hm, no.", "weight": 0}]},
            {"role": "user", "content": "Try again, better."},
            {"role": "assistant", "content": "A mango is sweet.", "weight": 1},
        ),
    ],
    "other languages and emoji": [
        *valid(),
        {
            "messages": [
                {"role": "system", "content": "You are a grocer."},
                {
                    "role": "user",
                    "content": "¿Qué tal, señora? Übermäßig süß, naïve café. 这是什么水果。 می‌خواهم 🍎👩‍🌾",
                },
                {"role": "assistant", "content": "Это яблоко. りんごです。 تفاحة“ja”"},
            ]
        },
    ],
    "two images, one question": [*valid(), picture("a"), picture("b")],
    "Windows lines in a text": [*valid(), {"messages": [*example("mango")["messages"][:2], WINDOWS]}],
    "image": [
        *valid(),
        {
            "messages": [
                {"role": "system", "content": "You are a grocer."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is in this picture, please, and what does it cost?"},
                        {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
                    ],
                },
                {"role": "assistant", "content": [{"type": "text", "text": "It shows two ripe papayas at market."}]},
            ]
        },
    ],
    "images in the file itself": [
        *valid(),
        *(
            odd(
                {"messages": example(word)["messages"][:1]},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}],
                },
                example(word)["messages"][2],
            )
            for word, kind, data in zip(OTHERS, ("png", "jpeg", "webp"), (PNG, "/9j/4AAQ", WEBP), strict=False)
        ),
    ],
    "a transcript": [
        *valid(),
        {
            "messages": [
                {"role": "system", "content": "You are a grocer."},
                {"role": "user", "content": "Grocer: Hello, how can I help you?\nAnn: Two lychees. Sum up in a word!"},
                {"role": "assistant", "content": "Lychees, a pair of them."},
            ]
        },
    ],
    "name and developer": [
        *valid(),
        {
            "messages": [
                {"role": "developer", "content": "You are a grocer."},
                {"role": "user", "name": "ann", "content": "How long will papayas keep in summer?"},
                {"role": "assistant", "content": "Three days at most, or five in a cellar."},
            ]
        },
    ],
    "old function call": [
        *valid(),
        odd(
            example("mango"),
            {"role": "user", "content": "Weigh it"},
            {"role": "assistant", "content": None, "function_call": {"name": "weigh", "arguments": "{}"}},
            functions=[{"name": "weigh"}],
        ),
    ],
    "numbers, code, comparison": [
        *valid(),
        {
            "messages": [
                {"role": "system", "content": "You are a grocer."},
                {
                    "role": "user",
                    "content": "Order LM-12345, 00123842, 732201349959 of 2025-03-01 at 10:30, 2,000.50, a < b, R&D?",
                },
                {"role": "assistant", "content": "```html\n<p>{{ name }}</p>\n```\n- one\n- two [note 1]"},
            ]
        },
    ],
}


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "no last line end", "escaped"])
def test_valid_files_have_no_findings(name: str, ends: str, tmp_path: Path) -> None:
    content = (
        b"".join(json.dumps(row).encode() + b"\n" for row in VALID[name]) if ends == "escaped" else text(VALID[name])
    )
    content = content.replace(b"\n", b"\r\n") if ends == "\r\n" else content
    content = content.rstrip(b"\n") if ends == "no last line end" else content
    report = report_on(content, tmp_path)
    assert report.ok and report.examples == len(VALID[name]), report
    assert codes(report) <= {"assistant_first"}, report


@pytest.mark.parametrize("name", ["train", "validation", "test", "test_new_phrasings"])
def test_the_curated_sample_is_clean(name: str) -> None:
    against = None if name == "train" else SAMPLE / "train.jsonl"
    found = check_file(SAMPLE / f"{name}.jsonl", against=against)
    # Of so many conversations put together from the same phrases a few come out alike, but for names and numbers.
    assert {finding.code for finding in found.findings} <= {"near_duplicate" if name == "train" else "leak_near"}
    assert len(found.findings) < (0.01 if name == "train" else 0.05) * found.examples


def test_examples_in_memory() -> None:
    assert check_examples(valid()).findings == []
    report = check_examples([*valid(), {"messages": {1, 2}}, "hello", example("mango", weight=1)])
    assert [(f.line, f.code) for f in report.findings] == [
        (13, "not_an_object"), (14, "not_an_object"), (15, "extra_key")
    ]  # fmt: skip


# The report and the command -----------------------------------------------------------------------------------------


def test_a_report_as_a_table_and_as_text(tmp_path: Path) -> None:
    rows = valid()
    for row in rows:
        row["messages"][2]["weight"] = 2
    report = report_on(text(rows), tmp_path)
    frame = report.frame()
    assert list(frame.columns) == ["line", "message", "key", "code", "severity", "why", "fix"] and len(frame) == 12
    assert frame.loc[0, ["line", "message", "key", "code"]].tolist() == [1, 3, "weight", "bad_weight"]
    assert "12 examples, 12 errors, 0 warnings" in str(report) and "and 7 more" in str(report)
    assert check_examples(valid()).frame().empty


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(text(valid()))
    assert main([str(path)]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    assert main([str(path), "--against", str(path)]) == 0
    assert "warning leak: line 1; line 2" in capsys.readouterr().out
    path.write_bytes(text(valid()) + b"{\n")
    assert main([str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [set(row) for row in found] == [{"line", "message", "key", "code", "severity", "why", "fix"}]
    assert found[0]["line"] == 13 and found[0]["severity"] == "error"


def test_a_console_that_lacks_letters_gets_text_and_sound_json(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(text([*valid()[:11], {**valid()[11], "naïve 😀": 1}]))
    command = [sys.executable, "-m", "helpers", "check", str(tmp_path / "train.jsonl")]
    ascii = {**os.environ, "PYTHONIOENCODING": "ascii"}
    plain, coded = (subprocess.run([*command, *way], capture_output=True, env=ascii) for way in ([], ["--json"]))
    assert plain.returncode == 1 and b"na\\xefve \\U0001f600" in plain.stdout
    assert coded.returncode == 1 and json.loads(coded.stdout)["findings"][0]["key"] == "naïve 😀"
