"""The autoencoder's halves for export, with adjacent convolutions merged.

The encoder begins with two convolutions in a row (the second with stride 2) and the decoder ends with an upsampling
and two convolutions in a row. Each pair is one linear map, so one convolution does the same with far fewer products.
They differ only where the zero padding between the two matters: the few rows and columns at the borders are computed
by the pair itself, so that the result is equal everywhere.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn
from torch.nn import functional as F


class MergedEncoder(nn.Module):
    """Images [N, 3, H, W] in -1..1 -> latents, as `AutoencoderTiny.encoder`."""

    def __init__(self, model: AutoencoderTiny) -> None:
        super().__init__()
        layers = list(model.encoder.layers)
        first, second = layers[:2]
        _expect(first, nn.Conv2d, (1, 1))
        _expect(second, nn.Conv2d, (2, 2))
        kernel = _compose(first.weight, second.weight)
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 5, stride=2)
        conv.weight.data = kernel
        conv.bias.data = second.weight.sum((2, 3)) @ first.bias
        if second.bias is not None:
            conv.bias.data += second.bias
        self.pair = nn.Sequential(first, second)
        # Without padding at the top and the left, it starts at the second row and column.
        self.merged = nn.Sequential(nn.ZeroPad2d((0, 2, 0, 2)), conv)
        self.rest = nn.Sequential(*layers[2:])

    def forward(self, images: Tensor) -> Tensor:
        x = (images + 1) / 2
        top = self.pair(x[:, :, :3])[:, :, :1, 1:]
        left = self.pair(x[:, :, :, :3])[:, :, :, :1]
        below = torch.cat([top, self.merged(x)], 2)
        return self.rest(torch.cat([left, below], 3))


class MergedDecoder(nn.Module):
    """Latents -> images [N, 3, H, W] in about -1..1, as `AutoencoderTiny.decoder`."""

    def __init__(self, model: AutoencoderTiny) -> None:
        super().__init__()
        layers = list(model.decoder.layers)
        upsample, first, second = layers[-3:]
        _expect(upsample, nn.Upsample, None)
        _expect(first, nn.Conv2d, (1, 1))
        _expect(second, nn.Conv2d, (1, 1))
        if first.bias is not None:
            raise ValueError("the second to last convolution has a bias: the merged one would differ at the borders")
        kernel = _compose(first.weight, second.weight)
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0] * 4, 3, padding=1)
        conv.weight.data = _before_doubling(kernel)
        conv.bias.data = second.bias.data.repeat_interleave(4)
        self.rest = nn.Sequential(*layers[:-3])
        self.merged = nn.Sequential(conv, nn.PixelShuffle(2))
        self.pair = nn.Sequential(upsample, first, second)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.rest(torch.tanh(latents / 3) * 3)
        top, bottom = self.pair(x[:, :, :2])[:, :, :1], self.pair(x[:, :, -2:])[:, :, -1:]
        left, right = self.pair(x[:, :, :, :2])[:, :, :, :1], self.pair(x[:, :, :, -2:])[:, :, :, -1:]
        y = torch.cat([top, self.merged(x)[:, :, 1:-1], bottom], 2)
        return torch.cat([left, y[:, :, :, 1:-1], right], 3) * 2 - 1


def _expect(layer: nn.Module, kind: type[nn.Module], stride: tuple[int, int] | None) -> None:
    if not isinstance(layer, kind) or (stride and (layer.stride != stride or layer.kernel_size != (3, 3))):
        raise ValueError(f"{layer} instead of {kind.__name__} {stride or ''}: this autoencoder cannot be merged")


def _compose(first: Tensor, second: Tensor) -> Tensor:
    """Merge kernels [M, I, 3, 3] and then [O, M, 3, 3] into one [O, I, 5, 5]."""
    return F.conv2d(first.permute(1, 0, 2, 3), second.flip(2, 3), padding=2).permute(1, 0, 2, 3).contiguous()


def _before_doubling(kernel: Tensor) -> Tensor:
    """
    Convert a 5x5 kernel [O, I, 5, 5] over an image doubled by repetition to a 3x3 one [O * 4, I, 3, 3] over the image
    itself, followed by PixelShuffle(2): taps on the same pixel are added.
    """
    outputs, inputs = kernel.shape[:2]
    result = kernel.new_zeros(outputs, 2, 2, inputs, 3, 3)
    for row in range(2):
        for column in range(2):
            for y in range(5):
                for x in range(5):
                    result[:, row, column, :, (row + y) // 2, (column + x) // 2] += kernel[:, :, y, x]
    return result.reshape(outputs * 4, inputs, 3, 3)
