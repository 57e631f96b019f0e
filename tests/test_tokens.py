"""Counting and costing: OpenAI's own counts, offline, and dollars by one dated table."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from IPython.core.formatters import DisplayFormatter

from helpers.errors import Explained
from helpers.loss_view import loss_view
from helpers.tokens import (
    OverBudget,
    auto_epochs,
    base_of,
    carries_loss,
    check_budget,
    cost_table,
    count_example,
    count_message,
    count_table,
    count_text,
    price_age,
    price_table,
    training_cost,
)

MESSAGES = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Where is my order?"},
    {"role": "assistant", "content": "On its way."},
]


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello world", 2), ("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7), ("お誕生日おめでとう", 8)],
)
def test_counts_are_those_of_o200k_base(text: str, count: int) -> None:
    """The last four are the examples in OpenAI's cookbook on counting tokens, for o200k_base."""
    assert count_text(text) == count


def test_text_that_looks_like_a_control_token_is_plain_text() -> None:
    assert count_text("<|endoftext|>") > 1


def test_a_message_has_a_frame_and_an_example_primes_the_reply() -> None:
    assert count_message(MESSAGES[1]) == 3 + count_text("user") + count_text("Where is my order?")
    assert count_message({**MESSAGES[1], "name": "ann"}) == count_message(MESSAGES[1]) + count_text("ann") + 1
    assert count_message({"role": "assistant", "content": None}) == 4
    assert count_example(MESSAGES) == sum(map(count_message, MESSAGES)) + 3


def test_parts_images_and_calls_are_counted() -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "data:" + "x" * 9000}}]
    assert count_message({"role": "user", "content": parts}) == 3 + count_text("user") + count_text("Look:") + 85
    calls = [{"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"name": "Łódź"}'}}]
    counted = count_message({"role": "assistant", "tool_calls": calls})
    assert counted == 3 + count_text("assistant") + count_text(json.dumps(calls, ensure_ascii=False))


def test_counts_by_role_and_example_add_up() -> None:
    second = [*MESSAGES[1:], MESSAGES[1], {"role": "assistant", "content": "It is.", "weight": 0}]
    table = count_table([MESSAGES, second])
    assert list(table) == ["system", "user", "assistant", "total", "learned"] and list(table.index) == [1, 2]
    assert (table[["system", "user", "assistant"]].sum(axis=1) + 3 == table.total).all()
    assert table.loc[2, "system"] == 0 and table.loc[2, "user"] == 2 * count_message(MESSAGES[1])
    assert table.learned.tolist() == [count_text("On its way.")] * 2
    assert count_table([]).empty


LEARNED = {"role": "assistant", "content": 'Hello <b>José</b> 😀 & "co"\nBye.'}
UNLEARNED = {"role": "assistant", "content": "Draft.", "weight": 0}


def test_loss_is_on_the_assistants_messages_that_count() -> None:
    assert carries_loss(LEARNED) and carries_loss({**LEARNED, "weight": 1})
    assert not carries_loss(UNLEARNED) and not carries_loss(MESSAGES[1])
    assert carries_loss(MESSAGES[1], assistant_only=False) and not carries_loss(UNLEARNED, assistant_only=False)


def test_the_view_shows_each_token_and_whether_it_is_learned() -> None:
    user = {"role": "user", "content": "<script>alert(1)</script>"}
    view = loss_view([user, UNLEARNED, LEARNED])
    counts = [count_text(message["content"]) for message in (user, UNLEARNED, LEARNED)]
    assert f"{counts[2]} of {sum(counts)} tokens carry loss" in str(view)
    assert [line for line in str(view).splitlines() if line.startswith("+ ")] == [
        "+ " + 'Hello <b>José</b> 😀 & "co"',
        "+ Bye.",
    ]
    assert "(weight 0)" in str(view) and "read only" in str(view)
    page = BeautifulSoup(view._repr_html_(), "html.parser")
    assert not page.find("script") and not page.find("b", string="José")
    boxes = [box for box in page.find_all("div") if "background-color" in box.get("style", "")]
    assert [box.get_text() for box in boxes] == [message["content"] for message in (user, UNLEARNED, LEARNED)]
    assert boxes[0]["style"] == boxes[1]["style"] != boxes[2]["style"]
    pieces = list(boxes[2].children)  # every second token stands in a span; neighbours of the other shade are one node
    assert len(pieces) >= counts[2] - 3  # a character of several tokens is shown with one of them
    everything = loss_view([user, UNLEARNED, LEARNED], assistant_only=False)
    assert f"{counts[0] + counts[2]} of {sum(counts)}" in str(everything)


def test_the_view_is_shown_in_colour_and_in_words() -> None:
    shown, _ = DisplayFormatter().format(loss_view(MESSAGES))
    assert "background-color" in shown["text/html"] and "4 of 13 tokens carry loss" in shown["text/plain"]


def test_counting_needs_no_network(tmp_path: Path) -> None:
    """In a process that may open no connection, with an empty cache folder."""
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('a connection was opened')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
        "from helpers.tokens import count_text\nprint(count_text('hello world'))"
    )
    environment = {**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path / "cache")}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert shown.stdout.strip() == "2", shown.stderr


def test_ranks_that_were_tampered_with_are_not_used(tmp_path: Path) -> None:
    """tiktoken checks the ranks' SHA-256; with a wrong one and no network it refuses instead of counting wrongly."""
    code = (
        "import socket, helpers.tokens as t\n"
        "def refuse(*_, **__): raise OSError('no network')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
        "t.count_text('x')"
    )
    (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(b"YQ== 0\n")
    environment = {**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode != 0


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 25), (10, 10), (33, 3), (34, 3), (100, 3), (8333, 3), (8334, 2), (30000, 1)]
)
def test_auto_epochs_follow_the_published_rule(examples: int, epochs: int) -> None:
    assert auto_epochs(examples) == epochs


def test_a_cost_is_tokens_times_epochs_times_the_price() -> None:
    cost = training_cost([MESSAGES] * 40, "gpt-4o-mini-2024-07-18", epochs=2)
    assert cost.tokens == 40 * count_example(MESSAGES) and cost.cut == 0
    assert cost.dollars == pytest.approx(cost.tokens * 2 * 3.00 / 1e6)
    assert training_cost([MESSAGES] * 40).epochs == 3
    for part in ("40 examples", "2 epochs", price_table()["as_of"], "$0.0"):
        assert part in str(cost)


def test_the_price_table_says_what_training_and_use_cost() -> None:
    table = cost_table([MESSAGES] * 40, requests=10_000, epochs=2).set_index("model")
    assert list(table.index) == list(price_table()["models"])
    row = table.loc["gpt-4o-mini-2024-07-18"]
    assert row.training == training_cost([MESSAGES] * 40, "gpt-4o-mini-2024-07-18", epochs=2).dollars
    asked, said = count_example(MESSAGES[:2]), count_text("On its way.")
    assert row.use == pytest.approx(10_000 * (asked * 0.30 + said * 1.20) / 1e6)
    assert row.base_use == pytest.approx(10_000 * (asked * 0.15 + said * 0.60) / 1e6)
    assert table.training.isna().sum() == table.use.isna().sum() == 1 and table.base_use.notna().all()
    assert set(table.prices_of) == {price_table()["as_of"]} and set(table.epochs) == {2}
    assert cost_table([MESSAGES] * 40, requests=0).use.max() == 0


def test_an_example_over_the_limit_costs_the_limit() -> None:
    long = [{"role": "user", "content": "word " * 70_000}, MESSAGES[2]]
    cost = training_cost([long], epochs=1)
    assert (cost.cut, cost.tokens) == (1, 65_536)


def test_a_ceiling_refuses_and_says_what_to_do() -> None:
    cost = training_cost([MESSAGES] * 100)
    check_budget(cost, 1.0)
    with pytest.raises(OverBudget, match=r"over your ceiling of \$0.00, so nothing was submitted"):
        check_budget(cost, 0.001)
    for none in (float("nan"), -1.0):
        with pytest.raises(Explained, match="so nothing was submitted"):
            check_budget(cost, none)
    with pytest.raises(OverBudget, match="cannot be fine-tuned"):
        check_budget(training_cost([MESSAGES], "gpt-4o-2024-05-13"), 100)


def test_no_number_of_epochs_makes_training_cheaper_than_nothing() -> None:
    with pytest.raises(Explained, match="-3 epochs"):
        training_cost([MESSAGES] * 100, epochs=-3)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(Explained, match="gpt-4o-2024-08-06"):
        training_cost([MESSAGES], "gpt-9")


def test_the_price_table_is_dated_and_whole() -> None:
    table = price_table()
    assert price_age(datetime.date.fromisoformat(table["as_of"]) + datetime.timedelta(days=3)) == 3
    dates = [table[name] for name in table if name.endswith(("organisations", "everyone", "shutdown"))]
    for date in [*dates, *(model["shutdown"] for model in table["models"].values())]:
        datetime.date.fromisoformat(date)
    assert len(table["sources"]) >= 3
    assert json.dumps(table)


def test_a_tuned_model_s_base_stands_in_its_name() -> None:
    assert base_of("ft:gpt-4o-2024-08-06:acme:desk:abc123:ckpt-step-88") == "gpt-4o-2024-08-06"
    assert base_of("gpt-4o-2024-08-06") == "gpt-4o-2024-08-06"
