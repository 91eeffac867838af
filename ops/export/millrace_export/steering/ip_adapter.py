"""Loads an IP-Adapter: the encoder of style images, and keys and values of image tokens for each cross-attention."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.embeddings import ImageProjection
from huggingface_hub import hf_hub_download, list_repo_files, snapshot_download
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from ..errors import ExportError, first_line
from ..source import explained
from ..widths import width_name

_HUB_PATH = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:/(?P<path>.+))?")
_ENCODER = "image_encoder"

Tensors = dict[str, torch.Tensor]


class ImageTokens(nn.Module):
    """The image encoder and the projection of its result: a style image becomes tokens."""

    def __init__(self, encoder: nn.Module, projection: nn.Module):
        super().__init__()
        self.encoder, self.projection = encoder, projection
        # "plus" and "full" adapters take the hidden states before the last layer.
        self.takes_states = not isinstance(projection, ImageProjection)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens of the image, and those for rows of negative prompts."""
        embedding = self._embed(pixels)
        nothing = self._embed(torch.zeros_like(pixels)) if self.takes_states else torch.zeros_like(embedding)
        return self.projection(embedding), self.projection(nothing)

    def _embed(self, pixels: torch.Tensor) -> torch.Tensor:
        result = self.encoder(pixel_values=pixels, output_hidden_states=self.takes_states)
        return result.hidden_states[-2] if self.takes_states else result.image_embeds


class ImageKeys(nn.Module):
    """Keys and values of image tokens in one cross-attention layer."""

    def __init__(self, key: torch.Tensor, value: torch.Tensor, dtype: torch.dtype):
        super().__init__()
        self.to_k, self.to_v = (_linear(weight, dtype) for weight in (key, value))


@dataclass(frozen=True)
class IpAdapter:
    encoder: ImageTokens
    # One for each cross-attention layer, in the order of diffusers' attn_processors.
    layers: tuple[ImageKeys, ...]
    # The block of each layer, such as down_blocks.0.
    blocks: tuple[str, ...]
    tokens: int
    width: int
    image_size: int
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]


def cross_layers(unet: nn.Module) -> list[str]:
    """Return the names of the cross-attention layers, in the order of diffusers' attn_processors."""
    return [name.removesuffix(".processor") for name in unet.attn_processors if name.endswith(".attn2.processor")]


def block_of(layer: str) -> str:
    """Return the name of the block that has this layer."""
    first, second, *_ = layer.split(".")
    return first if first == "mid_block" else f"{first}.{second}"


def load_ip_adapter(place: str, image_encoder: str | None, unet: nn.Module, dtype: torch.dtype) -> IpAdapter:
    """Load an IP-Adapter in the published layout. Raises ExportError if it does not fit the U-Net or its encoder."""
    file, encoder_folder = _find(place, image_encoder)
    projection_state, layer_state = _read(place, file)
    _refuse_faces(place, projection_state)
    layers = _layers(place, layer_state, unet, dtype)
    with explained(f"--ip-adapter {place}: its image projection cannot be loaded"):
        projection = unet._convert_ip_adapter_image_proj_to_diffusers(projection_state).to(dtype)
    with explained(f"--image-encoder {encoder_folder}: cannot be loaded"):
        encoder = CLIPVisionModelWithProjection.from_pretrained(str(encoder_folder), torch_dtype=dtype)
    # Attention in plain operators, softmax in float32.
    encoder.set_attn_implementation("eager")
    tokens = ImageTokens(encoder, projection).eval().requires_grad_(False)
    _check_encoder(place, projection_state, encoder.config, tokens.takes_states)
    size = encoder.config.image_size
    with torch.no_grad():
        shape = tokens(torch.zeros(1, 3, size, size, dtype=dtype))[0].shape
    mean, std = _normalisation(encoder_folder)
    blocks = tuple(map(block_of, cross_layers(unet)))
    return IpAdapter(tokens, layers, blocks, int(shape[1]), int(shape[2]), size, mean, std)


def _find(place: str, image_encoder: str | None) -> tuple[Path, Path]:
    """Return the file with the weights and the folder of the image encoder; downloads what is on the hub."""
    path = Path(place).expanduser()
    if path.is_file() or path.is_dir():
        file = path if path.is_file() else _only_file(place, sorted(path.glob("*.safetensors")))
        folder = file.parent / _ENCODER
    else:
        match = _HUB_PATH.fullmatch(place)
        if match is None:
            raise ExportError(f"--ip-adapter {place}: no such file or folder, and not a hub id (owner/name/file)")
        with explained(f"--ip-adapter {place}: cannot be loaded"):
            name = match["path"] or str(_only_file(place, _weights_on_hub(match["id"])))
            file = Path(hf_hub_download(match["id"], name))
            folder = Path(name).parent / _ENCODER
            if image_encoder is None:
                folder = Path(snapshot_download(match["id"], allow_patterns=f"{folder.as_posix()}/*")) / folder
    if file.suffix != ".safetensors":
        raise ExportError(f"--ip-adapter {place}: only .safetensors files are supported (others can run code)")
    if image_encoder is not None:
        folder = _encoder_folder(image_encoder)
    if not folder.is_dir():
        raise ExportError(
            f"--ip-adapter {place}: no folder {folder} with its image encoder; name one with --image-encoder"
        )
    return file, folder


def _weights_on_hub(repository: str) -> list[Path]:
    names = (Path(name) for name in list_repo_files(repository))
    return [name for name in names if name.suffix == ".safetensors" and name.parent.name != _ENCODER]


def _only_file(place: str, files: list[Path]) -> Path:
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in files[:10])
    raise ExportError(
        f"--ip-adapter {place}: has {len(files)} .safetensors files{f' ({names})' if files else ''}; name the one to use"
    )


def _encoder_folder(place: str) -> Path:
    path = Path(place).expanduser()
    match = _HUB_PATH.fullmatch(place)
    if path.is_dir() or match is None:
        return path
    with explained(f"--image-encoder {place}: no such folder, and not on the hub"):
        inner = match["path"] or "."
        pattern = "*" if match["path"] is None else f"{inner}/*"
        return Path(snapshot_download(match["id"], allow_patterns=pattern)) / inner


def _read(place: str, file: Path) -> tuple[Tensors, Tensors]:
    """Return the weights of the projection and of the layers, by their names without the prefix."""
    found: dict[str, Tensors] = {"image_proj": {}, "ip_adapter": {}}
    try:
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():
                group, _, rest = name.partition(".")
                if group in found:
                    found[group][rest] = weights.get_tensor(name)
    except SafetensorError as error:
        raise ExportError(
            f"--ip-adapter {place}: not a .safetensors file, or incomplete: {first_line(error)}"
        ) from error
    if not all(found.values()):
        raise ExportError(f"--ip-adapter {place}: not an IP-Adapter, which has tensors named image_proj and ip_adapter")
    return found["image_proj"], found["ip_adapter"]


def _refuse_faces(place: str, projection: Tensors) -> None:
    if not projection.keys() & {"proj.weight", "proj.3.weight", "latents"}:
        raise ExportError(
            f"--ip-adapter {place}: an IP-Adapter FaceID, or of an unknown kind: it takes no picture; "
            f"use an ip-adapter, ip-adapter-plus or ip-adapter-full file"
        )


def _layers(place: str, state: Tensors, unet: nn.Module, dtype: torch.dtype) -> tuple[ImageKeys, ...]:
    names = cross_layers(unet)
    model_width = unet.config["cross_attention_dim"]
    keys = {name: weight for name, weight in state.items() if name.endswith("to_k_ip.weight")}
    width = next((int(weight.shape[1]) for weight in keys.values()), None)
    if width is not None and width != model_width:
        raise ExportError(
            f"--ip-adapter {place}: this IP-Adapter is for another base: its tokens have {width_name(width)}, "
            f"the model's {width_name(model_width)}; use one made for this model"
        )
    if len(keys) != len(names):
        raise ExportError(
            f"--ip-adapter {place}: this IP-Adapter is for another base: it has {len(keys)} layers, "
            f"the model {len(names)}; use one made for this model"
        )
    layers = []
    for index, name in enumerate(names):
        # Published files number all attention layers; those of self-attention, which have no weights, are even.
        number = 2 * index + 1
        weights = [state.get(f"{number}.to_{kind}_ip.weight", torch.empty(0)) for kind in ("k", "v")]
        wanted = unet.get_submodule(name).to_k.weight.shape
        misfit = next((weight for weight in weights if weight.shape != wanted), None)
        if misfit is not None:
            raise ExportError(
                f"--ip-adapter {place}: this IP-Adapter is for another base: layer {name} needs weights of "
                f"{_size(wanted)}, it has {_size(misfit.shape)}; use one made for this model"
            )
        layers.append(ImageKeys(*weights, dtype))
    return tuple(layers)


def _check_encoder(place: str, projection: Mapping[str, torch.Tensor], config: Any, takes_states: bool) -> None:
    """Raise ExportError unless the projection takes what the encoder gives."""
    name = next(name for name in ("proj.weight", "proj.0.weight", "proj_in.weight") if name in projection)
    wanted = int(projection[name].shape[1])
    found = config.hidden_size if takes_states else config.projection_dim
    if found != wanted:
        raise ExportError(
            f"--ip-adapter {place}: expects {wanted} values from its image encoder, which gives {found}; "
            f"name the encoder that it was trained with: --image-encoder FOLDER|ID"
        )


def _normalisation(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of the encoder's pixels; CLIP's, unless the folder has others."""
    path = folder / "preprocessor_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return tuple(config.get("image_mean", OPENAI_CLIP_MEAN)), tuple(config.get("image_std", OPENAI_CLIP_STD))


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _linear(weight: torch.Tensor, dtype: torch.dtype) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    return layer
