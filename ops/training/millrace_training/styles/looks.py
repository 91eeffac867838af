"""The table of looks: names, what the page says of them, how they are painted and finished, and their defaults.

The order is part of a trained model's labels: append, never reorder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import drawing, graphic, light, materials, media, refine, worlds
from .canvas import Canvas
from .finish import FIRST_FINISHES
from .pixels import bytes_of

Painter = Callable[[Canvas], np.ndarray]
Finish = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Look:
    """One look. `title`, `prompt` and `description` are for people; `strength` and `steps` are what suits it."""

    name: str
    title: str
    prompt: str
    description: str
    paint: Painter  # to a uint8 picture
    finish: Finish  # what further steps make of the painted picture
    strength: float = 0.5
    steps: int = 1
    regular: bool = False  # its pattern is a lattice by nature (bricks, a screen's lines), and stands on the screen
    coarse: bool = False  # its cells are as large as the features of a face
    light_on_dark: bool = False  # lines, or what is dark in the photo, are light: faces are looked for in its negative

    @property
    def in_phase(self) -> bool:
        """Whether the picture or its finish has a pattern in phase with the network's strides."""
        return self.regular or self.name in FIRST_FINISHES


def _filtered(name: str, title: str, prompt: str, description: str, paint: Finish, **others: bool | int | float) -> Look:
    """Return a look that is a filter of the picture alone."""
    return Look(name, title, prompt, description, lambda canvas: paint(canvas.image), FIRST_FINISHES[name], **others)


def _painted(name: str, title: str, prompt: str, description: str, paint: Painter, finish: Finish, **others: bool | int | float) -> Look:
    """Return a look of float32 pictures, whose marks grow from the picture and its noise."""
    return Look(name, title, prompt, description, lambda canvas: bytes_of(paint(canvas)), finish, **others)


_LOOKS = (
    _painted("oil", "Oil", "oil painting", "Broad strokes on canvas", media.oil, refine.paint, steps=2),
    _painted("gogh", "Van Gogh", "van gogh painting", "Swirls of thick paint", media.gogh, refine.paint, steps=2),
    _painted("pencil", "Pencil", "pencil sketch", "Graphite on paper, shaded by strokes", media.pencil, refine.ink),
    _filtered("cpencil", "Colored pencil", "colored pencil drawing", "Strokes in colour on white", drawing.cpencil, regular=True),
    _painted("water", "Watercolor", "watercolor", "Soft washes with dark edges", media.water, refine.wash),
    _painted("comic", "Comic", "comic book", "Bold ink and printed dots", media.comic, refine.ink, regular=True),
    _filtered("lineart", "Line art", "ink line art", "Black ink on white", drawing.lineart),
    _filtered("pixel", "Pixel art", "pixel art", "Large pixels, few colours", graphic.pixel, regular=True, coarse=True),
    _filtered("glass", "Stained glass", "stained glass window", "Panes in lead", graphic.glass, steps=2, regular=True, coarse=True),
    _filtered("neon", "Neon", "neon lights", "Glowing outlines on black", light.neon, light_on_dark=True),
    _filtered("cyber", "Cyberpunk", "cyberpunk", "Night in teal and magenta", light.cyber),
    _painted("charcoal", "Charcoal", "charcoal drawing", "Smudged black on paper", media.charcoal, refine.ink),
    _filtered("blueprint", "Blueprint", "blueprint", "White lines on blue paper", drawing.blueprint, regular=True, light_on_dark=True),
    _filtered("thermal", "Thermal", "thermal camera", "Heat as colour, from blue to white", light.thermal),
    _filtered("sepia", "Sepia", "sepia", "An old brown photograph", light.sepia),
    _filtered("noir", "Film noir", "film noir", "Hard black and white", light.noir),
    _filtered("popart", "Pop art", "pop art", "Printed dots in loud colours", graphic.popart, regular=True),
    _painted("anime", "Anime", "anime", "Flat shading, clean lines, clear light", media.anime, refine.ink),
    _filtered("negative", "Negative", "negative", "All colours inverted", light.negative, light_on_dark=True),
    _filtered("nightvis", "Night vision", "night vision", "Green, grainy, seen through a scope", light.nightvis, regular=True),
    _filtered("vapor", "Vaporwave", "vaporwave aesthetic", "Pink and cyan of the eighties", light.vapor),
    _filtered("emboss", "Emboss", "emboss", "Carved in grey stone", drawing.emboss),
    _filtered("chalk", "Chalk", "chalk on a blackboard", "Coloured chalk on a blackboard", drawing.chalk, regular=True),
    _filtered("gameboy", "Game Boy", "game boy screen", "Four greens in coarse pixels", graphic.gameboy, regular=True, coarse=True),
    _filtered("vhs", "VHS", "vhs", "A worn tape with colour fringes", light.vhs, regular=True),
    _painted("ukiyo", "Woodblock", "ukiyo-e print", "A Japanese print, in few inks", media.ukiyo, refine.ink),
    _filtered("lego", "Bricks", "made of lego bricks", "Plastic bricks with studs", graphic.lego, steps=2, regular=True, coarse=True),
    _painted("robot", "Robot", "a robot made of chrome", "Chrome and steel with cold lights", materials.robot, refine.glow),
    _painted("zombie", "Zombie", "zombie", "Rotting green skin, sunken shadows", worlds.zombie, refine.solid),
    _painted("marble", "Marble", "a marble statue", "Polished white stone", materials.marble, refine.solid),
    _painted("clay", "Claymation", "claymation", "Figures of plasticine", materials.clay, refine.solid),
    _painted("crystal", "Crystal", "made of crystal glass", "Cut glass with bright rims", materials.crystal, refine.glow),
    _painted("ice", "Ice", "made of ice", "Clear blue ice with hard glints", materials.ice, refine.glow),
    _painted("fire", "Fire", "on fire", "Flames along every form", worlds.fire, refine.glow),
    _painted("galaxy", "Galaxy", "galaxy", "Nebulae and stars", worlds.galaxy, refine.glow),
    _painted("cubism", "Cubism", "cubist painting", "Facets of ochre and grey", media.cubism, refine.paint, regular=True),
    _painted("pointillism", "Pointillism", "pointillist painting", "Dots that mix in the eye", media.pointillism, refine.paint),
    _painted("mosaic", "Mosaic", "roman mosaic", "Small stones in rows", materials.mosaic, refine.solid, regular=True, coarse=True),
    _painted("tapestry", "Tapestry", "medieval tapestry", "Woven wool in faded colours", materials.tapestry, refine.solid, regular=True),
    _painted("circuit", "Circuit board", "circuit board", "Copper tracks on green lacquer", materials.circuit, refine.glow),
    _painted("xray", "X-ray", "x-ray image", "White bones on blue film", worlds.xray, refine.glow, light_on_dark=True),
    _painted("hologram", "Hologram", "hologram", "A projection of cyan light", worlds.hologram, refine.glow, regular=True),
    _painted("papercut", "Paper cut", "paper cut art", "Layers of coloured paper", media.papercut, refine.solid),
    _painted("graffiti", "Graffiti", "graffiti on a wall", "Spray paint with black outlines", media.graffiti, refine.ink),
    _painted("gold", "Solid gold", "made of gold", "Polished gold", materials.gold, refine.glow),
    _painted("bronze", "Bronze", "bronze sculpture", "Cast metal with patina", materials.bronze, refine.solid),
    _painted("wood", "Wood", "carved from wood", "Oiled wood, its grain along the forms", materials.wood, refine.solid),
    _painted("porcelain", "Porcelain", "porcelain", "White glaze, painted in cobalt", materials.porcelain, refine.glow),
    _painted("knitted", "Knitted", "knitted wool", "Rows of thick stitches", materials.knitted, refine.solid, regular=True),
    _painted("embroidery", "Embroidery", "embroidery", "Silk threads along the forms", materials.embroidery, refine.paint),
    _painted("woodcut", "Woodcut", "woodcut", "Black gouges on cream paper", media.woodcut, refine.ink),
    _painted("engraving", "Engraving", "steel engraving", "Fine lines, as on a banknote", media.engraving, refine.ink),
    _painted("gouache", "Gouache", "gouache painting", "Matt shapes of milky colour", media.gouache, refine.paint),
    _painted("softpastel", "Soft pastel", "soft pastel drawing", "Chalk on tinted, rough paper", media.softpastel, refine.paint),
    _painted("vampire", "Vampire", "vampire", "Bloodless light, and only red", worlds.vampire, refine.glow),
    _painted("alien", "Alien", "alien", "Iridescent skin that glows", worlds.alien, refine.glow),
    _painted("ghost", "Ghost", "ghost", "Pale forms that trail into mist", worlds.ghost, refine.glow),
    _painted("underwater", "Underwater", "underwater", "Deep blue, with nets of light", worlds.underwater, refine.glow),
    _painted("snow", "Snow", "covered in snow", "Snow on everything, flakes in the air", worlds.snow, refine.solid),
    _painted("rain", "Rain", "in the rain", "Grey light and running streaks", worlds.rain, refine.glow),
    _painted("jungle", "Jungle", "jungle", "Leaves along every form", worlds.jungle, refine.paint),
    _painted("desert", "Desert", "desert sand", "Ripples of sand in hot haze", worlds.desert, refine.solid),
    _painted("leaves", "Autumn leaves", "autumn forest", "Drifts of red and yellow leaves", worlds.autumn_forest, refine.paint),
    _painted("moonlight", "Moonlight", "moonlight", "Silver light in a blue night", worlds.moonlight, refine.glow),
    _painted("candlelight", "Candlelight", "candlelight", "Amber light in brown shadow", worlds.candlelight, refine.glow),
    _painted("infrared", "Infrared film", "infrared film photograph", "Pink leaves, teal skies", worlds.infrared, refine.glow),
    _painted("steampunk", "Steampunk", "steampunk", "Brass, copper and soot", worlds.steampunk, refine.solid),
)  # fmt: skip

LOOKS: dict[str, Look] = {look.name: look for look in _LOOKS}
