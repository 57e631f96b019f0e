"""Step 2: tokens and dollars. Counts with OpenAI's own encoding, offline, and prices from one dated file.

Shown in notebook 02.
"""

import datetime
import gzip
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tiktoken
from platformdirs import user_cache_path

DATA = Path(__file__).parent / "data"
RANKS_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"  # SHA-1 of the address tiktoken would load the ranks from
DEFAULT_MODEL = "gpt-4o-2024-08-06"

Messages = Sequence[dict[str, Any]]


class OverBudget(ValueError):
    """A training run would cost more than the ceiling that its owner set."""


@cache
def encoding() -> tiktoken.Encoding:
    """Return o200k_base, the encoding of GPT-4o, from the ranks shipped with this package.

    tiktoken looks for the unpacked ranks in TIKTOKEN_CACHE_DIR and checks their SHA-256 itself.
    """
    folder = Path(
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(user_cache_path("finetuning-notebooks", appauthor=False)))
    )
    ranks = folder / RANKS_NAME
    if not ranks.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f"{RANKS_NAME}.{os.getpid()}"
        half.write_bytes(gzip.decompress((DATA / "o200k_base.tiktoken.gz").read_bytes()))
        half.replace(ranks)
    return tiktoken.get_encoding("o200k_base")


def count_text(text: str) -> int:
    """Return how many o200k_base tokens the text has; what looks like a control token counts as plain text."""
    return len(encoding().encode(text, disallowed_special=()))


def count_message(message: dict[str, Any]) -> int:
    """Return the tokens of one chat message: 3 for its frame, then role, content and, if any, name and tool calls.

    The frame of 3 is the figure of OpenAI's published counting examples (cookbook, 2024) for GPT-4o models.
    """
    total = 3 + count_text(message.get("role") or "")
    for key in ("content", "name", "tool_calls"):
        value = message.get(key)
        if value:
            total += count_text(value if isinstance(value, str) else json.dumps(value)) + (key == "name")
    return total


def count_example(messages: Messages) -> int:
    """Return the tokens of one training example: its messages, and 3 that prime the reply."""
    return sum(count_message(message) for message in messages) + 3


@cache
def price_table() -> dict[str, Any]:
    """Return the dated price table (data/prices.json): prices in US dollars per million tokens, and shutdown dates."""
    return json.loads((DATA / "prices.json").read_text(encoding="utf-8"))


def price_age(today: datetime.date | None = None) -> int:
    """Return how many days old the price table is."""
    return ((today or datetime.date.today()) - datetime.date.fromisoformat(price_table()["as_of"])).days


def auto_epochs(examples: int) -> int:
    """Return the epochs that "auto" gives a file of this many examples, by the rule of OpenAI's cookbook (2024)."""
    if examples * 3 < 100:
        return min(25, 100 // max(examples, 1))
    if examples * 3 > 25_000:
        return max(1, 25_000 // examples)
    return 3


@dataclass(frozen=True)
class TrainingCost:
    """What one training run would cost on OpenAI."""

    model: str
    examples: int
    tokens: int  # in one pass over the file, each example cut at the model's limit
    cut: int  # how many examples are longer than that limit
    epochs: int
    dollars: float | None  # None where the model has no training price
    as_of: str  # the price table's date

    def __str__(self) -> str:
        if self.dollars is None:
            return f"{self.model} has no training price: it cannot be fine-tuned (prices of {self.as_of})."
        return (
            f"{self.examples:,} examples, {self.tokens:,} tokens x {self.epochs} epochs on {self.model}: "
            f"${self.dollars:,.2f} (prices of {self.as_of})"
        )


def training_cost(examples: Iterable[Messages], model: str = DEFAULT_MODEL, epochs: int | None = None) -> TrainingCost:
    """Return what training on these examples would cost; epochs default to OpenAI's "auto" rule.

    Raises KeyError, naming the models known, for a model that is not in the price table.
    """
    known = price_table()["models"]
    if model not in known:
        raise KeyError(f"No price for '{model}'. Known: {', '.join(known)}.")
    limit = known[model]["max_example_tokens"] or 65_536
    lengths = [count_example(messages) for messages in examples]
    tokens = sum(min(length, limit) for length in lengths)
    passes = epochs or auto_epochs(len(lengths))
    price = known[model]["training"]
    dollars = None if price is None else tokens * passes * price / 1_000_000
    cut = sum(length > limit for length in lengths)
    return TrainingCost(model, len(lengths), tokens, cut, passes, dollars, price_table()["as_of"])


def check_budget(cost: TrainingCost, ceiling: float) -> None:
    """Raise OverBudget, with what to change, if the run would cost more than `ceiling` dollars."""
    if cost.dollars is None:
        raise OverBudget(str(cost))
    if cost.dollars > ceiling:
        raise OverBudget(
            f"{cost}. That is over your ceiling of ${ceiling:,.2f}, so nothing was submitted. "
            "Use fewer examples or epochs, a cheaper model, or raise the ceiling."
        )
