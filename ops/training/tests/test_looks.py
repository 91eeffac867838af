"""Fast checks of how looks are painted and measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from millrace_training.evaluate.looks import steps_of
from millrace_training.evaluate.pattern import agreement, flat_picture, period, sticks
from millrace_training.export.layout import page_styles
from millrace_training.pictures import psnr
from millrace_training.prompts.more_looks import MORE_WORDS
from millrace_training.prompts.vocabulary import MOOD_PHRASES, STYLE_PHRASES
from millrace_training.run_folder import RunFolder
from millrace_training.styles import LOOKS, STYLE_NAMES, STYLES, Canvas
from millrace_training.styles.flow import flow_of
from millrace_training.styles.lattices import tile
from millrace_training.styles.noise import noise_of, plane
from millrace_training.targets import choose_looks, looks_of, noise_of_crop, styles_of_crop
from millrace_training.unet.sampler import stylise

_MODEL = Path(__file__).parents[3] / "ops/models/millrace-styles"
_FREE = [name for name in STYLE_NAMES if not LOOKS[name].in_phase]


def _scene(size: int = 256) -> np.ndarray:
    """Return a picture with a sky, a disc with two dark spots, and stripes."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    picture = flat_picture(size).astype(np.float32)
    disc = np.hypot(rows - 0.5 * size, columns - 0.45 * size) < 0.25 * size
    picture[disc] = (206, 160, 132)
    for x in (0.38, 0.52):
        picture[np.hypot(rows - 0.45 * size, columns - x * size) < 0.03 * size] = (30, 24, 22)
    ground = rows > 0.8 * size
    picture[ground] = np.where((columns[ground] // 10 % 2)[:, None] > 0, (40, 96, 40), (150, 170, 60))
    return picture.astype(np.uint8)


def test_there_are_many_looks_and_the_model_in_the_repository_knows_all() -> None:
    assert len(STYLE_NAMES) >= 48
    assert len({look.prompt for look in LOOKS.values()}) == len({look.title for look in LOOKS.values()}) == len(LOOKS)
    published = {style["prompt"] for style in json.loads((_MODEL / "millrace.json").read_text())["styles"]}
    assert {look.prompt for look in LOOKS.values()} <= published
    # Trained weights depend on the order.
    assert STYLE_NAMES[0] == "oil" and STYLE_NAMES[26] == "lego" and STYLE_NAMES[66] == "steampunk"


@pytest.mark.parametrize("name", STYLE_NAMES)
def test_a_look_is_far_from_the_photo(name: str) -> None:
    scene = _scene()
    assert psnr(scene[None], STYLES[name](scene)[None])[0] < 21


def test_looks_differ_from_each_other() -> None:
    canvas = Canvas(_scene())
    painted = np.stack([look.paint(canvas) for look in LOOKS.values()])
    for index, picture in enumerate(painted[:-1]):
        others = painted[index + 1 :]
        alike = psnr(others, np.broadcast_to(picture, others.shape))
        assert alike.max() < 24, (STYLE_NAMES[index], STYLE_NAMES[index + 1 + int(alike.argmax())])


@pytest.mark.parametrize("name", _FREE)
def test_the_pattern_of_a_flat_area_has_no_period(name: str) -> None:
    flat = STYLES[name](flat_picture(256))
    assert period(flat[32:224, 32:224]) < 0.3


def test_marks_in_flat_areas_move_with_the_noise_and_others_with_the_picture() -> None:
    noise = noise_of(2, 64, 66)
    flat = flat_picture(264)
    everywhere = np.zeros((256, 256), bool)
    everywhere[48:-48, 48:-48] = True
    first = STYLES["gogh"](flat[:256, 4:260], noise[:, :, 1:65])
    moved, stood = (STYLES["gogh"](flat[:256, :256], part) for part in (noise[:, :, :64], noise[:, :, 1:65]))
    assert agreement(*sticks(first, moved, 4, 0, everywhere)) > 0.9
    assert agreement(*sticks(first, stood, 4, 0, everywhere)) < 0.3
    textured = np.clip(flat + 40.0 * plane(noise_of(8, 66, 66), 264, 264)[..., None], 0, 255).astype(np.uint8)
    first, second = (STYLES["gogh"](textured[:256, start : start + 256], noise_of(2, 64, 64)) for start in (4, 0))
    assert agreement(*sticks(first, second, 4, 0, everywhere)) > 0.8


def test_a_lattice_has_a_period_and_noise_has_none() -> None:
    rng = np.random.default_rng(0)
    lattice = tile(rng.integers(0, 255, (8, 8)).astype(np.uint8), 128, 128)
    assert period(np.repeat(lattice[..., None], 3, 2)) > 0.9
    assert period(np.repeat(rng.integers(0, 255, (128, 128, 1)).astype(np.uint8), 3, 2)) < 0.1


@pytest.mark.parametrize("turned", (False, True))
def test_the_flow_follows_the_outlines(turned: bool) -> None:
    stripes = np.tile(0.5 + 0.4 * np.sin(np.arange(128) / 5, dtype=np.float32), (128, 1)).astype(np.float32)
    flow = flow_of(np.ascontiguousarray(stripes.T) if turned else stripes)
    along = flow.x if turned else flow.y
    assert np.abs(along[16:-16, 16:-16]).min() > 0.98


def test_the_noise_is_that_of_a_streams_first_step() -> None:
    class Still(torch.nn.Module):
        def forward(self, noisy: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor]:
            seen.append(noisy)
            return (noisy,)

    class Plain:
        def __init__(self) -> None:
            self.encoder = lambda pictures: torch.zeros(1, 4, 16, 16)
            self.decoder = lambda latent: latent

    seen: list[torch.Tensor] = []
    pictures = torch.zeros(1, 3, 64, 64)
    given = torch.ones(1, 4, 16, 16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("millrace_training.unet.sampler.encode", lambda vae, _: vae.encoder(_))
        patch.setattr("millrace_training.unet.sampler.decode", lambda vae, latent: vae.decoder(latent))
        stylise(Still(), Plain(), pictures, torch.zeros(1, 77, 96), [25, 37])
        stylise(Still(), Plain(), pictures, torch.zeros(1, 77, 96), [25, 37], first_noise=given)
    usual = torch.from_numpy(noise_of(0, 16, 16))
    assert np.corrcoef(seen[0].flatten(), usual.flatten())[0, 1] > 0.9999
    assert seen[2].std() < 1e-6 and seen[3].std() > 1e-3


def test_a_run_trains_the_looks_that_it_was_given(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert looks_of(run) == STYLE_NAMES
    choose_looks(run, ["robot", "oil"])
    choose_looks(run, [])
    assert looks_of(run) == ("oil", "robot")
    drawn = {STYLE_NAMES[style] for index in range(20) for style in styles_of_crop(index, looks_of(run))}
    assert drawn == {"oil", "robot"}
    with pytest.raises(SystemExit, match="sofa"):
        choose_looks(run, ["sofa"])
    assert (noise_of_crop(3, 64) != noise_of_crop(4, 64)).any()


def test_a_later_looks_words_are_taken_from_those_that_had_them() -> None:
    for name, words in MORE_WORDS.items():
        others = [phrases for other, phrases in (*STYLE_PHRASES.items(), *MOOD_PHRASES.items()) if other != name]
        assert not {phrase for phrases in others for phrase in phrases} & set(words.named), name
        assert len(words.written) >= 3 and len(words.themes) >= 8


def test_the_page_has_each_look_with_its_strength_and_steps() -> None:
    styles = page_styles(("oil", "vapor", "robot"))
    assert [style["name"] for style in styles] == ["Vaporwave", "Oil", "Robot", "Golden hour"]
    assert styles[1]["steps"] == 2 and steps_of(LOOKS["oil"]) == [25, 37] and steps_of(LOOKS["robot"]) == [25]
