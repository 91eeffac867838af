"""A byte-level BPE tokenizer in CLIP's format, trained on generated prompts."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from ..moods import MOOD_NAMES
from ..prompts.generator import PromptGenerator
from ..styles import STYLE_NAMES

VOCABULARY = 2048
LENGTH = 77  # tokens of every prompt, padded
_START, _END = "<|startoftext|>", "<|endoftext|>"
_CLIP_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_CORPUS = 60_000  # prompts


def train_tokenizer(generator: PromptGenerator, folder: Path) -> None:
    """Write a CLIPTokenizer with the most frequent merges of prompts."""
    rng = random.Random(0)
    corpus = [generator(rng.choice([None, *STYLE_NAMES * 3]), rng.choice([None, *MOOD_NAMES]), rng) for _ in range(_CORPUS)]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY + 512,
            end_of_word_suffix="</w>",
            initial_alphabet=alphabet,
            continuing_subword_prefix="",
            show_progress=False,
        ),
    )
    learnt = json.loads(bpe.to_str())["model"]["merges"]
    letters = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in learnt][: VOCABULARY - len(letters) - 2]
    vocabulary = [*letters, *("".join(pair) for pair in merges), _START, _END]
    folder.mkdir(parents=True, exist_ok=True)
    table = {token: index for index, token in enumerate(dict.fromkeys(vocabulary))}
    (folder / "vocab.json").write_text(json.dumps(table, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges))
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": LENGTH,
        "bos_token": _START,
        "eos_token": _END,
        "unk_token": _END,
        "pad_token": _END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    special = {name: config[name] for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1))


def token_ids(tokenizer: CLIPTokenizer, texts: list[str]) -> list[list[int]]:
    """Return the tokens of texts of any length, without start and end."""
    return tokenizer(texts, add_special_tokens=False).input_ids


def tokenize(tokenizer: CLIPTokenizer, prompts: list[str]) -> torch.Tensor:
    """Return tokens, int64 [N, 77]."""
    return tokenizer(prompts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


def ends(tokenizer: CLIPTokenizer, tokens: torch.Tensor) -> torch.Tensor:
    """Return where each text ends, int64 [N]."""
    return (tokens == tokenizer.eos_token_id).int().argmax(1)
