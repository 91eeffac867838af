"""Exports the four networks as ONNX graphs, opset 17, for any batch and picture size."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from transformers import CLIPTextModel

from ..autoencoder.merged import MergedDecoder, MergedEncoder
from ..autoencoder.model import LATENT_CHANNELS
from ..text.model import WIDTH
from ..text.tokenizer import LENGTH
from .layout import Parts
from .weights import store_as_float16

OPSET = 17
_PICTURE_AXES = {0: "batch", 2: "height", 3: "width"}


class _Call(nn.Module):
    """A module whose forward is `call(module, ...)`, without keyword arguments and with one output tensor."""

    def __init__(self, module: nn.Module, call: Callable[..., torch.Tensor]):
        super().__init__()
        self.module, self.call = module, call

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.call(self.module, *inputs)


def _export(path: Path, module: nn.Module, inputs: dict[str, torch.Tensor], output: str, axes: dict[str, dict[int, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=axes,
            dynamo=False,
            opset_version=OPSET,
        )


def write_onnx(parts: Parts, folder: Path) -> None:
    """Write unet, vae_encoder, vae_decoder and text_encoder below a diffusers folder.

    Latents of encoder and decoder have unit deviation: multiply and divide by the VAE's
    scaling_factor, as diffusers does. timestep is int64, one per row.
    """
    unet = _Call(parts.unet, lambda m, x, t, c: m(x, t, c, return_dict=False)[0])
    _export(
        folder / "unet/model.onnx",
        unet,
        {
            "sample": torch.randn(2, LATENT_CHANNELS, 64, 64),
            "timestep": torch.tensor([500, 300]),
            "encoder_hidden_states": torch.randn(2, LENGTH, WIDTH),
        },
        "out_sample",
        {
            "sample": _PICTURE_AXES,
            "timestep": {0: "batch"},
            "encoder_hidden_states": {0: "batch", 1: "tokens"},
            "out_sample": _PICTURE_AXES,
        },
    )
    store_as_float16(folder / "unet/model.onnx", folder / "unet/diffusion_pytorch_model.safetensors")
    coder_axes = {"sample": _PICTURE_AXES, "latent_sample": _PICTURE_AXES}
    _export(
        folder / "vae_encoder/model.onnx", MergedEncoder(parts.vae), {"sample": torch.randn(1, 3, 256, 256)}, "latent_sample", coder_axes
    )
    _export(
        folder / "vae_decoder/model.onnx",
        MergedDecoder(parts.vae),
        {"latent_sample": torch.randn(1, LATENT_CHANNELS, 64, 64)},
        "sample",
        coder_axes,
    )
    for name in ("vae_encoder", "vae_decoder"):
        store_as_float16(folder / name / "model.onnx", None)
    write_text_onnx(parts.text_encoder, folder)


def write_text_onnx(encoder: CLIPTextModel, folder: Path) -> None:
    """Write text_encoder/model.onnx, beside its weights, below a diffusers folder."""
    text = _Call(encoder, lambda m, ids: m(ids)[0])
    tokens = torch.ones(2, LENGTH, dtype=torch.long)
    _export(
        folder / "text_encoder/model.onnx",
        text,
        {"input_ids": tokens},
        "last_hidden_state",
        {"input_ids": {0: "batch"}, "last_hidden_state": {0: "batch"}},
    )
    store_as_float16(folder / "text_encoder/model.onnx", folder / "text_encoder/model.safetensors")
