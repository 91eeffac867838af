"""Contact sheets: all prompts over held-out pictures, an overview, and the effect of further steps."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import torch

from ..parallel import pick_device
from ..run_folder import RunFolder
from ..styles import FINISHES, LOOKS, STYLES
from ..targets import looks_of
from .model import FinishedModel
from .report import BY_COUNT, ONE_STEP, STEP_LISTS, prompt_of

# Beside the prompt of each look.
_MORE_PROMPTS = [
    "a photo, golden hour", "winter, snow", "anime style, purple", "oil painting, autumn", "as if Vincent had painted us", "a robot", "picasso",
    "hogwarts", "zorgblat fnord",
]  # fmt: skip
_BLENDS = [("watercolor painting", "blueprint"), ("oil painting", "neon lights")]
_FIRST_LOOK = [
    "van gogh painting", "oil painting", "embroidery", "woodcut", "pencil sketch", "neon lights", "on fire", "a robot made of chrome",
    "roman mosaic",
]  # fmt: skip
_STEPS_SHOWN = {"oil": 1, "gogh": 1, "comic": 1, "engraving": 6, "neon": 1, "vapor": 26, "fire": 6, "ice": 1, "lego": 1}  # style, photo
_DETAIL = slice(24, 152)  # of rows and columns: the enlarged detail
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


def write_sheets(run: RunFolder, folder: Path, name: str, size: int) -> None:
    """Write evaluation/NAME.png, NAME-styles.png and NAME-steps.png; pictures of the first two are `size` pixels wide."""
    run.evaluation.mkdir(parents=True, exist_ok=True)
    model = FinishedModel(folder, pick_device("auto"))
    photos, videos = np.load(run.held_out), np.load(run.held_out_video)
    _write(run.evaluation / f"{name}.png", _all_prompts(model, _prompts(run), photos, videos), size / photos.shape[1])
    _write(run.evaluation / f"{name}-styles.png", _first_look(model, photos, videos), size / photos.shape[1])
    _write(run.evaluation / f"{name}-steps.png", _steps(model, photos), 1)


def _prompts(run: RunFolder) -> list[str]:
    return ["", *(LOOKS[name].prompt for name in looks_of(run)), *_MORE_PROMPTS]


def _write(path: Path, sheet: np.ndarray, scale: float) -> None:
    cv2.imwrite(str(path), cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :, ::-1])


def _first_look(model: FinishedModel, photos: np.ndarray, videos: np.ndarray) -> np.ndarray:
    """Rows: a face, a photo and a street, each with one step and below with two; a column for each prompt."""
    pictures = np.stack([photos[1], photos[26], videos[0, 0]])
    columns = [np.repeat(pictures, 2, 0)]
    for text in _FIRST_LOOK:
        one, two = (model.draw(pictures, model.embed([text]), STEP_LISTS[label]) for label in BY_COUNT[:2])
        columns.append(np.stack([one, two], 1).reshape(-1, *pictures.shape[1:]))
    return np.concatenate([np.concatenate(list(column)) for column in columns], 1)


def _all_prompts(model: FinishedModel, texts: list[str], photos: np.ndarray, videos: np.ndarray) -> np.ndarray:
    """Columns: portrait, face, three photos and both videos with one step; then the face with two, three and four."""
    pictures = np.concatenate([photos[[0, 1, 6, 26, 50]], videos[:, 0]])
    prompts: list[tuple[str, torch.Tensor]] = [(text, model.embed([text])) for text in texts]
    prompts += [(f"blend: {a} + {b}", (model.embed([a]) + model.embed([b])) / 2) for a, b in _BLENDS]
    side = pictures.shape[1]
    rows = [np.concatenate([_label("input", side), *pictures, *[pictures[1]] * len(BY_COUNT[1:])], 1)]
    for text, embedding in prompts:
        drawn = [*model.draw(pictures, embedding, ONE_STEP)]
        drawn += [model.draw(pictures[1:2], embedding, STEP_LISTS[label])[0] for label in BY_COUNT[1:]]
        rows.append(np.concatenate([_label(text, side), *drawn], 1))
    return np.concatenate(rows)


def _steps(model: FinishedModel, photos: np.ndarray) -> np.ndarray:
    """Columns: details at twice their size: photo, one step, two, four, and the target; a row for each style."""
    columns = {"photo": None, "1 step": BY_COUNT[0], "filter": None, "2 steps": BY_COUNT[1], "4 steps": BY_COUNT[3], "finish": None}
    side = 2 * (_DETAIL.stop - _DETAIL.start)
    head = [cv2.resize(_label(title, 40), (side, 40), interpolation=cv2.INTER_AREA) for title in columns]
    rows = [np.concatenate([np.full((40, _LABEL_WIDTH, 3), 255, np.uint8), *head], 1)]
    for style, number in _STEPS_SHOWN.items():
        photo = photos[number : number + 1]
        embedding = model.embed([prompt_of(style, None, random.Random(1))])
        target = STYLES[style](photo[0])
        drawn = {"photo": photo[0], "filter": target, "finish": FINISHES[style](target)}
        drawn |= {title: model.draw(photo, embedding, STEP_LISTS[label])[0] for title, label in columns.items() if label}
        details = [np.repeat(np.repeat(drawn[title][_DETAIL, _DETAIL], 2, 0), 2, 1) for title in columns]
        rows.append(np.concatenate([_label(style, side), *details], 1))
    return np.concatenate(rows)
