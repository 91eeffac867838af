"""The rewritten graphs against the original ones, on a small block as torch exports it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from millrace_training.export.modulation import fold_modulation, measure_bytes

CHANNELS = (4, 6)
WIDTH = 5


def _block(i: int, x: str, channels: int, draw: np.random.Generator) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray], str]:
    """Return the nodes, constants and output of one block: its halves are cut by sizes that the graph measures."""
    name = "{}_{}".format
    constants = {
        name("layer_w", i): draw.normal(size=(2 * channels, WIDTH)).astype(np.float32),
        name("layer_b", i): draw.normal(size=2 * channels).astype(np.float32),
        name("norm_w", i): draw.normal(size=(channels, 1, 1)).astype(np.float32),
        name("norm_b", i): draw.normal(size=(channels, 1, 1)).astype(np.float32),
    }
    steps = [
        ("Gemm", ["embedding", name("layer_w", i), name("layer_b", i)], "made", {"transB": 1}),
        ("Unsqueeze", ["made", "two"], "made_3", {}),
        ("Unsqueeze", ["made_3", "three"], "made_4", {}),
        ("Shape", ["made_4"], "shape", {}),
        ("Gather", ["shape", "one"], "size", {}),
        ("Div", ["size", "two"], "half", {}),
        ("Mul", ["half", "two"], "whole", {}),
        ("Slice", ["made_4", "zero", "half", "one"], "first", {}),
        ("Slice", ["made_4", "half", "whole", "one"], "second", {}),
        ("Mul", [x, name("norm_w", i)], "weighted", {}),
        ("Add", ["weighted", name("norm_b", i)], "biased", {}),
        ("Add", ["first", "one_float"], "scale", {}),
        ("Mul", ["biased", "scale"], "scaled", {}),
        ("Add", ["scaled", "second"], "out", {}),
    ]
    own = {output for _, _, output, _ in steps}
    nodes = [
        helper.make_node(kind, [name(n, i) if n in own else n for n in inputs], [name(output, i)], **attributes)
        for kind, inputs, output, attributes in steps
    ]
    return nodes, constants, name("out", i)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    inputs: dict[str, list[object]],
    outputs: dict[str, list[object]],
    kind: int = TensorProto.FLOAT,
) -> None:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _kinds(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def _run(path: Path, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed)


def test_fold_modulation(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    constants = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "three": np.array([3]),
        "one_float": np.array(1, np.float32),
    }
    inputs: dict[str, list[object]] = {"embedding": ["rows", WIDTH]}
    outputs: dict[str, list[object]] = {}
    for i, channels in enumerate(CHANNELS):
        more, own, out = _block(i, f"x_{i}", channels, draw)
        inputs[f"x_{i}"] = ["rows", channels, "height", "width"]
        nodes += more
        constants |= own
        outputs[out] = ["rows", channels, "height", "width"]
    path = tmp_path / "model.onnx"
    _save(path, nodes, constants, inputs, outputs)
    feed = {"embedding": draw.normal(size=(3, WIDTH)).astype(np.float32)}
    feed |= {f"x_{i}": draw.normal(size=(3, channels, 7, 2)).astype(np.float32) for i, channels in enumerate(CHANNELS)}
    wanted = _run(path, feed)

    assert fold_modulation(path) == len(CHANNELS)
    for found, expected in zip(_run(path, feed), wanted, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    kinds = _kinds(path)
    assert kinds.count("Gemm") == 1 and "Slice" not in kinds and "Shape" not in kinds
    users = [node for node in onnx.load(path).graph.node if any(name.startswith("x_") for name in node.input)]
    assert [node.op_type for node in users] == ["Mul"] * len(CHANNELS)
    assert fold_modulation(path) == 0


def test_measure_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model_int8.onnx"
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "middle"], ["bytes"]),
        helper.make_node("DequantizeLinear", ["bytes", "step", "middle"], ["floats"]),
        helper.make_node("Shape", ["floats"], ["shape"]),
    ]
    _save(
        path,
        nodes,
        {"step": np.array(0.1, np.float32), "middle": np.array(128, np.uint8)},
        {"x": ["a", "b"]},
        {"shape": [2]},
        TensorProto.INT64,
    )
    assert measure_bytes(path) == 1
    assert list(onnx.load(path).graph.node[-1].input) == ["bytes"]
    np.testing.assert_array_equal(_run(path, {"x": np.zeros((3, 5), np.float32)})[0], [3, 5])
