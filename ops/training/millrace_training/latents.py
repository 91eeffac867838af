"""Stage `latents`: encodes the U-Net's training data once.

For each crop: the photo, its styled versions, two of those with a mood, the photo with a
mood; then the finished versions of all styled ones. Finished chunks are marked, so that a
stopped run can continue.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from .autoencoder.model import FACTOR, LATENT_CHANNELS, encode, load_autoencoder
from .moods import MOOD_NAMES, apply_mood
from .parallel import Group
from .pictures import to_tensor
from .run_folder import RunFolder
from .styles import FINISHES, STYLE_NAMES
from .targets import TARGETS_PER_CROP

STYLE_MOODS = 2  # styled versions with a mood
LABELLED_SLOTS = 1 + TARGETS_PER_CROP + STYLE_MOODS + 1
STYLED_SLOTS = range(1, 1 + TARGETS_PER_CROP + STYLE_MOODS)
SLOTS = LABELLED_SLOTS + len(STYLED_SLOTS)
_CHUNK = 32  # crops


def labels_of_crop(index: int, styles: np.ndarray) -> np.ndarray:
    """Return int [LABELLED_SLOTS, 2]: style and mood of each of a crop's latents, -1 for none."""
    rng = np.random.RandomState(5000 + index)
    plain = [(-1, -1), *((int(style), -1) for style in styles)]
    moody_styles = rng.choice(styles, STYLE_MOODS, replace=False)
    moody = [(int(style), int(rng.randint(len(MOOD_NAMES)))) for style in (*moody_styles, -1)]
    return np.array(plain + moody, np.int32)


def finished_slot(slot: int) -> int:
    """Return the slot with the finished version of a slot: itself if it has no style."""
    return LABELLED_SLOTS + STYLED_SLOTS.index(slot) if slot in STYLED_SLOTS else slot


def labelled_picture(photo: np.ndarray, targets: np.ndarray, labels: np.ndarray, slot: int) -> np.ndarray:
    """Return the picture [256, 256, 3] of a crop's slot: the photo or a target, finished or not, with or without a mood."""
    finished = slot >= LABELLED_SLOTS
    style, mood = (int(label) for label in labels[STYLED_SLOTS[slot - LABELLED_SLOTS] if finished else slot])
    plain = photo if style < 0 else targets[list(labels[1 : 1 + len(targets), 0]).index(style)]
    if finished:
        plain = FINISHES[STYLE_NAMES[style]](plain)
    return plain if mood < 0 else apply_mood(plain, MOOD_NAMES[mood])


def make_latents(group: Group, run: RunFolder, autoencoder: Path, starts: list[int]) -> None:
    """Encode this process's share of the chunks into latents.npy."""
    torch.set_grad_enabled(False)
    model = load_autoencoder(autoencoder, group.device)
    crops = np.load(run.crops, mmap_mode="r")
    targets = np.load(run.targets, mmap_mode="r")
    labels = np.load(run.latent_labels)
    latents = np.load(run.latents, mmap_mode="r+")
    done_path = run.root / f"latents.done.{group.rank}"
    starts = starts[group.rank :: group.size]
    with done_path.open("a") as log:
        for count, start in enumerate(starts, 1):
            for index in range(start, min(start + _CHUNK, len(crops))):
                pictures = np.stack([labelled_picture(crops[index], targets[index], labels[index], slot) for slot in range(SLOTS)])
                with group.autocast():
                    latents[index] = encode(model, to_tensor(pictures, group.device)).half().cpu().numpy()
            latents.flush()
            log.write(f"{start}\n")
            log.flush()
            if group.leads and count % 10 == 0:
                print(f"latents: {count}/{len(starts)} chunks", flush=True)


def encoded_crops(run: RunFolder) -> np.ndarray:
    """Return int [n]: the crops whose latents exist; the U-Net can start before all are written."""
    count = len(np.load(run.latent_labels, mmap_mode="r"))
    ranges = [np.arange(start, min(start + _CHUNK, count)) for start in _finished(run)]
    return np.concatenate([np.empty(0, int), *ranges])


def _finished(run: RunFolder) -> list[int]:
    """Return the first crop of each finished chunk."""
    return sorted(int(line) for path in run.root.glob("latents.done.*") for line in path.read_text().split())


def prepare_latents(run: RunFolder, autoencoder: Path) -> partial[None]:
    """Create the files of a folder of crops. Returns the work for each process."""
    styles = np.load(run.target_styles)
    size = np.load(run.crops, mmap_mode="r").shape[1] // FACTOR
    np.save(run.latent_labels, np.stack([labels_of_crop(i, s) for i, s in enumerate(styles)]))
    if not run.latents.exists():
        np.lib.format.open_memmap(run.latents, "w+", np.float16, (len(styles), SLOTS, LATENT_CHANNELS, size, size))
    finished = set(_finished(run))
    return partial(make_latents, run=run, autoencoder=autoencoder, starts=[s for s in range(0, len(styles), _CHUNK) if s not in finished])
