"""Characters that nobody means anything by: they should change nothing."""

from __future__ import annotations

import random

# Letters, digits, punctuation; Greek, Cyrillic, Hebrew, Arabic, Devanagari, kana, Chinese, Hangul; pictograms.
_SCRIPTS = [(97, 122), (97, 122), (48, 57), (33, 47), (945, 969), (1072, 1103), (1488, 1514), (1575, 1610), (2325, 2361),
            (12354, 12435), (19968, 20900), (44032, 45000), (128512, 128580)]  # fmt: skip
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertz", "asdf", "jkl", "poiuytrewq", "mnbvcxz", "lkjhgfdsa")
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_STARTS = (
    "zorg",
    "fnor",
    "blat",
    "gru",
    "kra",
    "xor",
    "vlo",
    "quz",
    "snarf",
    "plib",
    "dweg",
    "frob",
    "glor",
    "wub",
    "yaz",
    "thrax",
    "mip",
    "splo",
)
_ENDS = ("blat", "nord", "gax", "fnib", "zot", "plix", "urk", "wop", "vex", "dof", "grum", "quib", "zzle", "fip", "nax", "bozz")


def _letters(rng: random.Random) -> str:
    first, last = rng.choice(_SCRIPTS)
    return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 9)))


def _mash(rng: random.Random) -> str:
    """Return what a hand leaves on a keyboard."""
    kind = rng.random()
    if kind < 0.4:
        row = rng.choice(_ROWS)
        first = rng.randrange(len(row) - 2)
        return row[first : first + rng.randint(3, 8)]
    if kind < 0.7:
        return "".join(rng.choice(_CONSONANTS) for _ in range(rng.randint(3, 8)))
    if kind < 0.85:
        return rng.choice(_CONSONANTS) * rng.randint(3, 7)
    return rng.choice(_STARTS) + rng.choice(_ENDS)


def gibberish(rng: random.Random) -> str:
    """Return one to six meaningless words."""
    make = _letters if rng.random() < 0.5 else _mash
    return " ".join(make(rng) for _ in range(rng.choice((1, 1, 2, 2, 3, 6))))
