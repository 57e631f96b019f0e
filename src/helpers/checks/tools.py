"""Tool calls: their form, their answers, and the tools that a row declares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from helpers.checks.findings import Finding, finding


def check_tools(holder: dict[str, Any], line: int) -> Iterator[Finding]:
    """Yield what is wrong with the tools that stand beside messages."""
    for key, is_right, what in (
        ("tools", lambda tools: isinstance(tools, list) and all(map(_is_tool, tools)), "a list of functions"),
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
    if called and not declared:
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
