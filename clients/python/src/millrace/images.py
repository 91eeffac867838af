"""JPEG files to arrays and back, with numpy and simplejpeg (``millrace[numpy]``), and masks to PNG files."""

from __future__ import annotations

import struct
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image: TypeAlias = npt.NDArray[np.uint8]
    Mask: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.bool_]

_DIMENSIONS = 3
_CHANNELS = 3
_MASK_DIMENSIONS = 2


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


def encode_mask(mask: Mask) -> bytes:
    """Encode an array of uint8 or bool with the shape (height, width) as a grey PNG file: without loss.

    Raises TypeError for another type or shape of array.
    """
    import numpy as np

    if mask.dtype not in (np.uint8, np.bool_) or mask.ndim != _MASK_DIMENSIONS:
        message = f"a mask must be a uint8 or bool array with the shape (height, width), not {mask.dtype} {mask.shape}"
        raise TypeError(message)
    levels = mask if mask.dtype == np.uint8 else np.where(mask, np.uint8(255), np.uint8(0))
    height, width = mask.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    # Each row begins with its filter: none.
    rows = np.pad(levels, ((0, 0), (1, 0)))
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in chunks)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


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
