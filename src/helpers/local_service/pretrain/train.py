"""Pretraining: a plain loop over generated tasks, seeded, resumable, and readable from top to bottom.

Five choices make a model this small learn to copy and to look up (measured, see the model card): loss on the answers
and on only a tenth of the prompts; Muon for the weight matrices (AdamW for the rest); small batches at first, since
copying takes steps more than tokens; a drill of looking up once copying is learned; a learning rate that stays constant
and falls to zero over the last two fifths of the run, so that a run can be stopped early or prolonged and still end well.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from ..optimizer import FIVE, Muon
from .corpus import BALANCED, CONTEXT, DRILL, OPENING, Encoder, Example, batches, padded
from .grow import grow
from .tokenizer import END, PAD, TEMPLATE


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a pretraining run makes."""

    name: str
    layers: int
    width: int
    inner: int
    heads: int
    tokens: int  # in all, padding not counted
    micro_tokens: int = 4_096  # per forward pass, padding counted
    drill: tuple[float, float] = (0.2, 0.33)  # the part of the run spent mostly on looking up, once copying is learned
    passes: tuple[tuple[float, int], ...] = ((0.0, 1), (0.35, 2))  # per step, from each share of the run on
    matrix_rate: float = 5e-3  # Muon
    vector_rate: float = 5e-3  # AdamW: embeddings and norms
    warmup_steps: int = 60
    decay_share: float = 0.4
    seed: int = 1


RECIPES = {
    "pocket-6m": Recipe("pocket-6m", layers=6, width=256, inner=704, heads=4, tokens=120_000_000),
    "pocket-1m": Recipe("pocket-1m", layers=4, width=128, inner=352, heads=4, tokens=100_000_000),
}


NOTHING = {"tokens": 0, "steps": 0, "seconds": 0, "smaller": 0}  # smaller: tokens read before the base was grown


def new_model(recipe: Recipe, vocabulary: int) -> LlamaForCausalLM:
    """Return the recipe's Llama model with seeded random weights."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.width,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=END,
        pad_token_id=PAD,
    )
    config._attn_implementation = "eager"  # on a CPU and at these lengths faster than sdpa, compiled or not
    return LlamaForCausalLM(config)


def cpu_has_bf16() -> bool:
    """Return whether this CPU multiplies bf16 matrices in hardware (AVX-512 BF16 or AMX)."""
    features = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(features.get("avx512_bf16") or features.get("amx_bf16") or features.get("amx_tile"))


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (batch, length); position i of `following`, `weight` and `answer` is about token i + 1."""

    ids: torch.Tensor
    following: torch.Tensor  # the next token
    weight: torch.Tensor  # in the loss; 0 where it is not learned
    answer: torch.Tensor  # whether it is learned as part of an answer


def collate(examples: list[Example], device: str) -> Batch:
    """Return the examples as one batch."""
    shape = len(examples), padded(max(len(e.ids) for e in examples))
    batch = Batch(
        torch.full(shape, PAD), torch.full(shape, PAD), torch.zeros(shape), torch.zeros(shape, dtype=torch.bool)
    )
    for row, example in enumerate(examples):
        n = len(example.ids)
        batch.ids[row, :n] = torch.tensor(example.ids)
        batch.following[row, : n - 1] = torch.tensor(example.ids[1:])
        batch.weight[row, : n - 1] = torch.tensor(example.weight[1:])
        batch.answer[row, : n - 1] = torch.tensor(example.answer[1:])
    return Batch(*(getattr(batch, name).to(device) for name in ("ids", "following", "weight", "answer")))


class Trainer:
    """One pretraining run in a folder: model, optimisers, position in the corpus, and a log of losses."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))  # torchrun sets it
        if self.processes > 1:
            torch.distributed.init_process_group("gloo")
        self.rank = torch.distributed.get_rank() if self.processes > 1 else 0
        processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        self.encoder = Encoder(processor)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.bf16 = self.device == "cuda" or cpu_has_bf16()
        self.model = new_model(recipe, processor.vocab_size())
        self.model.to(torch.device(self.device))  # type: ignore[arg-type]
        blocks = [p for p in self.model.model.layers.parameters() if p.ndim == 2]
        rest = [p for p in self.model.parameters() if not any(p is b for b in blocks)]
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(blocks, lr=recipe.matrix_rate, weight_decay=0.05, bf16=self.bf16, polynomials=FIVE),
            torch.optim.AdamW(rest, lr=recipe.vector_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        ]
        self.base_rates = [recipe.matrix_rate, recipe.vector_rate]
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.before = NOTHING  # what an earlier base was trained on, where the run started from one
        self.body = (
            torch.compile(self.model.model, dynamic=True)
            if os.environ.get("POCKET_COMPILE", "1") == "1"
            else self.model.model
        )

    def rate(self) -> float:
        """Return the learning rate's factor at this point: warm-up, constant, then a straight fall to zero."""
        done = self.tokens / self.recipe.tokens
        falling = (1 - done) / self.recipe.decay_share
        return max(0.0, min((self.step + 1) / self.recipe.warmup_steps, 1.0, falling))

    def losses(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of each token to learn, in order; only those reach the output layer."""
        wanted = batch.weight.flatten() > 0
        autocast = torch.autocast(self.device, torch.bfloat16) if self.bf16 else contextlib.nullcontext()
        with autocast:
            hidden = self.body(input_ids=batch.ids, use_cache=False).last_hidden_state.flatten(0, 1)
            logits = self.model.lm_head(hidden[wanted])
        return torch.nn.functional.cross_entropy(logits.float(), batch.following.flatten()[wanted], reduction="none")

    def learn(self, stream: Iterator[list[Example]]) -> float:
        """Take one optimiser step; return the mean loss over the answers' tokens."""
        done = self.tokens / self.recipe.tokens
        passes = [count for share, count in self.recipe.passes if done >= share][-1]
        pieces = [next(stream) for _ in range(max(1, passes // self.processes))]
        (size,) = self.summed([sum(sum(example.weight[1:]) for piece in pieces for example in piece)])
        total, counted, tokens = 0.0, 0.0, 0.0
        for piece in pieces:
            batch = collate(piece, self.device)
            losses = self.losses(batch)
            learned = batch.weight > 0
            ((losses * batch.weight[learned]).sum() / size).backward()
            of_answers = losses.detach()[batch.answer[learned]]
            total, counted = total + of_answers.sum().item(), counted + len(of_answers)
            tokens += sum(len(example.ids) for example in piece)
        self.sum_gradients()
        total, counted, tokens = self.summed([total, counted, tokens])
        self.tokens += int(tokens)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        factor = self.rate()
        for optimiser, base in zip(self.optimisers, self.base_rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = base * factor
            optimiser.step()
            optimiser.zero_grad()
        self.step += 1
        return total / counted

    def summed(self, figures: list[float]) -> list[float]:
        """Return each figure summed over the processes that train together."""
        sums = torch.tensor(figures, dtype=torch.float64)
        if self.processes > 1:
            torch.distributed.all_reduce(sums)
        return sums.tolist()

    def sum_gradients(self) -> None:
        """Give every process the sum of all processes' gradients, so that all take the same step."""
        if self.processes > 1:
            gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
            sums = torch.cat([gradient.flatten() for gradient in gradients])
            torch.distributed.all_reduce(sums)
            for gradient, of_all in zip(gradients, sums.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(of_all.view_as(gradient))

    def save(self) -> None:
        """Write a checkpoint, whole or not at all."""
        if self.rank > 0:
            return
        state = {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": (self.step, self.tokens, self.seconds),
            "before": self.before,
            "recipe": asdict(self.recipe),
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def resume(self) -> bool:
        """Load the last checkpoint if there is one; return whether there was."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.tokens, self.seconds = state["progress"]
        self.before = state["before"]
        return True

    def start_from(self, base: Path) -> None:
        """Take the weights of a finished base with this tokenizer, and remember what it was trained on.

        A smaller base is grown to the recipe's size. Does nothing where the run already has a checkpoint. Raises
        ValueError if the tokenizer is another one, or the base has a shape that cannot grow into the recipe's.
        """
        if (self.folder / "checkpoint.pt").exists():
            return
        if (base / "tokenizer.model").read_bytes() != (self.folder / "tokenizer.model").read_bytes():
            raise ValueError(f"{base} has another tokenizer than {self.folder}: its weights mean nothing here.")
        earlier = LlamaForCausalLM.from_pretrained(base, dtype=torch.float32)
        self.before = NOTHING | getattr(earlier.config, "pretraining", {})
        if earlier.num_parameters() == self.model.num_parameters():
            self.model.load_state_dict(earlier.state_dict())
            return
        grow(earlier, self.model)
        self.before["smaller"] = self.before["tokens"]

    def shares(self) -> dict[str, float]:
        """Return how often each skill is drawn here: first to copy, then to look up, then all of them evenly.

        A run that goes on from a finished base copies and looks up already.
        """
        begin, end = self.recipe.drill
        done = self.tokens / self.recipe.tokens
        if self.before["tokens"] or done >= end:
            return BALANCED
        return DRILL if done >= begin else OPENING

    def stream(self) -> Iterator[list[Example]]:
        """Return the batches to learn from at this point of the run, other ones in every process."""
        seed = self.recipe.seed * 1_000_003 + self.before["steps"] + self.step + self.rank * 500_009
        shares = self.shares()
        return batches(self.encoder, seed, self.recipe.micro_tokens, shares, varied=shares == BALANCED)

    def run(self, save_every: float = 300.0) -> None:
        """Train to the recipe's last token, logging a line every 20 steps and saving every `save_every` seconds.

        After an interruption it goes on from the last checkpoint with a fresh part of the corpus: the seed of the
        stream is the step at which it resumes, so nothing is repeated and a run's course is known from its log.
        """
        if self.resume() and self.rank == 0:
            print(f"Resuming at step {self.step}, {self.tokens:,} tokens.", flush=True)
        stream, shares = self.stream(), self.shares()
        saved = started = time.monotonic()
        losses: list[float] = []
        before = self.seconds
        first = self.tokens
        while self.tokens < self.recipe.tokens:
            if shares != self.shares():
                stream, shares = self.stream(), self.shares()
            losses.append(self.learn(stream))
            now = time.monotonic()
            self.seconds = before + now - started
            if self.step % 20 == 0:
                self.log(sum(losses) / len(losses), (self.tokens - first) / (now - started))
                losses.clear()
            if now - saved > save_every:
                self.save()
                saved = now
        self.save()

    def log(self, loss: float, speed: float) -> None:
        """Print a line of progress and append it to log.jsonl; of several processes the first does."""
        if self.rank > 0:
            return
        left = (self.recipe.tokens - self.tokens) / speed / 60
        row = {
            "step": self.step,
            "tokens": self.tokens,
            "loss": round(loss, 4),
            "rate": round(self.rate(), 4),
            "seconds": round(self.seconds),
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        print(
            f"step {self.step:6}  {self.tokens / 1e6:7.2f}M tokens  answer loss {loss:.3f}  {speed:6.0f} tokens/s  {left:5.0f} min left",
            flush=True,
        )


WORDS = ("tokenizer.model", "tokenizer.json", "tokenizer_config.json")


def trained_on(state: dict[str, Any]) -> dict[str, int]:
    """Return a checkpoint's tokens, steps and seconds, those of the base it started from included."""
    step, tokens, seconds = state["progress"]
    before = NOTHING | state["before"]
    now = {"tokens": tokens, "steps": step, "seconds": round(seconds)}
    return before | {name: before[name] + count for name, count in now.items()}


def export(folder: Path, target: Path) -> None:
    """Write the last checkpoint as a base: bf16 safetensors, config and tokenizer files, ready for from_pretrained."""
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    recipe = RECIPES[state["recipe"]["name"]]
    model = new_model(recipe, state["model"]["model.embed_tokens.weight"].shape[0])
    model.load_state_dict(state["model"])
    model.config._attn_implementation = "sdpa"
    model.config.pretraining = trained_on(state)
    model.to(torch.bfloat16)  # type: ignore[arg-type]
    model.save_pretrained(target)
    for name in WORDS:
        shutil.copy2(folder / name, target / name)
    shutil.copy2(TEMPLATE, target / TEMPLATE.name)  # as it is now, not as it was when the run began
