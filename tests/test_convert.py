"""Converting: every usual form of row becomes the chat example it means, and no row of another form is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.convert import convert, join_turns
from helpers.errors import Explained
from helpers.load import load

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
ASKED, ANSWERED = {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}
SYSTEM = {"role": "system", "content": "Be kind."}
PAST = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "find"}}]


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"prompt": "Where?", "completion": "Here."}, [ASKED, ANSWERED]),
        ({"prompt": "Where?", "completion": "Here.", "system": "Be kind."}, [SYSTEM, ASKED, ANSWERED]),
        ({"prompt": 4, "completion": 2.5}, [ASKED | {"content": "4"}, ANSWERED | {"content": "2.5"}]),
        ({"instruction": "Where?", "input": "", "output": "Here."}, [ASKED, ANSWERED]),
        ({"instruction": "Say it.", "input": "x", "output": "Here."}, [ASKED | {"content": "Say it.\n\nx"}, ANSWERED]),
        (
            {"instruction": "Where?", "output": "Here.", "system": "Be kind.", "history": [["Hi", "Hello"]]},
            [SYSTEM, *PAST, ASKED, ANSWERED],
        ),
        (
            {"conversations": [{"from": "human", "value": "Where?"}, {"from": "gpt", "value": "Here."}], "id": "7"},
            [ASKED, ANSWERED],
        ),
        (
            {"conversations": [{"from": "system", "value": "Be kind."}, ASKED, ANSWERED], "system": "Be rude."},
            [SYSTEM, ASKED, ANSWERED],
        ),
        ({"messages": [ASKED, ANSWERED]}, [ASKED, ANSWERED]),
    ],
)
def test_each_form_becomes_a_chat_example(row: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    examples, places, left = convert([row])
    assert examples == [{"messages": messages}] and left.empty
    assert places.to_dict("records") == [{"file": "", "row": 1}]
    [example] = convert([row], system="Default.").examples
    own = messages[0]["role"] == "system"
    assert example["messages"] == (messages if own else [SYSTEM | {"content": "Default."}, *messages])


def test_tools_stay_with_a_chat_example() -> None:
    [example] = convert([{"messages": [ASKED, ANSWERED], "tools": TOOLS, "source": "x"}]).examples
    assert example == {"messages": [ASKED, ANSWERED], "tools": TOOLS}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"question": "Where?", "reply": "Here."}, "form is not known; its keys are 'question', 'reply'"),
        ({"prompt": "Where?", "completion": " "}, "There is no completion"),
        ({"prompt": float("nan"), "completion": "Here."}, "There is no prompt"),
        ({"prompt": ["Where?"], "completion": "Here."}, "prompt is a list, not a text"),
        ({"instruction": "Where?"}, "There is no output"),
        ({"instruction": "a", "output": "b", "history": ["c"]}, "history is not a list of pairs"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "Nobody in conversations is the assistant"),
        ({"conversations": [{"from": "observation", "value": "a"}]}, "'observation' in conversations has no role"),
        ({"conversations": [{"from": "human"}, {"from": "gpt", "value": "a"}]}, "There is no value for 'human'"),
        ({"conversations": "a"}, "conversations is not a list"),
        ({"messages": [{"content": "a"}]}, "messages is not a list of objects with a role"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "chosen, rejected: preferences"),
        ({"prompt": "a", "completion": "b", "label": False}, "label: preferences"),
        ({"instruction": "a", "output": "b", "images": ["c.png"]}, "images: preferences and pictures"),
        ({}, "its keys are none"),
        ("text", "its keys are none"),
    ],
)
def test_what_is_no_example_is_listed_with_its_place(row: Any, why: str) -> None:
    good = {"prompt": "Where?", "completion": "Here."}
    examples, places, left = convert([good, row, good])
    assert len(examples) == 2 and places.row.tolist() == [1, 3]
    assert left.row.tolist() == [2] and why in left.why[0]


def test_places_come_through_from_the_file(tmp_path: Path) -> None:
    lines = [{"prompt": "a", "completion": "b"}, {"text": "c"}, {"instruction": "d", "output": "e"}]
    (tmp_path / "mixed.jsonl").write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    examples, places, left = convert(load(tmp_path / "mixed.jsonl").rows)
    assert [example["messages"][0]["content"] for example in examples] == ["a", "d"]
    assert places.to_dict("records") == [{"file": "mixed.jsonl", "row": 1}, {"file": "mixed.jsonl", "row": 5}]
    assert left[["file", "row"]].to_numpy().tolist() == [["mixed.jsonl", 3]] and "'text'" in left.why[0]


def test_tickets_of_the_sample_become_examples() -> None:
    rows, _ = load(SAMPLE / "raw" / "tickets.csv", {"prompt": "message", "completion": "agent_reply"})
    examples, places, left = convert(rows, system="Be kind.")
    blank = (rows.prompt.str.strip() == "") | (rows.completion.str.strip() == "")
    assert len(examples) == len(places) == (~blank).sum() > 400
    assert left.row.tolist() == rows.row[blank].tolist() and len(left) > 0
    assert [m["role"] for m in examples[0]["messages"]] == ["system", "user", "assistant"]
    assert examples[0]["messages"][1]["content"] == rows.prompt[places.row[0] - 1]


def test_turns_become_conversations() -> None:
    rows = pd.DataFrame(
        [("b", "agent", "Yes?", "x", 1), ("a", "customer", "Hi", "x", 2), ("b", "system", "Closed.", "x", 3),
         ("a", "agent", None, "x", 4), ("c", "system", "Opened.", "x", 5)],
        columns=["chat", "who", "said", "file", "row"],
    )  # fmt: skip
    roles = {"customer": "user", "agent": "assistant", "system": ""}
    joined = join_turns(rows, "chat", "who", "said", roles)
    assert joined.row.tolist() == [1, 2, 5]
    assert joined.messages[1] == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": ""}]
    examples, _, left = convert(joined)
    assert len(examples) == 2 and left.row.tolist() == [5]  # nobody says anything in c
    for given_roles, column, said in (
        (roles, "name", "no column name"),
        ({"customer": "user"}, "who", "Who is 'agent'"),
    ):
        with pytest.raises(Explained, match=said):
            join_turns(rows, "chat", column, "said", given_roles)
    with pytest.raises(Explained, match="Nothing is in 'chat' in rows 2"):
        join_turns(rows.assign(chat=["b", " ", "b", "a", "c"]), "chat", "who", "said", roles)


def test_mail_threads_become_conversations() -> None:
    mails, _ = load(SAMPLE / "raw" / "emails", {"from": "From", "text": "text"})
    mails["thread"] = mails.file.str.rpartition("-")[0]
    joined = join_turns(mails, "thread", "from", "text", lambda who: "assistant" if "bench@" in who else "user")
    examples, _, left = convert(joined)
    assert len(examples) + len(left) == mails.thread.nunique() and left.empty
    assert sum(len(example["messages"]) for example in examples) == len(mails)


VALUES = st.one_of(
    st.none(), st.text(max_size=5), st.integers(), st.lists(st.dictionaries(st.text(max_size=5), st.text()))
)
KEYS = st.sampled_from(
    ["messages", "prompt", "completion", "conversations", "instruction", "input", "output", "history"]
)


@settings(deadline=None)
@given(st.lists(st.one_of(st.dictionaries(KEYS, VALUES, max_size=4), VALUES), max_size=8))
def test_no_row_is_lost(rows: list[Any]) -> None:
    examples, places, left = convert(rows)
    assert len(examples) == len(places)
    assert sorted([*places.row, *left.row]) == list(range(1, len(rows) + 1))
    assert all(message["role"] for example in examples for message in example["messages"])
