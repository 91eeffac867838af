"""Loads ControlNets and T2I-Adapters, and checks that they fit the U-Net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, T2IAdapter
from torch import nn

from ..errors import ExportError
from ..source import HUB_ID, explained
from ..widths import width_name
from .request import ControlRequest

# Weights of red, green and blue in the luma (ITU-R BT.601), as Pillow converts to grey.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Feature:
    """A map that a control network makes of a picture."""

    channels: int
    # Side of the latent / side of the map, which is rounded up.
    divisor: int


@dataclass(frozen=True)
class Control:
    name: str
    preprocessor: str | None
    # Makes the features of a picture.
    hint: nn.Module
    features: tuple[Feature, ...]
    # What a ControlNet computes in each step; a T2I-Adapter has none.
    network: ControlNetModel | None = None

    @property
    def type(self) -> str:
        return "t2i_adapter" if self.network is None else "controlnet"


class _Hint(nn.Module):
    """The part of a ControlNet that depends on the picture alone."""

    def __init__(self, embedding: nn.Module, is_bgr: bool):
        super().__init__()
        self.embedding, self.is_bgr = embedding, is_bgr

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.embedding(image.flip(1) if self.is_bgr else image)


class _AdapterFeatures(nn.Module):
    """A T2I-Adapter for pictures of three channels."""

    def __init__(self, adapter: nn.Module, is_grey: bool):
        super().__init__()
        self.adapter, self.is_grey = adapter, is_grey
        self.register_buffer("luma", torch.tensor(_LUMA).view(1, 3, 1, 1))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.adapter((image * self.luma).sum(1, keepdim=True) if self.is_grey else image))


def load_controlnet(request: ControlRequest, unet: nn.Module, pixels: int, dtype: torch.dtype) -> Control:
    """Load a ControlNet and split it. Raises ExportError if it does not fit.

    pixels: side of the picture / side of the latent.
    """
    network = _load("--controlnet", request, ControlNetModel, dtype)
    config = network.config
    problem = _controlnet_problem(config, unet.config, pixels)
    if problem is not None:
        raise ExportError(f"--controlnet {request.place}: {problem}")
    embedding = network.controlnet_cond_embedding
    # The rest of the network takes the hint in place of the picture.
    network.controlnet_cond_embedding = nn.Identity()
    order = config["controlnet_conditioning_channel_order"]
    network.register_to_config(controlnet_conditioning_channel_order="rgb")
    features = (Feature(config["block_out_channels"][0], 1),)
    return Control(request.name, request.preprocessor, _Hint(embedding, order == "bgr").eval(), features, network)


@torch.no_grad()
def load_t2i_adapter(request: ControlRequest, unet: nn.Module, pixels: int, dtype: torch.dtype) -> Control:
    """Load a T2I-Adapter. Raises ExportError if it does not fit."""
    adapter = _load("--t2i-adapter", request, T2IAdapter, dtype)
    channels = adapter.config["in_channels"]
    if channels not in (1, 3):
        raise ExportError(
            f"--t2i-adapter {request.place}: takes {channels} channels; only 3 (RGB) or 1 (grey) can be exported"
        )
    wanted = adapter_features(unet.config)
    side = 2 ** len(unet.config["block_out_channels"])
    maps = adapter(torch.zeros(1, channels, side * pixels, side * pixels, dtype=dtype))
    found = [Feature(int(one.shape[1]), side // int(one.shape[2])) for one in maps]
    if found != wanted[: len(found)]:
        raise ExportError(
            f"--t2i-adapter {request.place}: this T2I-Adapter is for another base: it makes maps of {_names(found)}, "
            f"the model takes {_names(wanted)} (channels / divisor of the latent size); use one made for this model"
        )
    hint = _AdapterFeatures(adapter, channels == 1).eval().to(dtype)
    return Control(request.name, request.preprocessor, hint, tuple(found))


def residuals(config: Mapping[str, Any]) -> list[Feature]:
    """Return the maps that a U-Net hands from its down blocks and mid block, which a ControlNet adds to."""
    widths, layers = config["block_out_channels"], config["layers_per_block"]
    found = [Feature(widths[0], 1)]
    for block, width in enumerate(widths):
        found += [Feature(width, 2**block)] * (layers if isinstance(layers, int) else layers[block])
        if block < len(widths) - 1:
            found.append(Feature(width, 2 ** (block + 1)))
    return [*found, Feature(widths[-1], 2 ** (len(widths) - 1))]


def adapter_features(config: Mapping[str, Any]) -> list[Feature]:
    """Return the maps that a U-Net can add inside its down blocks, and then to its mid block."""
    widths, last = config["block_out_channels"], len(config["block_out_channels"]) - 1
    # A block with cross-attention adds its map before it halves the size, others after that.
    divisors = [
        2**block if "CrossAttn" in kind or block == last else 2 ** (block + 1)
        for block, kind in enumerate(config["down_block_types"])
    ]
    return [*map(Feature, widths, divisors), Feature(widths[-1], 2**last)]


def _controlnet_problem(config: Mapping[str, Any], unet: Mapping[str, Any], pixels: int) -> str | None:
    """Return why a ControlNet cannot steer this U-Net, or None."""
    channels = config["conditioning_channels"]
    if channels != 3:
        return f"takes control pictures of {channels} channels; only 3 (RGB) can be exported"
    if config["global_pool_conditions"]:
        return (
            "has global_pool_conditions (shuffle), which rows of negative prompts must not get; it cannot be exported"
        )
    width, wanted = config["cross_attention_dim"], unet["cross_attention_dim"]
    if width != wanted:
        return (
            f"this ControlNet is for another base: it expects {width_name(width)} per token, "
            f"the model has {width_name(wanted)}; use one made for this model"
        )
    if residuals(config) != residuals(unet) or config["in_channels"] != unet["in_channels"]:
        return (
            f"this ControlNet is for another base: it has {len(residuals(config))} residuals of "
            f"{_widths(config)} channels, the model {len(residuals(unet))} of {_widths(unet)}; use one made for this model"
        )
    added = ("addition_embed_type", "projection_class_embeddings_input_dim", "class_embed_type")
    for field in added:
        if config[field] != unet[field]:
            return (
                f"this ControlNet is for another base: its {field} is {config[field]}, "
                f"the model's is {unet[field]}; use one made for this model"
            )
    factor = 2 ** (len(config["conditioning_embedding_out_channels"]) - 1)
    if factor != pixels:
        return f"makes a hint of 1/{factor} of the picture's size, but the latent has 1/{pixels}; use one made for this VAE"
    return None


def _load(option: str, request: ControlRequest, kind: Any, dtype: torch.dtype) -> Any:
    place = Path(request.place).expanduser()
    if place.is_file():
        raise ExportError(f"{option} {request.place}: a file; name a folder in the diffusers layout, or a hub id")
    if not place.is_dir() and not HUB_ID.fullmatch(request.place):
        raise ExportError(f"{option} {request.place}: no such folder, and not a hub id (owner/name)")
    where = str(place) if place.is_dir() else request.place
    with explained(f"{option} {request.place}: cannot be loaded"):
        found = kind.load_config(where).get("_class_name")
        if found != kind.__name__:
            raise ExportError(f"{option} {request.place}: a {found}; only a {kind.__name__} can be exported")
        return kind.from_pretrained(where, torch_dtype=dtype).eval().requires_grad_(False)


def _widths(config: Mapping[str, Any]) -> str:
    return ", ".join(map(str, config["block_out_channels"]))


def _names(features: list[Feature]) -> str:
    return ", ".join(f"{feature.channels}/{feature.divisor}" for feature in features)
