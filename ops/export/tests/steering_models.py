"""Small random networks that steer a model, in the layouts in which such networks are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, T2IAdapter, UNet2DConditionModel
from models import fill
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

Tensors = dict[str, torch.Tensor]

HIDDEN, PROJECTED, IMAGE_SIZE = 32, 24, 32


def save_controlnet(unet: UNet2DConditionModel, folder: Path, seed: int, **config: Any) -> Path:
    network = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(8, 8, 16, 16), load_weights_from_unet=False
    )
    if config:
        # Names in _use_default_values would be ignored.
        network = ControlNetModel.from_config({**network.config, "_use_default_values": [], **config})
    fill(network, seed).save_pretrained(folder)
    return folder


def save_adapter(
    unet: UNet2DConditionModel, folder: Path, seed: int, kind: str | None = None, channels: int = 3
) -> Path:
    """Save a T2I-Adapter; by default of the kind that fits the U-Net."""
    widths = list(unet.config.block_out_channels)
    is_xl = unet.config.addition_embed_type == "text_time"
    kind = kind or ("full_adapter_xl" if is_xl else "full_adapter")
    if kind == "full_adapter_xl":
        widths = [*widths, widths[-1]][:4]
    adapter = T2IAdapter(
        in_channels=channels,
        channels=widths[:3] if kind == "light_adapter" else widths,
        num_res_blocks=1,
        downscale_factor=16 if kind == "full_adapter_xl" else 8,
        adapter_type=kind,
    )
    fill(adapter, seed).save_pretrained(folder)
    return folder


def image_encoder(hidden: int = HIDDEN) -> CLIPVisionModelWithProjection:
    config = CLIPVisionConfig(
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=IMAGE_SIZE,
        patch_size=8,
        projection_dim=PROJECTED,
    )
    return fill(CLIPVisionModelWithProjection(config), 21)


def _plain_projection(width: int, random: torch.Generator) -> Tensors:
    return {
        "proj.weight": torch.randn(4 * width, PROJECTED, generator=random) * PROJECTED**-0.5,
        "proj.bias": torch.randn(4 * width, generator=random) * 0.05,
        "norm.weight": torch.ones(width),
        "norm.bias": torch.randn(width, generator=random) * 0.05,
    }


def _plus_projection(width: int, random: torch.Generator, tokens: int = 5, inner: int = 64) -> Tensors:
    def weight(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random) * shape[-1] ** -0.5

    def norm(name: str, size: int) -> Tensors:
        return {f"{name}.weight": torch.ones(size), f"{name}.bias": torch.randn(size, generator=random) * 0.05}

    found = {"latents": torch.randn(1, tokens, inner, generator=random), "proj_in.weight": weight(inner, HIDDEN)}
    found |= {"proj_in.bias": torch.zeros(inner), "proj_out.weight": weight(width, inner)}
    found |= {"proj_out.bias": torch.zeros(width)} | norm("norm_out", width)
    for layer in range(4):
        attention, feed = f"layers.{layer}.0", f"layers.{layer}.1"
        found |= norm(f"{attention}.norm1", inner) | norm(f"{attention}.norm2", inner) | norm(f"{feed}.0", inner)
        found[f"{attention}.to_q.weight"] = weight(inner, inner)
        found[f"{attention}.to_kv.weight"] = weight(2 * inner, inner)
        found[f"{attention}.to_out.weight"] = weight(inner, inner)
        found[f"{feed}.1.weight"] = weight(4 * inner, inner)
        found[f"{feed}.3.weight"] = weight(inner, 4 * inner)
    return found


def _full_projection(width: int, random: torch.Generator) -> Tensors:
    return {
        "proj.0.weight": torch.randn(HIDDEN, HIDDEN, generator=random) * HIDDEN**-0.5,
        "proj.0.bias": torch.randn(HIDDEN, generator=random) * 0.05,
        "proj.2.weight": torch.randn(width, HIDDEN, generator=random) * HIDDEN**-0.5,
        "proj.2.bias": torch.randn(width, generator=random) * 0.05,
        "proj.3.weight": torch.ones(width),
        "proj.3.bias": torch.randn(width, generator=random) * 0.05,
    }


_PROJECTIONS = {"plain": _plain_projection, "plus": _plus_projection, "full": _full_projection}


def ip_adapter_state(unet: UNet2DConditionModel, kind: str = "plain", width: int | None = None) -> Tensors:
    """Return an IP-Adapter with the names of the published files: ip-adapter, -plus or -full."""
    random = torch.Generator().manual_seed(22)
    width = width or unet.config.cross_attention_dim
    projection = _PROJECTIONS[kind](width, random)
    state = {f"image_proj.{name}": value for name, value in projection.items()}
    for number, name in enumerate(unet.attn_processors):
        if "attn2" in name:
            inner = unet.get_submodule(name.removesuffix(".processor")).to_k.out_features
            for which in ("k", "v"):
                weight = torch.randn(inner, width, generator=random) * width**-0.5
                state[f"ip_adapter.{number}.to_{which}_ip.weight"] = weight
    return state


def save_ip_adapter(unet: UNet2DConditionModel, folder: Path, kind: str = "plain", **config: Any) -> Path:
    """Save FOLDER/ip-adapter.safetensors and, beside it, its image_encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(ip_adapter_state(unet, kind, **config), folder / "ip-adapter.safetensors")
    image_encoder().save_pretrained(folder / "image_encoder")
    return folder
