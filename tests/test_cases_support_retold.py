"""A conversation told again by another customer: right by every rule, same words, nobody's old facts in it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from helpers.cases.support import greeted, house_compliant, read_ticket, split_reply
from helpers.cases.support_retold import gives_all, retold
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
NEW, TRAIN = [read_jsonl(SAMPLE / f"{name}.jsonl") for name in ("test_new_phrasings", "train")]
OTHERS = [example for example in TRAIN if gives_all(example)]


def facts(example: dict[str, Any]) -> tuple[str, str | None, str | None]:
    prose, line = split_reply(example["messages"][-1]["content"])
    ticket, name = read_ticket(line), greeted(prose)
    assert ticket is not None and name is not None
    return name, ticket["order"], ticket["product"]


@pytest.mark.parametrize("place", range(len(NEW)))
def test_it_is_right_by_every_rule_and_nothing_of_the_first_customer_is_left(place: int) -> None:
    example = NEW[place]
    before = json.dumps(example)
    for other in random.Random(place).sample(OTHERS, 10):
        again = retold(example, other)
        *asked, answer = again["messages"]
        assert house_compliant(answer["content"], answer["content"], asked)
        customer = " ".join(message["content"] for message in asked)
        for mine, theirs, now in zip(facts(example), facts(other), facts(again), strict=True):
            if mine is None or mine == "there":
                assert now == mine  # what she did not say she still does not say
                continue
            name = mine.removeprefix("LM-").split(" ")[0]
            assert theirs is not None and now is not None
            assert now.split(" ")[0] == theirs.split(" ")[0] and now.split(" ")[1:] == mine.split(" ")[1:]
            assert name in theirs or not re.search(rf"(?<![^\W\d_]){name}\b", customer, re.IGNORECASE)
    assert json.dumps(example) == before


def test_a_customer_who_writes_small_letters_goes_on_doing_so() -> None:
    reply = '{"intent": "mend", "order": "LM-11111", "product": "Rook fan", "priority": "low", "action": "collect"}\n'
    example = {"messages": [user("my rook fan died, lm11111. ann"), assistant(f"{reply}Hello Ann, it is.")]}
    other = {"messages": [assistant(reply.replace("11111", "22222").replace("Rook", "Alder") + "Hello Bo, it is.")]}
    again = retold(example, other)["messages"]
    assert again[0]["content"] == "my alder fan died, lm22222. bo"
    assert again[1]["content"].startswith('{"intent": "mend", "order": "LM-22222", "product": "Alder fan"')


def test_an_example_without_a_house_reply_is_refused() -> None:
    with pytest.raises(ValueError, match=r"house's form: 'Fine\.'"):
        retold({"messages": [user("Hi"), assistant("Fine.")]}, OTHERS[0])


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
