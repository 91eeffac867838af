"""The noise levels of Stable Diffusion."""

from __future__ import annotations

import torch

TRAIN_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012
ORIGINAL_STEPS = 50  # LCM's grid: t_index i of StreamDiffusion is time 999 - 20 i
DEFAULT_INDEX = 25  # t_index of the first step at the default strength, 0.5

# LCM's boundary condition (arXiv 2310.04378, section 4): how much of its input a step keeps. With diffusers' default
# of 10 it keeps nothing at any timestep in use; with this, it keeps 0.20 at t_index 25, 0.48 at 37 and 0.86 at 45, and
# corrects the rest.
TIMESTEP_SCALING, SIGMA_DATA = 0.002, 0.5


def alphas_cumprod() -> torch.Tensor:
    """Return float32 [1000]: the remaining share of the signal's power at each timestep."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAIN_STEPS) ** 2
    return torch.cumprod(1 - betas, 0)


def boundary(time: torch.Tensor, scaling: float = TIMESTEP_SCALING) -> tuple[torch.Tensor, torch.Tensor]:
    """Return LCM's c_skip and c_out, each [N, 1, 1, 1], at times [N]."""
    scaled = time.view(-1, 1, 1, 1).float() * scaling
    spread = scaled.square() + SIGMA_DATA**2
    return SIGMA_DATA**2 / spread, scaled / spread.sqrt()


def even_steps(start: int, count: int) -> list[int]:
    """Return the t_index of `count` steps from `start` to the end, spread as in the server."""
    return [start + i * (ORIGINAL_STEPS - start) // count for i in range(count)]


def time_of_index(t_index: int) -> int:
    """Convert StreamDiffusion's t_index (0..49, larger is less noise) to a timestep in 0..999."""
    return TRAIN_STEPS - 1 - t_index * (TRAIN_STEPS // ORIGINAL_STEPS)
