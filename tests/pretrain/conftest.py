"""What the pretraining tests share: a small tokenizer of the corpus' own, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece

from helpers.local_service.pretrain import tokenizer


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of 1,024 pieces trained on 2,000 tasks."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.train(folder, vocabulary=1024, documents=2_000, seed=3)
    return folder


@pytest.fixture(scope="session")
def base_tokenizer(tokenizer_folder: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(tokenizer_folder / "tokenizer.model"))
