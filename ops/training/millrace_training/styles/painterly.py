"""Parts of painted looks: paint in strokes, washes, ink, and light on relief."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .flow import Flow, moved
from .pixels import LUMA, blur, luma, slopes

Colour = tuple[float, float, float]


def rgb(red: float, green: float, blue: float) -> np.ndarray:
    """A colour from 0..255."""
    return np.array([red, green, blue], np.float32) / 255


def kuwahara(picture: np.ndarray, flow: Flow, long: float, short: float, sharpness: float = 500.0) -> np.ndarray:
    """Flatten a float32 picture into daubs that are stretched along the flow (anisotropic Kuwahara filter, Kyprianidis et al. 2009).

    Each pixel is the mean of six patches around it, weighted by their evenness: `long` and
    `short` are the patches' distances in pixels along and across the flow.
    """
    stretched = flow.along(blur(picture, 0.6 * short), long)
    gray = picture @ LUMA
    spread = np.maximum(blur(gray * gray, 0.8 * short) - blur(gray, 0.8 * short) ** 2, 0)
    weighed = np.concatenate([stretched, spread[..., None]], -1).astype(np.float32)
    total = np.zeros_like(picture)
    weights = np.full((*gray.shape, 1), 1e-9, np.float32)
    for turn in range(6):
        angle = turn * np.pi / 3
        forth, side = long * 0.5 * np.cos(angle), short * np.sin(angle)
        patch = moved(weighed, forth * flow.x - side * flow.y, forth * flow.y + side * flow.x)
        share = 1 / (1 + sharpness * np.maximum(patch[..., 3:], 0)) ** 4
        total += share * patch[..., :3]
        weights += share
    return total / weights


def in_strokes(picture: np.ndarray, marks: np.ndarray, flow: Flow, width: float) -> np.ndarray:
    """Paint a float32 picture in strokes: each place takes the colour at the ridge of its mark."""
    for _ in range(2):
        left, right = flow.across(marks, 1.0)
        climb = width * np.tanh(1.5 * (left - right))
        picture = moved(picture, -climb * flow.y, climb * flow.x)
    return picture


def lit(height: np.ndarray, sigma: float = 0.8) -> np.ndarray:
    """Return light from the upper left on a height map [H, W], about -1..1."""
    right, down = slopes(height, sigma)
    return np.tanh(0.5 * (right + down))


def relief(gray: np.ndarray, reach: float = 5.0) -> np.ndarray:
    """Return a height map [H, W] of a brightness plane: forms bulge, and flat areas stay level."""
    return gray - 0.6 * blur(gray, 4 * reach) + 0.6 * blur(gray, reach)


def ramp(gray: np.ndarray, *stops: tuple[float, Colour]) -> np.ndarray:
    """Map brightness [H, W] onto RGB colours 0..255 at places 0..1 -> float32 [H, W, 3]."""
    at = [place for place, _ in stops]
    return np.stack([np.interp(gray, at, [colour[c] / 255 for _, colour in stops]) for c in range(3)], -1).astype(np.float32)


def grade(picture: np.ndarray, amount: float, *stops: tuple[float, Colour]) -> np.ndarray:
    """Blend a float32 picture with a ramp of its brightness."""
    return picture * (1 - amount) + amount * ramp(np.clip(luma(picture), 0, 1), *stops)


def pigment(picture: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Thin or thicken transparent paint: density [H, W] 1 keeps it (Bousseau et al. 2006)."""
    return picture - (picture - picture * picture) * (density[..., None] - 1)


def contrast(picture: np.ndarray, factor: float, middle: float = 0.5) -> np.ndarray:
    return (picture - middle) * factor + middle


def smooth(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 0 below low, 1 above high, and a smooth ramp between."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def mix(under: np.ndarray, over: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Blend two pictures by a share [H, W] or one for all."""
    part = share[..., None] if isinstance(share, np.ndarray) else share
    return under * (1 - part) + over * part


def soft_bands(canvas: Canvas, value: np.ndarray, levels: int, wobble: float = 0.0) -> np.ndarray:
    """Quantise 0..1 to levels, with borders that waver by the noise."""
    scaled = np.clip(value + wobble * canvas.clouds, 0, 1) * levels
    whole = np.floor(scaled)
    return (whole + np.clip((scaled - whole - 0.5) * 5 + 0.5, 0, 1)) / levels
