"""The schema of a training example, for each method: its keys, its messages, their order.

Sources: OpenAI's guides to supervised fine-tuning, direct preference optimization and reinforcement fine-tuning
(2024-2026), and the schemas of a training line in its OpenAPI document (2025).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from helpers.checks.findings import Finding, finding
from helpers.checks.lines import Row, kind, parse_line
from helpers.checks.messages import ROLES, check_messages
from helpers.checks.tools import check_calls, check_tools

METHODS = ("supervised", "dpo", "reinforcement")
CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
OUTPUTS = ("preferred_output", "non_preferred_output")
OTHER_FORMATS = {
    "conversations": "ShareGPT",
    "instruction": "Alpaca",
    "dialogue": "dialogue",
    "chosen": "TRL preference",
}


def read_row(line: bytes, number: int, method: str = "supervised") -> tuple[Row | None, list[Finding]]:
    """Return the row on this line, or None, and what is wrong with its bytes, its JSON and its form. Never raises.

    A message or key inside a part of the row is named after it: message 1, key preferred_output.content.
    """
    row = _plain_row(line) if method == "supervised" else None
    if row is not None:
        return row, []
    row, found = parse_line(line, number)
    try:
        return row, found if row is None else [*found, *_check_row(row, number, method)]
    except RecursionError:  # read in C, but too deep for Python
        return None, [*found, finding("invalid_json", number, "Lists or objects are nested too deep to be read.")]


def message_lists(row: Row) -> list[tuple[str, list[Any]]]:
    """Return the row's lists of messages, whatever its method, each with what stands before a key inside it."""
    given = row.get("input")
    lists = [("", row.get("messages")), ("input.", given.get("messages") if isinstance(given, dict) else None)]
    lists += [(f"{name}.", row.get(name)) for name in OUTPUTS]
    return [(name, messages) for name, messages in lists if isinstance(messages, list) and messages]


def _plain_row(line: bytes) -> Row | None:
    """The row of a line with nothing but roles and texts in a sound order; most lines are such, and this is quick."""
    try:
        row = orjson.loads(line)
        messages, roles = row["messages"], []
        for message in messages:
            content = message["content"]
            if type(content) is not str or len(message) != 2 or not content or content.isspace():
                return None
            roles.append(message["role"])
        plain = len(row) == 1 and _is_sound(tuple(roles)) and _is_whole(line, row, len(messages))
    except (ValueError, TypeError, KeyError):
        return None
    return row if plain else None


def _is_whole(line: bytes, row: Row, messages: int) -> bool:
    """Whether all that stands on the line is in its plain row. Where a key stands twice, one value is lost.

    A line as JSON writers write it is as long as the row written again, perhaps with a space after colons and commas.
    Any other has just as many quotation marks outside its texts as its keys, roles and texts need.
    """
    longer = len(line) - 1 - len(orjson.dumps(row))
    if longer == 0 or (longer == 4 * messages and line.startswith(b'{"messages": [')):
        return True
    return line.count(b'"') - line.count(b'\\"') == 2 + 8 * messages and b'\\\\"' not in line


@lru_cache(maxsize=10_000)
def _is_sound(roles: tuple[str, ...]) -> bool:
    """Whether the careful check finds nothing wrong with texts by these roles."""
    row = {"messages": [{"role": role, "content": "text"} for role in roles]}
    return not any(_check_chat(row, 1, "supervised"))


def _check_row(row: Row, line: int, method: str) -> Iterator[Finding]:
    return _check_preference(row, line) if method == "dpo" else _check_chat(row, line, method)


def _check_chat(row: Row, line: int, method: str) -> Iterator[Finding]:
    if "messages" not in row:
        yield _other_format(row, line)
        return
    for key in sorted(row.keys() - CHAT_KEYS) if method == "supervised" else []:  # graders read the other keys
        yield finding("preference_row" if key in OUTPUTS else "extra_key", line, f"The row has a key {key!r}.", key=key)
    yield from _check_conversation(row, line, method)


def _other_format(row: Row, line: int) -> Finding:
    if row.keys() >= {"prompt", "completion"}:
        return finding("prompt_completion", line, "The row has prompt and completion.")
    if row.keys() & set(OUTPUTS):
        return finding("preference_row", line, "The row has preferred outputs.")
    for key, name in OTHER_FORMATS.items():
        if key in row:
            return finding("other_format", line, f"The row has the key {key!r}, as {name} rows do.", key=key)
    keys = ", ".join(map(repr, list(row)[:5])) or "no keys"
    fix = "Put all messages of a conversation in one list on one line." if "role" in row else ""
    return finding("no_messages", line, f'The row has no "messages" ({keys}).', key="messages", fix=fix)


def _check_preference(row: Row, line: int) -> Iterator[Finding]:
    given = row.get("input")
    if not row.keys() & {"input", *OUTPUTS}:
        yield finding("chat_row", line, "The row has messages.") if "messages" in row else _other_format(row, line)
        return
    for key in sorted(row.keys() - {"input", *OUTPUTS}):
        yield finding("chat_row" if key == "messages" else "extra_key", line, f"The row has a key {key!r}.", key=key)
    if isinstance(given, dict):
        for key in sorted(given.keys() - (CHAT_KEYS - {"functions"})):
            yield finding("extra_key", line, f"input has a key {key!r}.", key=f"input.{key}")
        yield from _within("input", _check_conversation(given, line, "dpo"))
    else:
        what = f"input is {kind(given)}." if "input" in row else "The row has no input."
        yield finding("no_preference", line, what, key="input")
    for name in OUTPUTS:
        yield from _within(name, _check_output(row, name, given, line))
    better, worse = (row.get(name) for name in OUTPUTS)
    if better and better == worse:
        yield finding("same_outputs", line, "The preferred output and the other are the same.", key=OUTPUTS[0])


def _check_output(row: Row, name: str, given: Any, line: int) -> Iterator[Finding]:
    output = row.get(name)
    if name not in row:
        yield finding("no_preference", line, f"The row has no {name}.")
    elif not isinstance(output, list):
        yield finding("bad_output", line, f"{name} is {kind(output)}.")
    elif len(output) != 1:
        yield finding("bad_output", line, f"{name} has {len(output)} messages.")
    elif isinstance(output[0], dict) and output[0].get("role") in sorted(ROLES - {"assistant"}):
        yield finding("bad_output", line, f"{name} is from {output[0]['role']!r}.", message=1, key="role")
    else:
        yield from check_messages(output, line, "dpo")
        yield from check_calls(output, given.get("tools") if isinstance(given, dict) else None, line)


def _within(name: str, found: Iterator[Finding]) -> Iterator[Finding]:
    for one in found:
        yield one._replace(key=f"{name}.{one.key}" if one.key else name)


def _check_conversation(holder: Row, line: int, method: str) -> Iterator[Finding]:
    """What is wrong with messages and the tools beside them."""
    messages = holder.get("messages")
    if not isinstance(messages, list) or not messages:
        what = f"messages is {kind(messages)}." if "messages" in holder else "There are no messages."
        yield finding("no_messages", line, what, key="messages")
        return
    yield from check_messages(messages, line, method)
    yield from _check_order(messages, line, method)
    yield from check_tools(holder, line)
    yield from check_calls(messages, holder.get("tools"), line)


def _check_order(messages: list[Any], line: int, method: str) -> Iterator[Finding]:
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    last = f"The last message is from {roles[-1]!r:.40}."
    if method == "supervised":
        yield from _check_answers(messages, roles, last, line)
    elif roles[-1] not in (("user",) if method == "reinforcement" else ("user", "tool", "function")):
        yield finding("last_not_user", line, last, message=len(messages))
    for place, role in enumerate(roles[1:], start=2):
        if role in ("system", "developer") and roles[0] not in ("system", "developer"):
            yield finding("system_not_first", line, f"The {role} message is message {place}.", message=place)
    speakers = [role for role in roles if role in ("user", "assistant")]
    if speakers and speakers[0] == "assistant" and "user" in speakers:
        yield finding("assistant_first", line, "The assistant speaks before the user.")


def _check_answers(messages: list[Any], roles: list[Any], last: str, line: int) -> Iterator[Finding]:
    answers = [message for message, role in zip(messages, roles, strict=True) if role == "assistant"]
    if not answers:
        yield finding("no_assistant", line, f"The row holds {', '.join(sorted({str(role) for role in roles}))} only.")
    elif roles[-1] != "assistant":
        yield finding("last_not_assistant", line, last, message=len(messages))
    elif all(answer.get("weight") == 0 and answer.get("weight") is not False for answer in answers):
        yield finding("no_answer_counts", line, "Every assistant message has weight 0.", key="weight")
