"""Stage `targets`: the styled versions of every training crop.

Each crop gets TARGETS_PER_CROP random styles without repetition, painted with a noise of its
own: the one that its first step gets in training. Finished chunks are marked, so that a
stopped run can continue.
"""

from __future__ import annotations

from multiprocessing import Pool

import numpy as np

from .run_folder import RunFolder
from .styles import LOOKS, STYLE_NAMES, Canvas
from .styles.noise import FACTOR, noise_of

TARGETS_PER_CROP = 5
_CHUNK = 64  # crops


def looks_of(run: RunFolder) -> tuple[str, ...]:
    """Return the looks that a run trains: all, or those of its looks.txt."""
    return tuple(run.looks.read_text().split()) if run.looks.exists() else STYLE_NAMES


def choose_looks(run: RunFolder, names: list[str]) -> None:
    """Write looks.txt. An empty list leaves the run's choice as it is."""
    unknown = [name for name in names if name not in STYLE_NAMES]
    if unknown:
        raise SystemExit(f"targets: unknown looks: {', '.join(unknown)} (known: {', '.join(STYLE_NAMES)})")
    if names:
        run.looks.write_text("\n".join(name for name in STYLE_NAMES if name in names) + "\n")


def styles_of_crop(index: int, looks: tuple[str, ...] = STYLE_NAMES) -> np.ndarray:
    """Return int [K]: the styles of a crop, which depend only on its number and the run's looks."""
    known = np.array([STYLE_NAMES.index(name) for name in looks])
    return np.random.RandomState(1000 + index).choice(known, TARGETS_PER_CROP, replace=len(known) < TARGETS_PER_CROP)


def noise_of_crop(index: int, side: int) -> np.ndarray:
    """Return the noise [4, side, side] of latents that a crop's targets are painted with."""
    return noise_of(1000 + index, side, side)


def _fill_chunk(job: tuple[RunFolder, tuple[str, ...], int]) -> int:
    run, looks, start = job
    crops = np.load(run.crops, mmap_mode="r")
    targets = np.load(run.targets, mmap_mode="r+")
    for index in range(start, min(start + _CHUNK, len(crops))):
        canvas = Canvas(crops[index], noise_of_crop(index, crops.shape[1] // FACTOR))
        for slot, style in enumerate(styles_of_crop(index, looks)):
            targets[index, slot] = LOOKS[STYLE_NAMES[style]].paint(canvas)
    targets.flush()
    return start


def make_targets(run: RunFolder, workers: int, looks: tuple[str, ...]) -> None:
    """Write targets.npy and target-styles.npy."""
    crops = np.load(run.crops, mmap_mode="r")
    shape = (len(crops), TARGETS_PER_CROP, *crops.shape[1:])
    if not run.targets.exists():
        np.lib.format.open_memmap(run.targets, "w+", np.uint8, shape)
    done_path = run.root / "targets.done"
    done = {int(line) for line in done_path.read_text().split()} if done_path.exists() else set()
    jobs = [(run, looks, s) for s in range(0, len(crops), _CHUNK) if s not in done]
    with Pool(workers) as pool, done_path.open("a") as log:
        for finished, start in enumerate(pool.imap_unordered(_fill_chunk, jobs), 1):
            log.write(f"{start}\n")
            log.flush()
            if finished % 20 == 0:
                print(f"targets: {finished}/{len(jobs)} chunks", flush=True)
    np.save(run.target_styles, np.stack([styles_of_crop(i, looks) for i in range(len(crops))]).astype(np.int32))
    run.log("targets", crops=len(crops), styles=len(looks), per_crop=TARGETS_PER_CROP)
