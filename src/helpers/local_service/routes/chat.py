"""/v1/chat/completions: answers, whole or streamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ..catalogue import ServedModel
from ..context import ServiceOf
from ..errors import ApiError, invalid, not_offered
from ..ids import new_id
from ..messages import ROLES, plain_text
from ..requests import CreateChat, check, read_json
from ..store import now
from .listing import dump

router = APIRouter(prefix="/v1/chat/completions")

Replies = AsyncGenerator[dict[str, Any], None]
DISCONNECT_CHECK = 1.0  # seconds between looks whether anybody still waits for an answer

# Parameters that would change the answer and cannot be honoured here, and the values that ask for nothing.
NOT_OFFERED: dict[str, tuple[Any, ...]] = {
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "functions": (None, []),
    "function_call": (None, "none", "auto"),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "modalities": (None, ["text"]),
    "audio": (None,),
    "prediction": (None,),
    "web_search_options": (None,),
    "store": (None, False),
}


@router.post("")
async def create(request: Request, service: ServiceOf) -> Response:
    asked = check(CreateChat, await read_json(request))
    model = service.catalogue.find(asked.model)
    replies = service.engine.chat(_engine_request(asked, model))
    head = {"id": new_id("chatcmpl-"), "created": now(), "model": asked.model, "system_fingerprint": "fp_local"}
    reply = await _first(replies, request)  # before a stream begins, so that an error is an error
    if asked.stream:
        usage = bool(asked.stream_options and asked.stream_options.include_usage)
        return StreamingResponse(_stream(head, reply, replies, asked.n or 1, usage), media_type="text/event-stream")
    await replies.aclose()
    return JSONResponse(dump(_completion(head, reply)))


async def _first(replies: Replies, request: Request) -> dict[str, Any]:
    """The first reply; the engine is told to stop where the client has gone away meanwhile."""
    waiting = asyncio.ensure_future(anext(replies))
    while not (await asyncio.wait({waiting}, timeout=DISCONNECT_CHECK))[0]:
        if await request.is_disconnected():
            waiting.cancel()
            raise ApiError(499, "The client closed the connection.")
    return waiting.result()


def _engine_request(asked: CreateChat, model: ServedModel) -> dict[str, Any]:
    """What the engine is asked. Raises ApiError 400 for what it cannot do."""
    extra = asked.model_extra or {}
    for name, harmless in NOT_OFFERED.items():
        if name in extra and extra[name] not in harmless:
            raise not_offered(f"'{name}' in chats", "Leave it out.", name)
    if asked.response_format is not None and asked.response_format.get("type") != "text":
        raise not_offered("'response_format' other than text", "Ask for JSON in the messages.", "response_format")
    if asked.top_logprobs is not None and not asked.logprobs:
        raise invalid("Invalid 'top_logprobs': it needs 'logprobs' set to true.", "top_logprobs", "invalid_value")
    stops = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    if len(stops) > 4:
        raise invalid("Invalid 'stop': at most 4 sequences are taken.", "stop", "array_above_max_length")
    return {
        "model": model.location(),
        "messages": [_message(message, index) for index, message in enumerate(asked.messages)],
        "n": asked.n or 1,
        "most_tokens": asked.max_completion_tokens or asked.max_tokens,
        "temperature": 1.0 if asked.temperature is None else asked.temperature,
        "top_p": 1.0 if asked.top_p is None else asked.top_p,
        "seed": asked.seed,
        "stop": [stop for stop in stops if stop],
        "top_logprobs": (asked.top_logprobs or 0) if asked.logprobs else None,
        "stream": bool(asked.stream),
    }


def _message(message: Any, index: int) -> dict[str, str]:
    """Role and words of a message. Raises ApiError 400 that names the message."""
    param = f"messages[{index}]"
    if not isinstance(message, dict):
        raise invalid(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    role = message.get("role")
    if role not in ROLES:
        raise invalid(f"Invalid value for '{param}.role': {role!r}; it is one of {', '.join(ROLES)}.", f"{param}.role")
    content = message.get("content")
    if content is None and role == "assistant":
        content = ""
    try:
        return {"role": role, "content": plain_text(content)}
    except ValueError as error:
        raise invalid(f"Invalid '{param}.content': {error}.", f"{param}.content", "invalid_type") from None


def _completion(head: dict[str, Any], reply: dict[str, Any]) -> ChatCompletion:
    choices = [
        {
            "index": choice["index"],
            "message": {"role": "assistant", "content": choice["text"], "refusal": None},
            "finish_reason": choice["finish_reason"],
            "logprobs": _logprobs(choice["logprobs"]),
        }
        for choice in reply["choices"]
    ]
    fields = {**head, "object": "chat.completion", "choices": choices, "usage": _usage(reply)}
    return ChatCompletion.model_validate(fields)


def _logprobs(tokens: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return None if tokens is None else {"content": tokens, "refusal": None}


def _usage(reply: dict[str, Any]) -> CompletionUsage:
    prompt, completion = reply["prompt_tokens"], reply["completion_tokens"]
    return CompletionUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


async def _stream(
    head: dict[str, Any], first: dict[str, Any], replies: Replies, choices: int, usage: bool
) -> AsyncIterator[str]:
    """Server-sent events: who speaks, the pieces, why each answer ended, the usage if asked for, [DONE]."""

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        nothing = {"usage": None} if usage else {}
        fields = {**head, "object": "chat.completion.chunk", "choices": choices, **nothing, **more}
        return f"data: {json.dumps(dump(ChatCompletionChunk.model_validate(fields)))}\n\n"

    for index in range(choices):
        yield event([_choice(index, {"role": "assistant", "content": "", "refusal": None})])
    reply = first
    try:
        while reply["type"] == "delta":
            yield event([_choice(reply["index"], {"content": reply["text"]}, logprobs=_logprobs(reply["logprobs"]))])
            reply = await anext(replies)
        for choice in reply["choices"]:
            yield event([_choice(choice["index"], {}, finish_reason=choice["finish_reason"])])
        if usage:
            yield event([], usage=_usage(reply))
    except ApiError as error:
        yield f"data: {json.dumps(error.body())}\n\n"
    finally:
        await replies.aclose()
    yield "data: [DONE]\n\n"


def _choice(
    index: int, delta: dict[str, Any], *, finish_reason: str | None = None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": logprobs}
