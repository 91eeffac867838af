"""Exports a run's tokenizer and text encoder alone into a finished model, whose other parts stay as they are.

    python -m millrace_training.export.text_part --run RUN --model ../models/millrace-styles

For an encoder that was trained with `--init` from that model: prompts that name a look keep their states, so the U-Net
knows them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from ..command import run_on_model
from ..run_folder import RunFolder
from ..text.classifier import fit_classifier
from ..text.model import load_text_encoder, load_tokenizer
from ..text.tokenizer import tokenize
from .onnx_model import open_graph
from .onnx_parts import write_text_onnx

_LARGEST = 5e-3  # difference of a state by ONNX from torch's


def export_text_part(run: RunFolder, model: Path) -> dict[str, float]:
    """Write tokenizer and text_encoder of a model; return the classifier's figures. Raises SystemExit if ONNX differs from torch."""
    for file in ("vocab.json", "merges.txt"):
        shutil.copy(run.tokenizer / file, model / "tokenizer" / file)
    encoder = load_text_encoder(run.text_encoder).half().float()
    encoder.half().save_pretrained(model / "text_encoder")
    encoder.float()
    write_text_onnx(encoder, model)
    tokens = tokenize(load_tokenizer(model / "tokenizer"), ["", "oil painting of a cat", "a robot", "猫 " * 90])
    with torch.no_grad():
        wanted = encoder(tokens).last_hidden_state
    found = torch.from_numpy(open_graph(model / "text_encoder/model.onnx").run(None, {"input_ids": tokens.numpy()})[0])
    difference = float((found - wanted).abs().max())
    if difference > _LARGEST:
        raise SystemExit(f"states by ONNX differ from torch's by {difference}")
    return {"largest difference of ONNX": difference, **fit_classifier(run, model)}


if __name__ == "__main__":
    run_on_model(__doc__, export_text_part)
