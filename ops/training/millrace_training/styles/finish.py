"""Details that further steps add to the looks that are filters of the picture alone: cross hatching, print, glow.

A finish maps a filter's output, RGB uint8 [H, W, 3], to the same shape. Like a later step,
it sees only the styled picture: the first step draws the style, later ones refine its
output. Like the filters, it is local, and its patterns are in phase with the network's
strides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .drawing import BLACKBOARD
from .lattices import cell_bevel, cell_glow, grain, grid, scan_lines, soft_strokes, stud_gloss
from .pixels import blur, bytes_of, gray_bytes, luma, slopes, steps, unit


def _lit(gray: np.ndarray, sigma: float) -> np.ndarray:
    """Return the light [H, W] from the upper left on a height map; about -0.3..0.3."""
    across, down = slopes(gray, sigma)
    return 0.35 * (across + down)


def _bloom(picture: np.ndarray, above: float, sigma: float) -> np.ndarray:
    """Return the glow around areas brighter than `above` in a float32 picture."""
    return blur(np.clip(picture - above, 0, 1), sigma)


def _shifted(picture: np.ndarray, right: int) -> np.ndarray:
    """Move a plane [H, W] or picture [H, W, 3] to the right by some pixels, repeating its border."""
    columns = np.clip(np.arange(picture.shape[1]) - right, 0, picture.shape[1] - 1)
    return picture[:, columns]


def _plane(pattern: Callable[[int, int], np.ndarray], image: np.ndarray) -> np.ndarray:
    """A pattern over a picture, [H, W, 1]."""
    return pattern(*image.shape[:2])[..., None]


def _crossed(image: np.ndarray, depth: float) -> np.ndarray:
    """Strokes [H, W, 1] across the first ones, the darker the picture the stronger."""
    gray = luma(image)
    return (depth * np.clip(1.7 * (0.85 - gray), 0, 1) * soft_strokes(*gray.shape, falling=True) ** 1.5)[..., None]


def cpencil(image: np.ndarray) -> np.ndarray:
    """Strokes across the first ones, on rough paper."""
    picture = unit(image)
    return bytes_of(picture * (1 - _crossed(image, 0.42)) + 0.025 * _plane(grain, image))


def lineart(image: np.ndarray) -> np.ndarray:
    """Hatching beside the lines, like an engraver's."""
    gray = luma(image)
    shade = np.clip(2.2 * blur(1 - gray, 3.5), 0, 1)
    lines = np.clip(1.6 * shade - 1 + soft_strokes(*gray.shape), 0, 1)
    return gray_bytes(gray * (1 - 0.75 * lines))


def pixel(image: np.ndarray) -> np.ndarray:
    """Raised tiles."""
    return bytes_of(unit(image) * (1 + 0.13 * _plane(cell_bevel, image)))


def glass(image: np.ndarray) -> np.ndarray:
    """Light that comes through the middle of each pane."""
    return bytes_of(unit(image) * _plane(cell_glow, image))


def neon(image: np.ndarray) -> np.ndarray:
    """White-hot tubes in a haze of their light."""
    picture = unit(image)
    core = np.clip(2.2 * (luma(picture) - 0.42), 0, 1)[..., None]
    return bytes_of(picture + 0.75 * core + 0.55 * _bloom(picture, 0.3, 5))


def cyber(image: np.ndarray) -> np.ndarray:
    """Wet air: lights that spread, on a screen's lines."""
    picture = unit(image)
    return bytes_of(picture * _plane(scan_lines, image) ** 1.5 + 0.5 * _bloom(picture, 0.55, 5))


def blueprint(image: np.ndarray) -> np.ndarray:
    """Hatched shade and a finer grid, lines drawn once more."""
    picture = unit(image)
    gray = luma(picture)
    fine = 0.06 * grid(*gray.shape, 8)
    hatched = 0.13 * np.clip(3.5 * (gray - 0.17), 0, 1) * soft_strokes(*gray.shape)
    line = 0.9 * np.clip(gray - 0.45, 0, 1)
    return bytes_of(picture + (fine + hatched + line)[..., None] * np.array([0.8, 0.9, 1.0], np.float32))


def thermal(image: np.ndarray) -> np.ndarray:
    """Isotherms, on a screen's lines."""
    picture = unit(image)
    gray = luma(picture)
    banded = steps(gray, 9, 2.0)
    ratio = np.clip(banded / np.maximum(gray, 0.06), 0.6, 1.5)[..., None]
    return bytes_of(picture * ratio * _plane(scan_lines, image) * 1.1)


def sepia(image: np.ndarray) -> np.ndarray:
    """An old print: grain, hazy lights, a little hard."""
    picture = unit(image)
    return bytes_of((picture - 0.5) * 1.12 + 0.5 + 0.30 * _bloom(picture, 0.6, 4) + 0.024 * _plane(grain, image))


def noir(image: np.ndarray) -> np.ndarray:
    """Hard light on grainy film, with a glow around lights."""
    gray = luma(image)
    hard = gray + 0.55 * (gray - 0.45) * (1 - np.abs(2 * gray - 1))
    return gray_bytes(hard + 0.35 * _bloom(gray, 0.65, 4) + 0.026 * grain(*gray.shape))


def popart(image: np.ndarray) -> np.ndarray:
    """Colours that do not quite meet their outlines, on rough paper."""
    picture = unit(image)
    colour = blur(picture - luma(picture)[..., None], 1.5)
    moved = picture + 1.1 * _shifted(colour, 5) - 0.8 * colour
    return bytes_of((moved - 0.5) * 1.12 + 0.5 + 0.02 * _plane(grain, image))


def negative(image: np.ndarray) -> np.ndarray:
    """Grain and the film's hard contrast."""
    return bytes_of((unit(image) - 0.5) * 1.15 + 0.5 + 0.024 * _plane(grain, image))


def nightvis(image: np.ndarray) -> np.ndarray:
    """Phosphor: lights that bloom, and the tube's grain."""
    picture = unit(image)
    return bytes_of(picture * (0.95 + 0.07 * _plane(grain, image)) + 0.5 * _bloom(picture, 0.55, 5))


def vapor(image: np.ndarray) -> np.ndarray:
    """A picture tube: lines, colours that part, glow."""
    picture = unit(image)
    parted = np.stack([_shifted(picture[..., 0], 3), picture[..., 1], _shifted(picture[..., 2], -3)], -1)
    return bytes_of(parted * _plane(scan_lines, image) ** 2 * 1.08 + 0.35 * _bloom(picture, 0.6, 5))


def emboss(image: np.ndarray) -> np.ndarray:
    """Cut deeper, in rough stone."""
    picture = unit(image)
    gray = luma(picture)
    deeper = (1 + 0.7 * (gray - blur(gray, 4))) * (1 + 0.5 * _lit(gray, 1.2)) + 0.035 * grain(*gray.shape)
    return bytes_of(picture * deeper[..., None])


def chalk(image: np.ndarray) -> np.ndarray:
    """Chalk that breaks on the board's grain, and its dust."""
    picture = unit(image)
    line = (picture - BLACKBOARD) * np.clip(1.04 + 0.14 * _plane(grain, image), 0.2, 1.6)
    return bytes_of(BLACKBOARD + line + 0.18 * _bloom(picture, 0.35, 5))


def gameboy(image: np.ndarray) -> np.ndarray:
    """A liquid crystal display: dark areas cast a shadow on the background."""
    picture = unit(image)
    dark = np.clip(1.8 * (0.55 - luma(picture)), 0, 1)
    shadow = blur(_shifted(_shifted(dark.T, 4).T, 4), 1.2)
    shade = np.clip(shadow - dark, 0, 1)[..., None]
    return bytes_of((picture * (1 - 0.5 * shade) - 0.03) * _plane(scan_lines, image) ** 0.6 * 1.1)


def vhs(image: np.ndarray) -> np.ndarray:
    """Ghosts to the right of edges, and the tape's noise."""
    picture = unit(image)
    gray = luma(picture)
    ghost = 0.45 * (gray - _shifted(gray, 5))
    return bytes_of(picture + (ghost + 0.02 * grain(*gray.shape))[..., None])


def lego(image: np.ndarray) -> np.ndarray:
    """Glossy plastic: a light on every stud, its shadow beside it."""
    gloss = _plane(stud_gloss, image)
    return bytes_of(unit(image) * (1 + 0.5 * gloss) + 0.16 * np.clip(gloss, 0, 1))


FIRST_FINISHES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    finish.__name__: finish
    for finish in (
        cpencil, lineart, pixel, glass, neon, cyber, blueprint, thermal, sepia, noir, popart, negative, nightvis, vapor, emboss, chalk,
        gameboy, vhs, lego,
    )
}  # fmt: skip
