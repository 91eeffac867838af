"""Finds convolutions of the U-Net that can be computed in 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from .onnx_model import Feed

Range = tuple[float, float]


def _in_8_bits(x: Tensor, limits: Range) -> Tensor:
    """Round to 256 values in a range that includes zero, like uint8 activations."""
    low, high = min(limits[0], 0.0), max(limits[1], 0.0)
    step = max(high - low, 1e-6) / 255
    zero = round(-low / step)
    return (torch.clamp(torch.round(x / step) + zero, 0, 255) - zero) * step


def _weights_in_8_bits(weight: Tensor) -> Tensor:
    """Round symmetrically, with a scale for each output channel."""
    step = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12) / 127
    return torch.round(weight / step) * step


@torch.no_grad()
def convolutions_for_int8(unet: UNet2DConditionModel, rows: list[Feed], least_decibels: float) -> list[str]:
    """Return the convolutions whose total error in 8 bits stays `least_decibels` below the U-Net's outputs.

    Each is tested alone on a third of the rows, with ranges from all, as in the calibration;
    errors of several are added as powers. Those with the smallest errors are taken first.
    """
    seen, tried = _batch(rows), _batch(rows[::3])
    convolutions = {name: module for name, module in unet.named_modules() if isinstance(module, nn.Conv2d)}
    ranges: dict[str, tuple[Range, Range]] = {}
    with ExitStack() as hooks:
        for name, module in convolutions.items():
            hooks.callback(module.register_forward_hook(partial(_note_ranges, ranges, name)).remove)
        unet(*seen, return_dict=False)
    wanted = unet(*tried, return_dict=False)[0]

    def error_of(name: str) -> float:
        module = convolutions[name]
        taken, given = ranges[name]
        weight = module.weight.data
        module.weight.data = _weights_in_8_bits(weight)
        before = module.register_forward_pre_hook(lambda _, inputs: (_in_8_bits(inputs[0], taken),))
        after = module.register_forward_hook(lambda _, __, output: _in_8_bits(output, given))
        answer = unet(*tried, return_dict=False)[0]
        before.remove()
        after.remove()
        module.weight.data = weight
        return float((answer - wanted).square().mean() / wanted.var())

    return _within(10 ** (-least_decibels / 10), convolutions, error_of)


def _within(budget: float, names: Iterable[str], error_of: Callable[[str], float]) -> list[str]:
    """Return as many names as a sum of errors allows."""
    errors = {name: error_of(name) for name in names}
    ordered = sorted(errors, key=lambda name: errors[name])
    sums = np.cumsum([errors[name] for name in ordered])
    return ordered[: int((sums <= budget).sum())]


def _batch(rows: list[Feed]) -> tuple[Tensor, Tensor, Tensor]:
    sample, times, text = (
        torch.from_numpy(np.concatenate([row[key] for row in rows])) for key in ("sample", "timestep", "encoder_hidden_states")
    )
    return sample, times, text


def _note_ranges(ranges: dict[str, tuple[Range, Range]], name: str, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    taken = inputs[0]
    ranges[name] = (float(taken.min()), float(taken.max())), (float(output.min()), float(output.max()))
