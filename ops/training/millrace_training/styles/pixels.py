"""Small image operations that the style filters share.

Pictures are RGB arrays [H, W, 3]; `uint8` ones hold 0..255, `float32` ones 0..1.
Every operation is local (its reach is a few dozen pixels), so a crop of a filtered
picture equals the filtered crop: a network that sees crops, or one frame of a video,
cannot learn anything that depends on the whole picture.
"""

from __future__ import annotations

import cv2
import numpy as np

cv2.setNumThreads(1)  # the callers run one process per core

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def unit(image: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in 0..1."""
    return image.astype(np.float32) / 255.0


def bytes_of(image: np.ndarray) -> np.ndarray:
    """float32 in 0..1 -> uint8, rounded and clipped."""
    return np.clip(image * 255.0 + 0.5, 0, 255).astype(np.uint8)


def gray_bytes(gray: np.ndarray) -> np.ndarray:
    """One float32 plane [H, W] -> a grey uint8 picture [H, W, 3]."""
    return np.repeat(bytes_of(gray)[..., None], 3, -1)


def luma(image: np.ndarray) -> np.ndarray:
    """Brightness [H, W] in 0..1 of a uint8 or float32 picture."""
    picture = unit(image) if image.dtype == np.uint8 else image
    return picture @ LUMA


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, sigma in pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def saturate(image: np.ndarray, factor: float) -> np.ndarray:
    """Move colours away from (factor > 1) or towards grey; float32."""
    grey = (image @ LUMA)[..., None]
    return grey + (image - grey) * factor


def flatten(image: np.ndarray, passes: int = 2, colour_sigma: float = 45, reach: float = 5) -> np.ndarray:
    """Smooth a uint8 picture bilaterally: areas become flat, outlines are kept."""
    for _ in range(passes):
        image = cv2.bilateralFilter(image, 7, colour_sigma, reach)
    return image


def calm(image: np.ndarray) -> np.ndarray:
    """Remove grain and faint texture from a uint8 picture, and keep outlines.

    Filters that raise contrast do this first: amplified grain is hard to encode in latents,
    looks dirty, and flickers in video.
    """
    return cv2.GaussianBlur(cv2.bilateralFilter(image, 5, 36, 3), (0, 0), 0.8)


def local_tone(gray: np.ndarray, strength: float = 0.55, sigma: float = 24.0) -> np.ndarray:
    """Return brightness [H, W] relative to its surroundings: a local replacement for auto-contrast."""
    around = blur(gray, sigma)
    return np.clip(gray + strength * (gray - around) + 0.35 * (0.5 - around), 0, 1)


def dark_lines(gray: np.ndarray, sigma: float = 1.0, gain: float = 9.0, floor: float = 0.012) -> np.ndarray:
    """Return ink [H, W] in 0..1 where a pixel is darker than its surroundings.

    It is a difference of Gaussians divided by the local brightness, so that dark areas are
    not filled with ink (as with a fixed threshold) and shadows keep lines.
    """
    near, wide = blur(gray, sigma), blur(gray, sigma * 2.2)
    difference = (wide - near) / (0.25 + wide)
    return np.clip((difference - floor) * gain, 0, 1)


def slopes(gray: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the horizontal and vertical Sobel derivatives [H, W] of a blurred plane."""
    soft = blur(gray, sigma)
    return cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)


def edge_strength(gray: np.ndarray, sigma: float = 1.2, gain: float = 3.0) -> np.ndarray:
    """Return the Sobel gradient magnitude [H, W] of a blurred plane, clipped to 0..1."""
    return np.clip(np.hypot(*slopes(gray, sigma)) * gain, 0, 1)


def daub(image: np.ndarray, sigma: float, sharpness: float = 900.0) -> np.ndarray:
    """Turn a uint8 picture into flat daubs with clear edges, float32 (a generalised Kuwahara filter, Papari et al. 2007).

    Each pixel is the mean of eight patches beside it, weighted by their smoothness. Unlike a
    mode or median filter, it is robust to small changes of the picture, so it can be learned.
    """
    picture = unit(image)
    mean = blur(picture, sigma)
    gray = luma(picture)
    spread = np.maximum(blur(gray * gray, sigma) - blur(gray, sigma) ** 2, 0)
    weight = 1 / (1 + sharpness * spread) ** 4
    height, width = gray.shape
    reach = int(np.ceil(2 * sigma))
    mean = cv2.copyMakeBorder(mean, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    weight = cv2.copyMakeBorder(weight, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    total, weights = np.zeros_like(picture), np.full((height, width, 1), 1e-9, np.float32)
    for turn in range(8):
        y, x = (reach + round(1.5 * sigma * f(turn * np.pi / 4)) for f in (np.sin, np.cos))
        share = weight[y : y + height, x : x + width, None]
        total += share * mean[y : y + height, x : x + width]
        weights += share
    return total / weights


def colour_ramp(gray: np.ndarray, stops: list[tuple[int, int, int]]) -> np.ndarray:
    """Map brightness [H, W] onto evenly spaced RGB stops (0..255) -> float32 [H, W, 3]."""
    positions = np.linspace(0, 1, len(stops))
    table = np.array(stops, np.float32) / 255
    channels = [np.interp(gray, positions, table[:, c]) for c in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def steps(value: np.ndarray, levels: int, steepness: float = 4.0) -> np.ndarray:
    """Quantise 0..1 to levels + 1 flat steps joined by short ramps.

    With hard steps, whole areas would flip on a change of one grey level: a network could
    only guess them, and video would flicker.
    """
    scaled = value * levels
    whole = np.floor(scaled)
    return (whole + np.clip((scaled - whole - 0.5) * steepness + 0.5, 0, 1)) / levels
