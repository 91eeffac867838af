"""Fast checks of the parts of a training: run `python -m pytest ops/training/tests`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from millrace_training.data.plain import plain_picture
from millrace_training.latents import LABELLED_SLOTS, SLOTS, finished_slot, labelled_picture, labels_of_crop
from millrace_training.loop import Draw, Plan, train
from millrace_training.moods import MOOD_NAMES, apply_mood
from millrace_training.muon import orthogonalise
from millrace_training.parallel import Group
from millrace_training.pictures import psnr
from millrace_training.prompts.free_text import FREE_TEXT
from millrace_training.prompts.generator import PromptGenerator
from millrace_training.prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from millrace_training.run_folder import RunFolder
from millrace_training.styles import FINISHES, STYLE_NAMES, STYLES
from millrace_training.styles.lattices import PERIOD
from millrace_training.styles.noise import noise_of
from millrace_training.targets import styles_of_crop
from millrace_training.unet.critic import LatentCritic, critic_loss
from millrace_training.unet.objective import draw_inputs, draw_steps, raster_loss, style_share
from millrace_training.unet.schedule import time_of_index


def _photo(height: int, width: int) -> np.ndarray:
    """Return a smooth colourful picture."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 16 + 2, width // 16 + 2, 3)).astype(np.float32)
    fine = np.repeat(np.repeat(coarse, 16, 0), 16, 1)[:height, :width]
    for axis in (0, 1):
        fine = sum(np.roll(fine, shift, axis) for shift in range(-8, 9)) / 17
    return fine.astype(np.uint8)


@pytest.mark.parametrize("name", STYLE_NAMES)
def test_a_filter_keeps_size_and_type_for_any_size(name: str) -> None:
    for height, width in ((64, 96), (72, 200)):
        styled = STYLES[name](_photo(height, width))
        for picture in (styled, FINISHES[name](styled)):
            assert picture.shape == (height, width, 3)
            assert picture.dtype == np.uint8


@pytest.mark.parametrize("finished", (False, True))
@pytest.mark.parametrize("name", STYLE_NAMES)
def test_a_filter_and_its_finish_are_local_and_in_phase(name: str, finished: bool) -> None:
    """A crop of the filtered picture is the filtered crop, away from the crop's edges."""

    noise = noise_of(3, 104, 104)

    def draw(start: int, size: int) -> np.ndarray:
        rows = slice(start // 4, (start + size) // 4)
        styled = STYLES[name](photo[start : start + size, start : start + size], noise[:, rows, rows])
        return FINISHES[name](styled) if finished else styled

    photo = _photo(416, 416)
    start, size, margin = 2 * PERIOD, 288, 96
    inner = draw(start, size)[margin:-margin, margin:-margin].astype(int)
    wanted = draw(0, 416)[start + margin : start + size - margin, start + margin : start + size - margin].astype(int)
    assert np.abs(inner - wanted).mean() < 1.5


@pytest.mark.parametrize("name", STYLE_NAMES)
def test_a_finish_can_be_seen_and_leaves_the_picture_recognisable(name: str) -> None:
    styled = STYLES[name](_photo(256, 256))
    decibels = psnr(styled[None], FINISHES[name](styled)[None])[0]
    assert 14 < decibels < 36


def test_every_style_and_mood_has_phrases_and_free_text() -> None:
    assert set(STYLE_PHRASES) == set(STYLE_NAMES) == {style for _, style in FREE_TEXT}
    assert set(MOOD_PHRASES) == set(MOOD_NAMES)
    assert tuple(FINISHES) == STYLE_NAMES
    assert len(STYLE_NAMES) >= 22 and len(MOOD_NAMES) >= 20 and len(FREE_TEXT) >= 200


def test_plain_pictures_are_alike_by_seed_and_nearly_of_one_or_two_colours() -> None:
    pictures = np.stack([plain_picture(seed) for seed in range(40)])
    assert pictures.shape == (40, 256, 256, 3) and pictures.dtype == np.uint8
    assert np.array_equal(pictures[7], plain_picture(7))
    rough = np.abs(np.diff(pictures.astype(np.float32), axis=2)).mean((1, 2, 3))
    assert rough.max() < 6 and len({tuple(picture[0, 0]) for picture in pictures}) > 35


def test_moods_keep_type_and_change_the_picture() -> None:
    photo = _photo(64, 64)
    for mood in MOOD_NAMES:
        changed = apply_mood(photo, mood)
        assert changed.dtype == np.uint8 and changed.shape == photo.shape
        assert np.abs(changed.astype(int) - photo).mean() > 2


def test_prompts_repeat_with_their_seed() -> None:
    generator = PromptGenerator(["zebra", "lamp"])
    first, second = ([generator(s, m, random.Random(4)) for s in STYLE_NAMES for m in (None, "warm")] for _ in range(2))
    assert first == second


def test_a_prompt_and_its_misspelling_come_together() -> None:
    generator = PromptGenerator(["zebra", "lamp"], misspelt=0.5)
    rng = random.Random(5)
    pairs = [generator.spelt(style, None, rng) for style in STYLE_NAMES * 4]
    changed = [(right, written) for right, written in pairs if right != written]
    assert 0.3 < len(changed) / len(pairs) < 0.6
    assert all(abs(len(right) - len(written)) <= 5 for right, written in changed)


def test_a_slots_picture_is_the_photo_or_a_target_with_its_mood() -> None:
    photo, targets = _photo(64, 64), np.stack([np.full((64, 64, 3), value, np.uint8) for value in (10, 20)])
    labels = np.array([(-1, -1), (4, -1), (2, -1), (2, MOOD_NAMES.index("red")), (-1, 0)])
    assert labelled_picture(photo, targets, labels, 0) is photo
    assert (labelled_picture(photo, targets, labels, 2) == 20).all()
    assert (labelled_picture(photo, targets, labels, 3) == apply_mood(targets[1], "red")).all()
    assert (labelled_picture(photo, targets, labels, 4) == apply_mood(photo, MOOD_NAMES[0])).all()


def test_everything_styled_has_a_finished_version_under_its_mood() -> None:
    photo = _photo(64, 64)
    labels = labels_of_crop(7, styles_of_crop(7))
    targets = np.stack([STYLES[STYLE_NAMES[style]](photo) for style in styles_of_crop(7)])
    assert labels.shape == (LABELLED_SLOTS, 2)
    places = []
    for slot, (style, mood) in enumerate(labels):
        place = finished_slot(slot)
        picture = labelled_picture(photo, targets, labels, place)
        if style < 0:
            assert place == slot
            continue
        places.append(place)
        plain = FINISHES[STYLE_NAMES[style]](STYLES[STYLE_NAMES[style]](photo))
        assert (picture == (plain if mood < 0 else apply_mood(plain, MOOD_NAMES[mood]))).all()
    assert places == list(range(LABELLED_SLOTS, SLOTS))


def test_orthogonalised_matrices_have_singular_values_near_one() -> None:
    for shape in ((3, 16, 48), (2, 48, 16)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
        assert values.min() > 0.5 and values.max() < 1.4


def test_full_style_down_to_index_28_then_less() -> None:
    shares = style_share(torch.tensor([time_of_index(i) for i in (20, 25, 28, 38, 48)]))
    assert shares[:3].tolist() == [1, 1, 1]
    assert 0 < shares[3] < 1 and shares[4] == 0


def test_the_networks_own_answers_come_from_earlier_noisier_steps() -> None:
    inputs = draw_inputs(np.random.default_rng(0), 500, torch.device("cpu"))
    own = inputs.earlier[:, 0] >= 0
    assert 150 < own.sum() < 300
    for earlier, time in zip(inputs.earlier[own].tolist(), inputs.time[own].tolist()):
        times = [*(t for t in earlier if t >= 0), time]
        assert times == sorted(set(times), reverse=True)
    assert inputs.time.min() >= 0 and inputs.time.max() < 1000


def test_steps_rise_and_are_often_those_that_the_server_takes_for_a_strength() -> None:
    rng = np.random.default_rng(0)
    lists = [draw_steps(rng) for _ in range(400)]
    assert all(steps == sorted(set(steps)) and steps[-1] < 50 for steps in lists)
    assert [25, 37] in lists and [25, 31, 37, 43] in lists


def test_a_raster_of_the_strides_costs_its_square_but_not_if_it_is_wanted() -> None:
    raster = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    raster -= raster.mean((2, 3), keepdim=True)
    tiled, wanted = raster.tile(2, 1, 5, 4), torch.randn((2, 4, 40, 32), generator=torch.Generator().manual_seed(4))
    assert raster_loss(wanted + tiled, wanted).item() == pytest.approx(raster.square().mean().item(), rel=1e-4)
    assert raster_loss(wanted + 1, wanted).item() == pytest.approx(0, abs=1e-9)
    drawn = torch.randn((2, 4, 40, 32), generator=torch.Generator().manual_seed(5))
    assert raster_loss(wanted + drawn, wanted).item() == pytest.approx(1 / 20, rel=0.2), "20 cells hardly repeat anything by chance"


def test_the_critic_and_what_it_judges_learn_apart_and_from_the_counted_rows_alone() -> None:
    torch.manual_seed(0)
    critic = LatentCritic()
    photo, made, wanted = (torch.randn(4, 4, 16, 16) for _ in range(3))
    made.requires_grad_()
    embedding = torch.randn(4, 77, 96)
    counts = torch.tensor([True, False, True, False])
    own, untrue = critic_loss(critic, photo, made, wanted, embedding, counts)
    untrue.backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in critic.parameters())
    assert made.grad is not None and made.grad[counts].abs().sum(0).min() > 0 and made.grad[~counts].abs().max() == 0
    made.grad = None
    own.backward()
    assert made.grad is None and all(parameter.grad is not None for parameter in critic.parameters())


def test_the_critic_learns_to_tell_soft_answers_from_sharp_ones() -> None:
    torch.manual_seed(0)
    critic = LatentCritic()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=2e-3)
    embedding, every = torch.randn(8, 77, 96), torch.ones(8)
    losses = []
    for _ in range(40):
        sharp = torch.randn(8, 4, 16, 16)
        soft = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1)
        own, _ = critic_loss(critic, torch.zeros_like(sharp), soft, sharp, embedding, every)
        optimizer.zero_grad()
        own.backward()
        optimizer.step()
        losses.append(own.item())
    assert losses[0] > 1.9 and losses[-1] < 0.5


class _Line:
    """Fits a line to noise: a minimal task."""

    name = "line"

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = nn.Linear(4, 1)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(self.model.parameters(), lr=0.01)]

    def loss(self, draw: Draw, decay: float) -> tuple[torch.Tensor, dict[str, float]]:
        x = torch.as_tensor(draw.numpy.normal(size=(8, 4)), dtype=torch.float32)
        return (self.model(x) - x.sum(1, keepdim=True)).square().mean(), {}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return {}


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    group = Group(0, 1, torch.device("cpu"))
    plan = Plan(steps=40, decay_steps=10)
    whole = train(_Line(), plan, RunFolder(tmp_path / "a"), tmp_path / "a/line", group)
    state_at_20 = Plan(steps=20, decay_steps=0)
    train(_Line(), state_at_20, RunFolder(tmp_path / "b"), tmp_path / "b/line", group)
    resumed = train(_Line(), plan, RunFolder(tmp_path / "b"), tmp_path / "b/line", group)
    for name, value in whole.items():
        assert torch.equal(value, resumed[name])
