"""A U-Net that takes what depends on the prompt or the timestep alone, and the two small networks that compute it.

The keys and values of the prompt in all cross-attention layers are the same in every call (StreamDiffusion, section
3.5), and so is what each residual block gets from the timestep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from .errors import ExportError
from .parts import Input, Part, normal, plain_unet, unet_inputs

KEYS, TIME = "prompt_keys", "time_features"
NAMES = ["unet_keys", "unet_time", "unet"]


@dataclass
class _Given:
    """The precomputed values of the call in progress; None: layers compute their own."""

    values: torch.Tensor | None = None


class _Precomputed(nn.Module):
    """A layer, or its share of the precomputed values in place of its result."""

    def __init__(self, layer: nn.Linear, given: _Given, start: int):
        super().__init__()
        self.layer, self.given, self.start = layer, given, start
        self.out_features = layer.out_features

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        given = self.given.values
        if given is None:
            return self.layer(values)
        return given[..., self.start : self.start + self.out_features]


class _PromptKeys(nn.Module):
    """Returns keys and values of a prompt in each cross-attention layer, one after another."""

    def __init__(self, layers: list[nn.Linear]):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, prompt: torch.Tensor) -> torch.Tensor:
        return torch.cat([layer(prompt) for layer in self.layers], -1)


class _TimeFeatures(nn.Module):
    """Returns what each residual block gets from the timestep and what is added to it, one after another."""

    def __init__(self, unet: nn.Module, names: tuple[str, ...]):
        super().__init__()
        self.unet, self.names = unet, names

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        given = dict(zip(self.names, values, strict=True))
        unet = self.unet
        # Of the sample, only the type and the number of rows matter.
        like = given["timestep"].to(next(unet.parameters()).dtype)
        frequencies = unet.get_time_embed(sample=like, timestep=given["timestep"])
        embedding = unet.time_embedding(frequencies, given.get("timestep_cond"))
        added = unet.get_aug_embed(
            emb=embedding, encoder_hidden_states=given.get("encoder_hidden_states"), added_cond_kwargs=given
        )
        if added is not None:
            embedding = embedding + added
        if unet.time_embed_act is not None:
            embedding = unet.time_embed_act(embedding)
        return torch.cat(
            [
                block.time_emb_proj(embedding if block.skip_time_act else block.nonlinearity(embedding))
                for block in _time_blocks(unet)
            ],
            -1,
        )


class PrecomputedUnet(nn.Module):
    """A U-Net with precomputed values. Called by itself, that U-Net takes prompts and timesteps as before."""

    def __init__(self, unet: nn.Module):
        super().__init__()
        self.unet, self._keys, self._time = unet, _Given(), _Given()
        _replace(_prompt_places(unet), self._keys)
        _replace(_time_places(unet), self._time)

    def forward(
        self, sample: torch.Tensor, keys: torch.Tensor, time: torch.Tensor, **steering: Any
    ) -> torch.Tensor:
        self._keys.values, self._time.values = keys, time
        added = self.unet.get_aug_embed
        # The embedding of the timestep goes nowhere, so nothing needs to be added to it.
        self.unet.get_aug_embed = lambda **_: None
        try:
            # Cross-attention takes the batch size from the prompt, its keys and values from `keys`.
            return self.unet(sample, sample.new_zeros(1), keys, return_dict=False, **steering)[0]
        finally:
            self.unet.get_aug_embed = added
            self._keys.values = self._time.values = None


def precomputed_parts(unet: nn.Module, config: Mapping[str, Any], dtype: torch.dtype) -> Iterator[Part]:
    """Yield the parts in the order of `NAMES`."""
    networks = [unet]
    del unet
    # Nothing here keeps the U-Net while ONNX Runtime loads its graph. Checking a part leaves it in float32.
    yield _keys_part(networks[0].to(dtype), config, dtype)
    yield _time_part(networks[0].to(dtype), config, dtype)
    yield _rest_part(networks.pop().to(dtype), config, dtype)


# An attention or a residual block, and the name of its layer whose result is precomputed.
_Places = list[tuple[nn.Module, str]]


def _prompt_places(unet: nn.Module) -> _Places:
    """Raise ExportError if the U-Net takes prompts in another way."""
    attentions = [unet.get_submodule(name.removesuffix(".processor")) for name in unet.attn_processors]
    cross = [one for one in attentions if one.is_cross_attention]
    if not cross or any(one.norm_cross is not None for one in cross):
        raise ExportError(
            "--precompute: the U-Net has no cross-attention, or normalises prompts in it; export without this option"
        )
    return [(one, name) for one in cross for name in ("to_k", "to_v")]


def _time_blocks(unet: nn.Module) -> list[ResnetBlock2D]:
    return [one for one in unet.modules() if isinstance(one, ResnetBlock2D) and one.time_emb_proj is not None]


def _time_places(unet: nn.Module) -> _Places:
    return [(block, "time_emb_proj") for block in _time_blocks(unet)]


def _width(places: _Places) -> int:
    return sum(getattr(owner, name).out_features for owner, name in places)


def _text_lengths(batch: int, sequence: int) -> dict[str, int]:
    return {"batch": batch, "sequence": sequence}


def _keys_part(unet: nn.Module, config: Mapping[str, Any], dtype: torch.dtype) -> Part:
    places = _prompt_places(unet)
    return Part(
        name=NAMES[0],
        network=_PromptKeys([getattr(owner, name) for owner, name in places]).eval(),
        inputs=tuple(item for item in unet_inputs(config) if item.name == "encoder_hidden_states"),
        outputs={KEYS: ("batch", "sequence", _width(places))},
        dtype=dtype,
        trace_lengths=_text_lengths(2, 77),
        check_lengths=(_text_lengths(1, 77), _text_lengths(3, 154)),
    )


def _time_part(unet: nn.Module, config: Mapping[str, Any], dtype: torch.dtype) -> Part:
    # A prompt may add to the timestep: by attention over its tokens, or by its pooled embedding.
    without = ("sample",) if config["addition_embed_type"] == "text" else ("sample", "encoder_hidden_states")
    inputs = tuple(item for item in unet_inputs(config) if item.name not in without)
    return Part(
        name=NAMES[1],
        network=_TimeFeatures(unet, tuple(item.name for item in inputs)).eval(),
        inputs=inputs,
        outputs={TIME: ("batch", _width(_time_places(unet)))},
        dtype=dtype,
        trace_lengths=_text_lengths(2, 77),
        check_lengths=(_text_lengths(1, 77), _text_lengths(3, 154)),
    )


def precomputed_inputs(unet: nn.Module) -> tuple[Input, ...]:
    """Return the inputs that stand for the prompt and the timestep."""
    return (
        Input(KEYS, ("batch", "sequence", _width(_prompt_places(unet))), normal),
        Input(TIME, ("batch", _width(_time_places(unet))), normal),
    )


def _rest_part(unet: nn.Module, config: Mapping[str, Any], dtype: torch.dtype) -> Part:
    sample = next(item for item in unet_inputs(config) if item.name == "sample")
    inputs = (sample, *precomputed_inputs(unet))
    return replace(plain_unet(unet, config, dtype), network=PrecomputedUnet(unet).eval(), inputs=inputs)


def _replace(places: _Places, given: _Given) -> None:
    """Put a switch in the place of each layer, with its share of the values."""
    start = 0
    for owner, name in places:
        layer = getattr(owner, name)
        if isinstance(layer, _Precomputed):
            layer = layer.layer
        setattr(owner, name, _Precomputed(layer, given, start))
        start += layer.out_features
