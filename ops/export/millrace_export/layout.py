"""Writes the files of a model folder other than its graphs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers

from .source import Model


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_layout(model: Model, folder: Path, settings: Mapping[str, Any]) -> None:
    """Write model_index.json, configurations, scheduler, tokenizers, and millrace.json with `settings`."""
    networks = {"unet": model.unet, "vae_encoder": model.vae, "vae_decoder": model.vae}
    encoders = {"text_encoder": model.text_encoder, "text_encoder_2": model.text_encoder_2}
    for name, network in networks.items():
        write_json(folder / name / "config.json", _without_places(json.loads(network.to_json_string())))
    for name, encoder in encoders.items():
        if encoder is not None:
            write_json(folder / name / "config.json", _without_places(encoder.config.to_dict()))
    for name in ("scheduler", "tokenizer", "tokenizer_2"):
        if getattr(model, name) is not None:
            getattr(model, name).save_pretrained(folder / name)
    index: dict[str, Any] = {"_class_name": model.pipeline, "_diffusers_version": diffusers.__version__}
    for name in ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"):
        part = getattr(model, name)
        if part is not None:
            library = "diffusers" if name in ("unet", "vae", "scheduler") else "transformers"
            index[name] = [library, type(part).__name__]
    write_json(folder / "model_index.json", index)
    write_json(folder / "millrace.json", settings)


def _without_places(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without the path that it was read from."""
    return {
        key: value
        for key, value in config.items()
        if key not in ("_name_or_path", "_use_default_values", "_attn_implementation_autoset")
    }
