"""Answers held to JSON, by a model of random weights: what it says means nothing, but its form is right every time."""

import json
from typing import Any, Literal

import openai
import pytest
from jsonschema import validate
from live_service import said
from pydantic import BaseModel, Field

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "topic": {"enum": ["refund", "delivery", "other"]},
        "urgent": {"type": "boolean"},
        "items": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 3},
        "note": {"type": ["string", "null"], "maxLength": 8},
    },
    "required": ["topic", "urgent", "items", "note"],
    "additionalProperties": False,
}
ASK = [{"role": "user", "content": "Say it as JSON"}]


def held(schema: dict[str, Any]) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def chat(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "tiny", "messages": ASK, "response_format": held(SCHEMA), "max_tokens": 200, **options}
    )


def test_every_answer_follows_the_schema(client: openai.OpenAI) -> None:
    answers = chat(client, n=16, seed=3, logprobs=True, top_logprobs=2).choices
    for choice in answers:
        assert choice.finish_reason == "stop" and choice.message.refusal is None
        validate(json.loads(choice.message.content), SCHEMA)
        written = bytes(byte for token in choice.logprobs.content for byte in token.bytes)
        assert written.decode().strip() == choice.message.content
    assert len({choice.message.content for choice in answers}) > 1
    assert chat(client, temperature=0).choices == chat(client, temperature=0).choices


def test_streams_follow_it_too_and_say_the_same(client: openai.OpenAI) -> None:
    whole = chat(client, n=3, seed=5)
    texts = ["", "", ""]
    for chunk in chat(client, n=3, seed=5, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    for text in texts:
        validate(json.loads(text), SCHEMA)


def test_held_and_free_answers_are_decoded_side_by_side(client: openai.OpenAI) -> None:
    free = {"model": "tiny", "messages": ASK, "max_tokens": 20, "temperature": 0}
    alone = client.chat.completions.create(**free).choices
    stream = chat(client, n=8, seed=1, stream=True)
    next(iter(stream))
    assert client.chat.completions.create(**free).choices == alone
    stream.close()


def test_pydantic_models_are_parsed_by_the_sdk(client: openai.OpenAI) -> None:
    class Ticket(BaseModel):
        topic: Literal["refund", "other"]
        urgent: bool
        count: int = Field(ge=0, le=9)

    parsed = client.chat.completions.parse(model="tiny", messages=ASK, response_format=Ticket, seed=1)  # type: ignore[arg-type]
    assert isinstance(parsed.choices[0].message.parsed, Ticket)


def test_json_mode_gives_an_object_and_wants_the_word_json(client: openai.OpenAI) -> None:
    mode: Any = {"type": "json_object"}
    answers = chat(client, response_format=mode, n=8, seed=2, max_tokens=None).choices
    whole = [choice.message.content for choice in answers if choice.finish_reason == "stop"]
    assert whole and all(isinstance(json.loads(text), dict) for text in whole)
    assert all(choice.message.content.startswith("{") for choice in answers)
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, response_format=mode, messages=[{"role": "user", "content": "Hello"}])
    assert error.value.param == "messages" and "must contain the word 'json'" in said(error)


def test_an_answer_cut_short_says_so(client: openai.OpenAI) -> None:
    cut = chat(client, max_tokens=3).choices[0]
    assert cut.finish_reason == "length"
    with pytest.raises(ValueError):
        json.loads(cut.message.content)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 1}, "minimum (5) is greater than maximum (1)"),
        ({"enum": []}, "Unsatisfiable"),
        ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "required property 'a'"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "Unsatisfiable"),
        ({"type": "text"}, "Invalid type: text"),
        ({"$ref": "#/nowhere"}, "does not exist"),
        ({"type": "string", "pattern": "("}, "regex parse error"),
        ({"type": "string", "if": {}}, "Unimplemented keys"),
    ],
)
def test_a_schema_that_nothing_can_follow_is_refused(client: openai.OpenAI, schema: Any, reason: str) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as error:
            chat(client, response_format=held(schema), stream=stream)
        assert (error.value.param, error.value.code) == ("response_format", "invalid_json_schema")
        assert said(error).startswith("Invalid schema for response_format 'answer': ") and reason in said(error)


@pytest.mark.parametrize(
    ("response_format", "param"),
    [
        ({"type": "xml"}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, "response_format.json_schema.name"),
        (
            {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}},
            "response_format.json_schema.name",
        ),
    ],
)
def test_a_wrong_response_format_is_refused(client: openai.OpenAI, response_format: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, response_format=response_format)
    assert error.value.param == param
