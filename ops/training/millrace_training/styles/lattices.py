"""Fixed patterns in phase with the network's strides.

A network cannot learn a random lattice, since it would have to guess its phase. So every
pattern here repeats every 4, 8, 16 or 32 pixels from the picture's corner, and crops are
taken at multiples of 32 pixels (8 latents). Sizes need not be multiples of the period:
patterns are cut.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

PERIOD = 32  # pixels: the longest period of any pattern


def tile(pattern: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeat a [p, q] pattern over a picture."""
    rows, columns = -(-height // pattern.shape[0]), -(-width // pattern.shape[1])
    return np.tile(pattern, (rows, columns))[:height, :width]


@lru_cache(maxsize=1)
def _paper_tile() -> np.ndarray:
    grain = np.random.RandomState(7).rand(PERIOD, PERIOD).astype(np.float32)
    soft = cv2.GaussianBlur(np.tile(grain, (3, 3)), (0, 0), 1.0)[PERIOD : 2 * PERIOD, PERIOD : 2 * PERIOD]
    return (soft - soft.mean()) / soft.std()


def paper(height: int, width: int) -> np.ndarray:
    """Paper grain [H, W], mean 0 and deviation 1."""
    return tile(_paper_tile(), height, width)


@lru_cache(maxsize=1)
def _grain_tile() -> np.ndarray:
    noise = np.tile(np.random.RandomState(13).randn(PERIOD, PERIOD).astype(np.float32), (3, 3))
    band = cv2.GaussianBlur(noise, (0, 0), 0.8) - cv2.GaussianBlur(noise, (0, 0), 2.0)  # no blotches, which would show the repetition
    band = band[PERIOD : 2 * PERIOD, PERIOD : 2 * PERIOD]
    return (band - band.mean()) / band.std()


def grain(height: int, width: int) -> np.ndarray:
    """Even fine grain [H, W], mean 0 and deviation 1."""
    return tile(_grain_tile(), height, width)


def hatching(height: int, width: int) -> np.ndarray:
    """Diagonal saw-tooth [H, W] in 0..1, period 8 pixels."""
    row, column = np.mgrid[0:8, 0:8]
    return tile(((row + column) % 8 / 8.0).astype(np.float32), height, width)


def soft_strokes(height: int, width: int, falling: bool = False) -> np.ndarray:
    """Diagonal waves [H, W] in 0..1, period 8 pixels, along the strokes of `hatching` or across them."""
    row, column = np.mgrid[0:8, 0:8]
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * ((row - column if falling else row + column) / 8))
    return tile(wave.astype(np.float32), height, width)


def grid(height: int, width: int, size: int) -> np.ndarray:
    """Ruled lines [H, W]: 1 on the first row and column of every `size` pixels, else 0."""
    lines = np.zeros((size, size), np.float32)
    lines[0] = lines[:, 0] = 1
    return tile(lines, height, width)


def cell_bevel(height: int, width: int) -> np.ndarray:
    """Tiles [H, W] of 8 pixels in -1..1: light on the upper and left rim, shade on the lower and right one."""
    rim = np.zeros(8, np.float32)
    rim[:3], rim[-3:] = (0.8, 0.8, 0.3), (-0.3, -0.8, -0.8)
    both = np.where(np.abs(rim[:, None]) > np.abs(rim[None]), rim[:, None], rim[None])
    return tile(both, height, width)


def stud_gloss(height: int, width: int) -> np.ndarray:
    """Bricks of 16 pixels [H, W] in -1..1: light on a stud's upper left, shade on its lower right and beneath."""
    y, x = np.mgrid[0:16, 0:16].astype(np.float32) - 7.5
    light = np.exp(-((x + 2.2) ** 2 + (y + 2.2) ** 2) / 3.5)
    shade = np.exp(-((x - 4.6) ** 2 + (y - 4.6) ** 2) / 6)
    return tile(light - 0.8 * shade, height, width)


def halftone(height: int, width: int) -> np.ndarray:
    """Dot screen [H, W] in 0..1, period 8 pixels."""
    row, column = np.mgrid[0:8, 0:8]
    dots = 0.5 + 0.25 * (np.cos(2 * np.pi * (row + column) / 8) + np.cos(2 * np.pi * (column - row) / 8))
    return tile(dots.astype(np.float32), height, width)


def scan_lines(height: int, width: int) -> np.ndarray:
    """Brightness [H, W] in 0.8..1 of a picture tube's lines, period 8 pixels: two rows of latents, which can represent it."""
    row = np.arange(8, dtype=np.float32)[:, None]
    return tile(0.9 - 0.1 * np.cos(2 * np.pi * (row + 0.5) / 8), height, width)


def blocks(image: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of each size x size block of a float32 picture, at full resolution."""
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, -height % size, 0, -width % size, cv2.BORDER_REPLICATE)
    small = cv2.resize(padded, (padded.shape[1] // size, padded.shape[0] // size), interpolation=cv2.INTER_AREA)
    return np.repeat(np.repeat(small, size, 0), size, 1)[:height, :width]


@lru_cache(maxsize=8)
def _mosaic(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Cell number [H, W] and distance to the cell's border [H, W] of a Voronoi mosaic."""
    rng = np.random.RandomState(3)
    step = PERIOD / 2
    seeds = np.array(
        [[(i + 0.5 + rng.uniform(-0.33, 0.33)) * step, (j + 0.5 + rng.uniform(-0.33, 0.33)) * step] for i in range(2) for j in range(2)]
    )
    shifts = [(a * PERIOD, b * PERIOD) for a in range(-1, height // PERIOD + 2) for b in range(-1, width // PERIOD + 2)]
    points = np.concatenate([seeds + shift for shift in shifts])
    rows, columns = np.mgrid[0:height, 0:width]
    nearest = np.full((height, width), 1e9)
    second = nearest.copy()
    cell = np.zeros((height, width), int)
    for index, (y, x) in enumerate(points):
        distance = np.hypot(rows - y, columns - x)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        cell = np.where(closer, index, cell)
        nearest = np.where(closer, distance, nearest)
    return cell, second - nearest


def cell_glow(height: int, width: int) -> np.ndarray:
    """Brightness [H, W] in 0.75..1.35 of the mosaic's cells: bright in the middle."""
    _, border = _mosaic(height, width)
    return (0.75 + 0.6 * np.clip(border / 11, 0, 1) ** 1.2).astype(np.float32)


def mosaic(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour of each mosaic cell [H, W, 3] and distance to its border in pixels [H, W]."""
    cell, border = _mosaic(*image.shape[:2])
    flat = cell.ravel()
    cells = int(flat.max()) + 1
    weight = np.bincount(flat, minlength=cells) + 1e-6
    means = [np.bincount(flat, image[..., c].ravel(), cells) / weight for c in range(3)]
    return np.stack(means, -1)[cell].astype(np.float32), border.astype(np.float32)
