"""StreamDiffusion's stream batch in torch, measured on a device, with the modules of diffusers as they are:

    python test/bench/device/torch_side.py FOLDER cuda|cpu SIDE THREADS

FOLDER has a model in the layout of diffusers. The first line of the output names versions and the device. Each line of
the input is a JSON object: the timesteps of a frame, and how many seconds to measure; the answer has the medians of
the milliseconds of each stage, and the frames per second from bytes to bytes.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

warnings.filterwarnings("ignore")

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, DiffusionPipeline

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

PROMPT = "oil painting"
FEWEST = 3


class Device:
    def __init__(self, name: str) -> None:
        self.name = name
        self.is_cuda = name == "cuda"

    def describe(self) -> str:
        return torch.cuda.get_device_name() if self.is_cuda else "cpu"

    def wait(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize()


class StreamBatch:
    """Frames of one stream: a call of the U-Net has a row for each step, of as many frames under way."""

    def __init__(self, pipe: DiffusionPipeline, side: int, timesteps: list[int]) -> None:
        self.pipe = pipe
        device, dtype = pipe.unet.device, pipe.unet.dtype
        count = len(timesteps)
        alphas = pipe.scheduler.alphas_cumprod[timesteps].to(device=device, dtype=dtype).view(-1, 1, 1, 1)
        self.signal, self.deviation = alphas.sqrt(), (1 - alphas).sqrt()
        self.timesteps = torch.tensor(timesteps, device=device)
        self.scale = pipe.vae.config.scaling_factor
        pixels = torch.zeros(1, 3, side, side, device=device, dtype=dtype)
        shape = self.encode(pixels).shape[1:]
        self.noise = torch.randn(count, *shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)
        self.under_way = self.noise[1:].clone()
        self.prompt = pipe.encode_prompt(PROMPT, device, 1, False)[0].repeat(count, 1, 1)

    def take(self, picture: np.ndarray) -> torch.Tensor:
        """Return a picture, uint8 [height, width, 3], as the encoder takes it."""
        planes = torch.from_numpy(picture).to(self.prompt.device).permute(2, 0, 1)[None]
        return planes.to(self.prompt.dtype) / 127.5 - 1

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        encoded = self.pipe.vae.encode(pixels)
        latents = encoded.latent_dist.mode() if isinstance(self.pipe.vae, AutoencoderKL) else encoded.latents
        return latents * self.scale

    def predict(self, rows: torch.Tensor) -> torch.Tensor:
        return self.pipe.unet(rows, self.timesteps, self.prompt).sample

    def decode(self, latents: torch.Tensor) -> np.ndarray:
        drawn = self.pipe.vae.decode(latents / self.scale).sample[0]
        return (drawn * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()

    def rows(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.signal[:1] * latents + self.deviation[:1] * self.noise[:1], self.under_way])

    def draw(self, picture: np.ndarray) -> np.ndarray:
        rows = self.rows(self.encode(self.take(picture)))
        clean = (rows - self.deviation * self.predict(rows)) / self.signal
        self.under_way = self.signal[1:] * clean[:-1] + self.deviation[1:] * self.noise[1:]
        return self.decode(clean[-1:])


def median_ms(device: Device, seconds: float, action: Callable[[], object]) -> float:
    """Return the median of the milliseconds of an action, repeated for some seconds."""
    times = []
    begin = time.perf_counter()
    while len(times) < FEWEST or time.perf_counter() - begin < seconds:
        device.wait()
        start = time.perf_counter()
        action()
        device.wait()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def measure(stream: StreamBatch, device: Device, side: int, seconds: float) -> dict[str, float]:
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    for _ in range(FEWEST):
        stream.draw(picture)
    pixels = stream.take(picture)
    latents = stream.encode(pixels)
    rows = stream.rows(latents)
    each = seconds / 4
    return {
        "encodeMs": median_ms(device, each, lambda: stream.encode(pixels)),
        "unetMs": median_ms(device, each, lambda: stream.predict(rows)),
        "decodeMs": median_ms(device, each, lambda: stream.decode(latents)),
        "fps": 1000 / median_ms(device, each, lambda: stream.draw(picture)),
    }


def main(folder: Path, name: str, side: int, threads: int) -> None:
    device = Device(name)
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    dtype = torch.float16 if device.is_cuda else torch.float32
    pipe = DiffusionPipeline.from_pretrained(folder, torch_dtype=dtype, safety_checker=None).to(device.name)
    if device.is_cuda:
        pipe.unet.to(memory_format=torch.channels_last)
        pipe.vae.to(memory_format=torch.channels_last)
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}"
    print(json.dumps({"versions": versions, "device": device.describe()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        stream = StreamBatch(pipe, side, asked["timesteps"])
        print(json.dumps(measure(stream, device, side, asked["seconds"])), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    with torch.no_grad():
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
