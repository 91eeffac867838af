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

from .pixels import slopes

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


def weave(height: int, width: int) -> np.ndarray:
    """Canvas [H, W], -1..1: threads over and under each other, 4 pixels wide."""
    row, column = np.mgrid[0:8, 0:8]
    across, down = np.cos(np.pi * (row % 4 - 1.5) / 4), np.cos(np.pi * (column % 4 - 1.5) / 4)
    threads = np.where((row // 4 + column // 4) % 2, across, down).astype(np.float32)
    return tile(2.5 * (threads - threads.mean()), height, width)


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


@lru_cache(maxsize=8)
def _stroke_tile(angle: float, wave: float) -> np.ndarray:
    """Brush marks [p, p] along one direction, mean 0 and deviation 1, bent by waves of `wave` pixels."""
    noise = np.random.RandomState(11).randn(PERIOD, PERIOD)
    y, x = np.meshgrid(np.fft.fftfreq(PERIOD), np.fft.fftfreq(PERIOD), indexing="ij")
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    keep = np.exp(-2 * np.pi**2 * ((5.0 * along) ** 2 + (1.1 * across) ** 2))
    marks = np.fft.ifft2(np.fft.fft2(noise) * keep).real.astype(np.float32)
    rows, columns = np.mgrid[0:PERIOD, 0:PERIOD].astype(np.float32)
    swing = wave * np.sin(2 * np.pi * (columns * np.cos(angle) ** 2 + rows * np.sin(angle) ** 2) / PERIOD)
    from_x, from_y = columns + PERIOD - swing * np.sin(angle), rows + PERIOD + swing * np.cos(angle)
    bent = cv2.remap(np.tile(marks, (3, 3)), from_x.astype(np.float32), from_y.astype(np.float32), cv2.INTER_LINEAR)
    return (bent - bent.mean()) / bent.std()


def wood(height: int, width: int) -> np.ndarray:
    """Level wavy grain [H, W] of a board, mean 0 and deviation 1."""
    return tile(_stroke_tile(0.0, 2.0), height, width)


def strokes(gray: np.ndarray, wave: float = 0.0) -> np.ndarray:
    """Brush marks [H, W], mean 0 and deviation about 1, that follow the outlines of a brightness plane.

    The marks are four fixed tiles, one for each direction; the picture only determines how they are mixed.
    """
    across, down = slopes(gray, 1.5)
    # The structure tensor's double angle; a faint slant prevails if there are no outlines.
    cosine = cv2.GaussianBlur(down * down - across * across, (0, 0), 5)
    sine = cv2.GaussianBlur(-2 * across * down, (0, 0), 5) + 0.002
    length = np.hypot(cosine, sine) + 1e-6
    total = np.zeros(gray.shape, np.float32)
    power = np.zeros(gray.shape, np.float32)
    for index in range(4):
        angle = index * np.pi / 4
        share = np.clip((cosine * np.cos(2 * angle) + sine * np.sin(2 * angle)) / length, 0, 1) ** 2
        total += share * tile(_stroke_tile(angle, wave), *gray.shape)
        power += share * share
    return total / np.sqrt(power)


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
