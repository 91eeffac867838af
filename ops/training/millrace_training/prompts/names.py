"""Names and words that people type though they name no look: artists, films, bands, games, places, moods.

The encoder learns the looks of these from the teacher.
"""

from __future__ import annotations

from .phrases import phrases_of

NAMES: list[str] = phrases_of("""mark rothko | jackson pollock | david hockney | h. r. giger | francisco goya | hieronymus bosch | bosch | pieter bruegel
    | egon schiele | el greco | tintoretto | jan van eyck | hans holbein | delacroix | turner sea | constable | caspar david friedrich
    | camille pissarro | alfred sisley | georges seurat | paul signac | toulouse lautrec | henri rousseau | marc chagall | chagall | rene magritte
    | magritte | max ernst | giorgio de chirico | amedeo modigliani | modigliani | franz marc | otto dix | lucian freud | gerhard richter
    | georgia o'keeffe | grant wood | norman rockwell | andrew wyeth | diego rivera | fernando botero | damien hirst | takashi murakami
    | ai weiwei | frank gehry | zaha hadid | le corbusier | louise bourgeois | alberto giacometti | constantin brancusi | henry moore | donatello
    | bernini | mary cassatt | berthe morisot | artemisia gentileschi | hilma af klint | tamara de lempicka | piet mondrian | malevich | suprematism
    | dadaism | dada | futurism | minimalism | realism | romanticism | rococo | neoclassicism | mannerism | fauvism | pointillism | art deco | brutalism
    | constructivism | de stijl | abstract expressionism | op art | land art | folk art | naive art | outsider art | collage | fresco | tapestry
    | embroidery | knitting | knitted | crochet | origami bird | woodcarving | batik | mandala | totem | ice sculpture | sand castle | balloon animal
    | papercut | paper cutout | scrapbook | sticker | emoji face | meme | nft | infographic | diagram | flowchart | circuit | x-ray vision | microscope
    | telescope | satellite photo | polaroid | kodachrome | lomography | infrared film | double exposure | long exposure | bokeh | fisheye | macro
    | the godfather part two | citizen | gone with the wind | the wizard of oz | king kong | jaws | rocky | alien | aliens | predator movie | rambo
    | die hard | jurassic world | the sixth sense | se7en | fight club | memento | the prestige | tenet | dunkirk | oppenheimer | interstellar movie
    | arrival | ex machina | her | gravity | the martian | moon | solaris | stalker | metropolis film | a clockwork orange | full metal jacket
    | apocalypse now | platoon | saving private ryan | the pianist | life is beautiful | cinema paradiso | amelie | delicatessen | la haine | leon
    | the big lebowski | fargo | no country for old men | true grit | the revenant | dances with wolves | braveheart | troy | alexander | ben hur
    | cleopatra | lawrence of arabia | the english patient | out of africa | casino royale | skyfall | mission impossible | the bourne identity | john wick
    | mad max fury road | waterworld | the mummy | pirates of the caribbean | jack sparrow | the hobbit | narnia | game of thrones | the witcher
    | vikings | rome series | the crown | peaky blinders | breaking bad | better call saul | the sopranos | the wire | lost | westworld | black mirror
    | squid game | money heist | dark series | chernobyl | the last of us | fallout | half life | portal | bioshock | skyrim | dark souls | elden ring
    | the legend of zelda | metroid | street fighter | mortal kombat | tekken | age of empires | civilization | starcraft | warcraft | world of warcraft
    | league of legends | overwatch | among us | angry birds | candy crush | animal crossing | wes anderson | quentin tarantino | stanley kubrick
    | david lynch | christopher nolan | steven spielberg | george lucas | ridley scott | guillermo del toro | hayao | akira kurosawa | ingmar bergman
    | fellini | godard | wong kar wai | bollywood | bob marley | reggae | rammstein | metallica | queen band | freddie mercury | pink floyd | abba | kraftwerk
    | bach | beethoven | vivaldi | chopin | tchaikovsky | swan lake | the nutcracker | carmen | hip hop dance | break dance | tango | flamenco | salsa
    | samba | carnival in rio | venetian mask | oktoberfest | mardi gras | diwali | holi | chinese new year | thanksgiving | halloween | pumpkin
    | valentine's day | easter egg | new york | london | berlin | rome | moscow | madrid | barcelona | amsterdam | prague | vienna | athens ruins | cairo
    | jerusalem | dubai | mumbai | bangkok | singapore | beijing | seoul | sydney | rio de janeiro | mexico city | havana | texas | alaska | siberia
    | iceland | norway | scotland | ireland | switzerland | tuscany | provence | santorini | bali | tibet | mount everest | grand canyon | amazon rainforest
    | serengeti | the moon | jupiter | saturn | pluto | big bang | supernova | solar eclipse | full moon | shooting star | rainbow | thunder | blizzard storm
    | avalanche | earthquake | flood | wildfire | drought | quicksand | oasis | mirage | swampland | rainforest | tundra | savanna | prairie | vineyard
    | happy | sad | angry | scared | lonely night | in love | heartbroken | bored | excited | joyful | joy | gloom | hopeful | hopeless | serene | calm mood
    | tense | mysterious | mystical | magical | romantic | nostalgic | dreamy | eerie | creepy | spooky | terrifying | disgusting | hilarious | cheerful
    | festive | solemn | sacred | heroic | epic battle | tragic | chaotic | crazy | wild | elegant lady | luxurious | humble | fragile | strong | powerful
    | fast | slow | heavy | light as a feather | sharp | smooth | rough | shiny | glossy | rusty | dirty | clean | broken | melted | frozen solid | liquid
    | fluffy | furry | hairy | scaly | spiky | bumpy | cracked | transparent | translucent | metallic | golden statue | silver | copper | bronze age | chrome
    | platinum | crystal ball | porcelain doll | ceramic vase | terracotta | terracotta warriors | mud | sand | gravel | asphalt | brick | concrete jungle
    | bamboo forest | cork | leather jacket | denim | velvet | silk dress | wool sweater | cotton | fur coat | plastic bag | rubber duck | foam | soap bubble
    | jelly | honey | caramel | chocolate cake | whipped cream | cheese pizza | spaghetti | sushi roll | taco | curry | salad | tomato | lemon | orange fruit
    | watermelon | pineapple | coconut | apple | cherry | grapes | mushroom | carrot | corn | bread | egg | milk | tea | beer | wine | martini""")  # fmt: skip
