"""Lists as the API gives them: a page of objects, and whether more follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from openai import BaseModel

from ..database import Row, UnknownCursor
from ..errors import invalid


def dump(item: BaseModel) -> dict[str, Any]:
    """An object of the openai package as JSON: the fields that were given, and no others."""
    return item.to_dict(mode="json")


def read_limit(request: Request, default: int, most: int) -> int:
    """The query parameter `limit`. Raises ApiError 400 where it is not a number from 1 to `most`."""
    text = request.query_params.get("limit")
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise invalid(f"Invalid 'limit': {text!r} is not a whole number from 1 to {most}.", "limit", "invalid_value")
    return int(text)


def page(
    find: Callable[[], tuple[list[Row], bool]], show: Callable[[Row], BaseModel], *, ends: bool = False
) -> dict[str, Any]:
    """The list object for what `find` finds; some lists tell their `ends`. An unknown `after` becomes ApiError 400."""
    try:
        rows, more = find()
    except UnknownCursor as error:
        message = f"Invalid 'after': there is no {error.args[0]!r} in this list."
        raise invalid(message, "after", "invalid_value") from None
    data = [dump(show(row)) for row in rows]
    result: dict[str, Any] = {"object": "list", "data": data, "has_more": more}
    if ends:
        result |= (
            {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        )
    return result
