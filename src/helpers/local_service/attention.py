"""Attention for training on a CPU, picked by what was measured.

torch's scaled dot-product attention has a slow backward pass in bf16 on CPUs. Measured on 6 million parameters under
bf16 autocast, CPU microseconds a token for a training step (AMD EPYC with AVX-512 BF16, torch 2.13):

    tokens in an example        60    160    300    512   1024   2048
    torch's, in bf16           401    356    349    392    424    569
    eager, in bf16             277    264    324    420    929   1921
    torch's, in fp32           285    270    304    381    461    626      <- up to LONGEST_FP32
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "sdpa_by_length"  # to be given as attn_implementation
LONGEST_FP32 = 512


def sdpa_by_length(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, **kwargs: Any
) -> tuple[torch.Tensor, None]:
    """torch's attention, in fp32 for short examples whatever autocast says. Shapes [batch, heads, tokens, size]."""
    if query.dtype == torch.float32 or query.shape[2] > LONGEST_FP32:
        return sdpa_attention_forward(module, query, key, value, mask, **kwargs)
    with torch.autocast("cpu", enabled=False):
        output, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **kwargs)
    return output.to(query.dtype), None


AttentionInterface.register(NAME, sdpa_by_length)
AttentionMaskInterface.register(NAME, sdpa_mask)
