"""The states of an encoder behind a prompt that names a look: those that a prompt without a name is trained towards."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import CLIPTextModel, CLIPTokenizer

from ..moods import MOOD_NAMES
from ..prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from ..styles import STYLE_NAMES
from .tokenizer import tokenize

_WORDINGS = 3  # of each style and mood
_SETTLED = 14  # position from which all of these prompts have ended
_BATCH = 147


def _prompts(style: int, mood: int) -> list[str]:
    styles = STYLE_PHRASES[STYLE_NAMES[style - 1]][:_WORDINGS] if style else [""] * _WORDINGS
    moods = MOOD_PHRASES[MOOD_NAMES[mood - 1]][:_WORDINGS] if mood else [""] * _WORDINGS
    return [", ".join(part for part in pair if part) for pair in zip(styles, moods)]


@torch.no_grad()
def look_states(encoder: CLIPTextModel, tokenizer: CLIPTokenizer, styles: Sequence[int]) -> torch.Tensor:
    """Return the mean states of styles (0: none) by mood (0: none), [len(styles), moods + 1, 77, 96].

    At the first positions, where the named prompts still have words, they are those of a later one.
    """
    moods = range(len(MOOD_NAMES) + 1)
    tokens = tokenize(tokenizer, [text for style in styles for mood in moods for text in _prompts(style, mood)])
    device = next(encoder.parameters()).device
    parts = [encoder(part.to(device)).last_hidden_state.float() for part in tokens.split(_BATCH)]
    states = torch.cat(parts).unflatten(0, (len(styles), len(moods), _WORDINGS)).mean(2)
    states[:, :, :_SETTLED] = states[:, :, _SETTLED : _SETTLED + 1]
    return states
