"""Writes diffusers models as single checkpoints, with the names of the original code (after diffusers' own script)."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]

_UNET_ENDS = {
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
    "mid_block.attentions.0.": "middle_block.1.",
    "mid_block.resnets.0.": "middle_block.0.",
    "mid_block.resnets.1.": "middle_block.2.",
}
_RESNET = {
    "norm1.": "in_layers.0.",
    "conv1.": "in_layers.2.",
    "norm2.": "out_layers.0.",
    "conv2.": "out_layers.3.",
    "time_emb_proj.": "emb_layers.1.",
    "conv_shortcut.": "skip_connection.",
}
_VAE_ATTENTION = {"group_norm.": "norm.", "to_q.": "q.", "to_k.": "k.", "to_v.": "v.", "to_out.0.": "proj_out."}


def save_checkpoint(pipe: StableDiffusionPipeline, path: Path) -> Path:
    """Write a Stable Diffusion 1.x pipeline as one file."""
    unet, vae = pipe.unet.config, pipe.vae.config
    tensors: Tensors = {}
    for name, value in pipe.unet.state_dict().items():
        tensors[f"model.diffusion_model.{_unet_name(name, len(unet.block_out_channels), unet.layers_per_block)}"] = (
            value
        )
    for name, value in pipe.vae.state_dict().items():
        new = _vae_name(name, len(vae.block_out_channels))
        is_attention = ".attn_1." in new and new.endswith("weight") and value.ndim == 2
        tensors[f"first_stage_model.{new}"] = value[:, :, None, None] if is_attention else value
    for name, value in pipe.text_encoder.state_dict().items():
        tensors[f"cond_stage_model.transformer.{name}"] = value
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    return path


def _unet_name(name: str, blocks: int, layers: int) -> str:
    prefixes = dict(_UNET_ENDS)
    for i in range(blocks):
        for j in range(layers):
            prefixes[f"down_blocks.{i}.resnets.{j}."] = f"input_blocks.{(layers + 1) * i + j + 1}.0."
            prefixes[f"down_blocks.{i}.attentions.{j}."] = f"input_blocks.{(layers + 1) * i + j + 1}.1."
        prefixes[f"down_blocks.{i}.downsamplers.0.conv."] = f"input_blocks.{(layers + 1) * (i + 1)}.0.op."
        for j in range(layers + 1):
            prefixes[f"up_blocks.{i}.resnets.{j}."] = f"output_blocks.{(layers + 1) * i + j}.0."
            prefixes[f"up_blocks.{i}.attentions.{j}."] = f"output_blocks.{(layers + 1) * i + j}.1."
        # The first up block has no attention.
        prefixes[f"up_blocks.{i}.upsamplers.0."] = f"output_blocks.{(layers + 1) * i + layers}.{1 if i == 0 else 2}."
    return _renamed(name, prefixes, _RESNET if ".resnets." in name else {})


def _vae_name(name: str, blocks: int) -> str:
    prefixes = {}
    for side in ("encoder", "decoder"):
        prefixes[f"{side}.conv_norm_out."] = f"{side}.norm_out."
        prefixes[f"{side}.mid_block.attentions.0."] = f"{side}.mid.attn_1."
        for j in range(2):
            prefixes[f"{side}.mid_block.resnets.{j}."] = f"{side}.mid.block_{j + 1}."
    for i in range(blocks):
        prefixes[f"encoder.down_blocks.{i}.downsamplers.0."] = f"encoder.down.{i}.downsample."
        prefixes[f"decoder.up_blocks.{i}.upsamplers.0."] = f"decoder.up.{blocks - 1 - i}.upsample."
        for j in range(3):
            prefixes[f"encoder.down_blocks.{i}.resnets.{j}."] = f"encoder.down.{i}.block.{j}."
            prefixes[f"decoder.up_blocks.{i}.resnets.{j}."] = f"decoder.up.{blocks - 1 - i}.block.{j}."
    return _renamed(
        name, prefixes, {"conv_shortcut.": "nin_shortcut."} | (_VAE_ATTENTION if ".attentions." in name else {})
    )


def _renamed(name: str, prefixes: dict[str, str], inner: dict[str, str]) -> str:
    for old, new in prefixes.items():
        if name.startswith(old):
            name = new + name.removeprefix(old)
            break
    for old, new in inner.items():
        name = name.replace(f".{old}", f".{new}")
    return name
