"""The style filters: each maps an RGB uint8 picture [H, W, 3] to its styled version.

The order of STYLES is part of a trained model's labels: append, never reorder.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import drawing, graphic, light, painting

StyleFilter = Callable[[np.ndarray], np.ndarray]

STYLES: dict[str, StyleFilter] = {
    "oil": painting.oil,
    "gogh": painting.gogh,
    "pencil": drawing.pencil,
    "cpencil": drawing.cpencil,
    "water": painting.water,
    "comic": painting.comic,
    "lineart": drawing.lineart,
    "pixel": graphic.pixel,
    "glass": graphic.glass,
    "neon": light.neon,
    "cyber": light.cyber,
    "charcoal": drawing.charcoal,
    "blueprint": drawing.blueprint,
    "thermal": light.thermal,
    "sepia": light.sepia,
    "noir": light.noir,
    "popart": graphic.popart,
    "anime": painting.anime,
    "negative": light.negative,
    "nightvis": light.nightvis,
    "vapor": light.vapor,
    "emboss": drawing.emboss,
    "chalk": drawing.chalk,
    "gameboy": graphic.gameboy,
    "vhs": light.vhs,
    "ukiyo": painting.ukiyo,
    "lego": graphic.lego,
}
STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
