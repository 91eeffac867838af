"""The style filters: each maps an RGB uint8 picture [H, W, 3] to its styled version.

The order of STYLES is part of a trained model's labels; `looks.py` is the table.
"""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .looks import LOOKS, Finish, Look

__all__ = ["FINISHES", "LOOKS", "STYLES", "STYLE_NAMES", "Canvas", "StyleFilter"]


class StyleFilter:
    """Paints one look. Without a noise [4, H/4, W/4], it is that of a stream with seed 0."""

    def __init__(self, look: Look):
        self._paint = look.paint

    def __call__(self, image: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        return self._paint(Canvas(image, noise))


STYLES: dict[str, StyleFilter] = {name: StyleFilter(look) for name, look in LOOKS.items()}
FINISHES: dict[str, Finish] = {name: look.finish for name, look in LOOKS.items()}
STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
