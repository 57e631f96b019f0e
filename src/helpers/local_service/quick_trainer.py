"""What this service's trainers have in common beyond TRL's: the order of examples, figures after every step, and
checkpoints without what nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .training_data import EpochOrder


class Means:
    """Running means of several figures: of each its sum, and of how much it is the sum (tokens, or pairs)."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, **figures: tuple[float, float]) -> None:
        """Take in (sum, how much it is the sum of) of each figure."""
        for name, (total, count) in figures.items():
            before, counted = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (before + total, counted + count)

    def join(self, other: Means) -> None:
        """Take in what another has."""
        self.add(**other._sums)

    def result(self) -> dict[str, float]:
        """Each figure's mean; 0 where there was nothing to measure."""
        return {name: total / max(count, 1) for name, (total, count) in self._sums.items()}


class QuickTrainer(Trainer):
    """To stand before one of TRL's trainers among the base classes. `step_means` holds the last step's figures."""

    model: Any

    def __init__(self, *, lengths: list[int], **kwargs: Any) -> None:
        self.step_means = Means()
        self._lengths = lengths
        super().__init__(**kwargs)

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        whole_batch = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        self.order = EpochOrder(self._lengths, whole_batch, self.args.seed)
        return self.order

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        Trainer._save_checkpoint(self, model, trial)  # without TRL's model card

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Weights only; the tokenizer lies beside the base, and the arguments are in the job."""
        if self.args.should_save:
            self.model.save_pretrained(output_dir or self.args.output_dir, state_dict=state_dict)


class Reporter(TrainerCallback):
    """Calls `on_step(step, figures)` after every step and `on_checkpoint(step)` after every checkpoint.

    Where `is_to_pause()` says so after a step, training stops there, with a checkpoint as at the end of an epoch.
    """

    def __init__(
        self,
        trainer: QuickTrainer,
        on_step: Callable[[int, dict[str, float]], None],
        on_checkpoint: Callable[[int], None],
        is_to_pause: Callable[[], bool],
    ) -> None:
        self.trainer, self._on_step, self._on_checkpoint = trainer, on_step, on_checkpoint
        self._is_to_pause = is_to_pause

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # The trainer's own word does not reach the order where several processes resume in the middle of an epoch.
        self.trainer.order.set_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        figures = self.trainer.step_means.result()
        self.trainer.step_means = Means()
        self._on_step(state.global_step, figures)
        control.should_training_stop |= self._is_to_pause()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._on_checkpoint(state.global_step)
