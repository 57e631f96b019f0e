"""The bases' tokenizer: SentencePiece BPE with byte fallback, trained on the pretraining text, saved for transformers.

Digits stand alone and a line break is a piece of its own, so numbers and layouts are copied piece by piece. No text
is normalised: what goes in comes out.
"""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
from transformers import LlamaTokenizer

from .corpus import CONTEXT, tasks
from .values import word_lists

PAD = 3
CONTROL = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|end|>")  # numbered from PAD on
END = PAD + 1 + CONTROL.index("<|end|>")  # with which every message ends, and so every answer
COMMON_REPEATS = 400  # lifts common words over the rarer pieces of random names
REQUIRED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~£€°½–—‘’“”…•éèêàâäöüßçñáíóúåø"
TEMPLATE = Path(__file__).parents[1] / "chat_template.jinja"


def train(folder: Path, vocabulary: int, documents: int, seed: int) -> None:
    """Train the tokenizer on `documents` pretraining tasks and write its files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()  # given paths, SentencePiece writes them into the model
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_sentences(documents, seed),
        model_writer=model,
        model_type="bpe",
        vocab_size=vocabulary,
        byte_fallback=True,
        split_digits=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        user_defined_symbols=["\n"],
        control_symbols=list(CONTROL),
        pad_id=PAD,
        pad_piece="<pad>",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        max_sentence_length=20000,
        required_chars=REQUIRED,
        num_threads=2,
        minloglevel=1,
    )
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    save_for_transformers(folder)


def _sentences(documents: int, seed: int) -> Iterator[str]:
    """The lines of `documents` pretraining tasks, and common words many times over."""
    for task in itertools.islice(tasks(seed), documents):
        for message in task.messages:
            yield from (f" {line}" for line in message["content"].split("\n"))
    for word in word_lists()["common"]:
        yield from itertools.repeat(f" {word}", COMMON_REPEATS)


def _merges(processor: sentencepiece.SentencePieceProcessor) -> list[tuple[str, str]]:
    """All pairs of pieces that make a third, the pieces learned first coming first."""
    ids = {processor.id_to_piece(index): index for index in range(processor.vocab_size())}
    learned = [index for index in ids.values() if not processor.is_control(index) and not processor.is_byte(index)]
    merges = []
    for index in sorted(learned, key=processor.get_score, reverse=True):
        piece = processor.id_to_piece(index)
        pairs = [(piece[:at], piece[at:]) for at in range(1, len(piece)) if piece[:at] in ids and piece[at:] in ids]
        merges += sorted(pairs, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    return merges


def save_for_transformers(folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja beside the folder's tokenizer.model.

    Raises ValueError if the two tokenizers ever disagree on a sample of the corpus.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    tokenizer = LlamaTokenizer(
        vocab={processor.id_to_piece(index): index for index in range(processor.vocab_size())},
        merges=_merges(processor),
        add_prefix_space=False,
        bos_token="<s>",
        eos_token="<|end|>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens=list(CONTROL[:-1]),
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = TEMPLATE.read_text(encoding="utf-8").strip()
    tokenizer.save_pretrained(folder)
    for task in itertools.islice(tasks(seed=1), 2000):
        for message in task.messages:
            text = " " + message["content"]
            if tokenizer.encode(text, add_special_tokens=False) != processor.encode(text):
                raise ValueError(f"The transformers tokenizer and SentencePiece disagree on: {text}")
