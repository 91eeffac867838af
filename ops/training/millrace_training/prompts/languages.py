"""What looks and common subjects are called in eight other languages; the teacher reads the English word only.

Each row: English, then German, French, Spanish, Italian, Portuguese, Dutch, Japanese, Chinese.
"""

from __future__ import annotations

_ROWS = """
robot: roboter, robot, robot, robot, robô, robot, ロボット, 机器人
zombie: zombie, zombi, zombi, zombi, zumbi, zombie, ゾンビ, 僵尸
vampire: vampir, vampire, vampiro, vampiro, vampiro, vampier, 吸血鬼, 吸血鬼
ghost: geist, fantôme, fantasma, fantasma, fantasma, spook, 幽霊, 鬼魂
skeleton: skelett, squelette, esqueleto, scheletro, esqueleto, skelet, 骸骨, 骷髅
angel: engel, ange, ángel, angelo, anjo, engel, 天使, 天使
devil: teufel, diable, diablo, diavolo, diabo, duivel, 悪魔, 魔鬼
dragon: drache, dragon, dragón, drago, dragão, draak, ドラゴン, 龙
witch: hexe, sorcière, bruja, strega, bruxa, heks, 魔女, 女巫
knight: ritter, chevalier, caballero, cavaliere, cavaleiro, ridder, 騎士, 骑士
king: könig, roi, rey, re, rei, koning, 王様, 国王
queen: königin, reine, reina, regina, rainha, koningin, 女王, 女王
princess: prinzessin, princesse, princesa, principessa, princesa, prinses, お姫様, 公主
pirate: pirat, pirate, pirata, pirata, pirata, piraat, 海賊, 海盗
soldier: soldat, soldat, soldado, soldato, soldado, soldaat, 兵士, 士兵
samurai: samurai, samouraï, samurái, samurai, samurai, samoerai, 侍, 武士
astronaut: astronaut, astronaute, astronauta, astronauta, astronauta, astronaut, 宇宙飛行士, 宇航员
alien: außerirdischer, extraterrestre, extraterrestre, alieno, alienígena, buitenaards wezen, 宇宙人, 外星人
monster: monster, monstre, monstruo, mostro, monstro, monster, 怪物, 怪物
clown: clown, clown, payaso, pagliaccio, palhaço, clown, ピエロ, 小丑
child: kind, enfant, niño, bambino, criança, kind, 子供, 孩子
cat: katze, chat, gato, gatto, gato, kat, 猫, 猫咪
dog: hund, chien, perro, cane, cachorro, hond, 犬, 小狗
horse: pferd, cheval, caballo, cavallo, cavalo, paard, 馬, 骏马
bird: vogel, oiseau, pájaro, uccello, pássaro, vogel, 鳥, 小鸟
fish: fisch, poisson, pez, pesce, peixe, vis, 魚, 鱼
wolf: wolf, loup, lobo, lupo, lobo, wolf, 狼, 野狼
bear: bär, ours, oso, orso, urso, beer, 熊, 狗熊
lion: löwe, lion, león, leone, leão, leeuw, ライオン, 狮子
tiger: tiger, tigre, tigre, tigre, tigre, tijger, 虎, 老虎
elephant: elefant, éléphant, elefante, elefante, elefante, olifant, 象, 大象
butterfly: schmetterling, papillon, mariposa, farfalla, borboleta, vlinder, 蝶, 蝴蝶
spider: spinne, araignée, araña, ragno, aranha, spin, 蜘蛛, 蜘蛛网
snake: schlange, serpent, serpiente, serpente, cobra, slang, 蛇, 毒蛇
flower: blume, fleur, flor, fiore, flor, bloem, 花, 花朵
tree: baum, arbre, árbol, albero, árvore, boom, 木, 树
forest: wald, forêt, bosque, foresta, floresta, bos, 森, 森林
jungle: dschungel, jungle, selva, giungla, selva, oerwoud, ジャングル, 丛林
desert: wüste, désert, desierto, deserto, deserto, woestijn, 砂漠, 沙漠
mountain: berg, montagne, montaña, montagna, montanha, berg, 山, 高山
sea: meer, mer, mar, mare, mar, zee, 海, 大海
river: fluss, rivière, río, fiume, rio, rivier, 川, 河流
lake: see, lac, lago, lago, lago, meer, 湖, 湖泊
island: insel, île, isla, isola, ilha, eiland, 島, 岛屿
rain: regen, pluie, lluvia, pioggia, chuva, regen, 雨, 下雨
storm: sturm, tempête, tormenta, tempesta, tempestade, storm, 嵐, 暴风雨
lightning: blitz, éclair, relámpago, fulmine, relâmpago, bliksem, 稲妻, 闪电
ice: eis, glace, hielo, ghiaccio, gelo, ijs, 氷, 冰
volcano: vulkan, volcan, volcán, vulcano, vulcão, vulkaan, 火山, 火山爆发
moon: mond, lune, luna, luna, lua, maan, 月, 月亮
sun: sonne, soleil, sol, sole, sol, zon, 太陽, 太阳
star: stern, étoile, estrella, stella, estrela, ster, 星, 星星
universe: weltall, univers, universo, universo, universo, heelal, 宇宙, 太空
future: zukunft, futur, futuro, futuro, futuro, toekomst, 未来, 将来
war: krieg, guerre, guerra, guerra, guerra, oorlog, 戦争, 战争
church: kirche, église, iglesia, chiesa, igreja, kerk, 教会, 教堂
castle: schloss, château, castillo, castello, castelo, kasteel, 城, 城堡
city: stadt, ville, ciudad, città, cidade, stad, 都市, 城市
school: schule, école, escuela, scuola, escola, school, 学校, 学堂
train: zug, train, tren, treno, trem, trein, 電車, 火车
car: auto, voiture, coche, macchina, carro, auto, 車, 汽车
ship: schiff, bateau, barco, nave, navio, schip, 船, 轮船
airplane: flugzeug, avion, avión, aereo, avião, vliegtuig, 飛行機, 飞机
toy: spielzeug, jouet, juguete, giocattolo, brinquedo, speelgoed, おもちゃ, 玩具
wood: holz, bois, madera, legno, madeira, hout, 木材, 木头
metal: metall, métal, metal, metallo, metal, metaal, 金属, 钢铁
silver: silber, argent, plata, argento, prata, zilver, 銀, 银
crystal: kristall, cristal, cristal, cristallo, cristal, kristal, 水晶, 水晶球
paper: papier, papier, papel, carta, papel, papier, 紙, 纸
love: liebe, amour, amor, amore, amor, liefde, 愛, 爱
death: tod, mort, muerte, morte, morte, dood, 死, 死亡
dream: traum, rêve, sueño, sogno, sonho, droom, 夢, 梦
sad: traurig, triste, triste, triste, triste, verdrietig, 悲しい, 悲伤
happy: glücklich, heureux, feliz, felice, feliz, gelukkig, 幸せ, 快乐
music: musik, musique, música, musica, música, muziek, 音楽, 音乐
party: feier, fête, fiesta, festa, festa, feest, パーティー, 派对
detective: detektiv, détective, detective, investigatore, detetive, rechercheur, 探偵, 侦探
circus: zirkus, cirque, circo, circo, circo, circus, サーカス, 马戏团
hospital: krankenhaus, hôpital, hospital, ospedale, hospital, ziekenhuis, 病院, 医院
coffee: kaffee, café, café, caffè, café, koffie, コーヒー, 咖啡
garden: garten, jardin, jardín, giardino, jardim, tuin, 庭, 花园
beach: strand, plage, playa, spiaggia, praia, strand, 浜辺, 海滩
winter night: winternacht, nuit d'hiver, noche de invierno, notte d'inverno, noite de inverno, winternacht, 冬の夜, 冬夜
cubism: kubismus, cubisme, cubismo, cubismo, cubismo, kubisme, キュビスム, 立体主义
sculpture: skulptur, sculpture, estatua, statua, estátua, beeldhouwwerk, 彫刻, 雕塑
etching: radierung, eau-forte, aguafuerte, acquaforte, gravura, ets, 銅版画, 铜版画
painting: malerei, tableau, cuadro, quadro, pintura, schilderij, 絵画, 绘画
drawing: zeichnung, dessin, dibujo, disegno, desenho, tekening, 絵, 图画
superhero: superheld, super-héros, superhéroe, supereroe, super-herói, superheld, スーパーヒーロー, 超级英雄
video game: videospiel, jeu vidéo, videojuego, videogioco, videojogo, computerspel, ビデオゲーム, 电子游戏
"""


def _read() -> list[tuple[str, str]]:
    pairs = []
    for row in _ROWS.strip().splitlines():
        english, others = row.split(": ")
        pairs += [(word.strip(), english) for word in others.split(",")]
    return list(dict.fromkeys(pairs))


# (word, its meaning in English).
TRANSLATIONS: list[tuple[str, str]] = _read()
