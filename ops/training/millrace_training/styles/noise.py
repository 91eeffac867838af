"""The noise that a stream's first step adds, as the seed of brush marks.

Marks cannot be invented: a network would have to guess them, and a guess is a blur. What it
sees is the picture with noise, so the marks of a look grow from both, the picture's fine
detail and the noise. Marks that grow from detail move with the picture; those of flat areas
move with it if the noise does.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch

CHANNELS, FACTOR = 4, 4  # of latents; pixels of a latent's side
_CELL = FACTOR // 2  # pixels: side of a cell of `plane`
_BAND = 3.0  # cells: the picture hides what is wider


@lru_cache(maxsize=4)
def noise_of(seed: int, rows: int, columns: int) -> np.ndarray:
    """Return the noise float32 [4, rows, columns] that a stream with this seed adds first."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn((1, CHANNELS, rows, columns), generator=generator)[0].numpy()


def plane(noise: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return latents' noise as one plane [height, width] of deviation about 1, without its coarse part."""
    _, rows, columns = noise.shape
    cells = noise.reshape(2, 2, rows, columns).transpose(2, 0, 3, 1).reshape(2 * rows, 2 * columns)
    band = (cells - cv2.GaussianBlur(cells, (0, 0), _BAND)).astype(np.float32)
    return 1.3 * cv2.resize(band, (_CELL * 2 * columns, _CELL * 2 * rows), interpolation=cv2.INTER_CUBIC)[:height, :width]
