"""Loads all that steers a model."""

from __future__ import annotations

import torch

from ..parts import latent_factor, vae_blocks
from ..source import Model
from .controls import load_controlnet, load_t2i_adapter
from .ip_adapter import load_ip_adapter
from .request import SteeringRequest
from .unet import Steering, bank_layers


def load_steering(request: SteeringRequest, model: Model, dtype: torch.dtype) -> Steering | None:
    """Load what is asked for, None if that is nothing. Raises ExportError if a part does not fit the model."""
    if request.is_empty:
        return None
    unet, pixels = model.unet, pixels_of(model)
    bank = bank_layers(unet, request.attention_bank)
    controls = (
        *(load_controlnet(one, unet, pixels, dtype) for one in request.controlnets),
        *(load_t2i_adapter(one, unet, pixels, dtype) for one in request.t2i_adapters),
    )
    place = request.ip_adapter
    adapter = None if place is None else load_ip_adapter(place, request.image_encoder, unet, dtype)
    return Steering(controls, adapter, bank)


def pixels_of(model: Model) -> int:
    """Return the side of the picture / the side of the latent."""
    return latent_factor(vae_blocks(model.vae.config))
