"""Batches for the U-Net: photo latent, target latent, prompt."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from transformers import CLIPTextModel, CLIPTokenizer

from ..latents import LABELLED_SLOTS, STYLED_SLOTS, encoded_crops, finished_slot
from ..moods import MOOD_NAMES
from ..prompts.generator import PromptGenerator, load_dictionary
from ..run_folder import RunFolder
from ..styles import LOOKS, STYLE_NAMES
from ..targets import TARGETS_PER_CROP, noise_of_crop
from ..text.model import load_text_encoder, load_tokenizer
from ..text.tokenizer import tokenize

_PHASE = 8  # latents: crops of looks with a pattern start at multiples of 32 pixels, the longest period; others start anywhere
_BLEND_SHARE = 0.06
_LONG_SHARE = 0.15  # of the batches have prompts of two or three parts of 77 tokens, all but one of which are meaningless
_PHOTO_SHARE = 0.12
_MOOD_SHARE, _STYLE_MOOD_SHARE = 0.11, 0.26  # of the others
# How often a target is drawn, compared with those that only change colours: marks, cells and bands need more steps.
_HARD_STYLES = {
    "anime": 5.0,
    "comic": 5.0,
    "chalk": 4.0,
    "gogh": 5.0,
    "oil": 3.0,
    "lineart": 3.0,
    "water": 3.0,
    "woodcut": 3.0,
    "engraving": 3.0,
    "ukiyo": 3.0,
    "pointillism": 5.0,
    "mosaic": 3.0,
    "tapestry": 3.0,
    "knitted": 3.0,
    "embroidery": 3.0,
    "circuit": 3.0,
    "cubism": 3.0,
    "fire": 3.0,
    "jungle": 3.0,
    "leaves": 3.0,
    "graffiti": 4.0,
    "vhs": 6.0,
    "hologram": 3.0,
    "charcoal": 2.5,
    "pencil": 2.5,
    "softpastel": 2.5,
    "gouache": 2.5,
    "marble": 5.0,
    "wood": 2.5,
    "porcelain": 2.5,
    "crystal": 2.5,
    "ice": 2.5,
    "robot": 2.5,
    "gold": 2.5,
    "bronze": 3.0,
    "clay": 4.0,
    "papercut": 2.5,
    "zombie": 4.0,
    "galaxy": 2.0,
    "underwater": 4.0,
    "snow": 2.0,
    "rain": 2.0,
    "desert": 2.0,
    "alien": 2.0,
    "infrared": 2.0,
    "vampire": 2.0,
    "popart": 1.5,
    "neon": 1.5,
    "blueprint": 1.5,
    "pixel": 1.5,
}


@dataclass(frozen=True)
class Batch:
    photo: torch.Tensor  # [N, 4, s, s], unit deviation
    target: torch.Tensor  # [N, 4, s, s]: target of first steps
    finished: torch.Tensor  # [N, 4, s, s]: target of later steps
    noise: torch.Tensor  # [N, 4, s, s]: what the target's marks grow from; the first step adds it
    embedding: torch.Tensor  # [N, 77 * number of parts, 96]
    places: list[tuple[int, int, int, int]]  # crop, slot, and the window's top and left in latents

    @property
    def has_style(self) -> torch.Tensor:
        """bool [N]: whether the target has a style; else it is the photo, possibly with a mood."""
        return torch.tensor([slot in STYLED_SLOTS for _, slot, _, _ in self.places], device=self.photo.device)


class BatchSource:
    """Samples batches from the latents of the run folder; `crops` are the usable ones."""

    def __init__(
        self,
        latents: np.ndarray,
        labels: np.ndarray,
        crops: np.ndarray,
        tokenizer: CLIPTokenizer,
        encoder: CLIPTextModel,
        generator: PromptGenerator,
        device: torch.device,
    ):
        self.latents, self.labels, self.crops = latents, labels, crops
        self.tokenizer, self.encoder, self.generator = tokenizer, encoder, generator
        self.device = device
        weights = np.array([_HARD_STYLES.get(name, 1.0) for name in STYLE_NAMES])
        self.slot_weights = weights[labels[:, 1 : 1 + TARGETS_PER_CROP, 0]]
        self.slot_weights /= self.slot_weights.sum(1, keepdims=True)

    def _slot(self, crop: int, photo_share: float, rng: np.random.Generator) -> int:
        """Choose the target among a crop's latents."""
        if rng.random() < photo_share:
            return 0
        kind = rng.random()
        if kind < _MOOD_SHARE:
            return LABELLED_SLOTS - 1
        if kind < _MOOD_SHARE + _STYLE_MOOD_SHARE:
            return int(rng.integers(1 + TARGETS_PER_CROP, LABELLED_SLOTS - 1))
        return 1 + int(rng.choice(TARGETS_PER_CROP, p=self.slot_weights[crop]))

    def _in_phase(self, crop: int, slot: int) -> bool:
        style = self.labels[crop, slot, 0]
        return bool(style >= 0) and LOOKS[STYLE_NAMES[style]].in_phase

    def _prompt(self, crop: int, slot: int, rng: random.Random) -> str:
        style, mood = self.labels[crop, slot]
        return self.generator(STYLE_NAMES[style] if style >= 0 else None, MOOD_NAMES[mood] if mood >= 0 else None, rng)

    def _chatter(self, rng: random.Random) -> str:
        """Return a part of a prompt without style and mood."""
        return ", ".join(self.generator.subject(rng) for _ in range(24))

    @torch.no_grad()
    def embed(self, prompts: list[str]) -> torch.Tensor:
        """Return embeddings [N, 77, 96]."""
        return self.encoder(tokenize(self.tokenizer, prompts).to(self.device)).last_hidden_state.float()

    def draw(
        self, count: int, side: int, rng: np.random.Generator, blend_share: float = _BLEND_SHARE, photo_share: float = _PHOTO_SHARE
    ) -> Batch:
        """Return `count` rows of side x side latents; the target of a blended row is not the latent at its place."""
        words = random.Random(int(rng.integers(2**62)))
        full = self.latents.shape[-1]
        photos, targets, finished, noises, prompts, others, places = [], [], [], [], [], [], []
        blends = rng.random(count) < blend_share
        shares = np.where(blends, rng.random(count), 0.0)
        for blend, share in zip(blends, shares):
            crop = int(rng.choice(self.crops))
            slot = self._slot(crop, photo_share, rng)
            other = self._slot(crop, photo_share, rng) if blend else slot
            phase = _PHASE if self._in_phase(crop, slot) or self._in_phase(crop, other) else 1
            y, x = (int(v) * phase for v in rng.integers(0, (full - side) // phase + 1, 2))
            window = self.latents[crop, :, :, y : y + side, x : x + side]
            pair = window[[slot, finished_slot(slot)]].astype(np.float32)
            places.append((crop, slot, y, x))
            prompts.append(self._prompt(crop, slot, words))
            if blend:
                pair = (1 - share) * pair + share * window[[other, finished_slot(other)]].astype(np.float32)
                others.append(self._prompt(crop, other, words))
            photos.append(window[0].astype(np.float32))
            noises.append(noise_of_crop(crop, full)[:, y : y + side, x : x + side])
            targets.append(pair[0])
            finished.append(pair[1])
        embedding = self.embed(prompts + others)
        rows = embedding[:count].clone()
        if others:
            where = torch.from_numpy(blends).to(self.device)
            weight = torch.from_numpy(shares[blends].astype(np.float32)).to(self.device).view(-1, 1, 1)
            rows[where] = torch.lerp(rows[where], embedding[count:], weight)
        if words.random() < _LONG_SHARE:
            parts = [self.embed([self._chatter(words) for _ in range(count)]) for _ in range(words.choice((1, 1, 2)))]
            parts.insert(words.randrange(len(parts) + 1), rows)
            rows = torch.cat(parts, 1)
        return Batch(self._tensor(photos), self._tensor(targets), self._tensor(finished), self._tensor(noises), rows, places)

    def _tensor(self, arrays: list[np.ndarray]) -> torch.Tensor:
        stacked = torch.from_numpy(np.stack(arrays).astype(np.float32)).to(self.device)
        return stacked.contiguous(memory_format=torch.channels_last)


def open_source(run: RunFolder, crops: RunFolder, device: torch.device) -> BatchSource:
    """Return batches of the latents of a folder of crops, that of the run or its large ones.

    Few prompts are misspelt: the encoder, which is frozen, can read them.
    """
    return BatchSource(
        np.load(crops.latents),  # 2.6 GB in memory: small windows of a mapped file cost more than a forward pass of a row
        np.load(crops.latent_labels),
        encoded_crops(crops),
        load_tokenizer(run.tokenizer),
        load_text_encoder(run.text_encoder, device),
        PromptGenerator(load_dictionary(run.dictionary), misspelt=0.03),
        device,
    )
