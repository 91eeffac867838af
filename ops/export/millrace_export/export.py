"""Exports a model from its source to a folder for Millrace."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from .check import TOLERANCES, Difference, compare, reference
from .errors import ExportError
from .family import defaults_of, family_of
from .graph import EMBEDDED_BYTES, round_weights, write_graph
from .layout import write_json, write_layout
from .parts import Part, part_names, take_parts
from .precompute import NAMES as PRECOMPUTED
from .precompute import precomputed_parts
from .source import Model, Source, load
from .staging import require_space, staged_folder
from .steering.load import load_steering, pixels_of
from .steering.parts import steering_config, steering_names, steering_parts
from .steering.request import SteeringRequest
from .steering.unet import Steering, steering_networks


@dataclass(frozen=True)
class Options:
    half: bool = False
    half_weights: bool = False
    family: str | None = None
    replace: bool = False
    embedded_bytes: int = EMBEDDED_BYTES
    # Whether the U-Net takes keys and values of the prompt, and what the timestep gives.
    precompute: bool = False
    fused_attention: bool = True

    @property
    def dtype(self) -> torch.dtype:
        return torch.float16 if self.half else torch.float32


@dataclass(frozen=True)
class Row:
    """The result of one part."""

    part: str
    type: str
    bytes: int
    difference: Difference
    tolerance: float
    seconds: float


def export(
    source: Source,
    target: Path,
    options: Options,
    progress: Callable[[str], None] = lambda line: None,
    steered_by: SteeringRequest | None = None,
) -> list[Row]:
    """Write a model folder. Raises ExportError, and then leaves no folder."""
    with staged_folder(target, options.replace) as folder:
        progress(f"loading {source.model}")
        model = load(source, options.dtype)
        steering = None if steered_by is None else load_steering(steered_by, model, options.dtype)
        lora_names = [lora.path.stem for lora in source.loras]
        family = options.family or family_of(model, lora_names)
        description = f"{model.name} with {', '.join(lora_names)}" if lora_names else model.name
        return write_model(model, folder, options, family, description, progress, steering)


def write_model(
    model: Model,
    folder: Path,
    options: Options,
    family: str,
    description: str,
    progress: Callable[[str], None] = lambda line: None,
    steering: Steering | None = None,
) -> list[Row]:
    """Write a loaded model, part by part, which removes the networks from the model."""
    require_space(folder, _bytes_needed(model, options, steering))
    write_layout(model, folder, {"description": description[:1000], "defaults": defaults_of(model, family)})
    unet_names, unet_parts = (PRECOMPUTED, precomputed_parts) if options.precompute else (["unet"], None)
    names = [*(name for name in part_names(model) if name != "unet"), *unet_names]
    parts = take_parts(model, options.half, unet_parts)
    if steering is not None:
        # The U-Net is written twice: rows without steering take the plain graph and pay nothing.
        names += steering_names(steering)
        steered = steering_parts(steering, model.unet, pixels_of(model), options.dtype, options.precompute)
        parts = itertools.chain(parts, steered)
        write_json(folder / "unet_steered/config.json", steering_config(steering))
    return write_parts(names, parts, folder, options, progress)


def write_parts(
    names: Sequence[str],
    parts: Iterator[Part],
    folder: Path,
    options: Options,
    progress: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Write each part and compare it with torch. Raises ExportError if they differ."""
    rows = []
    for number, name in enumerate(names, start=1):
        start = time.monotonic()
        progress(f"{number}/{len(names)} {name}: writing")
        part = next(parts)
        # A part that has to compute in float32 in spite of --fp16 is still stored as float16.
        half_weights = part.dtype == torch.float32 and (options.half_weights or options.half)
        if half_weights:
            round_weights(part)
        path = folder / name / "model.onnx"
        size = write_graph(
            part,
            path,
            half_weights=half_weights,
            embedded_bytes=options.embedded_bytes,
            fused_attention=options.fused_attention,
        )
        progress(f"{number}/{len(names)} {name}: checking {size / 1e6:.0f} MB against torch")
        cases = reference(part)
        kind = "float32, stored as float16" if half_weights else str(part.dtype).removeprefix("torch.")
        tolerance = TOLERANCES[part.dtype]
        # Frees the memory of the network before ONNX Runtime loads it.
        del part
        gc.collect()
        difference = compare(path, cases)
        rows.append(Row(name, kind, size, difference, tolerance, time.monotonic() - start))
        if not difference.relative <= tolerance:
            raise ExportError(
                f"{name}: the exported graph differs from torch by {difference.absolute:.2g} "
                f"({difference.relative:.2g} of the largest value; at most {tolerance:g} is allowed)"
            )
    return rows


def _bytes_needed(model: Model, options: Options, steering: Steering | None) -> int:
    each = 2 if options.half or options.half_weights else 4
    networks = [model.unet, model.vae, model.text_encoder, model.text_encoder_2]
    if steering is not None:
        networks += [model.unet, *steering_networks(steering)]
    weights = sum(weight.numel() for network in networks if network is not None for weight in network.parameters())
    return weights * each + 20_000_000
