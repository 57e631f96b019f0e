"""Cost and return: what a tuned model saves against a longer prompt, and after how many requests that has paid.

    use = Use(prompt_tokens=1500, tuned_prompt_tokens=150, reply_tokens=120, requests_a_month=20_000)
    break_even("gpt-4o-2024-08-06", use, training_tokens=300_000, other_dollars=500)

Prices and shutdown dates are those of the dated table, data/prices.json (helpers.tokens). Shown in notebook 09.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import ipywidgets
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from helpers import plots
from helpers.errors import Explained
from helpers.frontend import with_widgets
from helpers.tokens import PRICES_OLD, price_age, price_table

A_MONTH = 365 / 12  # days


@dataclass(frozen=True)
class Use:
    """How a model is used. Tokens are those of one request; `cached` is the share of the long prompt read from cache.

    A service can keep the beginning that prompts have in common (instructions, examples) and charges less for it.
    """

    prompt_tokens: int
    tuned_prompt_tokens: int
    reply_tokens: int
    requests_a_month: int
    cached: float = 0.0


@dataclass(frozen=True)
class BreakEven:
    """What training costs and each request saves, in dollars, and where the one has paid for the other."""

    model: str
    training: float  # with the other costs
    prompted_request: float  # the base with the long prompt
    tuned_request: float
    requests: float  # until the training has paid; infinite where a request saves nothing
    months: float
    shutdown: str
    pays: bool  # before the model is shut down
    prices_of: str

    def __str__(self) -> str:
        each = f"a request costs ${self.prompted_request:.5f} with the long prompt, ${self.tuned_request:.5f} tuned"
        if math.isinf(self.requests):
            ends = "so training never pays by shorter prompts"
        else:
            ends = f"so ${self.training:,.2f} are paid back after {self.requests:,.0f} requests"
            ends += f", {self.months:,.1f} months" + (
                "" if self.pays else f": too late, the model is shut down on {self.shutdown}"
            )
        return f"{self.model}: {each}, {ends} (prices of {self.prices_of})."


def break_even(
    model: str, use: Use, training_tokens: int, other_dollars: float = 0.0, today: datetime.date | None = None
) -> BreakEven:
    """Return when tuning `model` has paid: `training_tokens` are billed (those of the file times epochs).

    `other_dollars` is what else it took, above all people's time for good examples. Raises Explained for a model that
    is not in the price table or was never to be fine-tuned, for a share outside 0 to 1, and for numbers below 0.
    """
    price = _price(model)
    if not 0 <= use.cached <= 1 or min(*vars(use).values(), training_tokens, other_dollars) < 0:
        raise Explained("Tokens, requests and dollars cannot be below 0, and the cached share is from 0 to 1.")
    read = (1 - use.cached) * price["base_input"] + use.cached * price["base_cached_input"]
    prompted = (use.prompt_tokens * read + use.reply_tokens * price["base_output"]) / 1e6
    tuned = (use.tuned_prompt_tokens * price["input"] + use.reply_tokens * price["output"]) / 1e6
    training = training_tokens * price["training"] / 1e6 + other_dollars
    requests = training / (prompted - tuned) if prompted > tuned else math.inf
    months = requests / use.requests_a_month if use.requests_a_month else math.inf
    left = (datetime.date.fromisoformat(price["shutdown"]) - (today or datetime.date.today())).days / A_MONTH
    as_of = price_table()["as_of"]
    return BreakEven(model, training, prompted, tuned, requests, months, price["shutdown"], months <= left, as_of)


def _price(model: str) -> dict[str, Any]:
    known = {name: price for name, price in price_table()["models"].items() if price["training"] is not None}
    if model not in known:
        raise Explained(f"There is no price for fine-tuning '{model}'. Known: {', '.join(known)}.")
    return known[model]


def break_even_table(use: Use, training_tokens: int, other_dollars: float = 0.0) -> pd.DataFrame:
    """Return one row a model that has a price for fine-tuning, with the columns of BreakEven."""
    models = [name for name, price in price_table()["models"].items() if price["training"] is not None]
    return pd.DataFrame([vars(break_even(model, use, training_tokens, other_dollars)) for model in models])


def price_warnings(models: Iterable[str], today: datetime.date | None = None) -> list[str]:
    """Return what is to be minded about the table and these models; nothing where it is fresh and they are in service.

    Warns of a table older than 90 days, of a model past its shutdown date, and of one that the table does not have.
    """
    today = today or datetime.date.today()
    table, age = price_table(), price_age(today)
    said = []
    if age > PRICES_OLD:
        said.append(
            f"The prices are of {table['as_of']}, {age} days ago: compare data/prices.json with the price pages."
        )
    for model in models:
        price = table["models"].get(model) or table["compared"].get(model)
        if not isinstance(price, dict):
            said.append(f"{model} is not in the price table of {table['as_of']}.")
        elif price["shutdown"] <= today.isoformat():
            said.append(f"{model} was shut down on {price['shutdown']}: its prices are history.")
    return said


@rc_context(plots.STYLE)
def cost_plot(found: BreakEven, use: Use) -> Figure:
    """Return the dollars spent so far over a year at this volume: with the long prompt, and with the tuned model."""
    figure, axes = plots.new_axes(f"{found.model}, {use.requests_a_month:,} requests a month")
    months = range(13)
    lines = {"long prompt": (0.0, found.prompted_request), "tuned": (found.training, found.tuned_request)}
    for (label, (start, each)), colour, style in zip(lines.items(), plots.COLOURS, ("-", "--"), strict=False):
        spent = [start + month * use.requests_a_month * each for month in months]
        axes.plot(months, spent, style, color=colour, label=label)
    if found.months <= months[-1]:
        axes.axvline(found.months, color=plots.COLOURS[3], linestyle=":", label="break-even")
    axes.set_xlabel("months")
    axes.set_ylabel("US dollars so far")
    axes.legend()
    return figure


class Calculator:
    """Sliders for the use, with the break-even and its plot. Where nobody watches it is the sentence alone."""

    def __init__(self, model: str, use: Use, training_tokens: int, other_dollars: float = 0.0) -> None:
        self.model, self.use = model, use
        self.training_tokens, self.other_dollars = training_tokens, other_dollars

    def __repr__(self) -> str:
        return str(break_even(self.model, self.use, self.training_tokens, self.other_dollars))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = {"text/plain": repr(self)}
        return with_widgets(shown, lambda: self.page.box)

    @cached_property
    def page(self) -> CalculatorPage:
        """The widgets."""
        return CalculatorPage(self)


class CalculatorPage:
    """The widgets: `sliders` by the names of Use, `model`, and what they come to in `said` and `picture`."""

    def __init__(self, start: Calculator) -> None:
        self.start = start
        limits = {"prompt_tokens": 8000, "tuned_prompt_tokens": 4000, "reply_tokens": 2000, "requests_a_month": 200_000}
        wide = {"style": {"description_width": "11em"}, "layout": {"width": "95%"}, "continuous_update": False}
        self.sliders: dict[str, Any] = {}
        for name, most in limits.items():
            words, value = name.replace("_", " "), getattr(start.use, name)
            self.sliders[name] = ipywidgets.IntSlider(value, 0, most, most // 200, description=words, **wide)
        self.sliders["cached"] = ipywidgets.FloatSlider(start.use.cached, min=0, max=1, step=0.05, **wide)
        self.sliders["cached"].description = "share from cache"
        models = [name for name, price in price_table()["models"].items() if price["training"] is not None]
        self.model = ipywidgets.Dropdown(options=models, value=start.model, description="model")
        self.said, self.picture = ipywidgets.HTML(), ipywidgets.Image(format="png")
        for widget in (self.model, *self.sliders.values()):
            widget.observe(self._show, names="value")
        self.box = ipywidgets.VBox([self.model, *self.sliders.values(), self.said, self.picture])
        self._show()

    def _show(self, _: Any = None) -> None:
        use = replace(self.start.use, **{name: slider.value for name, slider in self.sliders.items()})
        found = break_even(self.model.value, use, self.start.training_tokens, self.start.other_dollars)
        self.said.value, self.picture.value = str(found), plots.png(cost_plot(found, use))
