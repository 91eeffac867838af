"""Skies and walls: pictures in which nothing is but light and a camera's grain.

Photos have few of them, and `cut` drops what is almost empty. A network that rarely sees them draws a raster of its own
there, instead of marks that grow from the noise.
"""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from .crops import SIZE

_EDGE_SHARE = 0.35  # have two plain areas with an edge between them
_LARGEST_GRAIN = 3.0  # of 255: deviation


def _colour(rng: np.random.RandomState) -> np.ndarray:
    """Return a colour as rooms and landscapes have it: rarely vivid, of any lightness."""
    return 255 * np.array(colorsys.hsv_to_rgb(rng.rand(), rng.rand() ** 2, rng.uniform(0.08, 1.0)), np.float32)


def _area(rng: np.random.RandomState, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return a colour whose light changes slowly, [H, W, 3]."""
    across, down, bend = rng.normal(0, 8, 3)
    light = across * columns + down * rows + bend * np.hypot(rows - rng.rand(), columns - rng.rand())
    return _colour(rng) + light[..., None].astype(np.float32)


def plain_picture(seed: int) -> np.ndarray:
    """Return an area of nearly one colour, or two of them, uint8 [256, 256, 3]."""
    rng = np.random.RandomState(seed)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    picture = _area(rng, rows, columns)
    if rng.rand() < _EDGE_SHARE:
        angle = rng.uniform(0, 2 * np.pi)
        side = np.cos(angle) * (columns - rng.uniform(0.3, 0.7)) + np.sin(angle) * (rows - rng.uniform(0.3, 0.7)) > 0
        share = cv2.GaussianBlur(side.astype(np.float32), (0, 0), np.exp(rng.uniform(-0.7, 2.5)))[..., None]
        picture = picture + share * (_area(rng, rows, columns) - picture)
    grain = rng.normal(0, 1, picture.shape).astype(np.float32)
    if rng.rand() < 0.5:
        grain = 2 * cv2.GaussianBlur(grain, (0, 0), 0.8)  # of a camera that denoises
    return np.clip(picture + rng.uniform(0, _LARGEST_GRAIN) * grain, 0, 255).astype(np.uint8)
