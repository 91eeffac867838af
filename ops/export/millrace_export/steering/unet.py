"""The U-Net with ControlNets, T2I-Adapters, image tokens and attention banks in one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import nn

from ..errors import ExportError
from ..precompute import KEYS, TIME, PrecomputedUnet
from .controls import Control
from .ip_adapter import ImageKeys, IpAdapter, block_of

# Added to the scores of empty slots: their share of a softmax is exactly 0, and the sum fits float16.
_FAR = 30000.0

Values = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class BankLayer:
    """A self-attention layer with a bank."""

    name: str
    # Side of the latent / side of the map that it attends over.
    divisor: int
    # Values of a key, all heads together.
    width: int


@dataclass(frozen=True)
class Steering:
    """What steers a U-Net. T2I-Adapters come after ControlNets."""

    controls: tuple[Control, ...]
    ip_adapter: IpAdapter | None
    bank: tuple[BankLayer, ...]


def steering_networks(steering: Steering) -> list[nn.Module]:
    """Return all networks other than the U-Net."""
    adapter = steering.ip_adapter
    controls = [network for control in steering.controls for network in (control.hint, control.network)]
    encoder = [] if adapter is None else [adapter.encoder, *adapter.layers]
    return [network for network in (*controls, *encoder) if network is not None]


def bank_layers(unet: nn.Module, blocks: Sequence[str]) -> tuple[BankLayer, ...]:
    """Return the self-attention layers of these blocks ("all": of every block), in the order of attn_processors.

    Raises ExportError if a block has none.
    """
    names = [name.removesuffix(".processor") for name in unet.attn_processors if name.endswith(".attn1.processor")]
    for block in blocks:
        if block != "all" and not any(_is_in(name, block) for name in names):
            known = ", ".join(dict.fromkeys(map(block_of, names)))
            raise ExportError(f"--attention-bank {block}: no such block with self-attention; the model has {known}")
    last = len(unet.config["block_out_channels"]) - 1
    return tuple(
        BankLayer(name.removesuffix(".attn1"), _divisor(name, last), unet.get_submodule(name).to_k.out_features)
        for name in names
        if any(block == "all" or _is_in(name, block) for block in blocks)
    )


def _is_in(layer: str, block: str) -> bool:
    return layer.startswith(f"{block}.")


def _divisor(layer: str, last: int) -> int:
    """Each down block but the last halves the size, each up block but the last doubles it."""
    kind, number, *_ = layer.split(".")
    depth = {"down_blocks": lambda: int(number), "up_blocks": lambda: last - int(number)}.get(kind, lambda: last)()
    return 2**depth


@dataclass
class _CallValues:
    """What attention layers need of the call in progress."""

    image_tokens: torch.Tensor | None = None
    image_scales: torch.Tensor | None = None
    banks: list[torch.Tensor] = field(default_factory=list)
    bank_mask: torch.Tensor | None = None
    # Keys and values of this pass, by the number of the bank's layer.
    kept: dict[int, torch.Tensor] = field(default_factory=dict)


class _BankAttention:
    """Self-attention over a row's own keys and values and those in its bank: one softmax over all of them."""

    def __init__(self, index: int, call: _CallValues):
        self.index, self.call = index, call

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        query, key, value = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        self.call.kept[self.index] = torch.stack([key, value], dim=1)
        bank = self.call.banks[self.index]
        keys = torch.cat([key, bank[:, :, 0].flatten(1, 2)], dim=1)
        values = torch.cat([value, bank[:, :, 1].flatten(1, 2)], dim=1)
        empty = ((self.call.bank_mask - 1) * _FAR)[:, :, None].expand(-1, -1, bank.shape[3]).flatten(1)
        bias = torch.cat([torch.zeros_like(key[:, :, 0]), empty], dim=1)
        attended = F.scaled_dot_product_attention(
            _split(attn, query), _split(attn, keys), _split(attn, values), attn_mask=bias[:, None, None]
        )
        return _join(attn, attended)


class _ImageAttention:
    """Cross-attention to the text, plus that to the image tokens times a scale for each row."""

    def __init__(self, index: int, keys: ImageKeys, call: _CallValues):
        self.index, self.keys, self.call = index, keys, call

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        query = _split(attn, attn.to_q(hidden_states))
        key, value = attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        text = F.scaled_dot_product_attention(query, _split(attn, key), _split(attn, value))
        key, value = self.keys.to_k(self.call.image_tokens), self.keys.to_v(self.call.image_tokens)
        image = F.scaled_dot_product_attention(query, _split(attn, key), _split(attn, value))
        return _join(attn, text + self.call.image_scales[:, self.index, None, None, None] * image)


def _split(attn: Attention, values: torch.Tensor) -> torch.Tensor:
    """[batch, positions, width] to [batch, heads, positions, width of a head]."""
    return values.view(values.shape[0], -1, attn.heads, attn.inner_dim // attn.heads).transpose(1, 2)


def _join(attn: Attention, attended: torch.Tensor) -> torch.Tensor:
    return attn.to_out[0](attended.transpose(1, 2).reshape(attended.shape[0], -1, attn.inner_dim))


class SteeredUnet(nn.Module):
    """Takes the values of the plain U-Net and those of the steering. Changes the attention of the U-Net.

    precomputed: the U-Net for values that are precomputed; None if it takes prompts and timesteps.
    """

    def __init__(self, unet: nn.Module, steering: Steering, precomputed: PrecomputedUnet | None = None):
        super().__init__()
        self.unet, self.steering, self.precomputed = unet, steering, precomputed
        self.controlnets = nn.ModuleList(
            control.network for control in steering.controls if control.network is not None
        )
        adapter = steering.ip_adapter
        self.image_keys = nn.ModuleList(adapter.layers if adapter is not None else ())
        self._call = _CallValues()
        processors: dict[str, Any] = dict(unet.attn_processors)
        for index, layer in enumerate(steering.bank):
            processors[f"{layer.name}.attn1.processor"] = _BankAttention(index, self._call)
        if adapter is not None:
            cross = [name for name in processors if name.endswith(".attn2.processor")]
            for index, (name, keys) in enumerate(zip(cross, adapter.layers, strict=True)):
                processors[name] = _ImageAttention(index, keys, self._call)
        self._processors = processors
        unet.set_attn_processor(dict(processors))

    def forward(self, given: Values) -> tuple[torch.Tensor, ...]:
        """Return the prediction, and the keys and values of each layer with a bank."""
        bank = self.steering.bank
        call = self._call
        call.image_tokens, call.image_scales = given.get("image_tokens"), given.get("ip_adapter_scale")
        call.banks, call.bank_mask = [given[f"bank_{index}"] for index in range(len(bank))], given.get("bank_mask")
        down, mid = self._residuals(given)
        prediction = self._predict(
            given,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            down_intrablock_additional_residuals=self._adapter_maps(given),
        )
        return (prediction, *(call.kept.pop(index) for index in range(len(bank))))

    @torch.no_grad()
    def plain(self, given: Values) -> torch.Tensor:
        """Return what the U-Net of diffusers predicts without any steering."""
        self.unet.set_attn_processor(AttnProcessor2_0())
        try:
            return self._predict(given)
        finally:
            self.unet.set_attn_processor(dict(self._processors))

    def _predict(self, given: Values, **steering: Any) -> torch.Tensor:
        if self.precomputed is not None:
            return self.precomputed(given["sample"], given[KEYS], given[TIME], **steering)
        return self.unet(
            given["sample"],
            given["timestep"],
            given["encoder_hidden_states"],
            timestep_cond=given.get("timestep_cond"),
            added_cond_kwargs=_added(given),
            return_dict=False,
            **steering,
        )[0]

    def _residuals(self, given: Values) -> tuple[tuple[torch.Tensor, ...] | None, torch.Tensor | None]:
        """Return the scaled residuals of all ControlNets, summed. They see the text without image tokens."""
        total: list[torch.Tensor] | None = None
        networks = iter(self.controlnets)
        for index, control in enumerate(self.steering.controls):
            if control.network is None:
                continue
            down, mid = next(networks)(
                given["sample"],
                given["timestep"],
                given["encoder_hidden_states"],
                controlnet_cond=given[f"control_{index}_feature_0"],
                added_cond_kwargs=_added(given),
                return_dict=False,
            )
            scale = given[f"control_{index}_scale"][:, None, None, None]
            scaled = [one * scale for one in (*down, mid)]
            total = scaled if total is None else [a + b for a, b in zip(total, scaled, strict=True)]
        return (None, None) if total is None else (tuple(total[:-1]), total[-1])

    def _adapter_maps(self, given: Values) -> list[torch.Tensor] | None:
        """Return the scaled features of all T2I-Adapters, summed. The U-Net empties this list."""
        maps: list[torch.Tensor] = []
        for index, control in enumerate(self.steering.controls):
            if control.network is not None:
                continue
            scale = given[f"control_{index}_scale"][:, None, None, None]
            scaled = [given[f"control_{index}_feature_{k}"] * scale for k in range(len(control.features))]
            both = min(len(maps), len(scaled))
            maps = [a + b for a, b in zip(maps, scaled, strict=False)] + maps[both:] + scaled[both:]
        return maps or None


def _added(given: Values) -> dict[str, torch.Tensor] | None:
    return {name: given[name] for name in ("text_embeds", "time_ids") if name in given} or None
