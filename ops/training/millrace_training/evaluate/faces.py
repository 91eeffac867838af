"""Whether a face stays a face: the cascades of Debian's opencv-data find the face and its eyes again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

_FACE, _EYE = "haarcascade_frontalface_alt2.xml", "haarcascade_eye.xml"
_OVERLAP = 0.4  # of the union, for the same face
_EYE_SHIFT = 0.15  # of a face's width, for the same eye
_SURE = 8  # windows: what is an eye in a photo
_UPPER = 0.6  # part of a face where eyes are

Box = tuple[int, int, int, int]  # left, top, width, height


class FaceFinder:
    """Finds faces and eyes in uint8 pictures [H, W, 3]."""

    def __init__(self, folder: Path):
        self._face, self._eye = (cv2.CascadeClassifier(str(folder / name)) for name in (_FACE, _EYE))

    def faces(self, picture: np.ndarray) -> list[Box]:
        gray = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        return [tuple(int(v) for v in box) for box in self._face.detectMultiScale(gray, 1.05, 2, minSize=(40, 40))]

    def eyes(self, picture: np.ndarray, face: Box, sure: int) -> np.ndarray:
        """Return the middles of eyes that `sure` neighbouring windows agree on, [N, 2]: right and down, as shares of the face's width."""
        left, top, width, height = face
        upper = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[top : top + int(_UPPER * height), left : left + width]
        scale = 240 / width
        upper = cv2.equalizeHist(cv2.resize(upper, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
        found = self._eye.detectMultiScale(upper, 1.05, sure, minSize=(24, 24))
        return np.array([((x + w / 2) / 240, (y + h / 2) / 240) for x, y, w, h in found], np.float32).reshape(-1, 2)

    def kept(self, photo: np.ndarray, painted: np.ndarray) -> list[float]:
        """Return for each face of the photo how much of it is found in the painted picture: the face counts half, its eyes the rest."""
        shares = []
        there = self.faces(painted)
        for face in self.faces(photo):
            same = next((other for other in there if _overlap(face, other) >= _OVERLAP), None)
            eyes = self.eyes(photo, face, _SURE)
            # Eyes are looked for at the photo's face, so that a face that is found elsewhere by a hair does not lose them.
            seen = self.eyes(painted, face, 1)
            found = [bool(len(seen)) and float(np.hypot(*(seen - eye).T).min()) <= _EYE_SHIFT for eye in eyes]
            shares.append((float(same is not None) + (float(np.mean(found)) if found else float(same is not None))) / 2)
        return shares


def _overlap(first: Box, second: Box) -> float:
    across = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    down = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    shared = max(across, 0) * max(down, 0)
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)
