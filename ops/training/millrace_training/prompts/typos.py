"""Misspellings like those of fast typists and learners of English."""

from __future__ import annotations

import random

_NEIGHBOURS = {
    "q": "wa", "w": "qe", "e": "wr", "r": "et", "t": "ry", "y": "tu", "u": "yi", "i": "uo", "o": "ip", "p": "ol",
    "a": "sq", "s": "ad", "d": "sf", "f": "dg", "g": "fh", "h": "gj", "j": "hk", "k": "jl", "l": "ko",
    "z": "xa", "x": "zc", "c": "xv", "v": "cb", "b": "vn", "n": "bm", "m": "nj",
}  # fmt: skip
_SOUNDS = [("ph", "f"), ("ck", "k"), ("ei", "ie"), ("ie", "ei"), ("ou", "o"), ("our", "or"), ("or", "er"), ("er", "or"),
           ("ll", "l"), ("ss", "s"), ("tt", "t"), ("c", "k"), ("k", "c"), ("c", "s"), ("s", "c"), ("z", "s"), ("y", "i"), ("i", "y"),
           ("ea", "ee"), ("a", "e"), ("e", "a"), ("i", "e"), ("e", "i"), ("o", "u"), ("ai", "a"), ("oa", "o"), ("g", "gg"), ("p", "pp")]  # fmt: skip


def _letter_slip(word: str, rng: random.Random) -> str:
    i = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.3:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind < 0.6:
        return word[:i] + word[i + 1 :]
    if kind < 0.8:
        return word[:i] + word[i] + word[i:]
    return word[:i] + rng.choice(_NEIGHBOURS.get(word[i], word[i])) + word[i + 1 :]


def _sound_slip(word: str, rng: random.Random) -> str:
    swaps = [(a, b) for a, b in _SOUNDS if a in word[1:]]
    if not swaps:
        return _letter_slip(word, rng)
    a, b = rng.choice(swaps)
    return word[0] + word[1:].replace(a, b, 1)


def misspell(text: str, rng: random.Random) -> str:
    """Make one or two errors in words of three letters or more; sometimes join two words."""
    words = text.split(" ")
    long_words = [i for i, word in enumerate(words) if len(word) >= 3 and word.isascii()]
    for i in rng.sample(long_words, min(len(long_words), rng.choice((1, 1, 2)))):
        words[i] = _letter_slip(words[i], rng) if rng.random() < 0.6 else _sound_slip(words[i], rng)
    if len(words) > 1 and rng.random() < 0.15:
        i = rng.randrange(len(words) - 1)
        words[i : i + 2] = [words[i] + words[i + 1]]
    return " ".join(words)
