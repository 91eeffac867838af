"""Looks of paint, ink and paper, whose marks follow the picture."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .lattices import PERIOD, halftone
from .painterly import contrast, in_strokes, kuwahara, lit, mix, pigment, ramp, rgb, smooth, soft_bands
from .pixels import blur, local_tone, luma, saturate

_PAPER = rgb(247, 242, 230)


def _layers(canvas: Canvas, picture: np.ndarray, width: float) -> np.ndarray:
    """Paint in broad strokes, and in fine ones where the picture has forms (Hertzmann 1998)."""
    broad = in_strokes(canvas.flow.along(blur(picture, 2.0), 16), canvas.wide_marks, canvas.flow, 1.6 * width)
    fine = in_strokes(canvas.flow.along(picture, 6), canvas.marks, canvas.flow, width)
    small = kuwahara(canvas.picture, canvas.flow, 3, 1.1)
    return mix(mix(broad, fine, smooth(canvas.detail, 0.0, 0.4)), small, 0.8 * smooth(canvas.detail, 0.45, 0.95))


def _shapes(canvas: Canvas, width: float) -> np.ndarray:
    """Return the picture in flat shapes, float32; smaller ones where it has small forms."""
    fine = kuwahara(canvas.picture, canvas.flow, 4, 1.3)
    broad = kuwahara(kuwahara(canvas.picture, canvas.flow, 2 * width, width), canvas.flow, 2 * width, width)
    return mix(broad, fine, smooth(canvas.detail, 0.05, 0.6))


def oil(canvas: Canvas) -> np.ndarray:
    """Layered strokes of rich, thick paint."""
    paint = _layers(canvas, kuwahara(canvas.picture, canvas.flow, 6, 2), 1.4)
    rich = contrast(saturate(paint, 1.5), 1.22, 0.52) * np.array([1.04, 0.98, 0.86], np.float32)
    height = 0.5 * canvas.marks + 0.5 * canvas.wide_marks
    return rich * (1 + 0.06 * height[..., None]) + 0.09 * lit(height, 1.0)[..., None]


def gogh(canvas: Canvas) -> np.ndarray:
    """Thick curling marks in the blues and yellows of the Starry Night."""
    broad = in_strokes(canvas.flow.along(kuwahara(canvas.picture, canvas.flow, 8, 2.5), 12), canvas.wide_marks, canvas.flow, 2.2)
    paint = mix(broad, kuwahara(canvas.picture, canvas.flow, 3, 1.1), 0.85 * smooth(canvas.detail, 0.3, 0.8))  # eyes stay eyes
    tone = local_tone(luma(paint), 0.6) + 0.09 * canvas.wide_marks
    night = ramp(tone, (0, (6, 14, 58)), (0.25, (22, 58, 132)), (0.5, (66, 130, 178)), (0.72, (214, 186, 88)), (1, (255, 242, 176)))
    colour = 0.45 * saturate(paint, 1.7) + 0.55 * night
    return colour * (1 + 0.10 * canvas.wide_marks[..., None]) + 0.11 * lit(canvas.wide_marks, 1.0)[..., None]


def water(canvas: Canvas) -> np.ndarray:
    """Transparent washes on paper: pigment gathers at their edges and in the paper's dents."""
    flat = _shapes(canvas, 3.0)
    banded = flat * (0.55 + 0.45 * soft_bands(canvas, luma(flat), 5, 0.035) / np.maximum(luma(flat), 0.08))[..., None]
    wash = 1 - (1 - np.clip(saturate(banded, 1.5), 0, 1)) ** 1.65  # thin paint lets the paper shine through
    tone = luma(wash)
    rim = np.clip(blur(tone, 2.6) - blur(tone, 0.7), 0, 0.2) * 4.5
    density = 1 + 0.22 * canvas.clouds + 1.6 * rim + 0.16 * canvas.grain * (1.2 - tone)
    thin = smooth(tone, 0.80, 0.98)
    paint = pigment(np.clip(wash, 0, 1), density) * (1 - 0.45 * canvas.ink * canvas.detail)[..., None]
    return mix(paint, np.broadcast_to(_PAPER, paint.shape), thin) * (0.985 + 0.015 * canvas.grain[..., None]) * _PAPER**0.5


def gouache(canvas: Canvas) -> np.ndarray:
    """Matt, opaque shapes of few milky colours, with dry brush at their edges."""
    flat = _shapes(canvas, 3.5)
    shapes = mix(in_strokes(flat, canvas.wide_marks, canvas.flow, 2.4), flat, canvas.detail)
    tone = np.maximum(luma(shapes), 0.06)
    matt = shapes * (soft_bands(canvas, local_tone(tone, 0.3), 4, 0.02) / tone)[..., None]
    milky = rgb(60, 42, 40) + 0.84 * saturate(np.clip(matt, 0, 1), 1.9)
    return milky * (1 + 0.035 * canvas.strokes - 0.4 * canvas.ink * canvas.detail)[..., None]


def softpastel(canvas: Canvas) -> np.ndarray:
    """Soft chalk pastels on tinted, rough paper."""
    colour = canvas.flow.along(kuwahara(canvas.picture, canvas.flow, 6, 2.5), 10)
    chalk = (0.24 + 0.78 * np.clip(saturate(colour, 1.6), 0, 1)) * (1 - 0.6 * canvas.ink)[..., None]
    cover = smooth(0.55 * canvas.strokes + 0.45 * canvas.grain + 1.6 * canvas.detail, -1.7, 0.7)
    return mix(np.broadcast_to(rgb(128, 92, 96), chalk.shape), chalk, 0.25 + 0.75 * cover)


def pencil(canvas: Canvas) -> np.ndarray:
    """Graphite: lines along the forms, shade in strokes, the paper's tooth."""
    tone = local_tone(canvas.gray, 0.5)
    dark = 1.15 - tone
    shade = smooth(dark + (0.16 * canvas.strokes + 0.06 * canvas.grain) * dark, 0.22, 1.25)
    value = (1 - 0.72 * shade) * (1 - 0.75 * canvas.ink)
    return value[..., None] * rgb(250, 249, 246) + 0.02


def charcoal(canvas: Canvas) -> np.ndarray:
    """Broad, smudged charcoal that catches on rough paper; deep blacks, lifted lights."""
    tone = local_tone(blur(canvas.flow.along(canvas.gray, 10), 1.2), 0.7)
    dark = 1 - tone
    dust = 1.25 * dark - 0.12 + (0.16 * canvas.marks + 0.12 * canvas.grain) * dark * (0.4 + tone)
    value = 0.97 - 0.9 * smooth(np.maximum(dust, 0.95 * canvas.ink), 0.02, 1.05)
    return value[..., None] * rgb(244, 240, 232)


def ukiyo(canvas: Canvas) -> np.ndarray:
    """A Japanese woodblock print: flat inks from indigo to cream, fading tones, key lines, mulberry paper."""
    flat = kuwahara(kuwahara(canvas.picture, canvas.flow, 6, 3), canvas.flow, 6, 3.5)
    tone = soft_bands(canvas, local_tone(luma(flat), 0.5), 4)
    inks = ramp(tone, (0, (28, 42, 78)), (0.25, (62, 96, 128)), (0.5, (166, 160, 132)), (0.75, (232, 202, 150)), (1, (246, 232, 198)))
    warm = flat - luma(flat)[..., None]
    colour = inks + 0.7 * np.clip(warm, -0.35, 0.35)
    line = np.clip(1.25 * canvas.ink, 0, 1)
    return mix(colour * (1 + 0.025 * canvas.strokes[..., None]), np.broadcast_to(rgb(24, 28, 52), colour.shape), 0.9 * line)


def anime(canvas: Canvas) -> np.ndarray:
    """Flat cel shading in two tones, clean lines, bright eyes and sky."""
    flat = kuwahara(kuwahara(canvas.picture, canvas.flow, 6, 2.2), canvas.flow, 6, 2.5)
    tone = np.maximum(luma(flat), 0.05)
    cel = soft_bands(canvas, np.clip(local_tone(tone, 0.35) ** 0.8, 0, 1), 4)
    colour = saturate(np.clip(flat * (0.25 + 0.75 * cel / tone)[..., None], 0, 1), 1.75) + rgb(4, 6, 16)
    shine = np.clip(canvas.gray - blur(canvas.gray, 3) - 0.06, 0, 1)  # highlights, as in eyes
    bloom = blur(np.clip(colour - 0.72, 0, 1), 6)
    return mix(colour + 0.7 * bloom + 2.2 * shine[..., None], np.broadcast_to(rgb(46, 30, 52), colour.shape), 0.85 * canvas.ink)


def comic(canvas: Canvas) -> np.ndarray:
    """Bold ink, flat printed colours, and halftone dots in the shade."""
    flat = kuwahara(kuwahara(canvas.picture, canvas.flow, 6, 2.5), canvas.flow, 6, 3)
    tone = np.maximum(luma(flat), 0.05)
    level = soft_bands(canvas, np.clip(1.15 * local_tone(tone, 0.4) ** 0.85, 0, 1), 3)
    colour = np.clip(saturate(flat * (0.15 + 0.85 * level / tone)[..., None], 2.1), 0.02, 1)
    shade = smooth(0.75 - local_tone(canvas.gray, 0.5), 0.0, 0.5)
    dots = smooth(halftone(*tone.shape) - 1 + shade, -0.12, 0.12) * (shade > 0.02)
    black = np.maximum(np.clip(1.5 * canvas.ink, 0, 1), smooth(0.2 - local_tone(canvas.gray, 0.5), 0, 0.06))
    return mix(colour * (1 - 0.42 * dots[..., None]), np.broadcast_to(rgb(16, 12, 20), colour.shape), black)


def woodcut(canvas: Canvas) -> np.ndarray:
    """Black ink cut in broad gouges along the forms, on cream paper."""
    tone = local_tone(blur(canvas.gray, 1), 0.8)
    cut = smooth(0.30 * canvas.wide_marks + 2.6 * (tone - 0.47), -0.22, 0.22)
    value = cut * (1 - np.clip(1.4 * canvas.ink, 0, 1))
    return mix(np.broadcast_to(rgb(26, 22, 20), canvas.picture.shape), np.broadcast_to(rgb(240, 228, 200), canvas.picture.shape), value)


def engraving(canvas: Canvas) -> np.ndarray:
    """A steel engraving: fine swelling lines along the forms, in dark green as on banknotes."""
    tone = local_tone(canvas.gray, 0.7)
    lines = smooth(0.42 * canvas.strokes + 2.4 * (tone - 0.5), -0.45, 0.45)
    value = lines * (1 - canvas.ink)
    return mix(np.broadcast_to(rgb(18, 52, 44), canvas.picture.shape), np.broadcast_to(rgb(232, 236, 218), canvas.picture.shape), value)


def pointillism(canvas: Canvas) -> np.ndarray:
    """Dots of pure colours that mix in the eye."""
    colour = blur(canvas.picture, 1.6)
    first = np.tanh(2.4 * blur(canvas.grain, 1.4))
    second = np.tanh(2.4 * blur(canvas.seed, 1.4))
    hue = saturate(contrast(mix(colour, canvas.soft, canvas.detail), 1.2), 2.3)
    calm = 0.6 + 0.4 * (1 - canvas.detail)
    pure = hue + (0.18 * first * calm)[..., None] * rgb(255, 40, -230) + (0.14 * second * calm)[..., None] * rgb(-150, 230, 60)
    return pure + 0.08 * np.abs(first)[..., None]


def cubism(canvas: Canvas) -> np.ndarray:
    """Facets of ochre, grey and blue, each lit from its own side."""
    flat = kuwahara(kuwahara(canvas.picture, canvas.flow, 10, 5), canvas.flow, 10, 6)
    cosine, sine = (blur(part, 4) for part in (canvas.flow.x**2 - canvas.flow.y**2, 2 * canvas.flow.x * canvas.flow.y))
    facet = np.floor(np.arctan2(sine, cosine) / (np.pi / 2) + 2).astype(int) % 4  # forms of about one direction become one plane
    row, column = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]]
    side = blur(np.choose(facet, (column, row + column, row, row - column)).astype(np.float32) % PERIOD / PERIOD, 0.8)
    tone = soft_bands(canvas, local_tone(luma(flat), 0.5), 4)
    planes = ramp(
        0.8 * tone + 0.24 * side,
        (0, (34, 30, 34)),
        (0.3, (86, 84, 92)),
        (0.55, (168, 128, 82)),
        (0.8, (214, 190, 144)),
        (1, (240, 230, 205)),
    )
    colour = planes + 0.75 * (flat - luma(flat)[..., None])
    return mix(colour, np.broadcast_to(rgb(22, 18, 18), colour.shape), 0.8 * np.clip(1.3 * canvas.ink, 0, 1))


def papercut(canvas: Canvas) -> np.ndarray:
    """Layers of cut coloured paper, each with its shadow on the one below."""
    flat = _shapes(canvas, 4.0)
    tone = local_tone(luma(flat), 0.5)
    layer = soft_bands(canvas, tone, 4)
    hue = np.clip(saturate(flat / np.maximum(luma(flat), 0.12)[..., None] * 0.62, 1.9), 0.03, 1)
    colour = np.clip(hue * (0.32 + 1.2 * layer)[..., None], 0, 1)
    shadow = np.clip(blur(np.roll(layer, (4, 3), (0, 1)), 2.5) - layer, 0, 1)
    edge = np.clip(lit(layer, 0.7), 0, 1)
    colour = colour * (1 - 0.55 * canvas.ink * canvas.detail)[..., None]
    return colour * (1 - 1.3 * shadow[..., None]) + 0.14 * edge[..., None] + 0.012 * canvas.grain[..., None]


def graffiti(canvas: Canvas) -> np.ndarray:
    """Spray paint on a wall: loud fills, black outlines, overspray and drips."""
    flat = kuwahara(kuwahara(canvas.picture, canvas.flow, 8, 4), canvas.flow, 8, 4)
    tone = soft_bands(canvas, local_tone(luma(flat), 0.6), 3)
    loud = saturate(ramp(tone, (0, (32, 16, 70)), (0.34, (210, 30, 130)), (0.67, (250, 150, 30)), (1, (250, 236, 90))), 1.1)
    colour = 0.55 * loud + 0.6 * saturate(flat, 2.2) - 0.05
    spray = np.clip(np.maximum(canvas.ink, blur(canvas.ink, 1.6) * 1.5) + 0.45 * blur(canvas.ink, 5) * (1 + 0.7 * canvas.grain), 0, 1)
    wall = 1 + 0.07 * canvas.grain + 0.05 * canvas.strokes
    return mix(colour, np.broadcast_to(rgb(14, 10, 22), colour.shape), spray) * wall[..., None]
