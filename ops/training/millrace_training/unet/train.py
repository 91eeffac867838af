"""Stage `unet`: trains the stylising U-Net on the stored latents, with the text encoder frozen."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn

from ..autoencoder.model import decode, load_autoencoder
from ..loop import Draw, Plan, train
from ..muon import Muon
from ..parallel import Group
from ..pictures import psnr, to_images, to_tensor
from ..run_folder import RunFolder
from ..styles import FINISHES, STYLES
from ..targets import looks_of
from .batches import open_source
from .critic import LatentCritic, critic_loss
from .model import LATENT_SCALE, load_unet, new_unet
from .objective import draw_inputs, image_loss, latent_loss, raster_loss, style_share
from .sampler import add_noise, step, stylise
from .schedule import DEFAULT_INDEX, even_steps

_CROP, _WHOLE = 32, 64  # latents: sides of crops and of whole pictures
_LARGE = (48, 96, 128)  # of windows of large pictures
_LARGE_SHARE, _PLAIN_SHARE = 0.08, 0.14  # of the steps
_WHOLE_SHARE = 0.15  # of the steps; _WHOLE_SHARE_AT_END while the learning rate decays
_WHOLE_SHARE_AT_END = 0.5
_IMAGE_WEIGHT = 0.8
_IMAGE_ROWS = 6  # rows of a crop batch whose decoded pictures are compared (two of a whole-picture batch); half are later steps
_CRITIC_WEIGHT = 0.05
_EVALUATION_INDICES = {"one_28": [28], "one": [DEFAULT_INDEX], "two": even_steps(DEFAULT_INDEX, 2), "four": even_steps(DEFAULT_INDEX, 4)}


class UnetTask:
    """One step denoises and stylises a batch of latents."""

    name = "unet"

    def __init__(self, run: RunFolder, init: Path | None, rate: float, batch: int, group: Group):
        torch.manual_seed(1)
        self.group, self.rate, self.rows = group, rate, batch
        unet = load_unet(init) if init else new_unet()
        unet.set_attn_processor(AttnProcessor())  # plain products: a sixth faster than fused attention on a CPU at this size
        self.unet = unet.to(group.device, memory_format=torch.channels_last)
        self.critic = LatentCritic().to(group.device, memory_format=torch.channels_last)
        self.model: nn.Module = nn.ModuleDict({"unet": self.unet, "critic": self.critic})
        self.vae = load_autoencoder(run.autoencoder, group.device).eval().requires_grad_(False)
        self.source = open_source(run, run, group.device)
        self.large = open_source(run, run.large, group.device)
        self.plain = open_source(run, run.plain, group.device)
        self.looks = looks_of(run)
        self.held_out = np.load(run.held_out)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Muon for the inner weight matrices, AdamW for the first and last layer, biases, norms and the critic."""
        inner, outer, vectors = [], [], []
        for name, parameter in self.unet.named_parameters():
            is_end = any(end in name for end in ("conv_in", "conv_out", "positional"))
            (vectors if parameter.ndim < 2 else outer if is_end else inner).append(parameter)
        ends = [{"params": outer, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
        critic = torch.optim.AdamW(self.critic.parameters(), lr=2 * self.rate, betas=(0.5, 0.98), weight_decay=1e-4)
        return [Muon(inner, lr=2 * self.rate), torch.optim.AdamW(ends, lr=self.rate, betas=(0.9, 0.98)), critic]

    def predict(self, noisy: torch.Tensor, time: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Run a step on scaled noisy latents. Returns latents of unit deviation."""
        with self.group.autocast():
            return step(self.unet, noisy, time, embedding) / LATENT_SCALE

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        whole_share = _WHOLE_SHARE_AT_END if decay > 0 else _WHOLE_SHARE
        kind = draw.numpy.random()
        source, side, decoded = self.source, _CROP, _IMAGE_ROWS
        if kind < _LARGE_SHARE:
            source, side, decoded = self.large, int(draw.numpy.choice(_LARGE)), 2
        elif kind < _LARGE_SHARE + _PLAIN_SHARE:
            source = self.plain
        elif kind < _LARGE_SHARE + _PLAIN_SHARE + whole_share:
            side, decoded = _WHOLE, 2
        rows = max(2, self.rows * _CROP**2 // side**2)
        batch = source.draw(rows, side, draw.numpy)
        has_style = batch.has_style
        inputs = draw_inputs(draw.numpy, rows, self.group.device, decay)

        start = torch.lerp(batch.photo, batch.target, inputs.styled.view(-1, 1, 1, 1))
        with torch.no_grad():
            for position, times in enumerate(inputs.earlier.unbind(1)):
                own = times >= 0
                if own.any():
                    noise = draw.normal_like(start[own]) if position else batch.noise[own]
                    noisy = add_noise(start[own] * LATENT_SCALE, noise, times[own])
                    start[own] = self.predict(noisy, times[own], batch.embedding[own])
        own = inputs.earlier[:, 0] >= 0
        share = torch.maximum(style_share(inputs.time), inputs.styled).view(-1, 1, 1, 1)
        styled = (own | (inputs.styled == 1)).view(-1, 1, 1, 1)
        wanted = torch.where(styled, batch.finished, torch.lerp(batch.photo, batch.target, share))

        first = (~own & (inputs.styled == 0)).view(-1, 1, 1, 1)
        noise = torch.where(first, batch.noise, draw.normal_like(start))
        noisy = add_noise(start * LATENT_SCALE, noise, inputs.time)
        made = self.predict(noisy.contiguous(memory_format=torch.channels_last), inputs.time, batch.embedding)
        in_latents = latent_loss(made, wanted, has_style, decay)
        seen = has_style.float().argsort(descending=True)[: rows // 2]  # the same number in every process, for the mean of gradients
        with self.group.autocast():
            critics, untrue = critic_loss(self.critic, batch.photo[seen], made[seen], wanted[seen], batch.embedding[seen], has_style[seen])
        loss = in_latents + _CRITIC_WEIGHT * (untrue + critics)
        figures = {
            "latents": in_latents.item(),
            "raster": raster_loss(made, wanted).item(),
            "critic": critics.item(),
            "untrue": untrue.item(),
        }
        if decay == 0:  # decoding takes time: it pays off only when the latents are nearly right
            return loss, figures
        picked = torch.cat([own.nonzero()[: decoded // 2, 0], (~own).nonzero()[: decoded // 2, 0]])
        with self.group.autocast():
            picture = decode(self.vae, made[picked]).float()
            with torch.no_grad():
                wanted_picture = decode(self.vae, wanted[picked]).float()
        in_pictures = image_loss(picture, wanted_picture, own[picked], has_style[picked])
        return loss + _IMAGE_WEIGHT * in_pictures, figures | {"pictures": in_pictures.item()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return PSNR in dB: on a held-out picture per style (one step to the filter, more to the finish), and for the empty prompt."""
        rng = random.Random(3)
        picks = [(7 * i) % len(self.held_out) for i in range(len(self.looks))]
        photos = self.held_out[picks]
        targets = np.stack([STYLES[name](photo) for name, photo in zip(self.looks, photos)])
        finished = np.stack([FINISHES[name](target) for name, target in zip(self.looks, targets)])
        prompts = [self.source.generator(name, None, rng) for name in self.looks]
        figures: dict[str, float] = {}
        unet = model.get_submodule("unet")
        for name, indices in _EVALUATION_INDICES.items():
            values = psnr(targets if len(indices) == 1 else finished, self._stylise(unet, photos, prompts, indices))
            figures[name] = float(values.mean())
            if name == "one":
                figures |= {style: float(v) for style, v in zip(self.looks, values)}
        figures["empty"] = float(psnr(photos, self._stylise(unet, photos, [""] * len(photos), [DEFAULT_INDEX])).mean())
        return {key: round(value, 2) for key, value in figures.items()}

    def _stylise(self, unet: nn.Module, photos: np.ndarray, prompts: list[str], indices: list[int]) -> np.ndarray:
        made = []
        for i in range(0, len(photos), 9):
            part = slice(i, i + 9)
            with self.group.autocast():
                pictures = to_tensor(photos[part], self.group.device)
                made.append(to_images(stylise(unet, self.vae, pictures, self.source.embed(prompts[part]), indices)))
        return np.concatenate(made)


def train_unet(group: Group, run: RunFolder, init: Path | None, rate: float, batch: int, plan: Plan) -> None:
    """Train. The averaged weights are in the checkpoint that the export reads."""
    task = UnetTask(run, init, rate, batch, group)
    train(task, plan, run, run.unet, group)
