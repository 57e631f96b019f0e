"""The messages of an example, each by itself: who speaks, the keys, the content, the weight."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from helpers.checks.findings import Finding, finding
from helpers.checks.images import MOST as MOST_IMAGES
from helpers.checks.images import image_fault
from helpers.checks.lines import Row, kind

ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
MEANT = {
    "human": "user",
    "customer": "user",
    "bot": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "ai": "assistant",
}
MESSAGE_KEYS = {
    "assistant": {"role", "content", "name", "weight", "tool_calls", "function_call", "refusal"},
    "tool": {"role", "content", "name", "tool_call_id"},
}
OPTIONAL = {"name", "tool_calls", "function_call", "refusal"}


def check_messages(messages: list[Any], line: int, method: str) -> Iterator[Finding]:
    """Yield what is wrong with each message by itself, and with their images."""
    images = 0
    for place, message in enumerate(messages, start=1):
        if isinstance(message, dict):
            for found in _check_message(message, line, method):
                yield found._replace(message=place)
            content = message.get("content")
            images += sum(map(_is_image, content)) if isinstance(content, list) else 0
        else:
            yield finding("message_not_object", line, f"The message is {kind(message)}.", message=place)
    if images and method != "supervised":
        yield finding("no_images", line, f"The row has {images} of them.", key="content")
    elif images > MOST_IMAGES:
        yield finding("bad_image", line, f"The row has {images} images.", fix=f"Leave {MOST_IMAGES} at most.")


def _check_message(message: Row, line: int, method: str) -> Iterator[Finding]:
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
    if not isinstance(message.get("name", ""), str | None):
        yield finding("bad_name", line, f"The name is {kind(message['name'])}.", key="name")
    for key in sorted(key for key in OPTIONAL if message.get(key, "") is None):
        yield finding("null_key", line, f"{key} is null.", key=key)
    if role == "assistant" and "weight" in message:
        weight = message["weight"]
        if method != "supervised":
            yield finding("unknown_key", line, "Weights are for supervised rows.", key="weight")
        elif isinstance(weight, bool) or not isinstance(weight, int) or weight not in (0, 1):
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
            yield from _check_part(part, role, line, f"content[{place}]")
    else:
        yield finding("bad_content", line, f"content is {kind(content)}.", key="content")


def _check_part(part: Any, role: str, line: int, key: str) -> Iterator[Finding]:
    if _is_image(part):
        if role != "user":
            yield finding("bad_content", line, f"An image is in a message of the {role or 'unknown'}.", key=key)
        elif (fault := image_fault(part)) is not None:
            yield finding("bad_image", line, fault, key=key)
    elif not isinstance(part, dict):
        yield finding("bad_content", line, f"The part is {kind(part)}.", key=key)
    elif part.get("type") != "text" or not isinstance(part.get("text"), str):
        what = f"The part's type is {part.get('type')!r:.40}, its text {kind(part.get('text'))}."
        yield finding("bad_content", line, what, key=key)


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"
