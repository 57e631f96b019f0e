"""Method dpo: TRL's DPOTrainer on pairs of answers (Rafailov and others, 2023).

The model that training begins with is the reference. Its log-probabilities of all answers are computed once, before the
first step, so that memory holds one model, not two.
"""

from __future__ import annotations

from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl import DPOConfig, DPOTrainer

from .quick_trainer import Means, QuickTrainer
from .training_data import TrainingData

FIGURES = {  # ours, and TRL's names for them
    "mean_token_accuracy": "mean_token_accuracy",
    "reward_accuracy": "rewards/accuracies",
    "reward_margin": "rewards/margins",
}


class QuickDPOTrainer(QuickTrainer, DPOTrainer):
    """DPOTrainer over encoded pairs. `validation_pairs` are those of `eval_dataset`, with the reference's figures.

    Figures: the loss; the share of the preferred answers' tokens predicted right; how often, and by how much, the
    preferred answer has gained more probability than the other since training began (margin: in units of reward, that
    is, of beta times a difference of log-probabilities).
    """

    def __init__(self, **kwargs: Any) -> None:
        self._scored = Means()
        super().__init__(**kwargs)
        if "ref" in getattr(self.model, "peft_config", {}):
            self.model.delete_adapter("ref")  # TRL's copy of the adapter, for the reference; it has been computed
        self.validation_pairs = list(self.eval_dataset) if isinstance(self.eval_dataset, Dataset) else []

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset  # already encoded, by the rules that answering goes by

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """TRL's loss: the mean over the pairs."""
        loss = super().compute_loss(model, inputs)
        pairs = len(inputs["input_ids"]) // 2
        training = self.model.training
        latest = self._metrics["train" if training else "eval"]
        figures = {"loss": self.accelerator.gather(loss.detach()).mean().item()}
        figures |= {name: latest[theirs][-1] for name, theirs in FIGURES.items()}
        latest.clear()
        into = self.step_means if training else self._scored
        into.add(**{name: (value * pairs, pairs) for name, value in figures.items()})
        return loss

    def score(self, pairs: list[dict[str, Any]]) -> Means:
        """The figures on some of `validation_pairs` as one batch, without learning from them."""
        self._scored = Means()
        self.model.eval()
        with torch.no_grad(), self.compute_loss_context_manager():
            self.compute_loss(self.model, self._prepare_inputs(self.data_collator(pairs)))
        self.model.train()
        return self._scored


def dpo_trainer(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    data: TrainingData,
    validation: TrainingData | None,
    arguments: dict[str, Any],
    optimizer: Any,
    beta: float,
) -> QuickDPOTrainer:
    """A trainer of `model` on encoded pairs; `arguments` are those of transformers' TrainingArguments."""
    batch = arguments["per_device_train_batch_size"]
    return QuickDPOTrainer(
        model=model,
        optimizers=(optimizer, None),
        args=DPOConfig(
            **arguments,
            beta=beta,
            max_length=None,
            precompute_ref_log_probs=True,
            precompute_ref_batch_size=batch,
        ),
        train_dataset=Dataset.from_list(data.examples),
        eval_dataset=Dataset.from_list(validation.examples) if validation else None,
        lengths=data.lengths,
        processing_class=tokenizer,
    )
