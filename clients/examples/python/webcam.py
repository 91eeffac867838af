"""Paints a camera or a video. With OpenCV (pip install opencv-python) results are shown in a window:

    python webcam.py 0 "oil painting"

Without it, the source is a Motion JPEG file, and results go to another one:

    python webcam.py clip.mjpeg "oil painting" --out painted.mjpeg
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import millrace

try:
    import cv2
except ImportError:
    cv2 = None


def read_camera(source: str) -> Iterator[object]:
    """Yield RGB arrays from a camera (its number) or a video file, as OpenCV reads them."""
    camera = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    while True:
        found, picture = camera.read()
        if not found:
            return
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_motion_jpeg(source: str) -> Iterator[bytes]:
    """Yield the JPEG files in a Motion JPEG file; these have no thumbnails."""
    data = Path(source).read_bytes()
    start = 0
    while (end := data.find(b"\xff\xd9", start) + 2) > 1:
        yield data[start:end]
        start = end


def main() -> None:
    """Send each picture, and show or write its result."""
    arguments = argparse.ArgumentParser(description="Paints a camera or a video.")
    arguments.add_argument("source", help="number of a camera, or a video file")
    arguments.add_argument("prompt", nargs="?", default="oil painting")
    arguments.add_argument("--out", type=Path, help="write the results to this file (Motion JPEG), and show nothing")
    arguments.add_argument("--count", type=int, help="stop after this many pictures")
    options = arguments.parse_args()
    if cv2 is None and (options.source.isdecimal() or options.out is None):
        arguments.error("without OpenCV, give a Motion JPEG file and --out (or: pip install opencv-python)")

    pictures = read_motion_jpeg(options.source) if cv2 is None else read_camera(options.source)
    server = os.environ.get("MILLRACE_URL", "http://127.0.0.1:8420")
    painted = options.out.open("wb") if options.out else None
    with millrace.connect_sync(server, {"prompt": options.prompt}) as stream:
        for number, picture in enumerate(pictures):
            if number == options.count:
                break
            stream.send(picture)
            frame = next(stream)
            print(f"frame {frame.id}: {frame.timings['total']:.0f} ms")
            if painted:
                painted.write(frame.data)
                continue
            cv2.imshow("painted", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
            if cv2.waitKey(1) == 27:
                break
    if painted:
        painted.close()


if __name__ == "__main__":
    main()
