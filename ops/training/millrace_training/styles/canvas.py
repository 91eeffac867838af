"""A picture with everything that looks are painted from, computed once for all looks of a picture."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .flow import Flow, flow_of
from .noise import FACTOR, noise_of, plane
from .pixels import blur, calm, daub, luma, unit

# Of 1: detail that is fainter than this leaves the marks to the noise. More noise than this cannot be seen in the latents
# of photos (median correlation of its fine part at t_index 25: 0.98 in a flat area, 0.14 in a photo).
_GRAIN = 0.010
_LONG, _SHORT = 24.0, 10.0  # pixels: lengths of brush marks and of fine ones


def _even(field: np.ndarray, reach: float, floor: float = 1e-3) -> np.ndarray:
    """Scale a plane so that it varies as much everywhere: deviation about 1 within the reach."""
    return field / (np.sqrt(blur(field * field, reach)) + floor)


class Canvas:
    """A uint8 picture [H, W, 3], and the noise [4, H/4, W/4] that its stream adds first."""

    def __init__(self, image: np.ndarray, noise: np.ndarray | None = None):
        self.image = np.ascontiguousarray(image)
        self.shape: tuple[int, int] = image.shape[:2]
        height, width = self.shape
        self.noise = noise_of(0, -(-height // FACTOR), -(-width // FACTOR)) if noise is None else noise

    @cached_property
    def picture(self) -> np.ndarray:
        """float32 [H, W, 3]."""
        return unit(self.image)

    @cached_property
    def gray(self) -> np.ndarray:
        """Brightness without grain [H, W]."""
        return luma(self.soft)

    @cached_property
    def soft(self) -> np.ndarray:
        """The picture without grain and faint texture, float32."""
        return unit(calm(self.image))

    @cached_property
    def daubs(self) -> np.ndarray:
        """The picture in flat daubs with clear edges, float32."""
        return daub(self.image, 1.6)

    @cached_property
    def flow(self) -> Flow:
        return flow_of(self.gray)

    @cached_property
    def seed(self) -> np.ndarray:
        """What marks grow from [H, W], deviation about 1: the picture's detail, and the noise where there is none."""
        gray = luma(self.picture)
        fine = blur(gray, 0.8) - blur(gray, 3)  # without the grain of single pixels, which cameras change with each frame
        return _even(fine + _GRAIN * plane(self.noise, *self.shape), 6)

    @cached_property
    def grain(self) -> np.ndarray:
        """Fine grain [H, W] of the noise alone, deviation about 1."""
        return plane(self.noise, *self.shape)

    @cached_property
    def clouds(self) -> np.ndarray:
        """Soft blotches [H, W] of about 15 pixels, deviation about 1: where the noise is strong and where weak."""
        strong = blur(np.abs(self.grain), 4)
        return _even(strong - blur(strong, 20), 30)

    @cached_property
    def marks(self) -> np.ndarray:
        """Long brush marks [H, W] along the picture's forms, deviation about 1."""
        return _even(self.flow.along(self.seed, _LONG), 12)

    @cached_property
    def strokes(self) -> np.ndarray:
        """Shorter, finer marks [H, W] along the picture's forms, deviation about 1."""
        return _even(self.flow.along(self.seed, _SHORT), 8)

    @cached_property
    def wide_marks(self) -> np.ndarray:
        """Broad marks [H, W], deviation about 1."""
        return _even(blur(self.flow.along(self.seed, _LONG), 2.2), 12)

    @cached_property
    def detail(self) -> np.ndarray:
        """Where the picture has small forms [H, W], 0..1: eyes, letters, people far away."""
        fine = np.abs(self.gray - blur(self.gray, 3))
        share = np.clip((blur(fine, 1.5) - 0.012) / 0.035, 0, 1)
        return share * share * (3 - 2 * share)

    @cached_property
    def ink(self) -> np.ndarray:
        """Clean lines [H, W] in 0..1 along the picture's forms: a difference of Gaussians, averaged along the line."""
        near, far = blur(self.gray, 1.2), blur(self.gray, 3.0)
        dark = self.flow.along((far - near) / (0.2 + far), 8)
        return np.clip((dark - 0.012) * 10, 0, 1)
