"""Runs the U-Net like StreamDiffusion: LCM steps over a list of t_index."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel

from ..autoencoder.model import decode, encode
from .model import LATENT_SCALE
from .schedule import TIMESTEP_SCALING, alphas_cumprod, boundary, time_of_index

_ALPHAS = alphas_cumprod()


def add_noise(latent: torch.Tensor, noise: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """Add noise to scaled latents [N, 4, h, w], for times [N]."""
    alpha = _ALPHAS.to(latent.device)[time].view(-1, 1, 1, 1)
    return alpha.sqrt() * latent + (1 - alpha).sqrt() * noise


def cleaned(predicted: torch.Tensor, noisy: torch.Tensor, time: torch.Tensor, scaling: float = TIMESTEP_SCALING) -> torch.Tensor:
    """Return the latent after a step, from the U-Net's output and its input [N, 4, h, w] at times [N]."""
    skip, out = boundary(time, scaling)
    return out * predicted + skip * noisy


def step(unet: UNet2DConditionModel, noisy: torch.Tensor, time: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
    """Run one step on scaled noisy latents [N, 4, h, w] at times [N]. Returns scaled latents."""
    answer = unet(noisy, time, embedding, return_dict=False)[0]
    return cleaned(answer.float(), noisy, time)


@torch.no_grad()
def stylise(
    unet: UNet2DConditionModel,
    vae: AutoencoderTiny,
    pictures: torch.Tensor,
    embedding: torch.Tensor,
    indices: Sequence[int],
    scale: float = LATENT_SCALE,
    seed: int = 0,
    negative: torch.Tensor | None = None,
    guidance: float = 1.0,
    timestep_scaling: float = TIMESTEP_SCALING,
    first_noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """Pictures [N, 3, H, W] in -1..1 and embeddings [N, 77, 96] -> stylised pictures.

    Every picture gets the same noise, like the frames of a stream; `first_noise` [N, 4, h, w]
    replaces that of the first step. With `negative`
    embeddings [N, 77, 96] the prediction is pushed away from theirs by `guidance`.
    """
    latent = encode(vae, pictures) * scale
    generator = torch.Generator("cpu").manual_seed(seed)
    for position, index in enumerate(indices):
        time = time_of_index(index)
        noise = torch.randn((1, *latent.shape[1:]), generator=generator).to(latent.device)
        if first_noise is not None and position == 0:
            noise = first_noise.to(latent.device)
        noisy = add_noise(latent, noise.expand_as(latent), torch.tensor([time])).contiguous(memory_format=torch.channels_last)
        times = torch.full((len(latent),), time, device=latent.device)
        predicted = unet(noisy, times, embedding, return_dict=False)[0].float()
        if negative is not None:
            away = unet(noisy, times, negative, return_dict=False)[0].float()
            predicted = away + guidance * (predicted - away)
        latent = cleaned(predicted, noisy, times, timestep_scaling)
    return decode(vae, latent / scale)
