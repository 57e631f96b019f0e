"""Tool calls: their form, their answers, and the tools that a row declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from helpers.checks.findings import Finding, finding

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # of a function (OpenAI's API reference, chat completions)
FUNCTIONS = "a list of functions, each with a name of 1 to 64 letters, digits, _ or -, and parameters as an object"


def check_tools(holder: dict[str, Any], line: int) -> Iterator[Finding]:
    """Yield what is wrong with the tools that stand beside messages."""
    for key, is_right, what in (
        ("tools", lambda tools: isinstance(tools, list) and all(map(_is_tool, tools)), FUNCTIONS),
        ("functions", lambda functions: isinstance(functions, list), "a list"),
        ("parallel_tool_calls", lambda flag: isinstance(flag, bool), "true or false"),
    ):
        if key in holder and holder[key] is None:
            yield finding("null_key", line, f"{key} is null.", key=key)
        elif key in holder and not is_right(holder[key]):
            yield finding("bad_tools", line, f"{key} is not {what}.", key=key)


def check_calls(messages: list[Any], declared: Any, line: int) -> Iterator[Finding]:
    """Yield what is wrong with calls and their answers; `declared` are the row's tools.

    A call in the last message is a right training target and needs no answer.
    """
    open_calls: dict[str, int] = {}
    called: set[str] = set()
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
        listed: list[Any] = calls if isinstance(calls, list) and calls else [None]
        for call in listed:
            if not _is_call(call):
                what = "A call lacks a part or has one of the wrong kind."
                yield finding("bad_tool_call", line, what, message=place, key="tool_calls")
                continue
            name = call["function"]["name"]
            if not _is_json_object(call["function"]["arguments"]):
                what = f"The arguments of {name!r} are not a JSON object."
                yield finding("bad_arguments", line, what, message=place, key="tool_calls")
            called.add(name)
            open_calls[call["id"]] = place
    yield from (_unanswered(line, at, name) for name, at in open_calls.items() if at != len(messages))
    known = {tool["function"]["name"] for tool in declared if _is_tool(tool)} if isinstance(declared, list) else set()
    if called - known:
        what = f"The assistant calls {', '.join(sorted(called - known))[:80]}, of which the row's tools say nothing."
        yield finding("tools_not_declared", line, what, key="tools")


def _unanswered(line: int, place: int, name: str) -> Finding:
    what = f"The call {name!r:.40} has no tool message."
    return finding("tool_call_unanswered", line, what, message=place, key="tool_calls")


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and isinstance(call.get("id"), str)
        and call.get("type", "function") == "function"
        and _is_name(function.get("name"))
        and isinstance(function.get("arguments"), str)
    )


def _is_tool(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return (
        isinstance(function, dict)
        and tool.get("type") == "function"
        and _is_name(function.get("name"))
        and isinstance(function.get("parameters"), dict | None)
        and isinstance(function.get("description"), str | None)
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
