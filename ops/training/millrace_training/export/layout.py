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
        {"name": "Vaporwave", "prompt": "vaporwave aesthetic", "description": "Pink and cyan of the eighties", "steps": 1, "strength": 0.5},
        {"name": "Neon", "prompt": "neon lights", "description": "Glowing outlines on black", "steps": 1, "strength": 0.5},
        {"name": "Van Gogh", "prompt": "van gogh painting", "description": "Swirls of thick paint", "steps": 2, "strength": 0.5},
        {"name": "Oil", "prompt": "oil painting", "description": "Broad strokes on canvas", "steps": 2, "strength": 0.5},
        {"name": "Stained glass", "prompt": "stained glass window", "description": "Coloured panes in lead", "steps": 2, "strength": 0.5},
        {"name": "Pencil", "prompt": "pencil sketch", "description": "Graphite on paper, shaded by strokes", "steps": 1, "strength": 0.5},
        {"name": "Comic", "prompt": "comic book", "description": "Flat colours in black outlines", "steps": 2, "strength": 0.5},
        {"name": "Blueprint", "prompt": "blueprint", "description": "White lines on blue paper", "steps": 1, "strength": 0.5},
        {"name": "Woodblock", "prompt": "ukiyo-e print", "description": "A Japanese print, in few colours", "steps": 1, "strength": 0.5},
        {"name": "Bricks", "prompt": "made of lego bricks", "description": "Plastic bricks with studs", "steps": 2, "strength": 0.5},
        {"name": "Chalk", "prompt": "chalk on a blackboard", "description": "Coloured chalk on a blackboard", "steps": 1, "strength": 0.5},
        {"name": "Game Boy", "prompt": "game boy screen", "description": "Four greens in coarse pixels", "steps": 1, "strength": 0.5},
        {"name": "Thermal", "prompt": "thermal camera", "description": "Heat as colour, from blue to white", "steps": 1, "strength": 0.5},
        {"name": "Line art", "prompt": "ink line art", "description": "Black ink on white", "steps": 1, "strength": 0.5},
        {"name": "Golden hour", "prompt": "golden hour", "description": "Low, warm sun", "steps": 1, "strength": 0.5},
        {"name": "Watercolor", "prompt": "watercolor", "description": "Soft washes with dark edges", "steps": 1, "strength": 0.5},
        {"name": "Anime", "prompt": "anime", "description": "Smooth areas and clear light", "steps": 1, "strength": 0.5},
        {"name": "Cyberpunk", "prompt": "cyberpunk", "description": "Night in teal and magenta", "steps": 1, "strength": 0.5},
        {"name": "Pop art", "prompt": "pop art", "description": "Printed dots in loud colours", "steps": 1, "strength": 0.5},
        {"name": "Pixel art", "prompt": "pixel art", "description": "Large pixels, few colours", "steps": 1, "strength": 0.5},
        {"name": "Charcoal", "prompt": "charcoal drawing", "description": "Smudged black on paper", "steps": 1, "strength": 0.5},
        {"name": "Colored pencil", "prompt": "colored pencil drawing", "description": "Strokes in colour on white", "steps": 1, "strength": 0.5},
        {"name": "Film noir", "prompt": "film noir", "description": "Hard black and white", "steps": 1, "strength": 0.5},
        {"name": "Sepia", "prompt": "sepia", "description": "An old brown photograph", "steps": 1, "strength": 0.5},
        {"name": "Emboss", "prompt": "emboss", "description": "Carved in grey stone", "steps": 1, "strength": 0.5},
        {"name": "Night vision", "prompt": "night vision", "description": "Green, grainy, seen through a scope", "steps": 1, "strength": 0.5},
        {"name": "VHS", "prompt": "vhs", "description": "A worn tape with colour fringes", "steps": 1, "strength": 0.5},
        {"name": "Negative", "prompt": "negative", "description": "All colours inverted", "steps": 1, "strength": 0.5},
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
