"""Stage `meanings`: which looks and moods are nearest in meaning to a prompt that names none, by the teacher.

A prompt's score for a look is how near it is to the nearest of the look's themes and wordings. Some looks are near to
everything, so each look's scores are measured in deviations from its mean over common words. The looks of a prompt are a
softmax of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..moods import MOOD_NAMES
from ..prompts.corpus import unnamed_prompts
from ..prompts.themes import LOOK_THEMES
from ..prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from ..run_folder import RunFolder, write_atomically
from ..styles import STYLE_NAMES
from .teacher import Teacher

_NEAREST = (0.6, 0.25, 0.15)  # weights of the nearest themes of a look
_SOFTNESS = 0.35  # deviations by which a look is e times less probable
_CERTAIN_MOOD = 4.5  # deviations from which a prompt that names none has a mood


@dataclass(frozen=True)
class Anchors:
    """The themes of all looks, or the wordings of all moods."""

    embeddings: np.ndarray  # float32 [A, 384]
    owners: np.ndarray  # int64 [A]: the look of each
    count: int  # looks

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """float32 [N, 384] -> how near each prompt is to each look, [N, count]."""
        near = embeddings @ self.embeddings.T
        best = [-np.sort(-near[:, self.owners == look], 1)[:, : len(_NEAREST)] for look in range(self.count)]
        return np.stack([found @ np.array(_NEAREST[: found.shape[1]]) for found in best], 1)


def _anchors(teacher: Teacher, phrases: Sequence[Sequence[str]]) -> Anchors:
    owners = [look for look, own in enumerate(phrases) for phrase in own if phrase.isascii()]
    texts = [phrase for own in phrases for phrase in own if phrase.isascii()]
    return Anchors(teacher.embed(texts), np.array(owners), len(phrases))


class Meaning:
    """Finds the looks and moods of prompts, from embeddings of the teacher. `usual`: those of common words."""

    def __init__(self, teacher: Teacher, usual: np.ndarray):
        self.looks = _anchors(teacher, [LOOK_THEMES[name] + STYLE_PHRASES[name] for name in STYLE_NAMES])
        self.moods = _anchors(teacher, [MOOD_PHRASES[name] for name in MOOD_NAMES])
        self._usual = [(scores.mean(0), scores.std(0)) for scores in (a.scores(usual) for a in (self.looks, self.moods))]

    def _deviations(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks, moods = (
            (anchors.scores(embeddings) - mean) / deviation for anchors, (mean, deviation) in zip((self.looks, self.moods), self._usual)
        )
        return looks, moods

    def read(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """float32 [N, 384] -> share of each look [N, looks], and the index of the mood from 1 [N], 0 for none."""
        looks, moods = self._deviations(embeddings)
        powers = np.exp((looks - looks.max(1, keepdims=True)) / _SOFTNESS)
        mood = np.where(moods.max(1) >= _CERTAIN_MOOD, moods.argmax(1) + 1, 0)
        return powers / powers.sum(1, keepdims=True), mood


def find_meanings(run: RunFolder) -> None:
    """Write run.meanings, unless it exists."""
    if run.meanings.exists():
        print("meanings: already done")
        return
    prompts = unnamed_prompts(run.common_words)
    teacher = Teacher()
    read = list(dict.fromkeys(prompt.meaning for prompt in prompts))
    embeddings = teacher.embed(read)
    usual = [i for i, text in enumerate(read) if " " not in text]
    meaning = Meaning(teacher, embeddings[usual])
    looks, moods = meaning.read(embeddings)
    row = {text: i for i, text in enumerate(read)}
    rows = [row[prompt.meaning] for prompt in prompts]

    def write(partial: object) -> None:
        with open(str(partial), "wb") as file:
            np.savez_compressed(
                file,
                texts=np.array([prompt.text for prompt in prompts]),
                weights=np.array([prompt.weight for prompt in prompts], np.float32),
                looks=looks[rows].astype(np.float32),
                moods=moods[rows],
                usual=embeddings[usual][::10].astype(np.float16),
            )

    write_atomically(run.meanings, write)
    run.log("meanings", prompts=len(prompts), with_mood=float((moods > 0).mean()), certain=float((looks.max(1) > 0.6).mean()))
