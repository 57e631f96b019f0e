"""Base models: folders with a Llama-family model, found in the shipped `bases/` folder and in FINETUNE_BASES.

A base is named after its folder. Its config.json may hold a block "fine_tuning" with what suits it:
{"learning_rate": 0.001, "method": "full" or "lora", "lora_rank": 16, "context": 2048, "judge": true};
without it the model's size decides. No torch here: the number of parameters is read from the header of the
safetensors files.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from .settings import SHIPPED_BASES

FULL_TRAINING_LIMIT = 20_000_000  # bigger bases get a LoRA adapter: all their parameters would not fit a laptop's time
JUDGE_PARAMETERS = 1_000_000_000  # smaller chat models follow a rubric too loosely to grade by it: a rule of thumb
FULL_RATE = 7e-3  # learning rates; optimizer.py has what was compared
ADAPTER_RATE = 2e-4
MAX_CONTEXT = 8192  # a longer context is cut to this, so that one request cannot take all the memory
NEEDED = ("config.json", "tokenizer.json")


class BaseError(ValueError):
    """A folder named as a base cannot be one. The message says which and why."""


@dataclass(frozen=True)
class Base:
    """A base model and the settings with which the service trains it."""

    name: str
    folder: Path
    parameters: int
    context: int  # tokens, prompt and answer together
    method: str  # "full": train every parameter; "lora": train a low-rank adapter
    learning_rate: float  # at learning_rate_multiplier 1
    lora_rank: int
    can_judge: bool  # whether model graders may ask it, or a model tuned from it
    created: int  # Unix time of its weights or config, whichever is newer


def find_bases(extra: Iterable[Path] = ()) -> dict[str, Base]:
    """Every usable base by name; where a name occurs twice the folder named in `extra` counts.

    `extra` may name a model's own folder or a folder of model folders. Raises BaseError where it holds neither.
    """
    found = {base.name: base for base in _bases_in(SHIPPED_BASES)} if SHIPPED_BASES.is_dir() else {}
    for folder in extra:
        bases = _bases_in(folder)
        if not bases:
            raise BaseError(
                f"FINETUNE_BASES names {folder}, but there is no model in it: expected {' and '.join(NEEDED)} and "
                ".safetensors weights, in the folder itself or in folders inside it."
            )
        found.update({base.name: base for base in bases})
    return found


def _bases_in(folder: Path) -> list[Base]:
    candidates = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())] if folder.is_dir() else []
    return [
        _read_base(p, max(file.stat().st_mtime_ns for file in [*p.glob("*.safetensors"), p / "config.json"]))
        for p in candidates
        if all((p / name).is_file() for name in NEEDED) and any(p.glob("*.safetensors"))
    ]


@lru_cache(maxsize=16)
def control_tokens(folder: Path) -> tuple[str, ...]:
    """The texts like <|end|> that steer this base, which no message may contain."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = [token["content"] for token in tokenizer.get("added_tokens", []) if token.get("special")]
    return tuple(token for token in added if token.startswith("<|") and token.endswith("|>"))


@lru_cache(maxsize=64)
def _read_base(folder: Path, changed: int) -> Base:
    try:
        config = dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BaseError(f"{folder / 'config.json'} cannot be read ({error}): fetch the file again.") from error
    if not any("Llama" in name for name in config.get("architectures") or []):
        raise BaseError(f"{folder}: the service takes Llama-family bases; this one is {config.get('architectures')}.")
    parameters = sum(_count_parameters(path) for path in folder.glob("*.safetensors"))
    own: dict[str, Any] = config.get("fine_tuning") or {}
    small = parameters <= FULL_TRAINING_LIMIT
    method = own.get("method", "full" if small else "lora")
    return Base(
        name=folder.name,
        folder=folder,
        parameters=parameters,
        context=min(own.get("context", MAX_CONTEXT), config.get("max_position_embeddings", MAX_CONTEXT), MAX_CONTEXT),
        method=method,
        learning_rate=own.get("learning_rate", FULL_RATE if method == "full" else ADAPTER_RATE),
        lora_rank=own.get("lora_rank", 16),
        can_judge=own.get("judge", parameters >= JUDGE_PARAMETERS),
        created=changed // 1_000_000_000,
    )


def _count_parameters(path: Path) -> int:
    """Numbers in a safetensors file: eight bytes of header length, then a JSON header with every tensor's shape."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > path.stat().st_size:
                raise ValueError("shorter than its own header says")
            header = json.loads(file.read(length))
    except (ValueError, struct.error) as error:
        raise BaseError(f"The weights {path} cannot be read ({error}): fetch the file again.") from error
    return sum(prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
