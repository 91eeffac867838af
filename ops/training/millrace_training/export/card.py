"""The model card: what the model does, what it was made of, how good it is, where it fails."""

from __future__ import annotations

import json
from pathlib import Path

from ..data.sources import PHOTO_PACKAGES, STAMP_PACKAGE, WORDS_PACKAGE
from ..moods import MOOD_NAMES
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from ..unet.model import LATENT_SCALE

_HEAD = """# Millrace's embedded model

Paints live video from a prompt: {style_count} styles, {mood_count} moods, and their combinations, at any size that is a
multiple of 32 pixels. A diffusers StableDiffusionPipeline of 6 million parameters (AutoencoderTiny,
UNet2DConditionModel predicting the sample, CLIPTextModel), with ONNX graphs beside the weights. The graphs of the
U-Net and the text encoder read their large weights from the safetensors files in their folders: keep them together.

* Styles: {styles}
* Moods: {moods}
* An empty or meaningless prompt gives the picture back. Prompts may be mixed: the mean of two embeddings is a mixture of the pictures.
* One step at t_index 26 to 38 gives the full style; from 38 to 48 it fades into the photo, which is what strength uses.
  In a list of several steps the last should be 41 or more.
* Latents are scaled by {scale:g} (`vae.scaling_factor`).

## Limits

It learnt filters, not drawing: it recolours and redraws what is there, and invents nothing. Unknown subjects in a prompt
change nothing. Patterns (mosaic, bricks, pixels) stand still while the picture moves beneath them. Few faces were in the data.

## Made of

Trained from pictures of these Debian packages alone, with the filters and the prompt generator of ops/training:

| package | licences |
|---|---|
"""


def _figures(results: dict) -> str:
    """The evaluation's table as Markdown."""
    lines = [
        "\n## Figures\n",
        "Held-out photos and videos, PSNR in dB against the style filter's own output; `ceiling` is the autoencoder alone.\n",
    ]
    table = results["styles"]
    columns = list(table["mean"])
    lines += ["| style | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{row[c]:.2f}" for c in columns) + " |" for name, row in table.items()]
    if "prompts" in results:
        prompts = results["prompts"]
        lines.append(f"\nEmpty prompt, one step: {prompts['empty psnr [32]']} dB to the photo. "
                     f"Free text on the right style: {prompts['free text, nearest style']:.1%}.")  # fmt: skip
    return "\n".join(lines) + "\n"


def write_card(run: RunFolder, folder: Path, name: str) -> None:
    """Write README.md into an export, with the figures of evaluation/NAME.json if it is there."""
    text = _HEAD.format(
        style_count=len(STYLE_NAMES),
        mood_count=len(MOOD_NAMES),
        styles=", ".join(STYLE_NAMES),
        moods=", ".join(MOOD_NAMES),
        scale=LATENT_SCALE,
    )
    text += "".join(f"| {p.name} | {p.licences} |\n" for p in (*PHOTO_PACKAGES, STAMP_PACKAGE, WORDS_PACKAGE))
    measured = run.evaluation / f"{name}.json"
    if measured.exists():
        text += _figures(json.loads(measured.read_text()))
    (folder / "README.md").write_text(text)
