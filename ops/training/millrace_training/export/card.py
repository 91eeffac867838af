"""The model card: purpose, training data, figures and limits of the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2

from ..data.sources import COMMON_WORDS_PACKAGE, PHOTO_PACKAGES, STAMP_PACKAGE, WORDS_PACKAGE
from ..moods import MOOD_NAMES
from ..prompts.free_text import FREE_TEXT
from ..run_folder import RunFolder
from ..targets import looks_of
from ..unet.model import LATENT_SCALE

_HEAD = """# millrace-styles

A small model that restyles live video from text prompts, in the diffusers layout with ONNX graphs. It is part of Millrace,
so that it can paint camera pictures without a GPU, a download or an account. Apache-2.0, like Millrace itself.

## What it does

A prompt names one of {style_count} styles, one of {mood_count} moods, or one of each, in many wordings, misspelt or not, and with
any subject ("a van gogh painting of a street, warm colors"). Beside a style or mood, subjects and quality words are accepted and
ignored. A prompt that names none ("a cathedral", "hogwarts", "batman") gets the style that is nearest in meaning:
its own states often lie between several looks, so Millrace takes those of the name that `text_encoder/classifier.json` finds
(with other software, use that name as the prompt).
An empty prompt, "photo" and characters that nobody means anything by return the picture. Prompts may be mixed: a mixture of two
embeddings gives a mixture of the pictures.

* Styles: {styles}
* Moods: {moods}
* One step at t_index 12 to 28 gives the full style; from 28 to 48 it fades into the photo: `strength` uses this.
  Place later steps after 28: there the model treats its input as already styled, and finishes it: thick paint in raking
  light, cross hatching, printed dots. One step draws the style, two to four also draw its finish.
  `millrace.json` holds one-click styles and the defaults: 256x256, one step, strength 0.5.
* Width and height must be multiples of 8; it was trained for 256x256.

## Shape

| part | class | parameters |
|---|---|---|
| autoencoder | `AutoencoderTiny`, factor 4, 32 channels, 4 latent channels, `scaling_factor` {scale:g} | 0.23 M |
| U-Net | `UNet2DConditionModel` (48, 64, 96, 128), one layer per block and three at full size, cross-attention at 1/32 of the picture's side, `addition_embed_type: text`, `prediction_type: sample` | 5.7 M |
| text encoder | `CLIPTextModel`, 2 layers, width 96, 77 tokens; its own `CLIPTokenizer` with 8048 tokens | 0.95 M |

`text_encoder/classifier.json` tells users which style and mood a prompt names, and whether they are only the nearest in meaning:
three linear layers on the encoder's states (`python -m millrace_training.text.classifier` fits them, and prints how often they are
right).

The schedule is Stable Diffusion's with LCM steps. Weights are stored as float16 and cast to float32 when they are loaded; all
computation is in float32. The ONNX graphs of the U-Net and the text encoder read their large weights from the safetensors files in
their folders: keep them together. Pairs of convolutions with nothing between them, at the beginning of the encoder and the
end of the decoder, are merged in the graphs.

## Limits

It learned filters, not drawing: it recolours and redraws what it sees, and adds no objects: "a robot" is whoever is there in
chrome. Rare words get a style, but not always a fitting one. A style
that is named only behind about fifty other tokens of a part of 77 may be missed: name it early. Lattices (bricks, pixels, stitches, printed dots, the
lines of a screen) stand still while the picture moves beneath them (strokes in
flat areas too, unless `noise` is `move`, which costs a quarter of the frames per second on two cores), and all marks keep their size in pixels: in large pictures
they are small. Moods that change little (bright, warm, cold) are weak with one step. The data had few faces. In languages other than English, it knows the names of
the styles and some eighty common words in eight languages.

## Training data

Trained from scratch with `ops/training`, on pictures of these Debian packages, with the filters and the prompt generator of that
folder. No pictures, weights or captions of other models were used, except that the looks of words come from a sentence-embedding model
(all-MiniLM-L6-v2, Apache-2.0). None of the pictures is in this folder.
The U-Net grew from one of 27 styles, 7,328 of whose 33,620 steps also used 68 frames of the animated film trailer in opencv-doc
(Megamind.avi), which the recipe no longer uses.

| package | licences |
|---|---|
"""


# Sheets of stage `montage`: suffix of the file name, name here, scale, and text of the card.
_SHEETS = (
    (
        "-styles",
        "styles.jpg",
        1.0,
        "\n## Pictures\n\nThree held-out pictures in nine styles, with one step and below with two:\n\n![A column for each style](styles.jpg)\n",
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
        "\nThe effect of further steps, in details at twice their size:\n\n![One, two and four steps, and the target](steps.jpg)\n",
    ),
)


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _styles(table: dict[str, dict[str, float]]) -> list[str]:
    columns = list(table["mean"])
    judged = ", `judge` the share that a classifier names correctly" if any(column.startswith("judge") for column in columns) else ""
    head = ["", "PSNR in dB by t_index: one step against the output of the style filter, more steps against the finished picture. `ceiling` and",
            "`finish ceiling` are for the autoencoder alone; `sharpness` is the gradient energy / that of the target. `finish [25]` is one step",
            "against the finished picture, `finish texture` the difference of contrast from it in patches of 8 x 8 pixels, of 255. `nearest`",
            f"is the share of pictures whose nearest filter is the style's{judged}.", ""]  # fmt: skip
    rows = [_row(name, [f"{row[column]:.2f}" for column in columns]) for name, row in table.items()]
    return [*head, _row("style", columns), "|---" * (len(columns) + 1) + "|", *rows]


def _prompts(figures: dict[str, Any]) -> list[str]:
    empty = ", ".join(f"{figures[key]:.1f} dB at {key.removeprefix('empty psnr ')}" for key in figures if key.startswith("empty"))
    right = figures["free text, nearest style"]
    return ["", f"An empty prompt against the photo: {empty}. Of {len(FREE_TEXT)} handwritten prompts, {right:.0%} give the right style."]


def _moods(figures: dict[str, float]) -> list[str]:
    worst = min(MOOD_NAMES, key=lambda mood: figures[mood])
    return [
        "",
        f"Moods on photos: {figures['mean']:.1f} dB from the colour change itself, at worst {figures[worst]:.1f} ({worst}); over styles"
        f" {figures['mean over styles']:.1f} dB. The nearest of all moods is the requested one in {figures['nearest']:.0%}.",
    ]


def _behaviour(figures: dict[str, Any]) -> list[str]:
    mean = figures["steadiness"]["mean"]
    restless = max((name for name in figures["steadiness"] if name != "mean"), key=lambda name: figures["steadiness"][name]["vtest"])
    most = figures["steadiness"][restless]["vtest"]
    monotone = sum(blend["monotone"] for blend in figures["blends"].values())
    return [
        "",
        f"Steadiness: a still scene with camera noise changes by {mean['still']:.2f} of 255 per frame; moving video by {mean['vtest']:.2f}"
        f" (vtest.avi) and {mean['tree']:.2f} (tree.avi) times the input's change, most with {restless}: {most:.2f}."
        f" {monotone} of {len(figures['blends'])} blends are monotone in the distance to each prompt.",
    ]


def write_card(run: RunFolder, folder: Path, name: str) -> None:
    """Write README.md into an export, with the figures of evaluation/NAME.json and the sheets NAME*.png if they exist."""
    looks = looks_of(run)
    text = _HEAD.format(
        style_count=len(looks),
        mood_count=len(MOOD_NAMES),
        styles=", ".join(looks),
        moods=", ".join(MOOD_NAMES),
        scale=LATENT_SCALE,
    )
    text += "".join(f"| {p.name} | {p.licences} |\n" for p in (*PHOTO_PACKAGES, STAMP_PACKAGE, WORDS_PACKAGE, COMMON_WORDS_PACKAGE))
    measured = run.evaluation / f"{name}.json"
    if measured.exists():
        results = json.loads(measured.read_text())
        lines = ["", "## Figures", "", "On held-out photos and videos, with fixed noise (run in ops/training, after the stages `data` to `targets`):", "",
                 "    python -m millrace_training evaluate --run RUN --model ../models/millrace-styles --pictures 2"]  # fmt: skip
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
