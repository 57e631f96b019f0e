"""A very small base model with random weights, made in a second, so that tests of the service need no shipped weights.

It has everything a real base has: a SentencePiece BPE tokenizer with byte fallback and split digits, the control tokens
of the chat format, the chat template, and a Llama network. It has learned nothing, so tests may check what training
changes but never what it says.
"""

import json
import random
import shutil
import sys
from pathlib import Path

CONTROL_TOKENS = ["<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|end|>"]
WORDS = (
    "the a my your order parcel refund invoice delivery address please thank you is was will be has have not yet "
    "where when what how late lost broken blue red green Monday Tuesday London Leeds we I it they can help with sorry "
    "answer question number code customer support agent today tomorrow week price paid card account"
)


def sample_text(lines: int = 400, seed: int = 7) -> list[str]:
    """`lines` short made-up sentences, enough for a tokenizer to learn a few hundred pieces."""
    rng = random.Random(seed)
    return [
        " ".join(rng.choices(WORDS.split(), k=rng.randint(4, 12))) + f" {rng.randint(0, 99999)}{rng.choice('.?!')}"
        for _ in range(lines)
    ]


def write_tokenizer(folder: Path, vocab_size: int = 512) -> None:
    """Write tokenizer.model (SentencePiece) and tokenizer.json with its config (transformers) into `folder`."""
    import sentencepiece
    from transformers import LlamaTokenizer
    from transformers.tokenization_utils_base import generate_merges

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sample_text()),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=vocab_size,
        byte_fallback=True,
        split_digits=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        unk_id=0,
        bos_id=1,
        eos_id=-1,
        pad_id=2,
        control_symbols=CONTROL_TOKENS,
        minloglevel=2,
    )
    (folder / "tokenizer.vocab").unlink()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    vocab = {processor.id_to_piece(i): i for i in range(processor.get_piece_size())}
    tokenizer = LlamaTokenizer(
        vocab=vocab,
        merges=generate_merges(vocab),
        add_prefix_space=False,
        add_bos_token=False,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="<|end|>",
        pad_token="<pad>",
        additional_special_tokens=CONTROL_TOKENS,
        model_max_length=2048,
    )
    tokenizer.save_pretrained(folder)


def build_base(folder: Path, *, layers: int = 2, hidden: int = 48, heads: int = 4, context: int = 256) -> Path:
    """Make a random-weight base in `folder` (about 80,000 parameters as it stands); return the folder."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from helpers.local_service.settings import CHAT_TEMPLATE

    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder)
    shutil.copy(CHAT_TEMPLATE, folder / "chat_template.jinja")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():  # with tied random embeddings a token predicts itself; a control token would end every answer
        model.model.embed_tokens.weight[tokenizer.all_special_ids] *= 0.1
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def build_bases(folder: Path) -> None:
    """`tiny`, and `tiny-lora`: the same network with settings that make the service train an adapter of it."""
    build_base(folder / "tiny")
    shutil.copytree(folder / "tiny", folder / "tiny-lora")
    path = folder / "tiny-lora" / "config.json"
    config = json.loads(path.read_text())
    config["fine_tuning"] = {"method": "lora", "lora_rank": 8, "learning_rate": 5e-3, "context": 64}
    path.write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    build_bases(Path(sys.argv[1]))
