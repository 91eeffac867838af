"""An export as users run it, from the ONNX graphs only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ..pictures import to_images, to_tensor
from ..text.model import load_tokenizer
from ..text.tokenizer import tokenize
from ..unet.model import LATENT_SCALE
from ..unet.sampler import add_noise, cleaned
from ..unet.schedule import time_of_index

Feed = dict[str, np.ndarray]


def open_graph(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU, without warnings about optimisations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxModel:
    """Draws uint8 pictures [N, H, W, 3] in one step, one by one, all with the same noise, like a stream."""

    def __init__(self, folder: Path, variant: str = "model"):
        """`variant`: the file name of the graphs of U-Net and autoencoder."""
        self.text = open_graph(folder / "text_encoder/model.onnx")
        self.encoder, self.unet, self.decoder = (
            open_graph(folder / part / f"{variant}.onnx") for part in ("vae_encoder", "unet", "vae_decoder")
        )
        self.tokenizer = load_tokenizer(folder / "tokenizer")

    def embed(self, prompt: str) -> np.ndarray:
        """Return the embedding [1, 77, 96]."""
        return self.text.run(None, {"input_ids": tokenize(self.tokenizer, [prompt]).numpy()})[0]

    def encode(self, picture: np.ndarray) -> np.ndarray:
        """uint8 [H, W, 3] -> scaled latent [1, 4, H/4, W/4]."""
        return self.encoder.run(None, {"sample": to_tensor(picture[None]).contiguous().numpy()})[0] * LATENT_SCALE

    def row(self, latent: np.ndarray, prompt: str, t_index: int, seed: int = 0) -> Feed:
        """Return the U-Net's inputs for one picture."""
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
        times = torch.tensor([time_of_index(t_index)])
        noisy = add_noise(torch.from_numpy(latent), noise, times)
        return {"sample": noisy.numpy(), "timestep": times.numpy(), "encoder_hidden_states": self.embed(prompt)}

    def predict(self, row: Feed) -> np.ndarray:
        """Return the predicted scaled latent [1, 4, h, w]."""
        answer, noisy, time = (torch.from_numpy(array) for array in (self.unet.run(None, row)[0], row["sample"], row["timestep"]))
        return cleaned(answer, noisy, time).numpy()

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Scaled latent [1, 4, h, w] -> uint8 [1, H, W, 3]."""
        return to_images(torch.from_numpy(self.decoder.run(None, {"latent_sample": latent / LATENT_SCALE})[0]))

    def draw(self, pictures: np.ndarray, prompts: list[str], t_index: int) -> np.ndarray:
        """Draw pictures, with one prompt for each."""
        made = [self.decode(self.predict(self.row(self.encode(p), prompt, t_index))) for p, prompt in zip(pictures, prompts)]
        return np.concatenate(made)
