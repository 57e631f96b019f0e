"""Checkpoints as models that anything can load: a whole model folder, or a plain PEFT adapter."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from .disk import whole_folder

BESIDE_WEIGHTS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)


def export_model(model: Any, folder: Path, source: Path) -> None:
    """Write `model` to `folder`, whole or not at all: a PEFT adapter alone, else bf16 weights and what goes with them.

    What an earlier attempt left in `folder` gives way once the new one is complete.
    `source` is the folder that the model was loaded from, with its config and tokenizer.
    """
    with whole_folder(folder) as unfinished:
        if hasattr(model, "peft_config"):
            model.save_pretrained(unfinished)
            (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's model card is an empty form
        else:
            _write_whole_model(model, unfinished, source)
        shutil.rmtree(folder, ignore_errors=True)


def _write_whole_model(model: Any, folder: Path, source: Path) -> None:
    tied = set(model.all_tied_weights_keys)  # copies of other tensors; the config says of which
    weights = {
        name: tensor.detach().to("cpu", torch.bfloat16).contiguous()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for name in BESIDE_WEIGHTS:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
