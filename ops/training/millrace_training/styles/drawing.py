"""Styles of lines on a background: coloured pencil, ink, blueprint, chalk, relief."""

from __future__ import annotations

import cv2
import numpy as np

from .lattices import grid, hatching, paper
from .pixels import blur, bytes_of, calm, dark_lines, edge_strength, flatten, gray_bytes, local_tone, luma, saturate, unit

BLACKBOARD = np.array([0.10, 0.17, 0.14], np.float32)


def _dodge(gray: np.ndarray) -> np.ndarray:
    """Colour dodge [H, W]: the classic pencil effect, white but for local darkness."""
    return np.clip(gray / np.maximum(1 - blur(1 - gray, 5), 0.02), 0, 1)


def cpencil(image: np.ndarray) -> np.ndarray:
    """Coloured pencil: pale colour under pencil lines, with diagonal strokes."""
    colour = 0.35 + 0.65 * saturate(unit(flatten(image, 1)), 1.5)
    strokes = 0.08 * (hatching(*image.shape[:2]) < 0.35)
    return bytes_of(colour * (0.25 + 0.75 * (_dodge(luma(calm(image))) ** 1.8)[..., None]) + strokes[..., None])


def lineart(image: np.ndarray) -> np.ndarray:
    """Black ink on white paper; only deep shadows are greyed."""
    gray = luma(calm(image))
    ink = dark_lines(gray, 2.0, 4.5)
    shadow = np.clip((0.16 - blur(gray, 1.5)) * 4, 0, 0.6)
    return gray_bytes(0.98 * (1 - np.maximum(ink, shadow)))


def blueprint(image: np.ndarray) -> np.ndarray:
    """White lines on blue paper with a 16-pixel grid."""
    gray = local_tone(luma(calm(image)), 0.3)
    ground = np.array([0.06, 0.20, 0.52], np.float32) * (0.75 + 0.35 * gray[..., None])
    ruled = 0.08 * grid(*gray.shape, 16)[..., None] * np.array([0.6, 0.8, 1], np.float32)
    line = edge_strength(gray, 2.2, 1.0)[..., None] * np.array([0.85, 0.9, 0.95], np.float32)
    return bytes_of(ground + ruled + line)


def chalk(image: np.ndarray) -> np.ndarray:
    """Broad lines of coloured chalk on a green blackboard, along outlines and light lines."""
    gray = luma(calm(image))
    tone = local_tone(gray, 0.3)
    line = np.clip(np.maximum(edge_strength(tone, 2.2, 0.95), dark_lines(1 - tone, 2.4, 3.4)) + 0.25 * gray, 0, 1)
    line = np.clip(line * (1 + 0.10 * paper(*gray.shape)), 0, 1)[..., None]
    wide = blur(unit(image), 4.0)
    tint = np.clip(0.55 + 0.45 * saturate(wide, 2.2) / np.maximum(luma(wide), 0.15)[..., None], 0.4, 1)
    return bytes_of(BLACKBOARD * (1 - line) + 0.97 * tint * line)


def emboss(image: np.ndarray) -> np.ndarray:
    """Relief lit from the upper left, in warm grey stone."""
    kernel = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], np.float32)
    relief = 0.55 + 0.75 * cv2.filter2D(blur(luma(calm(image)), 1.2), -1, kernel)
    return bytes_of(np.clip(relief, 0, 1)[..., None] * np.array([1.0, 0.96, 0.9], np.float32))
