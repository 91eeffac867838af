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


def _style(name: str, prompt: str, description: str, steps: int = 1) -> dict[str, str | int | float]:
    """Return a style of the page, with the steps and the strength that suit it."""
    return {"name": name, "prompt": prompt, "description": description, "steps": steps, "strength": 0.5}


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
        _style("Vaporwave", "vaporwave aesthetic", "Pink and cyan of the eighties"),
        _style("Neon", "neon lights", "Glowing outlines on black"),
        _style("Van Gogh", "van gogh painting", "Swirls of thick paint", steps=2),
        _style("Oil", "oil painting", "Broad strokes on canvas", steps=2),
        _style("Stained glass", "stained glass window", "Coloured panes in lead", steps=2),
        _style("Pencil", "pencil sketch", "Graphite on paper, shaded by strokes"),
        _style("Comic", "comic book", "Flat colours in black outlines", steps=2),
        _style("Blueprint", "blueprint", "White lines on blue paper"),
        _style("Woodblock", "ukiyo-e print", "A Japanese print, in few colours"),
        _style("Bricks", "made of lego bricks", "Plastic bricks with studs", steps=2),
        _style("Chalk", "chalk on a blackboard", "Coloured chalk on a blackboard"),
        _style("Game Boy", "game boy screen", "Four greens in coarse pixels"),
        _style("Thermal", "thermal camera", "Heat as colour, from blue to white"),
        _style("Line art", "ink line art", "Black ink on white"),
        _style("Golden hour", "golden hour", "Low, warm sun"),
        _style("Watercolor", "watercolor", "Soft washes with dark edges"),
        _style("Anime", "anime", "Smooth areas and clear light"),
        _style("Cyberpunk", "cyberpunk", "Night in teal and magenta"),
        _style("Pop art", "pop art", "Printed dots in loud colours"),
        _style("Pixel art", "pixel art", "Large pixels, few colours"),
        _style("Charcoal", "charcoal drawing", "Smudged black on paper"),
        _style("Colored pencil", "colored pencil drawing", "Strokes in colour on white"),
        _style("Film noir", "film noir", "Hard black and white"),
        _style("Sepia", "sepia", "An old brown photograph"),
        _style("Emboss", "emboss", "Carved in grey stone"),
        _style("Night vision", "night vision", "Green, grainy, seen through a scope"),
        _style("VHS", "vhs", "A worn tape with colour fringes"),
        _style("Negative", "negative", "All colours inverted"),
    ],
    "moods": [
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
        {"name": "Gold", "prompt": "gold", "description": "Tinted gold"},
        {"name": "Teal", "prompt": "teal", "description": "Tinted teal"},
        {"name": "Orange", "prompt": "orange", "description": "Tinted orange"},
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
