"""What training and asking cost: before anything is sent, and in fact, afterwards; and that somebody agreed to it.

For OpenAI's models the dated price table (data/prices.json) tells, wherever they are asked: a gateway on this machine
passes the bill on. Any other model costs nothing on this machine, and nothing where its server says that it is the
local service, such as one for a class; what another service takes is not known here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import openai

from helpers.frontend import is_watched
from helpers.tokens import Messages, OverBudget, base_of, count_example, price_table, training_cost

if TYPE_CHECKING:
    from helpers.connection import Service

HERE = {"127.0.0.1", "localhost", "::1"}
FREE = "The local service costs nothing: connect('local')."


@dataclass(frozen=True)
class Spending:
    """Requests to one model, the tokens in and out, and what they cost."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None  # None where the price is not known
    prices_of: str  # the price table's date; "" where it was not needed

    @property
    def is_free(self) -> bool:
        """Whether no price was needed: the local service takes nothing, however much is asked."""
        return self.dollars == 0 and not self.prices_of

    def __str__(self) -> str:
        head = f"{self.requests:,} requests, {self.prompt_tokens:,} tokens in, {self.completion_tokens:,} out"
        if self.dollars is None:
            return f"{head}; what this service charges is not known here"
        if self.is_free:
            return f"{head}: nothing to pay"
        return f"{head}: ${self.dollars:,.2f} (prices of {self.prices_of})"


def at_most(client: openai.OpenAI, asked: Sequence[dict[str, Any]], batch: bool = False) -> Spending:
    """Return what these chat/completions bodies cost where every answer is as long as it may be.

    Tokens in are counted with o200k_base: exact for GPT-4o's text messages, a guide elsewhere.
    """
    used = ((count_example(request["messages"]), request["max_completion_tokens"]) for request in asked)
    return spent(client, asked[0]["model"] if asked else "", used, batch)


def spent(client: openai.OpenAI, model: str, used: Iterable[tuple[int, int]], batch: bool = False) -> Spending:
    """Return what requests cost that used these tokens, in and out each."""
    pairs = list(used)
    tokens_in, tokens_out = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    table = price_table()
    price = table["models"].get(base_of(model))
    if price is None and _costs_nothing(client):
        return Spending(len(pairs), tokens_in, tokens_out, 0.0, "")
    kind = "" if model.startswith("ft:") else "base_"
    dollars = None
    if price is not None and price[f"{kind}input"] is not None:
        dollars = (tokens_in * price[f"{kind}input"] + tokens_out * price[f"{kind}output"]) / 1_000_000
        dollars *= table["batch_share"] if batch else 1
    return Spending(len(pairs), tokens_in, tokens_out, dollars, table["as_of"])


def check_ceiling(spending: Spending, ceiling: float) -> None:
    """Raise OverBudget, with the figures and what to change, where requests may cost more than `ceiling` dollars."""
    if spending.dollars is None and not ceiling == float("inf"):
        raise OverBudget(
            f"{spending}, so nothing was sent. Ask whoever runs it; to go on whatever it costs, say "
            'ceiling=float("inf").'
        )
    if spending.dollars is not None and not spending.dollars <= ceiling:
        raise OverBudget(
            f"At most {spending}. That is over your ceiling of ${ceiling:,.2f}, so nothing was sent. Say ceiling=… in "
            "dollars, ask fewer questions, allow shorter answers (max_tokens), or use batch=True: half the price."
        )


def agree_to_train(service: Service, examples: Iterable[Messages], n_epochs: int | None) -> None:
    """Let a training run pass that costs nothing, or no more than its owner agreed to; print what it costs.

    The owner agrees by the service's ceiling in dollars, or, where none was stated, by typing yes. Raises OverBudget
    otherwise; then nothing has been sent. Azure's prices are its own: there OpenAI's are a guide.
    """
    agree(service, examples, n_epochs)


def agree(
    service: Service, examples: Iterable[Messages], n_epochs: int | None, then: Sequence[Spending] = ()
) -> Service:
    """Return the service with what its owner agreed to as its ceiling: for training and what is asked after it, `then`.

    See agree_to_train. One yes, or one ceiling, has to cover all of it, so that no model is paid for that nobody may
    then evaluate.
    """
    name = base_of(service.base_model)
    priced = name in price_table()["models"]
    if service.is_local or (not priced and _costs_nothing(service.client)):
        return replace(service, ceiling=math.inf)
    cost = training_cost(examples, name, n_epochs) if priced else None
    told = str(cost) if cost else f"What {service.name} charges for training is not known here; ask whoever runs it"
    if cost and cost.dollars is None:
        raise OverBudget(f"{told} {FREE}")
    dollars = sum((asking.dollars or 0.0 for asking in then), cost.dollars or 0.0) if cost else math.inf
    if cost and then:
        told += f"; with {sum(asking.requests for asking in then):,} questions after it at most ${dollars:,.2f}"
    print(told)
    if service.ceiling is None and not _confirmed():
        raise OverBudget(
            f"Nobody agreed to what this costs, so nothing was sent: {told}. State what a run may cost, in "
            f"dollars: connect({service.name!r}, ceiling=…), or FINETUNE_CEILING. {FREE}"
        )
    if service.ceiling is not None and not dollars <= service.ceiling:
        raise OverBudget(
            f"{told}. That is over your ceiling of ${service.ceiling:,.2f}, so nothing was sent. Use fewer examples or "
            f"epochs, a cheaper model, or raise the ceiling. {FREE}"
        )
    return replace(service, ceiling=dollars)


def _costs_nothing(client: openai.OpenAI) -> bool:
    """Whether models without a price at OpenAI are free here: on this machine, or where a local service serves them."""
    try:
        return client.base_url.host in HERE or _is_local_service(client)
    except openai.OpenAIError:  # who does not answer has not said that it is free
        return False


@lru_cache(maxsize=8)
def _is_local_service(client: openai.OpenAI) -> bool:
    """Whether its models' owner says so, asked once: an evaluation wants to know before and after."""
    return any(model.owned_by == "local-service" for model in client.models.list())


def _confirmed() -> bool:
    """Whether a person who is there types yes."""
    if not (is_watched() or sys.stdin.isatty()):
        return False
    try:
        return input("Go on at this price? Type yes: ").strip().lower() == "yes"
    except (EOFError, NotImplementedError):  # a notebook that a program runs can ask nobody
        return False
