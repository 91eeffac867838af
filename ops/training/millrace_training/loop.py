"""The training loop of the autoencoder, the text encoder and the U-Net.

A task defines the loss of a step; the loop owns optimisation, the averaged weights (EMA),
checkpoints, the log and the learning rate: warm-up, constant, linear decay to zero at the
end. The checkpoint from before the decay is kept as `stable.pt`: a later run can continue
from it with more steps. The random numbers of a step depend only on (seed, rank, step),
so a resumed training sees the same batches as an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from .parallel import Group
from .run_folder import RunFolder, write_atomically

_SAVE_EVERY = 150  # seconds between checkpoints: at most this is lost by a kill
_LOG_EVERY = 50  # steps


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    decay_steps: int
    warmup_steps: int = 60
    ema_decay: float = 0.998
    evaluate_every: int = 600  # seconds
    seed: int = 1

    def rate(self, step: int) -> float:
        """Return the factor of the learning rate, 0..1."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        return warm * (1.0 - self.decay(step))

    def decay(self, step: int) -> float:
        """Return the progress of the final decay of the learning rate: 0 before it, then up to 1."""
        return max(0.0, 1.0 - (self.steps - step) / max(1, self.decay_steps))


class Draw:
    """Return the random generator of one step on one process."""

    def __init__(self, seed: int, rank: int, step: int, device: torch.device):
        self.numpy = np.random.default_rng([seed, rank, step])
        self.torch = torch.Generator(device).manual_seed(int(self.numpy.integers(2**62)))
        self.device = device

    def normal_like(self, tensor: torch.Tensor) -> torch.Tensor:
        return torch.randn(tensor.shape, generator=self.torch, device=self.device)


class Task(Protocol):
    """What is trained."""

    name: str
    model: nn.Module

    def optimizers(self) -> list[torch.optim.Optimizer]: ...

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss of one batch, and figures to log. decay: see Plan.decay."""

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of the averaged model on held-out data."""


def _average(ema: dict[str, torch.Tensor], model: nn.Module, decay: float) -> None:
    current = model.state_dict()
    keys = [k for k in ema if ema[k].is_floating_point()]
    torch._foreach_lerp_([ema[k] for k in keys], [current[k] for k in keys], 1 - decay)


def read_average(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a checkpoint."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["ema"]


def train(task: Task, plan: Plan, run: RunFolder, folder: Path, group: Group) -> dict[str, torch.Tensor]:
    """Train until plan.steps, resuming from folder/last.pt. Returns the averaged weights."""
    optimizers = task.optimizers()
    base_rates = [[g["lr"] for g in o.param_groups] for o in optimizers]
    parameters = [p for o in optimizers for g in o.param_groups for p in g["params"]]
    ema = {k: v.detach().clone() for k, v in task.model.state_dict().items()}
    last, stable = folder / "last.pt", folder / "stable.pt"
    first_step = 0
    if last.exists():
        state = torch.load(last, map_location=group.device, weights_only=True)
        task.model.load_state_dict(state["model"])
        ema = state["ema"]
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        first_step = state["step"]
    if group.leads:
        run.log(task.name, event="start", step=first_step, processes=group.size, device=str(group.device), plan=asdict(plan))

    def save(path: Path, step: int) -> None:
        state = {
            "model": task.model.state_dict(),
            "ema": ema,
            "optimizers": [o.state_dict() for o in optimizers],
            "step": step,
        }
        write_atomically(path, lambda partial: torch.save(state, partial))

    def evaluate(step: int) -> None:
        trained = {k: v.clone() for k, v in task.model.state_dict().items()}
        task.model.load_state_dict(ema)
        task.model.eval()
        with torch.no_grad():
            run.log(task.name, event="evaluation", step=step, **task.evaluate(task.model))
        task.model.load_state_dict(trained)
        task.model.train()

    task.model.train()
    started = saved_at = evaluated_at = time.monotonic()
    window_at, window_losses = started, []
    for step in range(first_step, plan.steps):
        rate = plan.rate(step)
        for optimizer, rates in zip(optimizers, base_rates):
            for parameter_group, base in zip(optimizer.param_groups, rates):
                parameter_group["lr"] = base * rate
        loss, figures = task.loss(Draw(plan.seed, group.rank, step, group.device), plan.decay(step))
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        group.average_gradients(parameters)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if math.isfinite(norm):
            for optimizer in optimizers:
                optimizer.step()
        _average(ema, task.model, min(plan.ema_decay, (1 + step) / (20 + step)))
        window_losses.append(loss.item())

        if not group.leads:
            continue
        now = time.monotonic()
        if (step + 1) % _LOG_EVERY == 0:
            per_second = len(window_losses) / (now - window_at)
            run.log(
                task.name,
                step=step + 1,
                of=plan.steps,
                loss=round(float(np.mean(window_losses)), 5),
                rate=round(rate, 4),
                norm=round(float(norm), 3),
                steps_per_second=round(per_second, 3),
                minutes_left=round((plan.steps - step - 1) / per_second / 60, 1),
                **{k: round(v, 5) for k, v in figures.items()},
            )
            window_at, window_losses = now, []
        if step + 1 == plan.steps - plan.decay_steps:
            save(stable, step + 1)
        if now - saved_at > _SAVE_EVERY:
            save(last, step + 1)
            saved_at = now
        if now - evaluated_at > plan.evaluate_every:
            evaluate(step + 1)
            evaluated_at = time.monotonic()
    if group.leads:
        save(last, plan.steps)
        evaluate(plan.steps)
    return ema
