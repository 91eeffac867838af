"""Loads a model from a diffusers folder, a hub repository, or a single checkpoint file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DiffusionPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from torch import nn

from .bases import BASES, base_of, write_base
from .errors import ExportError, first_line
from .lora import Lora, fuse

_PIPELINES = {
    "StableDiffusionPipeline",
    "StableDiffusionImg2ImgPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusionXLImg2ImgPipeline",
    "LatentConsistencyModelPipeline",
    "LatentConsistencyModelImg2ImgPipeline",
}
# Parts that pipelines would download and the export does not need.
_UNUSED = ("safety_checker", "feature_extractor", "image_encoder")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TINY_VAES = {False: "madebyollin/taesd", True: "madebyollin/taesdxl"}


@dataclass
class Model:
    """The loaded parts of a model."""

    name: str
    pipeline: str
    unet: nn.Module
    vae: nn.Module
    scheduler: Any
    tokenizer: Any
    text_encoder: nn.Module
    tokenizer_2: Any = None
    text_encoder_2: nn.Module | None = None

    def take(self, name: str) -> nn.Module:
        """Return a network and remove it from the model."""
        network = getattr(self, name)
        setattr(self, name, None)
        return network

    @property
    def is_xl(self) -> bool:
        return self.tokenizer_2 is not None


@dataclass(frozen=True)
class Source:
    """The model to load, from the command line."""

    model: str
    # One of BASES, or a diffusers folder; only for single files.
    base: str | None = None
    # A diffusers folder or hub id of a VAE, or "taesd"; the model's own if None.
    vae: str | None = None
    loras: Sequence[Lora] = ()
    revision: str | None = None
    variant: str | None = None


def quiet() -> None:
    """Turn off warnings and progress bars of the libraries."""
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def load(source: Source, dtype: torch.dtype) -> Model:
    """Load a model, replace its VAE and fuse LoRAs. Raises ExportError."""
    quiet()
    # LoRAs are added in full precision.
    loaded_as = torch.float32 if source.loras else dtype
    path = Path(source.model).expanduser()
    if path.is_file():
        pipe = _from_file(path, source, loaded_as)
    else:
        pipe = _from_folder(path, source, loaded_as)
    for lora in source.loras:
        fuse(pipe, lora)
    if source.vae is not None:
        pipe.register_modules(vae=_load_vae(source.vae, hasattr(pipe, "tokenizer_2"), loaded_as))
    model = Model(
        name=path.stem if path.is_file() else path.resolve().name if path.is_dir() else source.model,
        pipeline=type(pipe).__name__,
        **{name: getattr(pipe, name) for name in ("unet", "vae", "scheduler", "tokenizer", "text_encoder")},
        **{name: getattr(pipe, name, None) for name in ("tokenizer_2", "text_encoder_2")},
    )
    _check(model)
    return model


def _from_folder(path: Path, source: Source, dtype: torch.dtype) -> DiffusionPipeline:
    if source.base is not None:
        raise ExportError("--base is for single checkpoint files; a folder has its own configurations")
    is_folder = path.is_dir()
    if is_folder and not (path / "model_index.json").is_file():
        raise ExportError(f"{path}: no model_index.json in it; use a model folder in the diffusers layout")
    if not is_folder and not HUB_ID.fullmatch(source.model):
        raise ExportError(f"{source.model}: no such file or folder, and not a hub id (owner/name)")
    place = str(path) if is_folder else source.model
    with explained(f"{place}: cannot be loaded"):
        index = DiffusionPipeline.load_config(place, revision=source.revision)
        kind = index.get("_class_name")
        if kind not in _PIPELINES:
            raise ExportError(f"{place}: a {kind}; only {', '.join(sorted(_PIPELINES))} can be exported")
        unused = {name: None for name in _UNUSED if name in index}
        return DiffusionPipeline.from_pretrained(
            place, torch_dtype=dtype, revision=source.revision, variant=source.variant, **unused
        )


def _from_file(path: Path, source: Source, dtype: torch.dtype) -> DiffusionPipeline:
    if path.suffix != ".safetensors":
        raise ExportError(
            f"{path}: only .safetensors files are supported (other checkpoints can run code); convert it first"
        )
    given = Path(source.base).expanduser() if source.base is not None else None
    with tempfile.TemporaryDirectory(prefix="millrace-base-") as scratch:
        if given is not None and given.is_dir():
            folder = given
        elif source.base is not None and source.base not in BASES:
            raise ExportError(f"--base {source.base}: neither a folder nor one of {', '.join(BASES)}")
        else:
            folder = Path(scratch)
            write_base(source.base or base_of(path), folder)
        pipeline = StableDiffusionXLPipeline if (folder / "text_encoder_2").is_dir() else StableDiffusionPipeline
        with explained(f"{path}: does not fit its base ({source.base or 'detected from its tensors'})"):
            return pipeline.from_single_file(str(path), config=str(folder), torch_dtype=dtype, local_files_only=True)


@contextmanager
def explained(problem: str) -> Iterator[None]:
    """Turn errors of loaders, which raise many classes, into an ExportError of one line."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"{problem}: {first_line(error)}") from error


def _load_vae(vae: str, is_xl: bool, dtype: torch.dtype) -> nn.Module:
    place = _TINY_VAES[is_xl] if vae == "taesd" else str(Path(vae).expanduser())
    if vae != "taesd" and not Path(place).is_dir():
        if not HUB_ID.fullmatch(vae):
            raise ExportError(f"--vae {vae}: no such folder, and not a hub id (owner/name)")
        place = vae
    subfolder = "vae" if Path(place, "vae/config.json").is_file() else None
    where = {} if subfolder is None else {"subfolder": subfolder}
    with explained(f"--vae {vae}: cannot be loaded"):
        kind = AutoencoderKL.load_config(place, **where).get("_class_name")
        classes = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}
        if kind not in classes:
            raise ExportError(f"--vae {vae}: a {kind}; only {' and '.join(classes)} can be exported")
        return classes[kind].from_pretrained(place, torch_dtype=dtype, **where)


def _check(model: Model) -> None:
    """Raise ExportError unless Millrace can run this text-to-image model, and its parts match."""
    unet, vae = model.unet.config, model.vae.config
    latent_channels = vae["latent_channels"]
    if unet["in_channels"] == 9 and latent_channels == 4:
        raise ExportError(
            f"{model.name}: an inpainting model (9 input channels); only text-to-image models can be exported"
        )
    for field in ("in_channels", "out_channels"):
        if unet[field] != latent_channels:
            raise ExportError(
                f"{model.name}: the U-Net's {field} is {unet[field]}, but the VAE has {latent_channels} latent channels; use parts of one model"
            )
    for field in ("class_embed_type", "encoder_hid_dim_type"):
        if unet[field] is not None:
            raise ExportError(f"{model.name}: a U-Net with {field} {unet[field]}, which Millrace does not support")
    if unet["addition_embed_type"] not in (None, "text", "text_time"):
        raise ExportError(
            f"{model.name}: a U-Net with addition_embed_type {unet['addition_embed_type']}, which Millrace does not support"
        )
    encoders = [encoder for encoder in (model.text_encoder, model.text_encoder_2) if encoder is not None]
    width = sum(encoder.config.hidden_size for encoder in encoders)
    if unet["cross_attention_dim"] != width:
        raise ExportError(
            f"{model.name}: the U-Net's cross_attention_dim is {unet['cross_attention_dim']}, but the text encoder gives {width} values per token; use parts of one model"
        )
