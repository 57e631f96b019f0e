"""Training examples as tokens and labels, and the order in which an epoch goes through them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import PreTrainedTokenizerBase

from .chat_format import encode_example
from .formats import read_examples

IGNORED = -100  # label of a token that the loss does not count
GROUP_BATCHES = 8  # batches' worth of shuffled examples sorted together: more saves padding, but mixes less


@dataclass(frozen=True)
class TrainingData:
    """A file's examples in file order, each {"input_ids": […], "labels": […]}."""

    examples: list[dict[str, list[int]]]
    cut: int  # examples longer than the context, which lost their end
    empty: int  # examples that, so cut, have nothing left to learn

    @property
    def tokens(self) -> int:
        return sum(len(example["input_ids"]) for example in self.examples)


def load_examples(path: Path, tokenizer: PreTrainedTokenizerBase, context: int) -> TrainingData:
    """Encode a file that passed validation. Examples longer than `context` tokens lose their end, as at OpenAI."""
    examples, cut, empty = [], 0, 0
    for example in read_examples(path):
        ids, labels = encode_example(tokenizer, example["messages"])
        cut += len(ids) > context
        ids, labels = ids[:context], labels[:context]
        empty += all(label == IGNORED for label in labels)
        examples.append({"input_ids": ids, "labels": labels})
    return TrainingData(examples, cut, empty)


def collate(examples: list[dict[str, Any]], padding: int) -> dict[str, torch.Tensor]:
    """A batch [examples, longest], padded on the right.

    No attention mask: attention looks back only, so no token ever sees the padding behind it, and padding has no label.
    """
    longest = max(len(example["input_ids"]) for example in examples)
    ids = torch.full((len(examples), longest), padding)
    labels = torch.full((len(examples), longest), IGNORED)
    for row, example in enumerate(examples):
        length = len(example["input_ids"])
        ids[row, :length] = torch.tensor(example["input_ids"])
        labels[row, :length] = torch.tensor(example["labels"])
    return {"input_ids": ids, "labels": labels}


class EpochOrder(Sampler[int]):
    """Each epoch's order of the examples: shuffled, then examples of like length put into the same batch.

    It depends on the seed and the epoch's number alone, so a resumed job sees what an undisturbed one would.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = random.Random(f"{self.seed}/{self.epoch}")
        order = list(range(len(self.lengths)))
        rng.shuffle(order)
        whole = len(order) - len(order) % self.batch_size
        batches = []
        for start in range(0, whole, self.batch_size * GROUP_BATCHES):
            group = order[start : min(start + self.batch_size * GROUP_BATCHES, whole)]
            group.sort(key=lambda index: self.lengths[index])
            batches += [group[at : at + self.batch_size] for at in range(0, len(group), self.batch_size)]
        rng.shuffle(batches)
        # What does not fill a batch comes last, so an epoch has ceil(examples / batch_size) steps.
        return (index for batch in [*batches, order[whole:]] for index in batch)
