"""A larger base grown from a finished smaller one: it begins where that one ends, and has room to learn more.

Every weight of the smaller model is put into a larger matrix, and what is new reads at random but writes nothing yet:
so the grown model answers exactly as the smaller one does, and its new parts take part as soon as they are trained.
The idea: Net2Net (Chen and others, 2016); layers repeated that write nothing at first: LLaMA Pro (Wu and others, 2024).
"""

from typing import Any

import torch
from transformers import LlamaForCausalLM

READS = ("q_proj", "v_proj", "gate_proj", "up_proj")  # random where new; keys are not: new queries find nothing yet
WRITES = ("o_proj", "down_proj")


def grow(small: LlamaForCausalLM, large: LlamaForCausalLM) -> None:
    """Give `large` weights with which it computes what `small` does; its random state decides the new ones.

    Raises ValueError where the shapes do not allow it: as many heads, as wide a vocabulary, and nothing smaller.
    """
    a: Any = small.config  # transformers types a shape's numbers as perhaps missing
    b: Any = large.config
    _check(a, b)
    width, inner, heads = torch.arange(a.hidden_size), torch.arange(a.intermediate_size), _heads(a, b)
    places = {
        "embed_tokens": (torch.arange(a.vocab_size), width),
        **dict.fromkeys(("q_proj", "k_proj", "v_proj"), (heads, width)),
        **dict.fromkeys(("gate_proj", "up_proj"), (inner, width)),
        "o_proj": (width, heads),
        "down_proj": (width, inner),
    }
    trained = small.state_dict()
    with torch.no_grad():
        for name, weight in large.named_parameters():
            source, silent = _source(name, a.num_hidden_layers, b.num_hidden_layers)
            old = trained[source]
            if old.ndim == 1:  # the mean square is over more numbers now, and the new ones are zero
                weight.fill_(old.mean().item())
                weight[width] = old
                weight.mul_((a.hidden_size / b.hidden_size) ** 0.5)
                continue
            kind = name.split(".")[-2]
            rows, columns = places[kind]
            weight.zero_()
            if kind in READS:
                weight.normal_(std=old.std().item())
            if silent and kind in WRITES:
                continue
            scale = (b.head_dim / a.head_dim) ** 0.5 if kind == "q_proj" else 1.0  # attention divides by its root
            weight[rows[:, None], columns] = old * scale


def _check(small: Any, large: Any) -> None:
    same = all(getattr(small, name) == getattr(large, name) for name in ("num_attention_heads", "vocab_size"))
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers")
    if not same or large.head_dim % small.head_dim or any(getattr(large, n) < getattr(small, n) for n in sizes):
        raise ValueError(
            "A base can only grow from one with as many heads, the same vocabulary, heads of a whole part of the width, "
            "and no size larger than its own."
        )


def _heads(small: Any, large: Any) -> torch.Tensor:
    """Return where each row of a head goes: to the row that rotary embeddings turn at the same speed."""
    head, half, pair = torch.meshgrid(
        torch.arange(small.num_attention_heads), torch.arange(2), torch.arange(small.head_dim // 2), indexing="ij"
    )
    return (head * large.head_dim + half * large.head_dim // 2 + pair * (large.head_dim // small.head_dim)).flatten()


def _source(name: str, small_layers: int, large_layers: int) -> tuple[str, bool]:
    """Return which weight of the small model a weight comes from, and whether its layer repeats the one below it."""
    parts = name.split(".")
    if "layers" not in parts:
        return name, False
    at = parts.index("layers") + 1
    layer = int(parts[at])
    source = layer * small_layers // large_layers
    parts[at] = str(source)
    return ".".join(parts), layer > 0 and (layer - 1) * small_layers // large_layers == source
