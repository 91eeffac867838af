"""Stage `text-encoder`: trains the encoder to distinguish styles and moods, then freezes it.

If trained together with the U-Net, a text encoder hardly conditions anything: the U-Net
learns to ignore it before its output is useful. As a classifier it trains in minutes. The
states of misspelt prompts are trained towards those of the correctly spelt prompt. If
training starts from another encoder, correctly spelt prompts keep their states, so that a
U-Net that was trained with that encoder can continue; those of looks that it does not know are free.

A prompt that names neither a style nor a mood gets, behind its words, the states of the
looks that are nearest in meaning (stage `meanings`); at its words it has those of no style,
so that beside a named style they still mean nothing. Common words get tokens of their own.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..loop import Draw, Plan, train
from ..moods import MOOD_NAMES
from ..muon import Muon
from ..parallel import Group
from ..prompts.free_text import FREE_TEXT
from ..prompts.generator import PromptGenerator, load_dictionary
from ..prompts.vocabulary import MOOD_PHRASES, PLAIN_PHRASES, QUALITIES, STYLE_PHRASES
from ..prompts.written import NOISE, WRITTEN
from ..run_folder import RunFolder
from ..styles import STYLE_NAMES
from .looks import look_states
from .model import WIDTH, Names, PromptClassifier, load_heads, load_text_encoder, load_tokenizer, new_text_encoder, pool
from .more_words import add_words, fix_words, learn_words, looks_of_tokens
from .tokenizer import LENGTH, VOCABULARY, ends, token_ids, tokenize, train_tokenizer
from .unnamed import UnnamedBatch, UnnamedPrompts, read_meanings

# Prompts per process that name a look or nothing, and that name none. Most batches end shortly behind the longest prompt.
_SHORT, _WHOLE = (32, 320), (40, 24)
_WHOLE_EVERY = 2  # steps
_MOST_TOKENS = 36  # of a named prompt in short batches
_BEYOND = 6  # states behind the longest prompt
_PLAIN_SHARE = 0.15
_MOOD_SHARE = 0.5
_MISSPELT = 0.35
_AMONG_WORDS = 0.5  # of the named prompts are among words that name none: so many in short batches, and in whole ones
_FEW_WORDS, _MANY_WORDS = (1, 12), (12, 60)
_COMPACT = 0.05  # weight of the distance between prompts with the same meaning
_SPELLING = 3.0  # weight of the distance of misspelt prompts, and of those among other words, from the correctly spelt ones
_FAITHFUL = 6.0  # weight of the distance of correctly spelt prompts from the initial encoder's states
_LOOK, _WORDS, _NEAREST = 4.0, 1.0, 0.3  # weights for prompts that name none: states behind and within the words, and their being so
_MORE_WORDS = 6000  # tokens for words of prompts that name no look
_RENEWED = 100  # steps for which the states of looks that the initial encoder does not know are kept


@dataclass(frozen=True)
class Prompts:
    """Generated prompts; label 0 is none."""

    right: torch.Tensor  # int64 [N, 77]: tokens, correctly spelt, of the initial encoder if it knows the style
    written: torch.Tensor  # int64 [N, 77]: tokens, sometimes misspelt or among other words
    changed: torch.Tensor  # bool [N]: whether they are misspelt, or have other words around them
    styles: torch.Tensor  # int64 [N]
    moods: torch.Tensor  # int64 [N]

    def only(self, rows: torch.Tensor) -> Prompts:
        return Prompts(self.right[rows], self.written[rows], self.changed[rows], self.styles[rows], self.moods[rows])


class TextTask:
    """One step classifies generated prompts by style and mood."""

    name = "text-encoder"

    def __init__(self, run: RunFolder, init: Path | None, rate: float, group: Group):
        torch.manual_seed(0)
        self.group = group
        self.rate = rate
        self.tokenizer = load_tokenizer(run.tokenizer)
        self.generator = PromptGenerator(load_dictionary(run.dictionary), _MISSPELT)
        self.unnamed = UnnamedPrompts(run, self.tokenizer, self.generator)
        self.initial = load_text_encoder(init, group.device) if init else None
        self.first_tokenizer = load_tokenizer(init.parent / "tokenizer") if init else self.tokenizer
        encoder = load_text_encoder(init).requires_grad_(True) if init else new_text_encoder(self.tokenizer)
        resumed = (run.text_encoder / "last.pt").exists()  # it has the looks of tokens
        learn_words(encoder, torch.zeros(len(self.tokenizer), len(STYLE_NAMES)) if resumed else self._looks_of_tokens(run))
        encoder.set_attn_implementation("eager")  # on a CPU, the backward pass of the default takes half of a step
        self.model = PromptClassifier(encoder).to(group.device)
        # How many labels of styles (0: none) the initial encoder knows: their states are the right ones.
        self.known = load_heads(self.model, init / "classifier.json") if init else 0
        self._looks: torch.Tensor | None = None
        self._steps = 0

    def _looks_of_tokens(self, run: RunFolder) -> torch.Tensor:
        texts, weights, looks = read_meanings(run)
        kept = [token for tokens in token_ids(self.tokenizer, named_words()) for token in tokens]
        return looks_of_tokens(token_ids(self.tokenizer, texts), weights, looks, kept, len(self.tokenizer))

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Muon for the inner weight matrices, AdamW for embeddings, heads, biases and norms."""
        inner = [p for n, p in self.model.encoder.named_parameters() if p.ndim == 2 and "embedding" not in n]
        chosen = {id(p) for p in inner}
        others = [p for p in self.model.parameters() if id(p) not in chosen]
        return [Muon(inner, lr=self.rate), torch.optim.AdamW(others, lr=self.rate, betas=(0.9, 0.98), weight_decay=0.01)]

    @torch.no_grad()
    def looks(self) -> torch.Tensor:
        """Return the states of the looks, [styles + 1, moods + 1, 77, 96]: the initial encoder's where it knows the style, or its own."""
        complete = self.known > len(STYLE_NAMES)
        if self._looks is None or (not complete and self._steps % _RENEWED == 0):
            own = [] if complete else [look_states(self.model.encoder, self.tokenizer, range(self.known, len(STYLE_NAMES) + 1))]
            kept = [look_states(self.initial, self.first_tokenizer, range(self.known))] if self.initial else []
            self._looks = torch.cat([*kept, *own])
        self._steps += 1
        return self._looks

    @torch.no_grad()
    def _right_states(self, prompts: Prompts, length: int) -> torch.Tensor:
        """Return the states of the correctly spelt prompts [N, length, 96]."""
        known = prompts.styles < self.known
        states = torch.empty(len(known), length, WIDTH, device=known.device)
        for encoder, rows in ((self.initial, known), (self.model.encoder, ~known)):
            if encoder is not None and rows.any():
                with self.group.autocast():
                    states[rows] = encoder(prompts.right[rows, :length]).last_hidden_state.float()
        return states

    def batch(self, rng: random.Random, count: int, words: tuple[int, int] | None = None) -> Prompts:
        """Return prompts. words: least and most of the words around some of them, None for none."""
        styles = [0 if rng.random() < _PLAIN_SHARE else rng.randint(1, len(STYLE_NAMES)) for _ in range(count)]
        moods = [rng.randint(1, len(MOOD_NAMES)) if rng.random() < _MOOD_SHARE else 0 for _ in range(count)]
        pairs = [
            self.generator.spelt(STYLE_NAMES[s - 1] if s else None, MOOD_NAMES[m - 1] if m else None, rng) for s, m in zip(styles, moods)
        ]
        known = torch.tensor(styles) < self.known
        right = tokenize(self.tokenizer, [text for text, _ in pairs])
        if known.any():
            right[known] = tokenize(self.first_tokenizer, [text for (text, _), old in zip(pairs, known) if old])
        texts = [text for _, text in pairs]
        if words:
            longer = [self._among_words(text, words, rng) if rng.random() < _AMONG_WORDS else text for text in texts]
            full = ends(self.tokenizer, tokenize(self.tokenizer, longer)) == LENGTH - 1  # they may have lost the name
            texts = [text if lost else long for text, long, lost in zip(texts, longer, full)]
        written = tokenize(self.tokenizer, texts)
        changed = [right_text != text for (right_text, _), text in zip(pairs, texts)]
        parts = (right, written, torch.tensor(changed), torch.tensor(styles), torch.tensor(moods))
        return Prompts(*(part.to(self.group.device) for part in parts))

    def _among_words(self, text: str, counts: tuple[int, int], rng: random.Random) -> str:
        words: list[str] = []
        count = rng.randint(*counts)
        while len(words) < count:
            words += self.unnamed.text(rng).split()
        place = rng.choice((0, len(words), rng.randint(0, len(words))))
        return " ".join([*words[:place], text, *words[place:]])

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        rng = random.Random(int(draw.numpy.integers(2**62)))
        whole = rng.randrange(_WHOLE_EVERY) == 0
        with_name, without = _WHOLE if whole else _SHORT
        named, figures = self._named_loss(self.batch(rng, with_name, _MANY_WORDS if whole else _FEW_WORDS), whole)
        unnamed, more_figures = self._unnamed_loss(self.unnamed.draw(rng, without, whole))
        return named + unnamed, figures | more_figures

    def _named_loss(self, prompts: Prompts, whole: bool) -> tuple[torch.Tensor, dict[str, float]]:
        end = torch.maximum(ends(self.first_tokenizer, prompts.right), ends(self.tokenizer, prompts.written))
        if not whole:
            short = end <= _MOST_TOKENS
            prompts, end = prompts.only(short), end[short]
        length = LENGTH if whole else min(LENGTH, int(end.max()) + _BEYOND)
        with self.group.autocast():
            states = self.model.states(prompts.written[:, :length])
        wanted = self._right_states(prompts, length)
        pooled = pool(states)
        names = self.model.name(pooled)
        loss = F.cross_entropy(names.styles, prompts.styles, label_smoothing=0.02)
        loss = loss + F.cross_entropy(names.moods, prompts.moods, label_smoothing=0.02)
        loss = loss + _NEAREST * F.cross_entropy(names.nearest, torch.zeros_like(prompts.styles))
        same = (prompts.styles[:, None] == prompts.styles) & (prompts.moods[:, None] == prompts.moods)
        spread = (torch.cdist(pooled, pooled) * same).sum() / (same.sum() - len(same)).clamp(min=1)
        # With the same tokens all states count, with others those behind both texts.
        same_tokens = (prompts.right == prompts.written).all(1)
        counts = ((torch.arange(length, device=end.device) >= end[:, None]) | same_tokens[:, None]).float()
        off = ((states - wanted).square().mean(2) * counts).sum(1) / counts.sum(1).clamp(min=1)
        spelling, kept = (off * prompts.changed).mean(), (off * ~prompts.changed * (prompts.styles < self.known)).mean()
        loss = loss + _COMPACT * spread + _SPELLING * spelling + _FAITHFUL * kept
        right = (names.styles.argmax(-1) == prompts.styles).float().mean()
        return loss, {"style_accuracy": float(right), "spelling": float(spelling.detach()), "moved": float(kept.detach())}

    def _unnamed_loss(self, batch: UnnamedBatch) -> tuple[torch.Tensor, dict[str, float]]:
        device = self.group.device
        written, looks, moods, nearest = (part.to(device) for part in (batch.written, batch.looks, batch.moods, batch.nearest))
        share, index = (part.to(device) for part in batch.mixture)
        behind = batch.behind().to(device).float()
        length = written.shape[1]
        with self.group.autocast():
            states = self.model.states(written)
        names = self.model.name(pool(states))
        # The mean of looks that a prompt might have is hardly a look: half of the prompts are pulled to the one that the encoder
        # itself finds most probable, the others to the one or two of the teacher.
        own = torch.where(nearest == 1, names.styles[:, 1:].argmax(1) + 1, 0)
        sure = torch.arange(len(own), device=device) % 2 == 0
        index = torch.where(sure[:, None], own[:, None], index)
        # Without a copy of all looks for each prompt: at most two count.
        each = self.looks()[index, moods[:, None], :length]
        wanted = (share[..., None, None] * each).sum(1)
        look = (((states - wanted).square().mean(2) * behind).sum(1) / behind.sum(1)).mean()
        words = ((states - self.looks()[0, 0, :length]).square().mean(2) * (1 - behind)).sum() / (1 - behind).sum()
        loss = F.cross_entropy(names.styles, looks) + F.cross_entropy(names.moods, moods)
        loss = loss + _NEAREST * F.cross_entropy(names.nearest, nearest) + _LOOK * look + _WORDS * words
        agreed = (names.styles.argmax(-1) == looks.argmax(-1)).float().mean()
        told = (names.nearest.argmax(-1) == nearest).float().mean()
        return loss, {"look": float(look.detach()), "look_accuracy": float(agreed), "nearest_accuracy": float(told)}

    def _names(self, model: nn.Module, texts: list[str]) -> Names:
        return Names(*(logits.cpu() for logits in model(tokenize(self.tokenizer, texts).to(self.group.device))))

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        prompts = self.batch(random.Random(99), 600)
        names = model(prompts.written)
        found = self._names(model, [text for text, _ in FREE_TEXT]).styles.argmax(-1)
        wanted = torch.tensor([STYLE_NAMES.index(style) + 1 for _, style in FREE_TEXT])
        for (text, style), index in zip(FREE_TEXT, found.tolist()):
            if index == 0 or STYLE_NAMES[index - 1] != style:
                print(f"  free text: {text!r} should be {style}, is {STYLE_NAMES[index - 1] if index else 'none'}", flush=True)
        unnamed = self._names(model, [text for text, _ in WRITTEN]).styles
        accepted = [i > 0 and STYLE_NAMES[i - 1] in looks for i, (_, looks) in zip(unnamed.argmax(-1).tolist(), WRITTEN)]
        noise = self._names(model, NOISE).styles.argmax(-1)
        return {
            "style": float((names.styles.argmax(-1) == prompts.styles).float().mean()),
            "mood": float((names.moods.argmax(-1) == prompts.moods).float().mean()),
            "free_text": float((found == wanted).float().mean()),
            "unnamed_accepted": sum(accepted) / len(accepted),
            "unnamed_none": float((unnamed.argmax(-1) == 0).float().mean()),
            "noise_none": float((noise == 0).float().mean()),
        }


def named_words() -> list[str]:
    """Return the words of the phrases that name a style or a mood, or say that there is none."""
    phrases = [phrase for known in (*STYLE_PHRASES.values(), *MOOD_PHRASES.values(), PLAIN_PHRASES, QUALITIES) for phrase in known]
    return sorted({word for phrase in phrases for word in phrase.lower().split()})


def prepare_tokenizer(run: RunFolder, init: Path | None) -> None:
    """Write the initial model's tokenizer, or a new one trained on the prompts; with tokens for common words, if it has none."""
    if run.tokenizer.exists():
        return
    partial = run.tokenizer.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if init:
        shutil.copytree(init, partial)
    else:
        train_tokenizer(PromptGenerator(load_dictionary(run.dictionary)), partial)
    if len(load_tokenizer(partial)) <= VOCABULARY:
        texts, weights, _ = read_meanings(run)
        add_words(partial, texts, weights, named_words(), _MORE_WORDS)
    partial.rename(run.tokenizer)


def train_text_encoder(group: Group, run: RunFolder, init: Path | None, rate: float, plan: Plan) -> None:
    """Train and write run.text_encoder in transformers' layout, and the heads."""
    task = TextTask(run, init, rate, group)
    task.model.load_state_dict(train(task, plan, run, run.text_encoder, group))
    if group.leads:
        fix_words(task.model.encoder).save_pretrained(run.text_encoder)
        heads = {name: getattr(task.model, f"{name}_head").state_dict() for name in ("style", "mood", "nearest")}
        torch.save(heads, run.text_encoder / "heads.pt")
