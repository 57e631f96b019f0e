"""Planted faults: each is found, with its severity and in its place, and nothing else is said of the other lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted_files import (
    CALL,
    CALLING,
    FRUITS,
    Row,
    example,
    in_line,
    in_message,
    in_row,
    renamed,
    report_on,
    saying,
    text,
    valid,
    with_messages,
)

from helpers.checks.findings import ERRORS, WARNINGS

E, W = "error", "warning"


def picturing(image: Any, times: int = 1) -> Callable[[list[Row]], bytes]:
    """A file in whose third row the user shows images."""
    return in_message(2, content=[{"type": "image_url", "image_url": image}] * times)


def snapshot(place: int) -> Callable[[list[Row]], bytes]:
    """A file with a conversation in line 3, and what it grew to at another place."""

    def make(rows: list[Row]) -> bytes:
        later = [{"role": "user", "content": "And when is it ripe?"}, rows[5]["messages"][2]]
        rows[place] = {"messages": [*rows[2]["messages"], *later]}
        return text(rows)

    return make


def answering(word: str, answer: str) -> Row:
    """An example with this answer, or with its own where it is empty."""
    row = example(word)
    return {"messages": [*row["messages"][:2], {"role": "assistant", "content": answer}]} if answer else row


# One fault a file, in line 3: severity, code, message, key
LINE_FAULTS: dict[str, tuple[str, str, int | None, str | None, Callable[[list[Row]], bytes]]] = {
    "csv line": (E, "not_an_object", None, None, in_line(lambda _: b"user,assistant")),
    "plain text": (E, "not_an_object", None, None, in_line(lambda _: b"Hello there")),
    "a JSON text": (E, "not_an_object", None, None, in_line(lambda _: b'"Hello"')),
    "a JSON list": (E, "json_array", None, None, in_line(lambda line: b"[" + line + b"]")),
    "list opened": (E, "json_array", None, None, in_line(lambda line: b"[" + line + b",")),
    "trailing comma": (E, "invalid_json", None, None, in_line(lambda line: line + b",")),
    "comma before bracket": (E, "invalid_json", None, None, in_line(lambda line: line.replace(b"]", b",]"))),
    "missing comma": (E, "invalid_json", None, None, in_line(lambda line: line.replace(b"}, {", b"} {"))),
    "unescaped quote": (E, "invalid_json", None, None, in_line(lambda line: line.replace(b"Tell", b'Tell "me"'))),
    "unquoted key": (E, "invalid_json", None, None, in_line(lambda line: line.replace(b'"messages"', b"messages"))),
    "curly quotes": (E, "invalid_json", None, None, in_line(lambda line: line.decode().replace('"', "“").encode())),
    "python repr": (E, "invalid_json", None, None, in_line(lambda line: repr(json.loads(line)).encode())),
    "two objects": (E, "invalid_json", None, None, in_line(lambda line: line + b" " + line)),
    "pretty-printed": (
        E,
        "invalid_json",
        None,
        None,
        in_line(lambda line: json.dumps(json.loads(line), indent=1).encode()),
    ),
    "nested too deep": (E, "invalid_json", None, None, in_line(lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "bom in mid-file": (E, "bom", None, None, in_line(lambda line: b"\xef\xbb\xbf" + line)),
    "cp1252 bytes": (E, "not_utf8", None, None, in_line(lambda line: line.replace(b"Tell", b"Tell\x92"))),
    "NaN": (
        E,
        "not_json_value",
        None,
        None,
        in_line(lambda line: line.replace(b'"role"', b'"weight": NaN, "role"', 1)),
    ),
    "key twice": (
        E,
        "duplicate_key",
        None,
        "role",
        in_line(lambda line: line.replace(b'"role"', b'"role": "user", "role"', 1)),
    ),
    "half a surrogate": (E, "half_character", 2, "content", in_line(lambda line: line.replace(b"Tell", b"\\ud83d"))),
    "blank line": (W, "blank_line", None, None, in_line(lambda line: line + b"\n\n")),
    "prompt/completion": (E, "prompt_completion", None, None, in_row(lambda _: {"prompt": "a", "completion": "b"})),
    "ShareGPT": (
        E,
        "other_format",
        None,
        "conversations",
        in_row(lambda _: {"conversations": [{"from": "human", "value": "a"}]}),
    ),
    "Alpaca": (
        E,
        "other_format",
        None,
        "instruction",
        in_row(lambda _: {"instruction": "a", "input": "", "output": "b"}),
    ),
    "preference row": (
        E,
        "preference_row",
        None,
        None,
        in_row(lambda _: {"input": {}, "preferred_output": [], "non_preferred_output": []}),
    ),
    "preference beside messages": (
        E,
        "preference_row",
        None,
        "preferred_output",
        in_row(lambda row: row.update(preferred_output=[])),
    ),
    "other keys": (E, "no_messages", None, "messages", in_row(lambda _: {"text": "a"})),
    "extra key": (E, "extra_key", None, "temperature", in_row(lambda row: row.update(temperature=0.2))),
    "messages is a text": (E, "no_messages", None, "messages", in_row(lambda row: row.update(messages="hello"))),
    "messages is empty": (E, "no_messages", None, "messages", in_row(lambda row: row.update(messages=[]))),
    "message is a text": (E, "message_not_object", 2, None, in_row(lambda row: row["messages"].insert(1, "hello"))),
    "system row of its own": (
        E,
        "no_assistant",
        None,
        None,
        in_row(lambda row: row.update(messages=row["messages"][:1])),
    ),
    "last from user": (
        E,
        "last_not_assistant",
        4,
        None,
        in_row(lambda row: row["messages"].append(row["messages"][1])),
    ),
    "no role": (E, "no_role", 2, "role", in_row(lambda row: row["messages"][1].pop("role") and None)),
    "role human": (E, "unknown_role", 2, "role", in_message(2, role="human")),
    "role Assistant": (E, "unknown_role", 3, "role", in_message(3, role="Assistant")),
    "role is a list": (E, "unknown_role", 2, "role", in_message(2, role=["user"])),
    "misspelt key": (E, "unknown_key", 2, "contents", in_row(lambda row: renamed(row, "content", "contents"))),
    "capital key": (E, "unknown_key", 2, "Content", in_row(lambda row: renamed(row, "content", "Content"))),
    "no content": (E, "no_content", 2, "content", in_row(lambda row: row["messages"][1].pop("content") and None)),
    "null content": (E, "no_content", 3, "content", in_message(3, content=None)),
    "content is a list of texts": (E, "bad_content", 2, "content[0]", in_message(2, content=["hello"])),
    "content is a number": (E, "bad_content", 2, "content", in_message(2, content=7)),
    "content is an object": (E, "bad_content", 3, "content", in_message(3, content={"text": "hello"})),
    "image from the assistant": (
        E,
        "bad_content",
        3,
        "content[0]",
        in_message(3, content=[{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]),
    ),
    "empty answer": (E, "empty_answer", 3, "content", in_message(3, content="  ")),
    "empty question": (W, "empty_text", 2, "content", in_message(2, content="")),
    "the word null": (W, "null_text", 3, "content", in_message(3, content="null")),
    "weight 0.5": (E, "bad_weight", 3, "weight", in_message(3, weight=0.5)),
    "weight 2": (E, "bad_weight", 3, "weight", in_message(3, weight=2)),
    "weight true": (E, "bad_weight", 3, "weight", in_message(3, weight=True)),
    "weight as text": (E, "bad_weight", 3, "weight", in_message(3, weight="1")),
    "weight on the user": (E, "weight_not_assistant", 2, "weight", in_message(2, weight=1)),
    "all weights 0": (E, "no_answer_counts", None, "weight", in_message(3, weight=0)),
    "system message late": (
        W,
        "system_not_first",
        2,
        None,
        in_row(lambda row: row["messages"].insert(0, row["messages"].pop(1))),
    ),
    "speakers swapped": (
        W,
        "assistant_first",
        None,
        None,
        in_row(lambda row: row["messages"].insert(1, {"role": "assistant", "content": "What is it?"})),
    ),
    "call without answer": (E, "tool_call_unanswered", 3, "tool_calls", with_messages(CALLING)),
    "call without answer, then user": (
        E,
        "tool_call_unanswered",
        3,
        "tool_calls",
        with_messages(CALLING, {"role": "user", "content": "And?"}),
    ),
    "answer without call": (
        E,
        "tool_without_call",
        3,
        "tool_call_id",
        with_messages({"role": "tool", "tool_call_id": "c9", "content": "3"}),
    ),
    "answer without id": (
        E,
        "tool_without_call",
        4,
        "tool_call_id",
        with_messages(CALLING, {"role": "tool", "content": "3"}),
    ),
    "calls is a text": (
        E,
        "bad_tool_call",
        3,
        "tool_calls",
        with_messages({"role": "assistant", "content": None, "tool_calls": "weigh"}),
    ),
    "call without a function": (
        E,
        "bad_tool_call",
        3,
        "tool_calls",
        with_messages({"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}),
    ),
    "arguments are no JSON": (
        W,
        "bad_arguments",
        3,
        "tool_calls",
        with_messages(
            {**CALLING, "tool_calls": [{**CALL, "function": {"name": "weigh", "arguments": "fruit=fig"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ),
    ),
    "arguments that are JSON, but no object": (
        W,
        "bad_arguments",
        3,
        "tool_calls",
        with_messages(
            {**CALLING, "tool_calls": [{**CALL, "function": {"name": "weigh", "arguments": '["fig"]'}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ),
    ),
    "a call to another tool than those declared": (
        W,
        "tools_not_declared",
        None,
        "tools",
        with_messages(
            {**CALLING, "tool_calls": [{**CALL, "function": {"name": "price", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ),
    ),
    "a function's name with a space": (
        E,
        "bad_tools",
        None,
        "tools",
        in_row(lambda row: row.update(tools=[{"type": "function", "function": {"name": "weigh it"}}])),
    ),
    "a function's parameters are a text": (
        E,
        "bad_tools",
        None,
        "tools",
        in_row(lambda row: row.update(tools=[{"type": "function", "function": {"name": "weigh", "parameters": "kg"}}])),
    ),
    "tools not declared": (
        W,
        "tools_not_declared",
        None,
        "tools",
        with_messages(CALLING, {"role": "tool", "tool_call_id": "c1", "content": "3"}, tools=None),
    ),
    "tools is a text": (E, "bad_tools", None, "tools", in_row(lambda row: row.update(tools="weigh"))),
    "special token": (W, "special_token", 3, "content", saying("<|im_end|>")),
    "llama token": (W, "special_token", 3, "content", saying("[/INST]")),
    "mojibake": (W, "mojibake", 3, "content", saying("Itâ€™s ripe, cafÃ© fresh")),
    "replacement character": (W, "replacement_character", 3, "content", saying("caf\ufffd")),
    "control character": (W, "control_character", 3, "content", saying("ri\x07pe")),
    "zero-width space": (W, "control_character", 3, "content", saying("ri\u200bpe")),
    "HTML tag": (W, "html", 3, "content", saying("<p>ripe</p>")),
    "HTML entity": (W, "html", 3, "content", saying("ripe&nbsp;now")),
    "docassemble template": (W, "template", 3, "content", saying("{%p if ripe %}")),
    "mustache": (W, "template", 3, "content", saying("{{ customer_name }}")),
    "placeholder": (W, "template", 3, "content", saying("[Your Name]")),
    "signature": (W, "email_residue", 3, "content", saying("\n-- \nAnn Example")),
    "sent from a phone": (W, "email_residue", 3, "content", saying("\nSent from my phone")),
    "disclaimer": (W, "email_residue", 3, "content", saying("\nThis e-mail and any attachments are confidential.")),
    "quoted mail": (W, "email_residue", 3, "content", saying("\nOn 3 May 2025 Ann wrote:\n> hello")),
    "e-mail address": (W, "personal_data", 2, "content", saying("ann@shop.example", 2)),
    "telephone": (W, "personal_data", 2, "content", saying("Ring 07700 900123", 2)),
    "American telephone": (W, "personal_data", 2, "content", saying("Ring (212) 555-0100", 2)),
    "telephone abroad": (W, "personal_data", 2, "content", saying("Ring +49 30 1234567", 2)),
    "card": (W, "personal_data", 2, "content", saying("4000 0012 3456 7899", 2)),
    "street": (W, "personal_data", 2, "content", saying("14 Mill Lane, Exeter QX4 2AB", 2)),
    "IBAN": (W, "personal_data", 2, "content", saying("GB33 BUKB 2020 1555 5555 55", 2)),
    "social security number": (W, "personal_data", 2, "content", saying("123-45-6789", 2)),
    "no system message": (W, "no_system", None, None, in_row(lambda row: row.update(messages=row["messages"][1:]))),
    "another system message": (W, "system_differs", None, None, in_message(1, content="You sell fruit.")),
    "copy in other case": (
        W,
        "duplicate",
        None,
        None,
        lambda rows: text([*rows[:2], json.loads(json.dumps(rows[1]).replace("Tell me", "TELL  me")), *rows[2:]]),
    ),
    "copy": (W, "duplicate", None, None, lambda rows: text([*rows[:2], rows[1], *rows[2:]])),
    "near copy": (
        W,
        "near_duplicate",
        None,
        None,
        lambda rows: text([*rows[:2], json.loads(json.dumps(rows[1]).replace("Tell", "Please tell")), *rows[2:]]),
    ),
    "contradiction": (
        W,
        "contradiction",
        None,
        None,
        lambda rows: text(
            [
                *rows[:2],
                {"messages": [*rows[1]["messages"][:2], {"role": "assistant", "content": "No idea."}]},
                *rows[2:],
            ]
        ),
    ),
    "a message as a row": (E, "no_messages", None, "messages", in_row(lambda row: row["messages"][1])),
    "the user speaks like a desk": (
        W,
        "speakers_swapped",
        2,
        "content",
        in_row(lambda row: row["messages"][1].update(content="Thank you for contacting us, what is it about?")),
    ),
    "image as a text": (E, "bad_image", 2, "content[0]", picturing("https://a.example/b.png")),
    "image at an http address": (E, "bad_image", 2, "content[0]", picturing({"url": "http://a.example/b.png"})),
    "image in a file": (E, "bad_image", 2, "content[0]", picturing({"url": "pictures/b.png"})),
    "image of another type": (E, "bad_image", 2, "content[0]", picturing({"url": "https://a.example/b.GIF?x=1"})),
    "image data of another type": (E, "bad_image", 2, "content[0]", picturing({"url": "data:image/tiff;base64,aGk="})),
    "image data that is broken": (E, "bad_image", 2, "content[0]", picturing({"url": "data:image/png;base64,a?k="})),
    "a text that is called an image": (
        E,
        "bad_image",
        2,
        "content[0]",
        picturing({"url": "data:image/png;base64,aGVsbG8="}),
    ),
    "image over 10 MB": (
        E,
        "bad_image",
        2,
        "content[0]",
        picturing({"url": "data:image/png;base64," + "aGk=" * 3_600_000}),
    ),
    "image detail": (E, "bad_image", 2, "content[0]", picturing({"url": "https://a.example/b.png", "detail": "best"})),
    "eleven images": (E, "bad_image", None, None, picturing({"url": "https://a.example/b.png"}, times=11)),
    "content of another API": (
        E,
        "bad_content",
        2,
        "content[0]",
        in_message(2, content=[{"type": "input_text", "text": "hello"}]),
    ),
    "name is a number": (E, "bad_name", 2, "name", in_message(2, name=7)),
    "name is null": (W, "null_key", 2, "name", in_message(2, name=None)),
    "tools are null": (W, "null_key", None, "tools", in_row(lambda row: row.update(tools=None))),
    "parallel calls are a text": (
        E,
        "bad_tools",
        None,
        "parallel_tool_calls",
        in_row(lambda row: row.update(parallel_tool_calls="true")),
    ),
    "earlier snapshot of a conversation": (W, "snapshot", None, None, snapshot(3)),
    "later snapshot of a conversation": (W, "snapshot", None, None, snapshot(1)),
}


@pytest.mark.parametrize("fault", LINE_FAULTS)
def test_a_fault_is_found_in_its_line(fault: str, tmp_path: Path) -> None:
    severity, code, message, key, make = LINE_FAULTS[fault]
    report = report_on(make(valid()), tmp_path)
    hits = [found for found in report.findings if found.code == code]
    line = 4 if fault == "blank line" else 3
    assert (line, message, key, severity) in {(f.line, f.message, f.key, f.severity) for f in hits}, report
    assert all(found.why and found.fix for found in hits)
    torn = fault in ("blank line", "pretty-printed", "list opened")  # these are faults of several lines
    assert torn or {found.line for found in report.findings} <= {3, None}, report
    assert report.ok == (severity == W), report


# Faults of the whole file: severity, code
WHOLE_FAULTS: dict[str, tuple[str, str, bytes]] = {
    "empty": (E, "empty_file", b""),
    "blank": (E, "empty_file", b"\n \n"),
    "nine examples": (E, "too_few", text(valid()[:9])),
    "one row copied to reach ten": (W, "one_row_copied", text(valid()[:1] * 10)),
    "bom": (E, "bom", b"\xef\xbb\xbf" + text(valid())),
    "utf-16": (E, "utf16", text(valid()).decode().encode("utf-16")),
    "utf-16 without its mark": (E, "utf16", text(valid()).decode().encode("utf-16-le")),
    "utf-16 without its mark, the other way round": (E, "utf16", text(valid()).decode().encode("utf-16-be")),
    "utf-32": (E, "utf16", text(valid()).decode().encode("utf-32")),
    "one list": (E, "json_array", json.dumps(valid()).encode()),
    "cut short": (E, "truncated", text(valid())[:-40]),
    "no system message at all": (W, "no_system", text([{"messages": row["messages"][1:]} for row in valid()])),
    "one answer for most": (
        W,
        "one_answer",
        text(
            [
                {"messages": [*example(f"{word}{i}")["messages"][:2], {"role": "assistant", "content": "I cannot."}]}
                for word in FRUITS
                for i in range(2)
            ]
        ),
    ),
    "many system messages": (
        W,
        "system_differs",
        text([{"messages": [{"role": "system", "content": word}, *example(word)["messages"][1:]]} for word in FRUITS]),
    ),
    "six refusals in ten": (
        W,
        "refusals",
        text(
            [
                answering(f"{word}{i}", f"I'm sorry, but I can't help with {word} {i}." if i < 6 else "")
                for word in FRUITS[:3]
                for i in range(10)
            ]
        ),
    ),
}


@pytest.mark.parametrize("fault", WHOLE_FAULTS)
def test_a_fault_of_the_whole_file_is_found(fault: str, tmp_path: Path) -> None:
    severity, code, content = WHOLE_FAULTS[fault]
    assert (code, severity) in {(found.code, found.severity) for found in report_on(content, tmp_path).findings}


ELSEWHERE = {  # planted in test_check.py, test_check_methods.py and test_check_near.py
    *("unreadable", "against_unreadable", "extension", "too_large", "too_long", "no_fine_tuning", "unknown_model"),
    *("leak", "leak_question", "leak_near", "near_not_compared"),
    *("chat_row", "no_preference", "bad_output", "same_outputs", "no_images", "last_not_user", "grader_keys"),
}


def test_every_code_is_planted() -> None:
    planted = {fault[1] for fault in [*LINE_FAULTS.values(), *WHOLE_FAULTS.values()]}
    assert planted | ELSEWHERE == {*ERRORS, *WARNINGS} and not planted & ELSEWHERE
