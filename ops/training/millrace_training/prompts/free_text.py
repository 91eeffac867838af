"""Handwritten prompts for the evaluation, with the expected style of each.

They were written before the text encoder was trained and are not used in training:
misspelt, with subjects, in other word orders, naming artists, films and games.
"""

from __future__ import annotations

from .more_looks import MORE_WORDS

_WRITTEN = {
    "oil": [
        "an oil painting of my dog", "paint me like rembrandt would", "oil pianting of a sailor", "thick oil paints on canvas, a woman by the window",
        "a portrait like the mona lisa", "baroque masterpiece in oils", "Claude Monet garden", "me as a renaissance nobleman, oil on canvas",
    ],
    "gogh": [
        "as if Vincent had painted us with thick swirls", "van goh starry nite", "my street in van Gogh's style", "Starry Night but it's my kitchen",
        "in the manner of vincent van gogh, cypress trees", "a wheat field, van gogh", "post-impressionist swirls like vincent", "VAN GOGH",
    ],
    "pencil": [
        "sketched by hand using graphite pencils", "simple pencil sketch of us", "pensil drawing of a horse", "a quick sketch of my face",
        "drawing made with a soft graphite pencil", "rough pencil study of hands", "looks like somebody drew me in pencil", "greyscale pencil portrait of grandpa",
    ],
    "cpencil": [
        "coloured pencils drawing of a parrot", "drawn by a child with crayons", "crayon picture of my house", "colour pencil sketch, cute cat",
        "children's book illustration in colored pencil", "wax crayons on paper", "colored pencil portriat", "a kid's crayon drawing of a dinosaur",
    ],
    "water": [
        "watercolor of a harbor at rest", "soft water colours, a bridge", "aquarelle of venice", "watercolr painting of tulips",
        "loose watercolour wash, my garden", "William Turner like watercolor of the sea", "painted in watercolours", "delicate watercolor portrait of a girl",
    ],
    "comic": [
        "make me a comic book hero", "marvel comics panel", "like a page from a superhero comic", "spiderverse look",
        "cartoon version of me", "comic strip about office life", "cel shaded like borderlands", "commic book style portrait",
    ],
    "lineart": [
        "clean line art of a face", "black ink drawing of a ship", "a page for a coloring book", "manga panel, black and white ink",
        "pen and ink illustration of a forest", "only outlines, black pen on white", "line drwaing of a bicycle", "banksy stencil of a girl",
    ],
    "pixel": [
        "give me that retro arcade game look", "8 bit hero", "pixle art castle", "me in a super mario level",
        "16-bit snes rpg character", "pixel art of a cozy room", "everything made of minecraft blocks", "old school pixelated video game",
    ],
    "glass": [
        "stained glass window of a saint", "church windows made of coloured glass", "tiffany lamp of a fish", "staind glass dragon",
        "a tiffany lamp pattern", "leaded window showing my face", "cathedral glass, roses", "like a gothic stained-glass panel",
    ],
    "neon": [
        "neon outlines of a dancer", "neon sign of a flamingo", "tron movie lines", "glowing neon edges on black",
        "neno lights portrait", "drawn with glowing light tubes", "my silhouette in neon", "glow in the dark outlines",
    ],
    "cyber": [
        "cyberpunk street vendor", "a cyber punk city", "blade runner 2049 mood", "futuristic dystopian cyberpunk detective",
        "cybrpunk girl with a hat", "night city from cyberpunk 2077", "like ghost in the shell", "sci-fi metropolis, cyberpunk",
    ],
    "charcoal": [
        "charcoal portrait of an old fisherman", "smudged charcoal on paper", "charcol drawing", "drawn with a burnt stick, charcoal",
        "dark charcoal sketch of a raven", "my cat in charcoal", "a charcoal study of a torso", "rough charcoal landscape",
    ],
    "blueprint": [
        "blueprint of a spaceship", "technical drawing of a chair", "architects blueprint of the house", "bluprint style",
        "engineering schematic of a robot", "white lines on blue, like a construction plan", "show my room as an architectural blueprint", "cyanotype blueprint of a bike",
    ],
    "thermal": [
        "thermal camera footage", "heat vision like the predator", "infrared heat map of my body", "thermal imagng",
        "as seen through a thermal camera", "FLIR thermal view of a dog", "heatmap of the room", "predator thermal vision of a jungle soldier",
    ],
    "sepia": [
        "an old sepia photograph of a family", "vintage photo from 1910", "wild west saloon picture in sepia", "sepya toned",
        "victorian daguerreotype of a lady", "faded antique photograph", "like my grandmother's old photos", "old west wanted photo, sepia",
    ],
    "noir": [
        "film noir detective in the rain", "a scene from an old black and white noir movie", "noir fillm", "Humphrey Bogart style noir",
        "sin city noir", "dramatic 1940s film noir lighting", "hitchcock thriller, black and white", "moody noir private eye",
    ],
    "popart": [
        "pop art portrait of marilyn", "andy warhol soup can", "Roy Lichtenstein dots", "pop-art poster of my dog",
        "halftone print of a face", "warhol silkscreen", "popp art girl crying", "screen printed pop art banana",
    ],
    "anime": [
        "anime girl with a sword", "studio ghibli meadow", "make us look like a miyazaki film", "anmie style",
        "as a japanese anime hero", "spirited away bathhouse", "shinkai clouds, anime", "disney animated movie princess",
    ],
    "negative": [
        "photo negative of a tree", "invert all the colors", "negative film look", "my hand with colours inverted",
        "inverted colours please", "film negtive", "looks like a negatve", "colors reversed like a negative",
    ],
    "nightvis": [
        "night vision goggles view", "green night vision, soldiers", "nite vision", "seen through military night-vision",
        "the matrix green code world", "spy wearing night vision goggles", "nightvision camera of a fox", "green night scope footage",
    ],
    "vapor": [
        "vaporwave statue and palm trees", "synthwave sunset drive", "80s retrowave car", "vapourwave",
        "miami vice aesthetic", "outrun style grid city", "a e s t h e t i c vaporwave mall", "retro 80s synthwave portrait",
    ],
    "emboss": [
        "carved in stone", "a marble bas-relief of a lion", "embossed metal plate", "embos effect",
        "me as a stone statue", "stone relief of a hero", "embossed relief of a face", "chiseled stone carving of a king",
    ],
    "chalk": [
        "chalk drawing on a blackboard", "colorful chalk on the school board", "chalkbord menu", "sidewalk chalk art of a unicorn",
        "drawn in chalk by the teacher", "blackboard sketch of the solar system", "white and colored chalk lines", "a chalkboard portrait",
    ],
    "gameboy": [
        "original game boy screen", "gameboy graphics", "four shades of green like the nintendo game boy", "game boi camera selfie",
        "pokemon on the old game boy", "tetris handheld look", "an old gameboy game about knights", "gameboy camera photo of my friend",
    ],
    "vhs": [
        "old vhs tape recording", "90s camcorder home video", "glitchy vhs", "like an old crt television",
        "found footage horror on vhs", "analog glitch and scanlines", "vhs casette of a birthday party", "old tv with a bad signal",
    ],
    "ukiyo": [
        "ukiyo-e print of mount fuji", "hokusai's great wave", "japanese woodblock print of a crane", "ukio-e samurai",
        "hiroshige bridge in the rain", "an edo period woodblock of my street", "old japanese print of a geisha", "like the great wave off kanagawa",
    ],
    "lego": [
        "everything built from lego", "lego minifigure of me", "a castle out of lego bricks", "leggo city",
        "the lego movie", "made of plastic toy bricks", "my house as a lego set", "lego brick portrait",
    ],
}  # fmt: skip

_ALL = _WRITTEN | {name: words.written for name, words in MORE_WORDS.items()}
FREE_TEXT: list[tuple[str, str]] = [(text, style) for style, texts in _ALL.items() for text in texts]
