"""Training files of method dpo: what can be wrong with a line, and its pairs as the training reads them.

A line is {"input": {"messages": […]}, "preferred_output": [message], "non_preferred_output": [message]}: a conversation
that the assistant is to answer, an answer that somebody preferred, and one that they did not (OpenAI's guide to direct
preference optimization, 2024-2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .formats import Fault, message_fault, read_lines
from .messages import plain_text

OUTPUTS = ("preferred_output", "non_preferred_output")
INPUT_KEYS = {"messages", "tools", "parallel_tool_calls"}
SHAPE = 'Expected {"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}.'
ONE_ANSWER = 'Expected [{"role": "assistant", "content": "the answer"}].'


@dataclass(frozen=True)
class Pair:
    """A conversation and two answers to it, all with plain-text contents."""

    messages: list[dict[str, Any]]
    preferred: dict[str, Any]
    non_preferred: dict[str, Any]


def pair_fault(example: Any, index: int, control_tokens: tuple[str, ...]) -> Fault | None:
    """What is wrong with line `index` of a preference file, or None."""
    name = f"Example {index}"
    if not isinstance(example, dict):
        return Fault(f"{name} is not a dictionary.", SHAPE)
    for key in ("input", *OUTPUTS):
        if key not in example:
            return Fault(f"{name} is missing key '{key}'.", _instead_of_pair(example))
    extra = sorted(example.keys() - {"input", *OUTPUTS})
    if extra:
        return Fault(f'{name} contains an extra "{extra[0]}".', "A pair holds an input and two outputs, nothing else.")
    fault = _input_fault(example["input"], name, control_tokens)
    for key in OUTPUTS:
        fault = fault or _output_fault(example[key], f"{name}, {key}", control_tokens)
    if fault is None and _text(example[OUTPUTS[0]]) == _text(example[OUTPUTS[1]]):
        return Fault(f"{name}: both outputs are the same.", "There is nothing to prefer; leave the pair out.")
    return fault


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file in which no line has a `pair_fault`."""
    for example in read_lines(path):
        preferred, non_preferred = ({"role": "assistant", "content": _text(example[key])} for key in OUTPUTS)
        messages = [{**message, "content": plain_text(message["content"])} for message in example["input"]["messages"]]
        yield Pair(messages, preferred, non_preferred)


def _instead_of_pair(example: dict[str, Any]) -> str:
    if "messages" in example:
        return f"It looks like a supervised example, which is for method supervised. {SHAPE}"
    if {"prompt", "chosen", "rejected"} & example.keys():
        return f"prompt, chosen and rejected are other tools' names. {SHAPE}"
    return SHAPE


def _input_fault(given: Any, name: str, control_tokens: tuple[str, ...]) -> Fault | None:
    if not isinstance(given, dict) or not isinstance(given.get("messages"), list) or not given["messages"]:
        return Fault(f"{name}: input has no messages.", 'Expected "input": {"messages": […]}.')
    extra = sorted(given.keys() - INPUT_KEYS)
    if extra:
        return Fault(f'{name}: input contains an extra "{extra[0]}".', "An input holds nothing but messages.")
    if given.get("tools"):
        return Fault(f'{name}: input contains "tools".', "The local service does not train on tools with method dpo.")
    for position, message in enumerate(given["messages"], start=1):
        fault = message_fault(message, f"{name}, input message {position}", control_tokens)
        if fault is not None:
            return fault
    if given["messages"][-1]["role"] == "assistant":
        return Fault(f"{name}: the input ends with an assistant message.", "Its answers stand in the two outputs.")
    return None


def _output_fault(given: Any, name: str, control_tokens: tuple[str, ...]) -> Fault | None:
    if not isinstance(given, list) or len(given) != 1:
        return Fault(f"{name} must be a list with one message.", ONE_ANSWER)
    fault = message_fault(given[0], f"{name} message 1", control_tokens)
    if fault is None and given[0]["role"] != "assistant":
        return Fault(f"{name}: the message must be from the assistant.", ONE_ANSWER)
    return fault


def _text(output: list[dict[str, Any]]) -> str:
    return plain_text(output[0]["content"])
