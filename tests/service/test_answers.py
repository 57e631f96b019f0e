"""Tokens to text: whole characters, stop sequences, the space of the chat format."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from helpers.local_service.answers import Answer


@pytest.fixture(scope="module")
def tokenizer(tiny_bases: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_bases / "tiny")


def speak(tokenizer: Any, text: str, stops: list[str], *, end: bool = True) -> tuple[list[str], Answer]:
    """The pieces in which an answer is given out when the model says `text`."""
    answer = Answer(tokenizer, {tokenizer.eos_token_id}, stops, drop_space=True)
    pieces: list[str] = []
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"] + ([tokenizer.eos_token_id] if end else [])
    for token in tokens:
        goes_on = answer.push(token, None)
        pieces.append(answer.new_text)
        answer.new_text = ""
        if not goes_on:
            return pieces, answer
    answer.close()
    return [*pieces, answer.new_text], answer


@pytest.mark.parametrize("text", ["It is 12.", "", " ", "Grüße 漢字 🙂!", "  two  spaces", "a\nb\t"])
def test_an_answer_is_what_the_model_said_without_the_formats_space(tokenizer: Any, text: str) -> None:
    pieces, answer = speak(tokenizer, " " + text, [])
    assert "".join(pieces) == text
    assert answer.finish_reason == "stop"
    assert not any("\ufffd" in piece for piece in pieces)


def test_only_one_space_is_dropped_and_only_at_the_beginning(tokenizer: Any) -> None:
    assert "".join(speak(tokenizer, "  please", [])[0]) == " please"
    assert "".join(speak(tokenizer, "please", [])[0]) == "please"


def test_a_stop_sequence_cuts_the_answer_and_never_shows(tokenizer: Any) -> None:
    pieces, answer = speak(tokenizer, " one. two. three", [". t", "three"])
    assert "".join(pieces) == "one"
    assert answer.finish_reason == "stop"


def test_what_only_looks_like_a_stop_is_given_out_in_the_end(tokenizer: Any) -> None:
    pieces, answer = speak(tokenizer, " order refun", ["refund", "order!"], end=False)
    assert "".join(pieces) == "order refun"
    assert answer.finish_reason == "length"


def test_half_a_character_at_the_end_is_shown_as_such(tokenizer: Any) -> None:
    tokens = tokenizer(" é", add_special_tokens=False)["input_ids"]
    answer = Answer(tokenizer, {tokenizer.eos_token_id}, [], drop_space=True)
    assert all(answer.push(token, None) for token in tokens[:-1])
    answer.close()
    assert answer.new_text == "\ufffd"


def test_log_probabilities_name_tokens_and_bytes(tokenizer: Any) -> None:
    tokens = tokenizer(" order é", add_special_tokens=False)["input_ids"]
    answer = Answer(tokenizer, set(), [], drop_space=False)
    for token in tokens:
        answer.push(token, (-0.5, [(token, -0.5)]))
    named = answer.new_logprobs
    assert bytes(byte for token in named for byte in token["bytes"]).decode() == " order é"
    assert named[0]["token"] == " order"
    assert named[-1]["token"] == "\\xa9"
    assert named[0]["top_logprobs"] == [{"token": " order", "bytes": list(b" order"), "logprob": -0.5}]
