"""One line of a training file: its bytes, its JSON, and the schema of a chat example."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator
from typing import Any

from helpers.checks.findings import Finding, finding

BOM = "\ufeff"
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
MEANT = {
    "human": "user",
    "customer": "user",
    "bot": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "ai": "assistant",
}
ROW_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
MESSAGE_KEYS = {
    "assistant": {"role", "content", "name", "weight", "tool_calls", "function_call", "refusal"},
    "tool": {"role", "content", "name", "tool_call_id"},
}
OTHER_FORMATS = {"conversations": "ShareGPT", "instruction": "Alpaca", "dialogue": "dialogue"}
Row = dict[str, Any]


def parse_line(line: bytes, number: int, is_last: bool) -> tuple[Row | None, list[Finding]]:
    """Return the row on this line, or None, and what is wrong with its bytes and its JSON. Never raises."""
    found: list[Finding] = []
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"Byte 0x{line[error.start]:02x} at position {error.start} is not UTF-8."
        found.append(finding("not_utf8", number, what))
        text = line.decode("cp1252", "replace")
    if text.startswith(BOM):
        found.append(finding("bom", number, "The line begins with a byte order mark."))
        text = text.lstrip(BOM)
    text = text.strip()
    repeated: list[str] = []
    strange: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> Row:
        made = dict(items)
        if len(made) < len(items):
            keys = [key for key, _ in items]
            repeated.extend(key for key in made if keys.count(key) > 1)
        return made

    try:
        row = json.loads(text, object_pairs_hook=pairs, parse_constant=strange.append)
    except (ValueError, RecursionError) as error:
        return None, [*found, _broken(text, number, is_last, error)]
    found += [finding("duplicate_key", number, f"The key {key!r} stands twice.", key=key) for key in repeated]
    found += [finding("not_json_value", number, f"The line holds {word}.") for word in strange[:1]]
    if isinstance(row, list):
        return None, [*found, finding("json_array", number, "The line is a JSON list.")]
    if not isinstance(row, dict):
        return None, [*found, finding("not_an_object", number, f"The line is {_kind(row)}.")]
    return row, found


def _broken(text: str, number: int, is_last: bool, error: Exception) -> Finding:
    start = f"The line begins with {text[:30]!r}"
    if not text.startswith("{"):
        if text.startswith("["):
            return finding("json_array", number, f"{start}, as a JSON list does.")
        return finding("not_an_object", number, f"{start}.")
    if isinstance(error, RecursionError):
        return finding("invalid_json", number, "Lists or objects are nested too deep to be read.")
    what, ended = f"{error}.", False
    if isinstance(error, json.JSONDecodeError):
        what, ended = f"{error.msg} (column {error.colno}).", error.pos >= len(text)
    if ended or "Unterminated string" in what:
        if is_last:
            return finding("truncated", number, f"The file ends in the middle of an object: {what}")
        what = f"The line ends in the middle of an object, as when it is pretty-printed: {what}"
    elif _is_python(text):
        what = "This is Python's way to print a dict (single quotes, True, None), not JSON."
    elif "“" in text[:20] or "”" in text[:40]:
        what = "Curly quotation marks stand where JSON needs straight ones."
    elif "Extra data" in what:
        what = "Something follows the object; there may be several on the line."
    elif "delimiter" in what or "property name" in what:
        what = f"{what} A comma or quotation mark is missing or too many."
    return finding("invalid_json", number, what)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # Python has a word to say about odd escapes
            return len(text) < 200_000 and isinstance(ast.literal_eval(text), dict)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def check_row(row: Row, line: int) -> Iterator[Finding]:
    """Yield what is wrong with the form of one example: its keys, its messages, their order. Never raises."""
    messages = row.get("messages")
    if "messages" not in row:
        yield _other_format(row, line)
        return
    for key in sorted(row.keys() - ROW_KEYS):
        code = "preference_row" if key.endswith("preferred_output") else "extra_key"
        yield finding(code, line, f"The row has a key {key!r}.", key=key)
    if not isinstance(messages, list) or not messages:
        yield finding("no_messages", line, f"messages is {_kind(messages)}.", key="messages")
        return
    for place, message in enumerate(messages, start=1):
        if isinstance(message, dict):
            for found in _check_message(message, line):
                yield found._replace(message=place)
        else:
            yield finding("message_not_object", line, f"The message is {_kind(message)}.", message=place)
    whole = [message for message in messages if isinstance(message, dict)]
    yield from _check_order(whole, line)
    yield from _check_tools(row, messages, line)


def _other_format(row: Row, line: int) -> Finding:
    if row.keys() >= {"prompt", "completion"}:
        return finding("prompt_completion", line, "The row has prompt and completion.")
    if row.keys() & {"preferred_output", "non_preferred_output"}:
        return finding("preference_row", line, "The row has preferred outputs.")
    for key, name in OTHER_FORMATS.items():
        if key in row:
            return finding("other_format", line, f"The row has the key {key!r}, as {name} rows do.", key=key)
    keys = ", ".join(map(repr, list(row)[:5])) or "no keys"
    return finding("no_messages", line, f'The row has no "messages" ({keys}).', key="messages")


def _check_message(message: Row, line: int) -> Iterator[Finding]:
    role = message.get("role")
    if "role" not in message:
        yield finding("no_role", line, "The message does not say who speaks.", key="role")
    elif not isinstance(role, str) or role not in ROLES:
        meant = str(role).lower() if str(role).lower() in ROLES else MEANT.get(str(role).lower())
        fix = f"Write {meant!r}." if meant else ""
        yield finding("unknown_role", line, f"The role is {role!r:.40}.", key="role", fix=fix)
    role = role if isinstance(role, str) else ""
    for key in sorted(message.keys() - MESSAGE_KEYS.get(role, {"role", "content", "name"})):
        if key == "weight":
            yield finding("weight_not_assistant", line, f"A {role} message has a weight.", key=key)
        elif role in ROLES:
            fix = f"Write {key.lower()!r}." if key.lower() in ("role", "content") else ""
            yield finding("unknown_key", line, f"The message has a key {key!r}.", key=key, fix=fix)
    if role == "assistant" and "weight" in message:
        weight = message["weight"]
        if isinstance(weight, bool) or not isinstance(weight, int) or weight not in (0, 1):
            yield finding("bad_weight", line, f"The weight is {json.dumps(weight)[:40]}.", key="weight")
    yield from _check_content(message, role, line)


def _check_content(message: Row, role: str, line: int) -> Iterator[Finding]:
    content = message.get("content")
    calls = role == "assistant" and bool(
        message.get("tool_calls") or message.get("function_call") or message.get("refusal")
    )
    if content is None:
        if not calls:
            what = "content is null." if "content" in message else "The message has no content."
            yield finding("no_content", line, what, key="content")
    elif isinstance(content, str):
        if not content.strip() and not calls:
            code = "empty_answer" if role == "assistant" else "empty_text"
            yield finding(code, line, f"The {role or 'message'}'s text is empty.", key="content")
    elif isinstance(content, list) and content:
        for place, part in enumerate(content):
            if not _is_part(part, role):
                yield finding("bad_content", line, f"Part {place + 1} is {_kind(part)}.", key=f"content[{place}]")
    else:
        yield finding("bad_content", line, f"content is {_kind(content)}.", key="content")


def _is_part(part: Any, role: str) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "image_url":
        image = part.get("image_url")
        return role == "user" and isinstance(image, dict) and isinstance(image.get("url"), str)
    return part.get("type") == "text" and isinstance(part.get("text"), str)


def _check_order(messages: list[Row], line: int) -> Iterator[Finding]:
    roles = [message.get("role") for message in messages]
    answers = [message for message in messages if message.get("role") == "assistant"]
    if not messages:
        return
    if not answers:
        what = f"The row holds {', '.join(sorted({str(role) for role in roles}))} only."
        yield finding("no_assistant", line, what)
    elif roles[-1] != "assistant":
        yield finding("last_not_assistant", line, f"The last message is from {roles[-1]!r:.40}.", message=len(messages))
    elif all(answer.get("weight") == 0 and answer.get("weight") is not False for answer in answers):
        yield finding("no_answer_counts", line, "Every assistant message has weight 0.", key="weight")
    for place, role in enumerate(roles[1:], start=2):
        if role in ("system", "developer") and roles[0] not in ("system", "developer"):
            yield finding("system_not_first", line, f"The {role} message is message {place}.", message=place)
    speakers = [role for role in roles if role in ("user", "assistant")]
    if speakers and speakers[0] == "assistant" and "user" in speakers:
        yield finding("assistant_first", line, "The assistant speaks before the user.")


def _check_tools(row: Row, messages: list[Any], line: int) -> Iterator[Finding]:
    """Calls and their answers. A call in the last message is a right training target and needs no answer."""
    tools = row.get("tools")
    if tools is not None and not (isinstance(tools, list) and all(map(_is_tool, tools))):
        yield finding("bad_tools", line, "tools is not a list of functions.", key="tools")
    open_calls: dict[str, int] = {}
    called = False
    for place, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            continue
        if message.get("role") == "tool":
            answered = message.get("tool_call_id")
            if not isinstance(answered, str) or answered not in open_calls:
                what = f"No call before it has the id {answered!r:.40}."
                yield finding("tool_without_call", line, what, message=place, key="tool_call_id")
            else:
                del open_calls[answered]
            continue
        if message.get("role") != "assistant":
            yield from (_unanswered(line, at, name) for name, at in open_calls.items())
            open_calls = {}
        calls = message.get("tool_calls")
        if message.get("role") != "assistant" or calls is None:
            continue
        called = True
        listed: list[Any] = calls if isinstance(calls, list) and calls else [None]
        for call in listed:
            if not _is_call(call):
                what = "A call lacks a part or has one of the wrong kind."
                yield finding("bad_tool_call", line, what, message=place, key="tool_calls")
                continue
            if not _is_json(call["function"]["arguments"]):
                what = f"The arguments of {call['function']['name']!r:.60} are not JSON."
                yield finding("bad_arguments", line, what, message=place, key="tool_calls")
            open_calls[call["id"]] = place
    yield from (_unanswered(line, at, name) for name, at in open_calls.items() if at != len(messages))
    if called and not row.get("tools"):
        yield finding("tools_not_declared", line, "The assistant calls tools and the row has none.", key="tools")


def _unanswered(line: int, place: int, name: str) -> Finding:
    what = f"The call {name!r:.40} has no tool message."
    return finding("tool_call_unanswered", line, what, message=place, key="tool_calls")


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and isinstance(call.get("id"), str)
        and call.get("type", "function") == "function"
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments"), str)
    )


def _is_tool(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str) and tool.get("type") == "function"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return "an empty list" if value == [] else names.get(type(value), "a number")
