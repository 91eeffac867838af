"""What cannot steer a model is refused with one line that says what does not fit, and what would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from diffusers import DiffusionPipeline, UNet2DConditionModel
from millrace_export.cli import main
from models import save_model
from safetensors.torch import load_file, save_file
from steering_models import image_encoder, ip_adapter_state, save_adapter, save_controlnet, save_ip_adapter


class Places:
    """A model, and networks for it and for another base."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.model = save_model("sd-1.5", folder / "model")
        self.unet = DiffusionPipeline.from_pretrained(self.model).unet
        self.xl = DiffusionPipeline.from_pretrained(save_model("sdxl-turbo", folder / "xl")).unet
        save_controlnet(self.unet, folder / "fits", 31)

    def edited(self, name: str, **values: object) -> Path:
        """Return a copy of the ControlNet with another configuration."""
        place = self.folder / name
        place.mkdir()
        config = json.loads((self.folder / "fits/config.json").read_text())
        (place / "config.json").write_text(json.dumps(config | values))
        return place


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("steering-errors"))


def fails(places: Places, capfd: pytest.CaptureFixture[str], *options: str) -> str:
    """Return the one line that the exporter ends with, which leaves nothing."""
    out = places.folder / "out"
    assert main([str(places.model), "-o", str(out), *options]) == 1
    assert not out.exists()
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("millrace_export: ")
    return line.removeprefix("millrace_export: ")


def test_names(places: Places, capfd: pytest.CaptureFixture[str]) -> None:
    fits = places.folder / "fits"
    assert fails(places, capfd, "--controlnet", f"Canny={fits}") == (
        f"Canny={fits}: the name 'Canny' is invalid; use 1 to 40 of a-z, 0-9, _ and -, such as canny={fits}"
    )
    assert "the name '' is invalid" in fails(places, capfd, "--controlnet", f"={fits}")
    assert f"the name '{'a' * 41}' is invalid" in fails(places, capfd, "--t2i-adapter", f"{'a' * 41}={fits}")
    assert fails(places, capfd, "--controlnet", str(fits), "--t2i-adapter", "fits=elsewhere/adapter") == (
        "two control networks have the name fits; give each its own: NAME=FOLDER|ID"
    )
    assert fails(places, capfd, "--controlnet", "canny=") == (
        "canny=: names no folder or hub id; use canny=FOLDER or canny=OWNER/NAME"
    )


def test_what_is_no_control_network(places: Places, capfd: pytest.CaptureFixture[str]) -> None:
    fits = places.folder / "fits"
    assert fails(places, capfd, "--controlnet", "canny=/no/such/place") == (
        "--controlnet /no/such/place: no such folder, and not a hub id (owner/name)"
    )
    file = fits / "config.json"
    assert fails(places, capfd, "--controlnet", f"canny={file}") == (
        f"--controlnet {file}: a file; name a folder in the diffusers layout, or a hub id"
    )
    assert fails(places, capfd, "--t2i-adapter", str(fits)) == (
        f"--t2i-adapter {fits}: a ControlNetModel; only a T2IAdapter can be exported"
    )
    assert "cannot be loaded" in fails(places, capfd, "--controlnet", f"canny={places.model / 'tokenizer'}")
    union = places.edited("union", _class_name="ControlNetUnionModel")
    assert fails(places, capfd, "--controlnet", str(union)) == (
        f"--controlnet {union}: a ControlNetUnionModel; only a ControlNetModel can be exported"
    )


def test_controlnets_of_other_kinds(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flow = save_controlnet(places.unet, tmp_path / "flow", 31, conditioning_channels=6)
    assert fails(places, capfd, "--controlnet", str(flow)) == (
        f"--controlnet {flow}: takes control pictures of 6 channels; only 3 (RGB) can be exported"
    )
    shuffle = save_controlnet(places.unet, tmp_path / "shuffle", 31, global_pool_conditions=True)
    assert "has global_pool_conditions (shuffle)" in fails(places, capfd, "--controlnet", str(shuffle))


def test_controlnets_of_another_base(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    xl = save_controlnet(places.xl, tmp_path / "xl", 31)
    assert fails(places, capfd, "--controlnet", str(xl)) == (
        f"--controlnet {xl}: this ControlNet is for another base: it expects 56 values per token, "
        "the model has 24 values; use one made for this model"
    )
    config = places.unet.config | {"block_out_channels": (16, 32, 32, 64)}
    wide = save_controlnet(UNet2DConditionModel.from_config(config), tmp_path / "wide", 31)
    assert fails(places, capfd, "--controlnet", str(wide)) == (
        f"--controlnet {wide}: this ControlNet is for another base: it has 9 residuals of 16, 32, 32, 64 channels, "
        "the model 9 of 16, 32, 32, 32; use one made for this model"
    )
    coarse = save_controlnet(places.unet, tmp_path / "coarse", 31, conditioning_embedding_out_channels=(8, 8, 16))
    assert "makes a hint of 1/4 of the picture's size, but the latent has 1/8" in fails(
        places, capfd, "--controlnet", str(coarse)
    )


def test_adapters_of_another_base(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    xl = save_adapter(places.xl, tmp_path / "xl", 31)
    assert fails(places, capfd, "--t2i-adapter", str(xl)) == (
        f"--t2i-adapter {xl}: this T2I-Adapter is for another base: it makes maps of 16/2, 32/2, 32/4, 32/4, "
        "the model takes 16/1, 32/2, 32/4, 32/8, 32/8 (channels / divisor of the latent size); "
        "use one made for this model"
    )
    pairs = save_adapter(places.unet, tmp_path / "pairs", 31, channels=6)
    assert "takes 6 channels; only 3 (RGB) or 1 (grey)" in fails(places, capfd, "--t2i-adapter", str(pairs))


def test_ip_adapters_of_another_base(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wide = save_ip_adapter(places.unet, tmp_path / "wide", width=768)
    assert fails(places, capfd, "--ip-adapter", str(wide)) == (
        f"--ip-adapter {wide}: this IP-Adapter is for another base: its tokens have 768 values "
        "(Stable Diffusion 1.x), the model's 24 values; use one made for this model"
    )
    few = save_ip_adapter(places.unet, tmp_path / "few")
    state = load_file(few / "ip-adapter.safetensors")
    save_file({name: value for name, value in state.items() if ".3.to_" not in name}, few / "ip-adapter.safetensors")
    assert "another base: it has 9 layers, the model 10" in fails(places, capfd, "--ip-adapter", str(few))
    save_file(
        state | {"ip_adapter.5.to_v_ip.weight": state["ip_adapter.1.to_v_ip.weight"].clone()},
        few / "ip-adapter.safetensors",
    )
    assert "layer down_blocks.2.attentions.0.transformer_blocks.0.attn2 needs weights of 32x24, it has 16x24" in fails(
        places, capfd, "--ip-adapter", str(few)
    )


def test_what_is_no_ip_adapter(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no such file or folder, and not a hub id" in fails(places, capfd, "--ip-adapter", "/no/such/file")
    place = save_ip_adapter(places.unet, tmp_path / "ip")
    file, state = place / "ip-adapter.safetensors", load_file(place / "ip-adapter.safetensors")
    (place / "old.bin").write_bytes(b"pickle")
    assert "only .safetensors files are supported" in fails(places, capfd, "--ip-adapter", str(place / "old.bin"))
    save_file(state, place / "other.safetensors")
    assert fails(places, capfd, "--ip-adapter", str(place)) == (
        f"--ip-adapter {place}: has 2 .safetensors files (ip-adapter.safetensors, other.safetensors); "
        "name the one to use"
    )
    weights = place / "image_encoder/model.safetensors"
    assert fails(places, capfd, "--ip-adapter", str(weights), "--image-encoder", str(weights.parent)) == (
        f"--ip-adapter {weights}: not an IP-Adapter, which has tensors named image_proj and ip_adapter"
    )
    file.write_bytes(file.read_bytes()[:-10])
    assert "not a .safetensors file, or incomplete" in fails(places, capfd, "--ip-adapter", str(file))
    face = {name: value for name, value in state.items() if not name.startswith("image_proj.")}
    face |= {f"image_proj.proj.{i}.weight": state["image_proj.proj.weight"].clone() for i in (0, 2)}
    save_file(face, file)
    assert "an IP-Adapter FaceID" in fails(places, capfd, "--ip-adapter", str(file))


def test_image_encoders(places: Places, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save_file(ip_adapter_state(places.unet, "plus"), tmp_path / "plus.safetensors")
    file = str(tmp_path / "plus.safetensors")
    assert fails(places, capfd, "--ip-adapter", file) == (
        f"--ip-adapter {file}: no folder {tmp_path / 'image_encoder'} with its image encoder; "
        "name one with --image-encoder"
    )
    image_encoder(hidden=48).save_pretrained(tmp_path / "large")
    assert fails(places, capfd, "--ip-adapter", file, "--image-encoder", str(tmp_path / "large")) == (
        f"--ip-adapter {file}: expects 32 values from its image encoder, which gives 48; "
        "name the encoder that it was trained with: --image-encoder FOLDER|ID"
    )
    assert fails(places, capfd, "--image-encoder", str(tmp_path / "large")) == (
        "--image-encoder is for an IP-Adapter; add --ip-adapter"
    )


def test_banks_of_blocks_that_do_not_exist(places: Places, capfd: pytest.CaptureFixture[str]) -> None:
    assert fails(places, capfd, "--attention-bank", "mid_block,down_blocks.3") == (
        "--attention-bank down_blocks.3: no such block with self-attention; the model has down_blocks.0, "
        "down_blocks.1, down_blocks.2, up_blocks.1, up_blocks.2, up_blocks.3, mid_block"
    )
    assert fails(places, capfd, "--attention-bank", ",") == (
        "--attention-bank names no block; use all, or blocks such as mid_block,up_blocks"
    )
