"""The direction in which a picture's forms run, and averages along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from .pixels import blur, slopes

_FINE, _WIDE, _FAR = 2.0, 7.0, 20.0  # pixels: reach of the structure tensor, where forms are, near them, and far from them


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return columns, rows


def moved(picture: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return at each place what lies so many pixels to the right of and below it."""
    columns, rows = _places(*picture.shape[:2])
    across, along = (columns + right).astype(np.float32), (rows + down).astype(np.float32)
    return cv2.remap(picture.astype(np.float32, copy=False), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


@dataclass(frozen=True)
class Flow:
    """A direction at each place as a unit vector [H, W]; which of its two ends is meant is left open."""

    x: np.ndarray
    y: np.ndarray
    coherence: np.ndarray  # 0..1: whether the forms here have one direction

    def along(self, picture: np.ndarray, length: float) -> np.ndarray:
        """Average along the direction over about `length` pixels: line integral convolution by repeated doubling."""
        reach = 1.0
        while True:
            right, down = reach * self.x, reach * self.y
            picture = 0.4 * picture + 0.3 * (moved(picture, right, down) + moved(picture, -right, -down))
            if 4 * reach >= length:
                return picture
            reach *= 2

    def across(self, picture: np.ndarray, distance: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what lies at a distance on either side of the direction."""
        right, down = -distance * self.y, distance * self.x
        return moved(picture, right, down), moved(picture, -right, -down)

    def turned(self, angle: np.ndarray | float) -> Flow:
        """Return the directions turned by an angle [H, W]."""
        cosine, sine = np.cos(angle), np.sin(angle)
        return Flow(
            (self.x * cosine - self.y * sine).astype(np.float32), (self.x * sine + self.y * cosine).astype(np.float32), self.coherence
        )


def flow_of(gray: np.ndarray) -> Flow:
    """Return the direction of a plane's outlines; where there are none, that of those around.

    It is the smaller eigenvector of the structure tensor, summed over three reaches that are
    weighted by how little the smaller ones see.
    """
    right, down = slopes(gray, 1.0)
    tensor = np.stack([right * right, down * down, right * down], -1)
    fine = blur(tensor, _FINE)
    wide = blur(fine, _WIDE)
    far = cv2.resize(
        cv2.GaussianBlur(cv2.resize(wide, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), _FAR / 4), gray.shape[::-1]
    )
    mixed = fine + 0.3 * wide + 0.3 * far
    difference, both = mixed[..., 0] - mixed[..., 1], 2 * mixed[..., 2]
    # The outlines' direction is at a right angle to the slopes'; a faint slant prevails where there are none.
    angle = 0.5 * np.arctan2(both + 2e-4, difference) + np.pi / 2
    total = fine[..., 0] + fine[..., 1]
    spread = np.hypot(fine[..., 0] - fine[..., 1], 2 * fine[..., 2])
    coherence = np.clip(spread / (total + 2e-3), 0, 1)
    return Flow(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32), coherence.astype(np.float32))
