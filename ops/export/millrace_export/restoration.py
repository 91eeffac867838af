"""Exports a network that restores pictures by mean-reverting diffusion (Luo et al. 2023, IR-SDE)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from .bases import write_tokenizer
from .errors import ExportError
from .export import Options, Row, write_parts
from .layout import write_json
from .parts import Input, Part, Shape, normal
from .staging import staged_folder

_TOKENS = 77
_PIXELS: Shape = ("batch", 3, "height", "width")


def export_restoration(
    network: nn.Module,
    target: Path,
    *,
    max_sigma: float,
    timesteps: int = 100,
    eps: float = 0.005,
    multiple_of: int = 16,
    side: int = 256,
    description: str = "",
    options: Options | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Write a model folder for a network that is called as network(sample, mean, timestep).

    `sample` and `mean`, the degraded picture, are [batch, 3, height, width] from 0 to 1; `timestep` is [batch], from 0 to
    `timesteps`, with fractions. The network returns the noise of the sample.

    max_sigma, timesteps (T in its options file), eps: those of its training, with the cosine schedule; max_sigma from 1 on is
    in units of 255.
    multiple_of: sides of pictures must be multiples of it, a power of two: the halvings in the network.
    side: of the pictures that a stream starts with.
    Raises ExportError, and then leaves no folder.
    """
    halvings = multiple_of.bit_length() - 1
    if multiple_of != 2**halvings:
        raise ExportError(f"multiple_of must be a power of two, not {multiple_of}")
    if side % multiple_of:
        raise ExportError(f"side must be a multiple of {multiple_of}, not {side}")
    options = options or Options()
    parts = [_pixels("vae_encoder", "sample", "latent_sample"), _pixels("vae_decoder", "latent_sample", "sample")]
    parts += [_no_text(), _network(network, timesteps, multiple_of)]
    with staged_folder(target, options.replace) as folder:
        write_json(folder / "model_index.json", {"_class_name": "MeanRevertingPipeline"})
        scheduler = {"_class_name": "IRSDE", "max_sigma": max_sigma, "T": timesteps, "schedule": "cosine", "eps": eps}
        write_json(folder / "scheduler/scheduler_config.json", scheduler)
        # The channels of the blocks do not matter; their number says how often a side is halved.
        blocks = {"block_out_channels": [1] * (halvings + 1), "cross_attention_dim": 1, "sample_size": side}
        write_json(folder / "unet/config.json", {"in_channels": 3, "out_channels": 3, **blocks})
        # (x + 1) / 2: pictures are from -1 to 1 for a VAE, and from 0 to 1 for the network.
        scaling = {"latent_channels": 3, "scaling_factor": 0.5, "shift_factor": -1}
        write_json(
            folder / "vae/config.json",
            {"_class_name": "AutoencoderKL", "block_out_channels": [1], **scaling},
        )
        text = {"hidden_size": 1, "max_position_embeddings": _TOKENS, "num_hidden_layers": 1}
        write_json(folder / "text_encoder/config.json", text)
        write_tokenizer(folder / "tokenizer")
        write_json(folder / "millrace.json", {"description": description[:1000]} if description else {})
        return write_parts([part.name for part in parts], iter(parts), folder, options, progress)


class _Network(nn.Module):
    """The network with its inputs in the order of a U-Net. It takes no prompt."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(
        self, sample: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, mean: torch.Tensor
    ) -> torch.Tensor:
        # Zero, and used all the same: the exporter drops inputs that are not, and a U-Net has this one.
        nothing = 0 * text.sum(dim=1)[:, :, None, None]
        return self.network(sample, mean, timestep) + nothing


class _NoText(nn.Module):
    """Gives the same zero for all texts, since the network takes no prompt."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return (ids * 0).float().unsqueeze(-1)


def _network(network: nn.Module, last: int, step: int) -> Part:
    def draw(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
        return torch.rand(shape, generator=random) * last

    least = max(step, 4)
    return Part(
        name="unet",
        network=_Network(network).eval(),
        inputs=(
            Input("sample", _PIXELS, _values),
            Input("timestep", ("batch",), draw),
            Input("encoder_hidden_states", ("batch", "sequence", 1), normal),
            Input("mean", _PIXELS, _values),
        ),
        outputs={"out_sample": _PIXELS},
        dtype=torch.float32,
        trace_lengths={"batch": 2, "sequence": _TOKENS, "height": 2 * least, "width": 2 * least},
        check_lengths=(
            {"batch": 1, "sequence": _TOKENS, "height": 2 * least, "width": 2 * least},
            {"batch": 3, "sequence": _TOKENS, "height": 2 * least, "width": 3 * least},
        ),
    )


def _pixels(name: str, given: str, result: str) -> Part:
    """The place of half a VAE: pictures are their own latents."""
    return Part(
        name=name,
        network=nn.Identity(),
        inputs=(Input(given, _PIXELS, _values),),
        outputs={result: _PIXELS},
        dtype=torch.float32,
        trace_lengths={"batch": 2, "height": 8, "width": 8},
        check_lengths=({"batch": 1, "height": 8, "width": 8}, {"batch": 3, "height": 8, "width": 12}),
    )


def _no_text() -> Part:
    def tokens(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
        return torch.randint(0, 49408, shape, generator=random)

    return Part(
        name="text_encoder",
        network=_NoText(),
        inputs=(Input("input_ids", ("batch", _TOKENS), tokens),),
        outputs={"last_hidden_state": ("batch", _TOKENS, 1)},
        dtype=torch.float32,
        trace_lengths={"batch": 2},
        check_lengths=({"batch": 1}, {"batch": 3}),
    )


def _values(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, generator=random)
