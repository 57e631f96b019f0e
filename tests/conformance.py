"""Whether an answer of the service is one of OpenAI's: parsed strictly, nothing more, nothing less.

The openai package is generated from OpenAI's specification, but its types let fields be missing that the specification
requires, so those are listed here (openai/openai-openapi, commit f85dbe2 of 2026-08-21).

Where OpenAI's own answers leave their specification, the service does as OpenAI does:
- a paused job has the status "paused", which neither the specification nor the package knows;
- an empty list of files has no first and no last file: `first_id` and `last_id` are null, where strings are required;
- a file that was uploaded for "evals" says so, though the specification forgets that purpose in the answer;
- the pieces of a streamed answer but the last have `finish_reason` null, which its list of values leaves out.
Elsewhere it keeps to the specification where OpenAI does not: `error` is null or whole, event `data` an object,
`hyperparameters` an object with every method, and an event's type "message" or "metrics".
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pydantic
from openai.types import FileDeleted, FileObject, Model, ModelDeleted
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

REQUIRED: dict[type, tuple[str, ...]] = {  # beyond what the package's types require
    FineTuningJob: (
        "error", "finished_at", "fine_tuned_model", "trained_tokens", "validation_file", "seed", "hyperparameters",
    ),
    FineTuningJobEvent: (),
    FineTuningJobCheckpoint: (),
    FileObject: ("status",),
    Model: (),
    ChatCompletion: (),
    ChatCompletionChunk: (),
}  # fmt: skip
NAMES = {  # what the specification calls them
    FileObject: "OpenAIFile",
    FileDeleted: "DeleteFileResponse",
    ModelDeleted: "DeleteModelResponse",
    GraderRunResponse: "RunGraderResponse",
    GraderValidateResponse: "ValidateGraderResponse",
    ChatCompletion: "CreateChatCompletionResponse",
    ChatCompletionChunk: "CreateChatCompletionStreamResponse",
}
ERROR_FIELDS = {"message": str, "type": str, "param": (str, type(None)), "code": (str, type(None))}


def check_object(raw: dict[str, Any], kind: type[pydantic.BaseModel]) -> None:
    """Fail unless `raw` is an object of this type of the openai package, with every field it must have and no other."""
    parsed = kind.model_validate_json(json.dumps(raw), strict=True)
    assert extra_fields(parsed) == []
    assert set(REQUIRED.get(kind, ())) <= raw.keys()
    for name, value in raw.items():
        if name in ("created", "created_at", "finished_at", "expires_at", "estimated_finish") and value is not None:
            assert 1_600_000_000 < value < 4_000_000_000, f"{name} is no Unix time in seconds: {value}"
    if kind in (ChatCompletion, ChatCompletionChunk):
        for choice in raw["choices"]:
            assert {"index", "finish_reason", "logprobs"} <= choice.keys()
            assert kind is ChatCompletionChunk or {"role", "content", "refusal"} <= choice["message"].keys()
    _check_by_specification(raw, kind)


def check_list(raw: dict[str, Any], kind: type[pydantic.BaseModel], *, ends: bool = False, pages: bool = True) -> None:
    """Fail unless `raw` is a list object of such objects; `ends`: with first_id and last_id; `pages`: with has_more."""
    expected = {"object", "data"} | ({"has_more"} if pages else set()) | ({"first_id", "last_id"} if ends else set())
    assert raw.keys() == expected
    assert raw["object"] == "list" and (not pages or type(raw["has_more"]) is bool)
    ids = [item["id"] for item in raw["data"]]
    assert len(set(ids)) == len(ids)
    if ends:
        assert (raw["first_id"], raw["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    for item in raw["data"]:
        check_object(item, kind)


def check_error(raw: Any) -> None:
    """Fail unless `raw` is an error body: one error with message, type, param and code."""
    assert isinstance(raw, dict) and raw.keys() == {"error"}
    assert raw["error"].keys() == ERROR_FIELDS.keys()
    for name, types in ERROR_FIELDS.items():
        assert isinstance(raw["error"][name], types), (name, raw["error"])
    assert raw["error"]["message"].strip() and "Traceback" not in raw["error"]["message"]


def extra_fields(value: Any, path: str = "") -> list[str]:
    """Where an object of the openai package holds fields that its type does not have."""
    if isinstance(value, pydantic.BaseModel):
        found = [f"{path}.{name}" for name in value.model_extra or {}]
        inside = [(name, getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, list):
        found, inside = [], list(enumerate(value))
    else:
        return []
    return found + [extra for name, item in inside for extra in extra_fields(item, f"{path}.{name}")]


def _check_by_specification(raw: dict[str, Any], kind: type[pydantic.BaseModel]) -> None:
    """Hold `raw` against OpenAI's own schemas too, where OPENAI_OPENAPI names a file with them (JSON)."""
    path = os.environ.get("OPENAI_OPENAPI")
    if not path or raw.get("status") == "paused" or raw.get("purpose") == "evals" or kind is ChatCompletionChunk:
        return
    import jsonschema

    specification = json.loads(Path(path).read_text(encoding="utf-8"))
    name = NAMES.get(kind, kind.__name__)
    if name not in specification["components"]["schemas"]:
        return  # a file with a part of the specification
    jsonschema.validate(raw, {"$ref": f"#/components/schemas/{name}", "components": specification["components"]})
