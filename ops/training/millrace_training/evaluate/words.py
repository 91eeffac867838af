"""Stage `words`: whether prompts that name no look do something fitting.

Three judges: how much the picture differs from the empty prompt's; the looks that a person accepts; the teacher, by how near
the prompt is to the sentences that describe the look that it got.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw

from ..moods import MOOD_NAMES
from ..parallel import pick_device
from ..pictures import psnr
from ..prompts.descriptions import LOOK_DESCRIPTIONS
from ..prompts.languages import TRANSLATIONS
from ..prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from ..prompts.written import NOISE, WRITTEN
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from ..text.teacher import Teacher
from ..text.unnamed import read_meanings
from ..unet.schedule import DEFAULT_INDEX
from .model import FinishedModel

_MOST_ALIKE = 25.0  # dB from the empty prompt's picture
_NEAR = 5  # a look fits by its description if it is among this many nearest
_PICTURES = (1, 6)  # held-out pictures that each prompt is drawn on
_MEANINGLESS = {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "Cc", "Cf", "Mc", "Me", "Mn"}  # Unicode categories
_LEAST_SHARE = 0.1  # a less probable style is not near, if none is likelier
_SHOWN, _COLUMNS, _TILE = 40, 8, 160


class Read(NamedTuple):
    """What classifier.json makes of a prompt."""

    text: str
    style: str | None
    mood: str | None
    nearest: bool  # whether they are only near in meaning

    @property
    def look(self) -> str | None:
        return self.style or self.mood

    @property
    def drawn(self) -> str:
        """The prompt that a server draws: what is only near in meaning by its name."""
        phrases = [STYLE_PHRASES[self.style][0] if self.style else "", MOOD_PHRASES[self.mood][0] if self.mood else ""]
        return ", ".join(phrase for phrase in phrases if phrase) if self.nearest else self.text


def _is_meaningless(text: str) -> bool:
    return all(c.isspace() or unicodedata.category(c) in _MEANINGLESS for c in text)


def _has_style(text: str) -> bool:
    def words(value: str) -> str:
        return f" {' '.join(re.split(r'[^a-z0-9]+', value.lower()))} "

    return any(words(STYLE_PHRASES[name][0]) in words(text) for name in STYLE_NAMES)


def read_prompts(model: FinishedModel, folder: Path, prompts: list[str]) -> list[Read]:
    """Return what a server makes of each prompt.

    As in src/model/prompt-classifier.ts: if something is near and neither a style nor a mood is likely, it is the style;
    nothing is near to punctuation, or to a text that has a style's name in it.
    """
    groups = {g["kind"]: g for g in json.loads((folder / "text_encoder/classifier.json").read_text())["groups"]}
    pooled = torch.cat([model.embed(prompts[i : i + 50]).mean(1) for i in range(0, len(prompts), 50)]).cpu()

    def logits(kind: str) -> torch.Tensor:
        return pooled @ torch.tensor(groups[kind]["weight"]).T + torch.tensor(groups[kind]["bias"])

    styles, moods = logits("style").softmax(-1), logits("mood").argmax(-1).tolist()
    nearest = logits("nearest").argmax(-1).tolist() if "nearest" in groups else [0] * len(prompts)
    shares, best = (column.tolist() for column in styles[:, 1:].max(-1))
    read = []
    for text, style, share, likeliest, mood, told in zip(prompts, styles.argmax(-1).tolist(), shares, best, moods, nearest):
        is_nearest = bool(told) and not _is_meaningless(text) and not _has_style(text) and bool(style or mood or share >= _LEAST_SHARE)
        chosen = likeliest + 1 if is_nearest and not mood else style
        read.append(Read(text, STYLE_NAMES[chosen - 1] if chosen else None, MOOD_NAMES[mood - 1] if mood else None, is_nearest))
    return read


def described_looks(prompts: list[str]) -> list[list[str]]:
    """Return the looks whose descriptions are nearest to each prompt by the teacher, among those that it is nearer to than usual."""
    teacher = Teacher()
    near = teacher.embed(prompts) @ teacher.embed([LOOK_DESCRIPTIONS[name] for name in STYLE_NAMES]).T
    near = (near - near.mean(0)) / near.std(0)
    return [[STYLE_NAMES[i] for i in row[:_NEAR]] for row in np.argsort(-near, 1)]


def _alike(model: FinishedModel, photos: np.ndarray, prompts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how alike each prompt's pictures are with the empty prompt's, in dB [N], and the pictures [N, P, H, W, 3]."""
    plain = model.draw(photos, model.embed([""]), [DEFAULT_INDEX])
    drawn = np.stack([model.draw(photos, model.embed([prompt]), [DEFAULT_INDEX]) for prompt in prompts])
    return np.array([psnr(plain, pictures).mean() for pictures in drawn]), drawn


def _sheet(path: Path, drawn: np.ndarray, captions: list[str]) -> None:
    rows = -(-len(drawn) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _TILE, rows * (_TILE + 28)), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (picture, caption) in enumerate(zip(drawn, captions)):
        x, y = i % _COLUMNS * _TILE, i // _COLUMNS * (_TILE + 28)
        sheet.paste(Image.fromarray(picture).resize((_TILE, _TILE), Image.Resampling.LANCZOS), (x, y + 28))
        pen.text((x + 2, y + 1), caption.encode("latin-1", "replace").decode("latin-1"), "black")
    sheet.save(path, quality=90)


def judge_words(run: RunFolder, folder: Path, name: str) -> dict[str, Any]:
    """Print the figures, write evaluation/NAME-words.json and a contact sheet of every eighth prompt."""
    model = FinishedModel(folder, pick_device("auto"))
    photos = np.load(run.held_out)[list(_PICTURES)]
    prompts = [text for text, _ in WRITTEN]
    read = read_prompts(model, folder, prompts)
    looks = [one.look for one in read]
    alike, drawn = _alike(model, photos, [one.drawn for one in read])
    quiet, _ = _alike(model, photos, [one.drawn for one in read_prompts(model, folder, NOISE)])
    english = {text for text, _ in TRANSLATIONS}
    described = described_looks(prompts)
    readable = [i for i, text in enumerate(prompts) if text.isascii() and text not in english]
    accepted = [look in wanted for look, (_, wanted) in zip(looks, WRITTEN)]
    by_description = [looks[i] in described[i] for i in readable]
    texts = set(read_meanings(run)[0])
    unseen = [i for i, text in enumerate(prompts) if text not in texts]
    unfit = [i for i in range(len(prompts)) if not accepted[i]]
    figures = {
        "prompts": len(prompts),
        f"at most {_MOST_ALIKE:.0f} dB": float((alike <= _MOST_ALIKE).mean()),
        "accepted": float(np.mean(accepted)),
        f"accepted of the {len(unseen)} that training never saw": float(np.mean([accepted[i] for i in unseen])),
        "by description": float(np.mean(by_description)),
        "by either": float(np.mean([accepted[i] or looks[i] in described[i] for i in range(len(prompts))])),
        "told as nearest": float(np.mean([one.nearest for one in read])),
        "noise, least dB": float(quiet.min()),
        "alike": [f"{prompts[i]} ({looks[i]}, {alike[i]:.1f} dB)" for i in np.flatnonzero(alike > _MOST_ALIKE)],
        "not accepted": [f"{prompts[i]} ({looks[i]}{', described' if looks[i] in described[i] else ''})" for i in unfit],
    }
    run.evaluation.mkdir(parents=True, exist_ok=True)
    (run.evaluation / f"{name}-words.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    shown = np.linspace(0, len(prompts) - 1, _SHOWN).astype(int)
    for picture in range(len(_PICTURES)):
        path = run.evaluation / f"{name}-words-{picture + 1}.jpg"
        _sheet(path, drawn[shown, picture], [f"{prompts[i][:26]}\n{looks[i]}, {alike[i]:.0f} dB" for i in shown])
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    return figures
