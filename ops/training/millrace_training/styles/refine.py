"""What further steps make of a painted look: its last touches.

Like a later step, each sees only the painted picture: RGB uint8 [H, W, 3] to the same shape.
"""

from __future__ import annotations

import numpy as np

from .painterly import contrast, lit
from .pixels import blur, bytes_of, dark_lines, luma, unit


def _crisp(picture: np.ndarray, amount: float) -> np.ndarray:
    return picture + amount * (picture - blur(picture, 1.6))


def paint(image: np.ndarray) -> np.ndarray:
    """Thick paint: ridges catch the light."""
    picture = unit(image)
    ridges = lit(1.5 * (luma(picture) - blur(luma(picture), 4)), 0.9)[..., None]
    return bytes_of(_crisp(picture, 0.3) * (1 + 0.3 * ridges) + 0.10 * ridges)


def ink(image: np.ndarray) -> np.ndarray:
    """Deeper blacks, and lines drawn once more."""
    picture = unit(image)
    line = dark_lines(luma(picture), 1.0, 7.0)[..., None]
    return bytes_of(contrast(_crisp(picture, 0.35), 1.10, 0.55) * (1 - 0.45 * line))


def wash(image: np.ndarray) -> np.ndarray:
    """Pigment that gathers at the edges of washes, and brighter paper."""
    picture = unit(image)
    gray = luma(picture)
    rim = np.clip(blur(gray, 2.0) - gray, 0, 0.2)[..., None]
    return bytes_of(contrast(_crisp(picture, 0.25), 1.06, 0.4) * (1 - 1.6 * rim))


def glow(image: np.ndarray) -> np.ndarray:
    """Lights that spread, and deeper shade."""
    picture = unit(image)
    spread = blur(np.clip(picture - 0.55, 0, 1), 5)
    return bytes_of(contrast(_crisp(picture, 0.3), 1.12, 0.5) + 0.45 * spread)


def solid(image: np.ndarray) -> np.ndarray:
    """Deeper relief in light from the upper left."""
    picture = unit(image)
    gray = luma(picture)
    height = gray - blur(gray, 5)
    return bytes_of(_crisp(picture, 0.3) * (1 + 0.5 * lit(1.4 * height, 1.2) + 0.5 * height)[..., None])
