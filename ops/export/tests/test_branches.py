"""Parts of a graph that run only if a scale is above 0."""

from __future__ import annotations

from pathlib import Path

from diffusers import DiffusionPipeline
from models import save_model
from running import export_model
from steering_models import save_controlnet


def test_weights_of_branches_beside_the_graph(tmp_path: Path) -> None:
    """As those of large models are stored. The export compares the graph with torch."""
    model = save_model("sd-1.5", tmp_path / "model")
    place = save_controlnet(DiffusionPipeline.from_pretrained(model).unet, tmp_path / "canny", 31)
    options = ("--controlnet", str(place), "--external-data-above", "0", "--weights-fp16")
    exported = export_model(model, tmp_path / "exported", *options)
    assert (exported / "unet_steered/model.onnx_data").stat().st_size > 100_000
