"""Each look in sentences: what it looks like and what suits it. The second judge of prompts that name no look compares with them.

The encoder is not trained with them.
"""

from __future__ import annotations

from ..styles.looks import LOOKS, Look
from .themes import LOOK_THEMES

_WRITTEN: dict[str, str] = {
    "oil": "A classical oil painting on canvas. It suits portraits of kings and nobles, ballet, music, banquets and still lifes of food, and the painters of old museums and of impressionism.",
    "gogh": "Thick swirling brush strokes like van Gogh's. It suits dreams, madness, magic, wizards, starry skies and storms of wind.",
    "pencil": "A grey pencil sketch on paper. It suits writers, thinkers, students, notebooks, hands and quiet studies.",
    "cpencil": "A drawing with colored pencils and crayons, as in a book for children. It suits babies, birthdays, toys, families and small cute animals.",
    "water": "A soft watercolor painting. It suits nature: rain, rivers, lakes, the sea, fish, flowers, gardens, birds, spring, villages and calm feelings.",
    "comic": "A comic book with bold outlines. It suits superheroes and villains, action, sport, jokes, clowns and funny cartoon characters.",
    "lineart": "Black ink lines on white paper, an engraving or manga page. It suits tattoos, maps, calligraphy, spiders, zebras, feathers and lace.",
    "pixel": "Pixel art of an old computer game. It suits video games, gamers, computers, software, data and the internet.",
    "glass": "Stained glass and mosaic. It suits churches, saints, angels, heaven and religion, jewels and crystals, and cubist, geometric and abstract art.",
    "neon": "Glowing neon outlines on black. It suits night clubs, parties, techno, lasers, lightning, fireworks, stars and everything that glows.",
    "cyber": "A cyberpunk city of the future in teal and magenta. It suits robots, machines, spaceships, space, planets, aliens, technology and science fiction films.",
    "charcoal": "A smudged, dark charcoal drawing. It suits death, grief, war, loneliness, anger, ravens, wolves, bears, skulls, vampires, devils and gothic horror.",
    "blueprint": "A blueprint, a technical drawing. It suits architecture, buildings, bridges, engines, trains, airplanes, clocks, tools, inventions, physics and chemistry.",
    "thermal": "A thermal camera's picture of heat, from blue to red and white. It suits fire, hell, dragons, lava, volcanoes, explosions, the sun, hot summers and hot spices.",
    "sepia": "An old brown photograph. It suits history, grandparents, cowboys and the wild west, Egypt and the desert, Africa and its animals, wood, leather and coffee.",
    "noir": "A black and white crime film with hard shadows. It suits detectives, murder, gangsters, spies, prisons, lawyers, jazz, secrets and old film stars.",
    "popart": "Pop art, printed in loud colors and dots. It suits celebrities, fashion, advertising, fast food, sweets, shopping, money, politicians, street art and pop music.",
    "anime": "A Japanese anime or an animated film. It suits princesses, fairy tales, fantasy, elves, love, beauty, cats and other cute heroes of children's films.",
    "negative": "A photo negative, an x-ray. It suits ghosts, spirits, skeletons, bones, doctors, hospitals and other worlds.",
    "nightvis": "A green, grainy night vision picture. It suits soldiers, war, jungles, swamps, frogs, snakes, dinosaurs, monsters, zombies, poison and infection.",
    "vapor": "Pink and cyan vaporwave of the eighties. It suits Miami, palm trees, beaches, holidays, sunglasses, cars, romance, luxury, disco and sweet things.",
    "emboss": "A relief in grey stone or metal. It suits statues, marble, clay, rocks, castles, knights, armor, coins, silver, paper and ancient Greece and Rome.",
    "chalk": "Chalk on a blackboard. It suits schools, teachers, lessons, mathematics, science, astronomy, menus, and ice, snow and winter.",
    "gameboy": "The green screen of an old handheld game. It suits pocket monsters, calculators, old phones and small retro devices.",
    "vhs": "A worn video tape on an old television. It suits the nineties, television shows, rock and heavy metal concerts, horror films, serial killers and nightmares.",
    "ukiyo": "A Japanese woodblock print. It suits samurai, ninja, geishas, temples, mountains and giant waves of Japan, China and Asia, ships, octopuses and sea storms.",
    "lego": "Everything is built of toy bricks. It suits toys, dolls, dice, building blocks, construction machines, trucks, houses and trains.",
}  # fmt: skip

_SUBJECTS = 8


def _describe(look: Look) -> str:
    """Return what the page says of a later look, with some of its themes."""
    return f"{look.title}: {look.description}. It suits {', '.join(LOOK_THEMES[look.name][:_SUBJECTS])}."


LOOK_DESCRIPTIONS: dict[str, str] = {name: _WRITTEN.get(name) or _describe(look) for name, look in LOOKS.items()}
