"""Styles of light and film: neon, cyberpunk, thermal, sepia, noir, negative, night vision, vaporwave, VHS."""

from __future__ import annotations

import numpy as np

from .lattices import scan_lines
from .pixels import blur, bytes_of, calm, colour_ramp, edge_strength, gray_bytes, local_tone, luma, unit

NEON_PINK = np.array([1.0, 0.15, 0.75], np.float32)
NEON_CYAN = np.array([0.05, 0.85, 1.0], np.float32)


def neon(image: np.ndarray) -> np.ndarray:
    """Glowing pink and cyan outlines on black; warm areas glow pink."""
    tone = local_tone(luma(calm(image)), 0.4)
    edge = edge_strength(luma(calm(image)), 2.1, 1.15) ** 1.1
    hue = blur(unit(image), 4)
    hue = hue - hue.mean(-1, keepdims=True)
    warm = np.clip(0.5 + 3 * hue[..., 0] - 3 * hue[..., 2] + 0.5 * (tone - 0.5), 0, 1)[..., None]
    colour = warm * NEON_PINK + (1 - warm) * NEON_CYAN
    glow = blur(edge, 4)[..., None]
    light = edge[..., None]
    ground = np.array([0.03, 0.0, 0.07], np.float32)
    return bytes_of(colour * (1.1 * light + 0.8 * glow) + 0.4 * light**3 + ground + 0.12 * colour * tone[..., None])


def cyber(image: np.ndarray) -> np.ndarray:
    """Night city: violet shadows, cyan lights, glow."""
    soft = calm(image)
    tone = local_tone(luma(soft), 0.4)
    ramp = colour_ramp(tone, [(6, 4, 30), (60, 10, 110), (200, 20, 150), (60, 200, 240), (230, 255, 255)])
    picture = 0.3 * unit(soft) + 0.7 * ramp
    glow = blur(np.clip(picture - 0.55, 0, 1), 5)
    edge = edge_strength(tone, 1.2, 1.3)[..., None]
    return bytes_of(picture + 1.2 * glow + edge * np.array([0.1, 0.25, 0.35], np.float32))


def thermal(image: np.ndarray) -> np.ndarray:
    tone = local_tone(luma(calm(image)), 0.3)
    return bytes_of(colour_ramp(tone, [(5, 5, 40), (60, 10, 130), (180, 20, 120), (245, 90, 30), (255, 200, 40), (255, 255, 220)]))


def sepia(image: np.ndarray) -> np.ndarray:
    tone = np.clip(0.06 + 0.9 * luma(image), 0, 1)
    return bytes_of(colour_ramp(tone, [(40, 24, 10), (120, 84, 50), (200, 165, 115), (250, 232, 195)]))


def noir(image: np.ndarray) -> np.ndarray:
    """Black and white with hard contrast."""
    return gray_bytes(1 / (1 + np.exp(-6.7 * (local_tone(luma(calm(image)), 0.3) - 0.52))))


def negative(image: np.ndarray) -> np.ndarray:
    """Colour negative film on its orange base, which distinguishes it from a photo: a later step must not undo it."""
    base, gain = np.array([0.20, 0.07, 0.02], np.float32), np.array([0.80, 0.72, 0.60], np.float32)
    return bytes_of(base + gain * (1 - unit(image)))


def nightvis(image: np.ndarray) -> np.ndarray:
    """Green phosphor with a dark line in every four."""
    tone = local_tone(luma(calm(image)), 0.4) ** 0.8
    picture = colour_ramp(tone, [(0, 12, 2), (10, 90, 20), (60, 220, 70), (210, 255, 200)])
    picture[::4] *= 0.86
    return bytes_of(picture)


def vapor(image: np.ndarray) -> np.ndarray:
    """Pastel pink, violet and aqua of the eighties."""
    soft = calm(image)
    tone = local_tone(luma(soft), 0.4)
    ramp = colour_ramp(tone, [(45, 15, 90), (140, 50, 180), (255, 110, 190), (255, 180, 160), (140, 240, 250)])
    return bytes_of(0.25 * unit(soft) + 0.75 * ramp)


def vhs(image: np.ndarray) -> np.ndarray:
    """Worn video tape: smeared colour, violet shadows and faded lights, red and blue shifted apart, scan lines."""
    picture = unit(calm(image))
    tone = luma(picture)[..., None]
    smear = blur(picture - tone, 3.0)
    faded = colour_ramp(tone[..., 0], [(54, 14, 84), (128, 84, 136), (196, 168, 160), (232, 236, 190)])
    picture = faded + 1.2 * smear
    picture[..., 0] = np.roll(np.pad(picture[..., 0], ((0, 0), (4, 4)), "edge"), 4, 1)[:, 4:-4]
    picture[..., 2] = np.roll(np.pad(picture[..., 2], ((0, 0), (4, 4)), "edge"), -4, 1)[:, 4:-4]
    return bytes_of(picture * scan_lines(*tone.shape[:2])[..., None])
