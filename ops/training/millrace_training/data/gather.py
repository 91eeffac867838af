"""Stage `data`: fetch the Debian packages, pick their photos, cut crops.

Writes crops.npy, large/crops.npy, plain/crops.npy, held-out.npy, held-out-video.npy and held-out.txt (the held-out photos).
"""

from __future__ import annotations

import os
import random
import subprocess
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from ..moods import apply_mood
from ..run_folder import RunFolder, write_atomically
from .crops import SIZE, centre_square, crops_for, cut, cut_large, jitter, load_photo, paste_stamp, video_frames
from .plain import plain_picture
from .sources import HELD_OUT_PORTRAIT, HELD_OUT_VIDEOS, OPENCV_DATA, PACKAGE_NAMES, PHOTO_PACKAGES, STAMP_PACKAGE

_LARGE_CROPS = 240  # at most
_PLAIN_CROPS = 320
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SMALLEST_FILE = 25_000  # bytes; smaller files are icons
_VIDEO_CLIP = 24  # frames kept of each held-out video
_HELD_OUT_SHARE = 20  # one photo in this many is held out
_GREY_EVERY, _FIRST_GREY = 12, 5  # one crop in 12 is made grey, like cameras in the dark and old photos; the packages have few


def fetch_packages(folder: Path) -> None:
    """Download and unpack every package that is not unpacked yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGE_NAMES:
        unpacked = folder / name
        if unpacked.exists():
            continue
        if not list(folder.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", name], cwd=folder, check=True)
        partial = folder / f"{name}.partial"
        subprocess.run(["dpkg-deb", "-x", str(next(folder.glob(f"{name}_*.deb"))), str(partial)], check=True)
        os.replace(partial, unpacked)
        print("data: unpacked", name, flush=True)


def _pictures(folder: Path) -> list[Path]:
    paths = (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in _SUFFIXES)
    return [p for p in paths if not p.is_symlink() and p.is_file() and p.stat().st_size >= _SMALLEST_FILE]


def find_photos(packages: Path, extra: list[Path]) -> list[Path]:
    """Return the packages' photos and all pictures in the extra folders."""
    photos = []
    for package in PHOTO_PACKAGES:
        base = packages / package.name
        photos += [p for p in _pictures(base) if package.keep(str(p.relative_to(base)))]
    for folder in extra:
        photos += _pictures(folder)
    return photos


def _cut_photo(job: tuple[int, Path]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a photo's crops, and its large ones."""
    seed, path = job
    image = load_photo(path)
    return cut(image, crops_for(min(image.shape[:2])), np.random.RandomState(seed)), cut_large(image, np.random.RandomState(seed))


def _held_out_portrait(packages: Path) -> list[np.ndarray]:
    image = load_photo(next(packages.rglob(HELD_OUT_PORTRAIT)))
    face = np.ascontiguousarray(image[0:256, 100:356])
    return [cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA), face]


def gather(run: RunFolder, extra: list[Path], workers: int, most: int | None = None) -> None:
    """Write at most `most` crops, unless they exist."""
    if run.crops.exists() and run.held_out_video.exists():
        print("data: already done")
        return
    fetch_packages(run.packages)
    photos = find_photos(run.packages, extra)
    random.Random(0).shuffle(photos)
    held_out_count = max(12, len(photos) // _HELD_OUT_SHARE)
    with Pool(workers) as pool:
        crops_of_photo, large_of_photo = zip(*pool.map(_cut_photo, list(enumerate(photos)), chunksize=2))
    held_out = _held_out_portrait(run.packages) + [c for crops in crops_of_photo[:held_out_count] for c in crops[:4]]
    crops = [c for photo_crops in crops_of_photo[held_out_count:] for c in photo_crops]
    from_photos = len(crops)

    rng = np.random.RandomState(1)
    stamps_folder = run.packages / STAMP_PACKAGE.name
    stamps = [p for p in _pictures(stamps_folder) if STAMP_PACKAGE.keep(str(p.relative_to(stamps_folder)))]
    for stamp in stamps:
        crops += [paste_stamp(stamp, crops[rng.randint(from_photos)], rng) for _ in range(2)]
    crops = [jitter(crop, rng) if rng.rand() < 0.5 else crop for crop in crops]
    order = np.random.RandomState(2).permutation(len(crops))[:most]

    videos = run.packages / "opencv-doc" / OPENCV_DATA
    clips = [np.stack([centre_square(f) for f in video_frames(videos / name)[-_VIDEO_CLIP:]]) for name in HELD_OUT_VIDEOS]
    _save(run.held_out, np.stack(held_out))
    _save(run.held_out_video, np.stack(clips))
    (run.root / "held-out.txt").write_text("\n".join(str(p) for p in photos[:held_out_count]) + "\n")
    chosen = np.stack([crops[i] for i in order])
    for index in range(_FIRST_GREY, len(chosen), _GREY_EVERY):
        chosen[index] = apply_mood(chosen[index], "mono")
    large = np.stack([c for photo_crops in large_of_photo[held_out_count:] for c in photo_crops][: _LARGE_CROPS if most is None else 4])
    _save(run.large.crops, large)
    _save(run.plain.crops, np.stack([plain_picture(seed) for seed in range(_PLAIN_CROPS if most is None else 4)]))
    _save(run.crops, chosen)
    counts = {"photos": len(photos), "stamps": len(stamps), "crops": len(order), "large": len(large)}
    run.log("data", **counts, held_out_photos=held_out_count, held_out=len(held_out))


def _save(path: Path, array: np.ndarray) -> None:
    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.save(file, array)

    write_atomically(path, write)
