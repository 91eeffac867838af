"""Attention of the ONNX graph: one fused operator, or plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F

# The domain of operators that ONNX Runtime has beyond ONNX.
FUSED_DOMAIN = "com.microsoft"
FUSED_OPERATOR = "MultiHeadAttention"

_attend = F.scaled_dot_product_attention


@contextmanager
def traced_attention(fused: bool, upcast: bool) -> Iterator[None]:
    """Replace attention while a network is traced.

    The exporter's own translation computes the scale from the shapes at run time, in a dozen operators for each
    attention, and stores the scores of all heads. ONNX Runtime does not fuse it.

    fused: one MultiHeadAttention each, else plain operators with a constant scale.
    upcast: in float32, for networks whose scores overflow float16 (`upcast_attention` of Stable Diffusion 2.1).
    """

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
        kind = value.dtype
        if upcast:
            query, key = query.float(), key.float()
        scale = scale or int(query.shape[-1]) ** -0.5
        if not fused:
            return _plain(query, key, value, attn_mask, scale)
        if attn_mask is not None:
            # The operator takes a mask for each query, but not for each head.
            attn_mask = attn_mask.to(query.dtype) + torch.zeros_like(query[:, :1, :, :1])
        heads, width = int(query.shape[1]), int(query.shape[3])
        return _Fused.apply(query, key, value.to(query.dtype), attn_mask, heads, width, scale).to(kind)

    F.scaled_dot_product_attention = attend
    try:
        yield
    finally:
        F.scaled_dot_product_attention = _attend


def _plain(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scale: float
) -> torch.Tensor:
    scores = (query * scale) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1).to(value.dtype) @ value


class _Fused(torch.autograd.Function):
    """Attention over [batch, heads, positions, width of a head]."""

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        heads: int,
        width: int,
        scale: float,
    ) -> torch.Tensor:
        return _attend(query, key, value, attn_mask=mask, scale=scale)

    @staticmethod
    def symbolic(g: Any, query: Any, key: Any, value: Any, mask: Any, heads: int, width: int, scale: float) -> Any:
        def reshaped(values: Any, *shape: int) -> Any:
            return g.op("Reshape", values, g.op("Constant", value_t=torch.tensor(shape)))

        # The runtime removes these transposes together with those of the network.
        joined = [
            reshaped(g.op("Transpose", one, perm_i=[0, 2, 1, 3]), 0, -1, heads * width) for one in (query, key, value)
        ]
        if mask is not None and not mask.node().mustBeNone():
            # Bias and key_padding_mask are left out.
            nothing = g.op("prim::Constant").setType(torch._C.OptionalType.ofTensor())
            joined += [nothing, nothing, mask]
        attended = g.op(f"{FUSED_DOMAIN}::{FUSED_OPERATOR}", *joined, num_heads_i=heads, scale_f=scale)
        result = g.op("Transpose", reshaped(attended, 0, -1, heads, width), perm_i=[0, 2, 1, 3])
        result.setType(query.type().with_sizes([None, heads, None, width]))
        return result
