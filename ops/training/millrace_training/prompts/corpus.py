"""Prompts that name no look: every common word, names, pairs of words, subjects, words of other languages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from .languages import TRANSLATIONS
from .names import NAMES
from .themes import LOOK_THEMES
from .vocabulary import MOOD_PHRASES, PLAIN_PHRASES, STYLE_PHRASES, SUBJECTS

# Files of SCOWL, from the most common words to the less common, with how often a word is seen in training.
_LISTS = (("english-words.10", 3.0), ("english-words.20", 3.0), ("english-words.35", 0.5), ("english-upper.50", 0.5))
_LONGEST = 14  # letters
_PAIRS = 24_000
_PAIR_SENTENCES = (
    "{a} {b}",
    "{a} {b}",
    "{a} and {b}",
    "{a} of {b}",
    "{a} in the {b}",
    "{a} with a {b}",
    "{s} {a}",
    "{a} {s}",
    "{s} and a {a}",
)
_WEIGHT_OF_NAMES, _WEIGHT_OF_PAIRS = 6.0, 0.5


@dataclass(frozen=True)
class Unnamed:
    """A prompt that names no look. `meaning`: what the teacher reads for it."""

    text: str
    meaning: str
    weight: float


def _words(folder: Path, name: str) -> list[str]:
    lines = (folder / name).read_text(encoding="latin-1").split()
    return [word.lower() for word in lines if word.isascii() and word.isalpha() and 3 <= len(word) <= _LONGEST]


def unnamed_prompts(folder: Path) -> list[Unnamed]:
    """Return each prompt once, without those that name a look. `folder`: SCOWL's lists."""
    rng = random.Random(0)
    found = [Unnamed(theme, theme, _WEIGHT_OF_NAMES) for themes in LOOK_THEMES.values() for theme in themes]
    found += [Unnamed(name, name, _WEIGHT_OF_NAMES) for name in (*NAMES, *SUBJECTS)]
    found += [Unnamed(word, english, _WEIGHT_OF_NAMES) for word, english in TRANSLATIONS]
    lists = [(_words(folder, name), weight) for name, weight in _LISTS]
    found += [Unnamed(word, word, weight) for words, weight in lists for word in words]
    common = [word for words, _ in lists[:2] for word in words]
    for _ in range(_PAIRS):
        a, b = rng.choice(common), rng.choice(common)
        text = rng.choice(_PAIR_SENTENCES).format(a=a, b=b, s=rng.choice(SUBJECTS))
        found.append(Unnamed(text, text, _WEIGHT_OF_PAIRS))
    named = {phrase for phrases in (*STYLE_PHRASES.values(), *MOOD_PHRASES.values(), PLAIN_PHRASES) for phrase in phrases}
    first: dict[str, Unnamed] = {}
    for prompt in found:
        if prompt.text not in named:
            first.setdefault(prompt.text, prompt)
    return list(first.values())
