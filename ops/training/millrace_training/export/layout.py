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
from ..loop import read_average
from ..run_folder import RunFolder
from ..text.model import load_text_encoder
from ..unet.model import LATENT_SCALE, new_unet
from ..unet.schedule import BETA_END, BETA_START, ORIGINAL_STEPS, TRAIN_STEPS


class Parts(NamedTuple):
    """The three networks, float32, holding exactly the values that float16 storage keeps."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    vae: AutoencoderTiny


def load_parts(run: RunFolder) -> Parts:
    """The run folder's networks as trained so far, rounded to float16 and back."""
    vae = load_autoencoder(run.autoencoder)
    vae.register_to_config(scaling_factor=LATENT_SCALE)
    unet = new_unet()
    unet.load_state_dict(read_average(run.unet / "last.pt"))
    parts = Parts(unet, load_text_encoder(run.text_encoder), vae)
    for part in parts:
        part.half().float().eval().requires_grad_(False)
    return parts


def write_layout(run: RunFolder, parts: Parts, folder: Path) -> None:
    """Write a StableDiffusionPipeline: model_index.json and one folder a part."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts._asdict().items():
        part.half().save_pretrained(folder / name)
        part.float()
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
