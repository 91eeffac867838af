"""Attention in plain operators, for the ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F


@contextmanager
def plain_attention(upcast: bool) -> Iterator[None]:
    """Replace attention by plain operators while a network is traced.

    The exporter's own translation computes the scale from the shapes at run time, in a dozen operators for each
    attention. Here it is a constant, in a pattern that ONNX Runtime fuses.

    upcast: scores and softmax in float32, for networks whose scores overflow float16 (`upcast_attention` of
    Stable Diffusion 2.1).
    """
    original = F.scaled_dot_product_attention

    def attend(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
    ) -> torch.Tensor:
        if is_causal or dropout_p:
            raise NotImplementedError("causal attention and dropout")
        if upcast:
            query, key = query.float(), key.float()
        scores = (query * (scale or int(query.shape[-1]) ** -0.5)) @ key.transpose(-1, -2)
        if attn_mask is not None:
            scores = scores + attn_mask
        return scores.softmax(-1).to(value.dtype) @ value

    F.scaled_dot_product_attention = attend
    try:
        yield
    finally:
        F.scaled_dot_product_attention = original
