"""The shape of the text encoder, and its classifier heads for training."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ..moods import MOOD_NAMES
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


class PromptClassifier(nn.Module):
    """The encoder with two linear heads, for style (0: none) and mood (0: none)."""

    def __init__(self, encoder: CLIPTextModel):
        super().__init__()
        self.encoder = encoder
        self.style_head = nn.Linear(WIDTH, len(STYLE_NAMES) + 1)
        self.mood_head = nn.Linear(WIDTH, len(MOOD_NAMES) + 1)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """int64 [N, 77] -> style logits [N, 28], mood logits [N, 21], states [N, 77, 96]."""
        states = self.encoder(tokens).last_hidden_state.float()
        pooled = states.mean(1)
        return self.style_head(pooled), self.mood_head(pooled), states


def load_text_encoder(folder: Path, device: torch.device | str = "cpu") -> CLIPTextModel:
    """Load an encoder from a transformers folder, frozen, as float32."""
    model = CLIPTextModel.from_pretrained(folder, torch_dtype=torch.float32)
    return model.eval().requires_grad_(False).to(device)


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(folder)
