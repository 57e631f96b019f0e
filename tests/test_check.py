"""check: every fault of the catalogue is found where it is, valid oddities pass, and nothing crashes or gets lost."""

from __future__ import annotations

import copy
import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.check import Report, check_examples, check_file, main
from helpers.checks.findings import ERRORS, RULES, WARNINGS
from helpers.checks.near import NearIndex

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
FRUITS = ["apple", "banana", "cherry", "damson", "elder", "fig", "grape", "hazel", "iris", "juniper", "kiwi", "lemon"]
OTHERS = ["mango", "nectarine", "olive", "peach", "quince", "raisin", "sloe", "tamarind", "ugli", "vanilla"]
Row = dict[str, Any]


def example(word: str, **more: Any) -> Row:
    """A valid example, unlike those of other words."""
    rng = random.Random(word)
    words = ["".join(rng.sample(string.ascii_lowercase, 6)) for _ in range(12)]
    messages = [
        {"role": "system", "content": "You are a grocer."},
        {"role": "user", "content": f"Tell me of the {word}: {' '.join(words[:6])}?"},
        {"role": "assistant", "content": f"The {word} is {' '.join(words[6:])}."},
    ]
    return {"messages": messages, **more}


def valid() -> list[Row]:
    return [example(word) for word in FRUITS]


def text(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def report_on(content: bytes, folder: Path, name: str = "train.jsonl", **options: Any) -> Report:
    path = folder / name
    path.write_bytes(content)
    return check_file(path, **options)


def codes(report: Report) -> set[str]:
    return {found.code for found in report.findings}


# One fault a file, in line 3 ------------------------------------------------------------------------------------------


def in_line(change: Callable[[bytes], bytes]) -> Callable[[list[Row]], bytes]:
    """A file whose line 3 is changed as bytes."""

    def make(rows: list[Row]) -> bytes:
        lines = text(rows).splitlines(keepends=True)
        lines[2] = change(lines[2].rstrip(b"\n")) + b"\n"
        return b"".join(lines)

    return make


def in_row(change: Callable[[Row], Any]) -> Callable[[list[Row]], bytes]:
    """A file whose third row is changed, in place or to what `change` returns."""

    def make(rows: list[Row]) -> bytes:
        changed = change(rows[2])
        rows[2] = changed if isinstance(changed, dict) else rows[2]
        return text(rows)

    return make


def in_message(place: int, **changes: Any) -> Callable[[list[Row]], bytes]:
    return in_row(lambda row: row["messages"][place - 1].update(changes))


def saying(words: str, place: int = 3) -> Callable[[list[Row]], bytes]:
    """A file in whose third row a message says this beside its own words."""
    return in_row(
        lambda row: row["messages"][place - 1].update(content=f"{row['messages'][place - 1]['content']} {words}")
    )


def renamed(row: Row, old: str, new: str) -> None:
    message = row["messages"][1]
    message[new] = message.pop(old)


CALL = {"id": "c1", "type": "function", "function": {"name": "weigh", "arguments": '{"fruit": "fig"}'}}
TOOLS = [{"type": "function", "function": {"name": "weigh", "parameters": {"type": "object"}}}]
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def with_messages(*between: Row, tools: Any = TOOLS) -> Callable[[list[Row]], bytes]:
    """A file whose third row has messages between the question and the answer."""

    def change(row: Row) -> None:
        row["messages"][2:2] = copy.deepcopy(list(between))
        row.update({"tools": tools} if tools is not None else {})

    return in_row(change)


TWO_OBJECTS = in_line(lambda line: line + b" " + line)
LINE_FAULTS: dict[str, tuple[str, Callable[[list[Row]], bytes]]] = {
    "csv line": ("not_an_object", in_line(lambda _: b"user,assistant")),
    "plain text": ("not_an_object", in_line(lambda _: b"Hello there")),
    "a JSON text": ("not_an_object", in_line(lambda _: b'"Hello"')),
    "a JSON list": ("json_array", in_line(lambda line: b"[" + line + b"]")),
    "list opened": ("json_array", in_line(lambda line: b"[" + line + b",")),
    "trailing comma": ("invalid_json", in_line(lambda line: line + b",")),
    "comma before bracket": ("invalid_json", in_line(lambda line: line.replace(b"]", b",]"))),
    "missing comma": ("invalid_json", in_line(lambda line: line.replace(b"}, {", b"} {"))),
    "unescaped quote": ("invalid_json", in_line(lambda line: line.replace(b"Tell", b'Tell "me"'))),
    "unquoted key": ("invalid_json", in_line(lambda line: line.replace(b'"messages"', b"messages"))),
    "curly quotes": ("invalid_json", in_line(lambda line: line.decode().replace('"', "“").encode())),
    "python repr": ("invalid_json", in_line(lambda line: repr(json.loads(line)).encode())),
    "two objects": ("invalid_json", TWO_OBJECTS),
    "pretty-printed": ("invalid_json", in_line(lambda line: json.dumps(json.loads(line), indent=1).encode())),
    "nested too deep": ("invalid_json", in_line(lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "bom in mid-file": ("bom", in_line(lambda line: b"\xef\xbb\xbf" + line)),
    "cp1252 bytes": ("not_utf8", in_line(lambda line: line.replace(b"Tell", b"Tell\x92"))),
    "NaN": ("not_json_value", in_line(lambda line: line.replace(b'"role"', b'"weight": NaN, "role"', 1))),
    "key twice": ("duplicate_key", in_line(lambda line: line.replace(b'"role"', b'"role": "user", "role"', 1))),
    "half a surrogate": ("half_character", in_line(lambda line: line.replace(b"Tell", b"\\ud83d"))),
    "blank line": ("blank_line", in_line(lambda line: line + b"\n\n")),
    "prompt/completion": ("prompt_completion", in_row(lambda _: {"prompt": "a", "completion": "b"})),
    "ShareGPT": ("other_format", in_row(lambda _: {"conversations": [{"from": "human", "value": "a"}]})),
    "Alpaca": ("other_format", in_row(lambda _: {"instruction": "a", "input": "", "output": "b"})),
    "preference row": (
        "preference_row",
        in_row(lambda _: {"input": {}, "preferred_output": [], "non_preferred_output": []}),
    ),
    "preference beside messages": ("preference_row", in_row(lambda row: row.update(preferred_output=[]))),
    "other keys": ("no_messages", in_row(lambda _: {"text": "a"})),
    "extra key": ("extra_key", in_row(lambda row: row.update(temperature=0.2))),
    "messages is a text": ("no_messages", in_row(lambda row: row.update(messages="hello"))),
    "messages is empty": ("no_messages", in_row(lambda row: row.update(messages=[]))),
    "message is a text": ("message_not_object", in_row(lambda row: row["messages"].insert(1, "hello"))),
    "system row of its own": ("no_assistant", in_row(lambda row: row.update(messages=row["messages"][:1]))),
    "last from user": ("last_not_assistant", in_row(lambda row: row["messages"].append(row["messages"][1]))),
    "no role": ("no_role", in_row(lambda row: row["messages"][1].pop("role") and None)),
    "role human": ("unknown_role", in_message(2, role="human")),
    "role Assistant": ("unknown_role", in_message(3, role="Assistant")),
    "role is a list": ("unknown_role", in_message(2, role=["user"])),
    "misspelt key": ("unknown_key", in_row(lambda row: renamed(row, "content", "contents"))),
    "capital key": ("unknown_key", in_row(lambda row: renamed(row, "content", "Content"))),
    "no content": ("no_content", in_row(lambda row: row["messages"][1].pop("content") and None)),
    "null content": ("no_content", in_message(3, content=None)),
    "content is a list of texts": ("bad_content", in_message(2, content=["hello"])),
    "content is a number": ("bad_content", in_message(2, content=7)),
    "content is an object": ("bad_content", in_message(3, content={"text": "hello"})),
    "image from the assistant": (
        "bad_content",
        in_message(3, content=[{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]),
    ),
    "empty answer": ("empty_answer", in_message(3, content="  ")),
    "empty question": ("empty_text", in_message(2, content="")),
    "the word null": ("null_text", in_message(3, content="null")),
    "weight 0.5": ("bad_weight", in_message(3, weight=0.5)),
    "weight 2": ("bad_weight", in_message(3, weight=2)),
    "weight true": ("bad_weight", in_message(3, weight=True)),
    "weight as text": ("bad_weight", in_message(3, weight="1")),
    "weight on the user": ("weight_not_assistant", in_message(2, weight=1)),
    "all weights 0": ("no_answer_counts", in_message(3, weight=0)),
    "system message late": ("system_not_first", in_row(lambda row: row["messages"].insert(0, row["messages"].pop(1)))),
    "speakers swapped": (
        "assistant_first",
        in_row(lambda row: row["messages"].insert(1, {"role": "assistant", "content": "What is it?"})),
    ),
    "call without answer": ("tool_call_unanswered", with_messages(CALLING)),
    "call without answer, then user": (
        "tool_call_unanswered",
        with_messages(CALLING, {"role": "user", "content": "And?"}),
    ),
    "answer without call": (
        "tool_without_call",
        with_messages({"role": "tool", "tool_call_id": "c9", "content": "3"}),
    ),
    "answer without id": ("tool_without_call", with_messages(CALLING, {"role": "tool", "content": "3"})),
    "calls is a text": ("bad_tool_call", with_messages({"role": "assistant", "content": None, "tool_calls": "weigh"})),
    "call without a function": (
        "bad_tool_call",
        with_messages({"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}),
    ),
    "arguments are no JSON": (
        "bad_arguments",
        with_messages(
            {**CALLING, "tool_calls": [{**CALL, "function": {"name": "weigh", "arguments": "fruit=fig"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
        ),
    ),
    "tools not declared": (
        "tools_not_declared",
        with_messages(CALLING, {"role": "tool", "tool_call_id": "c1", "content": "3"}, tools=None),
    ),
    "tools is a text": ("bad_tools", in_row(lambda row: row.update(tools="weigh"))),
    "special token": ("special_token", saying("<|im_end|>")),
    "llama token": ("special_token", saying("[/INST]")),
    "mojibake": ("mojibake", saying("Itâ€™s ripe, cafÃ© fresh")),
    "replacement character": ("replacement_character", saying("caf\ufffd")),
    "control character": ("control_character", saying("ri\x07pe")),
    "zero-width space": ("control_character", saying("ri\u200bpe")),
    "HTML tag": ("html", saying("<p>ripe</p>")),
    "HTML entity": ("html", saying("ripe&nbsp;now")),
    "docassemble template": ("template", saying("{%p if ripe %}")),
    "mustache": ("template", saying("{{ customer_name }}")),
    "placeholder": ("template", saying("[Your Name]")),
    "signature": ("email_residue", saying("\n-- \nAnn Example")),
    "sent from a phone": ("email_residue", saying("\nSent from my phone")),
    "disclaimer": ("email_residue", saying("\nThis e-mail and any attachments are confidential.")),
    "quoted mail": ("email_residue", saying("\nOn 3 May 2025 Ann wrote:\n> hello")),
    "e-mail address": ("personal_data", saying("ann@shop.example", 2)),
    "telephone": ("personal_data", saying("Ring 07700 900123", 2)),
    "American telephone": ("personal_data", saying("Ring (212) 555-0100", 2)),
    "telephone abroad": ("personal_data", saying("Ring +49 30 1234567", 2)),
    "card": ("personal_data", saying("4000 0012 3456 7899", 2)),
    "street": ("personal_data", saying("14 Mill Lane, Exeter QX4 2AB", 2)),
    "IBAN": ("personal_data", saying("GB33 BUKB 2020 1555 5555 55", 2)),
    "social security number": ("personal_data", saying("123-45-6789", 2)),
    "no system message": ("no_system", in_row(lambda row: row.update(messages=row["messages"][1:]))),
    "another system message": ("system_differs", in_message(1, content="You sell fruit.")),
    "copy in other case": (
        "duplicate",
        lambda rows: text([*rows[:2], json.loads(json.dumps(rows[1]).replace("Tell me", "TELL  me")), *rows[2:]]),
    ),
    "copy": ("duplicate", lambda rows: text([*rows[:2], rows[1], *rows[2:]])),
    "near copy": (
        "near_duplicate",
        lambda rows: text([*rows[:2], json.loads(json.dumps(rows[1]).replace("Tell", "Please tell")), *rows[2:]]),
    ),
    "contradiction": (
        "contradiction",
        lambda rows: text(
            [
                *rows[:2],
                {"messages": [*rows[1]["messages"][:2], {"role": "assistant", "content": "No idea."}]},
                *rows[2:],
            ]
        ),
    ),
}


@pytest.mark.parametrize("fault", LINE_FAULTS)
def test_a_fault_is_found_in_its_line(fault: str, tmp_path: Path) -> None:
    code, make = LINE_FAULTS[fault]
    report = report_on(make(valid()), tmp_path)
    hits = [found for found in report.findings if found.code == code]
    assert hits and all(found.line == 3 for found in hits if fault not in ("blank line", "pretty-printed")), report
    assert {found.severity for found in hits} == {RULES[code][0]} and all(f.why and f.fix for f in hits)
    others = {found.line for found in report.findings} - {3}
    assert fault in ("blank line", "pretty-printed", "list opened") or others <= {None}, report


WHOLE_FAULTS: dict[str, tuple[str, bytes]] = {
    "empty": ("empty_file", b""),
    "blank": ("empty_file", b"\n \n"),
    "nine examples": ("too_few", text(valid()[:9])),
    "one row copied to reach ten": ("one_row_copied", text(valid()[:1] * 10)),
    "bom": ("bom", b"\xef\xbb\xbf" + text(valid())),
    "utf-16": ("utf16", text(valid()).decode().encode("utf-16")),
    "one list": ("json_array", json.dumps(valid()).encode()),
    "cut short": ("truncated", text(valid())[:-40]),
    "no system message at all": ("no_system", text([{"messages": row["messages"][1:]} for row in valid()])),
    "one answer for most": (
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
        "system_differs",
        text([{"messages": [{"role": "system", "content": word}, *example(word)["messages"][1:]]} for word in FRUITS]),
    ),
}


@pytest.mark.parametrize("fault", WHOLE_FAULTS)
def test_a_fault_of_the_whole_file_is_found(fault: str, tmp_path: Path) -> None:
    code, content = WHOLE_FAULTS[fault]
    assert code in codes(report_on(content, tmp_path))


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


def test_every_code_is_tested() -> None:
    tested = {code for code, _ in [*LINE_FAULTS.values(), *WHOLE_FAULTS.values()]}
    tested |= {"unreadable", "against_unreadable", "extension", "too_large", "too_long", "no_fine_tuning"}
    tested |= {"unknown_model", "leak", "leak_question", "leak_near", "near_not_compared"}
    assert tested == {*ERRORS, *WARNINGS}


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
    assert check_file(SAMPLE / f"{name}.jsonl", against=against).findings == []


def test_examples_in_memory() -> None:
    assert check_examples(valid()).findings == []
    report = check_examples([*valid(), {"messages": {1, 2}}, "hello", example("mango", weight=1)])
    assert [(f.line, f.code) for f in report.findings] == [
        (13, "not_an_object"), (14, "not_an_object"), (15, "extra_key")
    ]  # fmt: skip


# Any bytes ----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_random_bytes_never_crash_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    report = report_on(content, tmp_path_factory.mktemp("bytes"))
    assert report.findings and json.loads(report.to_json())["findings"] and len(report.frame()) == len(report.findings)
    assert str(report).encode()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["user", "assistant"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "weight", "tool_calls", "id", "function", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_examples_never_crash_it(data: st.DataObject) -> None:
    rows: list[Any] = valid()
    row = rows[2]
    target = data.draw(st.sampled_from([row, *row["messages"]]))
    target[data.draw(st.sampled_from([*target, "weight", "tools", "tool_calls", "tool_call_id"]))] = data.draw(VALUES)
    report = check_examples(rows)
    assert report.examples == len(rows)
    assert {found.line for found in report.findings} <= {3, None}
    json.loads(report.to_json())


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_line_is_lost(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]) -> None:
    """A line that a JSON reader cannot read has a finding of its own."""
    content = bytearray(text(valid()))
    for place, value in changes:
        content[place % len(content)] = value
    report = report_on(bytes(content), tmp_path_factory.mktemp("changed"))
    if "utf16" in codes(report):
        return
    with_findings = {found.line for found in report.findings}
    for number, line in enumerate(bytes(content).removesuffix(b"\n").split(b"\n"), start=1):
        try:
            assert isinstance(json.loads(line.decode()), dict)
        except (ValueError, AssertionError):
            assert number in with_findings


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


def test_near_duplicates_are_proposed_and_decided() -> None:
    """Of 300 texts each with a light edit the index finds nearly all, and no two that differ are taken for one."""
    rng = random.Random(1)
    words = ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(400)]
    index, found = NearIndex(), 0
    for line in range(300):
        told = rng.choices(words, k=30)
        assert index.find(" ".join(told)) is None
        index.add(" ".join(told), line)
        told[rng.randrange(30)] = "other"
        told.insert(rng.randrange(30), "word")
        near = index.find(" ".join(told))
        found += near is not None and near[0] == line
    assert found >= 297


def test_the_budget_of_near_duplicates_is_held_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.checks.files.NEAR_ROWS", 5)
    assert [(f.line, f.code) for f in check_examples(valid()).findings] == [(None, "near_not_compared")]
