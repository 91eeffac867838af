"""Fusing the attention of exports that somebody else made."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from diffusers import DiffusionPipeline
from millrace_export.cli import main
from millrace_export.fuse import fuse_attention
from models import save_model
from onnx import TensorProto, helper
from running import assert_close, export_model, run, torch_unet, unet_inputs
from test_attention import operators_of

LAYOUTS = Path(__file__).parents[3] / "test/fixtures/layouts"
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def counts(part: Path) -> tuple[int, int]:
    """Return how many attentions are fused, and how many are plain."""
    found = operators_of(part)
    return found.count("MultiHeadAttention"), found.count("Softmax")


def test_equals_torch(tmp_path: Path) -> None:
    model = save_model("sd-turbo", tmp_path / "model")
    plain = export_model(model, tmp_path / "plain", "--attention", "plain")
    assert main(["optimize", str(plain), "-o", str(tmp_path / "fused")]) == 0
    unet = DiffusionPipeline.from_pretrained(model).unet
    assert counts(tmp_path / "fused/unet") == (len(unet.attn_processors), 0)
    assert counts(tmp_path / "fused/vae_decoder") == (1, 0)
    inputs = unet_inputs(unet, 3, 16, 24, 154)
    assert_close(run(tmp_path / "fused/unet", inputs)[0], torch_unet(unet, inputs), 1e-4)


@pytest.mark.parametrize("layout", ["optimum", "optimum-onnx", "lcm", "sdxl"])
def test_exports_of_others(tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command compares each graph with what it was."""
    _, plain = counts(LAYOUTS / layout / "unet")
    assert main(["optimize", str(LAYOUTS / layout), "-o", str(tmp_path / "fused")]) == 0
    assert counts(tmp_path / "fused/unet") == (plain, 0)
    assert "unet" in capsys.readouterr().out
    others = {file.relative_to(LAYOUTS / layout) for file in (LAYOUTS / layout).rglob("*")}
    assert {file.relative_to(tmp_path / "fused") for file in (tmp_path / "fused").rglob("*")} == others


def test_replaces_a_folder_by_itself(tmp_path: Path) -> None:
    model = Path(shutil.copytree(LAYOUTS / "lcm", tmp_path / "model"))
    assert main(["optimize", str(model), "-o", str(model)]) == 1
    assert main(["optimize", str(model), "-o", str(model), "--force"]) == 0
    assert counts(model / "unet")[1] == 0


def attention(before: int | None, after: int | None, values: int, *, rank: int = 4) -> onnx.ModelProto:
    """Return attention in plain operators whose scores are of another type than the values, or not."""
    shape = [2, 3, 8, 4] if rank == 4 else [6, 8, 4]
    scores = HALF if before is not None else (values if after is None else FLOAT)
    turned = [*shape[:-2], shape[-1], shape[-2]]
    nodes = [helper.make_node("Identity", ["q"], ["query"]), helper.make_node("MatMul", ["query", "k"], ["scores"])]
    last = "scores"
    for operator, name, to in (("Cast", "wide", before), ("Softmax", "shares", None), ("Cast", "narrow", after)):
        if operator == "Softmax" or to is not None:
            nodes.append(helper.make_node(operator, [last], [name], **({} if to is None else {"to": to})))
            last = name
    nodes.append(helper.make_node("MatMul", [last, "v"], ["out"]))
    inputs = [
        helper.make_tensor_value_info(name, kind, size)
        for name, kind, size in (("q", scores, shape), ("k", scores, turned), ("v", values, shape))
    ]
    outputs = [helper.make_tensor_value_info("out", values, shape)]
    graph = helper.make_graph(nodes, "attention", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def result(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(2)
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
    feeds = {item.name: random.standard_normal(item.shape).astype(types[item.type]) for item in session.get_inputs()}
    return session.run(None, feeds)[0].astype(np.float32)


@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize(
    ("before", "after", "values"),
    [(None, None, FLOAT), (FLOAT, HALF, HALF), (None, HALF, HALF), (FLOAT, None, FLOAT)],
    ids=["float32", "wide softmax", "wide scores", "wide values"],
)
def test_types_of_the_scores(before: int | None, after: int | None, values: int, rank: int) -> None:
    model = attention(before, after, values, rank=rank)
    wanted = result(model)
    assert fuse_attention(model) == (1, 0)
    assert_close(result(model), wanted, 1e-5 if values == FLOAT and before is None else 5e-3)


def test_masked_attention_stays(tmp_path: Path) -> None:
    model = attention(None, None, FLOAT)
    graph = model.graph
    graph.node[2].input[0] = "masked"
    graph.node.insert(2, helper.make_node("Add", ["scores", "scores"], ["masked"]))
    assert fuse_attention(model) == (0, 1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda model: (model / "model_index.json").unlink(), "has no model_index.json"),
        (lambda model: (model / "unet/model.onnx").write_bytes(b"no graph"), "is not an ONNX graph"),
        (lambda model: main(["optimize", str(model), "-o", str(model), "--force"]), "nothing to fuse"),
    ],
)
def test_refused(tmp_path: Path, change, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = Path(shutil.copytree(LAYOUTS / "lcm", tmp_path / "model"))
    change(model)
    capsys.readouterr()
    assert main(["optimize", str(model), "-o", str(tmp_path / "fused")]) == 1
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "fused").exists()


def test_output_inside_the_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(LAYOUTS / "lcm"), "-o", str(LAYOUTS / "lcm/fused")]) == 1
    assert "is inside the model" in capsys.readouterr().err
