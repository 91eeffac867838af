"""The graphs of the steering, and their configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ..parts import Input, Part, Plain, Shape, normal, unet_inputs, unet_step
from ..precompute import PrecomputedUnet, precomputed_inputs
from .controls import Control
from .ip_adapter import IpAdapter
from .unet import Steering, SteeredUnet


def steering_names(steering: Steering) -> list[str]:
    """Return the names of the graphs in the order of `steering_parts`."""
    encoder = ["image_encoder"] if steering.ip_adapter is not None else []
    return [*(f"controls/{control.name}" for control in steering.controls), *encoder, "unet_steered"]


def steering_parts(
    steering: Steering, unet: nn.Module, pixels: int, dtype: torch.dtype, precompute: bool = False
) -> Iterator[Part]:
    """Yield the parts one by one. The last changes the attention of the U-Net.

    pixels: side of the picture / side of the latent.
    precompute: whether the U-Net takes precomputed values. ControlNets take prompts and timesteps in any case.
    """
    networks, side = [unet], pixels * unet_step(unet.config)
    del unet
    for control in steering.controls:
        yield _hint(control, side, dtype)
    if steering.ip_adapter is not None:
        yield _image_encoder(steering.ip_adapter, dtype)
    # Nothing here keeps the U-Net while ONNX Runtime loads its graph.
    yield _steered_unet(steering, networks.pop().to(dtype), dtype, precompute)


def steering_config(steering: Steering) -> dict[str, Any]:
    """Return what the server has to know of the graphs: unet_steered/config.json."""
    adapter = steering.ip_adapter
    return {
        "controls": [
            {
                "name": control.name,
                "type": control.type,
                "preprocessor": control.preprocessor,
                "features": [{"channels": one.channels, "divisor": one.divisor} for one in control.features],
            }
            for control in steering.controls
        ],
        "ip_adapter": None
        if adapter is None
        else {
            "tokens": adapter.tokens,
            "image_size": adapter.image_size,
            "image_mean": list(adapter.image_mean),
            "image_std": list(adapter.image_std),
            "layers": list(adapter.blocks),
        },
        "attention_bank": {
            "layers": [{"name": one.name, "divisor": one.divisor, "width": one.width} for one in steering.bank]
        }
        if steering.bank
        else None,
    }


def _hint(control: Control, side: int, dtype: torch.dtype) -> Part:
    """side: the least side of a picture, in pixels, that all blocks of the U-Net can halve."""
    return Part(
        name=f"controls/{control.name}",
        network=control.hint.to(dtype),
        inputs=(Input("image", ("batch", 3, "height", "width"), _unit),),
        outputs={
            f"feature_{k}": ("batch", feature.channels, f"feature_height_{k}", f"feature_width_{k}")
            for k, feature in enumerate(control.features)
        },
        dtype=dtype,
        trace_lengths={"batch": 2, "height": 2 * side, "width": 2 * side},
        check_lengths=(
            {"batch": 1, "height": 2 * side, "width": 2 * side},
            {"batch": 3, "height": 2 * side, "width": 3 * side},
        ),
    )


def _image_encoder(adapter: IpAdapter, dtype: torch.dtype) -> Part:
    size = adapter.image_size
    tokens: Shape = ("batch", adapter.tokens, adapter.width)
    return Part(
        name="image_encoder",
        network=adapter.encoder.to(dtype),
        inputs=(Input("pixel_values", ("batch", 3, size, size), normal),),
        outputs={"image_tokens": tokens, "negative_image_tokens": tokens},
        dtype=dtype,
        trace_lengths={"batch": 2},
        check_lengths=({"batch": 1}, {"batch": 3}),
    )


class _Named(nn.Module):
    """A network that takes its values by name."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]):
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *values: torch.Tensor) -> Any:
        return self.network(dict(zip(self.names, values, strict=True)))


def _steered_unet(steering: Steering, unet: nn.Module, dtype: torch.dtype, precompute: bool) -> Part:
    config = unet.config
    step = unet_step(config)
    networks = [control.network for control in steering.controls if control.network is not None]
    plain = tuple(item for item in unet_inputs(config) if networks or not precompute or item.name == "sample")
    ahead = precomputed_inputs(unet) if precompute else ()
    inputs = (*plain, *ahead, *_steering_inputs(steering))
    steered = SteeredUnet(unet, steering, PrecomputedUnet(unet) if precompute else None).eval().to(dtype)

    def lengths(batch: int, sequence: int, height: int, width: int, slots: int) -> dict[str, int]:
        sides = {"batch": batch, "sequence": sequence, "slots": slots}
        for divisor in _divisors(steering):
            rows, columns = -(-height // divisor), -(-width // divisor)
            sides |= dict(zip(_sides(divisor), (rows, columns), strict=True))
            sides[f"positions_{divisor}"] = rows * columns
        return sides

    return Part(
        name="unet_steered",
        network=_Named(steered, tuple(item.name for item in inputs)).eval(),
        inputs=inputs,
        outputs={
            "out_sample": ("batch", config["out_channels"], "height", "width"),
            **{
                f"bank_{index}_out": ("batch", 2, f"positions_{layer.divisor}", layer.width)
                for index, layer in enumerate(steering.bank)
            },
        },
        dtype=dtype,
        trace_lengths=lengths(2, 77, 2 * step, 2 * step, 2),
        check_lengths=(lengths(1, 77, 2 * step, 2 * step, 0), lengths(3, 154, 2 * step, 3 * step, 3)),
        upcast_attention=any(bool(one["upcast_attention"]) for one in (config, *(n.config for n in networks))),
        plain=Plain(
            zeros=tuple(item.name for item in inputs if item.name.endswith("_scale") or item.name == "bank_mask"),
            call=steered.plain,
        ),
        # T2I-Adapters cost nothing in each step.
        switches=tuple(
            f"control_{index}_scale" for index, control in enumerate(steering.controls) if control.network is not None
        ),
    )


def _steering_inputs(steering: Steering) -> Iterator[Input]:
    for index, control in enumerate(steering.controls):
        for k, feature in enumerate(control.features):
            shape: Shape = ("batch", feature.channels, *_sides(feature.divisor))
            yield Input(f"control_{index}_feature_{k}", shape, normal)
        yield Input(f"control_{index}_scale", ("batch",), _unit)
    adapter = steering.ip_adapter
    if adapter is not None:
        yield Input("image_tokens", ("batch", adapter.tokens, adapter.width), normal)
        yield Input("ip_adapter_scale", ("batch", len(adapter.layers)), _unit)
    for index, layer in enumerate(steering.bank):
        yield Input(f"bank_{index}", ("batch", "slots", 2, f"positions_{layer.divisor}", layer.width), normal)
    if steering.bank:
        yield Input("bank_mask", ("batch", "slots"), _mask)


def _divisors(steering: Steering) -> set[int]:
    features = [feature for control in steering.controls for feature in control.features]
    return {1, *(one.divisor for one in features), *(one.divisor for one in steering.bank)}


def _sides(divisor: int) -> tuple[str, str]:
    """Return the names of the axes of a map."""
    return ("height", "width") if divisor == 1 else (f"height_{divisor}", f"width_{divisor}")


def _unit(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, generator=random)


def _mask(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    return torch.randint(0, 2, shape, generator=random).float()
