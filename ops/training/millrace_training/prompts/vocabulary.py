"""Phrases that name a style or a mood, and words that name neither.

This is all that the text encoder knows about the world: artists, films and games that
stand for a look, and common words of other languages.
"""

from __future__ import annotations

from .more_looks import MORE_WORDS
from .phrases import phrases_of

_FIRST_STYLE_PHRASES: dict[str, list[str]] = {
    "oil": phrases_of("""oil painting | oil on canvas | painterly oil painting | classical oil painting | thick brush strokes
        | painting with visible brush strokes | impressionist painting | impasto | acrylic painting | painted portrait
        | renaissance painting | painting | oil paint | oils | old master painting | baroque painting | palette knife painting
        | rembrandt | caravaggio | vermeer | da vinci | leonardo da vinci | mona lisa | monet | claude monet | renoir | cezanne
        | bob ross | velazquez | painted on canvas | painterly | brushwork | fine art painting | museum painting | painted by hand
        | ölgemälde | gemälde | peinture à l'huile | pintura al óleo | dipinto a olio | 油絵 | 油画"""),
    "gogh": phrases_of("""van gogh painting | van gogh | van gogh style | vincent van gogh | starry night | the starry night
        | van gogh starry night | post-impressionist painting | post impressionism | vincent | sunflowers by van gogh
        | loving vincent | swirling brush strokes | swirly painting | munch | edvard munch | the scream | expressionist painting
        | expressionism | vangogh | thick swirling paint | night café painting | nuit étoilée | noche estrellada | sternennacht | ゴッホ | 梵高"""),
    "pencil": phrases_of("""pencil sketch | pencil drawing | graphite sketch | black and white pencil sketch | hand drawn sketch
        | sketch | graphite drawing | pencil art | rough sketch on paper | pencil | graphite | sketched | sketchbook page
        | sketched by hand | drawn with a pencil | pencil portrait | shaded pencil drawing | doodle | take on me video
        | bleistiftzeichnung | skizze | dessin au crayon | dibujo a lápiz | disegno a matita | 鉛筆画 | 素描"""),
    "cpencil": phrases_of("""colored pencil drawing | coloured pencil sketch | color pencil drawing | crayon drawing | colored sketch
        | drawing with colored pencils | color sketch | wax crayon art | colored pencils | coloured pencils | crayons | crayon
        | childrens book illustration | kids drawing | child's drawing | drawn with crayons | color pencils | oil pastel drawing
        | buntstiftzeichnung | crayons de couleur | lápices de colores | 色鉛筆 | 彩色铅笔"""),
    "water": phrases_of("""watercolor | watercolour painting | watercolor painting | aquarelle | soft watercolor wash
        | watercolor on paper | watercolour | water colour illustration | water color | watercolors | watercolours | gouache
        | wet on wet painting | turner | william turner | soft washes | watery paint | ink wash painting | aquarell
        | acuarela | acquerello | 水彩画 | 水彩"""),
    "comic": phrases_of("""comic book | comic | comic book style | cartoon | cel shaded cartoon | graphic novel illustration
        | marvel comic | cartoon illustration | toon shading | comic strip panel | ink and color comic | comics | marvel
        | dc comics | spider-verse | spiderverse | into the spider-verse | batman comic | superhero comic | tintin | asterix
        | the simpsons | simpsons | borderlands game | telltale game | cel shading | toon | stan lee | jack kirby | comic hero
        | bande dessinée | cómic | fumetto | zeichentrick | 漫画 アメコミ | 卡通"""),
    "lineart": phrases_of("""line art | ink drawing | black ink line art | black and white line drawing | pen and ink drawing
        | manga | manga page | woodcut | stencil art | linocut | coloring book page | lineart | line drawing | ink | pen drawing
        | inked | ink sketch | etching | engraving | tattoo design | banksy | stencil | coloring book | outline drawing
        | contour drawing | black lines on white | ballpoint pen drawing | one line drawing | gustave dore | aubrey beardsley
        | tuschezeichnung | strichzeichnung | dessin à l'encre | dibujo a tinta | 線画 | 线稿"""),
    "pixel": phrases_of("""pixel art | 8-bit | 8 bit pixel art | 16-bit game | retro video game | pixelated | minecraft
        | low resolution pixels | pixel game sprite | 8bit | 8 bit | 16 bit | pixels | retro arcade game | arcade game
        | nintendo | nes game | snes game | super mario | mario | stardew valley | space invaders | atari | sprite | pixel
        | pacman | pac-man | old computer game | blocky game | terraria | undertale | commodore 64 | pixelkunst | arte pixel
        | ドット絵 | 像素"""),
    "glass": phrases_of("""stained glass | stained glass window | mosaic | mosaic tiles | tile mosaic | church window | tiffany glass
        | roman mosaic | cathedral window | stained-glass | glass window | leaded glass | byzantine mosaic | gaudi | antoni gaudi
        | tiles | ceramic tiles | notre dame window | tiffany lamp | glasfenster | buntglas | vitrail | vitral | mosaico | mosaik
        | ステンドグラス | 彩色玻璃"""),
    "neon": phrases_of("""neon | neon lights | glowing neon outlines | neon glow | neon sign | glowing edges | tron | neon wireframe
        | glowing lines on black | glow in the dark | blacklight | black light | laser lines | light painting | glowing outlines
        | tron legacy | neon tubes | las vegas signs | fluorescent outlines | glow sticks | electric glow | luminous lines
        | neonlicht | leuchtreklame | néon | neón | ネオン | 霓虹灯"""),
    "cyber": phrases_of("""cyberpunk | cyberpunk city | blade runner | futuristic cyberpunk | sci-fi cyberpunk | cyberpunk 2077
        | cyberpunk night | bladerunner | ghost in the shell | akira | night city | dystopian future | dystopian city
        | futuristic city | futuristic | sci-fi | science fiction | neuromancer | deus ex | hacker | cyber | altered carbon
        | android future | サイバーパンク | 赛博朋克"""),
    "charcoal": phrases_of("""charcoal drawing | charcoal | charcoal sketch | smudged charcoal | soft charcoal on paper | coal drawing
        | smudged drawing | charcoal portrait | charcoal on paper | conte crayon | burnt stick drawing | smudgy black drawing
        | käthe kollwitz | drawn with charcoal | vine charcoal | kohlezeichnung | fusain | carboncillo | carboncino | 木炭画 | 炭笔"""),
    "blueprint": phrases_of("""blueprint | technical drawing | architectural blueprint | white lines on blue paper | engineering drawing
        | cyanotype blueprint | schematic | cyanotype | blueprints | architect drawing | architectural plan | engineering plan
        | cad drawing | patent drawing | construction plan | technical schematic | architect's plan | bauplan | blaupause
        | plan technique | plano técnico | 設計図 | 蓝图"""),
    "thermal": phrases_of("""thermal camera | thermal vision | heat map | infrared camera | thermal imaging | predator vision
        | infrared heat | thermal | heat vision | heatmap | infrared | flir | thermal image | the predator | body heat
        | thermography | temperature map | heat camera | heat signature | wärmebild | wärmebildkamera | caméra thermique
        | cámara térmica | termocamera | サーモグラフィー | 热成像"""),
    "sepia": phrases_of("""sepia | vintage photo | old photograph | antique sepia photo | vintage sepia | 1900s photograph
        | old west photo | daguerreotype | retro photo | sepia tone | vintage | antique photo | victorian photo | wild west
        | western movie | old western | grandma's photo album | tintype | faded photograph | faded old photo | 1920s photo
        | 19th century photo | old timey photo | old fashioned photo | civil war photo | altes foto | vieille photo
        | foto antigua | foto d'epoca | セピア | 老照片"""),
    "noir": phrases_of("""film noir | noir | black and white film | high contrast black and white | dramatic black and white photo
        | noir movie | 1940s film noir | sin city | casablanca | hitchcock | alfred hitchcock | humphrey bogart | detective movie
        | ansel adams | silent film | charlie chaplin | old hollywood movie | black and white movie | orson welles | citizen kane
        | moody detective film | schindler's list | the third man | raymond chandler | schwarzweißfilm | film noir et blanc
        | cine negro | 黑白电影 | フィルムノワール"""),
    "popart": phrases_of("""pop art | andy warhol | halftone | roy lichtenstein | pop art poster | halftone dots print | warhol print
        | screen print | retro poster | warhol | lichtenstein | popart | pop-art | halftone dots | ben day dots | silkscreen
        | silk screen print | campbell soup art | newspaper print | newsprint dots | risograph | printed dots | marilyn by warhol
        | keith haring | ポップアート | 波普艺术"""),
    "anime": phrases_of("""anime | anime style | studio ghibli | japanese animation | anime film still | anime illustration
        | makoto shinkai | ghibli style | disney animation | 2d animation | pixar | ghibli | miyazaki | hayao miyazaki
        | spirited away | totoro | my neighbor totoro | your name movie | naruto | one piece | sailor moon | dragon ball
        | pokemon | princess mononoke | howl's moving castle | disney | disney princess | animated movie | anime girl
        | anime character | animation still | zeichentrickfilm anime | アニメ | ジブリ | 动漫 | 动画"""),
    "negative": phrases_of("""negative | photo negative | inverted colors | x-ray | film negative | inverted | xray | x ray
        | invert colors | color negative | inverted image | radiograph | colour inversion | invert | reversed colors
        | negative film | opposite colors | röntgenbild | negativ | négatif | negativo | rayos x | レントゲン | 底片"""),
    "nightvis": phrases_of("""night vision | night vision goggles | green night vision | military night vision | matrix
        | green phosphor screen | the matrix | night-vision | nightvision | nvg | special forces night vision | call of duty night
        | surveillance camera at night | green scope | sniper scope at night | zero dark thirty | spy goggles
        | nachtsicht | nachtsichtgerät | vision nocturne | visión nocturna | 暗視 | 夜视"""),
    "vapor": phrases_of("""vaporwave | synthwave | retrowave | 80s vaporwave | vaporwave aesthetic | outrun | miami vice | vapor wave
        | synth wave | 80s aesthetic | eighties | 1980s aesthetic | stranger things | hotline miami | lofi aesthetic | lo-fi
        | retro 80s | 80s synth | palm trees and pink sky | aesthetic | drive movie | vaporware look | 80s retro | ヴェイパーウェイヴ | 蒸汽波"""),
    "emboss": phrases_of("""emboss | embossed | stone carving | marble relief | bas-relief | clay | sculpture | engraved stone
        | paper relief | relief | bas relief | carved in stone | carved stone | marble statue | stone statue | statue | plaster cast
        | coin engraving | michelangelo | greek statue | clay model | claymation | bronze relief | chiseled | carved | stone
        | rodin | wallace and gromit | prägung | steinrelief | bas-relief en pierre | escultura | scultura | 浮き彫り | 浮雕"""),
    "chalk": phrases_of("""chalk drawing | chalkboard | blackboard | chalk | chalk on blackboard | chalkboard drawing | colored chalk
        | sidewalk chalk | drawn with chalk | school blackboard | chalk art | chalk on a green board | classroom board
        | chalk sketch | street chalk | teacher's blackboard | chalky lines on a dark board | mary poppins chalk
        | kreidezeichnung | tafel mit kreide | craie | dessin à la craie | tiza | pizarra | gessetto | 黒板 | 粉笔画"""),
    "gameboy": phrases_of("""game boy | gameboy | game boy screen | old handheld console | green lcd game | tetris | pokemon red and blue
        | four shades of green | game boy camera | gameboy game | handheld game | nintendo game boy | dot matrix game
        | green pixels | tamagotchi | monochrome lcd | 90s handheld | pocket console | game & watch | ゲームボーイ"""),
    "vhs": phrases_of("""vhs | vhs tape | old tv | crt | crt screen | camcorder | glitch | analog video | home video | found footage
        | 90s tv | blair witch | tv static | old television | video tape | videotape | glitch art | scan lines | scanlines
        | bad signal | analog tape | retro tv | 1990s camcorder | security camera tape | chromatic aberration | the ring movie
        | glitchy | cassette | broken tv | röhrenfernseher | videokassette | vieille télé | televisión vieja | ブラウン管"""),
    "ukiyo": phrases_of("""ukiyo-e | ukiyo e | japanese woodblock print | hokusai | great wave | the great wave off kanagawa | hiroshige
        | japanese print | edo period print | woodblock print | japanese woodblock | utamaro | samurai print | old japanese art
        | kanagawa wave | edo woodblock | traditional japanese art | kabuki print | ukiyoe | japanese painting
        | japanischer holzschnitt | estampe japonaise | grabado japonés | 浮世絵 | 浮世绘"""),
    "lego": phrases_of("""lego | lego bricks | toy bricks | building bricks | plastic bricks | lego movie | the lego movie | brick toy
        | building blocks | duplo | lego set | made of lego | made of bricks | toy blocks | lego build | legos | lego portrait
        | brick built | legosteine | lego style | briques lego | ladrillos de lego | レゴ | 乐高"""),
}

_FIRST_MOOD_PHRASES: dict[str, list[str]] = {
    "warm": phrases_of(
        "warm colors | warm tones | warm light | cozy warm light | warm color palette | candlelight | warm | cosy | by candlelight | fireplace light"
    ),
    "cold": phrases_of(
        "cold colors | cool tones | cold light | cool blue tones | icy colors | cold palette | cold | chilly | cool colors | icy | frozen"
    ),
    "sunset": phrases_of(
        "sunset | golden hour | at sunset | sunset light | golden hour lighting | sunrise | dusk glow | at dawn | at dusk | evening sun | sun setting"
    ),
    "night": phrases_of(
        "at night | night | moonlight | moonlit | nighttime | midnight | dark night | by moonlight | starlight | in outer space | galaxy"
    ),
    "autumn": phrases_of(
        "autumn | fall colors | autumn colors | in autumn | october leaves | in the fall | fall foliage | november | autumnal"
    ),
    "winter": phrases_of(
        "winter | snowy | in winter | snow | frosty winter | covered in snow | ice | frost | blizzard | arctic | christmas snow | snowstorm"
    ),
    "vivid": phrases_of(
        "vivid colors | vibrant | saturated colors | colorful | bright vivid colors | hyper saturated | bold colors | colourful | vibrant colors | psychedelic | rainbow colors | lsd trip"
    ),
    "pastel": phrases_of(
        "pastel colors | pastel | soft pastel tones | pale colors | light pastel palette | pastel tones | soft colors | pale | candy colors | washed pastel"
    ),
    "mono": phrases_of(
        "monochrome | black and white | black and white photo | black and white photograph | black and white picture | grayscale | greyscale | desaturated | without color | b&w | no color | colorless | gray | grey"
    ),
    "fog": phrases_of("foggy | misty | fog | haze | in the mist | washed out | hazy | mist | smoky | dreamy haze | silent hill"),
    "dark": phrases_of(
        "dark | gloomy | dark mood | low key | moody dark | shadowy | darkness | underexposed | horror | scary | gothic | batman dark"
    ),
    "bright": phrases_of(
        "bright | high key | bright light | sunny | well lit | daylight | sunshine | sunlit | overexposed | summer day | heavenly light"
    ),
    "red": phrases_of("red | red tones | crimson | in red | red light | scarlet | blood red | on mars | hell | ruby | rojo | rouge"),
    "green": phrases_of(
        "green | green tones | emerald | in green | green light | forest green | jungle | mossy | lime green | shrek | verde"
    ),
    "blue": phrases_of(
        "blue | blue tones | in blue | blue light | navy blue | sapphire | ocean blue | avatar movie | blau | azul | cobalt"
    ),
    "purple": phrases_of("purple | violet | purple tones | in purple | purple light | lavender | ultraviolet | lila | amethyst | nebula"),
    "pink": phrases_of(
        "pink | pink tones | in pink | rose colored | pink light | magenta | barbie | barbie movie | hot pink | rosa | cherry blossom"
    ),
    "gold": phrases_of(
        "gold | golden | golden tones | in gold | yellow | gold colored | dune movie | desert sand | ancient egypt | honey colored | yellow tint"
    ),
    "teal": phrases_of(
        "teal | turquoise | cyan | teal tones | aqua | underwater | under the sea | deep sea | aquarium | mermaid lagoon | tropical water"
    ),
    "orange": phrases_of(
        "orange | orange tones | in orange | amber | fire | on fire | flames | lava | burning | volcano | mad max | tangerine"
    ),
}

PLAIN_PHRASES: list[str] = phrases_of("""photo | a photo | photograph | realistic photo | original | natural photo | a realistic photograph
    | unchanged | raw photo | no style | realistic | nothing | as it is | no filter | normal | just the camera | real life""")

_ALL_SUBJECTS: list[str] = phrases_of("""a man | a woman | a person | a face | my face | a portrait | a young woman | an old man | a street
    | people walking | people in the street | a city | the city | a cat | a dog | a house | a room | an office | a desk
    | a landscape | mountains | a forest | trees | the sea | a beach | a car | a bicycle | a bird | flowers | a garden | a castle
    | a knight | a wizard | a robot | an astronaut | a king | a queen | a child | a family | a crowd | a dancer | a singer
    | a guitar player | a horse | a dragon | food | a cup of coffee | a bowl of fruit | a bridge | a boat | a train | a river
    | a lake | the sky | clouds | a tower | a market | a kitchen | a window | a computer | a phone | a book
    | hands | a smiling face | a girl with long hair | a boy | a businessman | a superhero | a warrior | a chef | friends | me
    | the world | everything | this scene | the scene | this | it | a building | a park | a village | an island | my cat
    | a waterfall | a road | a shop | a cafe | a teacher | a webcam view | a video call | my room | my friend | us | myself
    | a cat on a mat | two friends laughing | a cute puppy | a busy crossing | a mountain lake | a pirate | a princess | a samurai
    | a viking | an elf | a vampire | a zombie | a skeleton | an owl | a wolf | a tiger | a fox | a whale | a butterfly | a tree
    | a rose | a sunflower | a spaceship | an airplane | a motorcycle | a bus | a lighthouse | a temple | a pyramid | a palace
    | a cottage | a farm | a classroom | a library | a hospital | a concert | a wedding | a football match | a chess player
    | a musician | a piano | a violin | shoes | a hat | glasses | a beard | a smile | eyes | a hand waving | a couple dancing""")

QUALITIES: list[str] = phrases_of("""masterpiece | highly detailed | best quality | 4k | 8k | trending on artstation | intricate details
    | professional | beautiful | award winning | detailed | sharp focus | high quality | artistic | stunning | concept art
    | cinematic | elegant | dramatic lighting | digital art | illustration | artwork | hd | ultra realistic lighting
    | very pretty | amazing | epic | gorgeous | unreal engine | octane render | soft lighting | close up | wide shot""")


# The later looks take their phrases from those that had them before, and from the subjects without a look.
_LATER = {phrase for words in MORE_WORDS.values() for phrase in words.named}


def _others(phrases: list[str]) -> list[str]:
    return [phrase for phrase in phrases if phrase not in _LATER]


STYLE_PHRASES: dict[str, list[str]] = {
    **{name: _others(phrases) for name, phrases in _FIRST_STYLE_PHRASES.items()},
    **{name: words.named for name, words in MORE_WORDS.items()},
}
MOOD_PHRASES: dict[str, list[str]] = {name: _others(phrases) for name, phrases in _FIRST_MOOD_PHRASES.items()}
SUBJECTS: list[str] = [subject for subject in _ALL_SUBJECTS if subject.removeprefix("a ").removeprefix("an ") not in _LATER]
