"""Stage `autoencoder`: trains on photos, styled pictures and moods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from torch import nn

from ..loop import Draw, Plan, train
from ..moods import MOOD_NAMES, apply_mood
from ..parallel import Group
from ..pictures import gradient_loss, psnr, to_images, to_tensor
from ..precision import product_type
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES, STYLES
from ..targets import looks_of
from .model import decode, encode, load_autoencoder, new_autoencoder

_BATCH = 16  # pictures per process
_CROP = 128  # pixels
_PHOTO_SHARE = 0.3
_MOOD_SHARE = 0.2
_LATENT_NOISE = 0.04  # the decoder must tolerate small errors of the U-Net
# Styles with hard edges are the hardest to encode: how many times as often they are sampled.
_HARD_STYLES = {
    "lineart": 3,
    "neon": 3,
    "glass": 3,
    "gameboy": 3,
    "lego": 2,
    "pixel": 2,
    "popart": 3,
    "blueprint": 2,
    "chalk": 2,
    "comic": 2,
    "charcoal": 2,
    "ukiyo": 2,
    "oil": 2,
    "pencil": 2,
    "gogh": 2,
}


def reconstruction_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the loss: absolute differences and gradients at three scales, and the squared error of PSNR."""
    total = (made - wanted).abs().mean() + 4 * F.mse_loss(made, wanted)
    for scale in range(3):
        total = total + 0.4 * gradient_loss(made, wanted)
        if scale < 2:
            made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
            total = total + 0.3 * (made - wanted).abs().mean()
    return total


class AutoencoderTask:
    """One step reconstructs crops of photos and of styled pictures."""

    name = "autoencoder"

    def __init__(self, run: RunFolder, init: Path | None, rate: float, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.rate = rate
        fresh = load_autoencoder(init) if init else new_autoencoder()
        self.model: nn.Module = fresh.to(group.device, memory_format=torch.channels_last)
        self.crops = np.load(run.crops, mmap_mode="r")
        self.targets = np.load(run.targets, mmap_mode="r")
        styles = np.load(run.target_styles)
        weight = np.array([_HARD_STYLES.get(name, 1) for name in STYLE_NAMES], np.float64)[styles.ravel()]
        self.target_odds = np.cumsum(weight / weight.sum())
        self.held_out = np.load(run.held_out)
        self.looks = looks_of(run)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.model.parameters(), lr=self.rate, betas=(0.9, 0.98), weight_decay=1e-4)]

    def batch(self, draw: Draw) -> torch.Tensor:
        """Return pictures [B, 3, 128, 128] in -1..1."""
        rng, size = draw.numpy, self.crops.shape[1]
        pictures = []
        for _ in range(_BATCH):
            if rng.random() < _PHOTO_SHARE:
                source = self.crops[rng.integers(len(self.crops))]
            else:
                pick = min(int(np.searchsorted(self.target_odds, rng.random())), len(self.target_odds) - 1)
                source = self.targets[divmod(pick, self.targets.shape[1])]
            y, x = rng.integers(0, size - _CROP + 1, 2)
            picture = source[y : y + _CROP, x : x + _CROP]
            if rng.random() < _MOOD_SHARE:
                picture = apply_mood(picture, str(rng.choice(MOOD_NAMES)))
            pictures.append(picture)
        return to_tensor(np.stack(pictures), self.group.device)

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        pictures = self.batch(draw)
        with self.group.autocast():
            latents = encode(self.model, pictures).float()
            noisy = latents + _LATENT_NOISE * draw.normal_like(latents)
            made = decode(self.model, noisy.to(product_type(self.group.device))).float()
        centre = latents.mean((0, 2, 3)).square().mean()
        spread = (latents.std((0, 2, 3)) - 1).square().mean()
        loss = reconstruction_loss(made, pictures) + 0.02 * centre + 0.05 * spread
        return loss, {"latent_std": float(latents.std())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return ceilings(model, self.held_out[:27], self.looks)


@torch.no_grad()
def carry(model: AutoencoderTiny, images: np.ndarray) -> np.ndarray:
    """Encode and decode uint8 pictures [N, H, W, 3]."""
    device = next(model.parameters()).device
    parts = [to_images(decode(model, encode(model, to_tensor(images[i : i + 9], device)))) for i in range(0, len(images), 9)]
    return np.concatenate(parts)


def ceilings(model: AutoencoderTiny, images: np.ndarray, looks: tuple[str, ...]) -> dict[str, float]:
    """Return the ceiling of the autoencoder alone, in dB: for photos, and for each style's targets."""
    figures = {"photo": float(psnr(images, carry(model, images)).mean())}
    for index, name in enumerate(looks):
        sources = images[[index % len(images), (index + 9) % len(images), (index + 18) % len(images)]]
        styled = np.stack([STYLES[name](image) for image in sources])
        figures[name] = float(psnr(styled, carry(model, styled)).mean())
    figures["styles_mean"] = float(np.mean([figures[name] for name in looks]))
    return {key: round(value, 2) for key, value in figures.items()}


def train_autoencoder(group: Group, run: RunFolder, init: Path | None, rate: float, plan: Plan) -> None:
    """Train and write run.autoencoder in diffusers' layout."""
    task = AutoencoderTask(run, init, rate, group)
    if group.leads and init:
        run.log(task.name, event="before", **task.evaluate(task.model))
    task.model.load_state_dict(train(task, plan, run, run.autoencoder, group))
    if group.leads:
        task.model.save_pretrained(run.autoencoder)
