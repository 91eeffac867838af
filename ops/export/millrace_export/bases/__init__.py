"""Configurations and the tokenizer, which single checkpoint files do not have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open

from ..errors import ExportError, first_line

_FOLDER = Path(__file__).parent


class Base(NamedTuple):
    """A base model that others are fine-tuned from."""

    # Name of the file with the configurations of the networks.
    networks: str
    # Side of the latents in training.
    sample_size: int
    scheduler: dict[str, object]
    upcast_attention: bool = False


_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
_PNDM = {
    "_class_name": "PNDMScheduler",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "clip_sample": False,
}
_DDIM = {"_class_name": "DDIMScheduler", "set_alpha_to_one": False, "steps_offset": 1, "clip_sample": False}
_EULER = {"_class_name": "EulerDiscreteScheduler", "steps_offset": 1}

BASES = {
    "sd-1.5": Base("sd-1", 64, _PNDM),
    "sd-2.1": Base("sd-2", 96, _DDIM | {"prediction_type": "v_prediction"}, upcast_attention=True),
    "sd-2.1-base": Base("sd-2", 64, _PNDM),
    "sd-turbo": Base("sd-2", 64, _EULER | {"timestep_spacing": "trailing"}),
    "sdxl": Base("sdxl", 128, _EULER | {"timestep_spacing": "leading"}),
    "sdxl-v": Base("sdxl", 128, _EULER | {"timestep_spacing": "leading", "prediction_type": "v_prediction"}),
    "sdxl-turbo": Base(
        "sdxl",
        64,
        {"_class_name": "EulerAncestralDiscreteScheduler", "steps_offset": 1, "timestep_spacing": "trailing"},
    ),
}


def base_of(path: Path) -> str:
    """Return the base of a checkpoint, from its tensors, its metadata and its name. Raises ExportError."""
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            metadata = file.metadata() or {}
            first = "model.diffusion_model.input_blocks.0.0.weight"
            if first not in names:
                raise ExportError(
                    f"{path}: not a Stable Diffusion checkpoint (no {first}); use --lora for LoRAs, --vae for VAEs"
                )
            attention = next(
                (
                    name
                    for name in names
                    if name.startswith("model.diffusion_model.") and name.endswith("attn2.to_k.weight")
                ),
                None,
            )
            width = file.get_slice(attention).get_shape()[1] if attention else 0
    except SafetensorError as error:
        raise ExportError(f"{path}: not a .safetensors file, or incomplete: {first_line(error)}") from error
    turbo = "turbo" in path.stem.lower()
    predicts_v = metadata.get("modelspec.prediction_type", "").startswith("v") or "v_pred" in names
    match width:
        case 768:
            return "sd-1.5"
        case 1024:
            # Only metadata and name distinguish 2.1 (v_prediction, 768 pixels) from 2.1-base (epsilon, 512 pixels).
            epsilon = metadata.get("modelspec.prediction_type", "").startswith("eps") or "base" in path.stem.lower()
            return "sd-turbo" if turbo else "sd-2.1-base" if epsilon else "sd-2.1"
        case 2048:
            return "sdxl-turbo" if turbo else "sdxl-v" if predicts_v else "sdxl"
    raise ExportError(
        f"{path}: unknown base (its text embedding has {width} values per token); set it with --base"
    )


def write_base(name: str, folder: Path) -> None:
    """Write a base as a diffusers folder without weights."""
    base = BASES[name]
    files: dict[str, dict[str, object]] = json.loads((_FOLDER / f"{base.networks}.json").read_text())
    files["unet/config.json"] |= {"sample_size": base.sample_size, "upcast_attention": base.upcast_attention}
    files["scheduler/scheduler_config.json"] = _BETAS | base.scheduler
    files["model_index.json"]["scheduler"] = ["diffusers", base.scheduler["_class_name"]]
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content, indent=2))
        if path.startswith("tokenizer"):
            write_vocabulary((folder / path).parent)


def write_tokenizer(folder: Path) -> None:
    """Write the tokenizer of CLIP, as Stable Diffusion 1 has it."""
    files: dict[str, dict[str, object]] = json.loads((_FOLDER / "sd-1.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        if path.startswith("tokenizer/"):
            (folder / path.removeprefix("tokenizer/")).write_text(json.dumps(content, indent=2))
    write_vocabulary(folder)


def write_vocabulary(folder: Path) -> None:
    """Write the vocabulary of CLIP: 256 bytes, the same at the end of a word, the merges, and two special tokens."""
    merges = gzip.decompress((_FOLDER / "clip-merges.txt.gz").read_bytes()).decode()
    pairs = [line.split() for line in merges.splitlines()[1:] if line]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = len(set(range(256)) - set(printable))
    symbols = [chr(code) for code in printable] + [chr(256 + i) for i in range(others)]
    words = (
        symbols
        + [f"{symbol}</w>" for symbol in symbols]
        + ["".join(pair) for pair in pairs]
        + ["<|startoftext|>", "<|endoftext|>"]
    )
    (folder / "merges.txt").write_text(merges, encoding="utf-8")
    (folder / "vocab.json").write_text(
        json.dumps({word: i for i, word in enumerate(words)}, ensure_ascii=False), encoding="utf-8"
    )
