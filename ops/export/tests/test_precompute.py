"""U-Nets that take what depends on the prompt or the timestep alone, compared with torch as diffusers calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from models import ARCHITECTURES, save_model
from millrace_export.cli import main
from running import Tensors, assert_close, export_model, run, session, torch_unet, unet_inputs
from steering_models import save_controlnet, save_ip_adapter

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
        return torch.from_numpy(run(self.folder / part, _taken(self.folder / part, values))[0])

    def predict(self, inputs: Tensors) -> torch.Tensor:
        keys, time = self.run("unet_keys", inputs), self.run("unet_time", inputs)
        return self.run("unet", {"sample": inputs["sample"], "prompt_keys": keys, "time_features": time})


@pytest.fixture(
    scope="module",
    params=[(a, "fp32") for a in ARCHITECTURES] + [("sd-turbo", "fp16"), ("sdxl-turbo", "fp16")],
    ids="-".join,
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


def _taken(part: Path, values: Tensors) -> Tensors:
    return {item.name: values[item.name] for item in session(part).get_inputs()}


def _steering_of(part: Path, axes: dict[str, int]) -> Tensors:
    """Return random values for the inputs of the steering."""
    random = torch.Generator().manual_seed(7)
    items = [item for item in session(part).get_inputs() if item.name.startswith(("image_", "ip_", "bank_"))]
    return {item.name: torch.rand([axes.get(axis, axis) for axis in item.shape], generator=random) for item in items}


def test_steered_unet(tmp_path: Path) -> None:
    """The check of the export compares it with the plain U-Net too, where all scales are 0."""
    model = save_model("sd-1.5", tmp_path / "model")
    unet = DiffusionPipeline.from_pretrained(model).unet
    adapter = save_ip_adapter(unet, tmp_path / "ip-adapter")
    options = ["--ip-adapter", str(adapter), "--attention-bank", "mid_block"]
    ahead = export_model(model, tmp_path / "ahead", "--precompute", *options) / "unet_steered"
    plain = export_model(model, tmp_path / "plain", *options) / "unet_steered"
    inputs = unet_inputs(unet, 3, 16, 16, 77) | _steering_of(plain, {"batch": 3, "slots": 2, "positions_8": 4})
    for part, name in {"unet_keys": "prompt_keys", "unet_time": "time_features"}.items():
        inputs[name] = torch.from_numpy(run(ahead.parent / part, _taken(ahead.parent / part, inputs))[0])
    names = [item.name for item in session(ahead).get_inputs()]
    assert names[:3] == ["sample", "prompt_keys", "time_features"] and "image_tokens" in names
    for found, wanted in zip(run(ahead, _taken(ahead, inputs)), run(plain, _taken(plain, inputs)), strict=True):
        assert_close(found, wanted, ALLOWED["fp32"])


def test_controlnets_still_take_prompts_and_timesteps(tmp_path: Path) -> None:
    model = save_model("sd-1.5", tmp_path / "model")
    net = save_controlnet(DiffusionPipeline.from_pretrained(model).unet, tmp_path / "net", 31)
    folder = export_model(model, tmp_path / "exported", "--precompute", "--controlnet", f"canny={net}")
    names = {item.name for item in session(folder / "unet_steered").get_inputs()}
    assert {"timestep", "encoder_hidden_states", "prompt_keys", "time_features"} <= names


def test_unet_that_normalises_prompts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("sd-1.5", tmp_path / "model")
    other = {"mid_block_type": "UNetMidBlock2DSimpleCrossAttn", "cross_attention_norm": "layer_norm"}
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    UNet2DConditionModel.from_config({**unet.config, **other}).save_pretrained(model / "unet")
    assert main([str(model), "-o", str(tmp_path / "exported"), "--precompute"]) == 1
    assert "normalises prompts" in capsys.readouterr().err
