"""What the critics of pictures and of latents share: the hinge loss, and that they and what they judge learn apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call


def opinions(
    critic: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor, true: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Maps [N, 1, h, w] of critic(*given, answer): the critic's own hinge loss on true and on made answers, and how true `made` looks.

    The first two train the critic alone, the last trains what made the answer alone.
    """
    on_true, on_made = critic(*given, true), critic(*given, made.detach())
    frozen = {name: parameter.detach() for name, parameter in critic.named_parameters()}
    return F.relu(1 - on_true), F.relu(1 + on_made), functional_call(critic, frozen, (*given, made))
