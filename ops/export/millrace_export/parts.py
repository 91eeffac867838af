"""The networks of a model: inputs and outputs of each graph, with the names of optimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .source import Model

Values = dict[str, torch.Tensor]
# An axis is a fixed length, or the name of a free axis.
Shape = tuple[int | str, ...]
Draw = Callable[[tuple[int, ...], torch.Generator], torch.Tensor]


def normal(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=random)


def _bytes(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)


def _timesteps(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randint(0, 1000, shape, generator=random)


def _sizes(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randint(0, 128, shape, generator=random) * 8.0


@dataclass(frozen=True)
class Input:
    name: str
    shape: Shape
    draw: Draw


@dataclass(frozen=True)
class Plain:
    """What the first output must be when these inputs are zero."""

    zeros: tuple[str, ...]
    call: Callable[[Values], torch.Tensor]


@dataclass(frozen=True)
class Part:
    """One graph: `network` takes the inputs in order and returns the outputs in order."""

    name: str
    network: nn.Module
    inputs: tuple[Input, ...]
    outputs: Mapping[str, Shape]
    # Type of the weights and the computation, and of inputs and outputs that are not integers.
    dtype: torch.dtype
    # Lengths of the free axes for tracing, and for each check.
    trace_lengths: Mapping[str, int]
    check_lengths: tuple[Mapping[str, int], ...]
    upcast_attention: bool = False
    # Another way to the first output, which the check compares with too.
    plain: Plain | None = None
    # The same outputs, but bytes before they are rounded: the check compares with these.
    unrounded: nn.Module | None = None
    # Inputs that scale a part of the network, which does not run if they are 0 for all rows.
    switches: tuple[str, ...] = ()

    def draw(self, lengths: Mapping[str, int], random: torch.Generator) -> Values:
        """Return random inputs: integers, or numbers of the part's type."""
        values = {}
        for item in self.inputs:
            shape = tuple(lengths[axis] if isinstance(axis, str) else axis for axis in item.shape)
            value = item.draw(shape, random)
            values[item.name] = value.to(self.dtype) if value.is_floating_point() else value
        return values

    @property
    def dynamic_axes(self) -> dict[str, dict[int, str]]:
        shapes = {item.name: item.shape for item in self.inputs} | dict(self.outputs)
        return {
            name: {i: axis for i, axis in enumerate(shape) if isinstance(axis, str)} for name, shape in shapes.items()
        }


class _Call(nn.Module):
    """A network whose forward is `call(network, *inputs)`."""

    def __init__(self, network: nn.Module, call: Callable[..., Any]):
        super().__init__()
        self.network, self.call = network, call

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.call(self.network, *inputs)


def part_names(model: Model) -> list[str]:
    """Return the names in the order of export: small parts first, so that their errors show early."""
    second = ["text_encoder_2"] if model.text_encoder_2 is not None else []
    return ["vae_encoder", "vae_decoder", "text_encoder", *second, "unet"]


UnetParts = Callable[[nn.Module, Mapping[str, Any], torch.dtype], Iterator[Part]]


def take_parts(model: Model, half: bool, unet_parts: UnetParts | None = None) -> Iterator[Part]:
    """Yield the parts one by one. Removes each network from the model, to free its memory after its last part.

    unet_parts: makes other parts of the U-Net, in place of the plain one.
    half: compute in float16, except an SDXL VAE with `force_upcast` (which is also the default in configurations of
    other models, but their pipelines ignore it).
    """
    dtype = torch.float16 if half else torch.float32
    unet_config, vae_config = model.unet.config, model.vae.config
    vae = model.take("vae")
    vae_dtype = torch.float32 if model.is_xl and vae_config.get("force_upcast", False) else dtype
    yield _vae_encoder(vae.to(vae_dtype), vae_dtype)
    # Checking a part leaves its network in float32.
    yield _vae_decoder(vae.to(vae_dtype), vae_dtype)
    del vae
    for name in ("text_encoder", "text_encoder_2"):
        if getattr(model, name) is not None:
            yield _text_encoder(name, model.take(name).to(dtype), dtype)
    if unet_parts is not None:
        yield from unet_parts(model.take("unet"), unet_config, dtype)
    else:
        yield plain_unet(model.take("unet").to(dtype), unet_config, dtype)


def latent_factor(blocks: int) -> int:
    """Return the pixels per latent value after this many blocks; all but one are followed by a downsampling by 2."""
    return 2 ** (blocks - 1)


def vae_blocks(config: Mapping[str, Any]) -> int:
    return len(config.get("encoder_block_out_channels") or config["block_out_channels"])


def unet_inputs(config: Mapping[str, Any]) -> tuple[Input, ...]:
    image: Shape = ("batch", config["in_channels"], "height", "width")
    inputs = [
        Input("sample", image, normal),
        Input("timestep", ("batch",), _timesteps),
        Input("encoder_hidden_states", ("batch", "sequence", config["cross_attention_dim"]), normal),
    ]
    if config["addition_embed_type"] == "text_time":
        time_width = 6 * config["addition_time_embed_dim"]
        inputs += [
            Input("text_embeds", ("batch", config["projection_class_embeddings_input_dim"] - time_width), normal),
            Input("time_ids", ("batch", 6), _sizes),
        ]
    if config["time_cond_proj_dim"] is not None:
        inputs.append(Input("timestep_cond", ("batch", config["time_cond_proj_dim"]), normal))
    return tuple(inputs)


def unet_step(config: Mapping[str, Any]) -> int:
    """Return the least side of a latent that the graphs are traced and checked with: all blocks can halve it."""
    return max(latent_factor(len(config["block_out_channels"])), 4)


def plain_unet(unet: nn.Module, config: Mapping[str, Any], dtype: torch.dtype) -> Part:
    inputs = unet_inputs(config)
    names = [item.name for item in inputs]

    def call(network: nn.Module, *values: torch.Tensor) -> torch.Tensor:
        given = dict(zip(names, values, strict=True))
        added = {name: given.pop(name) for name in ("text_embeds", "time_ids") if name in given}
        return network(**given, added_cond_kwargs=added or None, return_dict=False)[0]

    step = unet_step(config)
    return Part(
        name="unet",
        network=_Call(unet, call).eval(),
        inputs=inputs,
        outputs={"out_sample": ("batch", config["out_channels"], "height", "width")},
        dtype=dtype,
        trace_lengths={"batch": 2, "sequence": 77, "height": 2 * step, "width": 2 * step},
        check_lengths=(
            {"batch": 1, "sequence": 77, "height": 2 * step, "width": 2 * step},
            {"batch": 3, "sequence": 154, "height": 2 * step, "width": 3 * step},
        ),
        upcast_attention=bool(config["upcast_attention"]),
    )


# Pictures are bytes: a server moves a quarter of the data, and scales nothing itself.
_PICTURE: Shape = ("batch", "height", "width", 3)


def _vae_encoder(vae: nn.Module, dtype: torch.dtype) -> Part:
    def call(network: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
        # Bytes are moved faster than floats.
        values = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        encoded = network.encode(values.to(network.dtype), return_dict=False)[0]
        # The mean of the distribution, since a random sample would flicker.
        return encoded if isinstance(encoded, torch.Tensor) else encoded.mode()

    factor = latent_factor(vae_blocks(vae.config))
    return Part(
        name="vae_encoder",
        network=_Call(vae, call).eval(),
        inputs=(Input("sample", _PICTURE, _bytes),),
        outputs={"latent_sample": ("batch", vae.config.latent_channels, "latent_height", "latent_width")},
        dtype=dtype,
        trace_lengths={"batch": 2, "height": 8 * factor, "width": 8 * factor},
        check_lengths=(
            {"batch": 1, "height": 8 * factor, "width": 8 * factor},
            {"batch": 3, "height": 8 * factor, "width": 12 * factor},
        ),
    )


def _vae_decoder(vae: nn.Module, dtype: torch.dtype) -> Part:
    def levels(network: nn.Module, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return levels from 0 to 255, and the means of the values by channel: bytes would not show NaN."""
        values = network.decode(latent, return_dict=False)[0].float()
        return (values / 2 + 0.5).clamp(0, 1) * 255, values.mean((2, 3), keepdim=True)

    def unrounded(network: nn.Module, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        planes, mean = levels(network, latent)
        return planes.permute(0, 2, 3, 1), mean

    def rounded(network: nn.Module, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        planes, mean = levels(network, latent)
        # The conversion cuts off the fraction.
        return (planes + 0.5).to(torch.uint8).permute(0, 2, 3, 1), mean

    return Part(
        name="vae_decoder",
        network=_Call(vae, rounded).eval(),
        unrounded=_Call(vae, unrounded).eval(),
        inputs=(
            Input("latent_sample", ("batch", vae.config.latent_channels, "latent_height", "latent_width"), normal),
        ),
        outputs={"sample": _PICTURE, "sample_mean": ("batch", 3, 1, 1)},
        dtype=dtype,
        trace_lengths={"batch": 2, "latent_height": 8, "latent_width": 8},
        check_lengths=(
            {"batch": 1, "latent_height": 8, "latent_width": 8},
            {"batch": 3, "latent_height": 8, "latent_width": 12},
        ),
    )


def _text_encoder(name: str, encoder: nn.Module, dtype: torch.dtype) -> Part:
    """Other outputs are the hidden states N - 1 (the condition of SDXL) and N (before the last norm) of N layers."""
    config = encoder.config
    length, width, layers = config.max_position_embeddings, config.hidden_size, config.num_hidden_layers
    sequence: Shape = ("batch", length, width)
    projects = hasattr(encoder, "text_projection")
    first = {"text_embeds": ("batch", config.projection_dim)} if projects else {}
    last = {} if projects else {"pooler_output": ("batch", width)}
    outputs: dict[str, Shape] = first | {"last_hidden_state": sequence} | last
    outputs |= {f"hidden_states.{layer}": sequence for layer in (layers - 1, layers)}
    # The encoder's own attention in plain operators, softmax in float32.
    encoder.set_attn_implementation("eager")

    def call(network: nn.Module, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        result = network(input_ids=ids, output_hidden_states=True)
        pooled = (
            (result.text_embeds, result.last_hidden_state)
            if projects
            else (result.last_hidden_state, result.pooler_output)
        )
        return (*pooled, *result.hidden_states[-2:])

    def tokens(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
        """Return prompts of random length: words, then end tokens as end and padding."""
        rows, columns = shape
        end = config.vocab_size - 1
        ids = torch.randint(0, end - 1, shape, generator=random)
        ends = torch.randint(1, columns, (rows, 1), generator=random)
        return torch.where(torch.arange(columns)[None] < ends, ids, end)

    return Part(
        name=name,
        network=_Call(encoder, call).eval(),
        inputs=(Input("input_ids", ("batch", length), tokens),),
        outputs=outputs,
        dtype=dtype,
        trace_lengths={"batch": 2},
        check_lengths=({"batch": 1}, {"batch": 3}),
    )
