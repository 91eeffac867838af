"""Stage `evaluate`: quality measures of a finished model, as a table and as JSON.

All data is held out: photos, a portrait, two videos. Every stream uses fixed noise. One
step is compared with the output of the style filter, more steps with its finish; the
distance of one step from the finish shows what further steps add.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..autoencoder.train import carry
from ..moods import MOOD_NAMES, apply_mood
from ..parallel import pick_device
from ..pictures import psnr, to_tensor
from ..prompts.free_text import FREE_TEXT
from ..prompts.generator import PromptGenerator
from ..prompts.written import NOISE
from ..run_folder import RunFolder
from ..styles import FINISHES, LOOKS, STYLE_NAMES, STYLES, Canvas
from ..unet.schedule import DEFAULT_INDEX, even_steps
from .classifier import StyleJudge, load_judge
from .faces import FaceFinder
from .looks import measure_looks
from .measures import change, distance, gradient_energy, ssim, texture_error
from .model import FinishedModel

ONE_STEP = [DEFAULT_INDEX]
# The t_index that the server uses for one to four steps at the default strength.
BY_COUNT = tuple(json.dumps(even_steps(DEFAULT_INDEX, count), separators=(",", ":")) for count in (1, 2, 3, 4))
STEP_LISTS: dict[str, list[int]] = {label: json.loads(label) for label in ("[22]", BY_COUNT[0], "[28]", *BY_COUNT[1:])}
_ONE, _TWO = BY_COUNT[:2]
_BLENDS = [("oil", "neon"), ("water", "blueprint"), ("comic", "sepia"), ("pencil", "vapor")]

Measure = Callable[[FinishedModel, "Material"], dict[str, Any]]


class Material:
    """Held-out pictures, and prompts for each style."""

    def __init__(self, run: RunFolder, pictures_a_style: int):
        self.photos = np.load(run.held_out)
        self.videos = np.load(run.held_out_video)
        self.stills = np.concatenate([self.photos, self.videos[:, ::8].reshape(-1, *self.photos.shape[1:])])
        self.count = pictures_a_style
        self.faces = FaceFinder(run.cascades) if run.cascades.exists() else None
        self._painted: dict[bytes, np.ndarray] = {}  # a photo in all looks
        self.judge = load_judge(run.evaluation / "judge.pt") if (run.evaluation / "judge.pt").exists() else None

    def of_style(self, index: int) -> np.ndarray:
        """Return `count` pictures to evaluate a style with, different ones for each style."""
        return self.stills[[(index + i * 11) % len(self.stills) for i in range(self.count)]]

    def nearest(self, photos: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """Return the styles [N] whose filter gives the nearest picture for the same photo; -1 for the photo itself."""
        found = []
        for photo, picture in zip(photos, pictures):
            key = photo.tobytes()
            if key not in self._painted:
                canvas = Canvas(photo)
                self._painted[key] = np.stack([photo, *(look.paint(canvas) for look in LOOKS.values())])
            candidates = self._painted[key]
            found.append(int(psnr(candidates, np.broadcast_to(picture, candidates.shape)).argmax()) - 1)
        return np.array(found)


def prompt_of(style: str | None, mood: str | None, rng: random.Random) -> str:
    """Return a generated prompt without misspellings, which are tested with the free text."""
    return PromptGenerator([], misspelt=0.0)(style, mood, rng)


def _named(judge: StyleJudge, pictures: np.ndarray) -> np.ndarray:
    """Return the style indices [N] that the judge recognises."""
    return torch.cat([judge(to_tensor(pictures[i : i + 32])).argmax(-1) for i in range(0, len(pictures), 32)]).numpy()


def styles(model: FinishedModel, material: Material) -> dict[str, Any]:
    """Compare each style with its filter and finish: PSNR, the autoencoder's ceilings, sharpness, the judge."""
    table: dict[str, dict[str, float]] = {}
    for name in model.looks:
        index = STYLE_NAMES.index(name)
        photos = material.of_style(index)
        targets = np.stack([STYLES[name](photo) for photo in photos])
        finished = np.stack([FINISHES[name](target) for target in targets])
        wanted = {label: targets if len(indices) == 1 else finished for label, indices in STEP_LISTS.items()}
        rng = random.Random(index)
        embedding = model.embed([prompt_of(name, None, rng) for _ in photos])
        drawn = {label: model.draw(photos, embedding, indices) for label, indices in STEP_LISTS.items()}
        row = {f"psnr {label}": float(psnr(wanted[label], pictures).mean()) for label, pictures in drawn.items()}
        row["ceiling"] = float(psnr(targets, carry(model.vae, targets)).mean())
        row["finish ceiling"] = float(psnr(finished, carry(model.vae, finished)).mean())
        row |= {f"ssim {label}": float(ssim(wanted[label], drawn[label]).mean()) for label in (_ONE, _TWO)}
        row |= {f"sharpness {label}": gradient_energy(drawn[label]) / gradient_energy(wanted[label]) for label in BY_COUNT}
        row[f"finish {_ONE}"] = float(psnr(finished, drawn[_ONE]).mean())
        row |= {f"finish texture {label}": texture_error(finished, drawn[label]) for label in BY_COUNT}
        row["nearest"] = float((material.nearest(photos, drawn[_ONE]) == index).mean())
        if material.judge:
            for label in (_ONE, _TWO):
                row[f"judge {label}"] = float((_named(material.judge, drawn[label]) == index).mean())
            row["judge on targets"] = float((_named(material.judge, targets) == index).mean())
        table[name] = {key: round(value, 3) for key, value in row.items()}
    columns = next(iter(table.values())).keys()
    table["mean"] = {column: round(float(np.mean([row[column] for row in table.values()])), 3) for column in columns}
    return table


def moods(model: FinishedModel, material: Material) -> dict[str, float]:
    """Return the PSNR of each mood on photos and over styles, and how many are nearest to the requested mood; one step."""
    figures = {}
    combined, hits = [], []
    for index, mood in enumerate(MOOD_NAMES):
        photos = material.of_style(index)[:2]
        style = model.looks[(index * 5) % len(model.looks)]
        rng = random.Random(100 + index)
        plain = model.draw(photos, model.embed([prompt_of(None, mood, rng)]), ONE_STEP)
        figures[mood] = float(psnr(np.stack([apply_mood(p, mood) for p in photos]), plain).mean())
        for photo, picture in zip(photos, plain):
            candidates = np.stack([photo, *(apply_mood(photo, name) for name in MOOD_NAMES)])
            hits.append(psnr(candidates, np.broadcast_to(picture, candidates.shape)).argmax() == index + 1)
        styled = model.draw(photos, model.embed([prompt_of(style, mood, rng)]), ONE_STEP)
        combined.append(psnr(np.stack([apply_mood(STYLES[style](p), mood) for p in photos]), styled).mean())
    figures["mean"] = float(np.mean(list(figures.values())))
    figures["mean over styles"] = float(np.mean(combined))
    return {key: round(value, 2) for key, value in figures.items()} | {"nearest": round(float(np.mean(hits)), 3)}


def prompts(model: FinishedModel, material: Material) -> dict[str, Any]:
    """Evaluate the empty prompt, meaningless prompts, and the styles of free text."""
    photos = material.stills[: 2 * material.count]
    figures: dict[str, Any] = {
        f"empty psnr {label}": round(float(psnr(photos, model.draw(photos, model.embed([""]), indices)).mean()), 2)
        for label, indices in STEP_LISTS.items()
    }
    nonsense = model.draw(np.repeat(photos[:1], len(NOISE), 0), model.embed(NOISE), ONE_STEP)
    figures["nonsense psnr to photo"] = [round(float(v), 1) for v in psnr(np.repeat(photos[:1], len(NOISE), 0), nonsense)]
    texts = [(text, style) for text, style in FREE_TEXT if style in model.looks]
    pictures = material.photos[[(1, 6, 26, 50)[i % 4] for i in range(len(texts))]]
    drawn = model.draw(pictures, model.embed([text for text, _ in texts]), ONE_STEP)
    wanted = np.array([STYLE_NAMES.index(style) for _, style in texts])
    found = material.nearest(pictures, drawn)
    figures["free text, nearest style"] = round(float((found == wanted).mean()), 3)
    figures["free text missed"] = [f"{text} ({style})" for (text, style), hit in zip(texts, found == wanted) if not hit]
    if material.judge:
        figures["free text, judge"] = round(float((_named(material.judge, drawn) == wanted).mean()), 3)
    return figures


def behaviour(model: FinishedModel, material: Material) -> dict[str, Any]:
    """Evaluate blending, strength, steadiness and guidance."""
    photos = material.photos[:4]
    blends = {}
    for first, second in _BLENDS:
        rng = random.Random(5)
        a, b = (model.embed([prompt_of(style, None, rng)]) for style in (first, second))
        drawn = [model.draw(photos, torch.lerp(a, b, share), ONE_STEP) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
        from_first, from_second = [distance(d, drawn[0]) for d in drawn], [distance(d, drawn[-1]) for d in drawn]
        blends[f"{first} to {second}"] = {
            "monotone": bool((np.diff(from_first) > 0).all() and (np.diff(from_second) < 0).all()),
            "distance": [round(v, 1) for v in from_first],
        }
    strengths = {}
    for style in ("neon", "oil", "sepia"):
        embedding = model.embed([prompt_of(style, None, random.Random(6))])
        strengths[style] = {str(i): round(distance(photos, model.draw(photos, embedding, [i])), 1) for i in (20, 25, 28, 34, 40, 46)}
    steadiness = {}
    noise = np.random.default_rng(0).normal(0, 1.5, (8, *photos.shape[1:]))
    still = np.clip(photos[:1] + noise, 0, 255).astype(np.uint8)
    for style in ("", *model.looks):
        embedding = model.embed([prompt_of(style, None, random.Random(7)) if style else ""])
        row = {"still": change(model.draw(still, embedding, ONE_STEP))}
        for name, clip in zip(("vtest", "tree"), material.videos):
            row[name] = change(model.draw(clip, embedding, ONE_STEP)) / change(clip)
        steadiness[style or "empty"] = {key: round(value, 2) for key, value in row.items()}
    columns = ("still", "vtest", "tree")
    steadiness["mean"] = {c: round(float(np.mean([row[c] for row in steadiness.values()])), 2) for c in columns}
    return {
        "blends": blends,
        "distance from photo by t_index": strengths,
        "steadiness": steadiness,
        "guidance": _guidance(model, photos),
    }


def _guidance(model: FinishedModel, photos: np.ndarray) -> dict[str, Any]:
    """Evaluate guidance: it must strengthen a style, and a negative colour must remove that colour."""
    empty = model.embed([""])
    strengthened = {}
    for style in ("water", "vapor", "comic"):
        prompt = model.embed([prompt_of(style, None, random.Random(8))])
        strengthened[style] = [round(distance(photos, model.draw(photos, prompt, ONE_STEP, empty, g)), 1) for g in (0.5, 1.0, 1.5, 2.0)]
    blueness = {}
    for name, negative in (("none", None), ("blue", model.embed(["blue tones"])), ("orange", model.embed(["orange tones"]))):
        drawn = model.draw(photos, empty, ONE_STEP, negative, 1.3).astype(np.float32)
        blueness[name] = round(float((drawn[..., 2] - drawn[..., 0]).mean()), 1)
    return {"distance from photo at 0.5, 1, 1.5, 2": strengthened, "blue minus red by negative prompt": blueness}


def looks(model: FinishedModel, material: Material) -> dict[str, Any]:
    """Measure the looks as people see them."""
    return measure_looks(model, material.photos[: max(2, 2 * material.count)], material.faces)


MEASURES: dict[str, Measure] = {"styles": styles, "looks": looks, "moods": moods, "prompts": prompts, "behaviour": behaviour}


def evaluate(run: RunFolder, folder: Path, name: str, pictures_a_style: int, only: list[str]) -> None:
    """Evaluate, print, and write evaluation/NAME.json."""
    device = pick_device("auto")
    model = FinishedModel(folder, device)
    material = Material(run, pictures_a_style)
    results = {key: measure(model, material) for key, measure in MEASURES.items() if not only or key in only}
    run.evaluation.mkdir(parents=True, exist_ok=True)
    (run.evaluation / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
    if "styles" in results:
        _print_table(results["styles"])
    for key, value in results.items():
        if key != "styles":
            print(f"{key}: {json.dumps(value, indent=1, ensure_ascii=False)}")


def _print_table(table: dict[str, dict[str, float]]) -> None:
    columns = list(table["mean"])
    print("| style | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(f"{row[c]:.2f}" for c in columns) + " |")
