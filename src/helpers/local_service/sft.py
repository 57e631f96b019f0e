"""TRL's SFTTrainer, made quick on small models and CPUs, and asked to tell what happens after every step.

Measured on 6 million parameters and two cores (README.md has the figures): the time goes into work that this module
leaves out, namely output scores for prompt tokens and padding, per-token entropy, and a model card at every checkpoint.
What is trained, and the loss, are TRL's.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import ModelOutput
from trl import SFTTrainer

from .training_data import IGNORED, EpochOrder, collate


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


class Mean:
    """A running mean of loss and accuracy over tokens."""

    def __init__(self) -> None:
        self.loss, self.right, self.tokens = 0.0, 0, 0

    def add(self, loss: float, right: int, tokens: int) -> None:
        self.loss, self.right, self.tokens = self.loss + loss, self.right + right, self.tokens + tokens

    def result(self) -> tuple[float, float]:
        """(mean cross-entropy, fraction of tokens predicted right)."""
        tokens = max(self.tokens, 1)
        return self.loss / tokens, self.right / tokens


class QuickSFTTrainer(SFTTrainer):
    """SFTTrainer over encoded examples, in `EpochOrder`, whose `step_mean` holds the last step's figures."""

    model: Any

    def __init__(self, *, padding: int, **kwargs: Any) -> None:
        self.step_mean = Mean()
        self.collate = functools.partial(collate, padding=padding)
        super().__init__(data_collator=self.collate, **kwargs)

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(ids) for ids in dataset["input_ids"]]
        whole_batch = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        return EpochOrder(lengths, whole_batch, self.args.seed)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy over the labelled tokens of the whole step (all micro-batches and processes)."""
        scores = model(input_ids=inputs["input_ids"], labels=inputs["labels"], labelled_only=True)
        self.step_mean.add(*self._summed(scores))
        tokens = scores.tokens if num_items_in_batch is None else num_items_in_batch
        loss = scores.loss / torch.as_tensor(tokens).clamp(min=1) * self.accelerator.num_processes
        return (loss, scores) if return_outputs else loss

    def score(self, examples: list[dict[str, Any]]) -> Mean:
        """Loss and accuracy on `examples` as one batch, without learning from them."""
        batch = {name: tensor.to(self.args.device) for name, tensor in self.collate(examples).items()}
        self.model.eval()
        with torch.no_grad():
            scores = self.model(**batch, labelled_only=True)
        self.model.train()
        mean = Mean()
        mean.add(scores.loss.item(), int(scores.right), int(scores.tokens))
        return mean

    def _summed(self, scores: Scores) -> tuple[float, int, int]:
        sums = torch.stack([scores.loss.detach().double(), scores.right.double(), scores.tokens.double()])
        if self.accelerator.num_processes > 1:
            sums = self.accelerator.reduce(sums, reduction="sum")
        loss, right, tokens = sums.tolist()
        return loss, int(right), int(tokens)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super(SFTTrainer, self)._save_checkpoint(model, trial)  # without TRL's model card

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Weights only; the tokenizer lies beside the base, and the arguments are in the job."""
        if self.args.should_save:
            self.model.save_pretrained(output_dir or self.args.output_dir, state_dict=state_dict)


class Reporter(TrainerCallback):
    """Calls `on_step(step, loss, accuracy)` after every step and `on_checkpoint(step)` after every checkpoint."""

    def __init__(
        self, trainer: QuickSFTTrainer, on_step: Callable[[int, float, float], None], on_checkpoint: Callable
    ) -> None:
        self.trainer, self._on_step, self._on_checkpoint = trainer, on_step, on_checkpoint

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        loss, accuracy = self.trainer.step_mean.result()
        self.trainer.step_mean = Mean()
        self._on_step(state.global_step, loss, accuracy)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._on_checkpoint(state.global_step)
