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
from .preference_pairs import read_pairs

IGNORED = -100  # label of a token that the loss does not count
GROUP_BATCHES = 8  # batches' worth of shuffled examples sorted together: more saves padding, but mixes less


@dataclass(frozen=True)
class TrainingData:
    """A file's examples in file order, as the method's trainer takes them."""

    examples: list[dict[str, Any]]
    lengths: list[int]  # of each example: its tokens, or those of the longer conversation of a pair
    tokens: int  # read in one epoch
    cut: int  # examples longer than the context, which lost their end
    empty: int  # examples that, so cut, have nothing left to learn


def load_examples(path: Path, tokenizer: PreTrainedTokenizerBase, context: int) -> TrainingData:
    """Encode a supervised file that passed validation: each example {"input_ids": […], "labels": […]}.

    Examples longer than `context` tokens lose their end, as at OpenAI.
    """
    examples, cut, empty = [], 0, 0
    for example in read_examples(path):
        ids, labels = encode_example(tokenizer, example["messages"], example["tools"])
        cut += len(ids) > context
        ids, labels = ids[:context], labels[:context]
        empty += all(label == IGNORED for label in labels)
        examples.append({"input_ids": ids, "labels": labels})
    lengths = [len(example["input_ids"]) for example in examples]
    return TrainingData(examples, lengths, sum(lengths), cut, empty)


def load_pairs(path: Path, tokenizer: PreTrainedTokenizerBase, context: int) -> TrainingData:
    """Encode a preference file that passed validation: {"prompt_ids": […], "chosen_ids": […], "rejected_ids": […]}.

    TRL's names: chosen is the preferred answer, rejected the other. Both lose their end beyond `context` tokens.
    """
    pairs, lengths, tokens, cut, empty = [], [], 0, 0, 0
    for pair in read_pairs(path):
        before = [{**message, "weight": 0} for message in pair.messages]
        chosen = _split(tokenizer, [*before, pair.preferred])
        rejected = _split(tokenizer, [*before, pair.non_preferred])
        prompt = chosen[0]
        long = [len(prompt) + len(answer) for _, answer in (chosen, rejected)]
        room = max(0, context - len(prompt))
        cut += max(long) > context
        empty += not room
        lengths.append(min(max(long), context))
        tokens += sum(min(length, context) for length in long)
        pairs.append(
            {"prompt_ids": prompt[:context], "chosen_ids": chosen[1][:room], "rejected_ids": rejected[1][:room]}
        )
    return TrainingData(pairs, lengths, tokens, cut, empty)


def _split(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Tokens before the answer that ends a conversation, and the tokens of the answer."""
    ids, labels = encode_example(tokenizer, messages)
    counted = [place for place, label in enumerate(labels) if label != IGNORED]
    return ids[: counted[0]], ids[counted[0] : counted[-1] + 1]


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
