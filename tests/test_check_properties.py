"""Whatever the bytes: check never crashes, and every line that is not a valid example has a finding, no other an error.

What a valid example is, is said here a second time and in another way: as a JSON Schema (after that of a training line
in OpenAI's document of 2025), with the few rules that a schema cannot say.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from planted_files import CALLING, TOOLS, Row, example, report_on, text, valid

from helpers.check import check_examples
from helpers.checks.rows import read_row

TEXT = {"type": "string", "pattern": r"\S"}


def message(role: list[str], **more: Any) -> dict[str, Any]:
    properties = {"role": {"enum": role}, "content": TEXT, "name": {"type": "string"}, **more}
    return {"type": "object", "properties": properties, "required": ["role", "content"], "additionalProperties": False}


LINE = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "tools": {"type": "array", "maxItems": 0},  # as in OpenAI's own examples
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [
                        message(["system", "developer", "user", "function"]),
                        message(["assistant"], weight={"enum": [0, 1]}),
                    ]
                },
                "contains": {"properties": {"role": {"const": "assistant"}}},
            },
        },
        "required": ["messages"],
        "additionalProperties": False,
    }
)


class NotValid(ValueError):
    pass


def refuse(what: Any) -> None:
    raise NotValid(what)


def pairs(items: list[tuple[str, Any]]) -> Row:
    if max(Counter(key for key, _ in items).values(), default=1) > 1:
        refuse("a key twice")
    return dict(items)


def is_valid(line: bytes) -> bool:
    """Whether a line is a valid example of nothing but texts."""
    try:
        row = json.loads(line.decode(), object_pairs_hook=pairs, parse_constant=refuse)
        json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    if not LINE.is_valid(row):
        return False
    weights = [m.get("weight", 1) for m in row["messages"] if m["role"] == "assistant"]
    return (
        row["messages"][-1]["role"] == "assistant"
        and any(weights)
        and not any(isinstance(w, (bool, float)) for w in weights)
    )


def holds(content: bytes, folder: Path) -> None:
    """Assert that check is right about every line."""
    report = report_on(content, folder)
    json.loads(report.to_json())
    assert len(report.frame()) == len(report.findings) and str(report).encode()
    if "utf16" in {f.code for f in report.findings}:
        assert content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]
        return
    found, errors = ({f.line for f in some} for some in (report.findings, report.errors))
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    for number, line in enumerate(lines, start=1):
        valid_line = is_valid(line.rstrip(b"\r"))
        assert valid_line or number in found, (number, line)
        assert not valid_line or number not in errors, (number, line, report)


@given(st.lists(st.binary(max_size=60), max_size=8).map(b"\n".join))
@settings(max_examples=150, deadline=None)
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    holds(content, tmp_path_factory.mktemp("bytes"))


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2), st.binary(max_size=3)), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_valid_files_with_some_bytes_changed(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int, bytes]]
) -> None:
    content = text(valid())
    for place, length, new in changes:
        place %= len(content)
        content = content[:place] + new + content[place + length :]
    holds(content, tmp_path_factory.mktemp("changed"))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["user", "assistant", "developer", "tool", 0, 1, "\ud800", " "]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "weight", "type", "text", "image_url", "url", "id", "function", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["role", "content", "weight", "name", "tools", "tool_calls", "tool_call_id", "messages", "x"])


@given(st.data(), st.sampled_from(["as it is", "ascii", "compact"]))
@settings(max_examples=250, deadline=None)
def test_valid_rows_with_some_values_changed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, style: str
) -> None:
    rows = valid()
    for _ in range(data.draw(st.integers(1, 2))):
        row = rows[data.draw(st.integers(1, 3))]
        messages = row.get("messages")
        places = [row, *(m for m in messages if isinstance(m, dict))] if isinstance(messages, list) else [row]
        data.draw(st.sampled_from(places))[data.draw(KEYS)] = data.draw(VALUES)
    options: dict[str, Any] = {"ascii": {}, "compact": {"separators": (",", ":")}}.get(style, {"ensure_ascii": False})
    content = "".join(json.dumps(row, **options) + "\n" for row in rows).encode("utf-8", "surrogatepass")
    holds(content, tmp_path_factory.mktemp("values"))


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["role", "content"]), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_key_that_stands_twice_is_seen_in_every_style(
    said: str, twice: str, key: str, ascii: bool, compact: bool
) -> None:
    """The quick way through plain rows must not hide what a JSON reader drops."""
    row = {"messages": [{"role": "user", "content": f"a {said}"}, {"role": "assistant", "content": "b"}]}
    separators = (",", ":") if compact else (", ", ": ")
    line = json.dumps(row, ensure_ascii=ascii, separators=separators).encode("utf-8", "surrogatepass")
    pair_ = json.dumps({key: twice}, ensure_ascii=ascii, separators=separators)[1:-1].encode("utf-8", "surrogatepass")
    doubled = line.replace(b'{"role"', b"{" + pair_ + separators[0].encode() + b'"role"', 1)
    codes = {found.code for found in read_row(doubled + b"\n", 1)[1]}
    assert codes & {"duplicate_key", "not_utf8"}
    assert not read_row(line + b"\n", 1)[1] or any(0xD800 <= ord(letter) < 0xE000 for letter in said)


@given(st.data(), st.sampled_from(["dpo", "reinforcement", "supervised"]))
@settings(max_examples=150, deadline=None)
def test_rows_of_every_method_never_crash_it(data: st.DataObject, method: str) -> None:
    *asked, answer = example("fig")["messages"]
    rows: list[Row] = [
        {"input": {"messages": asked, "tools": TOOLS}, "preferred_output": [CALLING], "non_preferred_output": [answer]},
        {"messages": asked, "reference": "a fig", "tools": TOOLS},
        {"messages": [*asked, CALLING, {"role": "tool", "tool_call_id": "c1", "content": "3"}, answer], "tools": TOOLS},
    ]
    rows = json.loads(json.dumps(rows))
    inner = rows[0]["input"]["messages"] + rows[0]["preferred_output"] + rows[1]["messages"] + rows[2]["messages"]
    targets = [*rows, rows[0]["input"], *inner, rows[2]["messages"][2]["tool_calls"][0]]
    target = data.draw(st.sampled_from(targets))
    target[data.draw(st.sampled_from([*target, "weight", "tools", "tool_calls"]))] = data.draw(VALUES)
    report = check_examples(rows, method=method)
    assert report.examples == 3 and {"line", "code"} <= {*json.loads(report.to_json())["findings"][0]}
