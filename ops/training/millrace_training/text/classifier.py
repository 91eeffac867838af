"""Fits the classifier that says which style and mood a prompt names, for a finished text encoder.

    python -m millrace_training.text.classifier --model ../models/millrace-styles --dictionary WORDS

It writes ``text_encoder/classifier.json``: for styles and for moods a linear layer with softmax on the mean of the
encoder's token states, whose first class is none. The server tells users what their prompts mean by it.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..moods import MOOD_NAMES
from ..prompts.free_text import FREE_TEXT
from ..prompts.generator import PromptGenerator, load_dictionary
from ..prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from ..styles import STYLE_NAMES
from .model import WIDTH, load_text_encoder, load_tokenizer
from .tokenizer import tokenize

_PROMPTS = 5_000
_HELD_OUT = 800
_BATCH = 200
_NONE_SHARE = 0.25
_MISSPELT = 0.3
_STEPS = 500


def _examples(generator: PromptGenerator, count: int, rng: random.Random) -> tuple[list[str], torch.Tensor, torch.Tensor]:
    """Return prompts, and the indices of their styles and moods (0: none)."""
    styles = [0 if rng.random() < _NONE_SHARE else rng.randint(1, len(STYLE_NAMES)) for _ in range(count)]
    moods = [rng.randint(1, len(MOOD_NAMES)) if rng.random() < 0.5 else 0 for _ in range(count)]
    texts = [generator(STYLE_NAMES[s - 1] if s else None, MOOD_NAMES[m - 1] if m else None, rng) for s, m in zip(styles, moods)]
    return texts, torch.tensor(styles), torch.tensor(moods)


def _fit(pooled: torch.Tensor, classes: torch.Tensor, count: int) -> nn.Linear:
    """Fit a linear layer to pooled states, float32 [N, 96]."""
    head = nn.Linear(WIDTH, count)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.05, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        F.cross_entropy(head(pooled), classes, label_smoothing=0.02).backward()
        optimizer.step()
        schedule.step()
    return head


def _describe(kind: str, phrases: dict[str, list[str]], names: tuple[str, ...] | list[str], head: nn.Linear) -> dict[str, object]:
    rounded = [[round(value, 3) for value in row] for row in head.weight.tolist()]
    bias = [round(value, 3) for value in head.bias.tolist()]
    return {"kind": kind, "names": [phrases[name][0] for name in names], "weight": rounded, "bias": bias}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dictionary", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    encoder = load_text_encoder(options.model / "text_encoder")
    tokenizer = load_tokenizer(options.model / "tokenizer")
    generator = PromptGenerator(load_dictionary(options.dictionary), _MISSPELT)

    def pool(texts: list[str]) -> torch.Tensor:
        parts = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
        return torch.cat([encoder(tokenize(tokenizer, part)).last_hidden_state.mean(1) for part in parts])

    texts, styles, moods = _examples(generator, _PROMPTS + _HELD_OUT, random.Random(1))
    with torch.no_grad():
        pooled = pool(texts)
        free = pool([text for text, _ in FREE_TEXT])
    style_head = _fit(pooled[:_PROMPTS], styles[:_PROMPTS], len(STYLE_NAMES) + 1)
    mood_head = _fit(pooled[:_PROMPTS], moods[:_PROMPTS], len(MOOD_NAMES) + 1)
    wanted = torch.tensor([STYLE_NAMES.index(style) + 1 for _, style in FREE_TEXT])
    figures = {
        "styles": (style_head(pooled[_PROMPTS:]).argmax(-1) == styles[_PROMPTS:]).float().mean().item(),
        "moods": (mood_head(pooled[_PROMPTS:]).argmax(-1) == moods[_PROMPTS:]).float().mean().item(),
        "handwritten styles": (style_head(free).argmax(-1) == wanted).float().mean().item(),
    }
    print(figures)
    groups = [
        _describe("style", STYLE_PHRASES, STYLE_NAMES, style_head),
        _describe("mood", MOOD_PHRASES, MOOD_NAMES, mood_head),
    ]
    path = options.model / "text_encoder" / "classifier.json"
    path.write_text(json.dumps({"groups": groups}, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
