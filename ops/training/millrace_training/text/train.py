"""Stage `text-encoder`: trains the encoder to distinguish styles and moods, then freezes it.

If trained together with the U-Net, a text encoder hardly conditions anything: the U-Net
learns to ignore it before its output is useful. As a classifier it trains in minutes. The
states of misspelt prompts are trained towards those of the correctly spelt prompt. If
training starts from another encoder, correctly spelt prompts keep their states, so that a
U-Net that was trained with that encoder can continue.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
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
from .model import PromptClassifier, load_text_encoder, load_tokenizer, new_text_encoder
from .tokenizer import tokenize, train_tokenizer

_BATCH = 96  # prompts per process
_PLAIN_SHARE = 0.12
_MOOD_SHARE = 0.5
_MISSPELT = 0.4
_COMPACT = 0.05  # weight of the distance between prompts with the same meaning
_TAIL = 32  # states at the end: padding in nearly every prompt, which summarises its meaning
_SPELLING = 2.0  # weight of the distance of misspelt prompts from the correctly spelt ones
_FAITHFUL = 2.0  # weight of the distance of correctly spelt prompts from the initial encoder's states


@dataclass(frozen=True)
class Prompts:
    """Generated prompts; label 0 is none."""

    right: torch.Tensor  # int64 [N, 77]: tokens, correctly spelt
    written: torch.Tensor  # int64 [N, 77]: tokens, sometimes misspelt
    styles: torch.Tensor  # int64 [N]
    moods: torch.Tensor  # int64 [N]


class TextTask:
    """One step classifies generated prompts by style and mood."""

    name = "text-encoder"

    def __init__(self, run: RunFolder, init: Path | None, rate: float, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.rate = rate
        self.tokenizer = load_tokenizer(run.tokenizer)
        self.generator = PromptGenerator(load_dictionary(run.dictionary), _MISSPELT)
        encoder = CLIPTextModel.from_pretrained(init, torch_dtype=torch.float32) if init else new_text_encoder(self.tokenizer)
        self.initial = load_text_encoder(init, group.device) if init else None
        self.model: nn.Module = PromptClassifier(encoder).to(group.device)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.model.parameters(), lr=self.rate, betas=(0.9, 0.98), weight_decay=0.01)]

    def batch(self, rng: random.Random, count: int) -> Prompts:
        styles = [0 if rng.random() < _PLAIN_SHARE else rng.randint(1, len(STYLE_NAMES)) for _ in range(count)]
        moods = [rng.randint(1, len(MOOD_NAMES)) if rng.random() < _MOOD_SHARE else 0 for _ in range(count)]
        pairs = [
            self.generator.spelt(STYLE_NAMES[s - 1] if s else None, MOOD_NAMES[m - 1] if m else None, rng) for s, m in zip(styles, moods)
        ]
        right, written = (tokenize(self.tokenizer, list(texts)).to(self.group.device) for texts in zip(*pairs))
        device = self.group.device
        return Prompts(right, written, torch.tensor(styles, device=device), torch.tensor(moods, device=device))

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        prompts = self.batch(random.Random(int(draw.numpy.integers(2**62))), _BATCH)
        misspelt = (prompts.right != prompts.written).any(1)
        with self.group.autocast():
            style_logits, mood_logits, states = self.model(prompts.written)
            with torch.no_grad():
                teacher = self.initial or self.model.encoder
                wanted = teacher(prompts.right).last_hidden_state.float()
        loss = F.cross_entropy(style_logits.float(), prompts.styles, label_smoothing=0.02) + F.cross_entropy(
            mood_logits.float(), prompts.moods, label_smoothing=0.02
        )
        pooled = states.mean(1)
        same = (prompts.styles[:, None] == prompts.styles) & (prompts.moods[:, None] == prompts.moods)
        spread = (torch.cdist(pooled, pooled) * same).sum() / (same.sum() - len(same)).clamp(min=1)
        off = (states - wanted).square()
        spelling = (off[:, -_TAIL:].mean((1, 2)) * misspelt).mean()
        loss = loss + _COMPACT * spread + _SPELLING * spelling
        if self.initial:
            loss = loss + _FAITHFUL * (off.mean((1, 2)) * ~misspelt).mean()
        right = (style_logits.argmax(-1) == prompts.styles).float().mean()
        return loss, {"style_accuracy": float(right), "spread": float(spread), "spelling": float(spelling)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        prompts = self.batch(random.Random(99), 1000)
        style_logits, mood_logits, _ = model(prompts.written)
        written = tokenize(self.tokenizer, [text for text, _ in FREE_TEXT]).to(self.group.device)
        wanted = torch.tensor([STYLE_NAMES.index(style) + 1 for _, style in FREE_TEXT], device=self.group.device)
        found = model(written)[0].argmax(-1)
        for (text, style), index in zip(FREE_TEXT, found.tolist()):
            if index == 0 or STYLE_NAMES[index - 1] != style:
                print(f"  free text: {text!r} should be {style}, is {STYLE_NAMES[index - 1] if index else 'none'}", flush=True)
        return {
            "style": float((style_logits.argmax(-1) == prompts.styles).float().mean()),
            "mood": float((mood_logits.argmax(-1) == prompts.moods).float().mean()),
            "free_text": float((found == wanted).float().mean()),
        }


def prepare_tokenizer(run: RunFolder, init: Path | None) -> None:
    """Return the initial model's tokenizer, or a new one trained on the prompts."""
    if run.tokenizer.exists():
        return
    if init:
        shutil.copytree(init, run.tokenizer)
    else:
        train_tokenizer(PromptGenerator(load_dictionary(run.dictionary)), run.tokenizer)


def train_text_encoder(group: Group, run: RunFolder, init: Path | None, rate: float, plan: Plan) -> None:
    """Train and write run.text_encoder in transformers' layout, and the heads."""
    task = TextTask(run, init, rate, group)
    task.model.load_state_dict(train(task, plan, run, run.text_encoder, group))
    if group.leads:
        task.model.encoder.save_pretrained(run.text_encoder)
        heads = {"style": task.model.style_head.state_dict(), "mood": task.model.mood_head.state_dict()}
        torch.save(heads, run.text_encoder / "heads.pt")
