"""LoRAs fused into the weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from diffusers import DiffusionPipeline
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError, safe_open

from .errors import ExportError, first_line

# Keys and values of cross-attention as kohya, diffusers and peft write their names: they see the text's embedding.
_CROSS_ATTENTION = re.compile(r"attn2[._](processor\.)?to_[kv](_lora)?\.(lora_down|lora_A|lora\.down|down)\b.*weight$")
_DOWN = re.compile(r"(lora_down|lora_A|lora\.down|_lora\.down)\b.*weight$")
_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}


@dataclass(frozen=True)
class Lora:
    path: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Lora:
        """FILE or FILE:WEIGHT. Raises ValueError."""
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
    except Exception as error:  # depending on what does not fit, loaders raise KeyError, RuntimeError, ValueError...
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
            f"{path}: this LoRA is for another base: of its {wanted} layers the model has {found}; take one made for this model"
        )
    pipe.fuse_lora(lora_scale=lora.weight)
    pipe.unload_lora_weights()


def _shapes(path: Path) -> dict[str, list[int]]:
    if not path.is_file():
        raise ExportError(f"{path}: no such file; --lora takes a .safetensors file, and a weight after a colon")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}
    except SafetensorError as error:
        raise ExportError(f"{path}: no .safetensors file, or only a part of one: {first_line(error)}") from error


def _check_width(pipe: DiffusionPipeline, path: Path, shapes: dict[str, list[int]]) -> None:
    """Loaders say of LoRAs for other bases either nothing or a page; this says which base it is."""
    model = pipe.unet.config.cross_attention_dim
    widths = {shape[1] for name, shape in shapes.items() if _CROSS_ATTENTION.search(name)}
    if widths and widths != {model}:
        lora = max(widths - {model})
        raise ExportError(
            f"{path}: this LoRA is for another base: it takes text of {_name(lora)} a token, the model has {_name(model)}; take one made for this model"
        )


def _name(width: int) -> str:
    known = f" ({_WIDTHS[width]})" if width in _WIDTHS else ""
    return f"{width} values{known}"


def _reason(error: Exception) -> str:
    """What matters of an error about shapes is in its second line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    mismatch = next((line for line in lines if line.startswith("size mismatch")), None)
    return mismatch or first_line(error)
