"""Measures of each look as people see it, at its own strength and steps.

How far it is from the photo, whether strength leads from the photo to the look without turns,
whether its pattern repeats or stands on the screen, and whether faces stay faces.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..pictures import psnr
from ..styles import LOOKS, Look
from ..styles.noise import FACTOR, noise_of
from ..unet.schedule import ORIGINAL_STEPS, even_steps
from .faces import FaceFinder
from .measures import distance
from .model import FinishedModel
from .pattern import agreement, flat_picture, flatness, period, sticks

_SIDE, _FLAT_SIDE = 192, 256  # pixels: of the window that pans, and of the flat picture
_EDGE = 32  # pixels of it that do not count
_PAN = 4  # pixels to the right with each frame: one latent
_STRENGTHS = (46, 43, 40, 37, 34, 31, 28, 25)  # t_index from the photo to the full look
_SLACK = 0.5  # of 255: a step back that nobody sees


def steps_of(look: Look) -> list[int]:
    """Return the t_index that the server makes of a look's strength and steps."""
    return even_steps(round(ORIGINAL_STEPS * (1 - look.strength)), look.steps)


def _pan(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two windows [2, side, side, 3] of a photo, the second with everything _PAN pixels further right, and their noises."""
    windows = np.stack([photo[:_SIDE, start : start + _SIDE] for start in (_PAN, 0)])
    cells = _SIDE // FACTOR
    wide = noise_of(11, cells, cells + _PAN // FACTOR)
    return windows, np.stack([wide[:, :, _PAN // FACTOR :], wide[:, :, :cells]])


def _portraits(photos: np.ndarray, faces: FaceFinder) -> np.ndarray:
    """Return the photos that have a face, and their mirror images."""
    found = photos[[bool(faces.faces(photo)) for photo in photos]]
    return np.concatenate([found, found[:, :, ::-1]])


def faces_kept(model: FinishedModel, look: Look, portraits: np.ndarray, faces: FaceFinder) -> float:
    """Return how much of the faces is found again in the look."""
    drawn = model.draw(portraits, model.embed([look.prompt]), steps_of(look))
    seen = 255 - drawn if look.light_on_dark else drawn  # detectors look for dark eyes
    return float(np.mean([share for photo, picture in zip(portraits, seen) for share in faces.kept(photo, picture)]))


def measure_look(model: FinishedModel, look: Look, photos: np.ndarray, panned: np.ndarray) -> dict[str, float]:
    """Measure one look on held-out photos; `panned` ones move."""
    embedding, steps = model.embed([look.prompt]), steps_of(look)
    drawn = model.draw(photos, embedding, steps)
    alike = psnr(photos, drawn)
    row = {"psnr to photo": float(alike.mean()), "at most": float(alike.max())}
    from_photo = [distance(photos, model.draw(photos, embedding, [index])) for index in _STRENGTHS]
    row["monotone"] = float((np.diff(from_photo) > -_SLACK).all())
    flat = model.draw(flat_picture(_FLAT_SIDE)[None], embedding, steps)[0]
    row["period"] = period(flat[_EDGE:-_EDGE, _EDGE:-_EDGE])
    shares: dict[str, list[float]] = {"pan, noise stands": [], "pan, noise moves": []}
    for photo in panned:
        windows, moving = _pan(photo)
        where = flatness(windows[1])
        where[:_EDGE] = where[-_EDGE:] = where[:, :_EDGE] = where[:, -_EDGE:] = False
        if where.mean() < 0.02:
            continue
        for key, noise in (("pan, noise stands", moving[[1, 1]]), ("pan, noise moves", moving)):
            first, second = model.draw(windows, embedding, steps, noise=noise)
            shares[key].append(agreement(*sticks(first, second, _PAN, 0, where)))
    row |= {key: float(np.mean(values)) for key, values in shares.items() if values}
    return {key: round(value, 3) for key, value in row.items()}


def measure_looks(model: FinishedModel, photos: np.ndarray, faces: FaceFinder | None) -> dict[str, Any]:
    """Measure every look of a model. The first photos are portraits."""
    panned = sorted(photos, key=lambda photo: -flatness(photo).mean())[:3]
    table: dict[str, Any] = {name: measure_look(model, LOOKS[name], photos, np.stack(panned)) for name in model.looks}
    if faces and len(portraits := _portraits(photos, faces)):
        for name in model.looks:
            table[name]["faces"] = round(faces_kept(model, LOOKS[name], portraits, faces), 3)
    free = [name for name in model.looks if not LOOKS[name].regular]
    drawn = [name for name in model.looks if not LOOKS[name].coarse]
    moves = [table[name]["pan, noise moves"] for name in free if "pan, noise moves" in table[name]]
    return {
        **table,
        "within 20 dB of the photo": [name for name in model.looks if table[name]["psnr to photo"] > 20],
        "period of 0.2 or more": [name for name in free if table[name]["period"] >= 0.2],
        "strength turns back": [name for name in model.looks if not table[name]["monotone"]],
        "pattern moves with the picture, if the noise does": round(float(np.mean(moves)), 3) if moves else None,
        "faces lost by more than a twentieth": [name for name in drawn if table[name].get("faces", 1.0) < 0.95],
    }
