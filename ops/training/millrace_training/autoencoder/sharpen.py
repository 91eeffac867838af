"""Stage `decoder`: trains only the decoder, to draw sharp pictures from the U-Net's outputs.

The encoder is unchanged, so latents stay valid. The U-Net outputs the mean of what it
cannot predict, and a decoder trained only on true latents draws that mean: a blur. Here
half of the rows are the U-Net's outputs, a texture loss requires the contrast of the
target, and a critic that sees a coarse version of the target beside a picture rates
whether the fine part looks real.
"""

from __future__ import annotations

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..adversary import opinions
from ..evaluate.measures import gradient_energy
from ..latents import finished_slot, labelled_picture
from ..loop import Draw, Plan, train
from ..parallel import Group
from ..pictures import psnr, texture_loss, to_images, to_tensor
from ..run_folder import RunFolder
from ..styles import STYLES
from ..targets import looks_of
from ..unet.batches import open_source
from ..unet.model import LATENT_SCALE, trained_unet
from ..unet.objective import FULL_STYLE_INDEX
from ..unet.sampler import add_noise, step
from ..unet.schedule import DEFAULT_INDEX, even_steps, time_of_index
from .model import FACTOR, encode, load_autoencoder
from .train import reconstruction_loss

_ROWS, _ANSWERS = 12, 6  # rows per process, and how many of them are the U-Net's outputs
_SIDE = 32  # latents
_LATENT_NOISE = 0.04
_TEXTURE_WEIGHT = 11.0  # for styled pictures only: a photo should not change
_PHOTO_SHARE = 0.25
_CRITIC_WEIGHT = 0.1


class Critic(nn.Module):
    """Coarse target and picture [N, 6, H, W] -> a map of how real each place looks."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 6
        for width, stride in ((32, 2), (64, 2), (64, 1)):
            layers += [nn.Conv2d(channels, width, 4 if stride == 2 else 3, stride, 1), nn.LeakyReLU(0.2)]
            channels = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, 1, 1))

    def forward(self, wanted: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        coarse = F.interpolate(F.avg_pool2d(wanted, FACTOR), scale_factor=FACTOR, mode="bilinear")
        return self.layers(torch.cat([coarse, picture], 1)).float()


class DecoderTask:
    """One step decodes true latents and the U-Net's outputs."""

    name = "decoder"

    def __init__(self, run: RunFolder, rate: float, group: Group):
        torch.manual_seed(0)
        self.group, self.rate = group, rate
        self.vae = load_autoencoder(run.autoencoder, group.device).requires_grad_(False)
        decoder = self.vae.decoder.requires_grad_(True)
        critic = Critic().to(group.device, memory_format=torch.channels_last)
        self.model: nn.Module = nn.ModuleDict({"decoder": decoder, "critic": critic})
        unet = trained_unet(run.unet / "last.pt")
        self.unet = unet.eval().requires_grad_(False).to(group.device, memory_format=torch.channels_last)
        self.source = open_source(run, run, group.device)
        self.looks = looks_of(run)
        self.crops = np.load(run.crops, mmap_mode="r")
        self.targets = np.load(run.targets, mmap_mode="r")
        self.held_out = np.load(run.held_out)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [
            torch.optim.AdamW(self.model["decoder"].parameters(), lr=self.rate, betas=(0.8, 0.98), weight_decay=1e-4),
            torch.optim.AdamW(self.model["critic"].parameters(), lr=2 * self.rate, betas=(0.5, 0.98), weight_decay=1e-4),
        ]

    @torch.no_grad()
    def _answers(self, photo: torch.Tensor, embedding: torch.Tensor, times: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the U-Net's outputs for latents in one step, with unit deviation."""
        noisy = add_noise(photo * LATENT_SCALE, noise, times).contiguous(memory_format=torch.channels_last)
        with self.group.autocast():
            return step(self.unet, noisy, times, embedding) / LATENT_SCALE

    def _wanted(self, places: list[tuple[int, int, int, int]]) -> torch.Tensor:
        """Return the true pictures at the places of a batch."""
        size, pictures = _SIDE * FACTOR, []
        for crop, slot, top, left in places:
            whole = labelled_picture(self.crops[crop], self.targets[crop], self.source.labels[crop], slot)
            y, x = top * FACTOR, left * FACTOR
            pictures.append(whole[y : y + size, x : x + size])
        return to_tensor(np.stack(pictures), self.group.device)

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        batch = self.source.draw(_ROWS, _SIDE, draw.numpy, blend_share=0.0, photo_share=_PHOTO_SHARE)
        indices = draw.numpy.integers(20, FULL_STYLE_INDEX + 1, _ANSWERS)
        times = torch.tensor([time_of_index(int(index)) for index in indices], device=self.group.device)
        photo = batch.photo[:_ANSWERS]
        answers = self._answers(photo, batch.embedding[:_ANSWERS], times, batch.noise[:_ANSWERS])
        twice = _ANSWERS // 2  # some after a second step, as in the server: these are finished pictures
        later = torch.tensor([time_of_index(even_steps(int(index), 2)[1]) for index in indices[:twice]], device=self.group.device)
        again = self._answers(answers[:twice], batch.embedding[:twice], later, draw.normal_like(answers[:twice]))
        answers = torch.cat([again, answers[twice:]])
        ends = (_ANSWERS + _ROWS) // 2  # half of the true latents are finished ones
        true = torch.cat([batch.finished[_ANSWERS:ends], batch.target[ends:]])
        true = true + _LATENT_NOISE * draw.normal_like(true)
        finished = {*range(twice), *range(_ANSWERS, ends)}
        wanted = self._wanted([(c, finished_slot(s) if row in finished else s, y, x) for row, (c, s, y, x) in enumerate(batch.places)])
        critic = self.model["critic"]
        with self.group.autocast():
            made = self.model["decoder"](torch.cat([answers, true]))
            on_true, on_made, opinion = opinions(critic, (wanted,), made, wanted)
        made = made.float()
        weight = (_TEXTURE_WEIGHT * batch.has_style).view(-1, 1, 1, 1)
        closeness, texture = reconstruction_loss(made, wanted), texture_loss(made, wanted, weight)
        critic_loss = on_true.mean() + on_made.mean()
        loss = closeness + texture - _CRITIC_WEIGHT * opinion.mean() + critic_loss
        return loss, {"closeness": closeness.item(), "texture": texture.item(), "critic": critic_loss.item()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return PSNR in dB and gradient energy / the target's, for true latents and for the U-Net's outputs, one picture per style."""
        figures: dict[str, list[float]] = {"true": [], "answers": [], "true_sharpness": [], "answers_sharpness": []}
        index = time_of_index(DEFAULT_INDEX)
        for number, name in enumerate(self.looks):
            photo = self.held_out[(7 * number) % len(self.held_out)][None]
            styled = STYLES[name](photo[0])[None]
            noise = torch.randn((1, 4, 64, 64), generator=torch.Generator().manual_seed(0)).to(self.group.device)
            embedding = self.source.embed([self.source.generator(name, None, random.Random(number))])
            code = encode(self.vae, to_tensor(photo, self.group.device))
            answer = self._answers(code, embedding, torch.tensor([index], device=self.group.device), noise)
            for key, latent in (("true", encode(self.vae, to_tensor(styled, self.group.device))), ("answers", answer)):
                picture = to_images(model["decoder"](latent))
                figures[key].append(float(psnr(styled, picture)[0]))
                figures[f"{key}_sharpness"].append(gradient_energy(picture) / gradient_energy(styled))
        return {key: round(float(np.mean(values)), 3) for key, values in figures.items()}


def train_decoder(group: Group, run: RunFolder, rate: float, plan: Plan) -> None:
    """Train and write the sharper decoder into run.autoencoder."""
    task = DecoderTask(run, rate, group)
    if group.leads:
        with torch.no_grad():
            run.log(task.name, event="before", **task.evaluate(task.model))
    task.model.load_state_dict(train(task, plan, run, run.decoder, group))
    if group.leads:
        task.vae.save_pretrained(run.autoencoder)
