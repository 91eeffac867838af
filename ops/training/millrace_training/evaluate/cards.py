"""Pictures for the web page: a card for each one-click style of a model, and a hero of slanted strips."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np

from ..data.crops import load_photo
from ..parallel import pick_device
from .model import FinishedModel
from .report import ONE_STEP

_CARD = 96  # pixels
_HERO = (1280, 736)
_STRIPS = ["pencil sketch", "van gogh painting", "vaporwave aesthetic", "neon lights", "oil painting"]
_SEAMS = [290, 722, 904, 1105]  # x where each strip ends at the top; _SLANT pixels further left at the bottom
_SLANT = 107
_QUALITY = [cv2.IMWRITE_WEBP_QUALITY, 82]


def _resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _hero(model: FinishedModel, picture: np.ndarray) -> np.ndarray:
    """Return the hero [736, 1280, 3]: the upper part of a square picture, painted at half that size."""
    width, height = _HERO
    side = picture.shape[1]
    left, top, across = int(0.09 * side), int(0.02 * side), int(0.85 * side)
    part = picture[top : top + across * height // width, left : left + across]
    half = _resized(part, width // 2, height // 2)
    rows, columns = np.mgrid[0:height, 0:width]
    place = columns + rows * _SLANT / height
    hero = np.zeros((height, width, 3), np.uint8)
    for number, prompt in enumerate(_STRIPS):
        painted = _resized(model.draw(half[None], model.embed([prompt]), ONE_STEP)[0], width, height)
        start = _SEAMS[number - 1] + 1.5 if number else 0
        end = _SEAMS[number] if number < len(_SEAMS) else np.inf
        inside = (place >= start) & (place < end)
        hero[inside] = painted[inside]
    return hero


def write_cards(folder: Path, picture: Path, target: Path) -> None:
    """Write target/styles/PROMPT.webp for each style in the model's millrace.json, and target/hero.webp, from a square picture."""
    model = FinishedModel(folder, pick_device("auto"))
    photo = load_photo(picture)
    (target / "styles").mkdir(parents=True, exist_ok=True)
    small = _resized(photo, 256, 256)
    for style in json.loads((folder / "millrace.json").read_text())["styles"]:
        name = re.sub(r"[^a-z0-9]+", "-", style["prompt"].lower())
        card = _resized(model.draw(small[None], model.embed([style["prompt"]]), ONE_STEP)[0][:192, 32:224], _CARD, _CARD)
        cv2.imwrite(str(target / f"styles/{name}.webp"), card[..., ::-1], _QUALITY)
    cv2.imwrite(str(target / "hero.webp"), _hero(model, photo)[..., ::-1], _QUALITY)
