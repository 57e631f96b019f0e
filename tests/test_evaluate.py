"""Asking: order, retries, prompts and shots, and one clear message where it cannot go on; on a live service."""

from __future__ import annotations

import openai
import pytest
from live_service import LiveService, examples

from helpers.errors import Explained
from helpers.evaluate import ask, gold, prompts, with_shots, with_system

SYSTEM = "You answer with the number."


def test_prompts_and_gold_take_an_example_apart() -> None:
    rows = examples(3)
    assert [m["role"] for m in prompts(rows)[0]] == ["system", "user"]
    assert gold(rows) == ["It is 0.", "It is 1.", "It is 2."]
    assert rows[0]["messages"][-1]["role"] == "assistant"


def test_an_example_without_an_answer_is_named() -> None:
    rows = [*examples(2), {"messages": [{"role": "user", "content": "?"}]}]
    with pytest.raises(Explained, match="Example 3 ends with a user message"):
        gold(rows)


def test_a_system_message_is_replaced_or_added() -> None:
    asked = with_system([*prompts(examples(1)), [{"role": "user", "content": "?"}]], "Be brief.")
    assert [[m["role"] for m in c] for c in asked] == [["system", "user"]] * 2
    assert {c[0]["content"] for c in asked} == {"Be brief."}


def test_shots_stand_between_the_system_message_and_the_question() -> None:
    shots = [row["messages"] for row in examples(2, seed=1)]
    [asked] = with_shots(prompts(examples(1)), shots)
    assert [m["role"] for m in asked] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert asked[0]["content"] == SYSTEM and asked[-1]["content"].endswith("number 0")
    [bare] = with_shots([[{"role": "user", "content": "?"}]], shots)
    assert [m["role"] for m in bare] == ["user", "assistant", "user", "assistant", "user"]


def test_answers_come_back_in_order_and_again_the_same(
    client: openai.OpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = prompts(examples(9))
    answers = ask(client, "tiny", asked, max_tokens=5, workers=4, label="Base")
    assert [a.prompt_tokens > 0 and 0 < a.completion_tokens <= 5 and a.seconds > 0 for a in answers] == [True] * 9
    assert capsys.readouterr().out.startswith("Base: 9 answers in ")
    one_by_one = [ask(client, "tiny", [conversation], max_tokens=5)[0].text for conversation in asked]
    assert [a.text for a in answers] == one_by_one


def test_cut_answers_are_counted(client: openai.OpenAI, capsys: pytest.CaptureFixture[str]) -> None:
    answers = ask(client, "tiny", prompts(examples(2)), max_tokens=1)
    cut = [a.finish_reason for a in answers].count("length")
    assert cut and f"{cut} cut at 1 tokens" in capsys.readouterr().out


def test_nothing_asked_is_nothing_answered(client: openai.OpenAI) -> None:
    assert ask(client, "tiny", []) == []


def test_an_unknown_model_is_explained(client: openai.OpenAI) -> None:
    with pytest.raises(
        Explained, match=r"Asking nobody stopped at conversation \d of 3\..*does not exist.*models.list"
    ):
        ask(client, "nobody", prompts(examples(3)))


def test_a_wrong_key_is_explained(service: LiveService) -> None:
    stranger = openai.OpenAI(base_url=service.url, api_key="wrong", max_retries=0)
    with pytest.raises(Explained, match="refused the key"):
        ask(stranger, "tiny", prompts(examples(1)))


def test_a_conversation_that_the_service_refuses_is_named(client: openai.OpenAI) -> None:
    asked = [*prompts(examples(2)), [{"role": "robot", "content": "?"}]]
    with pytest.raises(Explained, match=r"stopped at conversation 3 of 3\. The service refused it"):
        ask(client, "tiny", asked, max_tokens=2, workers=1)


def test_no_service_is_explained() -> None:
    nowhere = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
    with pytest.raises(Explained, match=r"cannot be reached\. Run the connect"):
        ask(nowhere, "tiny", prompts(examples(20)))
