"""Makes a model with random weights, for torch and for the server:

    python test/bench/device/make_model.py full|small single|half fused|plain FOLDER

full: SD-Turbo at its true size with TAESD and a text encoder of one layer, which no frame passes through. small: the
same architecture for tests. half: weights and arithmetic in float16. The last word but one is the form of attention in
the graphs. FOLDER/torch gets the layout of diffusers, FOLDER/model what ops/export makes of it. A folder that is there
is kept, so that an interrupted run continues.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "ops/export"), str(ROOT / "ops/export/tests")]

import torch
from diffusers import AutoencoderTiny, DiffusionPipeline, EulerDiscreteScheduler, StableDiffusionPipeline
from full_size import text_encoder, true_unet
from millrace_export.bases import write_base
from millrace_export.cli import main
from models import ARCHITECTURES, fill, small_tokenizer


def full_model() -> DiffusionPipeline:
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        write_base("sd-turbo", base)
        return StableDiffusionPipeline(
            vae=fill(AutoencoderTiny(), 3),
            unet=true_unet(base),
            text_encoder=text_encoder(base / "text_encoder"),
            tokenizer=small_tokenizer(),
            scheduler=EulerDiscreteScheduler.from_pretrained(base, subfolder="scheduler"),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def save(size: str, dtype: torch.dtype, folder: Path) -> None:
    """Save the model in the layout of diffusers, completely or not at all."""
    pipeline = full_model() if size == "full" else ARCHITECTURES["sd-turbo"]()
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pipeline.to(dtype).save_pretrained(partial)
    partial.rename(folder)


def make(size: str, precision: str, attention: str, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    half = precision == "half"
    source, target = folder / "torch", folder / "model"
    if not source.exists():
        save(size, torch.float16 if half else torch.float32, source)
    if target.exists():
        return 0
    options = ["--family", "turbo", "--attention", attention, *(["--fp16"] if half else [])]
    return main([str(source), "-o", str(target), *options])


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(make(*sys.argv[1:4], Path(sys.argv[4])))
