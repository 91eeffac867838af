"""Traces a network to an ONNX graph, and writes the graph with its weights."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from .attention import FUSED_DOMAIN, traced_attention
from .branches import skip_at_zero
from .errors import ExportError
from .parts import Part

OPSET = 17
# A protobuf message is limited to 2 GiB. Weights in it are copied several times when it is read.
EMBEDDED_BYTES = 1_000_000_000
# Smaller tensors are stored unchanged and in the graph: a Cast or external data would not pay off.
_SMALL_ELEMENTS = 1024
# Alignment in the external file, so that data can be mapped into memory.
_ALIGNMENT = 4096
_PREFIX = "network."
_TYPES = {torch.float32: TensorProto.FLOAT, torch.float16: TensorProto.FLOAT16, torch.int64: TensorProto.INT64}


def write_graph(
    part: Part,
    path: Path,
    *,
    half_weights: bool = False,
    embedded_bytes: int = EMBEDDED_BYTES,
    fused_attention: bool = True,
) -> int:
    """Write model.onnx, and beside it model.onnx_data if the weights are larger than `embedded_bytes`.

    half_weights: store weights as float16 with a Cast, which runtimes fold when they load the graph: half the
    file size, the same computation.
    Returns the number of bytes written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    model = _trace(part, fused_attention)
    weights = _take_weights(model, part, half_weights)
    data = path.with_name(f"{path.name}_data")
    if sum(_size(proto) for proto, _ in weights) > embedded_bytes:
        with data.open("wb") as file:
            for proto, tensor in weights:
                if tensor.numel() < _SMALL_ELEMENTS:
                    proto.raw_data = _content(proto, tensor)
                else:
                    file.seek(-file.tell() % _ALIGNMENT, io.SEEK_CUR)
                    _point_to(proto, data.name, file.tell())
                    file.write(_content(proto, tensor))
    else:
        for proto, tensor in weights:
            proto.raw_data = _content(proto, tensor)
    model.graph.initializer.extend(proto for proto, _ in weights)
    for scale in part.switches:
        skip_at_zero(model.graph, scale)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    return sum(file.stat().st_size for file in (path, data) if file.exists())


@torch.no_grad()
def round_weights(part: Part) -> None:
    """Round weights to float16, so that the network equals its graph.

    Raises ExportError if a weight is too large.
    """
    for name, weight in part.network.named_parameters():
        if weight.numel() >= _SMALL_ELEMENTS:
            weight.copy_(weight.half())
            if not weight.isfinite().all():
                raise ExportError(
                    f"{part.name}: {name.removeprefix(_PREFIX)} has values too large for float16; export without float16"
                )


def _trace(part: Part, fused_attention: bool) -> onnx.ModelProto:
    """Return the graph without weights. They are inputs, with their names in the network.

    This avoids the exporter's copies of the weights and its own way of splitting large files.
    """
    values = part.draw(part.trace_lengths, torch.Generator().manual_seed(0))
    file = io.BytesIO()
    with (
        warnings.catch_warnings(),
        torch.no_grad(),
        traced_attention(fused_attention, part.upcast_attention and part.dtype == torch.float16),
    ):
        # The tracer warns about every number that it treats as a constant.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.network,
            tuple(values.values()),
            file,
            input_names=list(values),
            output_names=list(part.outputs),
            dynamic_axes=part.dynamic_axes,
            opset_version=OPSET,
            custom_opsets={FUSED_DOMAIN: 1},
            dynamo=False,
            export_params=False,
            do_constant_folding=False,
        )
    model = onnx.load_from_string(file.getvalue())
    model.producer_name, model.producer_version = "millrace-export", ""
    return model


def _take_weights(model: onnx.ModelProto, part: Part, half: bool) -> list[tuple[TensorProto, torch.Tensor]]:
    """Remove the weight inputs of the graph. Returns initializers without data for them, each with its tensor."""
    graph = model.graph
    named = dict(part.network.named_parameters()) | dict(part.network.named_buffers())
    wanted = [item.name for item in graph.input if item.name in named]
    given = [item for item in graph.input if item.name not in named]
    del graph.input[:]
    graph.input.extend(given)
    nodes = list(graph.node)
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)
    weights = []
    renamed: dict[str, str] = {}
    casts, dropped = [], set()
    for name in wanted:
        tensor = named[name].detach()
        stored = final = name.removeprefix(_PREFIX)
        result = name
        # A linear layer multiplies with the transpose of its weight: store the transpose.
        if len(users[name]) == 1 and users[name][0].op_type == "Transpose":
            transpose = users[name][0]
            dropped.add(transpose.output[0])
            result = transpose.output[0]
            tensor = tensor.permute(*next(a.ints for a in transpose.attribute if a.name == "perm"))
            stored = final = f"{stored}.transposed"
        stored_type = _TYPES[tensor.dtype]
        if half and tensor.dtype == torch.float32 and tensor.numel() >= _SMALL_ELEMENTS:
            stored_type = TensorProto.FLOAT16
            final = f"{stored}.float"
            casts.append(helper.make_node("Cast", [stored], [final], to=TensorProto.FLOAT, name=f"cast.{stored}"))
        renamed[result] = final
        weights.append((TensorProto(name=stored, data_type=stored_type, dims=tensor.shape), tensor))
    kept = [node for node in nodes if not dropped.intersection(node.output)]
    for node in kept:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
    del graph.node[:]
    graph.node.extend([*casts, *kept])
    return weights


def _size(proto: TensorProto) -> int:
    return math.prod(proto.dims) * _dtype(proto).itemsize


def _dtype(proto: TensorProto) -> np.dtype:
    return helper.tensor_dtype_to_np_dtype(proto.data_type)


def _content(proto: TensorProto, tensor: torch.Tensor) -> bytes:
    """Return a copy in the stored type and order. It is made when it is written, so only one exists at a time."""
    return tensor.numpy().astype(_dtype(proto)).tobytes()


def _point_to(proto: TensorProto, location: str, offset: int) -> None:
    proto.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", _size(proto))):
        proto.external_data.add(key=key, value=str(value))
