"""Contact sheets: prompts over held-out pictures, and what further steps do."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import torch

from ..parallel import pick_device
from ..run_folder import RunFolder
from ..styles import STYLES
from .model import FinishedModel
from .report import ONE_STEP, STEP_LISTS, prompt_of

_PROMPTS = [
    "", "oil painting of a portrait", "a van gogh style painting", "pencil sketch", "colored pencil drawing", "watercolor painting",
    "comic book", "ink line art", "pixel art, 8-bit game", "stained glass window", "neon lights, glowing edges", "cyberpunk city",
    "charcoal drawing", "blueprint, technical drawing", "thermal camera", "vintage sepia photo", "film noir", "pop art by andy warhol",
    "anime style, studio ghibli", "photo negative", "night vision", "vaporwave", "marble relief", "chalk on a blackboard", "game boy",
    "old vhs tape", "ukiyo-e print", "made of lego bricks", "a photo, golden hour", "winter, snow", "anime style, purple",
    "oil painting, autumn", "as if Vincent had painted us", "zorgblat fnord",
]  # fmt: skip
_BLENDS = [("watercolor painting", "blueprint"), ("oil painting", "neon lights")]
_FURTHER = ("[35,42]", "[35,40,45]", "[35,38,42,46]")
_STEPS_SHOWN = {"gogh": 1, "comic": 1, "ukiyo": 6, "chalk": 1, "anime": 6, "gameboy": 6}  # styles, each over a held-out photo
_DETAIL = slice(24, 152)  # of rows and columns: what is shown enlarged
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
    """Columns: portrait, face, three photos and both videos with one step; then the face with two, three and four."""
    model = FinishedModel(folder, pick_device("auto"))
    photos, videos = np.load(run.held_out), np.load(run.held_out_video)
    pictures = np.concatenate([photos[[0, 1, 6, 26, 50]], videos[:, 0]])
    prompts: list[tuple[str, torch.Tensor]] = [(text, model.embed([text])) for text in _PROMPTS]
    prompts += [(f"blend: {a} + {b}", (model.embed([a]) + model.embed([b])) / 2) for a, b in _BLENDS]
    side = pictures.shape[1]
    rows = [np.concatenate([_label("input", side), *pictures, *[pictures[1]] * len(_FURTHER)], 1)]
    for text, embedding in prompts:
        drawn = [*model.draw(pictures, embedding, ONE_STEP)]
        drawn += [model.draw(pictures[1:2], embedding, STEP_LISTS[label])[0] for label in _FURTHER]
        rows.append(np.concatenate([_label(text, side), *drawn], 1))
    sheet = np.concatenate(rows)
    scale = size / side
    sheet = cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), sheet[:, :, ::-1])


def write_steps(run: RunFolder, folder: Path, path: Path) -> None:
    """Details at twice their size: photo, one step, two, four, and the filter that they aim at; a style a row."""
    model = FinishedModel(folder, pick_device("auto"))
    photos = np.load(run.held_out)
    columns = {"photo": None, "1 step": "[35]", "2 steps": "[35,42]", "4 steps": "[35,38,42,46]", "filter": None}
    side = 2 * (_DETAIL.stop - _DETAIL.start)
    head = [cv2.resize(_label(title, 40), (side, 40), interpolation=cv2.INTER_AREA) for title in columns]
    rows = [np.concatenate([np.full((40, _LABEL_WIDTH, 3), 255, np.uint8), *head], 1)]
    for style, number in _STEPS_SHOWN.items():
        photo = photos[number : number + 1]
        embedding = model.embed([prompt_of(style, None, random.Random(1))])
        drawn = {"photo": photo[0], "filter": STYLES[style](photo[0])}
        drawn |= {title: model.draw(photo, embedding, STEP_LISTS[label])[0] for title, label in columns.items() if label}
        details = [np.repeat(np.repeat(drawn[title][_DETAIL, _DETAIL], 2, 0), 2, 1) for title in columns]
        rows.append(np.concatenate([_label(style, side), *details], 1))
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1])
