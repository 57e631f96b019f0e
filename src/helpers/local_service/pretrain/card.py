"""A base's model card, written from its run: shape, tokens, time, learning curve, and the benchmark's table."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import torch

from .skills import SKILLS
from .train import RECIPES, Recipe, new_model, trained_on

NOTES = Path(__file__).parent / "TRIED.md"


def write(folder: Path, target: Path, table: str, items: int) -> None:
    """Write target/README.md and target/learning_curve.png from the run in `folder` and the benchmark's table."""
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    _draw(log, target / "learning_curve.png")
    recipe = RECIPES[state["recipe"]["name"]]
    text = _card(recipe, trained_on(state), new_model(recipe, 4096).num_parameters(), table, items)
    (target / "README.md").write_text(text, encoding="utf-8")


def _card(recipe: Recipe, trained: dict[str, int], parameters: int, table: str, items: int) -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} cores, {_processor()}"
    return f"""# {recipe.name}

A small Llama-architecture language model to be fine-tuned on a laptop, made by this project from text that this project
generates. It follows simple instructions on short English texts and copies what it is given; it knows next to nothing
of the world. Written by `python -m helpers.local_service.pretrain card`; every figure is measured.

| | |
|---|---|
| parameters | {parameters:,} ({recipe.layers} layers, {recipe.width} wide, {recipe.heads} heads, tied embeddings) |
| tokenizer | SentencePiece BPE, 4,096 pieces, byte fallback; digits alone, line break a piece |
| context | 2,048 tokens |
| weights | bf16 safetensors |
| chat | `<s><\\|system\\|> …<\\|end\\|><\\|user\\|> …<\\|end\\|><\\|assistant\\|> …<\\|end\\|>`, see chat_template.jinja |
| pretraining | {trained["tokens"] / 1e6:.1f} million tokens of generated tasks ({len(SKILLS)} skills), {trained["steps"]:,} steps, {trained["seconds"] / 60:.0f} minutes{_grown(trained)} |
| hardware | {device}, torch {torch.__version__.split("+")[0]} |
| licence | MIT |

## What it can do

{items} items a skill and column. *Held out*: names, codes and numbers that pretraining never showed. *New phrasing*:
instructions and sentences are new as well. Exact answers count, or, where several are right, answers that hold all
that they have to.

{table}

## Learning curve

![Mean loss on the tokens of the answers, falling over the run](learning_curve.png)

{NOTES.read_text(encoding="utf-8").strip()}

## Limits

Plain English in short texts only. It must not be used to answer real people, or as evidence about any other model.
"""


def _grown(trained: dict[str, int]) -> str:
    return (
        f"; the first {trained['smaller'] / 1e6:.1f} million as a smaller base, then grown"
        if trained["smaller"]
        else ""
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _draw(log: list[dict[str, Any]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 3.5))
    every = max(1, len(log) // 150)
    rows = [log[i : i + every] for i in range(0, len(log), every)]
    axis.plot([r[-1]["tokens"] / 1e6 for r in rows], [sum(x["loss"] for x in r) / len(r) for r in rows])
    axis.set(xlabel="million tokens", ylabel="loss on answers", ylim=(0, None))
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=80, bbox_inches="tight")
    plt.close(figure)
