"""A generator of realistic prompts for a given style and mood.

The encoder also has to learn which words mean nothing beside a style: subjects, quality
words and arbitrary words of the dictionary occur with every style, so they have no signal.
Alone they have a meaning (`corpus.py`); only what nobody means has none.
"""

from __future__ import annotations

import random
from pathlib import Path

from .noise import gibberish
from .typos import misspell
from .vocabulary import MOOD_PHRASES, PLAIN_PHRASES, QUALITIES, STYLE_PHRASES, SUBJECTS

_SENTENCES = [
    "{a} of {x}", "{a} of {x}", "{x}, {s}", "{x}, {s} style", "{x} in {s} style", "{x} as {a}", "{s}", "{s}", "{s} style",
    "turn it into {a}", "make it look like {a}", "{s}, {x}", "in the style of {s}", "{s} of {x}", "{x} {s}", "{s} art",
    "{s} effect", "{s} filter", "{s} look", "{s} vibes", "give me that {s} look", "as if {s} had made it", "like {a}",
    "{x} like in {s}", "make me look like {a}", "i want {a} of {x}", "please turn {x} into {a}", "{x} but {s}",
    "{x} drawn as {a}", "{x} made in {s}", "can you make it {s}", "{x} in the style of {s}", "{s} version of {x}", "{x} by {s}",
    "{x}, inspired by {s}", "{x} painted by {s}", "as if {s} had painted {x}", "{s} aesthetic", "{s} mode", "{s}!",
    "something like {s}", "{x} with {s}", "{x} through {a}", "{x} seen in {a}", "i am in {a}", "we are in {s}", "the look of {s}",
    "everything should look like {a}", "show me as {a}", "style: {s}", "{s} please", "{s} {s}", "{x} rendered as {a}", "do {s}",
    "put {x} into {a}", "{x} from {s}", "{x} that looks like {s}", "very {s}", "{s}-like {x}", "{s} inspired {x}", "{s} theme",
]  # fmt: skip
_MOOD_SENTENCES = [
    "{m}", "{m}", "{x}, {m}", "{m}, {x}", "{x} {m}", "a photo of {x}, {m}", "{m} photo", "make it {m}", "{x}, {m} mood", "{m} style",
    "{x} in {m}", "make everything {m}", "{m} please", "i want it {m}", "{m} look", "{m} vibes", "{m} version", "a {m} picture of {x}",
]  # fmt: skip
_UNNAMED_SENTENCES = [
    "a {x}", "a {x}", "the {x}", "the {x}", "{x} style", "in the style of {x}", "like {x}", "make me a {x}", "turn me into {x}", "{x} look",
    "as {x}", "a picture of {x}", "a photo of {x}", "a portrait of {x}", "{x} vibes", "{x} theme", "me as {x}", "{x} art", "something like {x}",
    "make it look like {x}", "{x} mode", "{x}!", "my {x}", "by {x}", "an image of {x}", "i want {x}", "show me {x}", "{x} everywhere",
]  # fmt: skip
_STYLE_AND_MOOD = ["{b}, {m}", "{b}, {m}", "{m} {b}", "{m}, {b}", "{b} with {m}", "{b} {m}", "{b} in {m}", "{b}, {m} mood", "{b} but {m}"]


def _article(phrase: str, rng: random.Random) -> str:
    if phrase.startswith(("in ", "with ", "by ", "the ", "drawn ", "made ")) or rng.random() > 0.45:
        return phrase
    return ("an " if phrase[0] in "aeiou8" else "a ") + phrase


class PromptGenerator:
    """Generates prompts. `dictionary`: words without a style or mood. `misspelt`: the share of misspelt prompts."""

    def __init__(self, dictionary: list[str], misspelt: float = 0.2):
        self.misspelt = misspelt
        known = {w for phrases in (*STYLE_PHRASES.values(), *MOOD_PHRASES.values(), PLAIN_PHRASES) for p in phrases for w in p.split()}
        self.words = [w for w in dictionary if w not in known]

    def spelt(self, style: str | None, mood: str | None, rng: random.Random) -> tuple[str, str]:
        """Return a prompt correctly spelt, and the same prompt sometimes misspelt."""
        text = self._text(style, mood, rng)
        written = misspell(text, rng) if text and rng.random() < self.misspelt else text
        return text, written

    def subject(self, rng: random.Random) -> str:
        """Return a subject: common, arbitrary, or both."""
        kind = rng.random()
        if kind < 0.55 or not self.words:
            return rng.choice(SUBJECTS)
        word = rng.choice(self.words)
        if kind < 0.75:
            return rng.choice(["a ", "the ", "", "an old ", "a big ", "two ", "my "]) + word
        if kind < 0.88:
            return " ".join(rng.choice(self.words) for _ in range(rng.choice((2, 3))))
        return f"{rng.choice(SUBJECTS)} {rng.choice(['with', 'and', 'in', 'on', 'near', 'under'])} {rng.choice(['a ', 'the ', ''])}{word}"

    def _plain(self, rng: random.Random) -> str:
        """Return a prompt that should change nothing."""
        kind = rng.random()
        if kind < 0.35:
            return ""
        return gibberish(rng) if kind < 0.8 else rng.choice(PLAIN_PHRASES)

    def unnamed(self, text: str, rng: random.Random, bare: bool = False) -> tuple[str, str]:
        """Return a prompt about something that names no look, correctly spelt, and the same prompt sometimes misspelt. bare: it alone."""
        asked = text if bare or rng.random() < 0.2 else rng.choice(_UNNAMED_SENTENCES).format(x=text)
        if not bare and rng.random() < 0.15:
            asked += ", " + ", ".join(rng.sample(QUALITIES, rng.choice((1, 2))))
        if rng.random() < 0.08:
            asked = asked.capitalize()
        return asked, misspell(asked, rng) if rng.random() < self.misspelt else asked

    def __call__(self, style: str | None, mood: str | None, rng: random.Random) -> str:
        """Return a prompt for this style and mood (None: none), sometimes misspelt."""
        return self.spelt(style, mood, rng)[1]

    def _text(self, style: str | None, mood: str | None, rng: random.Random) -> str:
        if style is None and mood is None:
            text = self._plain(rng)
        elif style is None:
            text = rng.choice(_MOOD_SENTENCES).format(m=rng.choice(MOOD_PHRASES[mood]), x=self.subject(rng))
        else:
            phrase = rng.choice(STYLE_PHRASES[style])
            if self.words and rng.random() < 0.15:  # "a rough pencil study of hands": words near the style are meaningless too
                sides = rng.choice(["{w} {s}", "{s} {w}", "{w} {w2} {s}", "{w} {s} {w2}"])
                phrase = sides.format(s=phrase, w=rng.choice(self.words), w2=rng.choice(self.words))
            text = rng.choice(_SENTENCES).format(s=phrase, a=_article(phrase, rng), x=self.subject(rng))
            if mood is not None:
                text = rng.choice(_STYLE_AND_MOOD).format(b=text, m=rng.choice(MOOD_PHRASES[mood]))
        if not text:
            return text
        if rng.random() < 0.3:
            extra = ", ".join(rng.sample(QUALITIES, rng.choice((1, 1, 2, 3))))
            text = f"{extra}, {text}" if rng.random() < 0.2 else f"{text}, {extra}"
        case = rng.random()
        if case < 0.08:
            text = text.capitalize() if case < 0.06 else text.upper()
        if rng.random() < 0.06:
            text += rng.choice((".", "!", " .", "..."))
        return text


def load_dictionary(path: Path) -> list[str]:
    """Return the lower-case words of 3 to 10 letters in a word list, one per line."""
    words = path.read_text(encoding="utf-8", errors="ignore").split()
    return sorted({w for w in words if w.isascii() and w.isalpha() and w.islower() and 3 <= len(w) <= 10})
