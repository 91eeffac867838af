"""Gives a trained tokenizer and encoder more tokens, for common words.

New merges follow the old ones and never join what stands side by side in a prompt that names a look, so such prompts keep
their tokens. The embedding of a token that occurs in prompts without a name starts as a sum of one vector for each look, as
often as the words with that token have the look: a word's embedding is near to those of words with similar meanings before
it was ever seen in training, and one vector for each look is learnt from all words.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextModel

from .model import load_tokenizer

_FIT_STEPS, _FIT_RATE, _FIT_DECAY = 250, 0.1, 2e-7

Pair = tuple[str, str]


def _pairs(pieces: Sequence[str]) -> list[Pair]:
    return list(pairwise(pieces))


def _join(pieces: list[str], pair: Pair) -> list[str]:
    joined: list[str] = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def learn_merges(words: dict[tuple[str, ...], float], kept: Iterable[Sequence[str]], count: int) -> list[Pair]:
    """Return the merges of byte pair encoding for weighted words, given in pieces. Pairs of the `kept` words are never merged."""
    forbidden = {pair for pieces in kept for pair in _pairs(pieces)}
    written = [list(pieces) for pieces in words]
    weights = list(words.values())
    total: dict[Pair, float] = defaultdict(float)
    places: dict[Pair, set[int]] = defaultdict(set)
    for at, pieces in enumerate(written):
        for pair in _pairs(pieces):
            total[pair] += weights[at]
            places[pair].add(at)
    heap = [(-weight, pair) for pair, weight in total.items() if pair not in forbidden]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < count:
        weight, pair = heapq.heappop(heap)
        if -weight != total[pair] or not places[pair]:
            continue  # an older count
        merges.append(pair)
        changed: set[Pair] = set()
        for at in list(places[pair]):
            for old in _pairs(written[at]):
                total[old] -= weights[at]
                places[old].discard(at)
                changed.add(old)
            written[at] = _join(written[at], pair)
            for new in _pairs(written[at]):
                total[new] += weights[at]
                places[new].add(at)
                changed.add(new)
        for other in changed - forbidden:
            if places[other]:
                heapq.heappush(heap, (-total[other], other))
    return merges


def add_merges(folder: Path, merges: Sequence[Pair]) -> None:
    """Append merges, and the tokens that they make, to a tokenizer."""
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    for first, second in merges:
        vocabulary.setdefault(first + second, len(vocabulary))
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    with (folder / "merges.txt").open("a", encoding="utf-8") as file:
        file.writelines(f"{first} {second}\n" for first, second in merges)


def looks_of_tokens(
    tokens: Sequence[Sequence[int]], weights: np.ndarray, looks: np.ndarray, kept: Iterable[int], size: int
) -> torch.Tensor:
    """Fit the looks of texts as a softmax of the sum of their tokens' parts; return the parts, float32 [size, looks], with deviation 1.

    `tokens`: of each text. `looks`: shares of the looks of each text. The `kept` tokens, of prompts that name a look, have none.
    """
    lengths = torch.tensor([0, *(len(row) for row in tokens[:-1])])
    flat, offsets = torch.tensor([token for row in tokens for token in row]), lengths.cumsum(0)
    share, wanted = torch.from_numpy(weights / weights.sum()).float(), torch.from_numpy(looks).float()
    parts, bias = torch.zeros(size, looks.shape[1], requires_grad=True), torch.zeros(looks.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([parts, bias], lr=_FIT_RATE)
    none = torch.tensor(sorted(set(kept)), dtype=torch.long)
    for _ in range(_FIT_STEPS):
        optimizer.zero_grad()
        logits = F.embedding_bag(flat, parts, offsets, mode="sum") + bias
        loss = (share * F.cross_entropy(logits, wanted, reduction="none")).sum() + _FIT_DECAY * parts.square().sum()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            parts[none] = 0
    found = parts.detach()
    right = (share * ((F.embedding_bag(flat, found, offsets, mode="sum") + bias).argmax(1) == wanted.argmax(1))).sum()
    print(f"tokens: their looks alone say {right:.1%} of prompts", flush=True)
    return found / found[found.abs().sum(1) > 0].std()


def add_words(folder: Path, texts: Sequence[str], weights: Sequence[float], kept: Sequence[str], count: int) -> None:
    """Give a tokenizer `count` more merges for the words of weighted texts. Texts of the words in `kept` have the tokens that they had."""
    tokenizer = load_tokenizer(folder)

    def pieces(word: str) -> tuple[str, ...]:
        return tuple(tokenizer.tokenize(word))

    words: dict[str, float] = defaultdict(float)
    for text, weight in zip(texts, weights):
        for word in text.lower().split():
            words[word] += weight
    in_pieces: dict[tuple[str, ...], float] = defaultdict(float)
    for word, weight in words.items():
        in_pieces[pieces(word)] += weight
    add_merges(folder, learn_merges(in_pieces, [pieces(word) for word in kept], count))


class WordEmbedding(nn.Module):
    """A token embedding: each token's own vector, and the vectors of the looks of its words."""

    def __init__(self, weight: torch.Tensor, looks: torch.Tensor):
        """`weight`: embeddings of the old tokens [V, 96]. `looks`: of all tokens [W, looks]."""
        super().__init__()
        more = torch.zeros(len(looks) - len(weight), weight.shape[1]) + weight.mean(0)
        self.own = nn.Parameter(torch.cat([weight, more]))
        self.vectors = nn.Parameter(float(weight.std()) * torch.randn(looks.shape[1], weight.shape[1]))
        self.register_buffer("looks", looks)

    def weight(self) -> torch.Tensor:
        return self.own + self.looks @ self.vectors

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return F.embedding(tokens, self.weight())


def learn_words(encoder: CLIPTextModel, looks: torch.Tensor) -> CLIPTextModel:
    """Give the encoder a WordEmbedding in place of its token embedding."""
    embedding = encoder.get_input_embeddings()
    encoder.embeddings.token_embedding = WordEmbedding(embedding.weight.detach(), looks)
    return encoder


def fix_words(encoder: CLIPTextModel) -> CLIPTextModel:
    """Give the encoder an ordinary token embedding again, with the same vectors."""
    learnt = encoder.embeddings.token_embedding.weight().detach()
    encoder.embeddings.token_embedding = nn.Embedding.from_pretrained(learnt, freeze=False)
    encoder.config.vocab_size = len(learnt)
    return encoder
