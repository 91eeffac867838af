"""Attention as one operator, or in plain ones."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from diffusers import DiffusionPipeline
from models import save_model
from running import assert_close, export_model, run, torch_unet, unet_inputs


def operators(graph: onnx.GraphProto) -> list[str]:
    """Return the names of all operators, also of those in branches."""
    return [
        name
        for node in graph.node
        for name in (
            node.op_type,
            *(inner for attribute in node.attribute if attribute.HasField("g") for inner in operators(attribute.g)),
        )
    ]


def operators_of(part: Path) -> list[str]:
    return operators(onnx.load(part / "model.onnx", load_external_data=False).graph)


@pytest.mark.parametrize("kind", ["fused", "plain"])
def test_each_attention_has_the_wanted_form(tmp_path: Path, kind: str) -> None:
    model = save_model("sd-turbo", tmp_path / "model")
    exported = export_model(model, tmp_path / "exported", "--attention", kind)
    unet = DiffusionPipeline.from_pretrained(model).unet
    layers = len(unet.attn_processors)
    found = operators_of(exported / "unet")
    assert (found.count("MultiHeadAttention"), found.count("Softmax")) == ((layers, 0) if kind == "fused" else (0, layers))
    # Each half of the VAE has one attention layer.
    for part in ("vae_encoder", "vae_decoder"):
        assert operators_of(exported / part).count("MultiHeadAttention") == (1 if kind == "fused" else 0)
    inputs = unet_inputs(unet, 2, 16, 24, 154)
    assert_close(run(exported / "unet", inputs)[0], torch_unet(unet, inputs), 1e-4)
