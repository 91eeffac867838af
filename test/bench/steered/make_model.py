"""Exports a model with the blocks of Stable Diffusion 1.5 at a part of its width, with random weights:

    python test/bench/steered/make_model.py FOLDER WIDTH

WIDTH is that of the first block: 320 is the full size. FOLDER gets the plain U-Net and one with two ControlNets and
banks in mid_block and up_blocks.1.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "ops/export"), str(ROOT / "ops/export/tests")]

from diffusers import (
    AutoencoderTiny,
    ControlNetModel,
    LCMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from millrace_export.cli import main
from models import fill, small_text_encoder, small_tokenizer, tiny_vae

# Width of a head in the first block, as in the original.
HEAD = 40
CONTROLS = ("canny", "depth")
BANKS = "mid_block,up_blocks.1"


def unet_of(width: int) -> UNet2DConditionModel:
    network = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(width, 2 * width, 4 * width, 4 * width),
        attention_head_dim=width // HEAD,
        norm_num_groups=width // 10,
        cross_attention_dim=192,
    )
    return fill(network, 1)


def save(folder: Path, width: int) -> list[str]:
    """Save the model and its ControlNets. Returns the options that export them."""
    unet = unet_of(width)
    tiny_vae(folder / "vae")
    StableDiffusionPipeline(
        vae=AutoencoderTiny.from_pretrained(folder / "vae"),
        unet=unet,
        text_encoder=small_text_encoder(unet.config.cross_attention_dim),
        tokenizer=small_tokenizer(),
        scheduler=LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder / "model")
    hint = tuple(size * width // 320 for size in (16, 32, 96, 256))
    options = [str(folder / "model"), "--family", "lcm", "--attention-bank", BANKS]
    for seed, name in enumerate(CONTROLS, 2):
        network = ControlNetModel.from_unet(
            unet, conditioning_embedding_out_channels=hint, load_weights_from_unet=False
        )
        fill(network, seed).save_pretrained(folder / name)
        options += ["--controlnet", f"{name}={folder / name}"]
    return options


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    target, size = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as place:
        sys.exit(main([*save(Path(place), size), "-o", target, "--force"]))
