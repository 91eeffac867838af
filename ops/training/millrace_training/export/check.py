"""Checks an export: ONNX against torch, and against Python's diffusers as users call it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import LCMScheduler, StableDiffusionImg2ImgPipeline
from PIL import Image

from ..evaluate.model import FinishedModel
from ..pictures import psnr, to_images, to_tensor
from ..text.tokenizer import tokenize
from ..unet.sampler import add_noise, cleaned
from ..unet.schedule import DEFAULT_INDEX, time_of_index
from .onnx_model import open_graph

_PIPELINE = "diffusers against ONNX, dB"
_TIMES = [time_of_index(DEFAULT_INDEX)]


def _largest_difference(found: np.ndarray, wanted: torch.Tensor) -> float:
    return round(float(np.abs(found - wanted.numpy()).max()), 6)


@torch.no_grad()
def _parts(folder: Path, model: FinishedModel) -> dict[str, float]:
    """Return the largest differences between each ONNX graph and its torch module, on odd sizes, mixed rows and two chunks of tokens."""
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(3, 4, 24, 40, generator=draw)
    times = torch.tensor([*_TIMES, 199, 40])
    tokens = tokenize(model.tokenizer, ["", "oil painting of a cat", "猫 " * 90])
    chunk = model.text_encoder(tokens).last_hidden_state
    embedding = torch.cat([chunk, chunk.flip(0)], 1)
    picture = torch.rand(2, 3, 96, 160, generator=draw) * 2 - 1
    smooth = torch.nn.functional.avg_pool2d(picture, 9, 1, 4)
    code = model.vae.encoder(smooth)
    text = open_graph(folder / "text_encoder/model.onnx").run(None, {"input_ids": tokens.numpy()})[0]
    unet = open_graph(folder / "unet/model.onnx").run(
        None, {"sample": latent.numpy(), "timestep": times.numpy(), "encoder_hidden_states": embedding.numpy()}
    )[0]
    encoded = open_graph(folder / "vae_encoder/model.onnx").run(None, {"sample": smooth.numpy()})[0]
    decoded = open_graph(folder / "vae_decoder/model.onnx").run(None, {"latent_sample": code.numpy()})[0]
    return {
        "text_encoder": _largest_difference(text, chunk),
        "unet": _largest_difference(unet, model.unet(latent, times, embedding, return_dict=False)[0]),
        "vae_encoder": _largest_difference(encoded, code),
        "vae_decoder": _largest_difference(decoded, model.vae.decoder(code)),
    }


@torch.no_grad()
def _pipeline(folder: Path, model: FinishedModel, photo: np.ndarray) -> dict[str, float]:
    """Compare one step of diffusers' image-to-image pipeline with the same step by ONNX, in dB between the pictures."""
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    prompt = "watercolor painting"
    by_diffusers = pipe(
        prompt,
        image=Image.fromarray(photo),
        timesteps=_TIMES,
        strength=1.0,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).images

    scale = model.scale
    code = open_graph(folder / "vae_encoder/model.onnx").run(None, {"sample": to_tensor(photo[None]).numpy()})[0] * scale
    noise = torch.randn(code.shape, generator=torch.Generator().manual_seed(0))
    times = torch.tensor(_TIMES)
    noisy = add_noise(torch.from_numpy(code), noise, times)
    embedding = open_graph(folder / "text_encoder/model.onnx").run(None, {"input_ids": tokenize(model.tokenizer, [prompt]).numpy()})[0]
    feed = {"sample": noisy.numpy(), "timestep": np.array(_TIMES), "encoder_hidden_states": embedding}
    answer = torch.from_numpy(open_graph(folder / "unet/model.onnx").run(None, feed)[0])
    latent = cleaned(answer, noisy, times) / scale
    by_onnx = open_graph(folder / "vae_decoder/model.onnx").run(None, {"latent_sample": latent.numpy()})[0]
    pictures = (by_diffusers * 255).round().astype(np.uint8)
    return {_PIPELINE: round(float(psnr(pictures, to_images(torch.from_numpy(by_onnx)))[0]), 1)}


def check_export(folder: Path, photo: np.ndarray) -> dict[str, float]:
    """Print and return the differences. Raises SystemExit if one is too large."""
    model = FinishedModel(folder, torch.device("cpu"))
    model.unet.to(memory_format=torch.contiguous_format)
    found = _parts(folder, model) | _pipeline(folder, model, photo)
    print("export: " + json.dumps(found))
    largest = max(value for name, value in found.items() if name != _PIPELINE)
    if largest > 5e-3 or found[_PIPELINE] < 45:
        raise SystemExit("the export differs from the trained model")
    return found
