"""The diffusion's noise levels, as Stable Diffusion has them."""

from __future__ import annotations

import torch

TRAIN_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012
ORIGINAL_STEPS = 50  # LCM's grid: t_index i of StreamDiffusion is time 999 - 20 i


def alphas_cumprod() -> torch.Tensor:
    """float32 [1000]: the share of the signal's power left at each time."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAIN_STEPS) ** 2
    return torch.cumprod(1 - betas, 0)


def time_of_index(t_index: int) -> int:
    """StreamDiffusion's t_index (0..49, larger is less noise) as a time in 0..999."""
    return TRAIN_STEPS - 1 - t_index * (TRAIN_STEPS // ORIGINAL_STEPS)
