"""/v1/chat/completions: answers, whole or streamed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from openai.types.chat import ChatCompletionChunk

from ..completions import Calls, completion, engine_request, logprobs, new_head, usage
from ..context import ServiceOf
from ..errors import ApiError
from ..requests import CreateChat, check, read_json
from ..tools import could_be_calls
from .listing import dump

router = APIRouter(prefix="/v1/chat/completions")

Replies = AsyncGenerator[dict[str, Any], None]
DISCONNECT_CHECK = 1.0  # seconds between looks whether anybody still waits for an answer


@router.post("")
async def create(request: Request, service: ServiceOf) -> Response:
    body = await read_json(request)
    if request.scope.get("deployment"):  # Azure's paths name the model
        body["model"] = request.scope["deployment"]
    asked = check(CreateChat, body)
    replies = service.engine.chat(engine_request(asked, service.catalogue.find(asked.model)))
    head = new_head(asked)
    reply = await _first(replies, request)  # before a stream begins, so that an error is an error
    if asked.stream:
        return StreamingResponse(_stream(head, reply, replies, asked), media_type="text/event-stream")
    await replies.aclose()
    return JSONResponse(dump(completion(head, reply, Calls.asked_in(asked))))


async def _first(replies: Replies, request: Request) -> dict[str, Any]:
    """The first reply; the engine is told to stop where the client has gone away meanwhile."""
    waiting = asyncio.ensure_future(anext(replies))
    while not (await asyncio.wait({waiting}, timeout=DISCONNECT_CHECK))[0]:
        if await request.is_disconnected():
            waiting.cancel()
            raise ApiError(499, "The client closed the connection.")
    return waiting.result()


async def _stream(
    head: dict[str, Any], first: dict[str, Any], replies: Replies, asked: CreateChat
) -> AsyncIterator[str]:
    """Server-sent events: who speaks, the pieces, why each answer ended, the usage if asked for, [DONE].

    What may yet turn out to be calls of tools is held back until that is clear.
    """
    indices, allowed = range(asked.n or 1), Calls.asked_in(asked)
    with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
    held: dict[int, list[dict[str, Any]]] = {index: [] for index in indices} if allowed.most != 0 else {}

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        nothing = {"usage": None} if with_usage else {}
        fields = {**head, "object": "chat.completion.chunk", "choices": choices, **nothing, **more}
        return f"data: {json.dumps(dump(ChatCompletionChunk.model_validate(fields)))}\n\n"

    def piece(delta: dict[str, Any]) -> str:
        return event([_choice(delta["index"], {"content": delta["text"]}, logprobs=logprobs(delta["logprobs"]))])

    for index in indices:
        yield event([_choice(index, {"role": "assistant", "content": "", "refusal": None})])
    reply = first
    try:
        while reply["type"] == "delta":
            index = reply["index"]
            if index in held:
                held[index].append(reply)
                if not could_be_calls("".join(delta["text"] for delta in held[index])):
                    for delta in held.pop(index):
                        yield piece(delta)
            else:
                yield piece(reply)
            reply = await anext(replies)
        for choice in reply["choices"]:
            index, finish_reason = choice["index"], choice["finish_reason"]
            if calls := allowed.read(choice["text"]):
                finish_reason = "tool_calls"
                yield event([_choice(index, {"tool_calls": [{"index": at, **call} for at, call in enumerate(calls)]})])
            else:
                for delta in held.get(index, []):
                    yield piece(delta)
            yield event([_choice(index, {}, finish_reason=finish_reason)])
        if with_usage:
            yield event([], usage=usage(reply))
    except ApiError as error:
        yield f"data: {json.dumps(error.body())}\n\n"
    finally:
        await replies.aclose()
    yield "data: [DONE]\n\n"


def _choice(
    index: int, delta: dict[str, Any], *, finish_reason: str | None = None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": logprobs}
