"""Cuts photos, stamps and video frames into 256-pixel squares."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = 256  # pixels: side of nearly every training picture
LARGE_SIZE = 512  # pixels: side of a few, so that large pictures look as good
_LONGEST_SHORT_SIDE = 1400  # larger photos are scaled down first, since smaller crops of them are grainy
_SHORTEST_SIDE = 200
_FLATTEST = 12  # standard deviation below which a crop is almost empty

Image.MAX_IMAGE_PIXELS = None  # the star panoramas are huge, and from a trusted source


def load_photo(path: Path) -> np.ndarray:
    """Read any picture as RGB uint8 [H, W, 3]; transparent ones are placed on a sky-like grey."""
    image = Image.open(path)
    if image.mode in ("RGBA", "LA", "P"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (140, 160, 190, 255))
        ground.alpha_composite(image)
        image = ground
    image = image.convert("RGB")
    short = min(image.size)
    if short > _LONGEST_SHORT_SIDE:
        scale = _LONGEST_SHORT_SIDE / short
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(image)


def cut(image: np.ndarray, count: int, rng: np.random.RandomState) -> list[np.ndarray]:
    """Return up to `count` random squares of random sizes, scaled to SIZE, half of them mirrored."""
    height, width = image.shape[:2]
    short = min(height, width)
    if short < _SHORTEST_SIDE:
        return []
    crops = []
    for _ in range(count):
        side = int(np.exp(rng.uniform(np.log(min(short, SIZE + 4)), np.log(short))))
        y, x = rng.randint(0, height - side + 1), rng.randint(0, width - side + 1)
        crop = image[y : y + side, x : x + side]
        crop = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side >= SIZE else cv2.INTER_CUBIC)
        if rng.rand() < 0.5:
            crop = crop[:, ::-1]
        if crop.std() >= _FLATTEST:
            crops.append(np.ascontiguousarray(crop))
    return crops


def cut_large(image: np.ndarray, rng: np.random.RandomState) -> list[np.ndarray]:
    """Return a random square of LARGE_SIZE if the photo is large enough, one of three of them mirrored."""
    height, width = image.shape[:2]
    short = min(height, width)
    if short < LARGE_SIZE:
        return []
    side = rng.randint(LARGE_SIZE, short + 1)
    y, x = rng.randint(0, height - side + 1), rng.randint(0, width - side + 1)
    crop = cv2.resize(image[y : y + side, x : x + side], (LARGE_SIZE, LARGE_SIZE), interpolation=cv2.INTER_AREA)
    return [np.ascontiguousarray(crop[:, ::-1] if rng.rand() < 0.33 else crop)] if crop.std() >= _FLATTEST else []


def crops_for(short_side: int) -> int:
    """Return the number of crops of a photo: more for larger ones."""
    return 8 if short_side < 500 else 14 if short_side < 900 else 26


def paste_stamp(stamp: Path, background: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return a cut-out object on a photo crop with random blur."""
    image = Image.open(stamp).convert("RGBA")
    scale = rng.uniform(120, 250) / max(image.size)
    image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.LANCZOS)
    canvas = Image.fromarray(cv2.GaussianBlur(background, (0, 0), rng.uniform(0.1, 3))).convert("RGBA")
    position = (rng.randint(0, SIZE + 1 - image.width), rng.randint(0, SIZE + 1 - image.height))
    canvas.alpha_composite(image, position)
    return np.asarray(canvas.convert("RGB"))


def jitter(image: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Apply random gamma, exposure and white balance, like different cameras."""
    gamma, gain = np.exp(rng.uniform(-0.35, 0.35)), rng.uniform(0.8, 1.15)
    balance = rng.uniform(0.92, 1.08, 3)
    return np.clip((image / 255.0) ** gamma * gain * balance * 255, 0, 255).astype(np.uint8)


def video_frames(path: Path) -> list[np.ndarray]:
    """Return all frames of a video as RGB."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(np.ascontiguousarray(frame[:, :, ::-1]))


def centre_square(image: np.ndarray) -> np.ndarray:
    """Return the middle square, scaled to SIZE."""
    height, width = image.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(image[y : y + side, x : x + side])
    return cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side >= SIZE else cv2.INTER_CUBIC)
