"""A contact sheet: rows are prompts, columns held-out pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from ..parallel import pick_device
from ..run_folder import RunFolder
from .model import FinishedModel

_PROMPTS = [
    "", "oil painting of a portrait", "a van gogh style painting", "pencil sketch", "colored pencil drawing", "watercolor painting",
    "comic book", "ink line art", "pixel art, 8-bit game", "stained glass window", "neon lights, glowing edges", "cyberpunk city",
    "charcoal drawing", "blueprint, technical drawing", "thermal camera", "vintage sepia photo", "film noir", "pop art by andy warhol",
    "anime style, studio ghibli", "photo negative", "night vision", "vaporwave", "marble relief", "chalk on a blackboard", "game boy",
    "old vhs tape", "ukiyo-e print", "made of lego bricks", "a photo, golden hour", "winter, snow", "anime style, purple",
    "oil painting, autumn", "as if Vincent had painted us", "zorgblat fnord",
]  # fmt: skip
_BLENDS = [("watercolor painting", "blueprint"), ("oil painting", "neon lights")]
_LABEL_WIDTH = 170


def _label(text: str, height: int) -> np.ndarray:
    image = np.full((height, _LABEL_WIDTH, 3), 255, np.uint8)
    lines, line = [], ""
    for word in (text or "(empty)").split():
        if len(line) + len(word) > 19:
            lines.append(line)
            line = ""
        line += word + " "
    for row, content in enumerate([*lines, line]):
        cv2.putText(image, content, (4, 24 + 18 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return image


def write_montage(run: RunFolder, folder: Path, path: Path, size: int) -> None:
    """Columns: portrait, face, three photos and both videos with one step [32]; then the face with [38], [38,44] and [38,41,44,47]."""
    model = FinishedModel(folder, pick_device("auto"))
    photos, videos = np.load(run.held_out), np.load(run.held_out_video)
    pictures = np.concatenate([photos[[0, 1, 6, 26, 50]], videos[:, 0]])
    prompts: list[tuple[str, torch.Tensor]] = [(text, model.embed([text])) for text in _PROMPTS]
    prompts += [(f"blend: {a} + {b}", (model.embed([a]) + model.embed([b])) / 2) for a, b in _BLENDS]
    side = pictures.shape[1]
    rows = [np.concatenate([_label("input", side), *pictures, *[pictures[1]] * 3], 1)]
    for text, embedding in prompts:
        drawn = [*model.draw(pictures, embedding, [32])]
        drawn += [model.draw(pictures[1:2], embedding, indices)[0] for indices in ([38], [38, 44], [38, 41, 44, 47])]
        rows.append(np.concatenate([_label(text, side), *drawn], 1))
    sheet = np.concatenate(rows)
    scale = size / side
    sheet = cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), sheet[:, :, ::-1])
