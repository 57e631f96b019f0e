"""Cost and return: break-even by hand, the dates of the price table, and what is warned of."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

import pytest

from helpers import frontend, tokens
from helpers.costs import Calculator, Use, break_even, break_even_table, cost_plot, price_warnings
from helpers.errors import Explained
from helpers.tokens import price_table

MODEL = "gpt-4o-2024-08-06"
USE = Use(prompt_tokens=2000, tuned_prompt_tokens=200, reply_tokens=100, requests_a_month=10_000)
IN_TIME = datetime.date(2026, 11, 20)


def test_the_break_even_is_that_of_pencil_and_paper() -> None:
    price = price_table()["models"][MODEL]
    long = 2000 * price["base_input"] + 100 * price["base_output"]  # millionths of a dollar
    short = 200 * price["input"] + 100 * price["output"]
    found = break_even(MODEL, USE, training_tokens=1_000_000, today=IN_TIME)
    assert found.training == price["training"]
    assert found.requests == pytest.approx(price["training"] * 1e6 / (long - short))
    assert found.months == pytest.approx(found.requests / 10_000)
    before = found.requests * found.prompted_request
    assert before == pytest.approx(found.training + found.requests * found.tuned_request)


def test_other_costs_count_and_a_cached_prompt_saves_less() -> None:
    plain = break_even(MODEL, USE, 100_000)
    assert break_even(MODEL, USE, 100_000, other_dollars=50).training == pytest.approx(plain.training + 50)
    cached = break_even(MODEL, Use(2000, 200, 100, 10_000, cached=0.9), 100_000)
    assert cached.prompted_request < plain.prompted_request and cached.requests > plain.requests


def test_a_prompt_no_shorter_never_pays() -> None:
    found = break_even(MODEL, Use(200, 200, 100, 10_000), 100_000)
    assert math.isinf(found.requests) and not found.pays and "never pays" in str(found)


def test_a_model_that_ends_before_it_has_paid_does_not_pay() -> None:
    assert break_even(MODEL, USE, 1_000_000, today=IN_TIME).pays
    late = break_even(MODEL, USE, 1_000_000, today=datetime.date(2027, 1, 10))
    assert not late.pays and "shut down on 2027-01-14" in str(late)


def test_nobody_asking_saves_nothing() -> None:
    assert math.isinf(break_even(MODEL, Use(2000, 200, 100, 0), 1000).months)


@pytest.mark.parametrize(
    ("model", "use", "said"),
    [
        ("gpt-9", USE, "no price for fine-tuning 'gpt-9'. Known: gpt-4o"),
        ("gpt-4o-2024-05-13", USE, "no price for fine-tuning"),
        (MODEL, Use(2000, 200, 100, 10_000, cached=1.5), "from 0 to 1"),
        (MODEL, Use(-1, 200, 100, 10_000), "below 0"),
    ],
)
def test_what_cannot_be_reckoned_is_explained(model: str, use: Use, said: str) -> None:
    with pytest.raises(Explained, match=said):
        break_even(model, use, 1000)


def test_the_table_has_every_model_that_could_be_tuned() -> None:
    tunable = [name for name, price in price_table()["models"].items() if price["training"] is not None]
    assert list(break_even_table(USE, 1000)["model"]) == tunable


def test_a_fresh_table_and_a_model_in_service_give_no_warning() -> None:
    assert price_warnings([MODEL], today=datetime.date.fromisoformat(price_table()["as_of"])) == []


def test_an_old_table_a_dead_model_and_an_unknown_one_are_warned_of() -> None:
    as_of = datetime.date.fromisoformat(price_table()["as_of"])
    assert price_warnings([], today=as_of + datetime.timedelta(days=90)) == []
    (old,) = price_warnings([], today=as_of + datetime.timedelta(days=91))
    assert "91 days ago" in old
    assert price_warnings([MODEL], today=datetime.date(2027, 1, 13)) == []
    (dead,) = price_warnings([MODEL], today=datetime.date(2027, 1, 14))
    assert "shut down on 2027-01-14" in dead
    (gone,) = price_warnings(["gpt-3.5-turbo"], today=as_of)
    assert "2026-10-23" in gone
    assert "not in the price table" in price_warnings(["as_of"], today=as_of)[0]


def test_history_is_dated_and_in_order_and_says_where_from() -> None:
    history: list[dict[str, Any]] = price_table()["history"]
    dates = [row["date"] for row in history]
    assert dates == sorted(dates) and all(re.fullmatch(r"20\d\d(-\d\d-\d\d)?", date) for date in dates)
    assert all(row["what"] and row["source"] for row in history)
    assert price_table()["compared"][MODEL]["training"] == price_table()["models"][MODEL]["training"]


def test_there_is_one_file_of_prices() -> None:
    assert [path.name for path in tokens.DATA.parent.rglob("*price*.json")] == ["prices.json"]


def test_the_sliders_give_the_break_even_of_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Calculator(MODEL, USE, 1_000_000)
    assert start.page.said.value == repr(start) and bytes(start.page.picture.value).startswith(b"\x89PNG")
    before = bytes(start.page.picture.value)
    start.page.sliders["requests_a_month"].value = 100_000
    start.page.model.value = "gpt-4o-mini-2024-07-18"
    other = Use(2000, 200, 100, 100_000)
    assert start.page.said.value == str(break_even("gpt-4o-mini-2024-07-18", other, 1_000_000))
    assert bytes(start.page.picture.value) != before
    assert frontend.VIEW not in start._repr_mimebundle_()
    monkeypatch.setattr(frontend, "is_watched", lambda: True)
    assert frontend.VIEW in start._repr_mimebundle_()


def test_the_plot_marks_the_break_even() -> None:
    found = break_even(MODEL, USE, 1_000_000)
    labels = [line.get_label() for line in cost_plot(found, USE).axes[0].lines]
    assert labels == ["long prompt", "tuned", "break-even"]
