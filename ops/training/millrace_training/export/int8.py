"""Exports U-Net and autoencoder with 8-bit convolutions too, for CPUs that compute them fast.

`model_int8.onnx` is beside each `model.onnx`: QDQ (QuantizeLinear and DequantizeLinear
around 8-bit operators), activations uint8, weights int8 with a scale for each channel.
Convolutions that lose too much stay float32: the merged ones and the borders of the
autoencoder, and those of the U-Net that `sensitivity.py` finds.
"""

from __future__ import annotations

import itertools
import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ..evaluate.model import FinishedModel
from ..pictures import psnr, to_tensor
from ..prompts.generator import PromptGenerator
from ..run_folder import RunFolder
from ..styles import STYLES
from ..unet.model import LATENT_SCALE
from .onnx_model import Feed, OnnxModel
from .sensitivity import convolutions_for_int8
from .weights import store_as_float16

VARIANT = "model_int8"
_ROWS = 96  # training pictures for calibration, of every look: the largest values of one that is left out would be clipped
_TIME_INDICES = (22, 26, 30, 34, 38, 41, 45)
# How far the total error of its 8-bit convolutions must stay below the U-Net's outputs: small compared with the distance
# of a style from its filter.
_UNET_DECIBELS = 33.0
_MOST_LOSS = 1.0  # dB that a style may lose
_AUTOENCODER = ["Conv", "Relu", "Add", "Resize", "Concat"]


class _Rows(CalibrationDataReader):
    def __init__(self, rows: list[Feed]):
        self.rows = iter(rows)

    def get_next(self) -> Feed | None:
        return next(self.rows, None)


def remove_int8(folder: Path) -> None:
    """Remove old 8-bit graphs: with other weights beside them they would draw nonsense."""
    for path in folder.glob(f"*/{VARIANT}.onnx"):
        path.unlink()


def write_int8(run: RunFolder, folder: Path, pictures_a_style: int) -> None:
    """Write the graphs and evaluate them on held-out pictures. If a style loses too much, removes them and raises SystemExit."""
    model = OnnxModel(folder)
    crops = np.load(run.crops, mmap_mode="r")
    photos = crops[:: max(1, len(crops) // _ROWS)][:_ROWS]
    rng = random.Random(0)
    generator = PromptGenerator([], misspelt=0.0)
    finished = FinishedModel(folder, torch.device("cpu"))
    turns = itertools.cycle(finished.looks)
    styles = [next(turns) if i % 8 else None for i in range(len(photos))]
    latents = [model.encode(photo) for photo in photos]
    rows = [
        model.row(latent, generator(style, None, rng) if style else "", _TIME_INDICES[i % len(_TIME_INDICES)], seed=i)
        for i, (latent, style) in enumerate(zip(latents, styles))
    ]
    unet = finished.unet.to(memory_format=torch.contiguous_format)
    chosen = {_node_of(name) for name in convolutions_for_int8(unet, rows, _UNET_DECIBELS)}
    _quantise(folder / "unet", rows, ["Conv"], lambda name: name in chosen)

    def inner(name: str) -> bool:
        return not name.startswith(("/merged/", "/pair/"))

    _quantise(folder / "vae_encoder", [{"sample": to_tensor(p[None]).contiguous().numpy()} for p in photos], _AUTOENCODER, inner)
    drawn = [model.predict(row) for row in rows]
    _quantise(folder / "vae_decoder", [{"latent_sample": code / LATENT_SCALE} for code in drawn + latents[::4]], _AUTOENCODER, inner)
    lost = _losses(run, folder, finished.looks, pictures_a_style)
    worst = max(lost, key=lambda name: lost[name])
    print(f"int8: lost on average {np.mean(list(lost.values())):.2f} dB, most in {worst} ({lost[worst]:.2f} dB): {lost}")
    if lost[worst] > _MOST_LOSS:
        remove_int8(folder)
        raise SystemExit(f"in 8 bits the style {worst} loses {lost[worst]} dB, more than {_MOST_LOSS}")


def _node_of(module: str) -> str:
    """up_blocks.0.resnets.1.conv1 -> /module/up_blocks.0/resnets.1/conv1/Conv"""
    return f"/module/{re.sub(r'[.](?=[a-z])', '/', module)}/Conv"


def _quantise(part: Path, rows: list[Feed], operators: list[str], wanted: Callable[[str], bool]) -> None:
    """Write model_int8.onnx beside model.onnx, with `operators` whose node names are `wanted` in 8 bits."""
    source, target = part / "model.onnx", part / f"{VARIANT}.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        nodes = [node.name for node in onnx.load(prepared).graph.node if node.op_type in operators]
        quantize_static(
            str(prepared),
            str(target),
            _Rows(rows),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=operators,
            nodes_to_quantize=[name for name in nodes if wanted(name)],
        )
        weights = next(part.glob("*.safetensors"), None)
        if weights:
            _quantise_at_load(target, prepared)
    store_as_float16(target, weights)


def _quantise_at_load(path: Path, original: Path) -> None:
    """Make ONNX Runtime compute the int8 weights, when it loads the graph, from the stored float ones."""
    model = onnx.load(path)
    graph = model.graph
    floats = {tensor.name: tensor for tensor in onnx.load(original).graph.initializer}
    nodes = []
    for node in graph.node:
        name = node.input[0].removesuffix("_quantized")
        if node.op_type != "DequantizeLinear" or name not in floats or numpy_helper.to_array(floats[name]).ndim < 2:
            continue
        graph.initializer.remove(next(tensor for tensor in graph.initializer if tensor.name == node.input[0]))
        graph.initializer.append(floats[name])
        nodes.append(helper.make_node("QuantizeLinear", [name, *node.input[1:]], [node.input[0]], name=f"{name}_QuantizeLinear", axis=0))
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def _losses(run: RunFolder, folder: Path, looks: tuple[str, ...], pictures: int) -> dict[str, float]:
    """Return the dB that each style loses against its filter, on held-out pictures."""
    stills = np.load(run.held_out)
    lost = {}
    plain, int8 = OnnxModel(folder), OnnxModel(folder, VARIANT)
    for index, name in enumerate(looks):
        photos = stills[[(index + i * 11) % len(stills) for i in range(pictures)]]
        targets = np.stack([STYLES[name](photo) for photo in photos])
        prompts = [PromptGenerator([], misspelt=0.0)(name, None, random.Random(index))] * len(photos)
        in_float, in_8_bits = (float(psnr(targets, model.draw(photos, prompts, 32)).mean()) for model in (plain, int8))
        lost[name] = round(in_float - in_8_bits, 2)
    return lost
