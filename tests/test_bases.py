"""The bases that come with the course: what their weights, tokenizers and cards must hold."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from helpers.connection import LARGE_LOCAL_MODEL, LOCAL_MODEL
from helpers.local_service.bases import find_bases
from helpers.local_service.pretrain.skills import SKILLS
from helpers.local_service.pretrain.tokenizer import TEMPLATE
from helpers.local_service.settings import SHIPPED_BASES

FOLDERS = [SHIPPED_BASES / name for name in (LOCAL_MODEL, LARGE_LOCAL_MODEL)]


def test_the_shipped_bases_are_a_small_and_a_large_one() -> None:
    bases = find_bases()
    assert sorted(bases) == [LOCAL_MODEL, LARGE_LOCAL_MODEL]
    assert 0.8e6 < bases[LOCAL_MODEL].parameters < 1.6e6 and 4.5e6 < bases[LARGE_LOCAL_MODEL].parameters < 7.5e6
    assert {base.context for base in bases.values()} == {2048}
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.glob("*.safetensors")) <= 16e6


def test_both_read_and_write_the_same_way() -> None:
    for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", TEMPLATE.name):
        assert filecmp.cmp(FOLDERS[0] / name, FOLDERS[1] / name, shallow=False), name
    assert filecmp.cmp(FOLDERS[0] / TEMPLATE.name, TEMPLATE, shallow=False)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_whoever_loads_it_stops_where_an_answer_ends(folder: Path) -> None:
    end = {"content": "<|end|>", "special": True}
    [number] = [
        token["id"]
        for token in json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
        if end.items() <= token.items()
    ]
    for name in ("config.json", "generation_config.json"):
        assert json.loads((folder / name).read_text(encoding="utf-8"))["eos_token_id"] == number, name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_weights_are_bf16(folder: Path) -> None:
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118  # no mapping


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_card_says_how_well_each_skill_is_done(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {folder.name}\n") and (folder / "learning_curve.png").is_file()
    assert [name for name in SKILLS if f"| {name} |" not in card] == []
