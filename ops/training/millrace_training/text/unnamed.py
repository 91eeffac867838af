"""Batches of prompts that name no look, with the states and looks that they should have."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from transformers import CLIPTokenizer

from ..prompts.generator import PromptGenerator
from ..prompts.noise import gibberish
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from .tokenizer import ends, tokenize

_NOISE_SHARE = 0.1
_LEAST_SHARE = 0.25  # of a second look, to show beside the first
_BARE_SHARE = 0.6
_SHORTEST, _SHORT = 9, 16  # tokens of prompts without and with words around them, in batches that are not whole
_BEYOND = 3  # states behind the longest prompt of a batch


@dataclass(frozen=True)
class UnnamedBatch:
    """Prompts that name no look, or mean nothing."""

    written: torch.Tensor  # int64 [N, L]: tokens, sometimes misspelt
    ends: torch.Tensor  # int64 [N]: where the texts end
    looks: torch.Tensor  # float32 [N, styles + 1]: share of each look; the first is none
    mixture: tuple[torch.Tensor, torch.Tensor]  # the one or two looks that the pictures have: shares, indices [N, 2]
    moods: torch.Tensor  # int64 [N]
    nearest: torch.Tensor  # int64 [N]: 1 if it has the nearest look, 0 if it has none

    def behind(self) -> torch.Tensor:
        """Return which states stand behind the text, and so have its whole meaning, bool [N, L]."""
        return torch.arange(self.written.shape[1]) >= self.ends[:, None]


def mixtures(looks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two most probable looks of each row: shares that sum to 1, indices. The second counts only if it is nearly as probable."""
    share, index = looks.topk(2, dim=1)
    share = share / share.sum(1, keepdim=True)
    share = torch.where(share < _LEAST_SHARE, 0.0, share)
    return share / share.sum(1, keepdim=True), index


def read_meanings(run: RunFolder) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the texts of stage `meanings`, their weights and their looks, float32 [N, looks]."""
    with np.load(run.meanings) as saved:
        return saved["texts"].tolist(), saved["weights"], saved["looks"]


class UnnamedPrompts:
    """Draws batches of the prompts of stage `meanings`."""

    def __init__(self, run: RunFolder, tokenizer: CLIPTokenizer, generator: PromptGenerator):
        self._texts, weights, looks = read_meanings(run)
        self._bounds = list(accumulate(weights.tolist()))
        self._looks = torch.from_numpy(np.pad(looks, ((0, 0), (1, 0))))
        with np.load(run.meanings) as saved:
            self._moods = saved["moods"].tolist()
        self._tokenizer, self._generator = tokenizer, generator

    def text(self, rng: random.Random) -> str:
        """Return one of the prompts."""
        return rng.choices(self._texts, cum_weights=self._bounds)[0]

    def draw(self, rng: random.Random, count: int, whole: bool = False) -> UnnamedBatch:
        """Return `count` prompts with all 77 tokens, or, unless `whole`, those of `count` that are short, with few tokens.

        More than half of the batches have no words around them: they are the shortest, and so the fastest.
        """
        bare = rng.random() < _BARE_SHARE
        rows = rng.choices(range(len(self._texts)), cum_weights=self._bounds, k=count)
        looks = self._looks[rows].clone()
        moods = torch.tensor([self._moods[row] for row in rows])
        pairs = [self._generator.unnamed(self._texts[row], rng, bare) for row in rows]
        noise = [i for i in range(count) if rng.random() < _NOISE_SHARE]
        for i in noise:
            pairs[i] = (gibberish(rng),) * 2
        looks[noise] = torch.eye(len(STYLE_NAMES) + 1)[0]
        moods[noise] = 0
        written = tokenize(self._tokenizer, [text for _, text in pairs])
        end = ends(self._tokenizer, written)
        nearest = torch.ones(count, dtype=torch.long)
        nearest[noise] = 0
        if whole:
            return UnnamedBatch(written, end, looks, mixtures(looks), moods, nearest)
        some = end <= (_SHORTEST if bare else _SHORT)
        length = int(end[some].max()) + _BEYOND
        return UnnamedBatch(written[some, :length], end[some], looks[some], mixtures(looks[some]), moods[some], nearest[some])
