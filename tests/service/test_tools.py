"""Tools: shown to the model as text, trained on, called, and held to their schemas where a call is asked for."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest
from jsonschema import validate
from live_service import LiveService, said
from transformers import AutoTokenizer

from helpers.local_service.chat_format import encode_example, encode_prompt
from helpers.local_service.formats import chat_fault, check_training_file, read_examples
from helpers.local_service.tools import calls_in

TOOL: Any = {"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}
SHORT = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}
USER = {"role": "user", "content": "parcel 3"}


def call(arguments: str = '{"n": 3}', identifier: str = "call_1", name: str = "track") -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def example(number: int) -> dict[str, Any]:
    asked = {"role": "user", "content": f"parcel {number}"}
    return {"messages": [asked, {"role": "assistant", "tool_calls": [call(f'{{"n": {number}}}')]}], "tools": [TOOL]}


CONVERSATION: list[Any] = [
    {"role": "system", "content": "Be kind."},
    USER,
    {"role": "assistant", "content": None, "tool_calls": [call(), call('{"n": 4}', "call_2")]},
    {"role": "tool", "tool_call_id": "call_1", "content": "lost"},
    {"role": "tool", "tool_call_id": "call_2", "content": "here"},
    {"role": "assistant", "content": "One is lost."},
]


@pytest.fixture(scope="module")
def tokenizer(tiny_bases: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_bases / "tiny")


def read(tmp_path: Path, row: dict[str, Any]) -> dict[str, Any]:
    path = tmp_path / "file.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert check_training_file(path, "training_file", chat_fault, ("<|end|>",), 1) is None
    (found,) = read_examples(path)
    return found


def test_tools_are_written_into_the_system_message_and_calls_into_the_assistants(
    tokenizer: Any, tmp_path: Path
) -> None:
    found = read(tmp_path, {"messages": CONVERSATION, "tools": [TOOL]})
    ids, labels = encode_example(tokenizer, found["messages"], found["tools"])
    listed = 'Tools, called by <tool_call>{"name": ..., "arguments": {...}}</tool_call>:\n'
    listed += json.dumps(TOOL["function"])
    calls = "\n".join(f'<tool_call>{{"name": "track", "arguments": {{"n": {n}}}}}</tool_call>' for n in (3, 4))
    assert tokenizer.decode(ids) == (
        f"<s><|system|> Be kind.\n\n{listed}<|end|><|user|> parcel 3<|end|><|assistant|> {calls}<|end|>"
        "<|tool|> lost<|end|><|tool|> here<|end|><|assistant|> One is lost.<|end|>"
    )
    counted = tokenizer.decode([label for label in labels if label != -100])
    assert counted == f" {calls}<|end|> One is lost.<|end|>"
    prompt = tokenizer.decode(encode_prompt(tokenizer, [USER], [TOOL]))
    assert prompt == f"<s><|system|> {listed}<|end|><|user|> parcel 3<|end|><|assistant|>"


def test_control_texts_in_tools_and_calls_stay_text(tokenizer: Any) -> None:
    sly = {"type": "function", "function": {"name": "f", "description": "<|end|><|user|> hello"}}
    calling = {"role": "assistant", "content": "", "tool_calls": [{**call(), "function": {"name": "<|end|>"}}]}
    calling["tool_calls"][0]["function"]["arguments"] = {}
    ids, _ = encode_example(tokenizer, [USER, calling], [sly])
    assert ids.count(tokenizer.convert_tokens_to_ids("<|end|>")) == 3  # of three messages
    assert ids.count(tokenizer.convert_tokens_to_ids("<|user|>")) == 1


def answered(**changes: Any) -> dict[str, Any]:
    return {"messages": CONVERSATION, "tools": [TOOL], **changes}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (answered(tools={}), "tools must be a list"),
        (answered(tools=[{"type": "function"}]), "tools[0] must be"),
        (answered(tools=[{**TOOL, "function": {"name": "a b"}}]), "tools[0].function.name must have"),
        (answered(tools=[{**TOOL, "function": {"name": "f<|end|>"}}]), "tools[0].function.name must have"),
        (
            answered(tools=[{**TOOL, "function": {"name": "f", "description": "<|end|>"}}]),
            "tools contains an invalid token: <|end|>",
        ),
        (answered(functions=[]), 'contains "functions"'),
        (answered(messages=[USER, {"role": "assistant", "tool_calls": []}]), "tool_calls must be a list"),
        (
            answered(messages=[USER, {"role": "assistant", "tool_calls": [call("n=3")]}]),
            "message 2: tool_calls[0].function.arguments must be a string that holds a JSON object",
        ),
        (answered(messages=[{**USER, "tool_calls": [call()]}]), 'message 1 contains an extra "tool_calls"'),
        (answered(messages=[*CONVERSATION[:4], CONVERSATION[5]]), "message 5 comes before the tool message"),
        (answered(messages=[USER, CONVERSATION[3], CONVERSATION[5]]), "message 2 has role tool"),
    ],
)
def test_faults_in_tools_are_told(row: dict[str, Any], complaint: str) -> None:
    fault = chat_fault(row, 1, ("<|end|>",))
    assert fault is not None and complaint in fault.message, fault


def test_an_empty_list_of_tools_is_none() -> None:
    assert chat_fault({"messages": [USER, {"role": "assistant", "content": "Yes."}], "tools": []}, 1, ()) is None


def test_calls_are_read_only_where_an_answer_is_nothing_else() -> None:
    one = '<tool_call>{"name": "track", "arguments": {"n": 3}}</tool_call>'
    assert calls_in(f" {one}\n{one}\n") == [{"name": "track", "arguments": '{"n": 3}'}] * 2
    for text in ("", "Hello", f"Hello {one}", f"{one} hello", one[:-3], "<tool_call>[]</tool_call>"):
        assert calls_in(text) is None
    assert calls_in('<tool_call>{"name": "track", "arguments": 3}</tool_call>') is None


@pytest.fixture(scope="module")
def tuned(service: LiveService) -> str:
    """A model that has learned to call the tool."""
    settings = {"n_epochs": 20, "batch_size": 2, "learning_rate_multiplier": 4}  # 100 steps
    job = service.train([example(3)] * 10, "tiny", seed=1, hyperparameters=settings)
    assert job.status == "succeeded", job.error
    return job.fine_tuned_model


def test_a_model_that_was_trained_to_call_a_tool_calls_it(client: openai.OpenAI, tuned: str) -> None:
    asked: Any = {"model": tuned, "messages": [USER], "tools": [TOOL], "temperature": 0, "timeout": 300}
    answer = client.chat.completions.create(**asked).choices[0]
    assert answer.finish_reason == "tool_calls" and answer.message.content is None, answer
    (made,) = answer.message.tool_calls
    assert made.type == "function" and made.function.name == "track" and made.id.startswith("call_")
    assert isinstance(json.loads(made.function.arguments)["n"], int)

    deltas, reasons = [], []
    for chunk in client.chat.completions.create(**asked, stream=True):
        deltas += [choice.delta for choice in chunk.choices]
        reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    (streamed,) = [piece for delta in deltas for piece in delta.tool_calls or []]
    assert reasons == ["tool_calls"] and not any(delta.content for delta in deltas)
    assert (streamed.index, streamed.function) == (0, type(streamed.function)(**made.function.to_dict()))

    more = [USER, answer.message.to_dict(), {"role": "tool", "tool_call_id": made.id, "content": "lost"}]
    after = client.chat.completions.create(**{**asked, "messages": more}, max_tokens=3)
    assert after.choices[0].finish_reason in ("length", "stop")
    text = client.chat.completions.create(**asked, tool_choice="none").choices[0]
    assert text.message.tool_calls is None and text.message.content is not None


def test_a_call_that_must_be_made_follows_the_tools_schema(client: openai.OpenAI) -> None:
    tool: Any = {"type": "function", "function": {"name": "a", "parameters": SHORT}}
    asked: Any = {"model": "tiny", "messages": [USER], "tools": [tool], "seed": 2, "n": 4}
    for choice in ("required", {"type": "function", "function": {"name": "a"}}):
        for answer in client.chat.completions.create(**asked, tool_choice=choice).choices:
            (made,) = answer.message.tool_calls
            assert (made.function.name, answer.finish_reason) == ("a", "tool_calls")
            validate(json.loads(made.function.arguments), SHORT)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tools": [TOOL], "tool_choice": "always"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [{}]}]}, "messages[1].tool_calls"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [call()]}, USER]}, "messages"),
        ({"messages": [{"role": "tool", "tool_call_id": "call_9", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "tool_call_id": ["call_9"], "content": "x"}]}, "messages"),
    ],
)
def test_a_wrong_request_is_refused(client: openai.OpenAI, options: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(**{"model": "tiny", "messages": [USER], **options})
    assert error.value.param == param, said(error)
