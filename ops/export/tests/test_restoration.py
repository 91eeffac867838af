"""Networks that restore pictures, exported and compared with torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from millrace_export.errors import ExportError
from millrace_export.restoration import export_restoration
from running import assert_close, run, session
from torch import nn
from torch.nn import functional


class Restorer(nn.Module):
    """Like the published ones: it sees the difference from the degraded picture, and pads to a size that it can halve."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(6, 8, 4, stride=4)
        self.time = nn.Linear(1, 8)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=4)

    def forward(self, sample: torch.Tensor, mean: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        x = torch.cat([sample - mean, mean], dim=1)
        height, width = x.shape[2:]
        x = functional.pad(x, (0, (4 - width % 4) % 4, 0, (4 - height % 4) % 4), "reflect")
        x = self.down(x) + self.time(timestep[:, None] / 100)[:, :, None, None]
        return self.up(x.tanh())[..., :height, :width]


@pytest.fixture(scope="module")
def network() -> Restorer:
    torch.manual_seed(1)
    return Restorer()


@pytest.fixture(scope="module")
def folder(network: Restorer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("restoration") / "model"
    rows = export_restoration(network, folder, max_sigma=50, multiple_of=4, side=64, description="A test.")
    assert [row.part for row in rows] == ["vae_encoder", "vae_decoder", "text_encoder", "unet"]
    return folder


@torch.no_grad()
def test_equals_the_network(network: Restorer, folder: Path) -> None:
    inputs = {name: torch.rand(3, 3, 20, 32) for name in ("sample", "mean")}
    inputs |= {"timestep": torch.tensor([12.5, 50, 100]), "encoder_hidden_states": torch.zeros(3, 77, 1)}
    [found] = run(folder / "unet", inputs)
    assert_close(found, network(inputs["sample"], inputs["mean"], inputs["timestep"]), 1e-4)


def test_has_what_a_server_needs(folder: Path) -> None:
    def config(path: str) -> dict[str, object]:
        return json.loads((folder / path).read_text(encoding="utf-8"))

    names = [item.name for item in session(folder / "unet").get_inputs()]
    assert names == ["sample", "timestep", "encoder_hidden_states", "mean"]
    scheduler = config("scheduler/scheduler_config.json")
    assert scheduler == {"_class_name": "IRSDE", "max_sigma": 50, "T": 100, "schedule": "cosine", "eps": 0.005}
    assert config("unet/config.json")["block_out_channels"] == [1, 1, 1]
    assert config("millrace.json") == {"description": "A test."}
    picture = torch.rand(1, 3, 8, 8)
    assert_close(run(folder / "vae_encoder", {"sample": picture})[0], picture, 0)
    assert (run(folder / "text_encoder", {"input_ids": torch.ones(1, 77, dtype=torch.int64)})[0] == 0).all()
    assert (folder / "tokenizer/vocab.json").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"multiple_of": 12}, "must be a power of two, not 12"), ({"side": 50}, "must be a multiple of 4, not 50")],
)
def test_refuses_sizes(network: Restorer, tmp_path: Path, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        export_restoration(network, tmp_path / "model", **{"max_sigma": 50, "multiple_of": 4, "side": 64} | wrong)
    assert not (tmp_path / "model").exists()
