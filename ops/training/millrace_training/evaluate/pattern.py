"""Measures of a look's pattern: whether it repeats in flat areas, and whether it moves with the picture."""

from __future__ import annotations

import cv2
import numpy as np

_BAND = 4.0  # pixels: a pattern is what a blur of this width removes
_NEAR = 32  # pixels: the length of the longest mark, within which a pattern is alike by nature
_FLAT = 0.012  # of 1: contrast of the input below which an area is flat


def band(picture: np.ndarray) -> np.ndarray:
    """Return the fine part of a picture's brightness [H, W] in 0..1."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return gray - cv2.GaussianBlur(gray, (0, 0), _BAND)


def period(patch: np.ndarray) -> float:
    """Return the largest autocorrelation of a flat patch's pattern beyond one mark, in a picture [H, W, 3]: 1 for a lattice."""
    plane = band(patch)
    plane = plane - plane.mean()
    size = (2 * plane.shape[0], 2 * plane.shape[1])
    power = np.fft.irfft2(np.abs(np.fft.rfft2(plane, size)) ** 2, size)
    weight = np.fft.irfft2(np.abs(np.fft.rfft2(np.ones_like(plane), size)) ** 2, size)
    alike = np.fft.fftshift(power / np.maximum(weight, 1) / max(float(power[0, 0] / weight[0, 0]), 1e-9))
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    down, right = np.abs(rows - size[0] // 2), np.abs(columns - size[1] // 2)
    near_half = (down < plane.shape[0] // 2) & (right < plane.shape[1] // 2)  # further shifts compare too few places
    return float(alike[near_half & (np.hypot(down, right) > _NEAR)].max())


def flatness(picture: np.ndarray) -> np.ndarray:
    """Return where an input is flat, bool [H, W]."""
    return cv2.GaussianBlur(np.abs(band(picture)), (0, 0), 3) < _FLAT


def sticks(before: np.ndarray, after: np.ndarray, right: int, down: int, where: np.ndarray) -> tuple[float, float]:
    """Return how alike the patterns of two outputs are, if the first moves by so many pixels, and if it stands; -1..1 each.

    where [H, W]: places of the second output that count.
    """
    first, second = band(before), band(after)
    moved = np.roll(first, (down, right), (0, 1))
    height, width = where.shape
    inside = where.copy()
    inside[: max(down, 0)] = inside[height + min(down, 0) :] = False
    inside[:, : max(right, 0)] = inside[:, width + min(right, 0) :] = False

    def alike(one: np.ndarray) -> float:
        return float(np.corrcoef(one[inside], second[inside])[0, 1])

    return alike(moved), alike(first)


def agreement(moving: float, standing: float) -> float:
    """Return the share of a pattern that moves with the picture, 0..1."""
    with_it, still = max(moving, 0.0), max(standing, 0.0)
    return with_it / (with_it + still) if with_it + still > 1e-6 else 0.5


def flat_picture(size: int) -> np.ndarray:
    """Return a sky of nearly one colour with a camera's grain, [size, size, 3]: nothing of its own that a pattern could follow."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    light = 5 * np.hypot(rows - 0.3, columns - 0.6)[..., None]
    colour = np.array([126, 158, 196], np.float32) + light
    return np.clip(colour + rng.normal(0, 1.0, (size, size, 3)), 0, 255).astype(np.uint8)
