"""What diffusers computes for one row that is steered by pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, DiffusionPipeline, T2IAdapter
from safetensors.torch import load_file
from transformers import CLIPVisionModelWithProjection

Tensors = dict[str, torch.Tensor]


class BankedAttention:
    """Self-attention of one row that also sees a list of earlier keys and values."""

    def __init__(self, name: str, banks: Mapping[str, list[tuple[torch.Tensor, torch.Tensor]]], kept: dict[str, Any]):
        self.name, self.banks, self.kept = name, banks, kept

    def __call__(self, attn: Any, hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:
        query, key, value = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        self.kept[self.name] = torch.stack([key[0], value[0]])
        earlier = self.banks.get(self.name, [])
        keys = torch.cat([key[0], *(k for k, _ in earlier)])[None]
        values = torch.cat([value[0], *(v for _, v in earlier)])[None]
        heads = [one.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for one in (query, keys, values)]
        return attn.to_out[0](F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


@dataclass
class RowSteering:
    """Scales and pictures of one row."""

    controls: list[tuple[str, torch.Tensor, float]] = field(default_factory=list)
    adapters: list[tuple[str, torch.Tensor, float]] = field(default_factory=list)
    # What the image encoder gives for the style image, and a scale for each cross-attention layer.
    image_embeds: torch.Tensor | None = None
    image_scales: list[float] = field(default_factory=list)
    banks: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = field(default_factory=dict)


class Reference:
    """The networks as diffusers loads them. `model` and the folders of `networks` are by their names."""

    def __init__(self, model: Path, controlnets: Mapping[str, Path], adapters: Mapping[str, Path], ip: Path | None):
        self.unet = DiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32).unet
        self.controlnets = {name: ControlNetModel.from_pretrained(place) for name, place in controlnets.items()}
        self.adapters = {name: T2IAdapter.from_pretrained(place) for name, place in adapters.items()}
        self.vision = None
        if ip is not None:
            self.vision = CLIPVisionModelWithProjection.from_pretrained(ip / "image_encoder")
            nested: dict[str, Tensors] = {"image_proj": {}, "ip_adapter": {}}
            for name, value in load_file(ip / "ip-adapter.safetensors").items():
                group, _, rest = name.partition(".")
                nested[group][rest] = value
            self.unet._load_ip_adapter_weights([nested])
        self.kept: Tensors = {}
        self.processors = dict(self.unet.attn_processors)

    @torch.no_grad()
    def image_embeds(self, pixels: torch.Tensor, plus: bool) -> torch.Tensor:
        """Return the embeddings of pictures and those for negative rows, as the pipeline makes them: [2, batch, ...]."""
        found = self.vision(pixels, output_hidden_states=plus)
        if not plus:
            return torch.stack([found.image_embeds, torch.zeros_like(found.image_embeds)])
        nothing = self.vision(torch.zeros_like(pixels), output_hidden_states=True)
        return torch.stack([found.hidden_states[-2], nothing.hidden_states[-2]])

    @torch.no_grad()
    def image_tokens(self, embeds: torch.Tensor) -> torch.Tensor:
        return self.unet.encoder_hid_proj([embeds[:, None]])[0][:, 0]

    @torch.no_grad()
    def predict(self, inputs: Tensors, row: int, steering: RowSteering) -> torch.Tensor:
        """Return the prediction of a row, [1, 4, height, width]."""
        one = {name: value[row : row + 1] for name, value in inputs.items()}
        sample, timestep, text = one["sample"], one["timestep"], one["encoder_hidden_states"]
        added = {name: one[name] for name in ("text_embeds", "time_ids") if name in one}
        total: list[torch.Tensor] | None = None
        for name, image, scale in steering.controls:
            down, mid = self.controlnets[name](
                sample, timestep, text, image[None], scale, added_cond_kwargs=added, return_dict=False
            )
            residuals = [*down, mid]
            total = residuals if total is None else [a + b for a, b in zip(total, residuals, strict=True)]
        maps: list[torch.Tensor] | None = None
        for name, image, scale in steering.adapters:
            scaled = [feature * scale for feature in self.adapters[name](image[None])]
            maps = scaled if maps is None else [a + b for a, b in zip(maps, scaled, strict=True)]
        if self.vision is not None:
            added["image_embeds"] = [steering.image_embeds[None, None]]
        self._set_processors(steering)
        return self.unet(
            sample,
            timestep,
            text,
            added_cond_kwargs=added or None,
            down_block_additional_residuals=None if total is None else total[:-1],
            mid_block_additional_residual=None if total is None else total[-1],
            down_intrablock_additional_residuals=maps,
            return_dict=False,
        )[0]

    def _set_processors(self, steering: RowSteering) -> None:
        processors = dict(self.processors)
        for name in processors:
            if "attn1" in name:
                processors[name] = BankedAttention(name.removesuffix(".attn1.processor"), steering.banks, self.kept)
        self.unet.set_attn_processor(processors)
        if self.vision is not None:
            cross = [name for name in self.processors if "attn2" in name]
            for name, scale in zip(cross, steering.image_scales, strict=True):
                self.unet.attn_processors[name].scale = [scale]
