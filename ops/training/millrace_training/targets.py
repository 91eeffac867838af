"""Stage `targets`: the styled versions of every training crop.

Each crop gets TARGETS_PER_CROP random styles without repetition. Finished chunks are
marked, so that a stopped run can continue.
"""

from __future__ import annotations

from multiprocessing import Pool
from pathlib import Path

import numpy as np

from .run_folder import RunFolder
from .styles import STYLE_NAMES, STYLES

TARGETS_PER_CROP = 5
_CHUNK = 64  # crops


def styles_of_crop(index: int) -> np.ndarray:
    """Return int [K]: the styles of a crop, which depend only on its number."""
    return np.random.RandomState(1000 + index).choice(len(STYLE_NAMES), TARGETS_PER_CROP, replace=False)


def _fill_chunk(job: tuple[Path, Path, int]) -> int:
    crops_path, targets_path, start = job
    crops = np.load(crops_path, mmap_mode="r")
    targets = np.load(targets_path, mmap_mode="r+")
    for index in range(start, min(start + _CHUNK, len(crops))):
        image = np.ascontiguousarray(crops[index])
        for slot, style in enumerate(styles_of_crop(index)):
            targets[index, slot] = STYLES[STYLE_NAMES[style]](image)
    targets.flush()
    return start


def make_targets(run: RunFolder, workers: int) -> None:
    """Write targets.npy and target-styles.npy."""
    crops = np.load(run.crops, mmap_mode="r")
    shape = (len(crops), TARGETS_PER_CROP, *crops.shape[1:])
    if not run.targets.exists():
        np.lib.format.open_memmap(run.targets, "w+", np.uint8, shape)
    done_path = run.root / "targets.done"
    done = {int(line) for line in done_path.read_text().split()} if done_path.exists() else set()
    jobs = [(run.crops, run.targets, s) for s in range(0, len(crops), _CHUNK) if s not in done]
    with Pool(workers) as pool, done_path.open("a") as log:
        for finished, start in enumerate(pool.imap_unordered(_fill_chunk, jobs), 1):
            log.write(f"{start}\n")
            log.flush()
            if finished % 20 == 0:
                print(f"targets: {finished}/{len(jobs)} chunks", flush=True)
    np.save(run.target_styles, np.stack([styles_of_crop(i) for i in range(len(crops))]).astype(np.int32))
    run.log("targets", crops=len(crops), styles=len(STYLE_NAMES), per_crop=TARGETS_PER_CROP)
