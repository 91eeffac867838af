"""315 handwritten prompts that name no look, or one of the later ones, with the looks that a person would accept for each.

Subjects, artists, films, feelings, misspelt words, other languages. They were not taken into training; those that are a word
of the dictionary or a name occur there as all words do, and the evaluation counts the others apart. A row: the accepted looks
and moods (some have the words of a mood), then its prompts.
"""

from __future__ import annotations

from .more_looks import MORE_WORDS

_ROWS = """
cyber lego neon blueprint emboss robot steampunk: a robot | robot army marching | my face as a cyborg | a friendly robot in the kitchen
nightvis negative vhs charcoal zombie ghost xray: zombie | a zombie apocalypse | the undead rise from their graves | a rotting corpse walks
glass oil lineart gogh popart cubism pointillism: picasso | in the manner of pablo picasso | georges braque | a cubist portrait of my uncle
emboss clay marble bronze porcelain wood: claymation sheep | a marble bust of caesar | a statue of liberty | carved from granite | michelangelo's david
emboss cyber neon robot gold bronze hologram: chrome | liquid metal man | polished silver armor
cyber gogh neon night purple galaxy alien hologram moonlight: a galaxy far away | a spaceship landing | the andromeda galaxy | astronauts on a space walk | nebula
thermal neon gogh orange fire candlelight: fire | a burning house | lava flows down the volcano | the flames of hell | a fire breathing dragon
chalk emboss glass winter cold ice snow crystal: ice | an ice palace | frozen lake | a snow covered igloo | glacier
water oil ukiyo cpencil gogh sunset jungle rain leaves gouache pointillism underwater: a waterfall in the woods | a rainy day | lake at dawn | a quiet pond with lilies | a boat on the river
water ukiyo oil underwater rain: ocean waves | fishing harbour | sailing across the sea
water cpencil anime oil ukiyo pink gouache softpastel embroidery porcelain jungle pointillism tapestry: a flower garden | cherry tree in bloom | butterflies | a meadow in spring | a basket of roses
anime cpencil comic softpastel knitted clay gouache: a kitten | a cute bunny | magical princess | an elf with pointed ears | unicorn
comic lego popart anime graffiti robot vampire papercut: batman | superman flying | the incredible hulk | a supervillain laughs | wonder woman
lego cpencil pixel comic clay wood robot papercut knitted: a toy train | wooden toy blocks | action figures on a shelf | toy soldiers
sepia oil charcoal gold desert steampunk bronze woodcut engraving: a cowboy on his horse | the wild frontier | ancient egypt | tutankhamun's mummy | my great grandfather
sepia noir vhs charcoal ghost steampunk engraving: a haunted mansion in 1890 | world war trenches | a steam train at the station
noir charcoal vhs candlelight rain: a detective smoking a cigarette | murder on the orient express | gangsters of chicago | a spy in the shadows | private eye
noir sepia gold candlelight vampire: al pacino in the godfather | humphrey | jazz club in harlem | the maltese falcon
charcoal noir negative vhs lineart thermal nightvis vampire ghost zombie: dracula | a werewolf howls | satan | grim reaper with a scythe | a haunted graveyard
charcoal negative lineart noir emboss xray ghost vampire zombie engraving: a human skull | black raven | a bat in the cave
negative vhs charcoal nightvis ghost xray zombie: a ghost | poltergeist activity | spirits of the dead | skeletons dancing | a radiologist
nightvis water ukiyo comic jungle alien snow: a frog | crocodile in the swamp | a green snake | jurassic park | godzilla attacks
nightvis noir sepia blueprint charcoal night jungle zombie graffiti: soldiers on patrol | a tank battalion | submarine crew | navy seals at midnight
ukiyo anime woodcut papercut porcelain engraving: a samurai warrior | geisha with a fan | mount fuji | a pagoda in kyoto | ninja | akira kurosawa's ran
ukiyo water emboss glass porcelain jungle gold papercut embroidery bronze fire: chinese dragon | buddha | koi carp pond | bonsai tree
glass mosaic crystal tapestry gold marble: a cathedral | the virgin mary | saint george | heaven's angels | a byzantine emperor | diamonds
glass oil popart pixel gogh cubism mosaic pointillism papercut gouache: mondrian | kandinsky | paul klee | geometric abstraction | kaleidoscope
oil gogh glass water mosaic pointillism gouache softpastel cubism gold: gustav klimt the kiss | matisse | cezanne's apples | a ballerina by degas | frida kahlo
oil sepia noir tapestry marble gold bronze candlelight engraving wood porcelain: king henry the eighth | a duke and a duchess | napoleon bonaparte | shakespeare | still life with pears
oil sepia popart water vapor cpencil chalk wood candlelight gouache clay vampire porcelain: a glass of red wine | a loaf of bread | roast turkey dinner | cheese platter
gogh charcoal lineart vhs thermal cubism ghost zombie vampire alien rain infrared: a nightmare | going insane | hallucinations | a tornado | salvador dali | melting clocks
gogh anime cyber glass comic charcoal mono tapestry fire galaxy crystal steampunk woodcut ghost vampire: a wizard casts a spell | harry potter | gandalf the grey | lord of the rings
neon popart vapor cyber hologram galaxy graffiti crystal gold fire rain: a disco in the seventies | fireworks over the bay | laser show | techno rave | lightning strikes | electric storm
neon water thermal negative cyber nightvis underwater alien hologram galaxy infrared: glowing jellyfish | bioluminescent plankton | northern lights | fireflies
vapor popart water anime pink desert underwater jungle: miami beach | palm trees | a pink flamingo | hawaii holidays | barbie doll | summer vacation
vapor vhs neon popart pixel sunset hologram graffiti: the eighties | a sports car in the sunset of 1985 | roller disco
vhs noir negative charcoal vampire zombie ghost clay: the shining | the blair project | a creepy clown | serial killer documentary | nightmare on elm street
vhs popart noir neon graffiti vampire robot: a heavy metal concert | kurt cobain | the evening news | music video from 1993
popart comic vapor graffiti gold clay fire: marilyn | coca cola bottle | a cheeseburger with fries | elvis | lady gaga | hollywood star | fashion model
popart comic oil glass gogh graffiti papercut: basquiat | jeff koons | street art on a wall | the beatles | graffiti
pixel gameboy cyber lego circuit robot galaxy steampunk alien: zelda | a dungeon crawler | computer nerd | space invader ship | sonic | fortnite player
pixel gameboy cyber blueprint nightvis circuit hologram robot: source code | a software engineer | digital data stream | the internet
gameboy pixel anime circuit robot: pikachu | pocket calculator | a handheld console from 1990
blueprint chalk pencil sepia lineart steampunk engraving circuit robot bronze: an architect's office | the eiffel tower | a steam engine | clockwork gears | nikola tesla | suspension bridge
blueprint cyber negative chalk circuit xray hologram alien crystal: dna molecules | nuclear physics | a chemistry lab
chalk pencil blueprint lineart engraving circuit galaxy xray: albert einstein | a maths lesson | back to school | the periodic table | teacher of the year
cpencil lego anime comic knitted papercut clay gouache softpastel: a child with a balloon | happy birthday | kindergarten | teddy bears picnic | winnie the pooh
cpencil water anime knitted embroidery gouache tapestry softpastel snow moonlight leaves: peter rabbit | a hedgehog family | bedtime story
pencil lineart sepia oil chalk noir engraving woodcut wood candlelight softpastel: a poet writing letters | a philosopher thinks | old hands | open notebook
lineart sepia pencil charcoal woodcut engraving graffiti embroidery xray tapestry: sailor's tattoo | treasure map | zebra stripes | spider web | tim burton | ettching | wood engravng
emboss sepia oil charcoal ukiyo marble tapestry mosaic wood woodcut engraving bronze papercut: an old castle | greek temple ruins | stonehenge | the colosseum in rome | medieval knight
sepia emboss water desert jungle wood infrared: a desert caravan | elephants of africa | a wooden barn | a lion | camel | leather boots
anime cpencil comic lego green clay underwater robot snow ice jungle papercut: toy story | the lion king | little mermaid | shrek | finding nemo | frozen by disney
cyber robot circuit alien hologram galaxy steampunk: star wars | the terminator | alien spaceship | a circuit board | dystopian megacity | androids dream | mars colony
charcoal water sepia gogh noir pencil rain moonlight ghost candlelight snow: melancholy | sadness | i am so lonely | grief | depression
cpencil anime popart comic vapor water neon softpastel gouache gold: happiness | joyful dance | a good mood | hilarious joke | love is in the air
water vapor cpencil anime moonlight softpastel gouache candlelight underwater snow: calm and peaceful | tranquility | a gentle breeze | tenderness
charcoal thermal gogh noir comic fire zombie vampire: anger | hatred and rage | panic
thermal vapor popart oil water neon vivid desert fire infrared crystal: hot summer | chili peppers | sun over the sahara | rainbow
noir charcoal blueprint chalk emboss wood xray marble porcelain engraving: chess grandmaster | the pianist
cyber neon lego blueprint emboss nightvis robot steampunk circuit alien: robott | roboter | ein roboter im garten | un robot en la ciudad | ロボット
nightvis negative vhs charcoal noir lineart sepia zombie ghost vampire xray: zombi | fantôme | geist | un vampiro | skellington | skeletn
thermal anime ukiyo charcoal nightvis cyber fire alien jungle porcelain ice: un dragon | drache | 龙 | a dragoon made of fire
emboss oil lego sepia anime glass cpencil marble bronze wood tapestry porcelain: das schloss | un castillo | estatua de piedra
water cpencil oil ukiyo underwater rain jungle leaves gouache: das meer | una flor | la pluie | un lago | forrest | buterfly
noir comic robot candlelight: detectiv | un superhéroe | suprhero
glass oil gogh cubism mosaic marble: la chiesa | kirche | cubisme
cyber gogh night purple galaxy alien: universo | astronaut im weltall | galaxi
lego popart anime cpencil comic clay wood papercut knitted robot: spielzeug | juguete | prinzessin
"""


def _read() -> list[tuple[str, frozenset[str]]]:
    # Some name a later look, which is then accepted too.
    named = {phrase: {name} for name, words in MORE_WORDS.items() for phrase in words.named}
    prompts = []
    for row in _ROWS.strip().splitlines():
        looks, texts = row.split(": ")
        prompts += [(text.strip(), frozenset(looks.split()) | named.get(text.strip(), set())) for text in texts.split(" | ")]
    return prompts


WRITTEN: list[tuple[str, frozenset[str]]] = _read()

# Characters without a meaning: the picture stays as it is, and users are told that they are unknown.
NOISE: list[str] = ["xqzt gfff", "zorgblat fnord", "asdf qwer", "???!!!", "12345", "🙂🙂🙂", "\n\t", "qqqq", "zxcvbnm", "jjkl wrrt pfft"]
