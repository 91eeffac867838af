"""Fuses LoRAs into the weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from diffusers import DiffusionPipeline
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError, safe_open

from .errors import ExportError, first_line
from .widths import width_name

# Names of cross-attention keys and values, whose input is the text embedding, in kohya, diffusers and peft.
_CROSS_ATTENTION = re.compile(r"attn2[._](processor\.)?to_[kv](_lora)?\.(lora_down|lora_A|lora\.down|down)\b.*weight$")
_DOWN = re.compile(r"(lora_down|lora_A|lora\.down|_lora\.down)\b.*weight$")


@dataclass(frozen=True)
class Lora:
    path: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Lora:
        """Parse FILE or FILE:WEIGHT. Raises ValueError."""
        path, colon, weight = text.rpartition(":")
        # A colon may also be part of a Windows path.
        if not colon or "/" in weight or "\\" in weight:
            return cls(Path(text).expanduser())
        return cls(Path(path).expanduser(), float(weight))


def fuse(pipe: DiffusionPipeline, lora: Lora) -> None:
    """Add a LoRA to the pipeline's weights. Raises ExportError if it was made for another base."""
    path = lora.path
    shapes = _shapes(path)
    _check_width(pipe, path, shapes)
    try:
        pipe.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name="lora")
    except Exception as error:  # loaders raise KeyError, RuntimeError, ValueError...
        raise ExportError(f"{path}: this LoRA does not fit the model: {_reason(error)}") from error
    networks = [pipe.unet, pipe.text_encoder, getattr(pipe, "text_encoder_2", None)]
    found = sum(
        "lora" in module.r
        for network in networks
        if network is not None
        for module in network.modules()
        if isinstance(module, LoraLayer)
    )
    wanted = sum(1 for name in shapes if _DOWN.search(name))
    if found < wanted:
        raise ExportError(
            f"{path}: this LoRA is for another base: the model has {found} of its {wanted} layers; use one made for this model"
        )
    pipe.fuse_lora(lora_scale=lora.weight)
    pipe.unload_lora_weights()


def _shapes(path: Path) -> dict[str, list[int]]:
    if not path.is_file():
        raise ExportError(f"{path}: no such file; --lora takes a .safetensors file, with an optional :WEIGHT")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}
    except SafetensorError as error:
        raise ExportError(f"{path}: not a .safetensors file, or incomplete: {first_line(error)}") from error


def _check_width(pipe: DiffusionPipeline, path: Path, shapes: dict[str, list[int]]) -> None:
    """Raise ExportError with the base of a LoRA for another base. Loaders report nothing, or far too much."""
    model = pipe.unet.config.cross_attention_dim
    widths = {shape[1] for name, shape in shapes.items() if _CROSS_ATTENTION.search(name)}
    if widths and widths != {model}:
        lora = max(widths - {model})
        raise ExportError(
            f"{path}: this LoRA is for another base: it expects {width_name(lora)} per token, the model has {width_name(model)}; use one made for this model"
        )


def _reason(error: Exception) -> str:
    """Return the cause of a loader's error, which for wrong shapes is not in the first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    mismatch = next((line for line in lines if line.startswith("size mismatch")), None)
    return mismatch or first_line(error)
