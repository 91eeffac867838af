"""LoRAs fused with weights, compared with diffusers, which applies them unfused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline
from millrace_export.cli import main
from millrace_export.lora import Lora
from models import save_model
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from running import assert_close, export_model, run, torch_unet, unet_inputs
from safetensors.torch import load_file, save_file

TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]


@torch.no_grad()
def make_lora(model: Path, path: Path, seed: int) -> Path:
    """Save a LoRA of the U-Net and the text encoder with random weights."""
    pipe = DiffusionPipeline.from_pretrained(model)
    random = torch.Generator().manual_seed(seed)
    layers = {}
    for name, targets in (("unet", TARGETS), ("text_encoder", ["q_proj", "v_proj"])):
        network = getattr(pipe, name)
        network.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=targets))
        for key, weight in network.named_parameters():
            if "lora_B" in key:
                weight.normal_(0, 0.2, generator=random)
        layers[f"{name}_lora_layers"] = get_peft_model_state_dict(network)
    type(pipe).save_lora_weights(path.parent, weight_name=path.name, **layers)
    return path


def as_kohya(path: Path) -> Path:
    """Save the U-Net's part of a LoRA with the names of kohya's scripts, as most published ones."""
    tensors = {}
    for name, value in load_file(path).items():
        if not name.startswith("unet."):
            continue
        layer, _, kind = name.removeprefix("unet.").partition(".lora_")
        key = f"lora_unet_{layer.replace('.', '_')}"
        tensors[f"{key}.lora_{'down' if kind.startswith('A') else 'up'}.weight"] = value.contiguous()
        tensors[f"{key}.alpha"] = torch.tensor(2.0)
    result = path.with_name(f"kohya-{path.name}")
    save_file(tensors, result)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loras")
    model = save_model("sd-1.5", folder / "model")
    make_lora(model, folder / "one.safetensors", 1)
    make_lora(model, folder / "two.safetensors", 2)
    return folder


def test_loras_are_fused_with_their_weights(folder: Path) -> None:
    files = [folder / "one.safetensors", folder / "two.safetensors"]
    exported = export_model(folder / "model", folder / "exported", "--lora", f"{files[0]}:0.6", "--lora", str(files[1]))
    pipe = DiffusionPipeline.from_pretrained(folder / "model")
    inputs = unet_inputs(pipe.unet, 2, 16, 16, 77)
    ids = torch.randint(0, 2046, (1, 77), generator=torch.Generator().manual_seed(3))
    plain = torch_unet(pipe.unet, inputs)
    for name, file in zip(("one", "two"), files, strict=True):
        pipe.load_lora_weights(file, adapter_name=name)
    pipe.set_adapters(["one", "two"], [0.6, 1.0])
    wanted = torch_unet(pipe.unet, inputs)
    (found,) = run(exported / "unet", inputs)
    assert_close(found, wanted, 1e-4)
    assert (wanted - plain).abs().max() > 0.1 * plain.abs().max()
    with torch.no_grad():
        assert_close(
            run(exported / "text_encoder", {"input_ids": ids})[0], pipe.text_encoder(ids).last_hidden_state, 1e-4
        )
    assert "model with one, two" in (exported / "millrace.json").read_text()


def test_lora_in_the_names_of_kohya(folder: Path) -> None:
    lora = as_kohya(folder / "one.safetensors")
    exported = export_model(folder / "model", folder / "exported-kohya", "--lora", f"{lora}:-0.5", "--fp16")
    pipe = DiffusionPipeline.from_pretrained(folder / "model")
    pipe.load_lora_weights(lora, adapter_name="lora")
    pipe.set_adapters(["lora"], [-0.5])
    inputs = unet_inputs(pipe.unet, 2, 16, 16, 77)
    assert_close(run(exported / "unet", inputs)[0], torch_unet(pipe.unet, inputs), 2e-2)


@pytest.mark.parametrize("kohya", [False, True])
def test_lora_for_another_base(folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, kohya: bool) -> None:
    other = save_model("sd-2.1", tmp_path / "other")
    lora = as_kohya(folder / "one.safetensors") if kohya else folder / "one.safetensors"
    assert main([str(other), "-o", str(tmp_path / "exported"), "--lora", str(lora)]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last == (
        f"millrace_export: {lora}: this LoRA is for another base: it expects 24 values per token, the model has 32 values; use one made for this model"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]


def test_lora_whose_layers_the_model_lacks(folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tensors = {
        name.replace("down_blocks.0", "down_blocks.7"): value
        for name, value in load_file(folder / "one.safetensors").items()
        if "attn1" in name
    }
    lora = tmp_path / "misfit.safetensors"
    save_file(tensors, lora)
    assert main([str(folder / "model"), "-o", str(tmp_path / "exported"), "--lora", str(lora)]) == 1
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert f"{lora}: this LoRA" in error and "made for" in error
    assert not (tmp_path / "exported").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00{}", "not a .safetensors file"),
        (b"pickle", "not a .safetensors file"),
    ],
)
def test_lora_that_is_none(
    folder: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, reason: str
) -> None:
    lora = tmp_path / "lora.safetensors"
    if content is not None:
        lora.write_bytes(content)
    assert main([str(folder / "model"), "-o", str(tmp_path / "exported"), "--lora", str(lora)]) == 1
    assert reason in capfd.readouterr().err.strip().splitlines()[-1]


def test_weights_after_a_colon() -> None:
    assert Lora.parse("styles/ink.safetensors:0.75") == Lora(Path("styles/ink.safetensors"), 0.75)
    assert Lora.parse("ink.safetensors") == Lora(Path("ink.safetensors"), 1.0)
    assert Lora.parse("C:/loras/ink.safetensors") == Lora(Path("C:/loras/ink.safetensors"), 1.0)
    with pytest.raises(ValueError):
        Lora.parse("ink.safetensors:much")
