"""Linear convolution pairs of the autoencoder merged into one convolution.

AutoencoderTiny begins and ends with two convolutions that have no activation between
them. Their product is one convolution: at full resolution, where a convolution costs
most, that halves the decoder's time. The product sees past the picture's edge where the
pair sees the zeros of the inner padding, so the outermost two pixels differ a little.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from torch import nn


def _compose(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Kernels [m, i, 3, 3] then [o, m, 3, 3] as one [o, i, 5, 5]."""
    return F.conv2d(first.permute(1, 0, 2, 3), second.flip(2, 3), padding=2).permute(1, 0, 2, 3)


def _bias_through(bias: torch.Tensor | None, second: nn.Conv2d) -> torch.Tensor:
    """The first convolution's bias, and the second's own, at the output [o]."""
    total = torch.zeros(second.out_channels) if second.bias is None else second.bias.clone()
    return total if bias is None else total + second.weight.sum((2, 3)) @ bias


class MergedEncoder(nn.Module):
    """Pictures in -1..1 -> latents, like AutoencoderTiny's encoder."""

    def __init__(self, vae: AutoencoderTiny):
        super().__init__()
        first, second, *rest = vae.encoder.layers
        kernel = _compose(first.weight, second.weight)
        merged = nn.Conv2d(kernel.shape[1], kernel.shape[0], 5, stride=2, padding=2)
        merged.weight = nn.Parameter(kernel)
        merged.bias = nn.Parameter(_bias_through(first.bias, second))
        self.layers = nn.Sequential(merged, *rest)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.layers((pictures + 1) / 2)


class MergedDecoder(nn.Module):
    """Latents -> pictures in -1..1: upsampling and both last convolutions as one 3x3 and a pixel shuffle."""

    def __init__(self, vae: AutoencoderTiny):
        super().__init__()
        *rest, upsample, first, second = vae.decoder.layers
        if not isinstance(upsample, nn.Upsample):
            raise TypeError("the decoder does not end with upsampling and two convolutions")
        self.layers = nn.Sequential(
            *rest, _upsampled(_compose(first.weight, second.weight), _bias_through(first.bias, second)), nn.PixelShuffle(2)
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.tanh(latents / 3) * 3) * 2 - 1


def _upsampled(kernel: torch.Tensor, bias: torch.Tensor) -> nn.Conv2d:
    """A 5x5 kernel [o, i] after nearest upsampling by 2, as a 3x3 for each of the four sub-pixels."""
    out_channels, in_channels = kernel.shape[:2]
    phases = torch.zeros(out_channels, 2, 2, in_channels, 3, 3)
    for row in range(2):
        for column in range(2):
            for y in range(5):
                for x in range(5):
                    # Offset y - 2 on the fine grid falls into this neighbour on the coarse one.
                    coarse_y, coarse_x = (row + y - 2) // 2 + 1, (column + x - 2) // 2 + 1
                    phases[:, row, column, :, coarse_y, coarse_x] += kernel[:, :, y, x]
    merged = nn.Conv2d(in_channels, out_channels * 4, 3, padding=1)
    merged.weight = nn.Parameter(phases.reshape(out_channels * 4, in_channels, 3, 3))
    merged.bias = nn.Parameter(bias.repeat_interleave(4))
    return merged
