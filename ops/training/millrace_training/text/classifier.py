"""Fits the classifier that says which style and mood a prompt names, for a finished text encoder.

    python -m millrace_training.text.classifier --run RUN --model ../models/millrace-styles

It writes ``text_encoder/classifier.json``: for styles, moods, and whether they are only the nearest in meaning, a linear
layer with softmax on the mean of the encoder's token states, whose first class is none. The server tells users what their
prompts mean by it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTokenizer

from ..command import run_on_model
from ..moods import MOOD_NAMES
from ..prompts.free_text import FREE_TEXT
from ..prompts.generator import PromptGenerator, load_dictionary
from ..prompts.vocabulary import MOOD_PHRASES, PLAIN_PHRASES, STYLE_PHRASES
from ..prompts.written import NOISE, WRITTEN
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from .model import WIDTH, load_text_encoder, load_tokenizer
from .tokenizer import tokenize
from .unnamed import UnnamedPrompts

_NAMED, _UNNAMED = 5_000, 5_000  # prompts
_HELD_OUT = 800  # of each
_BATCH = 200
_NONE_SHARE = 0.25
_MISSPELT = 0.3
_STEPS = 500
NEAREST = "nearest in meaning"


class Examples(NamedTuple):
    """Tokens of prompts, and the share of each class; the first class is none."""

    tokens: torch.Tensor  # int64 [N, 77]
    styles: torch.Tensor  # float32 [N, styles + 1]
    moods: torch.Tensor  # float32 [N, moods + 1]
    nearest: torch.Tensor  # float32 [N, 2]


def _named(generator: PromptGenerator, tokenizer: CLIPTokenizer, count: int, rng: random.Random) -> Examples:
    """Return each phrase alone, then generated prompts, few of which are as short as those of the page."""
    phrases = [(phrase, s, 0) for s, name in enumerate(STYLE_NAMES, 1) for phrase in STYLE_PHRASES[name]]
    phrases += [(phrase, 0, m) for m, name in enumerate(MOOD_NAMES, 1) for phrase in MOOD_PHRASES[name]]
    phrases += [(phrase, 0, 0) for phrase in PLAIN_PHRASES]
    alone, alone_styles, alone_moods = (list(column) for column in zip(*phrases))
    styles = [0 if rng.random() < _NONE_SHARE else rng.randint(1, len(STYLE_NAMES)) for _ in range(count)]
    moods = [rng.randint(1, len(MOOD_NAMES)) if rng.random() < 0.5 else 0 for _ in range(count)]
    texts = [generator(STYLE_NAMES[s - 1] if s else None, MOOD_NAMES[m - 1] if m else None, rng) for s, m in zip(styles, moods)]
    return Examples(
        tokenize(tokenizer, alone + texts),
        torch.eye(len(STYLE_NAMES) + 1)[alone_styles + styles],
        torch.eye(len(MOOD_NAMES) + 1)[alone_moods + moods],
        torch.eye(2)[[0] * (len(alone) + count)],
    )


def _unnamed(prompts: UnnamedPrompts, count: int, rng: random.Random) -> Examples:
    """Return prompts with the shares of the looks that they are drawn in."""
    batch = prompts.draw(rng, count, whole=True)
    share, index = batch.mixture
    drawn = torch.zeros_like(batch.looks).scatter_add(1, index, share)
    return Examples(batch.written, drawn, torch.eye(len(MOOD_NAMES) + 1)[batch.moods], torch.eye(2)[batch.nearest])


def _fit(pooled: torch.Tensor, classes: torch.Tensor) -> nn.Linear:
    """Fit a linear layer to pooled states, float32 [N, 96], and shares of classes [N, C]."""
    head = nn.Linear(WIDTH, classes.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.05, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        F.cross_entropy(head(pooled), classes, label_smoothing=0.02).backward()
        optimizer.step()
        schedule.step()
    return head


def _describe(kind: str, names: list[str], head: nn.Linear) -> dict[str, object]:
    rounded = [[round(value, 3) for value in row] for row in head.weight.tolist()]
    bias = [round(value, 3) for value in head.bias.tolist()]
    return {"kind": kind, "names": names, "weight": rounded, "bias": bias}


def _share(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return round((found == wanted).float().mean().item(), 3)


def fit_classifier(run: RunFolder, model: Path) -> dict[str, float]:
    """Write model/text_encoder/classifier.json; return how often it is right."""
    torch.manual_seed(0)
    encoder = load_text_encoder(model / "text_encoder")
    tokenizer = load_tokenizer(model / "tokenizer")
    generator = PromptGenerator(load_dictionary(run.dictionary), _MISSPELT)
    unnamed = UnnamedPrompts(run, tokenizer, generator)

    @torch.no_grad()
    def pool(tokens: torch.Tensor) -> torch.Tensor:
        return torch.cat([encoder(part).last_hidden_state.mean(1) for part in tokens.split(_BATCH)])

    rng = random.Random(1)
    named = _named(generator, tokenizer, _NAMED + _HELD_OUT, rng)
    others = _unnamed(unnamed, _UNNAMED + _HELD_OUT, rng)
    parts = [pool(named.tokens), pool(others.tokens)]
    learnt = torch.cat([part[:-_HELD_OUT] for part in parts])
    style, mood, nearest = (_fit(learnt, torch.cat([a[:-_HELD_OUT], b[:-_HELD_OUT]])) for a, b in zip(named[1:], others[1:]))
    groups = [
        _describe("style", [STYLE_PHRASES[name][0] for name in STYLE_NAMES], style),
        _describe("mood", [MOOD_PHRASES[name][0] for name in MOOD_NAMES], mood),
        _describe("nearest", [NEAREST], nearest),
    ]
    path = model / "text_encoder" / "classifier.json"
    path.write_text(json.dumps({"groups": groups}, separators=(",", ":")) + "\n", encoding="utf-8")

    held_out, held_out_others = (part[-_HELD_OUT:] for part in parts)
    free, written, noise = (pool(tokenize(tokenizer, texts)) for texts in ([t for t, _ in FREE_TEXT], [t for t, _ in WRITTEN], NOISE))
    wanted = torch.tensor([STYLE_NAMES.index(name) + 1 for _, name in FREE_TEXT])
    found = zip(style(written).argmax(-1).tolist(), mood(written).argmax(-1).tolist(), WRITTEN)
    accepted = [(STYLE_NAMES[s - 1] if s else MOOD_NAMES[m - 1] if m else "none") in looks for s, m, (_, looks) in found]
    return {
        "styles": _share(style(held_out).argmax(-1), named.styles[-_HELD_OUT:].argmax(-1)),
        "moods": _share(mood(held_out).argmax(-1), named.moods[-_HELD_OUT:].argmax(-1)),
        "handwritten styles": _share(style(free).argmax(-1), wanted),
        "nearest looks": _share(style(held_out_others).argmax(-1), others.styles[-_HELD_OUT:].argmax(-1)),
        "handwritten without a name, accepted": round(sum(accepted) / len(accepted), 3),
        "handwritten without a name, told as nearest": round((nearest(written).argmax(-1) == 1).float().mean().item(), 3),
        "handwritten styles told as nearest": round((nearest(free).argmax(-1) == 1).float().mean().item(), 3),
        "noise without a style": round((style(noise).argmax(-1) == 0).float().mean().item(), 3),
    }


if __name__ == "__main__":
    run_on_model(__doc__, fit_classifier)
