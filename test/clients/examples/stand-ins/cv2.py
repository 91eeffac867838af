"""Stand-in for OpenCV: its camera is a Motion JPEG file, and its window counts pictures."""

from pathlib import Path

import simplejpeg

COLOR_BGR2RGB = 4
COLOR_RGB2BGR = 4


class VideoCapture:
    def __init__(self, source: str) -> None:
        data = Path(source).read_bytes()
        ends = [i + 2 for i in range(len(data)) if data[i : i + 2] == b"\xff\xd9"]
        self._files = iter([data[start:end] for start, end in zip([0, *ends], ends)])

    def read(self):
        file = next(self._files, None)
        return file is not None, None if file is None else simplejpeg.decode_jpeg(file, colorspace="BGR")


def cvtColor(picture, code):
    return picture[:, :, ::-1]


def imshow(name, picture) -> None:
    print(f"{name}: {picture.shape}")


def waitKey(milliseconds: int) -> int:
    return -1
