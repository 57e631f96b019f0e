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

import pandas as pd
import tiktoken
from platformdirs import user_cache_path

from helpers.errors import Explained

DATA = Path(__file__).parent / "data"
RANKS_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"  # SHA-1 of the address tiktoken would load the ranks from
PRICES_OLD = 90  # days after which the price table should be compared with the services' pages
DEFAULT_MODEL = "gpt-4o-2024-08-06"
IMAGE = 85  # tokens of an image at low detail; at high detail it has more, by its size (OpenAI's vision guide, 2024)

Messages = Sequence[dict[str, Any]]


class OverBudget(Explained):
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


def spoken(message: dict[str, Any]) -> list[str]:
    """Return the texts of a message: its content, a refusal, and its calls as JSON. Images are not among them."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    parts = [part.get("text", "" if _is_image(part) else part) if isinstance(part, dict) else part for part in parts]
    parts += [message.get(key) for key in ("refusal", "tool_calls", "function_call")]
    return [part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts if part]


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def count_message(message: dict[str, Any]) -> int:
    """Return the tokens of one chat message: 3 for its frame, then role, texts, images and, if it has one, name.

    The frame of 3 is the figure of OpenAI's published counting examples (cookbook, 2024) for GPT-4o models. How calls
    are written for the model is not published; they count as their JSON.
    """
    content, name = message.get("content"), message.get("name")
    images = sum(map(_is_image, content)) if isinstance(content, list) else 0
    texts = [message.get("role") or "", *spoken(message), *([name] if name else [])]
    return 3 + sum(map(count_text, texts)) + IMAGE * images + bool(name)


def count_example(messages: Messages) -> int:
    """Return the tokens of one training example: its messages, and 3 that prime the reply.

    What a row declares beside its messages, its tools, is not in them and is billed as well.
    """
    return sum(count_message(message) for message in messages) + 3


def carries_loss(message: dict[str, Any], assistant_only: bool = True) -> bool:
    """Return whether a model learns to write this message: it is the assistant's, and its weight is not 0.

    Some trainers can learn every role (assistant_only=False); OpenAI and the local service learn the assistant's.
    """
    return message.get("weight") != 0 and (message.get("role") == "assistant" or not assistant_only)


def count_table(examples: Iterable[Messages]) -> pd.DataFrame:
    """Return one row an example, from 1: the tokens of each role, of all (`total`), and those with loss (`learned`).

    A role's tokens include its messages' frames, and the total the 3 that prime the reply. `learned` is texts alone.
    """
    rows = []
    for messages in examples:
        row = {"total": count_example(messages), "learned": sum(map(count_text, learned_texts(messages)))}
        for message in messages:
            role = str(message.get("role"))
            row[role] = row.get(role, 0) + count_message(message)
        rows.append(row)
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="example")).fillna(0).astype(int)
    return table[[*(name for name in table if name not in ("total", "learned")), *table.columns[:2]]]


def learned_texts(messages: Messages) -> list[str]:
    """Return the texts of an example that carry loss."""
    return [text for message in messages if carries_loss(message) for text in spoken(message)]


@cache
def price_table() -> dict[str, Any]:
    """Return the dated price table (data/prices.json): prices in US dollars per million tokens, and shutdown dates."""
    return json.loads((DATA / "prices.json").read_text(encoding="utf-8"))


def base_of(model: str) -> str:
    """Return the base of a tuned model, ft:<base>:<organisation>:<suffix>:<id>; any other name as it is."""
    return model.split(":")[1] if model.startswith("ft:") else model


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

    Raises Explained, naming the models known, for a model that is not in the price table.
    """
    return _training_cost([count_example(messages) for messages in examples], model, epochs)


def _training_cost(lengths: Sequence[int], model: str, epochs: int | None) -> TrainingCost:
    known = price_table()["models"]
    if model not in known:
        raise Explained(f"There is no price for '{model}'. Known: {', '.join(known)}.")
    limit = known[model]["max_example_tokens"] or 65_536
    tokens = sum(min(length, limit) for length in lengths)
    passes = epochs or auto_epochs(len(lengths))
    if passes < 1:
        raise Explained(f"{passes} epochs are none. Say 1 or more, or None for the automatic number.")
    price = known[model]["training"]
    dollars = None if price is None else tokens * passes * price / 1_000_000
    cut = sum(length > limit for length in lengths)
    return TrainingCost(model, len(lengths), tokens, cut, passes, dollars, price_table()["as_of"])


def cost_table(examples: Iterable[Messages], requests: int, epochs: int | None = None) -> pd.DataFrame:
    """Return one row a model of the price table: dollars for training, and for `requests` requests like the examples.

    Columns: model, epochs, training (NaN where it cannot be fine-tuned), use (of the tuned model), base_use (of the
    model as it is), shutdown, prices_of (the table's date). A request is an example up to its last assistant message,
    which is the reply. No input counts as cached, so a real bill can be lower.
    """
    examples = list(examples)
    lengths = [count_example(messages) for messages in examples]
    replies = [sum(map(count_text, spoken(m[-1]))) if m and m[-1].get("role") == "assistant" else 0 for m in examples]
    asked = [count_example(m[:-1]) if reply else n for m, n, reply in zip(examples, lengths, replies, strict=True)]
    scale = requests / max(len(examples), 1) / 1_000_000

    def use(input_price: float | None, output_price: float | None) -> float | None:
        if input_price is None or output_price is None:
            return None
        return (sum(asked) * input_price + sum(replies) * output_price) * scale

    rows = []
    for model, price in price_table()["models"].items():
        cost = _training_cost(lengths, model, epochs)
        costs = (cost.dollars, use(price["input"], price["output"]), use(price["base_input"], price["base_output"]))
        rows.append((model, cost.epochs, *costs, price["shutdown"], cost.as_of))
    columns = ["model", "epochs", "training", "use", "base_use", "shutdown", "prices_of"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(["training", "use", "base_use"], float))


def check_budget(cost: TrainingCost, ceiling: float) -> None:
    """Raise OverBudget, with the numbers and what to change, if the run would cost more than `ceiling` dollars.

    Call it before client.fine_tuning.jobs.create. A ceiling that is not a number refuses everything.
    """
    if cost.dollars is None:
        raise OverBudget(str(cost))
    if not cost.dollars <= ceiling:
        raise OverBudget(
            f"{cost}. That is over your ceiling of ${ceiling:,.2f}, so nothing was submitted. "
            "Use fewer examples or epochs, a cheaper model, or raise the ceiling."
        )
