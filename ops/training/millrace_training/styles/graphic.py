"""Styles made of cells and dots: pixel art, building bricks, stained glass, pop art, game handheld."""

from __future__ import annotations

import numpy as np

from .lattices import blocks, halftone, mosaic, tile
from .pixels import bytes_of, calm, colour_ramp, dark_lines, flatten, local_tone, luma, saturate, steps, unit


def pixel(image: np.ndarray) -> np.ndarray:
    """8-pixel blocks with few levels a channel."""
    colour = saturate(blocks(unit(image), 8), 1.4)
    colour = np.clip((colour - 0.5) * 1.15 + 0.52, 0, 1)
    return bytes_of(steps(colour, 5, 1.5))


def gameboy(image: np.ndarray) -> np.ndarray:
    """Handheld console: 4-pixel blocks in four greens."""
    tone = blocks(luma(image), 4)
    level = steps(np.clip((tone - 0.5) * 1.2 + 0.52, 0, 1), 3)
    return bytes_of(colour_ramp(level, [(15, 56, 15), (48, 98, 48), (120, 158, 30), (175, 200, 40)]))


def _stud_tile() -> np.ndarray:
    """Brightness [16, 16] of one brick: a lit stud on a plate with a dark seam."""
    y, x = np.mgrid[0:16, 0:16].astype(np.float32) - 7.5
    radius = np.hypot(x, y)
    stud = np.clip(5.6 - radius, 0, 1)
    rim = np.clip(1.4 - np.abs(radius - 5.2), 0, 1) * (x + y) / 9.0
    shade = 0.94 + 0.08 * stud - 0.28 * rim
    shade[0] -= 0.22
    shade[:, 0] -= 0.22
    return shade


_STUD = _stud_tile()


def lego(image: np.ndarray) -> np.ndarray:
    """Plastic bricks of 16 pixels with studs."""
    colour = np.clip((saturate(blocks(unit(image), 16), 1.6) - 0.5) * 1.15 + 0.52, 0.03, 0.95)
    return bytes_of(colour * tile(_STUD, *image.shape[:2])[..., None])


def glass(image: np.ndarray) -> np.ndarray:
    """Stained glass: glowing cells between lead, in a 32-pixel Voronoi pattern."""
    cells, border = mosaic(unit(image))
    cells = np.clip((saturate(cells, 2.0) - 0.5) * 1.25 + 0.55, 0, 1)
    light = np.clip((border - 0.3) / 2.4, 0, 1)[..., None]
    return bytes_of(cells * (0.12 + 0.88 * light) + 0.02)


def popart(image: np.ndarray) -> np.ndarray:
    """Flat loud inks, halftone shadows, black outlines."""
    flat = unit(flatten(image, 2, 60, 6))
    colour = 0.2 + 0.8 * steps(np.clip(saturate(flat, 2.2), 0, 1), 2, 1.6)
    tone = luma(calm(image))
    inks = colour_ramp(steps(local_tone(luma(flat), 0.5), 3, 1.6), [(60, 20, 140), (235, 40, 110), (255, 205, 40), (255, 250, 190)])
    colour = 0.55 * colour + 0.45 * inks
    dots = np.clip((tone * 1.25 + 0.12 - 0.8 * halftone(*tone.shape)) * 2.7 + 0.5, 0, 1)[..., None]
    line = dark_lines(tone, 1.5, 6.5)[..., None]
    return bytes_of(colour * (0.4 + 0.6 * dots) * (1 - 0.9 * line))
