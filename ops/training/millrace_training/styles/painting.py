"""Styles of paint and paper: oil, van Gogh, watercolour, woodblock, anime, comic."""

from __future__ import annotations

import cv2
import numpy as np

from .lattices import paper, strokes
from .pixels import (
    blur,
    bytes_of,
    calm,
    colour_ramp,
    dark_lines,
    daub,
    edge_strength,
    flatten,
    local_tone,
    luma,
    posterize,
    saturate,
    unit,
)


def oil(image: np.ndarray) -> np.ndarray:
    """Flat daubs of rich colour under raised brush marks."""
    paint = daub(image, 1.2)
    marks = strokes(luma(paint))[..., None]
    rich = np.clip((saturate(paint, 1.45) - 0.5) * 1.12 + 0.51, 0, 1)
    return bytes_of(rich * (1 + 0.06 * marks) + 0.012 * marks)


def gogh(image: np.ndarray) -> np.ndarray:
    """Thick wavy marks in the blues and yellows of the Starry Night."""
    paint = daub(image, 1.4)
    tone = local_tone(luma(paint), 0.5)
    marks = strokes(luma(paint), 3.0)
    night = colour_ramp(np.clip(tone + 0.055 * marks, 0, 1), [(8, 18, 70), (25, 70, 150), (70, 140, 190), (225, 190, 80), (255, 240, 170)])
    return bytes_of((0.35 * saturate(paint, 1.5) + 0.65 * night) * (1 + 0.08 * marks[..., None]))


def water(image: np.ndarray) -> np.ndarray:
    """Pale washes with darker rims, on paper grain."""
    wash = unit(cv2.edgePreservingFilter(image, flags=1, sigma_s=25, sigma_r=0.45))
    wash = 0.18 + 0.85 * np.clip(saturate(wash, 1.35), 0, 1) ** 0.85
    rim = edge_strength(luma(wash), 1.0, 0.9)[..., None]
    return bytes_of(wash - 0.35 * rim * wash + 0.022 * paper(*image.shape[:2])[..., None])


def ukiyo(image: np.ndarray) -> np.ndarray:
    """Japanese woodblock print: few flat inks from indigo to cream, indigo outlines, paper."""
    flat = unit(flatten(image, 3, 50, 6))
    inks = colour_ramp(local_tone(luma(flat), 0.4), [(22, 40, 84), (54, 92, 128), (196, 120, 88), (232, 200, 150), (248, 236, 208)])
    colour = posterize(0.45 * saturate(flat, 1.2) + 0.55 * inks, 5)
    line = dark_lines(luma(flatten(image, 1)), 1.1, 8.0)[..., None]
    ink = np.array([0.07, 0.10, 0.22], np.float32)
    return bytes_of(colour * (1 - 0.85 * line) + ink * 0.85 * line + 0.015 * paper(*image.shape[:2])[..., None])


def anime(image: np.ndarray) -> np.ndarray:
    """Bright flat shading with soft bands, thin lines and bloom."""
    flat = np.clip(daub(image, 1.2), 0, 1) ** 0.75
    colour = saturate(posterize(flat, 5), 1.5) + np.array([0.02, 0.02, 0.05], np.float32)
    line = dark_lines(luma(calm(image)), 1.2, 7.0, 0.015)[..., None]
    bloom = blur(np.clip(colour - 0.7, 0, 1), 5)
    return bytes_of((colour + 0.6 * bloom) * (1 - 0.7 * line))


def comic(image: np.ndarray) -> np.ndarray:
    """Bands of strong colour behind black ink lines."""
    flat = np.clip(daub(image, 1.2), 0, 1) ** 0.85
    colour = saturate(posterize(flat, 4), 1.7)
    line = dark_lines(luma(calm(image)), 1.6, 6.4)[..., None]
    return bytes_of(1.08 * np.clip(colour, 0, 1) * (1 - 0.95 * line))
