"""TRL's SFTTrainer, made quick on small models and CPUs, and asked to tell what happens after every step.

Measured on 6 million parameters and two cores (README.md has the figures): the time goes into work that this module
leaves out, namely output scores for prompt tokens and padding, per-token entropy, and a model card at every checkpoint.
What is trained, and the loss, are TRL's.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput
from trl import SFTConfig, SFTTrainer

from .quick_trainer import Means, QuickTrainer
from .training_data import IGNORED, TrainingData, collate


@dataclass
class Scores(ModelOutput):
    """Sums over the labelled tokens of a batch: cross-entropy, tokens predicted right, tokens."""

    loss: Any = None  # ModelOutput wants defaults; all three are always tensors
    right: Any = None
    tokens: Any = None


def score_labelled_tokens(model: PreTrainedModel) -> None:
    """Give `model` a way to score labelled tokens only: model(input_ids=…, labels=…, labelled_only=True) -> Scores.

    It goes through `forward` so that autocast, PEFT and distributed wrappers see an ordinary call.
    """
    original = model.forward

    def forward(self: Any, *args: Any, labelled_only: bool = False, **kwargs: Any) -> Any:
        if not labelled_only:
            return original(*args, **kwargs)
        hidden = self.model(input_ids=kwargs["input_ids"], use_cache=False).last_hidden_state
        next_tokens = kwargs["labels"][:, 1:]
        labelled = next_tokens != IGNORED
        targets = next_tokens[labelled]
        logits = self.lm_head(hidden[:, :-1][labelled]).float()
        loss = F.cross_entropy(logits, targets, reduction="sum")
        return Scores(loss=loss, right=(logits.argmax(-1) == targets).sum(), tokens=labelled.sum())

    model.forward = types.MethodType(forward, model)


class QuickSFTTrainer(QuickTrainer, SFTTrainer):
    """SFTTrainer over encoded examples that scores labelled tokens only."""

    def __init__(self, *, padding: int, **kwargs: Any) -> None:
        self.collate = functools.partial(collate, padding=padding)
        super().__init__(data_collator=self.collate, **kwargs)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy over the labelled tokens of the whole step (all micro-batches and processes)."""
        scores = model(input_ids=inputs["input_ids"], labels=inputs["labels"], labelled_only=True)
        self.step_means.add(**self._figures(scores))
        tokens = scores.tokens if num_items_in_batch is None else num_items_in_batch
        loss = scores.loss / torch.as_tensor(tokens).clamp(min=1) * self.accelerator.num_processes
        return (loss, scores) if return_outputs else loss

    def score(self, examples: list[dict[str, Any]]) -> Means:
        """The figures on `examples` as one batch, without learning from them."""
        batch = {name: tensor.to(self.args.device) for name, tensor in self.collate(examples).items()}
        self.model.eval()
        with torch.no_grad():
            scores = self.model(**batch, labelled_only=True)
        self.model.train()
        means = Means()
        means.add(**_figures(scores.loss.item(), int(scores.right), int(scores.tokens)))
        return means

    def _figures(self, scores: Scores) -> dict[str, tuple[float, float]]:
        sums = torch.stack([scores.loss.detach().double(), scores.right.double(), scores.tokens.double()])
        if self.accelerator.num_processes > 1:
            sums = self.accelerator.reduce(sums, reduction="sum")
        return _figures(*sums.tolist())


def _figures(loss: float, right: float, tokens: float) -> dict[str, tuple[float, float]]:
    return {"loss": (loss, tokens), "mean_token_accuracy": (right, tokens)}


def sft_trainer(
    model: Any, tokenizer: PreTrainedTokenizerBase, data: TrainingData, arguments: dict[str, Any], optimizer: Any
) -> QuickSFTTrainer:
    """A trainer of `model` on encoded examples; `arguments` are those of transformers' TrainingArguments."""
    score_labelled_tokens(model.get_base_model() if hasattr(model, "peft_config") else model)
    return QuickSFTTrainer(
        model=model,
        optimizers=(optimizer, None),
        args=SFTConfig(**arguments, max_length=None, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_list(data.examples),
        lengths=data.lengths,
        processing_class=tokenizer,
        padding=tokenizer.pad_token_id or 0,
    )
