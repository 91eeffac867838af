"""Fast checks of prompts that name no look, without the teacher: run `python -m pytest ops/training/tests`."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPTokenizer

from millrace_training.loop import Draw
from millrace_training.moods import MOOD_NAMES
from millrace_training.parallel import Group
from millrace_training.prompts.corpus import unnamed_prompts
from millrace_training.prompts.descriptions import LOOK_DESCRIPTIONS
from millrace_training.prompts.generator import PromptGenerator
from millrace_training.prompts.languages import TRANSLATIONS
from millrace_training.prompts.noise import gibberish
from millrace_training.prompts.themes import LOOK_THEMES
from millrace_training.prompts.vocabulary import MOOD_PHRASES, PLAIN_PHRASES, STYLE_PHRASES
from millrace_training.prompts.written import NOISE, WRITTEN
from millrace_training.run_folder import RunFolder
from millrace_training.styles import LOOKS, STYLE_NAMES
from millrace_training.text.looks import look_states
from millrace_training.text.meaning import Anchors, Meaning
from millrace_training.text.model import load_text_encoder, load_tokenizer, pool
from millrace_training.text.more_words import add_words, fix_words, learn_merges, learn_words, looks_of_tokens
from millrace_training.text.tokenizer import tokenize
from millrace_training.text.train import TextTask, named_words, prepare_tokenizer
from millrace_training.text.unnamed import UnnamedPrompts, mixtures

MODEL = Path(__file__).parents[2] / "models/millrace-styles"


@pytest.fixture
def tokenizer() -> CLIPTokenizer:
    return load_tokenizer(MODEL / "tokenizer")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run folder with two prompts that name no look, and a dictionary."""
    folder = RunFolder(tmp_path)
    looks = np.zeros((2, len(STYLE_NAMES)), np.float32)
    looks[0, STYLE_NAMES.index("chalk")] = 1
    looks[1, [STYLE_NAMES.index("noir"), STYLE_NAMES.index("sepia")]] = 0.6, 0.4
    np.savez(folder.meanings, texts=np.array(["a robot", "sheriff"]), weights=np.ones(2), looks=looks, moods=np.array([0, 3]))
    folder.dictionary.parent.mkdir(parents=True)
    folder.dictionary.write_text("lamp\nzebra\n")
    return folder


def test_every_look_has_themes_and_a_description() -> None:
    assert set(LOOK_THEMES) == set(LOOK_DESCRIPTIONS) == set(STYLE_NAMES)
    assert all(len(LOOK_THEMES[name]) + len(STYLE_PHRASES[name]) >= 20 for name in STYLE_NAMES)
    assert all(description.count(".") >= 2 for description in LOOK_DESCRIPTIONS.values())


def test_prompts_of_the_page_name_their_own_look_or_mood() -> None:
    settings = json.loads((MODEL / "millrace.json").read_text())
    assert all(mood["prompt"] in MOOD_PHRASES[name] for mood, name in zip(settings["moods"], MOOD_NAMES, strict=True))
    assert all(any(phrase in look.prompt for phrase in STYLE_PHRASES[name]) for name, look in LOOKS.items())
    others = {style["prompt"] for style in settings["styles"]} - {look.prompt for look in LOOKS.values()}
    assert others <= {phrase for phrases in MOOD_PHRASES.values() for phrase in phrases}


def test_300_written_prompts_accept_looks_that_exist() -> None:
    named = {phrase: name for name, phrases in STYLE_PHRASES.items() for phrase in phrases}
    assert len({text for text, _ in WRITTEN}) == len(WRITTEN) >= 300
    assert all(looks and looks <= {*STYLE_NAMES, *MOOD_NAMES} for _, looks in WRITTEN)
    assert all(text not in named or named[text] in looks for text, looks in WRITTEN)
    assert {look for _, looks in WRITTEN for look in looks} >= set(STYLE_NAMES)


def test_the_corpus_has_common_words_once_and_none_that_name_a_look(tmp_path: Path) -> None:
    (tmp_path / "english-words.10").write_text("lamp\nzombie\nit's\n")
    for name in ("english-words.20", "english-words.35", "english-upper.50"):
        (tmp_path / name).write_text("Robot\nharbor\n")
    prompts = unnamed_prompts(tmp_path)
    texts = [prompt.text for prompt in prompts]
    assert len(texts) == len(set(texts))
    assert {"lamp", "harbor", "löwe"} <= set(texts)
    assert not set(texts) & {phrase for phrases in STYLE_PHRASES.values() for phrase in phrases}
    assert not set(texts) & set(PLAIN_PHRASES)
    assert next(prompt.meaning for prompt in prompts if prompt.text == "löwe") == "lion"


def test_each_word_has_a_meaning_in_eight_languages() -> None:
    assert len(TRANSLATIONS) > 400
    assert all(word and english.isascii() for word, english in TRANSLATIONS)


def test_noise_is_never_a_prompt_of_the_corpus() -> None:
    rng = random.Random(0)
    made = [gibberish(rng) for _ in range(300)]
    assert len(set(made)) > 250
    assert not set(made) & {theme for themes in LOOK_THEMES.values() for theme in themes}
    assert any(text.isascii() and text.isalpha() for text in made) and any(not text.isascii() for text in made)


class _Strangers:
    """A teacher for whom every text is near to itself alone."""

    def embed(self, texts: list[str]) -> np.ndarray:
        rows = np.stack([np.random.default_rng(list(text.encode())).normal(size=384) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_look_scores_by_its_nearest_themes() -> None:
    anchors = Anchors(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]), 2)
    scores = anchors.scores(np.array([[0, 1, 0, 0], [0, 0, 0.6, 0.8]], np.float32))
    assert scores[0, 0] > scores[0, 1] == 0
    assert scores[1, 1] == pytest.approx(0.6 * 0.8 + 0.25 * 0.6)


def test_a_theme_has_its_own_look_and_a_mood_its_own_mood() -> None:
    teacher = _Strangers()
    usual = teacher.embed([f"word {i}" for i in range(60)])
    looks, moods = Meaning(teacher, usual).read(teacher.embed(["xenomorph", "kaleidoscope", "arctic"]))
    assert looks.sum(1) == pytest.approx([1, 1, 1])
    assert [STYLE_NAMES[i] for i in looks[:2].argmax(1)] == ["alien", "glass"]
    assert moods.tolist() == [0, 0, MOOD_NAMES.index("winter") + 1]


def test_a_second_look_counts_only_if_it_is_nearly_as_probable() -> None:
    share, index = mixtures(torch.tensor([[0, 0.9, 0.1, 0], [0, 0.3, 0.1, 0.2]]))
    assert share.tolist() == [[1, 0], [pytest.approx(0.6), pytest.approx(0.4)]]
    assert index.tolist() == [[1, 2], [1, 3]]


def test_merges_join_the_most_frequent_pieces_and_none_of_a_kept_word() -> None:
    words = {("z", "o", "m", "bie"): 3.0, ("z", "o", "o"): 2.0, ("ro", "bie"): 1.0}
    assert learn_merges(words, [], 2) == [("z", "o"), ("m", "bie")]
    merges = learn_merges(words, [("z", "o", "r", "ro")], 9)
    assert ("z", "o") not in merges and merges[0] == ("m", "bie")


def test_more_words_have_tokens_and_those_that_name_a_look_keep_theirs(tmp_path: Path, tokenizer: CLIPTokenizer) -> None:
    shutil.copytree(MODEL / "tokenizer", tmp_path, dirs_exist_ok=True)
    words = ["qoxuzubem", "vyjikowarp"]
    before = [tokenizer.tokenize(word) for word in words]
    add_words(tmp_path, words, [1.0, 2.0], named_words(), 60)
    grown = load_tokenizer(tmp_path)
    assert all(len(grown.tokenize(word)) < len(pieces) for word, pieces in zip(words, before))
    assert [grown.tokenize(word) for word in named_words()] == [tokenizer.tokenize(word) for word in named_words()]
    assert len(grown) > len(tokenizer) and grown.eos_token_id == tokenizer.eos_token_id


def test_tokens_learn_the_looks_of_their_texts_and_kept_ones_none() -> None:
    looks = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    parts = looks_of_tokens([[0, 5], [1, 5], [2, 5], [3]], np.ones(4, np.float32), looks, [3], 6)
    assert parts[:3].argmax(1).tolist() == [0, 1, 2]
    assert (parts[3:5] == 0).all() and parts[5].abs().max() < parts[0].abs().max()


def test_an_encoder_that_learnt_words_is_an_ordinary_one_again() -> None:
    encoder = load_text_encoder(MODEL / "text_encoder")
    size = encoder.config.vocab_size
    looks = torch.zeros(size + 2, 3)
    looks[size] = 1
    tokens = torch.tensor([[size - 2, 5, size, size - 1]])
    learnt = learn_words(encoder, looks)
    with torch.no_grad():
        first = learnt(tokens).last_hidden_state
        fixed = fix_words(learnt)
        assert torch.equal(fixed(tokens).last_hidden_state, first)
    assert fixed.config.vocab_size == len(fixed.get_input_embeddings().weight) == size + 2


def test_the_last_state_stands_for_those_that_follow() -> None:
    states = torch.randn(2, 10, 96)
    whole = torch.cat([states, states[:, -1:].expand(-1, 67, -1)], 1)
    assert torch.allclose(pool(states), whole.mean(1), atol=1e-5)


def test_a_batch_without_names_says_where_texts_end_and_which_looks_they_get(run: RunFolder, tokenizer: CLIPTokenizer) -> None:
    batch = UnnamedPrompts(run, tokenizer, PromptGenerator([], misspelt=0)).draw(random.Random(1), 60)
    noise = batch.nearest == 0
    assert 0 < noise.sum() < 20
    assert (batch.looks[noise, 0] == 1).all() and (batch.looks[~noise, 0] == 0).all()
    assert (batch.moods[noise] == 0).all() and (batch.moods > 0).any()
    assert batch.written.shape[1] < 77
    for row, behind in zip(batch.written, batch.behind()):
        assert (row[behind] == tokenizer.eos_token_id).all() and (row[~behind] != tokenizer.eos_token_id).all()


def test_the_states_of_a_look_are_those_behind_its_name(tokenizer: CLIPTokenizer) -> None:
    encoder = load_text_encoder(MODEL / "text_encoder")
    states = look_states(encoder, tokenizer, range(len(STYLE_NAMES) + 1))
    assert states.shape == (len(STYLE_NAMES) + 1, len(MOOD_NAMES) + 1, 77, 96)
    with torch.no_grad():
        behind = encoder(tokenize(tokenizer, ["neon lights"])).last_hidden_state[0, 40]
    off = (states[:, 0, 40] - behind).square().mean(1)
    assert off.argmin() == STYLE_NAMES.index("neon") + 1
    assert torch.equal(states[3, 2, 0], states[3, 2, 14])


def test_training_moves_a_prompt_without_a_name_to_its_look_and_keeps_named_ones(run: RunFolder) -> None:
    prepare_tokenizer(run, MODEL / "tokenizer")
    task = TextTask(run, MODEL / "text_encoder", 2e-3, Group(0, 1, torch.device("cpu")))
    tokens = tokenize(task.tokenizer, ["a robot", "oil painting"])
    chalk = task.looks()[STYLE_NAMES.index("chalk") + 1, 0, 40]

    def off() -> tuple[float, float]:
        with torch.no_grad():
            states = task.model.states(tokens)
            first = task.initial(tokenize(task.first_tokenizer, ["", "oil painting"])).last_hidden_state
        return float((states[0, 40] - chalk).square().mean()), float((states[1] - first[1]).square().mean())

    before, _ = off()
    optimizers = task.optimizers()
    for step in range(25):
        loss, _ = task.loss(Draw(1, 0, step, torch.device("cpu")), 0.0)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    after, moved = off()
    assert after < 0.8 * before and moved < 0.2 * before


def test_noise_of_the_evaluation_is_no_word() -> None:
    assert not {text for text in NOISE} & {text for text, _ in WRITTEN}
