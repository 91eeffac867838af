"""Pictures for the web page: a card for each style and mood of a model, and a hero of slanted strips."""

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

_TWO_STEPS = [*ONE_STEP, 37]  # what the server makes of two steps and strength 0.5
_CARD = (256, 192)  # width and height in pixels
_HERO = (1280, 736)
_STRIPS = ["pencil sketch", "van gogh painting", "vaporwave aesthetic", "neon lights", "oil painting"]
_SEAMS = [290, 722, 904, 1105]  # x where each strip ends at the top; _SLANT pixels further left at the bottom
_SLANT = 107
_QUALITY = [cv2.IMWRITE_WEBP_QUALITY, 76]


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
    """Write target/styles/PROMPT.webp for each style and mood in the model's millrace.json, and target/hero.webp, from a square picture."""
    model = FinishedModel(folder, pick_device("auto"))
    photo = load_photo(picture)
    (target / "styles").mkdir(parents=True, exist_ok=True)
    side = photo.shape[1]
    left, across = int(0.09 * side), int(0.85 * side)
    small = _resized(photo[: across * _CARD[1] // _CARD[0], left : left + across], *_CARD)
    settings = json.loads((folder / "millrace.json").read_text())
    for style in settings["styles"] + settings["moods"]:
        name = re.sub(r"[^a-z0-9]+", "-", style["prompt"].lower())
        steps = _TWO_STEPS if style.get("steps", 1) > 1 else ONE_STEP
        card = model.draw(small[None], model.embed([style["prompt"]]), steps)[0]
        cv2.imwrite(str(target / f"styles/{name}.webp"), card[..., ::-1], _QUALITY)
    cv2.imwrite(str(target / "hero.webp"), _hero(model, photo)[..., ::-1], _QUALITY)
