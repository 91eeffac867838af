"""A judge that names the style of a picture, trained on the filters' true targets.

It is not used to train the U-Net. A picture that it misclassifies does not look like its style.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..autoencoder.model import FACTOR, decode, load_autoencoder
from ..latents import LABELLED_SLOTS, STYLED_SLOTS, finished_slot, labelled_picture
from ..loop import Draw, Plan, train
from ..muon import Muon
from ..parallel import Group
from ..pictures import to_tensor
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from ..targets import TARGETS_PER_CROP

_BATCH, _CROP = 32, 160
_DECODED = 12  # pictures of a batch that pass through the autoencoder
_FINISHED_SHARE = 0.4  # of the true targets
_MOOD_SHARE = 0.3  # of the plain photos; over a style, a mood would hide styles that are colours themselves
_STAGES = ((32, 2), (64, 2), (96, 2), (128, 1), (160, 2))  # channels and stride
_EVERY = 3  # stride of the places for the statistics: fine enough, and not a period of a pattern
NONE = len(STYLE_NAMES)  # the label of a plain photo


class StyleJudge(nn.Module):
    """[N, 3, H, W] in -1..1 -> logits over the styles and `NONE`, from mean features of all scales."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 3
        for width, stride in _STAGES:
            self.stages.append(nn.Sequential(nn.Conv2d(channels, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()))
            channels = width
        self.head = nn.Linear(2 * sum(width for width, _ in _STAGES), NONE + 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        statistics = []
        features = pictures
        for stage in self.stages:
            features = stage(features)
            some = features[..., ::_EVERY, ::_EVERY].float()
            statistics += [some.mean((2, 3)), some.std((2, 3))]
        return self.head(torch.cat(statistics, 1))


class JudgeTask:
    """One step classifies crops of true targets (some finished) and photos (some recoloured), some of them slightly blurred.

    Some are decoded from the latents of the run folder, like outputs: artefacts of the autoencoder must not matter.
    """

    name = "judge"

    def __init__(self, run: RunFolder, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.model: nn.Module = StyleJudge().to(group.device, memory_format=torch.channels_last)
        self.vae = load_autoencoder(run.autoencoder, group.device).eval().requires_grad_(False)
        self.crops = np.load(run.crops, mmap_mode="r")
        self.targets = np.load(run.targets, mmap_mode="r")
        self.latents = np.load(run.latents, mmap_mode="r")
        self.labels = np.load(run.latent_labels)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Muon for the kernels and AdamW for the rest: a fifth of the steps of AdamW alone."""
        kernels = [parameter for parameter in self.model.parameters() if parameter.ndim == 4]
        others = [parameter for parameter in self.model.parameters() if parameter.ndim < 4]
        return [Muon(kernels, lr=3e-3), torch.optim.AdamW(others, lr=2e-3, weight_decay=0.01)]

    def batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        latents, pictures, labels = [], [], []
        for row in range(_BATCH):
            crop, slot = int(rng.integers(len(self.crops))), self._slot(rng)
            y, x = (int(start) * FACTOR for start in rng.integers(0, (self.crops.shape[1] - _CROP) // FACTOR + 1, 2))
            labels.append(int(self.labels[crop, slot, 0]) if slot in STYLED_SLOTS else NONE)
            if rng.random() < _FINISHED_SHARE:
                slot = finished_slot(slot)
            if row < _DECODED:
                top, left, side = y // FACTOR, x // FACTOR, _CROP // FACTOR
                latents.append(self.latents[crop, slot, :, top : top + side, left : left + side])
            else:
                picture = labelled_picture(self.crops[crop], self.targets[crop], self.labels[crop], slot)
                pictures.append(picture[y : y + _CROP, x : x + _CROP])
        with torch.no_grad(), self.group.autocast():
            decoded = decode(self.vae, torch.from_numpy(np.stack(latents)).float().to(self.group.device)).float()
        batch = torch.cat([decoded, to_tensor(np.stack(pictures), self.group.device)])
        softness = self._between(rng, -0.5, 1, 1).clamp(min=0)
        exposed = batch * self._between(rng, 0.9, 1.1, 3) + self._between(rng, -0.08, 0.08, 3)  # exact colours must not matter either
        return torch.lerp(exposed, self._soft(exposed), softness).clamp(-1, 1), torch.tensor(labels, device=self.group.device)

    @staticmethod
    def _slot(rng: np.random.Generator) -> int:
        """Choose among a crop's unfinished pictures: as many plain photos as of a style, none with a mood over a style."""
        if rng.random() < 1 / (NONE + 1):
            return LABELLED_SLOTS - 1 if rng.random() < _MOOD_SHARE else 0
        return 1 + int(rng.integers(TARGETS_PER_CROP))

    def _between(self, rng: np.random.Generator, low: float, high: float, channels: int) -> torch.Tensor:
        """Return random numbers [N, channels, 1, 1], one for each picture or for each of its channels."""
        return torch.from_numpy(rng.uniform(low, high, (_BATCH, channels, 1, 1)).astype(np.float32)).to(self.group.device)

    @staticmethod
    def _soft(pictures: torch.Tensor) -> torch.Tensor:
        """Return means of 3 x 3 pixels: outputs are slightly soft, and softness must not matter."""
        return F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        pictures, labels = self.batch(draw.numpy)
        with self.group.autocast():
            logits = self.model(pictures)
        return F.cross_entropy(logits.float(), labels), {"accuracy": float((logits.argmax(-1) == labels).float().mean())}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        rng = np.random.default_rng(0)
        right = [(model(pictures).argmax(-1) == labels).float().mean() for pictures, labels in (self.batch(rng) for _ in range(20))]
        return {"accuracy": float(torch.stack(right).mean())}


def train_judge(group: Group, run: RunFolder, plan: Plan) -> None:
    """Train and write evaluation/judge.pt."""
    task = JudgeTask(run, group)
    weights = train(task, plan, run, run.evaluation / "judge", group)
    if group.leads:
        torch.save(weights, run.evaluation / "judge.pt")


def load_judge(path: Path) -> StyleJudge:
    judge = StyleJudge()
    judge.load_state_dict(torch.load(path, weights_only=True))
    return judge.eval().requires_grad_(False)
