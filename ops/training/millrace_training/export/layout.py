"""The model as a diffusers folder, weights stored as float16."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import diffusers
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel

from ..autoencoder.model import load_autoencoder
from ..moods import MOOD_NAMES
from ..run_folder import RunFolder
from ..styles import LOOKS
from ..targets import looks_of
from ..text.model import load_text_encoder
from ..unet.model import LATENT_SCALE, trained_unet
from ..unet.schedule import BETA_END, BETA_START, DEFAULT_INDEX, ORIGINAL_STEPS, TIMESTEP_SCALING, TRAIN_STEPS

_GOLDEN_HOUR = {"name": "Golden hour", "prompt": "golden hour", "description": "Low, warm sun", "steps": 1, "strength": 0.5}  # a mood
# Looks that the page shows first; the others follow in the order of the table.
_FIRST = ("vapor", "neon", "gogh", "oil", "glass", "pencil", "comic", "blueprint", "ukiyo", "lego", "chalk", "gameboy")


def page_styles(looks: tuple[str, ...]) -> list[dict[str, str | int | float]]:
    """Return the styles of the page for these looks, each with the steps and the strength that suit it."""
    order = [*(name for name in _FIRST if name in looks), *(name for name in looks if name not in _FIRST)]
    return [
        {"name": look.title, "prompt": look.prompt, "description": look.description, "steps": look.steps, "strength": look.strength}
        for look in (LOOKS[name] for name in order)
    ] + [_GOLDEN_HOUR]


# Settings for Millrace's server and page when this model is loaded.
_MILLRACE = {
    "defaults": {
        "prompt": "vaporwave aesthetic",
        "width": 256,
        "height": 256,
        "strength": 1 - DEFAULT_INDEX / ORIGINAL_STEPS,
        "steps": 1,
        "cfg_type": "none",
    },
    "useful": {"strength": [0.2, 0.8], "steps": [1, 4], "guidance_scale": [1, 2]},
    # Without a picture it has nothing to paint.
    "modes": ["img2img"],
}

_MOODS = [
    {"name": "Warm", "prompt": "warm colors", "description": "Reds and yellows"},
    {"name": "Cold", "prompt": "cold colors", "description": "Blues and greys"},
    {"name": "Sunset", "prompt": "sunset", "description": "Orange light"},
    {"name": "Night", "prompt": "at night", "description": "Dark and blue"},
    {"name": "Autumn", "prompt": "autumn", "description": "Brown and orange leaves"},
    {"name": "Winter", "prompt": "winter", "description": "Pale, as under snow"},
    {"name": "Vivid", "prompt": "vivid colors", "description": "Strong colours"},
    {"name": "Pastel", "prompt": "pastel colors", "description": "Light, soft colours"},
    {"name": "Monochrome", "prompt": "monochrome", "description": "Grey only"},
    {"name": "Fog", "prompt": "foggy", "description": "Washed out"},
    {"name": "Dark", "prompt": "dark", "description": "Low light"},
    {"name": "Bright", "prompt": "bright", "description": "Much light"},
    {"name": "Red", "prompt": "red", "description": "Tinted red"},
    {"name": "Green", "prompt": "green", "description": "Tinted green"},
    {"name": "Blue", "prompt": "blue", "description": "Tinted blue"},
    {"name": "Purple", "prompt": "purple", "description": "Tinted purple"},
    {"name": "Pink", "prompt": "pink", "description": "Tinted pink"},
    {"name": "Gold", "prompt": "golden", "description": "Tinted gold"},
    {"name": "Teal", "prompt": "teal", "description": "Tinted teal"},
    {"name": "Orange", "prompt": "orange", "description": "Tinted orange"},
]


class Parts(NamedTuple):
    """The three networks in float32, with values that are exact in float16."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    vae: AutoencoderTiny


def load_parts(run: RunFolder, checkpoint: Path) -> Parts:
    """Return the run folder's networks, the U-Net from a checkpoint, rounded to float16 and back."""
    vae = load_autoencoder(run.autoencoder)
    vae.register_to_config(scaling_factor=LATENT_SCALE)
    unet = trained_unet(checkpoint)
    parts = Parts(unet, load_text_encoder(run.text_encoder), vae)
    for part in parts:
        part.half().float().eval().requires_grad_(False)
    return parts


def write_layout(run: RunFolder, parts: Parts, folder: Path) -> None:
    """Write a StableDiffusionPipeline: model_index.json and one folder per part."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts._asdict().items():
        part.half().save_pretrained(folder / name)
        part.float()
    vae_config = folder / "vae/config.json"
    settings = json.loads(vae_config.read_text())
    del settings["_name_or_path"]  # a path on the training machine
    vae_config.write_text(json.dumps(settings, indent=2) + "\n")
    shutil.copytree(run.tokenizer, folder / "tokenizer", dirs_exist_ok=True)
    LCMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_start=BETA_START,
        beta_end=BETA_END,
        beta_schedule="scaled_linear",
        original_inference_steps=ORIGINAL_STEPS,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="sample",
        timestep_scaling=TIMESTEP_SCALING,
    ).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
        "vae": ["diffusers", "AutoencoderTiny"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "LCMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")
    looks = looks_of(run)
    about = f"Paints live video by text: {len(looks)} styles and {len(MOOD_NAMES)} moods, small enough for one CPU core."
    settings = {"description": about, **_MILLRACE, "styles": page_styles(looks), "moods": _MOODS}
    (folder / "millrace.json").write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
