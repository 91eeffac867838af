"""Fuses the attention of a model that somebody else exported, and compares each graph with what it was."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from .check import TOLERANCES, Arrays, Case, compare
from .errors import ExportError, first_line
from .export import Row
from .fuse import fuse_attention
from .staging import require_space, staged_folder

# The parts with pictures, whose scores are large, by the field of their configuration for the channels of their input.
_CHANNELS = {"unet": "in_channels", "vae_encoder": "in_channels", "vae_decoder": "latent_channels"}
_ROWS, _TOKENS, _LATENT_SIDE, _PIXEL_SIDE = 2, 77, 16, 64
_TYPES = {
    "tensor(uint8)": np.uint8,
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


def optimize(
    model: Path, target: Path, replace: bool, progress: Callable[[str], None] = lambda line: None
) -> list[Row]:
    """Write a copy of a model folder with fused attention. Raises ExportError, and then leaves no folder."""
    model, target = model.expanduser().absolute(), target.expanduser().absolute()
    if not (model / "model_index.json").is_file():
        raise ExportError(f"{model}: has no model_index.json; name the folder of an exported model")
    if model in target.parents:
        raise ExportError(f"{target}: is inside the model; choose another folder with -o")
    with staged_folder(target, replace) as folder:
        require_space(folder, sum(file.stat().st_size for file in model.rglob("*") if file.is_file()))
        shutil.copytree(model, folder, dirs_exist_ok=True)
        rows = [row for part in _CHANNELS for row in _optimize_part(model, folder, part, progress)]
        if not rows:
            raise ExportError(f"{model}: nothing to fuse; its attention is fused already, or in an unknown form")
        return rows


def _optimize_part(model: Path, folder: Path, part: str, progress: Callable[[str], None]) -> list[Row]:
    """Fuse one graph. Returns nothing if it has no attention to fuse."""
    start = time.monotonic()
    before = _graph_of(model / part)
    if before is None:
        return []
    path = folder / part / before.name
    try:
        graph = onnx.load(before, load_external_data=False)
    except Exception as error:  # of protobuf
        raise ExportError(f"{before}: is not an ONNX graph: {first_line(error)}") from error
    fused, left = fuse_attention(graph)
    if left:
        progress(f"{part}: {left} attention layers stay as they are, in an unknown form")
    if fused == 0:
        return []
    progress(f"{part}: {fused} attention layers fused; comparing")
    path.write_bytes(graph.SerializeToString())
    onnx.checker.check_model(str(path))
    case, half = _run(before, _channels(model, part), _PIXEL_SIDE if part == "vae_encoder" else _LATENT_SIDE)
    difference = compare(path, [case])
    tolerance = TOLERANCES[torch.float16 if half else torch.float32]
    if not difference.relative <= tolerance:
        raise ExportError(
            f"{part}: the fused graph differs by {difference.absolute:.2g} "
            f"({difference.relative:.2g} of the largest value; at most {tolerance:g} is allowed)"
        )
    kind = "float16" if half else "float32"
    return [Row(part, kind, path.stat().st_size, difference, tolerance, time.monotonic() - start)]


def _graph_of(folder: Path) -> Path | None:
    """Return model.onnx of a folder, or its only graph."""
    graphs = sorted(folder.glob("*.onnx"))
    named = [graph for graph in graphs if graph.name == "model.onnx"]
    if named or len(graphs) == 1:
        return (named or graphs)[0]
    return None


def _channels(model: Path, part: str) -> int:
    for config in (model / part / "config.json", model / "vae/config.json"):
        if config.is_file():
            found = json.loads(config.read_text()).get(_CHANNELS[part])
            if isinstance(found, int):
                return found
    return 3 if part == "vae_encoder" else 4


def _run(path: Path, channels: int, side: int) -> tuple[Case, bool]:
    """Return random inputs with the outputs of a graph for them, and whether it computes in float16."""
    random = np.random.default_rng(1)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        # The sample first: inputs with the same free dimension have the same length.
        inputs = sorted(session.get_inputs(), key=lambda item: -len(item.shape))
        sample = (_ROWS, channels, side, side)
        picture = (_ROWS, side, side, 3)
        lengths: dict[str, int] = {}
        values: Arrays = {}
        for item in inputs:
            in_bytes = item.type == "tensor(uint8)"
            usual_shapes = ((), (1,), (_ROWS, 1), (_ROWS, _TOKENS, 1), picture if in_bytes else sample)
            usual = usual_shapes[len(item.shape)]
            shape = [
                size if isinstance(size, int) else lengths.setdefault(size or f"{item.name}.{axis}", usual[axis])
                for axis, size in enumerate(item.shape)
            ]
            if in_bytes:
                drawn = random.integers(0, 256, shape)
            else:
                drawn = np.full(shape, 500.0) if item.name == "timestep" else random.standard_normal(shape)
            values[item.name] = drawn.astype(_TYPES[item.type])
        names = [item.name for item in session.get_outputs()]
        outputs = [
            output if output.dtype == np.uint8 else output.astype(np.float32) for output in session.run(names, values)
        ]
        half = any(item.type == "tensor(float16)" for item in (*inputs, *session.get_outputs()))
    except Exception as error:  # of a class that onnxruntime does not export
        raise ExportError(f"{path.parent.name}: the graph fails to run: {first_line(error)}") from error
    return Case(values, dict(zip(names, outputs, strict=True))), half
