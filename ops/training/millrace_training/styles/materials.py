"""Looks of materials: what the picture shows is carved, cast, woven or cut."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .flow import moved
from .lattices import blocks, tile
from .painterly import Colour, contrast, kuwahara, lit, mix, ramp, relief, rgb, smooth, soft_bands
from .pixels import blur, local_tone, luma, saturate


def _form(canvas: Canvas) -> np.ndarray:
    """Return the height [H, W] of the picture as a sculpture."""
    return blur(relief(local_tone(canvas.gray, 0.4)), 0.6)


def _metal(canvas: Canvas, *stops: tuple[float, Colour]) -> np.ndarray:
    """Polished metal: bright and dark bands of a mirrored surrounding, by tone and slope."""
    height = _form(canvas)
    tone = local_tone(blur(canvas.gray, 1), 0.5)
    light = lit(height, 1.6)
    mirrored = 0.5 + 0.5 * np.sin(7.5 * tone + 2.2 * light + 0.5)
    surface = np.clip(0.85 * contrast(tone, 1.35) + 0.26 * mirrored + 0.42 * light - 0.06, 0, 1)
    glint = smooth(light + 0.6 * mirrored, 0.75, 1.2)
    return ramp(surface, *stops) + 0.55 * glint[..., None]


def robot(canvas: Canvas) -> np.ndarray:
    """Chrome and steel with dark seams and cold lights."""
    metal = _metal(canvas, (0, (8, 10, 16)), (0.3, (62, 72, 88)), (0.55, (138, 152, 170)), (0.8, (208, 220, 232)), (1, (255, 255, 255)))
    hot = np.clip(canvas.soft[..., 0] - canvas.soft[..., 2], 0, 1)  # warm colours become lit diodes
    seams = mix(metal, np.broadcast_to(rgb(6, 8, 14), metal.shape), 0.75 * canvas.ink)
    return seams + 0.16 * hot[..., None] * rgb(40, 190, 255)


def gold(canvas: Canvas) -> np.ndarray:
    """Polished gold."""
    return _metal(canvas, (0, (44, 22, 4)), (0.3, (132, 78, 14)), (0.55, (212, 150, 40)), (0.8, (250, 214, 104)), (1, (255, 250, 214)))


def bronze(canvas: Canvas) -> np.ndarray:
    """Cast bronze with green patina in its hollows."""
    metal = _metal(canvas, (0, (20, 14, 10)), (0.35, (84, 52, 30)), (0.65, (150, 100, 58)), (0.9, (214, 170, 116)), (1, (246, 222, 178)))
    hollow = smooth(blur(_form(canvas), 4) - _form(canvas) + 0.02 * canvas.wide_marks, 0.015, 0.10)
    return mix(metal, metal * rgb(90, 190, 160) + rgb(4, 20, 16), 0.5 * hollow)


def marble(canvas: Canvas) -> np.ndarray:
    """Polished white marble with grey veins, lit from the upper left."""
    tone = local_tone(blur(canvas.gray, 0.8), 0.5)
    light = lit(_form(canvas), 1.2)
    vein = smooth(canvas.wide_marks, 0.5, 1.3)
    value = 0.36 + 0.58 * smooth(tone, 0.05, 0.95) + 0.26 * light - 0.24 * canvas.ink
    stone = ramp(value, (0, (52, 52, 60)), (0.4, (142, 142, 150)), (0.7, (216, 214, 212)), (1, (255, 253, 248)))
    return stone * (1 - 0.26 * (vein * (1 - canvas.detail))[..., None])


def clay(canvas: Canvas) -> np.ndarray:
    """Plasticine figures: smooth rounded lumps in strong colours, with finger marks."""
    broad = kuwahara(kuwahara(canvas.picture, canvas.flow, 7, 3.5), canvas.flow, 8, 4)
    flat = mix(broad, kuwahara(canvas.picture, canvas.flow, 4, 1.4), canvas.detail)
    height = blur(relief(local_tone(luma(flat), 0.6)), 1.4) + 0.03 * canvas.wide_marks * (1 - 0.7 * canvas.detail)
    light = lit(1.6 * height, 1.8)
    colour = np.clip(saturate(rgb(64, 46, 40) + 0.74 * flat, 1.9), 0.04, 0.97)
    hollow = np.clip(blur(height, 5) - height, 0, 1)
    gloss = smooth(light, 0.45, 0.9)
    return colour * (1 + 0.7 * light - 1.6 * hollow - 0.45 * canvas.ink)[..., None] + 0.14 * gloss[..., None]


def porcelain(canvas: Canvas) -> np.ndarray:
    """Glazed white porcelain, painted in cobalt blue."""
    tone = local_tone(kuwahara(canvas.picture, canvas.flow, 6, 2.5) @ np.array([0.3, 0.59, 0.11], np.float32), 0.6)
    brush = 0.05 * canvas.strokes + 0.05 * canvas.clouds
    blue = smooth(0.92 - tone + brush * (1 - tone), 0.25, 0.95)
    paint = ramp(blue, (0, (248, 250, 252)), (0.3, (186, 206, 236)), (0.65, (70, 112, 196)), (1, (14, 34, 122)))
    light = lit(_form(canvas), 2.0)
    gloss = smooth(light, 0.35, 0.8)
    return (
        mix(paint, np.broadcast_to(rgb(14, 30, 112), paint.shape), 0.85 * canvas.ink) * (1 + 0.12 * light[..., None])
        + 0.2 * gloss[..., None]
    )


def wood(canvas: Canvas) -> np.ndarray:
    """Carved and oiled wood, whose grain follows the forms."""
    rings = np.sin(16 * local_tone(blur(canvas.gray, 3), 0.3) + 1.3 * canvas.wide_marks)
    fibre = 0.5 * canvas.marks + 0.35 * canvas.strokes
    light = lit(_form(canvas), 1.1)
    value = 0.22 + 0.5 * local_tone(canvas.gray, 0.4) + 0.05 * rings + 0.055 * fibre + 0.32 * light - 0.3 * canvas.ink
    return ramp(value, (0, (36, 18, 8)), (0.3, (98, 54, 24)), (0.6, (168, 106, 54)), (0.85, (218, 166, 102)), (1, (246, 214, 158)))


def ice(canvas: Canvas) -> np.ndarray:
    """Clear blue ice: cracks along the forms, deep cold colour, hard glints."""
    bend = 2.5 * canvas.clouds * (1 - canvas.detail)
    bent = moved(canvas.soft, bend, -bend)
    tone = local_tone(luma(bent), 0.7)
    light = lit(_form(canvas) + (0.03 * canvas.clouds + 0.012 * canvas.strokes) * (1 - canvas.detail), 1.0)
    crack = 1 - smooth(np.abs(canvas.wide_marks), 0.02, 0.22)
    value = 0.72 * tone + 0.42 * light + 0.16 * crack * tone + 0.1
    frozen = ramp(value, (0, (4, 26, 62)), (0.3, (24, 92, 152)), (0.55, (96, 176, 218)), (0.8, (198, 234, 248)), (1, (255, 255, 255)))
    return frozen + 0.5 * smooth(light, 0.4, 0.9)[..., None] + 0.25 * (bent - luma(bent)[..., None])


def crystal(canvas: Canvas) -> np.ndarray:
    """Cut glass: dark behind, bright rims, light split into colours."""
    height = _form(canvas)
    shift = 14 * (blur(height, 1.5) - blur(height, 4))
    parts = [moved(canvas.soft[..., c], s * shift, s * shift) for c, s in enumerate((0.7, 1.0, 1.35))]
    inside = np.stack(parts, -1)
    light = lit(height, 1.0)
    rim = np.abs(lit(height, 0.9)) ** 0.8
    deep = ramp(local_tone(luma(inside), 0.5), (0, (4, 14, 22)), (0.5, (70, 118, 128)), (1, (212, 240, 240)))
    return (
        0.7 * deep
        + 0.34 * saturate(inside, 1.6)
        + (0.34 * rim + 0.5 * np.clip(light, 0, 1) - 0.45 * canvas.ink)[..., None] * rgb(225, 250, 255)
        - 0.06
    )


def circuit(canvas: Canvas) -> np.ndarray:
    """A printed circuit: copper tracks along the forms on green lacquer, gold pads in the lights."""
    tone = local_tone(canvas.gray, 0.6)
    track = smooth(canvas.wide_marks, 0.55, 0.8) * (1 - 0.8 * canvas.detail)
    board = ramp(0.08 + 0.95 * tone, (0, (0, 14, 8)), (0.5, (8, 92, 50)), (1, (70, 176, 110)))
    copper = ramp(0.3 + 0.7 * tone, (0, (80, 66, 22)), (0.6, (196, 164, 78)), (1, (255, 240, 176)))
    pads = 0.75 * smooth(tone, 0.74, 0.92)
    return mix(board, copper, np.clip(0.75 * track + pads, 0, 1)) * (1 + 0.25 * lit(track, 0.8) - 0.7 * canvas.ink)[..., None]


def tapestry(canvas: Canvas) -> np.ndarray:
    """Woven wool in faded medieval colours: rows of threads, a hatched border between shades."""
    flat = mix(kuwahara(canvas.picture, canvas.flow, 6, 2.5), canvas.soft, canvas.detail)
    tone = soft_bands(canvas, local_tone(luma(flat), 0.5), 6, 0.03)
    wool = ramp(tone, (0, (30, 28, 42)), (0.25, (70, 62, 74)), (0.5, (136, 98, 72)), (0.75, (196, 166, 112)), (1, (236, 220, 178)))
    colour = 0.9 * wool + 0.26 * saturate(flat, 1.3) - 0.06
    return colour * (1 + 0.16 * tile(_RIBS, *canvas.shape)[..., None] + 0.07 * canvas.grain[..., None])


def _ribs() -> np.ndarray:
    """Threads [8, 8] of 4 x 2 pixels, each row moved by half a thread."""
    row, column = np.mgrid[0:8, 0:8]
    across = np.cos(np.pi * (row % 4 - 1.5) / 3)
    down = np.cos(np.pi * ((column + 2 * (row // 4)) % 4 - 1.5) / 2.5)
    both = across + 0.6 * down
    return (both - both.mean()).astype(np.float32) / np.float32(both.std())


def _stitches() -> np.ndarray:
    """Knitted stitches [8, 8]: a V of two loops."""
    row, column = np.mgrid[0:8, 0:8].astype(np.float32)
    slant = np.where(column < 4, row - column, row + column - 7)
    wave = np.cos(2 * np.pi * slant / 8)
    seam = np.where((column == 0) | (column == 7), -0.9, np.where((column == 3) | (column == 4), -0.35, 0.3))
    both = wave + seam
    return ((both - both.mean()) / both.std()).astype(np.float32)


_RIBS, _STITCHES = _ribs(), _stitches()


def knitted(canvas: Canvas) -> np.ndarray:
    """Thick coloured wool in rows of stitches."""
    flat = mix(kuwahara(canvas.picture, canvas.flow, 6, 3), canvas.soft, canvas.detail)
    colour = np.clip(saturate(contrast(flat, 1.15, 0.45), 1.6), 0.05, 0.92)
    fluff = 0.06 * canvas.grain
    return colour * (1 + 0.2 * tile(_STITCHES, *canvas.shape) + fluff)[..., None] + 0.03


def embroidery(canvas: Canvas) -> np.ndarray:
    """Silk threads along the forms on linen, each stitch lit."""
    flat = mix(canvas.flow.along(kuwahara(canvas.picture, canvas.flow, 8, 3), 12), canvas.soft, 0.8 * canvas.detail)
    silk = np.clip(saturate(contrast(flat, 1.1), 1.7), 0.03, 0.95)
    thread = canvas.strokes
    light = lit(thread, 0.8) * (1 - 0.6 * canvas.detail)
    return silk * (1 + 0.12 * thread[..., None]) + 0.15 * light[..., None] * (0.35 + silk) - 0.1 * canvas.ink[..., None]


def mosaic(canvas: Canvas) -> np.ndarray:
    """Roman tesserae: small stones in rows, with grout between."""
    stones = np.clip(saturate(contrast(blocks(canvas.soft, 8), 1.15), 1.35), 0.05, 0.95)
    varied = stones * (1 + 0.10 * blocks(canvas.grain * 2.0, 8)[..., None])
    return (
        mix(np.broadcast_to(rgb(206, 196, 176), varied.shape) * 0.8, varied, tile(_TESSERA, *canvas.shape))
        + 0.05 * tile(_BEVEL, *canvas.shape)[..., None]
    )


def _tessera() -> tuple[np.ndarray, np.ndarray]:
    """One stone [8, 8]: what it covers, and light and shade on its rims."""
    inside = np.ones((8, 8), np.float32)
    inside[0] = inside[:, 0] = 0.12
    inside[1, 1] = inside[1, 7] = inside[7, 1] = inside[7, 7] = 0.5
    bevel = np.zeros((8, 8), np.float32)
    bevel[1, 1:] = bevel[1:, 1] = 1
    bevel[7, 2:] = bevel[2:, 7] = -1
    return inside, bevel


_TESSERA, _BEVEL = _tessera()
