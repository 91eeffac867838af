"""JPEG files to arrays and back, with numpy and simplejpeg (``millrace[numpy]``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image: TypeAlias = npt.NDArray[np.uint8]

_DIMENSIONS = 3
_CHANNELS = 3


def encode_image(image: Image, quality: int = 85) -> bytes:
    """Encode an RGB array of uint8 with the shape (height, width, 3) as a JPEG file.

    Raises TypeError for another type or shape of array, ImportError without simplejpeg.
    """
    import numpy as np
    import simplejpeg

    if image.dtype != np.uint8 or image.ndim != _DIMENSIONS or image.shape[2] != _CHANNELS:
        message = f"a frame must be a uint8 array with the shape (height, width, 3), not {image.dtype} {image.shape}"
        raise TypeError(message)
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality=quality, colorspace="RGB", colorsubsampling="420"
    )
    return encoded


def decode_image(data: bytes) -> Image:
    """Decode a JPEG file to an RGB array of uint8 with the shape (height, width, 3).

    Raises ValueError if it is not a JPEG file, ImportError without simplejpeg.
    """
    import simplejpeg

    decoded: Image = simplejpeg.decode_jpeg(data, colorspace="RGB")
    return decoded


class Picture:
    """What has a JPEG file as its ``data``."""

    data: bytes

    @cached_property
    def image(self) -> Image:
        """The picture as an RGB array of uint8 with the shape (height, width, 3); needs ``millrace[numpy]``."""
        return decode_image(self.data)
