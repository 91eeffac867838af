"""The U-Net's training objective: inputs, timesteps and target pictures.

Live video enters as a latent of the photo with noise; the output is the stylised latent
(x0 prediction). Three rules make all uses of the model consistent:

* A photo at t_index 28 and below (t >= 439) becomes the full style. At lower timesteps, the
  share of the style falls with t: low strength keeps the photo.
* Nearly all inputs at lower timesteps are the network's own outputs after one to three
  earlier, noisier steps, at the timesteps that the server uses for a strength and a number
  of steps. So a later step treats its input as already styled and does not style it twice:
  it sharpens what earlier steps left blurred, and finishes the picture (`styles/finish.py`).
* The target of a mixture of two prompt embeddings is the mixture of their pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..pictures import gradient_loss, texture_loss
from .schedule import even_steps, time_of_index

FULL_STYLE_INDEX = 28
_FULL_STYLE_TIME = time_of_index(FULL_STYLE_INDEX)  # 439
_NO_STYLE_INDEX = 48
_NO_STYLE_TIME = time_of_index(_NO_STYLE_INDEX)  # 39
EARLIER_STEPS = 3  # at most
_POLISH_FROM = 0.7  # part of the learning rate decay after which mostly later steps are trained, for their contrast
_OWN_ANSWER_SHARE, _OWN_ANSWER_SHARE_IN_POLISH = 0.3, 0.6
_LESS_STYLE_SHARE = 0.14  # of the photos are at timesteps for a part of the style
# Fully or partly styled inputs occur only at such timesteps. If they occurred at those of the full style, the network
# would not change photos that already resemble the style, such as bricks for chalk lines.
_TRUE_TARGET_SHARE = 0.03
_PARTLY_STYLED_SHARE = 0.05
# Trades decibels for contrast: without it, the gradient energy of outputs is half of the targets'. A first step stays
# close to the filter, later ones sharpen its output.
_TEXTURE_WEIGHT, _LATER_TEXTURE_WEIGHT = 5.0, 10.0
# Half of the squared error was in means of 8 x 8 pixels, a quarter to a third in those of 32 x 32.
_TONE_PATCH, _TONE_WEIGHT = 4, 2.0
_LATENT_TEXTURE_WEIGHT, _LATENT_TEXTURE_WEIGHT_IN_POLISH = 2.0, 8.0
# The texture loss asks for contrast in flat areas. The easiest that a network with strides can draw there is a raster of its own.
_RASTER, _RASTER_WEIGHT = 8, 12.0  # latents: three strides of 2


def _polishing(decay: float) -> bool:
    return decay >= _POLISH_FROM


def style_share(time: torch.Tensor) -> torch.Tensor:
    """Return the share of the style that a photo should get at a timestep, 0..1."""
    return ((time - _NO_STYLE_TIME) / (_FULL_STYLE_TIME - _NO_STYLE_TIME)).clamp(0, 1)


def draw_times(rng: np.random.Generator, late: np.ndarray) -> np.ndarray:
    """Return timesteps, int [N], mostly on StreamDiffusion's grid: for the full style, or if late [N] for less style."""
    count = len(late)
    index = np.where(rng.random(count) < 0.7, rng.integers(22, FULL_STYLE_INDEX + 1, count), rng.integers(12, FULL_STYLE_INDEX + 1, count))
    index = np.where(late, rng.integers(FULL_STYLE_INDEX + 1, _NO_STYLE_INDEX, count), index)
    return np.clip(999 - 20 * index + np.where(rng.random(count) < 0.2, rng.integers(-10, 11, count), 0), 40, None)


def draw_steps(rng: np.random.Generator) -> list[int]:
    """Return two to four t_index: mostly evenly spread from a start to the end, as in the server, or else random."""
    count = int(rng.choice([2, 3, 4], p=[0.4, 0.25, 0.35]))
    start = int(rng.integers(18, FULL_STYLE_INDEX + 1))
    if rng.random() < 0.7:
        return even_steps(start, count)
    later = rng.choice(np.arange(FULL_STYLE_INDEX + 1, _NO_STYLE_INDEX), count - 1, replace=False)
    return [start, *sorted(int(index) for index in later)]


@dataclass(frozen=True)
class Inputs:
    """The inputs of a batch; [N] each, except `earlier`."""

    time: torch.Tensor  # int64
    styled: torch.Tensor  # float: share of the true target in the input
    earlier: torch.Tensor  # int64 [N, EARLIER_STEPS]: timesteps of the network's own steps before this one, -1 for none


def draw_inputs(rng: np.random.Generator, count: int, device: torch.device, decay: float = 0.0) -> Inputs:
    """decay: see Plan.decay."""
    own_share = _OWN_ANSWER_SHARE_IN_POLISH if _polishing(decay) else _OWN_ANSWER_SHARE
    earlier = np.full((count, EARLIER_STEPS), -1)
    kind = rng.random(count)
    true_target = (kind >= own_share) & (kind < own_share + _TRUE_TARGET_SHARE)
    partly = kind >= 1 - _PARTLY_STYLED_SHARE
    styled = np.where(true_target, 1.0, np.where(partly, rng.random(count), 0.0))
    time = draw_times(rng, (styled > 0) | (rng.random(count) < _LESS_STYLE_SHARE))
    for row in np.flatnonzero(kind < own_share):
        steps = draw_steps(rng)
        position = int(np.sqrt(rng.integers(1, len(steps) ** 2)))  # later ones more often: they inherit the errors of earlier ones
        earlier[row, :position] = [time_of_index(index) for index in steps[:position]]
        time[row] = time_of_index(steps[position])

    def tensor(array: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
        return torch.as_tensor(array, dtype=dtype, device=device)

    return Inputs(tensor(time, torch.int64), tensor(styled, torch.float32), tensor(earlier, torch.int64))


def raster_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the mean square of what latents [N, C, h, w] repeat in every cell of the strides, and the wanted ones do not."""
    height, width = (side // _RASTER for side in made.shape[2:])
    cells = (made - wanted).unflatten(3, (width, _RASTER)).unflatten(2, (height, _RASTER))
    repeated = cells.mean((2, 4))
    return (repeated - repeated.mean((2, 3), keepdim=True)).square().mean()


def latent_loss(made: torch.Tensor, wanted: torch.Tensor, textured: torch.Tensor, decay: float) -> torch.Tensor:
    """Return the loss between latents of unit deviation [N, 4, h, w]: values, tones, rasters, gradients and, if textured [N], texture."""
    weight = _LATENT_TEXTURE_WEIGHT_IN_POLISH if _polishing(decay) else _LATENT_TEXTURE_WEIGHT
    texture = texture_loss(made, wanted, weight * textured.float().view(-1, 1, 1, 1))
    tones = F.mse_loss(F.avg_pool2d(made, _TONE_PATCH), F.avg_pool2d(wanted, _TONE_PATCH))
    places = F.smooth_l1_loss(made, wanted, beta=0.1) + 0.25 * gradient_loss(made, wanted)
    return places + _TONE_WEIGHT * tones + _RASTER_WEIGHT * raster_loss(made, wanted) + texture


def image_loss(made: torch.Tensor, wanted: torch.Tensor, later: torch.Tensor, has_style: torch.Tensor) -> torch.Tensor:
    """Return the loss between decoded pictures [N, 3, H, W] in -1..1: values, gradients at three scales, squares, texture.

    later [N]: whether it is a later step. has_style [N]: without a style, there is no texture loss.
    """
    weight = (torch.where(later, _LATER_TEXTURE_WEIGHT, _TEXTURE_WEIGHT) * has_style).view(-1, 1, 1, 1)
    total = (made - wanted).abs().mean() + 2 * F.mse_loss(made, wanted) + texture_loss(made, wanted, weight)
    for scale in range(3):
        total = total + 0.5 * gradient_loss(made, wanted)
        if scale < 2:
            made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
    return total
