"""The shape of the autoencoder, and loading one from a diffusers folder."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderTiny

CHANNELS = 32  # a multiple of 16: other widths are slow in ONNX Runtime
LATENT_CHANNELS = 4
FACTOR = 4  # pixels per latent and side


def new_autoencoder() -> AutoencoderTiny:
    """Return an untrained model of diffusers' class; the decoder does most of the work."""
    return AutoencoderTiny(
        encoder_block_out_channels=(CHANNELS,) * 3,
        decoder_block_out_channels=(CHANNELS,) * 3,
        num_encoder_blocks=(0, 1, 2),
        num_decoder_blocks=(3, 1, 0),
        act_fn="relu",
        latent_channels=LATENT_CHANNELS,
        upsampling_scaling_factor=2,
        scaling_factor=1.0,
    )


def load_autoencoder(folder: Path, device: torch.device | str = "cpu") -> AutoencoderTiny:
    """Load an autoencoder from a diffusers folder, as float32 in channels-last."""
    model = AutoencoderTiny.from_pretrained(folder, torch_dtype=torch.float32)
    return model.to(device, memory_format=torch.channels_last)


def encode(model: AutoencoderTiny, images: torch.Tensor) -> torch.Tensor:
    """[N, 3, H, W] in -1..1 -> latents [N, 4, H/4, W/4] of unit deviation."""
    return model.encoder(images)


def decode(model: AutoencoderTiny, latents: torch.Tensor) -> torch.Tensor:
    """Latents of unit deviation -> [N, 3, H, W] in about -1..1."""
    return model.decoder(latents)
