"""The shape of the U-Net, and starting from one that was trained with another latent scale."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from ..autoencoder.model import LATENT_CHANNELS
from ..loop import read_average
from ..text.model import WIDTH as TEXT_WIDTH

CHANNELS = (48, 64, 96, 128)  # multiples of 16: other widths are slow in ONNX Runtime

# Latents of unit deviation are multiplied by this before noise is added. The video has to
# pass through the noise: at a given timestep, larger latents preserve more of the picture,
# and one step is sharp.
LATENT_SCALE = 32.0


def new_unet() -> UNet2DConditionModel:
    """Return an untrained U-Net. Prompts act through cross-attention at the lowest resolution and through the time embedding."""
    unet = UNet2DConditionModel(
        sample_size=64,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=CHANNELS,
        layers_per_block=(3, 1, 1, 1),  # lines and edges are drawn at full size, where depth helps most
        down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=tuple(max(1, c // 32) for c in CHANNELS),
        norm_num_groups=8,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    nn.init.normal_(unet.conv_out.weight, 0, 0.6)  # the output's deviation is LATENT_SCALE from the start
    nn.init.zeros_(unet.conv_out.bias)
    return unet


def trained_unet(checkpoint: Path) -> UNet2DConditionModel:
    """Return a U-Net with the averaged weights of a checkpoint of stage `unet`."""
    unet = new_unet()
    average = read_average(checkpoint)
    unet.load_state_dict({name.removeprefix("unet."): weight for name, weight in average.items() if name.startswith("unet.")})
    return unet


@torch.no_grad()
def load_unet(model: Path) -> UNet2DConditionModel:
    """Load a U-Net from a model's diffusers folder, with the first and last convolution adapted to LATENT_SCALE."""
    unet = UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32)
    ratio = LATENT_SCALE / json.loads((model / "vae/config.json").read_text())["scaling_factor"]
    unet.conv_in.weight.div_(ratio)
    unet.conv_out.weight.mul_(ratio)
    unet.conv_out.bias.mul_(ratio)
    return unet
