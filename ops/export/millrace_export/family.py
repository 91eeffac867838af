"""What a model was distilled for, and its default parameters for live video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .parts import latent_factor, vae_blocks
from .source import Model

FAMILIES = ("turbo", "lcm", "standard")


def family_of(model: Model, lora_names: Iterable[str]) -> str:
    """Return turbo (for one step: SD-Turbo, SDXL-Turbo), lcm (for about four) or standard (not distilled)."""
    names = [model.name.lower(), *(name.lower() for name in lora_names)]
    scheduler = type(model.scheduler).__name__
    if model.unet.config["time_cond_proj_dim"] is not None or scheduler in ("LCMScheduler", "TCDScheduler"):
        return "lcm"
    if any("lcm" in name for name in names):
        return "lcm"
    trailing = scheduler.startswith("Euler") and model.scheduler.config.get("timestep_spacing") == "trailing"
    return "turbo" if trailing or any("turbo" in name for name in names) else "standard"


def defaults_of(model: Model, family: str) -> dict[str, Any]:
    """Return the parameter defaults for millrace.json.

    One step at strength 0.5 is usual for SD-Turbo on images: a step from pure noise would ignore them.
    """
    size = model.unet.config["sample_size"]
    side = size * latent_factor(vae_blocks(model.vae.config)) if isinstance(size, int) else 512
    steps = {
        "turbo": {"strength": 0.5, "steps": 1, "solver": "LCMScheduler", "cfg_type": "none"},
        "lcm": {"strength": 0.5, "steps": 4, "solver": "LCMScheduler", "cfg_type": "none"},
        "standard": {
            "strength": 0.6,
            "steps": 8,
            "solver": "DPMSolverMultistepScheduler",
            "cfg_type": "full",
            "guidance_scale": 7.0,
        },
    }
    return {"width": side, "height": side} | steps[family]
