"""Moods: point-wise colour changes that combine with every style.

A mood maps float32 RGB pictures [..., H, W, 3] in 0..1 to the same shape. The order of
MOODS is part of a trained model's labels: append, never reorder.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Mood = Callable[[np.ndarray], np.ndarray]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def _luma(picture: np.ndarray) -> np.ndarray:
    return (picture @ _LUMA)[..., None]


def _saturate(picture: np.ndarray, factor: float) -> np.ndarray:
    grey = _luma(picture)
    return grey + (picture - grey) * factor


def _tint(picture: np.ndarray, colour: tuple[float, float, float], share: float) -> np.ndarray:
    """Blend with the picture's brightness in one colour."""
    paint = np.array(colour, np.float32) * (0.25 + 0.75 * _luma(picture)) * 1.15
    return picture * (1 - share) + paint * share


def _gain(red: float, green: float, blue: float) -> np.ndarray:
    return np.array([red, green, blue], np.float32)


def _colour(red: float, green: float, blue: float) -> Mood:
    return lambda picture: _tint(picture, (red, green, blue), 0.62)


MOODS: dict[str, Mood] = {
    "warm": lambda x: _saturate(x, 1.1) * _gain(1.18, 1.02, 0.78),
    "cold": lambda x: _saturate(x, 0.95) * _gain(0.78, 0.98, 1.2) + _gain(0.0, 0.01, 0.03),
    "sunset": lambda x: _tint(x * _gain(1.2, 0.95, 0.7), (1.0, 0.55, 0.2), 0.3) + _gain(0.06, 0.02, 0.0),
    "night": lambda x: _saturate(x, 0.6) * _gain(0.32, 0.42, 0.75) + _gain(0.0, 0.01, 0.05),
    "autumn": lambda x: _tint(_saturate(x, 1.1), (1.0, 0.5, 0.12), 0.42),
    "winter": lambda x: (_saturate(x, 0.35) * 0.72 + 0.30) * _gain(0.93, 1.0, 1.06),
    "vivid": lambda x: (_saturate(x, 1.9) - 0.5) * 1.12 + 0.5,
    "pastel": lambda x: _saturate(x, 0.75) * 0.5 + 0.48,
    "mono": lambda x: np.repeat(_luma(x), 3, -1),
    "fog": lambda x: _saturate(x, 0.5) * 0.55 + 0.40,
    "dark": lambda x: ((x - 0.5) * 1.15 + 0.5) * 0.55,
    "bright": lambda x: np.clip(x, 0, 1) ** 0.7 * 1.05,
    "red": _colour(1.0, 0.12, 0.12),
    "green": _colour(0.15, 0.9, 0.2),
    "blue": _colour(0.12, 0.3, 1.0),
    "purple": _colour(0.62, 0.15, 0.95),
    "pink": _colour(1.0, 0.45, 0.75),
    "gold": _colour(1.0, 0.78, 0.2),
    "teal": _colour(0.05, 0.8, 0.75),
    "orange": _colour(1.0, 0.5, 0.05),
}
MOOD_NAMES: tuple[str, ...] = tuple(MOODS)


def apply_mood(image: np.ndarray, mood: str) -> np.ndarray:
    """Apply a mood to a uint8 picture [H, W, 3] -> uint8."""
    picture = MOODS[mood](image.astype(np.float32) / 255.0)
    return np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)
