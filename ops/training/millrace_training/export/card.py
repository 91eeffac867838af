"""The model card: what the model does, what it was made of, how good it is, where it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2

from ..data.sources import PHOTO_PACKAGES, STAMP_PACKAGE, WORDS_PACKAGE
from ..moods import MOOD_NAMES
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from ..unet.model import LATENT_SCALE

_HEAD = """# millrace-styles

A small text-prompted restyler of live video, in the diffusers layout with ONNX graphs. It comes with Millrace, so that a
camera picture can be painted at once: with no GPU, no download and no account. Apache-2.0, like Millrace itself.

## What it does

A prompt names one of {style_count} styles, one of {mood_count} moods, or one of each, in many wordings, misspelt or not, and with
any subject ("a van gogh painting of a street, warm colors"). Subjects and quality words are accepted and ignored. An empty or
meaningless prompt gives the picture back. Prompts may be mixed: a mixture of two embeddings is a mixture of the pictures.

* Styles: {styles}
* Moods: {moods}
* One step at t_index 12 to 28 gives the full style; from 28 to 48 it fades into the photo, which is what strength uses.
  Later steps belong after 28: there the model takes what it sees for styled already, and finishes it: thick paint in raking
  light, cross hatching, printed dots, haze around neon. One step draws the style, two to four draw its finish too.
  `millrace.json` holds one-click styles and the defaults: 256x256, one step, strength 0.5.
* Width and height are multiples of 8; it was made for 256x256.

## Shape

| part | class | parameters |
|---|---|---|
| autoencoder | `AutoencoderTiny`, factor 4, 32 channels, 4 latent channels, `scaling_factor` {scale:g} | 0.23 M |
| U-Net | `UNet2DConditionModel` (48, 64, 96, 128), one layer a block and three at full size, cross-attention at 1/32 of the picture's side, `addition_embed_type: text`, `prediction_type: sample` | 5.7 M |
| text encoder | `CLIPTextModel`, 2 layers, width 96, 77 tokens; a `CLIPTokenizer` of its own with 2048 tokens | 0.38 M |

The schedule is Stable Diffusion's with LCM steps. Weights are stored as float16 and cast to float32 when they are loaded; all
sums are float32. The ONNX graphs of the U-Net and the text encoder read their large weights from the safetensors files in
their folders: keep them together. Pairs of convolutions with nothing between them, at the beginning of the encoder and the
end of the decoder, are merged in the graphs.

## Limits

It learnt filters, not drawing: it recolours and redraws what is there, and invents nothing. Unknown subjects in a prompt
change nothing. Patterns (mosaic, bricks, pixels, brush marks) stand still while the picture moves beneath them, and keep their
size in pixels: in large pictures they are small, and at 1024 some lose their way in the middle. Moods that change little
(bright, warm, cold) are drawn weakly by one step. Few faces were in the data. Words of other languages than English are known for each style's name alone.

## Made of

Trained from nothing by `ops/training`, from pictures of these Debian packages, with that folder's filters and prompt generator;
neither pictures nor weights nor captions of any other model were used. None of the pictures is part of this folder.

| package | licences |
|---|---|
"""


# Of stage `montage`: suffix of its file's name, name here, scale, and what the card says of it.
_SHEETS = (
    (
        "-styles",
        "styles.jpg",
        1.0,
        "\n## Pictures\n\nThree held-out pictures and nine styles, with one step and below with two:\n\n![A column for each style](styles.jpg)\n",
    ),
    (
        "",
        "montage.jpg",
        0.75,
        "\nHeld-out pictures, one step; the last three columns: two, three and four steps from t_index 25:\n\n"
        "![Rows are prompts, columns pictures](montage.jpg)\n",
    ),
    (
        "-steps",
        "steps.jpg",
        1.0,
        "\nWhat further steps do, in details twice their size:\n\n![One, two and four steps beside what they aim at](steps.jpg)\n",
    ),
)


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _styles(table: dict[str, dict[str, float]]) -> list[str]:
    columns = list(table["mean"])
    head = ["", "PSNR in dB by t_index: of one step against the style filter's own output, of more against the finished one; `ceiling` and",
            "`finish ceiling` are the autoencoder alone; `sharpness` is the gradient energy over the target's. `finish [25]` is one step",
            "against the finished picture, `finish texture` how far the contrast in patches of 8 x 8 pixels is from it, of 255. `nearest`",
            "is the share of pictures whose nearest filter is the style's, `judge` of those that a classifier names rightly.", ""]  # fmt: skip
    rows = [_row(name, [f"{row[column]:.2f}" for column in columns]) for name, row in table.items()]
    return [*head, _row("style", columns), "|---" * (len(columns) + 1) + "|", *rows]


def _prompts(figures: dict[str, Any]) -> list[str]:
    empty = ", ".join(f"{figures[key]:.1f} dB at {key.removeprefix('empty psnr ')}" for key in figures if key.startswith("empty"))
    right = figures["free text, nearest style"]
    return ["", f"An empty prompt against the photo: {empty}. Of 216 written prompts {right:.0%} land on the right style."]


def _moods(figures: dict[str, float]) -> list[str]:
    worst = min(MOOD_NAMES, key=lambda mood: figures[mood])
    return [
        "",
        f"Moods on photos: {figures['mean']:.1f} dB from the colour change itself, at worst {figures[worst]:.1f} ({worst}); over styles"
        f" {figures['mean over styles']:.1f} dB. The nearest of all moods is the one asked for in {figures['nearest']:.0%}.",
    ]


def _behaviour(figures: dict[str, Any]) -> list[str]:
    mean = figures["steadiness"]["mean"]
    restless = max((name for name in figures["steadiness"] if name != "mean"), key=lambda name: figures["steadiness"][name]["vtest"])
    most = figures["steadiness"][restless]["vtest"]
    monotone = sum(blend["monotone"] for blend in figures["blends"].values())
    return [
        "",
        f"Steadiness: a still scene with camera noise changes by {mean['still']:.2f} of 255 a frame; moving video by {mean['vtest']:.2f}"
        f" (vtest.avi) and {mean['tree']:.2f} (tree.avi) times the input's change, most with {restless}: {most:.2f}."
        f" {monotone} of {len(figures['blends'])} blends are monotone in the distance to each end.",
    ]


def write_card(run: RunFolder, folder: Path, name: str) -> None:
    """Write README.md into an export, with the figures of evaluation/NAME.json and the sheets NAME*.png if they are there."""
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
        results = json.loads(measured.read_text())
        lines = ["", "## Figures", "", "Held-out photos and videos, fixed noise (in ops/training, after its stages `data` to `targets`):", "",
                 "    python -m millrace_training evaluate --run RUN --model ../models/millrace-styles --pictures 6"]  # fmt: skip
        for key, render in (("styles", _styles), ("moods", _moods), ("prompts", _prompts), ("behaviour", _behaviour)):
            if key in results:
                lines += render(results[key])
        text += "\n".join(lines) + "\n"
    for suffix, file, scale, words in _SHEETS:
        sheet = run.evaluation / f"{name}{suffix}.png"
        if sheet.exists():
            image = cv2.resize(cv2.imread(str(sheet)), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / file), image, [cv2.IMWRITE_JPEG_QUALITY, 80])
            text += words
    (folder / "README.md").write_text(text)
