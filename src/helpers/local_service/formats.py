"""Training files: what is wrong with them, found in the two places where OpenAI finds it.

At upload `check_json_lines` looks at the shape of the lines only. When a job validates its files `check_training_file`
reads every example. Every message names the line, and ends with what to do about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import invalid
from .messages import ROLES, plain_text
from .tools import check_messages, check_tools, read_tool_calls

BOM = b"\xef\xbb\xbf"
EXAMPLE_KEYS = {"messages", "tools", "parallel_tool_calls"}
OLD_KEYS = {"functions", "function_call"}
TOOL_KEYS = {*OLD_KEYS, "tool_calls", "tool_call_id"}
TOOL_KEYS_OF_ROLE = {"assistant": {"tool_calls"}, "tool": {"tool_call_id"}}
MESSAGE_KEYS = {"role", "content", "name", "weight"}


@dataclass(frozen=True)
class Fault:
    """Something wrong with one example: OpenAI's sentence, and how to mend it."""

    message: str
    fix: str


FindFault = Callable[[Any, int, tuple[str, ...]], Fault | None]  # (example, its number, control tokens)


@dataclass(frozen=True)
class JobError:
    """What a failed job reports as `error`."""

    code: str
    message: str
    param: str | None


def check_json_lines(path: Path) -> int:
    """Count the lines that are not blank. Raises ApiError 400 at the first that cannot be a JSON dictionary.

    Like OpenAI's upload check this looks at the ends of the line, not inside: a missing comma is found by the job.
    """
    count = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            line = line.removeprefix(BOM).strip() if number == 1 else line.strip()
            if not line:
                continue
            if not (line.startswith(b"{") and line.endswith(b"}")):
                hint = line[:30].decode("utf-8", "replace")
                raise invalid(
                    "Expected file to have JSONL format, where every line is a JSON dictionary. Line "
                    f'{number} is not a dictionary (HINT: line starts with: "{hint}..."). Write each example with '
                    "json.dumps(example) on a line of its own: no list around them, no commas between them, no line "
                    "breaks inside them."
                )
            count += 1
    if not count:
        raise invalid("The file is empty. Expected one JSON dictionary per line.")
    return count


def check_training_file(
    path: Path, param: str, find_fault: FindFault, control_tokens: tuple[str, ...], least: int
) -> JobError | None:
    """The reason why a job cannot use this file, or None.

    `param` is training_file or validation_file; `find_fault` knows the method's examples; `control_tokens` are texts
    that no message may contain; `least` is the number of examples there must be. Every example is checked, and the
    message tells how many are at fault.
    """
    examples, faulty, first = 0, [], None
    for number, line in _lines(path):
        examples += 1
        fault = _line_fault(line, examples, number, find_fault, control_tokens)
        if fault is not None:
            faulty.append(number)
            first = first or fault
    which = param.replace("_", " ")
    if first is not None:
        others = ", ".join(map(str, faulty[1:6])) + (" and others" if len(faulty) > 6 else "")
        more = f" {len(faulty) - 1} more of the {examples} lines have faults: {others}." if len(faulty) > 1 else ""
        message = f"The job failed due to a file format error in the {which}. Invalid file format. "
        return JobError("invalid_file_format", f"{message}{first.message} {first.fix}{more}", param)
    if examples < least:
        message = f"{which.capitalize()} has {examples} example(s), but must have at least {least} examples."
        return JobError("invalid_n_examples", f"{message} Add {least - examples} or more, each of its own kind.", param)
    return None


def read_examples(path: Path) -> Iterator[dict[str, Any]]:
    """The examples of a supervised file that passed `check_training_file`, with plain-text contents."""
    for example in read_lines(path):
        yield {"messages": [_as_trained(message) for message in example["messages"]], "tools": example.get("tools")}


def _as_trained(message: dict[str, Any]) -> dict[str, Any]:
    """A message with plain text for its content, and the arguments of its calls as objects."""
    read = {**message, "content": plain_text(message.get("content") or "")}
    if message.get("tool_calls"):
        read["tool_calls"] = read_tool_calls(message["tool_calls"])
    return read


def read_lines(path: Path) -> Iterator[Any]:
    """What the lines of a file hold in which every line is JSON."""
    for _, line in _lines(path):
        yield json.loads(line)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.strip()


def _line_fault(
    line: bytes, index: int, number: int, find_fault: FindFault, control_tokens: tuple[str, ...]
) -> Fault | None:
    unparsed = f"Example {index} cannot be parsed. Error:"
    if line.startswith(BOM):
        return Fault(
            f"{unparsed} line contains invalid json: Unexpected UTF-8 BOM (decode using utf-8-sig) (line {number}).",
            'Save the file as UTF-8 without a byte order mark: open(path, "w", encoding="utf-8").',
        )
    try:
        example = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Fault(
            f"{unparsed} line is not UTF-8: byte 0x{line[error.start]:02x} at position {error.start} (line {number}).",
            'Read it in the encoding it was written in, often cp1252, and write it with encoding="utf-8".',
        )
    except (ValueError, RecursionError) as error:
        return Fault(
            f"{unparsed} line contains invalid json: {error} (line {number}).",
            "Write each example with json.dumps(example); it places commas, quotes, true and null for you.",
        )
    return find_fault(example, index, control_tokens)


def chat_fault(example: Any, index: int, control_tokens: tuple[str, ...]) -> Fault | None:
    """What is wrong with line `index` of a supervised file, or None."""
    name = f"Example {index}"
    if not isinstance(example, dict):
        return Fault(f"{name} is not a dictionary.", 'Expected {"messages": […]}.')
    if "messages" not in example:
        return Fault(f'{name} is missing key "messages".', _instead_of_messages(example))
    extra = sorted(example.keys() - EXAMPLE_KEYS)
    if extra:
        if extra[0] in OLD_KEYS:
            return Fault(f'{name} contains "{extra[0]}".', "That is the old form: write tools, and tool_calls.")
        return Fault(f'{name} contains an extra "{extra[0]}".', "An example holds messages, and tools if need be.")
    if example.get("tools") not in (None, []):  # OpenAI's own examples hold an empty list
        fault = _tools_fault(example["tools"], name, control_tokens)
        if fault is not None:
            return fault
    messages = example["messages"]
    if not isinstance(messages, list) or not messages:
        return Fault(f"{name} has no messages.", "messages is a list that ends with an assistant message.")
    for position, message in enumerate(messages, start=1):
        fault = message_fault(message, f"{name}, message {position}", control_tokens, with_tools=True)
        if fault is not None:
            return fault
    try:
        check_messages(messages)
    except ValueError as error:
        return Fault(f"{name}: {error}.", "Each call is answered by a tool message right behind it.")
    if messages[-1]["role"] != "assistant":
        return Fault(f"{name}: last message must be from the assistant.", "It is the answer that the model learns.")
    if all(message.get("weight") == 0 for message in messages if message["role"] == "assistant"):
        return Fault(f"{name}: every assistant message has weight 0.", "Give weight 1 to what the model should learn.")
    return None


def _instead_of_messages(example: dict[str, Any]) -> str:
    if {"prompt", "completion"} & example.keys():
        return (
            "Prompt/completion pairs are for old completion models; write "
            '{"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]}.'
        )
    if "preferred_output" in example or "input" in example:
        return "It looks like a preference pair, which is for method dpo; supervised examples hold messages."
    if "role" in example:
        return "It looks like a single message; put all messages of a conversation in one list on one line."
    return 'Expected {"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}.'


def _tools_fault(tools: Any, name: str, control_tokens: tuple[str, ...]) -> Fault | None:
    try:
        check_tools(tools)
    except ValueError as error:
        return Fault(f"{name}: {error}.", "Write tools as chat completions take them.")
    return _token_fault(json.dumps(tools, ensure_ascii=False), f"{name}, tools", control_tokens)


def message_fault(
    message: Any, name: str, control_tokens: tuple[str, ...], *, with_tools: bool = False
) -> Fault | None:
    """What is wrong with a message that is called `name`, or None. `with_tools`: it may call tools or answer them."""
    if not isinstance(message, dict):
        return Fault(f"{name} is not a dictionary.", 'Expected {"role": …, "content": …}.')
    if "role" not in message:
        return Fault(f"{name} Discriminator 'role' is missing in value.", f"Add a role: {', '.join(ROLES)}.")
    role = message["role"]
    if role not in ROLES:
        return Fault(f"{name}: role {role!r} is not one of {', '.join(ROLES)}.", "Write it in lower case, as here.")
    tool_key = next((key for key in sorted(message) if key in TOOL_KEYS), None)
    if not with_tools and (tool_key or role == "tool"):
        return Fault(
            f'{name} uses "{tool_key or role}".', "The local service does not train on tools with this method."
        )
    extra = sorted(message.keys() - MESSAGE_KEYS - TOOL_KEYS_OF_ROLE.get(role, set()))
    if extra or ("weight" in message and role != "assistant"):
        key = extra[0] if extra else "weight"
        return Fault(f'{name} contains an extra "{key}".', "Only assistant messages take a weight; remove other keys.")
    if "weight" in message and (type(message["weight"]) is not int or message["weight"] not in (0, 1)):
        return Fault(f"{name}: Weight must be either 0 or 1.", "Write it as a whole number, not as text or a fraction.")
    if message.get("tool_calls") is None:
        return _content_fault(message, name, control_tokens)
    try:
        read_tool_calls(message["tool_calls"])
        text = plain_text(message.get("content") or "")
    except ValueError as error:
        return Fault(f"{name}: {error}.", "Write calls as chat completions give them.")
    return _token_fault(text + json.dumps(message["tool_calls"], ensure_ascii=False), name, control_tokens)


def _content_fault(message: dict[str, Any], name: str, control_tokens: tuple[str, ...]) -> Fault | None:
    if "content" not in message:
        return Fault(f'{name} is missing key "content".', "Add the words of the message.")
    try:
        text = plain_text(message["content"])
    except ValueError as error:
        return Fault(f"{name}: {error}.", 'Write "content": "the words of the message".')
    if message["role"] == "assistant" and not text.strip():
        return Fault(f"{name} has empty content.", "There is nothing to learn from it; write the answer or drop it.")
    return _token_fault(text, name, control_tokens)


def _token_fault(text: str, name: str, control_tokens: tuple[str, ...]) -> Fault | None:
    token = next((token for token in control_tokens if token in text), None)
    if token is not None:
        return Fault(
            f"{name} contains an invalid token: {token}.",
            "It would end or begin a message for the model; take it out of the text.",
        )
    return None
