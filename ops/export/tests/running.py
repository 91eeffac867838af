"""Runs the exporter, the exported graphs, and the same networks in torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import UNet2DConditionModel
from millrace_export.cli import main

Tensors = dict[str, torch.Tensor]


def export_model(model: Path, folder: Path, *options: str) -> Path:
    assert main([str(model), "-o", str(folder), *options]) == 0
    return folder


@lru_cache(maxsize=8)
def session(part: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(part / "model.onnx"), providers=["CPUExecutionProvider"])


def run(part: Path, inputs: Tensors) -> list[np.ndarray]:
    """Run a graph with inputs cast to its types. Returns all outputs as float32."""
    graph = session(part)
    halves = {item.name for item in graph.get_inputs() if item.type == "tensor(float16)"}
    feeds = {name: (value.half() if name in halves else value).numpy() for name, value in inputs.items()}
    return [output.astype(np.float32) for output in graph.run(None, feeds)]


def unet_inputs(unet: UNet2DConditionModel, rows: int, height: int, width: int, tokens: int) -> Tensors:
    """Return random values for all inputs of this U-Net, by their names in the graph."""
    random = torch.Generator().manual_seed(rows)
    config = unet.config
    inputs = {
        "sample": torch.randn(rows, config.in_channels, height, width, generator=random),
        "timestep": torch.randint(0, 1000, (rows,), generator=random),
        "encoder_hidden_states": torch.randn(rows, tokens, config.cross_attention_dim, generator=random),
    }
    if config.addition_embed_type == "text_time":
        width_of_text = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        inputs["text_embeds"] = torch.randn(rows, width_of_text, generator=random)
        inputs["time_ids"] = torch.tensor([[512.0, 512, 0, 0, 512, 512]]).repeat(rows, 1)
    if config.time_cond_proj_dim is not None:
        inputs["timestep_cond"] = torch.randn(rows, config.time_cond_proj_dim, generator=random)
    return inputs


@torch.no_grad()
def torch_unet(unet: UNet2DConditionModel, inputs: Tensors) -> torch.Tensor:
    added = {name: inputs[name] for name in ("text_embeds", "time_ids") if name in inputs}
    return unet(
        inputs["sample"],
        inputs["timestep"],
        inputs["encoder_hidden_states"],
        timestep_cond=inputs.get("timestep_cond"),
        added_cond_kwargs=added or None,
    ).sample


def assert_close(found: np.ndarray, wanted: torch.Tensor | np.ndarray, allowed: float) -> None:
    """Assert equal shapes, and differences of at most `allowed` times the largest value."""
    wanted = np.asarray(wanted)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= allowed * np.abs(wanted).max()


def pictures(rows: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random pictures as a VAE's graph takes them, and as its network does."""
    random = torch.Generator().manual_seed(5)
    given = torch.randint(0, 256, (rows, height, width, 3), generator=random, dtype=torch.uint8)
    return given, given.permute(0, 3, 1, 2).float() / 127.5 - 1


def assert_drawn(found: list[np.ndarray], wanted: torch.Tensor, allowed: float) -> None:
    """Assert that the outputs of a decoder's graph are the rounded levels and the means of these values."""
    levels = (wanted.permute(0, 2, 3, 1) / 2 + 0.5).clamp(0, 1) * 255
    pixels, mean = found
    assert pixels.shape == levels.shape
    assert np.abs(pixels - levels.numpy()).max() <= 0.5 + 127.5 * allowed * float(wanted.abs().max())
    assert np.ptp(pixels) > 1, "the picture is not of one colour"
    assert_close(mean, wanted.mean((2, 3), keepdim=True), allowed)
