"""What a person would paint in each look, for prompts that name none.

A prompt without a style gets the look whose themes are nearest in meaning (`text/meaning.py`). Themes are what the look is
made of or made for: creatures, places, materials, eras, films, people. A look is one more entry here.
"""

from __future__ import annotations

from .more_looks import MORE_WORDS
from .phrases import phrases_of

_FIRST: dict[str, list[str]] = {
    "oil": phrases_of("""king | queen | nobleman | renaissance | baroque | louvre museum | still life with fruit | a bowl of fruit | opera
        | violin | classical music | wine and bread | harvest | shakespeare | napoleon | palace | horse riding | old masters
        | titian | raphael | botticelli | goya | rubens | impressionism | wedding portrait | countryside | a vase of flowers
        | ballet dancer | degas | manet | velázquez | romantic landscape | cheese | roast chicken | a duchess | orchestra | mozart
        | aristocrat | frida kahlo | gauguin | matisse | sargent | edward hopper | girl with a pearl earring | barry lyndon"""),
    "gogh": phrases_of("""swirls | whirlwind | tornado | hurricane | windy | madness | dream | nightmare of swirls | sunflower | wheat field
        | cypress tree | stars in the sky | milky way | comet | hallucination | dizzy | anxiety | screaming | insanity | emotional
        | dreaming | surreal | surrealism | salvador dali | melting clocks | spiral | magic | wizard | witch | fever dream | psychedelic art
        | merlin | harry potter | lord of the rings | gandalf | hogwarts | alice in wonderland | starry sky | constellation | comets"""),
    "pencil": phrases_of("""notebook | writing | author | poet | student | idea | paper | newspaper | anatomy | inventor's notebook
        | letter | diary | essay | homework | exam | old man's hands | thinking | philosophy | philosopher | professor | portrait of grandma
        | wrinkles | novel | book page | quiet | introvert | modesty | simple | minimal | unfinished | draft | secretary | office worker"""),
    "cpencil": phrases_of("""children | kids | toddler | baby | kindergarten | family | mother and child | bunny | rabbit | puppy | teddy bear
        | storybook | bedtime story | nursery | birthday party | farm animals | duckling | hamster | winnie the pooh | peter rabbit
        | paddington bear | kite | balloon | playground | crayola | picture book | childhood | grandmother's kitchen | cookies | cupcake
        | squirrel | hedgehog | gingerbread house | easter | santa claus | christmas tree | peanuts snoopy | playful | happy | cute animal"""),
    "water": phrases_of("""rain | garden | flowers | butterfly | spring | lake | river | venice | peaceful | calm | gentle | tulips | swan
        | mermaid | fish | sea | ocean | beach | seaside | sailing boat | waterfall | pond | lilies | meadow | songbird | hummingbird
        | dew | cloud | soft | delicate | tea cup | fairy | hydrangea | coral reef | dolphin | whale | turtle | island | harbor | coast
        | landscape | mountains | valley | forest path | tree | leaf | orchard | wet | swimming pool | umbrella | paris | beatrix potter
        | village | countryside cottage | france | tranquility | tenderness | lavender field"""),
    "comic": phrases_of("""superhero | batman | superman | wonder woman | iron man | the avengers | spiderman | hulk | captain america | deadpool
        | joker | supervillain | explosion | punch | boxing | action | boom | funny | joke | comedy | clown | circus | laughing | monkey
        | bugs bunny | mickey mouse | donald duck | garfield | south park | family guy | tom and jerry | scooby doo | popeye | speech bubble
        | gangster cartoon | silly | mad scientist | wrestling | football | basketball | athlete | race | mutant | x-men | sport
        | policeman | fireman | cat woman | bandit | pirate captain | prank | sarcasm | caricature"""),
    "lineart": phrases_of("""tattoo | calligraphy | treasure map | dürer | albrecht durer | banknote | spider web | winter branches | tim burton
        | nightmare before christmas | edward gorey | zebra | penguin | newspaper illustration | woodcut | scratchboard | woodcutter
        | etched | quill pen | pirate map | manga artist | death note | junji ito | berserk | m c escher | escher | maze | labyrinth
        | barcode | handwriting | signature | japanese calligraphy | henna | lace | wire | fingerprint | chess board | piano keys | feather
        | ant | insect | beetle | bicycle drawing | map | doodles in black ink | leonora carrington | pinocchio | sherlock holmes illustration"""),
    "pixel": phrases_of("""video game | gamer | arcade | computer game | minecraft steve | dungeon | coding | software | programmer | geek
        | playstation | xbox | sega | sonic the hedgehog | zelda | donkey kong | doom | fortnite | roblox | cube | voxel | low poly | bitmap
        | joystick | console gaming | keyboard | computer | website | internet | emoji | quest | level up | loot | esports | streamer
        | wreck it ralph | the sims | tron arcade | digital | algorithm | data"""),
    "glass": phrases_of("""church | cathedral | saint | angel | heaven | god | jesus | virgin mary | priest | bible | prayer | holy | religion
        | kaleidoscope | jewel | gem | diamond | crystal | prism | peacock | picasso | pablo picasso | cubism | cubist | kandinsky | mondrian
        | abstract art | geometric shapes | paul klee | gustav klimt | klimt | art nouveau | alphonse mucha | bauhaus | facets | shattered glass
        | broken mirror | parrot | butterfly wings | rose window | mosque | synagogue | arabesque | islamic pattern | morocco | istanbul
        | tiles of lisbon | byzantium | pope | monk | temple | glass | window pane | marbles | guernica | gemstone | emerald | ruby | opal
        | quilt | patchwork | harlequin | beads | joan miro | braque | dragonfly"""),
    "neon": phrases_of("""nightclub | disco | bar at night | las vegas | laser | electricity | lightning | thunderstorm | fireworks | jellyfish
        | party | rave | firefly | hologram | techno | dj | glow | plasma | spark | light bulb | electric guitar | christmas lights
        | casino | karaoke | ferris wheel at night | bioluminescence | strobe | dance floor | star | sparkle | radiant | luminous
        | aurora | northern lights | halo | casino night | energy | electric eel | cocktail bar | night life | daft punk | glowing"""),
    "cyber": phrases_of("""robot | android | cyborg | machine | artificial intelligence | spaceship | future | alien | drone | terminator
        | star wars | darth vader | star trek | wall-e | robocop | transformers | mecha | gundam | space station | rocket | astronaut
        | planet | mars rover | satellite | computer chip | circuit board | motherboard | cyber | hacking | tokyo at night | metropolis
        | skyscraper | shanghai | hong kong | new york at night | motorcycle | sports car | chrome | engine | laser gun | space
        | galaxy | universe | nebula | moon landing | black hole | interstellar | dystopia | the fifth element | total recall | i robot
        | jetsons | nasa | ufo | extraterrestrial | technology | quantum | server room | virtual reality | self driving car | helicopter"""),
    "charcoal": phrases_of("""ash | soot | coal mine | miner | smoke | war | soldier | battlefield | storm cloud | raven | crow | grief | death
        | funeral | cemetery | grave | graveyard | wolf | burnt wood | tragedy | sadness | sorrow | lonely | despair | black | grim reaper | reaper
        | skull | bear | gorilla | bull | cave painting | stone age | caveman | mammoth | cave | chimney sweep | poverty | famine | hunger
        | black cat | bat | spider | gothic horror | dracula | vampire | frankenstein | edgar allan poe | edgar allan poe's raven | witch hunt
        | nosferatu | tree bark | ruins | melancholy | depression | hades | devil | demon | beast | minotaur | orc | goblin | troll | werewolf
        | francis bacon | weeping | misery | weight | rage | anger"""),
    "blueprint": phrases_of("""architecture | architect | engineer | invention | mechanism | gears | clockwork | factory | mechanic | bridge
        | crane machine | physics | geometry | airplane | ship | submarine | steam engine | train | tractor | truck | car design | bicycle parts
        | floor plan | house plan | building | construction site | tower | eiffel tower | electrical wiring | plumbing | ruler | compass
        | measurement | industrial | patent | machine parts | leonardo's flying machine | death star plans | tesla | turbine | rocket design
        | iron man suit plans | windmill | lighthouse | tool | hammer | screwdriver | nuts and bolts | steampunk machine | watchmaker
        | clock | snowflake geometry | crystal lattice | molecule | dna | atom | chemistry | laboratory"""),
    "thermal": phrases_of("""fire | flame | heat | hot | lava | volcano | inferno | hell | burning | explosion of fire | dragon breathing fire
        | dragon | phoenix | furnace | sun | solar flare | desert heat | fever | chili pepper | spicy | bonfire | campfire | fireplace
        | candle | ember | radiation | melting | magma | firefighter | forest fire | hot iron | sauna | tropical | rainbow | lsd | psychedelic
        | acid trip | temperature | climate | weather map | mordor | balrog | sauron | satan | meteor | blast | nuclear explosion | oven
        | barbecue | pizza oven | summer heat | sahara | molten metal | parrot colors | infrared | warm blooded animal | chameleon"""),
    "sepia": phrases_of("""history | historical | old | ancient | antique shop | cowboy | sheriff | saloon | grandfather | grandmother | ancestor
        | victorian | titanic | world war one | civil war | steam locomotive | egypt | pyramid | sphinx | pharaoh | mummy | leather | coffee
        | whiskey | library | parchment | manuscript | explorer | indiana jones | wood | wooden | steampunk | dust | desert | camel | antique
        | archaeology | fossil | abandoned house | old town | nostalgia | memories | museum of history | abraham lincoln | queen victoria
        | charles darwin | gold rush | stagecoach | buffalo | native american | typewriter | gramophone | suitcase | lion | giraffe | safari
        | elephant | africa | autumn leaf | tree trunk | barn | farmer | hay | clint eastwood | the good the bad and the ugly | once upon a time in the west
        | little house on the prairie | django | downton abbey | charles dickens | oliver twist | rust | chocolate | tobacco | india | tiger"""),
    "noir": phrases_of("""detective | crime | murder | murderer | gangster | mafia | spy | cigarette | trench coat | thriller | shadow | police station
        | jazz | jazz club | saxophone | private investigator | suspense | mystery | femme fatale | al capone | the godfather | prison | prisoner
        | lawyer | courtroom | gun | pistol | assassin | hitman | james bond | sherlock holmes | agatha christie | psycho | vertigo
        | pulp fiction | reservoir dogs | scarface | goodfellas | humphrey | marlene dietrich | greta garbo | audrey hepburn | rainy street at night
        | alley | taxi driver | metropolis 1927 | secret | conspiracy | betrayal | jealousy | kidnapper | thief | robbery | bank robber
        | poker | gambler | smoking | tuxedo | hat | limousine | journalism | photographer | chess | crime scene | drama | serious | cruelty"""),
    "popart": phrases_of("""marilyn monroe | celebrity | advertising | banana | fashion | lipstick | lips | supermarket | hamburger | coca cola
        | candy | pop star | elvis presley | the beatles | hollywood | sneakers | ice cream | money | dollar | shopping | magazine cover | billboard
        | model | make up | perfume | high heels | madonna | michael jackson | beyonce | lady gaga | david bowie | consumerism | can of soup
        | hot dog | fries | milkshake | bubble gum | lollipop | donut | cereal | brand | logo | cadillac | television star | fame | modern art
        | contemporary art | basquiat | jean-michel basquiat | graffiti | street art | keith haring figure | yayoi kusama | polka dots | jeff koons
        | punk | rock and roll | sixties | mick jagger | american diner | cheerleader | salvador | poster | president | election | politician
        | obama | trump | propaganda | soviet poster | che guevara | lenin | mao | flag | trendy | loud"""),
    "anime": phrases_of("""schoolgirl | kawaii | cat girl | princess | unicorn | fantasy | elf | fairy tale | magical girl | manga hero | cosplay
        | totoro forest | dragon ball z | goku | attack on titan | demon slayer | pikachu | sailor | frozen elsa | the lion king | toy story
        | finding nemo | shrek | aladdin | snow white | cinderella | beauty and the beast | little mermaid | bambi | dreamworks | cute girl
        | big eyes | idol | j-pop | heroine | prince | castle in the sky | adventure | friendship | sword and magic | knight in shining armor
        | final fantasy | genshin impact | zelda breath of the wild | anime boy | teenage girl | young hero | love story | kiss | crush
        | sparkling eyes | cute | pretty | beautiful girl | angel girl | summer sky | pony | kitten | cat | puppy love | moana | peter pan
        | pocahontas | the incredibles | animation"""),
    "negative": phrases_of("""skeleton | bones | ghost | spirit | phantom | inverted | opposite | other dimension | parallel universe | hospital
        | doctor | surgeon | radiology | medical scan | upside down | undead | darkroom | poltergeist | haunted | haunted house | exorcist
        | ghostbusters | casper | apparition | soul | afterlife | invisible man | mri scan | ribcage | brain scan | brain | teeth | dentist
        | antimatter | the upside down | paranormal | seance | nurse | medicine | anatomy scan | day of the dead | cold hearted
        | mirror world | evil twin | reverse | inside out | albino | moth"""),
    "nightvis": phrases_of("""military | army | special forces | commando | sniper | jungle at night | toxic | radioactive | slime | alien creature
        | zombie | the walking dead | world war z | resident evil | monster | swamp | frog | owl | green | poison | snake | crocodile | lizard
        | reptile | nuclear waste | hulk smash | submarine | sonar | radar | night hunt | nocturnal animals | navy seal | tank | war zone
        | drone strike | terrorist | iraq war | apocalypse | walking corpse | undead soldiers | alien movie | xenomorph | godzilla | kermit
        | grinch | lucky clover | emerald forest | cactus | the thing | mutant frog | green goblin | teenage mutant ninja turtles | yoda
        | virus | bacteria | plague | infection | biohazard | camouflage | surveillance | spying | helmet | ogre | dinosaur | jurassic park | matrix code"""),
    "vapor": phrases_of("""eighties | miami | palm tree | california | los angeles | hawaii | pink flamingo | flamingo | dolphin jumping | mall
        | roman bust | sunglasses | synth | roller skates | cocktail | summer holiday | vacation | tropical beach | bubblegum | cotton candy
        | dreamy pink | pink sunset | top gun | back to the future | ferrari | delorean | convertible | aerobics | walkman | cassette player
        | windows 95 | arizona iced tea | dream pop | chill | relax | surfing | surfer | skateboard | yacht | hotel | resort | barbie
        | la la land | romance | sexy | glamour | sweet | strawberry | lemonade | magic mushroom | hippie | woodstock | flower power
        | electronic music | kpop | tiktok | instagram | influencer | teenager | girly | pink | purple haze | lounge | luxury | dolphin"""),
    "emboss": phrases_of("""marble | statue | stone | rock | clay | metal | silver | coin | sculpture | concrete | armor | iron | bronze | medal | cement
        | rhinoceros | gargoyle | castle | steel | moon surface | tomb | mountain rock | greek god | zeus | medusa | colosseum | parthenon | athens
        | rome | roman emperor | julius caesar | gladiator | spartan | venus de milo | david by michelangelo | mount rushmore | easter island
        | buddha statue | stonehenge | brick wall | pottery | porcelain | ceramic | ivory | plaster | granite | pebble | golem | knight armor
        | aluminium | tin | lead | titanium | anvil | sword | shield | crown | monument | fountain | pillar | plasticine | shaun the sheep
        | hippopotamus | tortoise | mask | the rock | 300 movie | hercules | jewelry | ring | mercury | paper mache | origami | paper | wax figure"""),
    "chalk": phrases_of("""school | classroom | teacher | math | formula | equation | algebra | hopscotch | cafe menu | menu board | education | lesson
        | einstein | albert einstein | science class | university lecture | professor at the board | calculus | alphabet | spelling | pupil
        | bakery | restaurant menu | sidewalk | pavement art | physics lesson | astronomy | solar system | snowman | winter night | ice
        | frost | snowflake | polar bear | iceberg | ghostly white lines | snow | arctic | antarctica | igloo | skiing | frozen lake | glacier
        | dead poets society | good will hunting | a beautiful mind | map of stars | zodiac | astrology"""),
    "gameboy": phrases_of("""nintendo handheld | pocket monsters | pikachu game | calculator | lcd display | digital watch | retro gaming | snake on a nokia
        | nokia phone | kirby | super mario land | old phone | pager | tamagotchi pet | bulbasaur | pokemon trainer | game cartridge | battery
        | handheld gaming | link's awakening | old computer terminal | dot matrix printer | fax machine | 1989 | nineties toy | graph paper"""),
    "vhs": phrases_of("""nineties | 1990s | television | tv show | sitcom | mtv | rock band | concert | heavy metal | grunge | nirvana | horror movie
        | slasher movie | freddy krueger | jason voorhees | halloween movie | the shining | stranger things | paranormal activity | x-files
        | twin peaks | static | interference | broken screen | error | corrupted file | computer virus | news broadcast | home movie | family video
        | security camera | skate video | hip hop | rapper | boombox | blockbuster video | seinfeld | friends sitcom | baywatch | memory
        | nightmare | creepy doll | scary clown | cult | serial killer | insomnia | paranoia | distortion | noise | radio | microphone
        | documentary | reality show | weather channel | soap opera | blair | poltergeist tv"""),
    "ukiyo": phrases_of("""japan | samurai | geisha | mount fuji | kimono | ninja | kyoto | tsunami | giant wave | storm at sea | cherry tree
        | zen garden | temple in japan | crane bird | koi fish | tea ceremony | sushi | buddha | bonsai | bamboo | panda | katana | kabuki | lantern
        | pagoda | china | chinese dragon | great wall of china | kung fu | bruce lee | karate | sumo | shogun | ronin | haiku | origami crane
        | oriental | asia | korea | vietnam | rice field | chopsticks | ramen | noodles | seven samurai | kurosawa | mulan | kill bill
        | memoirs of a geisha | crouching tiger hidden dragon | octopus | carp | heron | monkey king | mask of noh | imperial palace | emperor of japan
        | silk | fan | martial arts | fishing boat in waves | moby dick | sea monster | kraken | shipwreck"""),
    "lego": phrases_of("""toy | bricks | plastic | construction toy | toy car | toy box | playmobil | duplo train | building set | toy soldier | dollhouse
        | fire truck | police car toy | train set | pirate ship toy | action figure | miniature | puzzle | cubes | wall of bricks | building a house
        | toy shop | blocks | batman movie in bricks | bulldozer | excavator | crane truck | garbage truck | doll | hobby | model kit
        | christmas present | toy robot | bus | city toy | barbie house | board game | dice | rubik's cube"""),
}  # fmt: skip

LOOK_THEMES: dict[str, list[str]] = {**_FIRST, **{name: words.themes for name, words in MORE_WORDS.items()}}
