"""The bases that come with the course: what their weights, tokenizers and cards must hold."""

from __future__ import annotations

import filecmp
import json
import struct
from pathlib import Path

import pytest

from helpers.connection import FAMILIES, LOCAL_MODEL
from helpers.local_service.bases import find_bases
from helpers.local_service.pretrain.skills import SKILLS
from helpers.local_service.pretrain.tokenizer import TEMPLATE
from helpers.local_service.settings import SHIPPED_BASES

SMALL, LARGE = FAMILIES[0]
FOLDERS = [SHIPPED_BASES / name for name in (SMALL, LARGE)]


def test_the_shipped_bases_are_a_small_and_a_large_one() -> None:
    bases = find_bases()
    assert sorted(bases) == sorted([SMALL, LARGE]) and LOCAL_MODEL == LARGE
    assert 0.8e6 < bases[SMALL].parameters < 1.6e6 and 4.5e6 < bases[LARGE].parameters < 7.5e6
    assert {base.context for base in bases.values()} == {2048}
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.glob("*.safetensors")) <= 16e6


def test_both_read_and_write_the_same_way() -> None:
    for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", TEMPLATE.name):
        assert filecmp.cmp(FOLDERS[0] / name, FOLDERS[1] / name, shallow=False), name
        assert name != TEMPLATE.name or filecmp.cmp(FOLDERS[0] / name, TEMPLATE, shallow=False)


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
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    assert {tensor["dtype"] for name, tensor in header.items() if name != "__metadata__"} == {"BF16"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_card_says_how_well_each_skill_is_done(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith(f"# {folder.name}\n") and (folder / "learning_curve.png").is_file()
    assert [name for name in SKILLS if f"| {name} |" not in card] == []
