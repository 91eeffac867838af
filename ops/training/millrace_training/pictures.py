"""Pictures as tensors, and distances between them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] in -1..1, channels last."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return tensor.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def to_images(tensor: torch.Tensor) -> np.ndarray:
    """float [N, 3, H, W] in -1..1 -> uint8 [N, H, W, 3]."""
    scaled = tensor.float().clamp(-1, 1).add(1).mul(127.5).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB of each pair of uint8 pictures [N, H, W, 3]."""
    error = ((a.astype(np.float32) - b.astype(np.float32)) ** 2).mean((1, 2, 3))
    return 10 * np.log10(255.0**2 / np.maximum(error, 1e-3))


def gradients(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return horizontal and vertical differences of neighbours in [..., H, W]."""
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def texture_loss(a: torch.Tensor, b: torch.Tensor, weight: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Return the mean absolute difference of contrast in 8 x 8 patches of [N, C, H, W], rows weighted by [N, 1, 1, 1].

    It requires the same amount of fine texture, not the same texture: where strokes cannot
    be predicted, the other losses alone would lead to their mean, a blur.
    """

    def contrast(x: torch.Tensor) -> torch.Tensor:
        across, down = gradients(x)
        energy = across[..., 1:, :].square() + down[..., :, 1:].square()
        return (F.avg_pool2d(energy, 8, 4) + 1e-4).sqrt()

    return (weight * (contrast(a) - contrast(b)).abs()).mean()


def gradient_loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of the gradients, which keeps edges sharp."""
    return sum((x - y).abs().mean() for x, y in zip(gradients(a), gradients(b)))
