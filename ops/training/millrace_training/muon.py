"""Muon: momentum with an orthogonalised update, for weight matrices.

Five Newton-Schulz iterations bring the singular values of the momentum near 1, so all
directions of a matrix learn at the same rate. Matrices of the same shape are processed in
one batch. Convolution kernels [out, in, h, w] are treated as matrices [out, in*h*w].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch

from .precision import product_type

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrices: torch.Tensor) -> torch.Tensor:
    """Return nearly orthogonal matrices with the same singular vectors; [n, rows, columns]."""
    x = (matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-12)).to(product_type(matrices.device))
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT.contiguous()
    for _ in range(5):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """lr: size of the update, relative to AdamW's convention (0.2 * sqrt(larger side))."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.02):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[torch.nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[(parameter.shape[0], parameter.numel() // parameter.shape[0])].append(parameter)
            for shape, parameters in by_shape.items():
                self._step_shape(shape, parameters, group)

    def _step_shape(self, shape: tuple[int, int], parameters: list[torch.nn.Parameter], group: dict) -> None:
        momentum = group["momentum"]
        directions = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros(shape, device=parameter.device)
            gradient = parameter.grad.reshape(shape)
            state["momentum"].lerp_(gradient, 1 - momentum)
            directions.append(gradient.lerp(state["momentum"], momentum))
        scale = 0.2 * max(shape) ** 0.5 * group["lr"]
        for parameter, update in zip(parameters, orthogonalise(torch.stack(directions))):
            parameter.mul_(1 - group["weight_decay"] * group["lr"])
            parameter.add_(update.reshape(parameter.shape), alpha=-scale)
