"""A finished model in a diffusers folder; older models of this shape work too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from ..autoencoder.model import load_autoencoder
from ..pictures import to_images, to_tensor
from ..precision import autocast
from ..styles import LOOKS
from ..text.model import load_text_encoder, load_tokenizer
from ..text.tokenizer import tokenize
from ..unet.sampler import stylise

_PART = 6  # pictures at a time


class FinishedModel:
    """Draws uint8 pictures [N, H, W, 3] as a stream with fixed noise would."""

    def __init__(self, folder: Path, device: torch.device):
        self.device = device
        self.vae = load_autoencoder(folder / "vae", device).eval().requires_grad_(False)
        self.scale = float(self.vae.config.scaling_factor)
        scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())
        self.timestep_scaling = float(scheduler["timestep_scaling"])
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
        self.unet = unet.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        self.text_encoder = load_text_encoder(folder / "text_encoder", device)
        self.tokenizer = load_tokenizer(folder / "tokenizer")
        prompts = {style["prompt"] for style in json.loads((folder / "millrace.json").read_text())["styles"]}
        self.looks = tuple(name for name, look in LOOKS.items() if look.prompt in prompts)

    @torch.no_grad()
    def embed(self, prompts: list[str]) -> torch.Tensor:
        """Return embeddings [N, 77, 96]."""
        return self.text_encoder(tokenize(self.tokenizer, prompts).to(self.device)).last_hidden_state

    def draw(
        self,
        pictures: np.ndarray,
        embedding: torch.Tensor,
        indices: list[int],
        negative: torch.Tensor | None = None,
        guidance: float = 1.0,
        noise: np.ndarray | None = None,
    ) -> np.ndarray:
        """Paint pictures with one embedding [1, 77, 96] for all, or one for each [N, 77, 96]; the same for negative ones.

        noise [N, 4, h, w]: of the first step, for each picture.
        """
        rows = embedding.expand(len(pictures), -1, -1)
        away = None if negative is None else negative.expand(len(pictures), -1, -1)
        made = []
        for i in range(0, len(pictures), _PART):
            part = slice(i, i + _PART)
            with autocast(self.device):
                drawn = stylise(
                    self.unet,
                    self.vae,
                    to_tensor(pictures[part], self.device),
                    rows[part],
                    indices,
                    self.scale,
                    negative=None if away is None else away[part],
                    guidance=guidance,
                    timestep_scaling=self.timestep_scaling,
                    first_noise=None if noise is None else torch.from_numpy(noise[part]),
                )
            made.append(to_images(drawn))
        return np.concatenate(made)
