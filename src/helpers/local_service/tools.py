"""Tools in conversations: their shapes as OpenAI's API has them, and calls read out of an answer.

Models see tools as text, in the form of the Hermes models, which vLLM reads too (--tool-call-parser hermes): the system
message lists the functions, and a call is <tool_call>{"name": …, "arguments": {…}}</tool_call>, one a line. The chat
template writes it (chat_template.jinja); the text needs no tokens of its own.
"""

from __future__ import annotations

import json
import re
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
OPENING, CLOSING = "<tool_call>", "</tool_call>"
CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>\s*", re.DOTALL)
TOOL_SHAPE = '{"type": "function", "function": {"name": …, "description": …, "parameters": {…}}}'
CALL_SHAPE = '{"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}'


def check_tools(tools: Any) -> None:
    """Raise ValueError, saying where and what, where this is no list of functions as `tools` holds them."""
    if not isinstance(tools, list) or not tools:
        raise ValueError(f"tools must be a list of {TOOL_SHAPE}")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict):
            raise ValueError(f"tools[{index}] must be {TOOL_SHAPE}")
        if not _is_name(function.get("name")):
            raise ValueError(f"tools[{index}].function.name must have 1 to 64 letters, digits, underscores or hyphens")
        if not isinstance(function.get("parameters"), dict | None):
            raise ValueError(f"tools[{index}].function.parameters must be a JSON schema, which is an object")
        if not isinstance(function.get("description") or "", str):
            raise ValueError(f"tools[{index}].function.description must be a string")


def check_messages(messages: list[dict[str, Any]]) -> None:
    """Raise ValueError where calls are not answered by the tool messages right behind them, or these answer nothing."""
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            answered = message.get("tool_call_id")
            if not isinstance(answered, str) or answered not in open_calls:
                raise ValueError(f"message {index + 1} has role tool, but its tool_call_id is that of no open call")
            open_calls.remove(answered)
            continue
        if open_calls:
            raise ValueError(f"message {index + 1} comes before the tool message that answers {min(open_calls)}")
        open_calls = {call["id"] for call in message.get("tool_calls") or []}


def read_tool_calls(calls: Any) -> list[dict[str, Any]]:
    """The calls of an assistant message with their arguments as objects, as templates take them.

    Raises ValueError, saying what is wrong.
    """
    if not isinstance(calls, list) or not calls:
        raise ValueError(f"tool_calls must be a list of {CALL_SHAPE}")
    return [_read_call(call, f"tool_calls[{index}]") for index, call in enumerate(calls)]


def _read_call(call: Any, where: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) and call.get("type", "function") == "function" else None
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        raise ValueError(f"{where} must be {CALL_SHAPE}")
    if not _is_name(function.get("name")):
        raise ValueError(f"{where}.function.name must have 1 to 64 letters, digits, underscores or hyphens")
    try:
        arguments = json.loads(function["arguments"])
    except (KeyError, TypeError, ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ValueError(f"{where}.function.arguments must be a string that holds a JSON object")
    return {"id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def call_schema(tools: list[dict[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a call of one of these tools."""
    functions = [tool["function"] for tool in tools]
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "name": {"const": function["name"]},
                    "arguments": {"type": "object", **(function.get("parameters") or {})},
                },
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for function in functions
        ]
    }


def calls_in(answer: str) -> list[dict[str, str]] | None:
    """The calls {"name", "arguments": JSON text} that an answer consists of; None where it is not calls alone."""
    text, calls, at = answer.strip(), [], 0
    while at < len(text):
        found = CALL.match(text, at)
        if found is None:
            return None
        try:
            call = json.loads(found[1])
        except (ValueError, RecursionError):
            return None
        if not _is_name(call.get("name")) or not isinstance(call.get("arguments"), dict):
            return None
        calls.append({"name": call["name"], "arguments": json.dumps(call["arguments"], ensure_ascii=False)})
        at = found.end()
    return calls or None


def could_be_calls(beginning: str) -> bool:
    """Whether an answer that begins so may yet turn out to be calls."""
    text = beginning.lstrip()
    return text.startswith(OPENING) or OPENING.startswith(text)
