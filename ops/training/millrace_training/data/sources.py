"""The sources of photos: Debian packages, and which of their files are photos.

Licences are those of the pictures used, from /usr/share/doc/PACKAGE/copyright; README.md
lists them. `keep` decides by a file's path in the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

OPENCV_DATA = "usr/share/doc/opencv-doc/examples/data/"

# Held out of all training, for the evaluation: the face portrait and two videos.
HELD_OUT_PORTRAIT = "astronaut.png"
HELD_OUT_VIDEOS = ("vtest.avi", "tree.avi")

_PLASMA_PHOTOS = (
    "Autumn", "BytheWater", "ColorfulCups", "EveningGlow", "FallenLeaf", "Grey", "Kite",
    "DarkestHour", "OneStandsOut", "Cascade", "summer_1am", "ColdRipple",
)  # fmt: skip
_SKIMAGE_PHOTOS = (
    "coffee.png", "chelsea.png", "camera.png", "rocket.jpg", "motorcycle_left.png", "brick.png",
    "grass.png", "gravel.png", "ihc.png", "hubble_deep_field.jpg", "retina.jpg",
)  # fmt: skip
_OPENCV_NOT_PHOTOS = (
    "logo", "right0", "right1", "left0", "left1", "gradient", "chess", "digits", "mask", "notes",
    "opencv", "pic", "text_", "sudoku", "alo", "templ", "tmpl", "imagetext", "blob", "ellip",
    "cards", "ml.", "happyfish", "pca", "box.png", "detect", "suzanne", "stereo",
)  # fmt: skip
_STELLARIUM_PHOTOS = ("guereins", "hurricane", "garching-", "Sterngarten_2010")
_STAMPS_NOT_USED = ("cartoon", "symbols", "mirror", "_flip")


@dataclass(frozen=True)
class Package:
    """A Debian package, and how to pick its photos."""

    name: str
    licences: str
    keep: Callable[[str], bool]


def _opencv(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return OPENCV_DATA in path and "/dnn/" not in path and not any(word in name for word in _OPENCV_NOT_PHOTOS)


def _plasma(path: str) -> bool:
    return any(word in path for word in _PLASMA_PHOTOS) or ("Shell" in path and "5120" in path)


PHOTO_PACKAGES: tuple[Package, ...] = (
    Package("endless-sky-data", "CC-BY-SA-3.0/4.0, CC-BY-4.0, public domain", lambda p: "/images/land" in p or "/images/scene" in p),
    Package("opencv-doc", "Apache-2.0, BSD-3-Clause", _opencv),
    Package("hugin-data", "GPL-2+", lambda p: p.lower().endswith(".jpg") and "pref" not in p.lower()),
    Package("stellarium-data", "GPL-2+", lambda p: any(word in p for word in _STELLARIUM_PHOTOS)),
    Package("plasma-workspace-wallpapers", "GPL-2+", _plasma),
    Package("lomiri-wallpapers-16.04", "CC-BY-SA-3.0/4.0, CC-BY-4.0", lambda p: True),
    Package("lomiri-wallpapers-20.04", "CC-BY-SA-3.0/4.0, CC-BY-4.0", lambda p: True),
    Package("mate-backgrounds", "GPL-2+, CC-BY-SA-4.0", lambda p: "mate/nature" in p or "Elephants_3840" in p),
    Package("python3-skimage", "BSD-3-Clause", lambda p: PurePosixPath(p).name in _SKIMAGE_PHOTOS),
    Package("ukui-wallpapers", "CC-BY-SA-3.0", lambda p: ".jpg" in p or "calla" in p),
)
STAMP_PACKAGE = Package("tuxpaint-stamps-default", "GPL-2", lambda p: p.endswith(".png") and not any(w in p for w in _STAMPS_NOT_USED))
WORDS_PACKAGE = Package("wamerican", "public domain", lambda p: p.endswith("american-english"))
# The same words, by how common they are.
COMMON_WORDS_PACKAGE = Package("scowl", "SCOWL (permissive)", lambda p: "/scowl/english-" in p)
FACES_PACKAGE = Package("opencv-data", "BSD-3-Clause", lambda p: "haarcascades" in p)  # finds faces in the evaluation
PACKAGE_NAMES: tuple[str, ...] = (
    *(package.name for package in PHOTO_PACKAGES),
    STAMP_PACKAGE.name,
    WORDS_PACKAGE.name,
    COMMON_WORDS_PACKAGE.name,
    FACES_PACKAGE.name,
)
