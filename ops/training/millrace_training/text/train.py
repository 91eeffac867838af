"""Stage `text-encoder`: taught to tell styles and moods apart, then frozen.

Trained together with the U-Net, a text encoder hardly conditions anything: the U-Net
learns to do without before the text means something. As a classifier it takes minutes.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextModel

from ..loop import Draw, Plan, train
from ..moods import MOOD_NAMES
from ..parallel import Group
from ..prompts.free_text import FREE_TEXT
from ..prompts.generator import PromptGenerator, load_dictionary
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from .model import PromptClassifier, load_tokenizer, new_text_encoder
from .tokenizer import tokenize, train_tokenizer

_BATCH = 96  # prompts a process
_PLAIN_SHARE = 0.12
_MOOD_SHARE = 0.5
_COMPACT = 0.05  # weight of drawing prompts of one meaning together


class TextTask:
    """One step classifies generated prompts by style and mood."""

    name = "text-encoder"

    def __init__(self, run: RunFolder, init: Path | None, rate: float, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.rate = rate
        self.tokenizer = load_tokenizer(run.tokenizer)
        self.generator = PromptGenerator(load_dictionary(run.dictionary))
        encoder = CLIPTextModel.from_pretrained(init, torch_dtype=torch.float32) if init else new_text_encoder(self.tokenizer)
        self.model: nn.Module = PromptClassifier(encoder).to(group.device)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.model.parameters(), lr=self.rate, betas=(0.9, 0.98), weight_decay=0.01)]

    def batch(self, rng: random.Random, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tokens [B, 77], style labels [B], mood labels [B]; label 0 is none."""
        styles = [0 if rng.random() < _PLAIN_SHARE else rng.randint(1, len(STYLE_NAMES)) for _ in range(count)]
        moods = [rng.randint(1, len(MOOD_NAMES)) if rng.random() < _MOOD_SHARE else 0 for _ in range(count)]
        texts = [self.generator(STYLE_NAMES[s - 1] if s else None, MOOD_NAMES[m - 1] if m else None, rng) for s, m in zip(styles, moods)]
        device = self.group.device
        return tokenize(self.tokenizer, texts).to(device), torch.tensor(styles, device=device), torch.tensor(moods, device=device)

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        tokens, styles, moods = self.batch(random.Random(int(draw.numpy.integers(2**62))), _BATCH)
        with self.group.autocast():
            style_logits, mood_logits, pooled = self.model(tokens)
        loss = F.cross_entropy(style_logits.float(), styles, label_smoothing=0.02) + F.cross_entropy(
            mood_logits.float(), moods, label_smoothing=0.02
        )
        same = (styles[:, None] == styles) & (moods[:, None] == moods)
        spread = (torch.cdist(pooled, pooled) * same).sum() / (same.sum() - len(same)).clamp(min=1)
        right = (style_logits.argmax(-1) == styles).float().mean()
        return loss + _COMPACT * spread, {"style_accuracy": float(right), "spread": float(spread)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        tokens, styles, moods = self.batch(random.Random(99), 1000)
        style_logits, mood_logits, _ = model(tokens)
        written = tokenize(self.tokenizer, [text for text, _ in FREE_TEXT]).to(self.group.device)
        wanted = torch.tensor([STYLE_NAMES.index(style) + 1 for _, style in FREE_TEXT], device=self.group.device)
        found = model(written)[0].argmax(-1)
        for (text, style), index in zip(FREE_TEXT, found.tolist()):
            if index == 0 or STYLE_NAMES[index - 1] != style:
                print(f"  free text: {text!r} wants {style}, reads as {STYLE_NAMES[index - 1] if index else 'none'}", flush=True)
        return {
            "style": float((style_logits.argmax(-1) == styles).float().mean()),
            "mood": float((mood_logits.argmax(-1) == moods).float().mean()),
            "free_text": float((found == wanted).float().mean()),
        }


def prepare_tokenizer(run: RunFolder, init: Path | None) -> None:
    """The initial model's tokenizer, or a new one learnt from the prompts."""
    if run.tokenizer.exists():
        return
    if init:
        shutil.copytree(init, run.tokenizer)
    else:
        train_tokenizer(PromptGenerator(load_dictionary(run.dictionary)), run.tokenizer)


def train_text_encoder(group: Group, run: RunFolder, init: Path | None, rate: float, plan: Plan) -> None:
    """Train and write run.text_encoder in transformers' layout, with the heads beside it."""
    task = TextTask(run, init, rate, group)
    task.model.load_state_dict(train(task, plan, run, run.text_encoder, group))
    if group.leads:
        task.model.encoder.save_pretrained(run.text_encoder)
        heads = {"style": task.model.style_head.state_dict(), "mood": task.model.mood_head.state_dict()}
        torch.save(heads, run.text_encoder / "heads.pt")
