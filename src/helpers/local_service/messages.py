"""Chat messages as training files and chat requests carry them: roles, and content as a string or a list of parts."""

from __future__ import annotations

from typing import Any

ROLES = ("system", "developer", "user", "assistant", "tool")


def plain_text(content: Any) -> str:
    """The words of a message's content: a string, or a list of {"type": "text", "text": …} parts put together.

    Raises ValueError, saying what is wrong, for anything else: the bases read text only.
    """
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        text = "".join(_part_text(part) for part in content)
    else:
        raise ValueError(f"content must be a string or a list of text parts, not {_kind(content)}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("content holds half of a surrogate pair (\\ud800 to \\udfff), which is not a character")
    return text


def _part_text(part: Any) -> str:
    if not isinstance(part, dict):
        raise ValueError(f'a list of content holds {_kind(part)}; each part must be {{"type": "text", "text": …}}')
    if part.get("type") in ("image_url", "input_audio", "file"):
        raise ValueError(f"content holds a part of type {part['type']!r}; the local service's models read text only")
    if part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise ValueError('a content part must be {"type": "text", "text": …}')
    return part["text"]


def _kind(value: Any) -> str:
    """What a JSON value is called."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
