"""The hinge loss of the critics of pictures and of latents, which are trained separately from the networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call


def opinions(
    critic: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor, true: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return maps [N, 1, h, w] of critic(*given, answer): its hinge loss on true and on generated answers, and how real `made` looks.

    The first two train only the critic, the last only the generator.
    """
    on_true, on_made = critic(*given, true), critic(*given, made.detach())
    frozen = {name: parameter.detach() for name, parameter in critic.named_parameters()}
    return F.relu(1 - on_true), F.relu(1 + on_made), functional_call(critic, frozen, (*given, made))
