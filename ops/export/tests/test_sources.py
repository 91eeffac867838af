"""Sources of models: single files, bases, other VAEs; and errors in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, UNet2DConditionModel
from ldm import save_checkpoint
from millrace_export.bases import BASES, base_of, write_base
from millrace_export.cli import main
from millrace_export.errors import ExportError
from models import save_model, tiny_vae
from running import assert_close, assert_drawn, export_model, pictures, run, torch_unet, unet_inputs
from safetensors.torch import save_file
from transformers import AutoConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("sd-1.5", tmp_path_factory.mktemp("sources") / "model")


def fails(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line that the exporter ends with."""
    assert main(arguments) == 1
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("millrace_export: ")
    return line.removeprefix("millrace_export: ")


def test_single_file(model: Path, tmp_path: Path) -> None:
    pipe = DiffusionPipeline.from_pretrained(model)
    file = save_checkpoint(pipe, tmp_path / "painted.safetensors")
    exported = export_model(file, tmp_path / "exported", "--base", str(model))
    inputs = unet_inputs(pipe.unet, 2, 16, 16, 77)
    assert_close(run(exported / "unet", inputs)[0], torch_unet(pipe.unet, inputs), 1e-4)
    given, image = pictures(1, 64, 64)
    ids = pipe.tokenizer("neon cat", padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        latent = pipe.vae.encode(image).latent_dist.mean
        assert_close(run(exported / "vae_encoder", {"sample": given})[0], latent, 1e-4)
        assert_drawn(run(exported / "vae_decoder", {"latent_sample": latent}), pipe.vae.decode(latent).sample, 1e-4)
        assert_close(
            run(exported / "text_encoder", {"input_ids": ids})[0], pipe.text_encoder(ids).last_hidden_state, 1e-4
        )
    assert (
        CLIPTokenizer.from_pretrained(exported / "tokenizer")("neon cat").input_ids
        == pipe.tokenizer("neon cat").input_ids
    )
    assert json.loads((exported / "millrace.json").read_text())["description"] == "painted"


@pytest.mark.parametrize(
    ("width", "name", "metadata", "extra", "base"),
    [
        (768, "x", {}, [], "sd-1.5"),
        (1024, "x", {}, [], "sd-2.1"),
        (1024, "x", {"modelspec.prediction_type": "epsilon"}, [], "sd-2.1-base"),
        (1024, "v2-1_512-base", {}, [], "sd-2.1-base"),
        (1024, "sd_turbo", {}, [], "sd-turbo"),
        (2048, "x", {}, [], "sdxl"),
        (2048, "x", {"modelspec.prediction_type": "v"}, [], "sdxl-v"),
        (2048, "x", {}, ["v_pred"], "sdxl-v"),
        (2048, "sd_xl_turbo_1.0", {}, [], "sdxl-turbo"),
    ],
)
def test_base_is_found(
    tmp_path: Path, width: int, name: str, metadata: dict[str, str], extra: list[str], base: str
) -> None:
    file = tmp_path / f"{name}.safetensors"
    save_file(
        {FIRST: torch.zeros(1), ATTENTION: torch.zeros(1, width)} | {key: torch.zeros(1) for key in extra},
        file,
        metadata,
    )
    assert base_of(file) == base


def test_base_is_not_found(tmp_path: Path) -> None:
    save_file({FIRST: torch.zeros(1), ATTENTION: torch.zeros(1, 100)}, tmp_path / "odd.safetensors")
    with pytest.raises(ExportError, match="unknown base .*100 values.*--base"):
        base_of(tmp_path / "odd.safetensors")
    save_file({"lora_unet.x": torch.zeros(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(ExportError, match="not a Stable Diffusion checkpoint .*--lora"):
        base_of(tmp_path / "lora.safetensors")


@pytest.mark.parametrize("name", BASES)
def test_bases_are_of_the_true_size(tmp_path: Path, name: str) -> None:
    """Parameter counts of the published models."""
    write_base(name, tmp_path)
    counts = {}
    with init_empty_weights():
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(tmp_path, subfolder="unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(tmp_path, subfolder="vae"))
        networks = {
            "unet": unet,
            "vae": vae,
            "text": CLIPTextModel(AutoConfig.from_pretrained(tmp_path / "text_encoder")),
        }
        if (tmp_path / "text_encoder_2").exists():
            networks["text_2"] = CLIPTextModelWithProjection(AutoConfig.from_pretrained(tmp_path / "text_encoder_2"))
    counts = {part: sum(weight.numel() for weight in network.parameters()) for part, network in networks.items()}
    sizes = {
        "sd-1": {"unet": 859_520_964, "text": 123_060_480},
        "sd-2": {"unet": 865_910_724, "text": 340_387_840},
        "sdxl": {"unet": 2_567_463_684, "text": 123_060_480, "text_2": 694_659_840},
    }
    assert counts == {"vae": 83_653_863} | sizes[BASES[name].networks]
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.pad_token_id == (0 if BASES[name].networks == "sd-2" else 49407)


def test_tiny_vae_in_place_of_the_vae(model: Path, tmp_path: Path) -> None:
    vae = tiny_vae(tmp_path / "taesd")
    exported = export_model(model, tmp_path / "exported", "--vae", str(tmp_path / "taesd"), "--fp16")
    given, image = pictures(2, 64, 96)
    with torch.no_grad():
        latent = vae.encode(image).latents
        assert_close(run(exported / "vae_encoder", {"sample": given})[0], latent, 2e-2)
        assert_drawn(run(exported / "vae_decoder", {"latent_sample": latent}), vae.decode(latent).sample, 2e-2)
    config = json.loads((exported / "vae_decoder/config.json").read_text())
    assert (config["_class_name"], config["scaling_factor"]) == ("AutoencoderTiny", 1.0)
    assert json.loads((exported / "model_index.json").read_text())["vae"] == ["diffusers", "AutoencoderTiny"]
    AutoencoderTiny.from_config(config)


def test_vae_of_another_kind_of_latents(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tiny_vae(tmp_path / "taef1", latent_channels=16)
    line = fails(capfd, str(model), "-o", str(tmp_path / "out"), "--vae", str(tmp_path / "taef1"))
    assert line == "model: the U-Net's in_channels is 4, but the VAE has 16 latent channels; use parts of one model"
    assert not (tmp_path / "out").exists()


def test_what_is_no_model(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = ["-o", str(tmp_path / "out")]
    assert "no such file or folder" in fails(capfd, "/no/such/place", *out)
    assert "no model_index.json" in fails(capfd, str(model / "unet"), *out)
    (tmp_path / "old.ckpt").write_bytes(b"pickle")
    assert "only .safetensors" in fails(capfd, str(tmp_path / "old.ckpt"), *out)
    (tmp_path / "cut.safetensors").write_bytes(b"\xff\x00\x00\x00\x00\x00\x00\x00{")
    assert "or incomplete" in fails(capfd, str(tmp_path / "cut.safetensors"), *out)
    assert "neither a folder nor one of sd-1.5" in fails(
        capfd, str(tmp_path / "cut.safetensors"), *out, "--base", "sd-9"
    )
    flux = tmp_path / "flux"
    flux.mkdir()
    (flux / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    assert "a FluxPipeline; only" in fails(capfd, str(flux), *out)
    assert not (tmp_path / "out").exists()


def test_weights_that_are_cut_short(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = save_model("sd-1.5", tmp_path / "broken")
    weights = broken / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "cannot be loaded" in fails(capfd, str(broken), "-o", str(tmp_path / "out"))
    weights.unlink()
    assert "cannot be loaded" in fails(capfd, str(broken), "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_checkpoint_of_another_base(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = save_checkpoint(DiffusionPipeline.from_pretrained(model), tmp_path / "small.safetensors")
    other = save_model("sd-2.1", tmp_path / "other")
    assert "does not fit its base" in fails(capfd, str(file), "-o", str(tmp_path / "out"), "--base", str(other))
