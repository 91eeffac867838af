"""Each architecture, exported in float32 and float16, compared with torch as diffusers calls it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from diffusers import DiffusionPipeline
from models import ARCHITECTURES, save_model
from running import assert_close, assert_drawn, export_model, pictures, run, session, torch_unet, unet_inputs

TYPES = {"fp32": [], "fp16": ["--fp16"], "weights-fp16": ["--weights-fp16"]}
# fp16: weights and computation are rounded, torch's are not. weights-fp16: only the weights are rounded.
ALLOWED = {"fp32": 1e-4, "fp16": 2e-2, "weights-fp16": 1e-2}


class Exported:
    def __init__(self, architecture: str, kind: str, folder: Path):
        self.architecture, self.kind = architecture, kind
        self.folder = export_model(save_model(architecture, folder / "model"), folder / "exported", *TYPES[kind])
        self.pipe = DiffusionPipeline.from_pretrained(folder / "model", torch_dtype=torch.float32)
        self.allowed = ALLOWED[kind]


@pytest.fixture(
    scope="module",
    params=[(a, k) for a in ARCHITECTURES for k in ("fp32", "fp16")] + [("sd-turbo", "weights-fp16")],
    ids="-".join,
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(*request.param, tmp_path_factory.mktemp("-".join(request.param)))


@pytest.mark.parametrize(("rows", "height", "width", "tokens"), [(1, 16, 16, 77), (4, 8, 24, 154)])
def test_unet(exported: Exported, rows: int, height: int, width: int, tokens: int) -> None:
    inputs = unet_inputs(exported.pipe.unet, rows, height, width, tokens)
    (found,) = run(exported.folder / "unet", inputs)
    assert_close(found, torch_unet(exported.pipe.unet, inputs), exported.allowed)


def test_unet_rows_have_timesteps_of_their_own(exported: Exported) -> None:
    inputs = unet_inputs(exported.pipe.unet, 3, 16, 16, 77)
    inputs["timestep"] = torch.tensor([999, 1, 499])
    (together,) = run(exported.folder / "unet", inputs)
    for row in range(3):
        (alone,) = run(exported.folder / "unet", {name: value[row : row + 1] for name, value in inputs.items()})
        assert_close(together[row : row + 1], alone, exported.allowed)
    inputs["timestep"] = torch.tensor([1, 1, 1])
    (same,) = run(exported.folder / "unet", inputs)
    assert np.abs(same[0] - together[0]).max() > 0.01 * np.abs(together).max()


@pytest.mark.parametrize(("rows", "height", "width"), [(1, 64, 64), (3, 128, 96)])
def test_vae(exported: Exported, rows: int, height: int, width: int) -> None:
    vae = exported.pipe.vae
    given, image = pictures(rows, height, width)
    with torch.no_grad():
        latent = vae.encode(image).latent_dist.mean
        decoded = vae.decode(latent).sample
    assert_close(run(exported.folder / "vae_encoder", {"sample": given})[0], latent, exported.allowed)
    assert_drawn(run(exported.folder / "vae_decoder", {"latent_sample": latent}), decoded, exported.allowed)


def test_text_encoders(exported: Exported) -> None:
    prompts = ["a photo of a cat", "", "neon " * 100]
    for suffix in ("", "_2"):
        encoder = getattr(exported.pipe, f"text_encoder{suffix}", None)
        if encoder is None:
            continue
        tokenizer = getattr(exported.pipe, f"tokenizer{suffix}")
        ids = tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        with torch.no_grad():
            wanted = encoder(ids, output_hidden_states=True)
        folder = exported.folder / f"text_encoder{suffix}"
        names = [output.name for output in session(folder).get_outputs()]
        assert names == (
            ["text_embeds", "last_hidden_state", "hidden_states.2", "hidden_states.3"]
            if suffix
            else ["last_hidden_state", "pooler_output", "hidden_states.2", "hidden_states.3"]
        )
        for name, found in zip(names, run(folder, {"input_ids": ids}), strict=True):
            state, _, index = name.partition(".")
            assert_close(found, wanted[state][int(index)] if index else wanted[state], exported.allowed)


def test_graphs_are_as_promised(exported: Exported) -> None:
    half = exported.kind == "fp16"
    float_type = "tensor(float16)" if half else "tensor(float)"
    unet = session(exported.folder / "unet")
    types = {item.name: (item.type, item.shape) for item in unet.get_inputs()}
    assert types["timestep"] == ("tensor(int64)", ["batch"])
    assert types["sample"] == (float_type, ["batch", 4, "height", "width"])
    assert types["encoder_hidden_states"][0] == float_type
    assert ("timestep_cond" in types) == (exported.architecture == "lcm")
    assert ("text_embeds" in types) == ("time_ids" in types) == (exported.architecture == "sdxl-turbo")
    assert [item.name for item in unet.get_outputs()] == ["out_sample"]
    # SDXL's own VAE overflows float16.
    upcast = exported.architecture == "sdxl-turbo"
    assert session(exported.folder / "vae_decoder").get_inputs()[0].type == ("tensor(float)" if upcast else float_type)
    (given,) = session(exported.folder / "vae_encoder").get_inputs()
    drawn, mean = session(exported.folder / "vae_decoder").get_outputs()
    picture = ("tensor(uint8)", ["batch", "height", "width", 3])
    assert (given.type, given.shape) == (drawn.type, drawn.shape) == picture
    assert (mean.name, mean.type, mean.shape) == ("sample_mean", "tensor(float)", ["batch", 3, 1, 1])
    stored = [
        tensor.data_type
        for tensor in onnx.load(exported.folder / "unet/model.onnx").graph.initializer
        if np.prod(tensor.dims) >= 1024
    ]
    assert set(stored) == {onnx.TensorProto.FLOAT if exported.kind == "fp32" else onnx.TensorProto.FLOAT16}
    assert onnx.load(exported.folder / "unet/model.onnx").opset_import[0].version >= 17


def test_folder_is_complete(exported: Exported) -> None:
    def read(name: str) -> dict:
        text = (exported.folder / name).read_text()
        assert str(exported.folder.parent) not in text, f"{name} names the place of the model"
        return json.loads(text)

    index = read("model_index.json")
    assert index["_class_name"] == type(exported.pipe).__name__
    assert read("unet/config.json")["cross_attention_dim"] == exported.pipe.unet.config.cross_attention_dim
    assert read("vae_decoder/config.json") == read("vae_encoder/config.json")
    assert read("vae_decoder/config.json")["scaling_factor"] == exported.pipe.vae.config.scaling_factor
    assert read("text_encoder/config.json")["hidden_size"] == exported.pipe.text_encoder.config.hidden_size
    assert read("scheduler/scheduler_config.json")["prediction_type"] == (
        "v_prediction" if exported.architecture == "sd-2.1" else "epsilon"
    )
    for suffix in ["", "_2"] if exported.architecture == "sdxl-turbo" else [""]:
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
            assert (exported.folder / f"tokenizer{suffix}" / name).is_file()
    read("tokenizer/tokenizer_config.json")
    defaults = read("millrace.json")["defaults"]
    assert (defaults["width"], defaults["height"]) == (128, 128)
    assert defaults["steps"] == {"sd-turbo": 1, "sdxl-turbo": 1, "lcm": 4}.get(exported.architecture, 8)
