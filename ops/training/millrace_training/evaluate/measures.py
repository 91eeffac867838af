"""Measures on uint8 pictures [N, H, W, 3]."""

from __future__ import annotations

import cv2
import numpy as np

from ..pictures import texture_loss, to_tensor

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the structural similarity of each pair [N], on brightness with an 11-pixel Gaussian window."""

    def smooth(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    values = []
    for first, second in zip(a, b):
        x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (first, second))
        mean_x, mean_y = smooth(x), smooth(y)
        var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
        covariance = smooth(x * y) - mean_x * mean_y
        index = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2) / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2))
        values.append(float(index.mean()))
    return np.array(values)


def gradient_energy(images: np.ndarray) -> float:
    """Return the mean squared difference of neighbouring pixels, a measure of sharpness."""
    pictures = images.astype(np.float32)
    return float((np.diff(pictures, axis=1) ** 2).mean() + (np.diff(pictures, axis=2) ** 2).mean())


def texture_error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean difference of contrast in 8 x 8 patches, of 255: missing or extra strokes, wherever they are."""
    return float(texture_loss(to_tensor(a), to_tensor(b))) * 127.5


def change(frames: np.ndarray) -> float:
    """Return the mean absolute difference between consecutive frames, of 255."""
    return float(np.abs(np.diff(frames.astype(np.int16), axis=0)).mean())


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean absolute difference, of 255."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())
