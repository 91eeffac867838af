"""External data, and output folders that are complete or absent."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import onnx
import pytest
from diffusers import DiffusionPipeline
from millrace_export import check
from millrace_export.check import Difference
from millrace_export.cli import main
from models import save_model
from running import assert_close, export_model, run, torch_unet, unet_inputs

EXPORT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("sd-turbo", tmp_path_factory.mktemp("writing") / "model")


@pytest.mark.parametrize("options", [[], ["--fp16"], ["--weights-fp16"]], ids=["fp32", "fp16", "weights-fp16"])
def test_external_data(model: Path, tmp_path: Path, options: list[str]) -> None:
    exported = export_model(model, tmp_path / "exported", "--external-data-above", "0.5", *options)
    assert sorted(path.name for path in (exported / "unet").iterdir()) == [
        "config.json",
        "model.onnx",
        "model.onnx_data",
    ]
    assert not (exported / "vae_decoder/model.onnx_data").exists()
    graph = onnx.load(exported / "unet/model.onnx", load_external_data=False).graph
    external = [tensor for tensor in graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    assert len(external) > 50
    for tensor in external:
        where = {entry.key: entry.value for entry in tensor.external_data}
        assert where["location"] == "model.onnx_data"
        assert int(where["offset"]) % 4096 == 0
    # The folder can be moved with its data.
    moved = exported.rename(tmp_path / "moved")
    unet = DiffusionPipeline.from_pretrained(model).unet
    inputs = unet_inputs(unet, 2, 16, 16, 77)
    assert_close(run(moved / "unet", inputs)[0], torch_unet(unet, inputs), 2e-2 if options else 1e-4)


def start(model: Path, output: Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "millrace_export", str(model), "-o", str(output)]
    return subprocess.Popen(command, cwd=EXPORT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(model: Path, tmp_path: Path, number: signal.Signals) -> None:
    # Background processes of a shell ignore SIGINT, and so do their children.
    process = start(
        model, tmp_path / "out", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "unet: writing" in line:
            break
    assert any(path.name.startswith(".out.partial") for path in tmp_path.iterdir())
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "millrace_export: interrupted; nothing was written"
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_up(model: Path, tmp_path: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = start(model, tmp_path / "out", preexec_fn=no_large_files)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert (
        errors.strip().splitlines()[-1]
        == f"millrace_export: {tmp_path / 'out'}: cannot be written: File too large; no files were left there"
    )
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full_before(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(1_000_000))
    assert main([str(model), "-o", str(tmp_path / "out")]) == 1
    assert "the disk is too full: about 2" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_folder_that_exists(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main([str(model), "-o", str(out)]) == 1
    assert f"{out}: already exists; --force replaces it" in capfd.readouterr().err
    assert (out / "mine.txt").exists()
    # A failed export does not replace anything.
    monkeypatch.setattr("millrace_export.export.compare", lambda path, cases: Difference(1.0, 0.5))
    assert main([str(model), "-o", str(out), "--force"]) == 1
    assert (
        "vae_encoder: the exported graph differs from torch by 1 (0.5 of the largest value; at most 0.0001 is allowed)"
        in capfd.readouterr().err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "mine.txt").exists()
    monkeypatch.undo()
    assert main([str(model), "-o", str(out), "--force"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (out / "mine.txt").exists()
    assert (out / "unet/model.onnx").exists()


def test_differences_that_are_no_numbers_do_not_pass() -> None:
    """A graph that gives NaN must fail its check."""

    class Broken:
        def run(self, names: list[str], inputs: object) -> list[np.ndarray]:
            return [np.array([1.0, np.nan])]

    case = check.Case({}, {"out": np.array([1.0, 1.0], np.float32)})
    assert check._difference(Broken(), case, "out").relative == float("inf")


def test_pictures_may_differ_by_rounding_alone() -> None:
    class Drawing:
        def run(self, names: list[str], inputs: object) -> list[np.ndarray]:
            return [np.array([10, 20, 30], np.uint8)]

    def difference(*levels: float, kind: type = np.float32) -> float:
        return check._difference(Drawing(), check.Case({}, {"out": np.array(levels, kind)}), "out").absolute

    assert difference(10.5, 19.5, 30.2) == 0
    assert difference(10, 20, 31, kind=np.uint8) == 0
    assert difference(10, 20.75, 30) == pytest.approx(0.25 / 127.5)
    assert difference(10, 20, 32, kind=np.uint8) == pytest.approx(1 / 127.5)
    assert difference(10, 20, np.nan) == float("inf")
