"""Makes models with a full-size U-Net and random weights: python tests/full_size.py sd-turbo|sdxl-turbo FOLDER

FOLDER becomes a model folder. Its reference.safetensors has U-Net inputs and what torch gives for them in float32.
The U-Net has the published configuration; the text encoders have the true widths but one layer, the VAE is a TAESD.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderTiny, EulerDiscreteScheduler, UNet2DConditionModel
from millrace_export.bases import write_base
from millrace_export.cli import table
from millrace_export.errors import ExportError
from millrace_export.export import Options, write_model
from millrace_export.source import Model, quiet
from millrace_export.staging import staged_folder
from models import fill
from running import Tensors, torch_unet, unet_inputs
from safetensors.torch import save_file
from transformers import AutoConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

# Latent sides of the compared call, which takes two cores about a minute.
SIDES = {"sd-turbo": 64, "sdxl-turbo": 32}
TOKENIZER = Path(__file__).parents[2] / "models/millrace-styles/tokenizer"


def say(line: str) -> None:
    """Print a line with the time since the start and the peak memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"[{time.monotonic() - START:5.0f} s, {peak:4.1f} GB] {line}", file=sys.stderr, flush=True)


START = time.monotonic()


@torch.no_grad()
def true_unet(base: Path) -> UNet2DConditionModel:
    """Return a full-size U-Net with random weights that are exact in float16."""
    with init_empty_weights():
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(base, subfolder="unet"))
    fill(unet.to_empty(device="cpu"), 1)
    for weight in unet.parameters():
        weight.copy_(weight.half())
    return unet.requires_grad_(False)


def text_encoder(config: Path) -> Any:
    """Return a text encoder with one layer of full width."""
    settings = AutoConfig.from_pretrained(config)
    settings.num_hidden_layers = 1
    settings.vocab_size = 2048
    projects = settings.architectures == ["CLIPTextModelWithProjection"]
    return fill(CLIPTextModelWithProjection(settings) if projects else CLIPTextModel(settings), 2)


def reference(unet: UNet2DConditionModel, side: int) -> Tensors:
    """Return inputs and outputs of two rows at different timesteps. Size ids are as in the server: a whole picture."""
    inputs = unet_inputs(unet, 2, side, side, 77)
    inputs["timestep"] = torch.tensor([999, 499])
    if "time_ids" in inputs:
        pixels = side * 8.0
        inputs["time_ids"] = torch.tensor([[pixels, pixels, 0, 0, pixels, pixels]]).repeat(2, 1)
    # One row after another; the server may put both into one call, with the same result.
    outputs = [torch_unet(unet, {name: value[row : row + 1] for name, value in inputs.items()}) for row in range(2)]
    return inputs | {"out_sample": torch.cat(outputs)}


def make(name: str, target: Path) -> None:
    quiet()
    with tempfile.TemporaryDirectory() as scratch, staged_folder(target) as folder:
        base = Path(scratch)
        write_base(name, base)
        unet = true_unet(base)
        say(f"{name}: {sum(weight.numel() for weight in unet.parameters()) / 1e6:.0f} million parameters")
        tensors = reference(unet, SIDES[name])
        say("the reference is computed")
        tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
        second = base / "text_encoder_2"
        model = Model(
            name=name,
            pipeline=json.loads((base / "model_index.json").read_text())["_class_name"],
            unet=unet,
            vae=fill(AutoencoderTiny(), 3),
            scheduler=EulerDiscreteScheduler.from_pretrained(base, subfolder="scheduler"),
            tokenizer=tokenizer,
            text_encoder=text_encoder(base / "text_encoder"),
            tokenizer_2=tokenizer if second.exists() else None,
            text_encoder_2=text_encoder(second) if second.exists() else None,
        )
        del unet
        rows = write_model(model, folder, Options(half_weights=True), "turbo", f"{name} with random weights", say)
        save_file(tensors, folder / "reference.safetensors")
        print(table(rows), file=sys.stderr)
    say("done")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SIDES:
        sys.exit(__doc__)
    try:
        make(sys.argv[1], Path(sys.argv[2]))
    except ExportError as error:
        sys.exit(f"full_size: {error}")
