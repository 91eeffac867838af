"""Small random models of common architectures, as diffusers folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DiffusionPipeline,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

_TOKENIZER = Path(__file__).parents[2] / "models/millrace-styles/tokenizer"
_VOCABULARY = 2048
_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
_DOWN, _CROSS_DOWN = "DownBlock2D", "CrossAttnDownBlock2D"
_UP, _CROSS_UP = "UpBlock2D", "CrossAttnUpBlock2D"


@torch.no_grad()
def fill(network: nn.Module, seed: int) -> nn.Module:
    """Set weights that preserve the scale of activations, so that every input affects the output."""
    random = torch.Generator().manual_seed(seed)
    for name, weight in network.named_parameters():
        if weight.ndim >= 2:
            weight.normal_(0, weight[0].numel() ** -0.5, generator=random)
        elif "norm" in name and name.endswith("weight"):
            weight.normal_(1, 0.1, generator=random)
        else:
            weight.normal_(0, 0.05, generator=random)
    return network.eval()


def _unet(**config: Any) -> UNet2DConditionModel:
    common: dict[str, Any] = {
        "sample_size": 16,
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "block_out_channels": (16, 32, 32, 32),
    }
    blocks = {"down_block_types": (_CROSS_DOWN,) * 3 + (_DOWN,), "up_block_types": (_UP,) + (_CROSS_UP,) * 3}
    return fill(UNet2DConditionModel(**(common | blocks | config)), 1)


def _vae(**config: Any) -> AutoencoderKL:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return fill(
        AutoencoderKL(
            **blocks,
            block_out_channels=(8, 16, 16, 16),
            norm_num_groups=4,
            latent_channels=4,
            sample_size=128,
            **config,
        ),
        2,
    )


def tiny_vae(folder: Path, latent_channels: int = 4) -> AutoencoderTiny:
    """Save a TAESD with few channels."""
    widths = (8, 8, 8, 8)
    vae = AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
        latent_channels=latent_channels,
    )
    fill(vae, 3).save_pretrained(folder)
    return vae


def small_text_encoder(width: int, activation: str = "gelu", projects: bool = False) -> nn.Module:
    config = CLIPTextConfig(
        vocab_size=_VOCABULARY,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_act=activation,
        projection_dim=width,
        bos_token_id=_VOCABULARY - 2,
        eos_token_id=_VOCABULARY - 1,
    )
    return fill(CLIPTextModelWithProjection(config) if projects else CLIPTextModel(config), width)


def small_tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(_TOKENIZER)


def _sd(unet: UNet2DConditionModel, scheduler: Any, activation: str = "gelu", **vae: Any) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=_vae(**vae),
        unet=unet,
        text_encoder=small_text_encoder(unet.config.cross_attention_dim, activation),
        tokenizer=small_tokenizer(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sd_15() -> DiffusionPipeline:
    return _sd(
        _unet(cross_attention_dim=24, attention_head_dim=2), PNDMScheduler(**_BETAS, skip_prk_steps=True), "quick_gelu"
    )


def _sd_21() -> DiffusionPipeline:
    unet = _unet(
        cross_attention_dim=32, attention_head_dim=(1, 2, 2, 2), use_linear_projection=True, upcast_attention=True
    )
    return _sd(unet, DDIMScheduler(**_BETAS, prediction_type="v_prediction", clip_sample=False))


def _sd_turbo() -> DiffusionPipeline:
    unet = _unet(cross_attention_dim=32, attention_head_dim=(1, 2, 2, 2), use_linear_projection=True)
    return _sd(unet, EulerDiscreteScheduler(**_BETAS, timestep_spacing="trailing"))


def _lcm() -> DiffusionPipeline:
    return _sd(
        _unet(cross_attention_dim=24, attention_head_dim=2, time_cond_proj_dim=20), LCMScheduler(**_BETAS), "quick_gelu"
    )


def _sdxl_turbo() -> DiffusionPipeline:
    first, second = small_text_encoder(24, "quick_gelu"), small_text_encoder(32, "gelu", projects=True)
    unet = _unet(
        block_out_channels=(16, 32, 32),
        down_block_types=(_DOWN, _CROSS_DOWN, _CROSS_DOWN),
        up_block_types=(_CROSS_UP, _CROSS_UP, _UP),
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(1, 2, 2),
        use_linear_projection=True,
        cross_attention_dim=24 + 32,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8,
    )
    return StableDiffusionXLPipeline(
        vae=_vae(force_upcast=True, scaling_factor=0.13025),
        unet=unet,
        text_encoder=first,
        text_encoder_2=second,
        tokenizer=small_tokenizer(),
        tokenizer_2=small_tokenizer(),
        scheduler=EulerAncestralDiscreteScheduler(**_BETAS, timestep_spacing="trailing"),
    )


ARCHITECTURES = {"sd-1.5": _sd_15, "sd-2.1": _sd_21, "sd-turbo": _sd_turbo, "lcm": _lcm, "sdxl-turbo": _sdxl_turbo}


def save_model(architecture: str, folder: Path) -> Path:
    """Build and save a model. Returns its folder."""
    ARCHITECTURES[architecture]().save_pretrained(folder)
    return folder
