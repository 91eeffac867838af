"""Writes a short video of every style: both held-out clips, the camera at the left, the model at the right."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image

from ..parallel import pick_device
from ..run_folder import RunFolder
from .model import FinishedModel
from .report import ONE_STEP, prompt_of

_FRAME_MILLISECONDS = 80


def write_videos(run: RunFolder, folder: Path, target: Path) -> None:
    """Write animated WebP files target/STYLE.webp, frames [2 * 256, 2 * 256, 3], one step, fixed noise."""
    model = FinishedModel(folder, pick_device("auto"))
    clips = np.load(run.held_out_video)
    target.mkdir(parents=True, exist_ok=True)
    for index, style in enumerate(model.looks):
        embedding = model.embed([prompt_of(style, None, random.Random(index))])
        rows = [np.concatenate([clip, model.draw(clip, embedding, ONE_STEP)], 2) for clip in clips]
        first, *others = (Image.fromarray(frame) for frame in np.concatenate(rows, 1))
        first.save(target / f"{style}.webp", save_all=True, append_images=others, duration=_FRAME_MILLISECONDS, loop=0, quality=80)
        print("videos:", style, flush=True)
