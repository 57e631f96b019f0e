"""Choosing the next token: temperature, top_p, and each row's own seeded random numbers.

A row's choice depends on its own scores and its own random generator alone, never on what else is in the batch.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch


@dataclass
class Sampling:
    """How one answer's tokens are chosen, with OpenAI's meanings of temperature and top_p."""

    temperature: float = 1.0
    top_p: float = 1.0
    rng: random.Random = field(default_factory=random.Random)


def choose(scores: torch.Tensor, rows: Sequence[Sampling]) -> list[int]:
    """The next token of each row, from its scores [rows, vocabulary]."""
    chosen = scores.argmax(-1).tolist()
    drawn = [index for index, row in enumerate(rows) if row.temperature > 0 and row.top_p > 0]
    for whole in (True, False):  # rows that draw from the whole vocabulary need no sorting
        group = [index for index in drawn if (rows[index].top_p >= 1) == whole]
        if group:
            for index, token in zip(group, _draw(scores[group], [rows[i] for i in group], whole), strict=True):
                chosen[index] = token
    return chosen


def _draw(scores: torch.Tensor, rows: list[Sampling], whole: bool) -> list[int]:
    """A token for each row, drawn with its temperature from the tokens that make up its top_p."""
    temperatures = scores.new_tensor([row.temperature for row in rows]).unsqueeze(1)
    points = torch.tensor([row.rng.random() for row in rows], dtype=torch.float64).unsqueeze(1)
    # A temperature near 0 would overflow the division; the best token's score is made 0 first, so it only underflows.
    centred = scores - scores.max(-1, keepdim=True).values
    probabilities = torch.softmax((centred / temperatures).double(), -1)
    order = None
    if not whole:
        top_p = torch.tensor([row.top_p for row in rows], dtype=torch.float64).unsqueeze(1)
        probabilities, order = torch.sort(probabilities, stable=True, dim=-1, descending=True)
        before = probabilities.cumsum(-1) - probabilities
        probabilities = torch.where(before < top_p, probabilities, 0.0)  # the token that passes top_p is still in
    reached = probabilities.cumsum(-1)
    at = torch.searchsorted(reached, points * reached[:, -1:], right=True).clamp(max=scores.shape[-1] - 1)
    tokens = at if order is None else order.gather(-1, at)
    return tokens.squeeze(-1).tolist()


def log_probabilities(scores: torch.Tensor, token: int, most_likely: int) -> tuple[float, list[tuple[int, float]]]:
    """ln p of `token`, and of the `most_likely` tokens, from one row's scores [vocabulary] at temperature 1."""
    values = torch.log_softmax(scores.float(), -1)
    top = values.topk(most_likely) if most_likely else None
    pairs = list(zip(top.indices.tolist(), top.values.tolist(), strict=True)) if top else []
    return values[token].item(), pairs
