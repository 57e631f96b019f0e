"""Chat completions between the API and the engine: what the engine is asked, and its answer in OpenAI's shape."""

from __future__ import annotations

from typing import Any, NamedTuple

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from .catalogue import Catalogue, ServedModel
from .engine_client import EngineClient
from .errors import invalid, not_offered
from .ids import new_id
from .messages import ROLES, plain_text
from .requests import CreateChat, HeldChat, check
from .store import now
from .tools import CLOSING, OPENING, call_schema, calls_in, check_messages, check_tools, read_tool_calls

# Parameters that would change the answer and cannot be honoured here, and the values that ask for nothing.
NOT_OFFERED: dict[str, tuple[Any, ...]] = {
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


async def complete(
    asked: CreateChat, catalogue: Catalogue, engine: EngineClient, *, in_background: bool = False
) -> ChatCompletion:
    """The whole answer to a chat; one asked `in_background` waits while others are being answered. Raises ApiError."""
    replies = engine.chat(engine_request(asked, catalogue.find(asked.model), in_background=in_background))
    try:
        return completion(new_head(asked), await anext(replies), Calls.asked_in(asked))
    finally:
        await replies.aclose()


def engine_request(asked: CreateChat, model: ServedModel, *, in_background: bool = False) -> dict[str, Any]:
    """What the engine is asked. Raises ApiError 400 for what it cannot do."""
    extra = asked.model_extra or {}
    for name, harmless in NOT_OFFERED.items():
        if name in extra and extra[name] not in harmless:
            raise not_offered(f"'{name}' in chats", "Leave it out.", name)
    if asked.top_logprobs is not None and not asked.logprobs:
        raise invalid("Invalid 'top_logprobs': it needs 'logprobs' set to true.", "top_logprobs", "invalid_value")
    stops = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    if len(stops) > 4:
        raise invalid("Invalid 'stop': at most 4 sequences are taken.", "stop", "array_above_max_length")
    messages = [_message(message, index) for index, message in enumerate(asked.messages)]
    try:
        check_messages(messages)
    except ValueError as error:
        raise invalid(f"Invalid 'messages': {error}.", "messages", "invalid_value") from None
    tools = _tools(asked)
    return {
        "model": model.location(),
        "messages": messages,
        "n": asked.n or 1,
        "most_tokens": asked.max_completion_tokens or asked.max_tokens,
        "temperature": 1.0 if asked.temperature is None else asked.temperature,
        "top_p": 1.0 if asked.top_p is None else asked.top_p,
        "seed": asked.seed,
        "stop": [stop for stop in stops if stop],
        "top_logprobs": (asked.top_logprobs or 0) if asked.logprobs else None,
        "stream": bool(asked.stream),
        "in_background": in_background,
        "form": _forced_call(asked, tools) or _form(asked.response_format, messages),
        "tools": tools,
    }


def _tools(asked: CreateChat) -> list[dict[str, Any]]:
    """The tools that the model may call. Raises ApiError 400."""
    if not asked.tools:
        if asked.tool_choice not in (None, "none", "auto"):
            raise invalid("Invalid 'tool_choice': there are no tools to choose from.", "tool_choice", "invalid_value")
        return []
    try:
        check_tools(asked.tools)
    except ValueError as error:
        raise invalid(f"Invalid 'tools': {error}.", "tools", "invalid_value") from None
    return [] if asked.tool_choice == "none" else asked.tools


def _forced_call(asked: CreateChat, tools: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the answer is to be held to where it must be a call, of any tool or of the one named. Raises ApiError."""
    choice = asked.tool_choice
    if choice in (None, "none", "auto"):
        return None
    if isinstance(choice, dict):
        name = choice["function"].get("name") if isinstance(choice.get("function"), dict) else None
        tools = [tool for tool in tools if tool["function"]["name"] == name]
    if not tools or (isinstance(choice, str) and choice != "required"):
        message = "Invalid 'tool_choice': it is none, auto, required, or a function that names one of the tools."
        raise invalid(message, "tool_choice", "invalid_value")
    return {"source": "tools", "schema": call_schema(tools), "before": OPENING, "after": CLOSING}


class Calls(NamedTuple):
    """Which calls of tools an answer may hold."""

    most: int | None  # None: any number

    @classmethod
    def asked_in(cls, asked: CreateChat) -> Calls:
        if not asked.tools or asked.tool_choice == "none":
            return cls(0)
        return cls(1 if asked.parallel_tool_calls is False else None)

    def read(self, answer: str) -> list[dict[str, Any]]:
        """The calls that an answer consists of, as a message carries them; none where it is text."""
        found = [] if self.most == 0 else calls_in(answer) or []
        return [{"id": new_id("call_"), "type": "function", "function": call} for call in found[: self.most]]


def _form(response_format: dict[str, Any] | None, messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the answer is to be held to. Whether the schema can be followed is the engine's to say. Raises ApiError."""
    kind = "text" if response_format is None else response_format.get("type")
    if response_format is None or kind == "text":
        return None
    if kind == "json_object":
        if not any("json" in message["content"].lower() for message in messages):
            raise invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                "messages",
            )
        return {"source": "response_format", "schema": {"type": "object"}}
    if kind != "json_schema":
        message = f"Invalid value for 'response_format.type': {kind!r}; it is text, json_object or json_schema."
        raise invalid(message, "response_format.type", "invalid_value")
    named = check(HeldChat, {"response_format": response_format}).response_format.json_schema
    schema = {"type": "object"} if named.schema_ is None else named.schema_
    return {"source": f"response_format '{named.name}'", "schema": schema}


def _message(message: Any, index: int) -> dict[str, Any]:
    """What the model reads of a message: role, words, calls. Raises ApiError 400 that names the message."""
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
        read: dict[str, Any] = {"role": role, "content": plain_text(content)}
    except ValueError as error:
        raise invalid(f"Invalid '{param}.content': {error}.", f"{param}.content", "invalid_type") from None
    if role == "tool":
        read["tool_call_id"] = message.get("tool_call_id")
    if role == "assistant" and message.get("tool_calls"):
        try:
            read["tool_calls"] = read_tool_calls(message["tool_calls"])
        except ValueError as error:
            raise invalid(f"Invalid '{param}': {error}.", f"{param}.tool_calls", "invalid_value") from None
    return read


def new_head(asked: CreateChat) -> dict[str, Any]:
    """What the answer, or each chunk of it, begins with."""
    return {"id": new_id("chatcmpl-"), "created": now(), "model": asked.model, "system_fingerprint": "fp_local"}


def completion(head: dict[str, Any], reply: dict[str, Any], allowed: Calls) -> ChatCompletion:
    """The engine's reply as the API shows it, calls of tools taken out of its text."""
    choices = []
    for choice in reply["choices"]:
        message, finish_reason = (
            {"role": "assistant", "content": choice["text"], "refusal": None},
            choice["finish_reason"],
        )
        if calls := allowed.read(choice["text"]):
            message, finish_reason = {**message, "content": None, "tool_calls": calls}, "tool_calls"
        choices.append(
            {
                "index": choice["index"],
                "message": message,
                "finish_reason": finish_reason,
                "logprobs": logprobs(choice["logprobs"]),
            }
        )
    fields = {**head, "object": "chat.completion", "choices": choices, "usage": usage(reply)}
    return ChatCompletion.model_validate(fields)


def logprobs(tokens: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return None if tokens is None else {"content": tokens, "refusal": None}


def usage(reply: dict[str, Any]) -> CompletionUsage:
    prompt, completion_tokens = reply["prompt_tokens"], reply["completion_tokens"]
    return CompletionUsage(
        prompt_tokens=prompt, completion_tokens=completion_tokens, total_tokens=prompt + completion_tokens
    )
