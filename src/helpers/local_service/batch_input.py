"""The input file of a batch: one request a line, checked as a whole before the first is asked.

{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": …, "messages": […]}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ApiError
from .requests import read_object

MOST_REQUESTS = 50_000  # in one batch, as at OpenAI
MOST_REPORTED = 100  # faults that a failed batch tells of


class Fault(NamedTuple):
    """What is wrong with the input, as a failed batch reports it. `code` is OpenAI's where it is known."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class Sound(NamedTuple):
    """An input without faults: how many requests it has, all of them to one model."""

    requests: int
    model: str


def find_faults(path: Path, endpoint: str) -> list[Fault] | Sound:
    """Everything that is wrong with an input file, or what is in it."""
    faults: list[Fault] = []
    seen: set[str] = set()
    models: list[str] = []
    for number, text in _lines(path):
        fault = _fault(text, number, endpoint, seen, models)
        if fault is not None:
            faults.append(fault)
    count = len(seen)
    if not faults and not count:
        faults.append(Fault("empty_file", "The input file has no requests: write one JSON object per line."))
    if count > MOST_REQUESTS:
        faults.append(Fault("too_many_requests", f"A batch may have {MOST_REQUESTS:,} requests; this has {count:,}."))
    return faults or Sound(count, models[0])


def requests_in(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, request) of an input file that was found sound."""
    for number, text in _lines(path):
        yield number, json.loads(text)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.strip()


def _fault(text: bytes, number: int, endpoint: str, seen: set[str], models: list[str]) -> Fault | None:
    """What is wrong with one line; its custom_id goes into `seen`, and the first model into `models`."""
    try:
        asked = read_object(text)
    except ApiError as error:
        return Fault("invalid_json_line", f"This line is not a JSON object. {error.message}", None, number)
    custom_id, body = asked.get("custom_id"), asked.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        return _missing("custom_id", "a text of your own that no other request has", number)
    if custom_id in seen:
        return Fault("duplicate_custom_id", f"An earlier line has the custom_id {custom_id!r}.", "custom_id", number)
    seen.add(custom_id)
    if asked.get("method") != "POST":
        return Fault("invalid_method", 'The method must be "POST".', "method", number)
    if asked.get("url") != endpoint:
        return Fault("invalid_url", f"The url must be the batch's endpoint, {endpoint}.", "url", number)
    if not isinstance(body, dict):
        return _missing("body", "an object with model and messages", number)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        return _missing("body.model", "the name of a model", number)
    if models and model != models[0]:
        message = f"All requests of a batch go to one model: this one asks {model}, the first {models[0]}."
        return Fault("mismatched_model", message, "body.model", number)
    models[:] = [model]
    return None


def _missing(param: str, what: str, number: int) -> Fault:
    return Fault("missing_required_parameter", f"Missing required parameter: '{param}' ({what}).", param, number)
