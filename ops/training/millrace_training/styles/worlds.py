"""Looks of beings, places, weather, light and devices."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .flow import Flow, moved
from .lattices import scan_lines
from .painterly import contrast, grade, lit, mix, ramp, relief, rgb, smooth
from .pixels import blur, local_tone, luma, saturate


def _bloom(picture: np.ndarray, above: float, sigma: float) -> np.ndarray:
    return blur(np.clip(picture - above, 0, 1), sigma)


def _distance(canvas: Canvas) -> np.ndarray:
    """Return a guess of what is far [H, W], 0..1: what is bright and without outlines."""
    busy = blur(np.abs(canvas.gray - blur(canvas.gray, 3)), 8)
    return smooth(blur(canvas.gray, 6) - 4 * busy, 0.1, 0.7)


def _skin(canvas: Canvas) -> np.ndarray:
    """Return where colours are those of skin [H, W], 0..1."""
    red, green, blue = (blur(canvas.soft[..., c], 1.5) for c in range(3))
    warm = smooth(red - green, 0.03, 0.14) * smooth(green - blue, -0.04, 0.06)
    return warm * smooth(red, 0.15, 0.4)


def zombie(canvas: Canvas) -> np.ndarray:
    """Rotting green skin with blotches and dark veins, sunken shadows, blood in the reds."""
    tone = local_tone(canvas.gray, 0.9, 10)
    rot = ramp(
        np.clip(contrast(tone, 1.35, 0.48) + 0.06 * canvas.wide_marks * (1 - 0.6 * canvas.detail), 0, 1),
        (0, (6, 10, 8)),
        (0.35, (50, 62, 40)),
        (0.65, (122, 138, 86)),
        (1, (214, 222, 168)),
    )
    vein = smooth(canvas.wide_marks, 0.7, 1.4)
    blood = smooth(canvas.soft[..., 0] - canvas.soft[..., 1], 0.22, 0.42) * smooth(canvas.soft[..., 0], 0.3, 0.7)
    flesh = mix(rot, np.broadcast_to(rgb(58, 30, 52), rot.shape), 0.5 * vein * smooth(tone, 0.25, 0.6) * (1 - 0.8 * canvas.detail))
    return mix(flesh, flesh * rgb(240, 50, 40) * 1.2, blood) * (1 - 0.45 * canvas.ink[..., None])


def vampire(canvas: Canvas) -> np.ndarray:
    """Bloodless pale light, black shadows, and red that alone remains of colour."""
    tone = smooth(local_tone(canvas.gray, 0.7, 14), 0.08, 0.92)
    pale = ramp(tone, (0, (6, 2, 10)), (0.35, (46, 34, 58)), (0.7, (166, 158, 180)), (1, (246, 242, 250)))
    red = smooth(canvas.soft[..., 0] - np.maximum(canvas.soft[..., 1], canvas.soft[..., 2]), 0.06, 0.26)
    blood = ramp(tone, (0, (30, 0, 4)), (0.5, (168, 8, 20)), (1, (255, 70, 70)))
    return mix(pale, blood, red) + 0.25 * _bloom(pale, 0.75, 5)


def alien(canvas: Canvas) -> np.ndarray:
    """Iridescent skin: hues that turn with the form's slope, glowing from within."""
    light = lit(relief(local_tone(canvas.gray, 0.5)), 1.6)
    turn = 2 * np.pi * (0.42 + 0.62 * local_tone(canvas.gray, 0.5) + 0.16 * light + 0.02 * canvas.clouds)
    hue = np.stack([0.5 + 0.5 * np.cos(turn - phase) for phase in (0.0, 4.9, 3.6)], -1).astype(np.float32)
    tone = local_tone(canvas.gray, 0.6)
    skin = (0.12 + 0.88 * hue) * (0.04 + 1.05 * smooth(tone, 0.05, 0.95))[..., None] + rgb(6, 14, 22)
    return mix(skin, np.broadcast_to(rgb(8, 2, 26), skin.shape), 0.7 * canvas.ink) + 0.45 * smooth(light, 0.4, 0.9)[..., None]


def ghost(canvas: Canvas) -> np.ndarray:
    """Pale apparitions: forms that trail upwards into mist, cold light from within."""
    tone = local_tone(canvas.gray, 0.7, 16)
    trail = tone
    for reach in (2.0, 4.0, 8.0):
        trail = np.maximum(trail, 0.86 * moved(blur(trail, 0.4 * reach), np.zeros_like(tone), np.full_like(tone, reach)))
    light = smooth(0.55 * trail + 0.5 * tone, 0.12, 1.0)
    mist = ramp(light, (0, (8, 12, 20)), (0.4, (44, 66, 84)), (0.75, (138, 178, 190)), (1, (236, 252, 250)))
    return mist + 0.5 * _bloom(mist, 0.55, 7) + 0.02 * canvas.clouds[..., None]


def fire(canvas: Canvas) -> np.ndarray:
    """Everything burns: flames that lick up along the forms, from black through red to white."""
    tone = local_tone(canvas.gray, 0.8, 16)
    heat = tone + 0.07 * canvas.flow.along(canvas.clouds, 16) + 0.10 * canvas.wide_marks
    for reach in (2.0, 4.0, 8.0):
        heat = np.maximum(heat, 0.93 * moved(blur(heat, 0.35 * reach), 0.5 * reach * canvas.flow.x, np.full_like(tone, reach)))
    flame = ramp(
        np.clip(0.62 * heat + 0.5 * tone - 0.2, 0, 1),
        (0, (10, 2, 2)),
        (0.25, (110, 10, 2)),
        (0.5, (236, 78, 6)),
        (0.75, (255, 190, 40)),
        (1, (255, 252, 216)),
    )
    return mix(flame, np.broadcast_to(rgb(24, 4, 2), flame.shape), 0.55 * canvas.ink) + 0.4 * _bloom(flame, 0.6, 6)


def galaxy(canvas: Canvas) -> np.ndarray:
    """Nebulae in violet and teal for its tones, stars in the dark."""
    tone = local_tone(canvas.gray, 0.7)
    cloud = np.clip(tone + (0.05 * canvas.clouds + 0.04 * canvas.wide_marks) * (1 - canvas.detail), 0, 1)
    gas = ramp(
        cloud,
        (0, (4, 2, 18)),
        (0.25, (34, 12, 86)),
        (0.45, (128, 32, 150)),
        (0.62, (232, 84, 150)),
        (0.8, (120, 190, 240)),
        (1, (240, 252, 255)),
    )
    star = smooth(canvas.grain, 2.7, 3.6)
    halo = 3.0 * blur(star, 1.3)
    return gas + (1.6 * star + halo)[..., None] * rgb(235, 240, 255) * (1.1 - tone)[..., None] + 0.35 * _bloom(gas, 0.6, 6)


def underwater(canvas: Canvas) -> np.ndarray:
    """Deep blue water: colours drown with distance, light nets from above, forms that sway."""
    sway = 1.3 * canvas.wide_marks * (1 - canvas.detail)
    bent = moved(canvas.soft, sway, 0.5 * sway)
    net = smooth(canvas.wide_marks, 0.4, 1.3) * (1 - 0.7 * canvas.detail) * smooth(local_tone(canvas.gray, 0.4), 0.15, 0.8)
    water = grade(bent, 0.72, (0, (0, 18, 46)), (0.35, (2, 72, 112)), (0.65, (24, 146, 172)), (0.85, (120, 216, 214)), (1, (226, 255, 244)))
    return mix(water, np.broadcast_to(rgb(20, 120, 160), water.shape), 0.25 * _distance(canvas)) + 0.24 * net[..., None] * rgb(
        200, 255, 240
    )


def snow(canvas: Canvas) -> np.ndarray:
    """Thick snow on what faces up, pale blue shade, flakes in the air."""
    tone = local_tone(canvas.gray, 0.5)
    pale = grade(
        saturate(canvas.soft, 0.45), 0.55, (0, (50, 64, 92)), (0.4, (134, 156, 190)), (0.75, (214, 226, 240)), (1, (255, 255, 255))
    )
    above = blur(tone, 1.5)
    top = np.clip(4.5 * (above - moved(above, np.zeros_like(tone), np.full_like(tone, -4.0))), 0, 1)
    cover = smooth(top + 0.6 * tone + 0.08 * canvas.clouds + 0.04 * canvas.grain, 0.55, 0.95)
    flake = smooth(blur(canvas.grain, 0.8), 1.05, 1.5)
    return mix(pale, np.broadcast_to(rgb(250, 252, 255), pale.shape), 0.85 * cover) + 0.9 * flake[..., None] - 0.25 * canvas.ink[..., None]


def rain(canvas: Canvas) -> np.ndarray:
    """A window in the rain: grey-blue light, streaks that run down, drops that bend the picture."""
    down = np.zeros_like(canvas.gray) + 1.0
    fall = Flow(0.12 * down, 0.99 * down, down)
    streak = fall.along(canvas.grain, 28)
    streak = streak / (streak.std() + 1e-6)
    bend = 1.1 * blur(streak, 1.0) * (1 - 0.7 * canvas.detail)
    seen = moved(canvas.soft, bend, 1.5 * bend)
    grey = grade(saturate(seen, 0.45), 0.7, (0, (10, 16, 28)), (0.4, (48, 68, 94)), (0.75, (116, 142, 168)), (1, (206, 224, 238)))
    drop = smooth(streak, 1.2, 2.4)
    return contrast(grey, 1.15, 0.45) + 0.30 * drop[..., None] + 0.05 * lit(streak, 0.8)[..., None]


def jungle(canvas: Canvas) -> np.ndarray:
    """Lush leaves grow along every form; green light, deep shade, orchids in the reds."""
    tone = local_tone(canvas.gray, 0.6)
    leaf = 0.16 * canvas.wide_marks + 0.07 * canvas.strokes
    green = ramp(
        np.clip(tone + leaf, 0, 1),
        (0, (2, 16, 8)),
        (0.3, (14, 62, 24)),
        (0.55, (60, 128, 40)),
        (0.78, (150, 196, 70)),
        (1, (246, 250, 180)),
    )
    colour = (
        green
        + 0.55
        * (saturate(canvas.daubs, 1.3) - luma(canvas.daubs)[..., None])
        * smooth(canvas.daubs[..., 0] - canvas.daubs[..., 1], -0.05, 0.2)[..., None]
    )
    return colour * (1 + 0.16 * lit(canvas.wide_marks, 0.9)[..., None]) - 0.16 * canvas.ink[..., None]


def desert(canvas: Canvas) -> np.ndarray:
    """Sand: ripples along the forms, hot haze, ochre to bleached light."""
    tone = local_tone(canvas.gray, 0.5)
    ripple = lit(0.8 * canvas.wide_marks + 0.25 * canvas.grain, 1.0)
    sand = ramp(0.14 + 0.8 * tone, (0, (70, 34, 20)), (0.35, (164, 100, 54)), (0.65, (222, 172, 106)), (1, (255, 240, 204)))
    far = 0.35 * _distance(canvas)
    colour = sand * 0.85 + 0.2 * canvas.soft
    return mix(colour * (1 + 0.13 * ripple[..., None]), np.broadcast_to(rgb(250, 222, 178), sand.shape), far) - 0.18 * canvas.ink[..., None]


def autumn_forest(canvas: Canvas) -> np.ndarray:
    """Drifts of red, orange and yellow leaves along the forms."""
    tone = local_tone(canvas.gray, 0.5)
    leaf = tone + 0.15 * canvas.wide_marks + 0.10 * canvas.clouds
    leaves = ramp(leaf, (0, (32, 12, 8)), (0.28, (116, 30, 12)), (0.5, (206, 86, 20)), (0.74, (244, 168, 44)), (1, (255, 240, 170)))
    return 0.8 * leaves + 0.25 * canvas.daubs + 0.10 * lit(canvas.wide_marks, 0.9)[..., None] - 0.12 * canvas.ink[..., None]


def moonlight(canvas: Canvas) -> np.ndarray:
    """Silver light from above in a blue night, with mist."""
    tone = contrast(local_tone(canvas.gray, 0.5), 1.25, 0.55)
    light = lit(relief(canvas.gray), 1.5)
    night = ramp(
        np.clip(0.78 * tone + 0.22 * light, 0, 1), (0, (2, 4, 16)), (0.4, (20, 34, 78)), (0.75, (94, 122, 172)), (1, (226, 238, 255))
    )
    return night + 0.55 * _bloom(night, 0.5, 8) + 0.12 * (canvas.soft - luma(canvas.soft)[..., None])


def candlelight(canvas: Canvas) -> np.ndarray:
    """A flame's glow on forms in the dark: amber light, brown shadow, as in a Caravaggio."""
    tone = smooth(local_tone(canvas.gray, 0.3, 30), 0.12, 0.95) ** 1.25
    glow = ramp(tone, (0, (8, 3, 2)), (0.35, (74, 28, 8)), (0.65, (200, 104, 30)), (0.88, (252, 186, 88)), (1, (255, 240, 190)))
    return 0.85 * glow + 0.2 * saturate(canvas.soft, 1.2) * rgb(255, 190, 110) * tone[..., None] + 0.5 * _bloom(glow, 0.6, 8)


def infrared(canvas: Canvas) -> np.ndarray:
    """Infrared film: foliage glows pink and white, skies are dark teal."""
    red, green, blue = (canvas.soft[..., c] for c in range(3))
    leaf = smooth(green - 0.5 * (red + blue), -0.02, 0.12)
    tone = luma(canvas.soft)
    sky = smooth(blue - red, 0.05, 0.3)
    base = grade(canvas.soft, 0.75, (0, (18, 10, 30)), (0.4, (110, 60, 96)), (0.75, (232, 168, 180)), (1, (255, 244, 240)))
    glowing = ramp(0.35 + 0.8 * tone, (0, (120, 10, 60)), (0.5, (240, 80, 130)), (1, (255, 226, 236)))
    mixed = mix(mix(base, glowing, leaf), ramp(tone, (0, (2, 18, 28)), (0.5, (16, 86, 100)), (1, (180, 230, 226))), sky * (1 - leaf))
    return mixed + 0.4 * _bloom(mixed, 0.6, 7) + 0.015 * canvas.grain[..., None]


def hologram(canvas: Canvas) -> np.ndarray:
    """A projection of cyan light: rims glow, lines run through it, colours part at the edges."""
    tone = local_tone(canvas.gray, 0.7)
    rim = np.abs(lit(relief(canvas.gray), 1.2))
    light = 0.72 * smooth(tone, 0.05, 1.0) + 0.75 * rim
    beam = ramp(light, (0, (0, 8, 18)), (0.35, (0, 84, 118)), (0.7, (60, 214, 236)), (1, (232, 255, 255)))
    shift = np.full_like(tone, 2.5)
    parted = np.stack([moved(beam[..., 0], shift, 0 * shift) + 0.16 * moved(rim, shift, 0 * shift), beam[..., 1], beam[..., 2]], -1)
    return (
        parted * scan_lines(*tone.shape)[..., None] ** 3
        + 0.5 * _bloom(beam, 0.45, 5)
        + 0.10 * moved(rim, -shift, 0 * shift)[..., None] * rgb(255, 60, 220)
    )


def xray(canvas: Canvas) -> np.ndarray:
    """An X-ray: blue-black film, dense forms white, edges as of bone."""
    dense = local_tone(1 - blur(canvas.gray, 1.0), 0.7)
    bone = np.clip(0.9 * blur(np.abs(lit(relief(canvas.gray), 1.4)), 0.8), 0, 1)
    value = 0.62 * smooth(dense, 0.05, 1.0) + 0.65 * bone
    return ramp(value, (0, (2, 6, 16)), (0.4, (34, 62, 92)), (0.75, (138, 176, 204)), (1, (244, 252, 255))) + 0.3 * blur(bone, 4)[
        ..., None
    ] * rgb(90, 150, 200)


def steampunk(canvas: Canvas) -> np.ndarray:
    """Brass, copper and soot by gaslight, with engraved rims."""
    height = relief(local_tone(canvas.gray, 0.5))
    light = lit(height, 1.3)
    tone = local_tone(canvas.gray, 0.5)
    surface = np.clip(0.66 * tone + 0.40 * light + 0.12 * np.sin(11 * tone), 0, 1)
    brass = ramp(surface, (0, (16, 9, 6)), (0.3, (80, 44, 22)), (0.55, (158, 98, 44)), (0.8, (216, 172, 100)), (1, (255, 240, 196)))
    verdigris = smooth(canvas.soft[..., 2] - canvas.soft[..., 0], 0.0, 0.25)
    mixed = mix(brass, brass * rgb(110, 190, 170) * 1.25, 0.7 * verdigris)
    return mix(mixed, np.broadcast_to(rgb(14, 8, 6), mixed.shape), 0.7 * canvas.ink) + 0.3 * _bloom(mixed, 0.65, 6)
