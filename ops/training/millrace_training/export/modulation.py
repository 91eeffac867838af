"""Fewer passes over the pictures inside the exported U-Net, with the same results up to rounding.

In a residual block, the timestep's embedding scales and shifts what the second GroupNorm
has scaled and shifted by its own weights: four passes over the picture. `fold_modulation`
multiplies those weights into the layer that makes the embedding, so that two passes are
left, and one product for all blocks gives the scales and shifts of all. Its operations on
weights are folded when ONNX Runtime loads the graph; the stored weights stay those of the
safetensors file.

In 8 bits, `measure_bytes` takes the shape of a picture from its bytes: its floats would be
made only for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

_PREFIX = "modulation"


class _Block(NamedTuple):
    """Where a residual block is modulated: ((x * weight + bias) * scale + shift)."""

    x: str
    weight: str
    bias: str
    channels: int
    layer: NodeProto
    times: NodeProto
    plus: NodeProto


class _Graph:
    """A graph's nodes by what they give and take."""

    def __init__(self, graph: GraphProto):
        self.proto = graph
        self.makers = {name: node for node in graph.node for name in node.output}
        self.sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}

    def maker(self, name: str, kind: str) -> NodeProto | None:
        """Return the node that makes `name`, if it is of this kind."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def user(self, name: str, kind: str) -> NodeProto | None:
        """Return the only node that takes `name`, if it is of this kind."""
        users = [node for node in self.proto.node if name in node.input]
        return users[0] if len(users) == 1 and users[0].op_type == kind else None


def fold_modulation(path: Path) -> int:
    """Rewrite the graph of a U-Net. Return the number of blocks that were folded."""
    model = onnx.load(path, load_external_data=False)
    graph = _Graph(model.graph)
    blocks = [block for node in model.graph.node if node.op_type == "Mul" and (block := _block_of(graph, node))]
    if not blocks:
        return 0
    embedding = blocks[0].layer.input[0]
    if any(block.layer.input[0] != embedding for block in blocks):
        raise ValueError("the blocks have different embeddings")
    nodes, initializers = _joined_layer(blocks, embedding)
    for i, block in enumerate(blocks):
        block.times.input[:] = [block.x, f"{_PREFIX}_scale_{i}"]
        block.plus.input[1] = f"{_PREFIX}_shift_{i}"
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)
    _tidy(model.graph)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    return len(blocks)


def measure_bytes(path: Path) -> int:
    """Rewrite an 8-bit graph. Return the number of shapes that no longer need floats."""
    model = onnx.load(path, load_external_data=False)
    graph = _Graph(model.graph)
    count = 0
    for node in model.graph.node:
        floats = graph.maker(node.input[0], "DequantizeLinear") if node.op_type == "Shape" else None
        if floats is not None:
            node.input[0] = floats.input[0]
            count += 1
    if count:
        path.write_bytes(model.SerializeToString())
        onnx.checker.check_model(str(path))
    return count


def _block_of(graph: _Graph, times: NodeProto) -> _Block | None:
    """Return the block that `times` scales by one more than half of a layer's output; None if it is another product."""
    biased, scale, plus = graph.maker(times.input[0], "Add"), graph.maker(times.input[1], "Add"), graph.user(times.output[0], "Add")
    if biased is None or scale is None or plus is None:
        return None
    weighted = graph.maker(biased.input[0], "Mul")
    halves = graph.maker(scale.input[0], "Slice"), graph.maker(plus.input[1], "Slice")
    if weighted is None or halves[0] is None or halves[1] is None or halves[0].input[0] != halves[1].input[0]:
        return None
    size = graph.sizes.get(weighted.input[1], ())
    outer = graph.maker(halves[0].input[0], "Unsqueeze")
    inner = outer and graph.maker(outer.input[0], "Unsqueeze")
    layer = inner and graph.maker(inner.input[0], "Gemm")
    if layer is None or len(size) != 3 or graph.sizes.get(biased.input[1]) != size:
        return None
    return _Block(weighted.input[0], weighted.input[1], biased.input[1], size[0], layer, times, plus)


def _joined_layer(blocks: list[_Block], embedding: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return nodes, and their constants, that make the scales and shifts of all blocks from the embedding."""
    nodes: list[NodeProto] = []

    def add(kind: str, inputs: list[str], outputs: str | list[str], **attributes: object) -> str:
        names = [outputs] if isinstance(outputs, str) else outputs
        named = [f"{_PREFIX}_{name}" for name in names]
        nodes.append(helper.make_node(kind, inputs, named, name=named[0], **attributes))
        return named[0]

    def halve(name: str, what: str, i: int) -> list[str]:
        add("Split", [name], [f"{what}_scale_{i}", f"{what}_shift_{i}"], axis=0)
        return list(nodes[-1].output)

    weights, biases, parts = [], [], []
    for i, block in enumerate(blocks):
        column = add("Reshape", [block.weight, f"{_PREFIX}_column"], f"weight_{i}")
        shift = add("Reshape", [block.bias, f"{_PREFIX}_column"], f"bias_{i}")
        flat = [add("Reshape", [name, f"{_PREFIX}_flat"], f"{what}_flat_{i}") for name, what in ((column, "weight"), (shift, "bias"))]
        # weight * (1 + scale), and bias * (1 + scale) + shift
        w_scale, w_shift = halve(block.layer.input[1], "w", i)
        b_scale, b_shift = halve(block.layer.input[2], "b", i)
        one = add("Add", [b_scale, f"{_PREFIX}_one"], f"b_one_{i}")
        weights.append(add("Mul", [column, w_scale], f"w_first_{i}"))
        weights.append(add("Add", [add("Mul", [shift, w_scale], f"w_second_part_{i}"), w_shift], f"w_second_{i}"))
        biases.append(add("Mul", [flat[0], one], f"b_first_{i}"))
        biases.append(add("Add", [add("Mul", [flat[1], one], f"b_second_part_{i}"), b_shift], f"b_second_{i}"))
        parts += [f"scale_{i}", f"shift_{i}"]
    weight = add("Concat", weights, "all_weights", axis=0)
    bias = add("Concat", biases, "all_biases", axis=0)
    made = add("Gemm", [embedding, weight, bias], "all", transB=1)
    add("Split", [add("Reshape", [made, f"{_PREFIX}_shape"], "all_channels"), f"{_PREFIX}_sizes"], parts, axis=1)
    sizes = [size for block in blocks for size in (block.channels, block.channels)]
    constants = {
        "column": np.array([-1, 1]),
        "flat": np.array([-1]),
        "one": np.array(1, np.float32),
        "shape": np.array([-1, sum(sizes), 1, 1]),
        "sizes": np.array(sizes),
    }
    return nodes, [numpy_helper.from_array(value, f"{_PREFIX}_{name}") for name, value in constants.items()]


def _tidy(graph: GraphProto) -> None:
    """Remove nodes and constants that nothing uses, and put the nodes in an order in which they can run."""
    nodes = list(graph.node)
    while True:
        used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
        kept = [node for node in nodes if any(name in used for name in node.output)]
        if len(kept) == len(nodes):
            break
        nodes = kept
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    known = {"", *(tensor.name for tensor in constants), *(value.name for value in graph.input)}
    ordered: list[NodeProto] = []
    while nodes:
        waiting = []
        for node in nodes:
            if known.issuperset(node.input):
                known.update(node.output)
                ordered.append(node)
            else:
                waiting.append(node)
        if len(waiting) == len(nodes):
            raise ValueError("the graph has a cycle")
        nodes = waiting
    del graph.node[:], graph.initializer[:]
    graph.node.extend(ordered)
    graph.initializer.extend(constants)
