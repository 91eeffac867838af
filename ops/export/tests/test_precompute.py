"""U-Nets that take what depends on the prompt or the timestep alone, compared with torch as diffusers calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from models import ARCHITECTURES, save_model
from millrace_export.cli import main
from running import Tensors, assert_close, export_model, run, session, torch_unet, unet_inputs

ALLOWED = {"fp32": 1e-4, "fp16": 2e-2}


class Exported:
    def __init__(self, architecture: str, kind: str, folder: Path):
        options = ["--fp16"] if kind == "fp16" else []
        model = save_model(architecture, folder / "model")
        self.folder = export_model(model, folder / "exported", "--precompute", *options)
        self.unet: UNet2DConditionModel = DiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32).unet
        self.allowed = ALLOWED[kind]

    def run(self, part: str, values: Tensors) -> torch.Tensor:
        """Run a graph with those values that it takes."""
        names = [item.name for item in session(self.folder / part).get_inputs()]
        return torch.from_numpy(run(self.folder / part, {name: values[name] for name in names})[0])

    def predict(self, inputs: Tensors) -> torch.Tensor:
        keys, time = self.run("unet_keys", inputs), self.run("unet_time", inputs)
        return self.run("unet", {"sample": inputs["sample"], "prompt_keys": keys, "time_features": time})


@pytest.fixture(
    scope="module", params=[(a, "fp32") for a in ARCHITECTURES] + [("sd-turbo", "fp16"), ("sdxl-turbo", "fp16")], ids="-".join
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(*request.param, tmp_path_factory.mktemp("-".join(request.param)))


@pytest.mark.parametrize(("rows", "height", "width", "tokens"), [(1, 16, 16, 77), (4, 8, 24, 154)])
def test_equals_the_plain_unet(exported: Exported, rows: int, height: int, width: int, tokens: int) -> None:
    inputs = unet_inputs(exported.unet, rows, height, width, tokens)
    assert_close(exported.predict(inputs).numpy(), torch_unet(exported.unet, inputs), exported.allowed)


def test_unet_takes_nothing_else(exported: Exported) -> None:
    names = [item.name for item in session(exported.folder / "unet").get_inputs()]
    assert names == ["sample", "prompt_keys", "time_features"]


def test_keys_and_values_are_linear_in_the_prompt(exported: Exported) -> None:
    a, b = (torch.randn(1, 77, exported.unet.config.cross_attention_dim) for _ in range(2))
    keys = [exported.run("unet_keys", {"encoder_hidden_states": one}) for one in (a, b, 0.3 * a + 0.7 * b)]
    assert_close(keys[2].numpy(), 0.3 * keys[0] + 0.7 * keys[1], exported.allowed)


def test_steered_unet_takes_prompts_as_before(tmp_path: Path) -> None:
    model = save_model("sd-1.5", tmp_path / "model")
    folder = export_model(model, tmp_path / "exported", "--precompute", "--attention-bank", "mid_block")
    names = [item.name for item in session(folder / "unet_steered").get_inputs()]
    assert names[:3] == ["sample", "timestep", "encoder_hidden_states"]


def test_unet_that_normalises_prompts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("sd-1.5", tmp_path / "model")
    other = {"mid_block_type": "UNetMidBlock2DSimpleCrossAttn", "cross_attention_norm": "layer_norm"}
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    UNet2DConditionModel.from_config({**unet.config, **other}).save_pretrained(model / "unet")
    assert main([str(model), "-o", str(tmp_path / "exported"), "--precompute"]) == 1
    assert "normalises prompts" in capsys.readouterr().err
