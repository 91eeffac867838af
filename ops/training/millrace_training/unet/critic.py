"""A critic of latents: does an output look like the prompt's filter of this photo?

The other losses compare place by place: where strokes or bands cannot be predicted, they
lead to their mean, which is a blur. The critic only rates whether a place could be real, so
a step can decide for one of the possible strokes (pix2pix's adversarial loss, arXiv
1611.07004, with a projected condition, arXiv 1802.05637).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..adversary import opinions
from ..autoencoder.model import LATENT_CHANNELS
from ..text.model import WIDTH as TEXT_WIDTH

_WIDTH = 96
_FINE = 4.0  # scales up the fine part, which outputs lack and which is small


class LatentCritic(nn.Module):
    """Photo and output [N, 4, h, w] of unit deviation, prompts [N, T, 96] -> a map [N, 1, h/2, w/2], larger where it looks real."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3 * LATENT_CHANNELS, 64, 3, 1, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, _WIDTH, 4, 2, 1),
        )
        self.style = nn.Linear(TEXT_WIDTH, 2 * _WIDTH)
        self.judge = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1), nn.LeakyReLU(0.2))
        self.real = nn.Conv2d(_WIDTH, 1, 1)
        self.likely = nn.Linear(TEXT_WIDTH, _WIDTH)

    def forward(self, photo: torch.Tensor, embedding: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
        prompt = embedding.mean(1)
        scale, shift = self.style(prompt)[..., None, None].chunk(2, 1)
        fine = _FINE * (answer - F.avg_pool2d(answer, 3, 1, 1))
        features = self.judge(self.see(torch.cat([photo, answer, fine], 1)) * (1 + scale) + shift)
        agreement = (features * self.likely(prompt)[..., None, None]).mean(1, keepdim=True)
        return (self.real(features) + agreement).float()


def critic_loss(
    critic: LatentCritic, photo: torch.Tensor, made: torch.Tensor, wanted: torch.Tensor, embedding: torch.Tensor, counts: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the critic's hinge loss, and the loss of outputs that do not look real; rows where `counts` [N] is 0 are ignored."""
    weight = (counts.float() / counts.float().sum().clamp_min(1)).view(-1, 1, 1, 1)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (weight * values.mean((2, 3), keepdim=True)).sum()

    on_true, on_made, opinion = opinions(critic, (photo, embedding), made, wanted)
    return mean(on_true) + mean(on_made), -mean(opinion)
