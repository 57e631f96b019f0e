"""Hyperparameters: the bounds OpenAI documents, and what "auto" means here.

| | bounds | auto |
|---|---|---|
| n_epochs | 1 to 50 | 3; under 34 examples 100 // examples, at most 25; over 8,333: 25,000 // examples, at least 1 |
| batch_size | 1 to 256 | the largest power of two up to examples / 50, at least 1, at most 16 |
| learning_rate_multiplier | above 0 | 1 |
| beta (method dpo) | above 0, at most 2 | 0.1 |

The rule for n_epochs is that of OpenAI's published data preparation example (3 epochs, 100 to 25,000 examples seen in
all); OpenAI does not document its rules for the others, so those are this service's own. The learning rate is the
multiplier times the base's own default, of which method dpo takes DPO_RATE, and training of all parameters in more than
100 steps a part (optimizer.py).
Steps = ceil(examples / batch_size) x n_epochs.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from .errors import invalid

DPO_RATE = 1 / 40  # of the base's learning rate, as in Zephyr's recipes, full and LoRA (Tunstall and others, 2023)
BOUNDS = {"n_epochs": (1, 50), "batch_size": (1, 256)}
MOST_BETA = 2.0
AUTO_BETA = 0.1  # the value most used by Rafailov and others (2023)


@dataclass(frozen=True)
class Hyperparameters:
    """Resolved numbers, as the job reports them and the training uses them."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float | None = None  # method dpo alone has it

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def auto_epochs(examples: int) -> int:
    """How many times "auto" goes through the file."""
    target, fewest_seen, most_seen = 3, 100, 25_000
    if examples * target < fewest_seen:
        return min(25, fewest_seen // max(examples, 1))
    if examples * target > most_seen:
        return max(1, most_seen // examples)
    return target


def auto_batch_size(examples: int) -> int:
    """How many examples "auto" puts in a step."""
    return min(16, 2 ** int(math.log2(max(examples // 50, 1))))


def resolve(asked: dict[str, Any], examples: int, where: str, method: str = "supervised") -> Hyperparameters:
    """Numbers for a file of `examples` examples from what was asked (missing, null and "auto" mean auto).

    `where` is the parameter's path in the request, for messages. Raises ApiError 400 for values out of bounds.
    """
    n_epochs = _integer(asked, "n_epochs", where)
    batch_size = _integer(asked, "batch_size", where)
    multiplier = _number(asked, "learning_rate_multiplier", where)
    beta = _number(asked, "beta", where) if method == "dpo" else None
    if beta is not None and beta > MOST_BETA:
        param = f"{where}.beta"
        raise invalid(f"Invalid '{param}': {beta} is above {MOST_BETA}.", param, "decimal_above_max_value")
    return Hyperparameters(
        n_epochs=auto_epochs(examples) if n_epochs is None else n_epochs,
        batch_size=auto_batch_size(examples) if batch_size is None else batch_size,
        learning_rate_multiplier=1.0 if multiplier is None else multiplier,
        beta=(AUTO_BETA if beta is None else beta) if method == "dpo" else None,
    )


def _number(asked: dict[str, Any], name: str, where: str) -> float | None:
    value, param = asked.get(name), f"{where}.{name}"
    if value in (None, "auto"):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(f"Invalid type for '{param}': expected a number or \"auto\".", param, "invalid_type")
    if not 0 < value < math.inf:
        raise invalid(f"Invalid '{param}': {value} is not above 0.", param, "decimal_below_min_value")
    return float(value)


def _integer(asked: dict[str, Any], name: str, where: str) -> int | None:
    value, param = asked.get(name), f"{where}.{name}"
    if value in (None, "auto"):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1 != 0:
        raise invalid(f"Invalid type for '{param}': expected an integer or \"auto\".", param, "invalid_type")
    low, high = BOUNDS[name]
    if value < low:
        raise invalid(f"Invalid '{param}': {value} is below the minimum of {low}.", param, "integer_below_min_value")
    if value > high:
        raise invalid(f"Invalid '{param}': {value} is above the maximum of {high}.", param, "integer_above_max_value")
    return int(value)
