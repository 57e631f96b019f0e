"""Training files with one fault each: the job's error names the place in OpenAI's words and says what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from live_service import examples

from helpers.local_service.formats import FindFault, JobError, chat_fault, check_training_file, read_examples

CONTROL = ("<|user|>", "<|end|>")
USER, ANSWER = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}


def check(tmp_path: Path, *lines: Any, least: int = 1, find: FindFault = chat_fault) -> JobError | None:
    path = tmp_path / "file.jsonl"
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(encoded) + b"\n")
    return check_training_file(path, "training_file", find, CONTROL, least)


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


VALID = [
    chat(USER, ANSWER),
    chat({"role": "system", "content": ""}, USER, ANSWER, USER, {**ANSWER, "weight": 1}),
    chat(USER, {**ANSWER, "weight": 0}, USER, ANSWER),
    chat({"role": "developer", "content": "Be kind"}, {**USER, "name": "Ann"}, ANSWER),
    chat({"role": "user", "content": [{"type": "text", "text": "Q"}]}, ANSWER),
    chat({"role": "user", "content": "<s>struck out</s> <b>bold</b> \u2028"}, ANSWER),
]
FAULTS = [
    (b'{"messages": [],}', "Example 1 cannot be parsed. Error: line contains invalid json: "),
    (b"{'messages': None}", "line contains invalid json"),
    (b"\xef\xbb\xbf" + json.dumps(VALID[0]).encode(), "Unexpected UTF-8 BOM"),
    ('{"messages": "naïve"}'.encode("latin-1"), "line is not UTF-8: byte 0xef"),
    (b"[" * 100_000 + b"]" * 100_000, "invalid json"),
    (b"[1, 2]", "Example 1 is not a dictionary"),
    ({"prompt": "Q", "completion": "A"}, 'Example 1 is missing key "messages". Prompt/completion'),
    ({"input": {}, "preferred_output": []}, 'Example 1 is missing key "messages". It looks like a preference'),
    (USER, 'Example 1 is missing key "messages". It looks like a single message'),
    (chat(USER, ANSWER, model="gpt-4o"), 'Example 1 contains an extra "model".'),
    (chat(USER, ANSWER, functions=[]), 'Example 1 contains "functions".'),
    (chat(), "Example 1 has no messages"),
    ({"messages": "hello"}, "Example 1 has no messages"),
    (chat("hello"), "Example 1, message 1 is not a dictionary"),
    (chat(USER, {"content": "A"}), "Example 1, message 2 Discriminator 'role' is missing in value"),
    (chat(USER, {**ANSWER, "role": "Assistant"}), "message 2: role 'Assistant' is not one of"),
    (chat(USER, {**ANSWER, "role": ["assistant"]}), "is not one of"),
    (chat({"role": "tool", "content": "x", "tool_call_id": "1"}, ANSWER), "its tool_call_id is that of no open call"),
    (chat(USER, {"role": "assistant"}), 'message 2 is missing key "content"'),
    (chat(USER, {**ANSWER, "content": None}), "content must be a string or a list of text parts, not null"),
    (chat({**USER, "content": ["Q"]}, ANSWER), "a list of content holds a string"),
    (chat({**USER, "content": [{"type": "image_url"}]}, ANSWER), "read text only"),
    (chat(USER, {**ANSWER, "content": " "}), "message 2 has empty content"),
    (chat({**USER, "weight": 1}, ANSWER), 'message 1 contains an extra "weight"'),
    (chat(USER, {**ANSWER, "weight": True}), "Weight must be either 0 or 1"),
    (chat(USER, {**ANSWER, "weight": 0.5}), "Weight must be either 0 or 1"),
    (chat(USER, {**ANSWER, "weight": 0}), "every assistant message has weight 0"),
    (chat(USER, {**ANSWER, "mood": "x"}), 'message 2 contains an extra "mood"'),
    (chat(ANSWER, USER), "last message must be from the assistant"),
    (chat({**USER, "content": "a <|end|> b"}, ANSWER), "message 1 contains an invalid token: <|end|>"),
    (chat({**USER, "content": "\ud800"}, ANSWER), "half of a surrogate pair"),
]


@pytest.mark.parametrize("example", VALID)
def test_valid_examples_pass(tmp_path: Path, example: dict[str, Any]) -> None:
    assert check(tmp_path, example) is None


@pytest.mark.parametrize(("line", "words"), FAULTS)
def test_a_faulty_example_is_named(tmp_path: Path, line: Any, words: str) -> None:
    error = check(tmp_path, line)
    assert error is not None
    assert (error.code, error.param) == ("invalid_file_format", "training_file")
    assert error.message.startswith("The job failed due to a file format error in the training file. Invalid file fo")
    assert words in error.message


def test_every_example_is_checked_and_lines_are_counted_with_the_blank_ones(tmp_path: Path) -> None:
    error = check(tmp_path, VALID[0], b"", {"messages": []}, VALID[1], b"{oops}", b"\r", b"[]")
    assert error is not None
    assert "Example 2 has no messages" in error.message
    assert "2 more of the 5 lines have faults: 5, 7." in error.message


def test_too_few_examples(tmp_path: Path) -> None:
    error = check(tmp_path, *examples(7), least=10)
    assert error is not None and error.code == "invalid_n_examples"
    assert error.message.startswith("Training file has 7 example(s), but must have at least 10 examples")
    assert check(tmp_path, *examples(10), least=10) is None


def test_contents_are_read_as_plain_text(tmp_path: Path) -> None:
    check(
        tmp_path,
        chat({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, ANSWER),
    )
    (example,) = read_examples(tmp_path / "file.jsonl")
    assert example["messages"][0]["content"] == "ab"
