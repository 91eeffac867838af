"""The floating point type of the networks' products.

Half of the bytes are twice as fast on GPUs and on processors with AVX-512. Elsewhere torch
emulates bfloat16: a step of the U-Net took ten times as long on a processor with AVX2.
"""

from __future__ import annotations

import torch


def product_type(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the device computes in it, otherwise float32."""
    if device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.bfloat16
    return torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """Return the context in which products have that type."""
    return torch.autocast(device.type, torch.bfloat16, enabled=product_type(device) == torch.bfloat16)
