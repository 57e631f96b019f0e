"""Request bodies: read as JSON, checked by pydantic models, refused in OpenAI's words. Unknown fields are let be."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ApiError, invalid

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A request body. OpenAI's clients send fields that come and go, so further ones are no error."""

    model_config = ConfigDict(extra="allow")


class MethodSettings(Body):
    hyperparameters: dict[str, Any] | None = None


class Method(Body):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: MethodSettings | None = None
    dpo: MethodSettings | None = None
    reinforcement: MethodSettings | None = None


class CreateJob(Body):
    """POST /fine_tuning/jobs, as openai.types.fine_tuning.JobCreateParams has it."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: str | None = Field(None, min_length=1, max_length=64)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    metadata: dict[str, str] | None = None
    integrations: list[dict[str, Any]] | None = None
    method: Method | None = None
    hyperparameters: dict[str, Any] | None = None


class StreamOptions(Body):
    include_usage: bool = False


class CreateChat(Body):
    """POST /chat/completions, as openai.types.chat.CompletionCreateParams has it, as far as it is offered here."""

    model: str
    messages: list[Any] = Field(min_length=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    stop: str | list[str] | None = None
    n: int | None = Field(None, ge=1, le=128)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None


class NamedSchema(Body):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    schema_: dict[str, Any] | None = Field(None, alias="schema")


class JsonSchemaFormat(Body):
    json_schema: NamedSchema


class HeldChat(Body):
    """A chat whose answer is to follow a schema."""

    response_format: JsonSchemaFormat


class ExpiresAfter(Body):
    """How long after its creation a file is to be deleted, within OpenAI's bounds."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=3600, le=2_592_000)


async def read_json(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object. Raises ApiError 400."""
    return read_object(await request.body())


def read_object(content: bytes) -> dict[str, Any]:
    """What a request says, as a JSON object. Raises ApiError 400."""
    try:
        text = content.decode("utf-8")
        body = json.loads(text)
        if "\\u" in text:
            json.dumps(body, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is not a character
    except (ValueError, RecursionError) as error:
        raise invalid(f"We could not parse the JSON body of your request: {error}.") from error
    if not isinstance(body, dict):
        raise invalid("The body of the request must be a JSON object.")
    return body


def check(model: type[Model], body: dict[str, Any]) -> Model:
    """The body as `model`. Raises ApiError 400 that names the first parameter at fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _refusal(error) from None


def check_metadata(metadata: dict[str, str] | None) -> None:
    """Raise ApiError 400 where metadata is over OpenAI's bounds."""
    if metadata is None:
        return
    if len(metadata) > 16:
        raise invalid("Invalid 'metadata': at most 16 pairs are taken.", "metadata", "invalid_value")
    for key, value in metadata.items():
        if len(key) > 64 or len(value) > 512:
            message = "Invalid 'metadata': keys may have 64 characters and values 512."
            raise invalid(message, "metadata", "invalid_value")


def _refusal(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False, include_context=False)[0]
    places = [place for place in first["loc"] if not (isinstance(place, str) and "[" in place)]
    param = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places).lstrip(".")
    kind = first["type"]
    if kind == "missing":
        return invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if kind.endswith(("_type", "_parsing")) or kind in ("int_from_float", "bool_parsing"):
        return invalid(f"Invalid type for '{param}': {first['msg']}.", param, "invalid_type")
    return invalid(f"Invalid value for '{param}': {first['msg']}.", param, "invalid_value")
