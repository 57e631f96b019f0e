"""`python -m helpers export MODEL FOLDER`: a tuned model out of the service, as folders that other programs load.

A model that was tuned whole is one folder, in FOLDER itself. One that LoRA tuned is three: `base`,
`adapter` (plain PEFT) and `merged`, which is both in one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .catalogue import Catalogue, ServedModel
from .disk import whole_folder
from .errors import ApiError
from .settings import Settings
from .store import Store


class CannotExport(Exception):
    """The model cannot be written there. The message says why, and what to do."""


def take_away(settings: Settings, name: str, target: Path) -> list[str]:
    """Write the model to the folder, which must be new or empty. Return lines that say what is where.

    The service may be running or not. Raises CannotExport for a model that it does not have, and for a folder that
    holds something already or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CannotExport(
            f"{target} is there already and not empty. Name a new folder, so that nothing is overwritten."
        )
    if not settings.database.is_file():
        raise CannotExport(f"There is no service in {settings.home} yet, so no model. Tune one first, see notebook 03.")
    store = Store(settings.database)
    try:
        model = Catalogue(settings, store).find(name)
    except ApiError as error:
        raise CannotExport(str(error)) from error
    finally:
        store.close()
    try:
        with whole_folder(target) as folder:
            return _adapter(model, folder, target) if model.adapter else _whole(model, folder, target)
    except OSError as error:
        raise CannotExport(f"{target} could not be written ({error.strerror or error}).") from error


def _whole(model: ServedModel, folder: Path, target: Path) -> list[str]:
    shutil.copytree(model.folder or model.base.folder, folder, dirs_exist_ok=True)
    return [f"{model.name} is in {target}: weights, tokenizer and chat template, for transformers, vLLM and llama.cpp."]


def _adapter(model: ServedModel, folder: Path, target: Path) -> list[str]:
    """Base and adapter as they are, and merged: the base's weights plus what the adapter adds, in bf16."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from .export import export_model

    assert model.folder is not None  # an adapter is of a tuned model
    shutil.copytree(model.base.folder, folder / "base")
    shutil.copytree(model.folder, folder / "adapter")
    settings = folder / "adapter" / "adapter_config.json"
    about = json.loads(settings.read_text(encoding="utf-8")) | {"base_model_name_or_path": str(target / "base")}
    settings.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    base = AutoModelForCausalLM.from_pretrained(folder / "base")
    merged = PeftModel.from_pretrained(base, folder / "adapter").merge_and_unload()
    export_model(merged, folder / "merged", folder / "base")
    return [
        f"{model.name} is in {target}:",
        "  merged   one model folder, for transformers, vLLM and llama.cpp",
        "  adapter  the LoRA adapter alone, for PEFT and for vLLM beside its base (--enable-lora)",
        "  base     what the adapter belongs to",
    ]
