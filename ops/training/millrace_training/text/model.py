"""The shape of the text encoder, and its classifier heads for training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ..moods import MOOD_NAMES
from ..prompts.vocabulary import STYLE_PHRASES
from ..styles import STYLE_NAMES
from .tokenizer import LENGTH

WIDTH = 96


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Return an untrained encoder: two layers, width 96."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=256,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            projection_dim=WIDTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            hidden_act="quick_gelu",
        )
    )


class Names(NamedTuple):
    """Logits of prompts."""

    styles: torch.Tensor  # [N, styles + 1]
    moods: torch.Tensor  # [N, moods + 1]
    nearest: torch.Tensor  # [N, 2]


class PromptClassifier(nn.Module):
    """The encoder with linear heads for style (0: none), mood (0: none), and whether it is only the nearest (1)."""

    def __init__(self, encoder: CLIPTextModel):
        super().__init__()
        self.encoder = encoder
        self.style_head = nn.Linear(WIDTH, len(STYLE_NAMES) + 1)
        self.mood_head = nn.Linear(WIDTH, len(MOOD_NAMES) + 1)
        self.nearest_head = nn.Linear(WIDTH, 2)

    def states(self, tokens: torch.Tensor) -> torch.Tensor:
        """int64 [N, L] -> states [N, L, 96]."""
        return self.encoder(tokens).last_hidden_state.float()

    def name(self, pooled: torch.Tensor) -> Names:
        """Classify means of states [N, 96]."""
        return Names(self.style_head(pooled), self.mood_head(pooled), self.nearest_head(pooled))

    def forward(self, tokens: torch.Tensor) -> Names:
        """Classify prompts, int64 [N, 77]."""
        return self.name(self.states(tokens).mean(1))


@torch.no_grad()
def load_heads(model: PromptClassifier, path: Path) -> int:
    """Take the heads of a classifier.json; names that it does not have start untrained. Return how many styles it has, with none."""
    groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
    known = [STYLE_PHRASES[name][0] for name in STYLE_NAMES]
    for group in groups:
        if group["kind"] == "style" and group["names"] != known[: len(group["names"])]:
            raise SystemExit(f"{path} has other styles than the table, or in another order")
        head: nn.Linear = getattr(model, f"{group['kind']}_head")
        count = len(group["bias"])
        head.weight[:count] = torch.tensor(group["weight"])
        head.bias[:count] = torch.tensor(group["bias"])
    return next(len(group["bias"]) for group in groups if group["kind"] == "style")


def pool(states: torch.Tensor) -> torch.Tensor:
    """Return the mean of all 77 states, [N, 96]; of fewer, the last one stands for those that follow."""
    missing = LENGTH - states.shape[1]
    return (states.sum(1) + missing * states[:, -1]) / LENGTH


def load_text_encoder(folder: Path, device: torch.device | str = "cpu") -> CLIPTextModel:
    """Load an encoder from a transformers folder, frozen, as float32."""
    model = CLIPTextModel.from_pretrained(folder, torch_dtype=torch.float32)
    return model.eval().requires_grad_(False).to(device)


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(folder)
