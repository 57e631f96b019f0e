"""A base that was never pretrained: the same network and tokenizer, with weights drawn at random.

    untrained = random_base(service)  # the service, with such a base to start jobs from

What fine-tuning makes of it shows what pretraining is worth. Shown in notebook 12.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from helpers.connection import Service
from helpers.errors import Explained, cannot_write
from helpers.local_service.bases import find_bases
from helpers.local_service.disk import whole_folder
from helpers.local_service.settings import Settings

NEEDLESS = shutil.ignore_patterns("*.safetensors", "*.index.json", "*.md", "*.png")


def random_base(service: Service, seed: int = 1) -> Service:
    """Return the service with a base of random weights in place of its own.

    The base is made once, in the folder `bases` of the local service's data (FINETUNE_HOME), and found there again: its
    name is that of the service's base, "random" and what it was made from. Weights are drawn as transformers begins a
    Llama's pretraining: normal, of the spread that config.json names, and ones where they scale (norms). Raises
    Explained for a service that is not local, and where the folder cannot be written.
    """
    settings = Settings.from_environment()
    pretrained = find_bases(settings.base_folders).get(service.base_model) if service.is_local else None
    if pretrained is None:
        raise Explained(
            f"A base with random weights can be made of a base model on this machine, and '{service.base_model}' of "
            f"the service '{service.name}' is none. Use the local service: connect('local')."
        )
    made_from = [(pretrained.folder / name).read_bytes() for name in ("config.json", "tokenizer.json")]
    digest = hashlib.sha256(b"".join(made_from) + str(seed).encode()).hexdigest()[:4]
    target = settings.home / "bases" / f"{service.base_model}-random-{digest}"
    if not target.is_dir():
        try:
            _make(pretrained.folder, target, seed)
        except OSError as error:
            raise cannot_write(target, error) from error
    return replace(service, base_model=target.name)


def _make(pretrained: Path, target: Path, seed: int) -> None:
    """Write the base, whole or not at all: the service may look for bases at any moment."""
    with whole_folder(target, target.parent.with_name(target.name + ".part")) as unfinished:
        shutil.copytree(pretrained, unfinished, ignore=NEEDLESS, dirs_exist_ok=True)
        save_file(_weights(pretrained, seed), unfinished / "model.safetensors", metadata={"format": "pt"})


def _weights(folder: Path, seed: int) -> dict[str, np.ndarray]:
    """Random tensors of the names and shapes that the folder's weights have."""
    spread = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("initializer_range", 0.02)
    rng = np.random.default_rng(seed)
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in sorted(file.keys()):
                shape = file.get_slice(name).get_shape()
                drawn = np.ones(shape) if len(shape) == 1 else rng.normal(0, spread, shape)
                weights[name] = drawn.astype(np.float32)
    return weights
