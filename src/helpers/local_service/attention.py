"""Attention for training on a CPU, picked by what was measured.

torch's scaled dot-product attention is slow on CPUs where examples are short and bf16 is used. Measured on 6 million
parameters under bf16 autocast, CPU microseconds a token for forward and backward pass on one core (AMD EPYC with
AVX-512 BF16, torch 2.13):

    tokens in an example        64    160    320    512   1024   2048
    torch's, in bf16           194    210    226    265    304    395   <- beyond LONGEST_PLAIN
    torch's, in fp32           206    210    227    257    300    401
    plain, in bf16             155    166    192    232    330    969   <- up to LONGEST_PLAIN
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "attention_by_length"  # to be given as attn_implementation
LONGEST_PLAIN = 512


def attention_by_length(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, **kwargs: Any
) -> tuple[torch.Tensor, None]:
    """Causal attention: for short examples in bf16 two plain matrix products, else torch's.

    Takes shapes [batch, heads, tokens, size], returns [batch, tokens, heads, size]. Examples without a mask are padded
    on the right, where nobody looks.
    """
    tokens = query.shape[2]
    # Autocast leaves rotated queries and keys in fp32 and multiplies them in bf16: the values tell.
    if mask is not None or value.dtype != torch.bfloat16 or tokens > LONGEST_PLAIN:
        return sdpa_attention_forward(module, query, key, value, mask, **kwargs)
    groups = query.shape[1] // key.shape[1]
    scores = query * kwargs["scaling"] @ repeat_kv(key, groups).mT
    ahead = torch.full((tokens, tokens), -torch.inf, dtype=scores.dtype, device=scores.device).triu(1)
    output = (scores + ahead).softmax(-1) @ repeat_kv(value, groups)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, attention_by_length)
AttentionMaskInterface.register(NAME, sdpa_mask)
