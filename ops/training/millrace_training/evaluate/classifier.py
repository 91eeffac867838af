"""A judge that names the style of a picture, trained on the filters' true targets.

The U-Net never sees it. A picture that it names wrongly does not look like its style.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..autoencoder.model import decode, encode, load_autoencoder
from ..loop import Draw, Plan, train
from ..moods import MOOD_NAMES, apply_mood
from ..parallel import Group
from ..pictures import to_tensor
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from ..styles.finish import FINISHES

_BATCH, _CROP = 32, 160
_FINISHED_SHARE = 0.4  # of the true targets
_MOOD_SHARE = 0.3  # of the plain photos: over a style, a mood would hide those that are colours themselves
_STAGES = ((32, 2), (64, 2), (96, 2), (128, 1), (160, 2))  # channels and stride
_EVERY = 3  # places are looked at for the statistics: enough of them, and no period of a pattern
NONE = len(STYLE_NAMES)  # the label of a plain photo


class StyleJudge(nn.Module):
    """[N, 3, H, W] in -1..1 -> logits over the styles and `NONE`, from what features of every scale are on average."""

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
    """One step classifies crops of true targets, finished or not, and photos, at times recoloured; each a little soft or not.

    Half of them went through the autoencoder, as every output does: its traces must not decide.
    """

    name = "judge"

    def __init__(self, run: RunFolder, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.model: nn.Module = StyleJudge().to(group.device, memory_format=torch.channels_last)
        self.vae = load_autoencoder(run.autoencoder, group.device).eval().requires_grad_(False)
        self.crops = np.load(run.crops, mmap_mode="r")
        self.targets = np.load(run.targets, mmap_mode="r")
        self.styles = np.load(run.target_styles)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.model.parameters(), lr=2e-3, weight_decay=0.01)]

    def batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        pictures, labels = [], []
        for _ in range(_BATCH):
            crop = rng.integers(len(self.crops))
            slot = int(rng.integers(-1, self.targets.shape[1])) if rng.random() < 0.2 else int(rng.integers(self.targets.shape[1]))
            source = self.crops[crop] if slot < 0 else self.targets[crop, slot]
            if slot >= 0 and rng.random() < _FINISHED_SHARE:
                source = FINISHES[STYLE_NAMES[self.styles[crop, slot]]](source)
            y, x = rng.integers(0, source.shape[0] - _CROP + 1, 2)
            picture = source[y : y + _CROP, x : x + _CROP]
            if slot < 0 and rng.random() < _MOOD_SHARE:
                picture = apply_mood(picture, str(rng.choice(MOOD_NAMES)))
            pictures.append(picture)
            labels.append(NONE if slot < 0 else int(self.styles[crop, slot]))
        batch = to_tensor(np.stack(pictures), self.group.device)
        softness = self._between(rng, -0.5, 1, 1).clamp(min=0)
        with torch.no_grad(), self.group.autocast():
            batch[: _BATCH // 2] = decode(self.vae, encode(self.vae, batch[: _BATCH // 2])).float()
        exposed = batch * self._between(rng, 0.9, 1.1, 3) + self._between(rng, -0.08, 0.08, 3)  # nor may exact colours
        return torch.lerp(exposed, self._soft(exposed), softness).clamp(-1, 1), torch.tensor(labels, device=self.group.device)

    def _between(self, rng: np.random.Generator, low: float, high: float, channels: int) -> torch.Tensor:
        """[N, channels, 1, 1]: a number for each picture, or for each channel of it."""
        return torch.from_numpy(rng.uniform(low, high, (_BATCH, channels, 1, 1)).astype(np.float32)).to(self.group.device)

    @staticmethod
    def _soft(pictures: torch.Tensor) -> torch.Tensor:
        """Means of 3 x 3 pixels: outputs are a little soft, and softness must not decide."""
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
