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
from ..styles import STYLE_NAMES
from ..text.model import load_text_encoder
from ..unet.model import LATENT_SCALE, trained_unet
from ..unet.schedule import BETA_END, BETA_START, DEFAULT_INDEX, ORIGINAL_STEPS, TIMESTEP_SCALING, TRAIN_STEPS

# Settings for Millrace's server and page when this model is loaded.
_MILLRACE = {
    "description": f"Paints live video by text: {len(STYLE_NAMES)} styles and {len(MOOD_NAMES)} moods, small enough for one CPU core.",
    "defaults": {
        "prompt": "vaporwave aesthetic",
        "width": 256,
        "height": 256,
        "strength": 1 - DEFAULT_INDEX / ORIGINAL_STEPS,
        "steps": 1,
        "cfg_type": "none",
    },
    # Without a picture it has nothing to paint.
    "modes": ["img2img"],
    "styles": [
        {"name": "Vaporwave", "prompt": "vaporwave aesthetic"},
        {"name": "Neon", "prompt": "neon lights"},
        {"name": "Van Gogh", "prompt": "van gogh painting"},
        {"name": "Oil", "prompt": "oil painting"},
        {"name": "Stained glass", "prompt": "stained glass window"},
        {"name": "Pencil", "prompt": "pencil sketch"},
        {"name": "Comic", "prompt": "comic book"},
        {"name": "Blueprint", "prompt": "blueprint"},
        {"name": "Woodblock", "prompt": "ukiyo-e print"},
        {"name": "Bricks", "prompt": "made of lego bricks"},
        {"name": "Chalk", "prompt": "chalk on a blackboard"},
        {"name": "Game Boy", "prompt": "game boy screen"},
        {"name": "Thermal", "prompt": "thermal camera"},
        {"name": "Line art", "prompt": "ink line art"},
        {"name": "Golden hour", "prompt": "golden hour"},
    ],
}


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
    (folder / "millrace.json").write_text(json.dumps(_MILLRACE, indent=2, ensure_ascii=False) + "\n")
