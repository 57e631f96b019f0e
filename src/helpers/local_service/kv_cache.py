"""The keys and values of a batch of conversations, kept in buffers that rows can join and leave.

transformers' own growing cache copies everything at every token. This one writes each token in place and copies only
when its buffer is full or the batch changes.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

ROOM = 64  # columns added beyond what is needed when a buffer is made
WORTH_SHARING = 32  # tokens at the beginning of a prompt that are worth not reading twice


class RowsLayer(CacheLayerMixin):
    """One layer's keys and values: the first `length` columns of two buffers [rows, heads, columns, head size]."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append columns; return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[2]
        if self.keys is None or end > self.keys.shape[2]:
            room = end + max(ROOM, end // 4)
            self.keys = self._moved(self.keys, key_states, room)
            self.values = self._moved(self.values, value_states, room)
        assert self.keys is not None and self.values is not None
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def _moved(self, old: torch.Tensor | None, like: torch.Tensor, columns: int) -> torch.Tensor:
        rows, heads, _, size = like.shape
        new = like.new_zeros(rows, heads, columns, size)
        if old is not None:
            new[:, :, : self.length] = old[:, :, : self.length]
        return new

    @classmethod
    def of(cls, keys: torch.Tensor, values: torch.Tensor) -> RowsLayer:
        """A layer that begins with these keys and values."""
        layer = cls()
        layer.keys, layer.values, layer.length = keys, values, keys.shape[2]
        layer.lazy_initialization(keys, values)
        return layer

    def keep(self, rows: torch.Tensor, drop_columns: int) -> None:
        """Keep these rows (an index may occur twice), without the first `drop_columns` columns."""
        assert self.keys is not None and self.values is not None
        self.keys = self.keys[rows, :, drop_columns : self.length]
        self.values = self.values[rows, :, drop_columns : self.length]
        self.length -= drop_columns

    def join(self, other: RowsLayer) -> None:
        """Add another layer's rows below; the shorter side gets empty columns on its left."""
        length = max(self.length, other.length)
        self.keys = torch.cat([_aligned(self.keys, self.length, length), _aligned(other.keys, other.length, length)])
        self.values = torch.cat(
            [_aligned(self.values, self.length, length), _aligned(other.values, other.length, length)]
        )
        self.length = length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


def _aligned(buffer: torch.Tensor | None, length: int, wanted: int) -> torch.Tensor:
    assert buffer is not None
    return torch.nn.functional.pad(buffer[:, :, :length], (0, 0, wanted - length, 0))


def new_cache(layers: int) -> Cache:
    """An empty cache for a model with so many layers, to be passed as past_key_values."""
    return Cache(layers=[RowsLayer() for _ in range(layers)])


class LastPrompt:
    """The keys and values of a prompt read before. One that begins alike, as few-shot prompts do, needs only its rest.

    Measured on 6 million parameters: a prompt of 1,260 tokens takes 0.3 CPU seconds to read.
    """

    def __init__(self) -> None:
        self._tokens: list[int] = []
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []

    def shared(self, prompt: list[int]) -> int:
        """How many tokens at the prompt's beginning need not be read; its last one is always read, for its scores."""
        pairs = enumerate(zip(self._tokens, prompt[:-1], strict=False))
        count = next((index for index, (old, new) in pairs if old != new), min(len(self._tokens), len(prompt) - 1))
        return count if count >= WORTH_SHARING else 0

    def cache(self, rows: int, shared: int) -> Cache:
        """A cache for `rows` prompts whose first `shared` tokens have been read."""
        parts = [
            (keys[:, :, :shared].expand(rows, -1, -1, -1), values[:, :, :shared].expand(rows, -1, -1, -1))
            for keys, values in self._layers
        ]
        return Cache(layers=[RowsLayer.of(keys, values) for keys, values in parts])

    def remember(self, prompt: list[int], cache: Cache, shared: int) -> None:
        """Keep the first row of `cache`, where `prompt` stands: `shared` columns, then empty ones, then its rest."""
        self._tokens, self._layers = prompt, []
        for layer in cache.layers:
            assert isinstance(layer, RowsLayer) and layer.keys is not None and layer.values is not None
            rest = layer.length - (len(prompt) - shared)
            pieces = [
                torch.cat([kept[:1, :, :shared], kept[:1, :, rest : layer.length]], 2)
                for kept in (layer.keys, layer.values)
            ]
            self._layers.append((pieces[0], pieces[1]))
