"""The stages as commands; `all` runs them one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from .loop import Plan
from .parallel import Group, pick_device, run_parallel
from .run_folder import RunFolder

_QUICK_STEPS = 20
_QUICK_CROPS = 96
_UNET_ROWS = 1_300_000  # training rows of the U-Net, for any batch size
_UNET_ROWS_FROM_INIT = 110_000  # about 75 minutes on two idle cores


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="millrace_training", description="Train Millrace's embedded model.")
    parser.add_argument("stage", choices=[*_STAGES, *_APART, "all"])
    parser.add_argument("--run", type=Path, required=True, help="folder for everything that is read and written")
    parser.add_argument("--init", type=Path, help="start from the weights of this diffusers folder instead of from scratch")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="additional folders of photos (stage data)")
    parser.add_argument("--processes", type=int, default=2, help="worker processes on a CPU (default 2)")
    parser.add_argument("--threads", type=int, default=1, help="threads of the stages that do not train (more can stall on a busy machine)")
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--steps", type=int, help="training steps of the stage, instead of its default")
    parser.add_argument("--decay-steps", type=int, help="final steps in which the learning rate decays to zero")
    parser.add_argument("--rate", type=float, help="learning rate, instead of the stage's default")
    parser.add_argument("--batch", type=int, default=16, help="U-Net rows per process and step (default 16; 512 on a GPU)")
    parser.add_argument("--model", type=Path, help="diffusers folder to write, evaluate or draw with (default RUN/export)")
    parser.add_argument("--checkpoint", type=Path, help="U-Net checkpoint to export (default RUN/unet/last.pt)")
    parser.add_argument("--no-int8", action="store_true", help="skip the 8-bit graphs, which take some minutes")
    parser.add_argument("--name", default="model", help="name of the files of evaluation, montage and videos")
    parser.add_argument("--pictures", type=int, default=6, help="held-out pictures per style in the evaluation (default 6)")
    parser.add_argument("--only", nargs="*", default=[], help="measures to run: styles moods prompts behaviour")
    parser.add_argument("--looks", nargs="*", default=[], help="names of the looks to train instead of all (stage targets)")
    parser.add_argument("--picture", type=Path, help="square photo for the pictures of the web page (stage cards)")
    parser.add_argument("--quick", action="store_true", help="test every stage with few crops and steps: a useless model in minutes")
    parser.add_argument("--tile", type=int, default=128, help="side of a picture in the montage, in pixels (default 128)")
    return parser


def _plan(arguments: argparse.Namespace, steps: int, decay_share: float, **others: float) -> Plan:
    total = arguments.steps or (_QUICK_STEPS if arguments.quick else steps)
    decay = arguments.decay_steps if arguments.decay_steps is not None else int(total * decay_share)
    return Plan(steps=total, decay_steps=decay, **others)


def _train(arguments: argparse.Namespace, run: RunFolder, work: Callable[[Group], None]) -> None:
    run_parallel(work, arguments.processes, pick_device(arguments.device), run.pids)


def _part(arguments: argparse.Namespace, name: str) -> Path | None:
    return arguments.init / name if arguments.init else None


def _model(arguments: argparse.Namespace, run: RunFolder) -> Path:
    return arguments.model or run.export


def _crops(run: RunFolder) -> list[RunFolder]:
    """Return the folders of crops: of 256 pixels, of 512, and plain ones."""
    return [run, run.large, run.plain]


def _data(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .data.gather import gather

    gather(run, arguments.photos, arguments.processes, _QUICK_CROPS if arguments.quick else None)


def _targets(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .targets import choose_looks, looks_of, make_targets

    choose_looks(run, arguments.looks)
    for folder in _crops(run):
        make_targets(folder, arguments.processes, looks_of(run))


def _autoencoder(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .autoencoder.train import train_autoencoder

    init = _part(arguments, "vae")
    rate = arguments.rate or (6e-4 if init else 2e-3)
    plan = _plan(arguments, 900 if init else 6000, 0.3)
    _train(arguments, run, partial(train_autoencoder, run=run, init=init, rate=rate, plan=plan))


def _text_encoder(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .text.train import prepare_tokenizer, train_text_encoder

    prepare_tokenizer(run, _part(arguments, "tokenizer"))
    plan = _plan(arguments, 3000, 0.5, ema_decay=0.99, evaluate_every=400)
    work = partial(train_text_encoder, run=run, init=_part(arguments, "text_encoder"), rate=arguments.rate or 2e-3, plan=plan)
    _train(arguments, run, work)


def _meanings(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .text.meaning import find_meanings

    find_meanings(run)


def _latents(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .latents import prepare_latents

    for folder in _crops(run):
        _train(arguments, run, prepare_latents(folder, run.autoencoder))


def _unet(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .unet.train import train_unet

    processes = arguments.processes if pick_device(arguments.device).type == "cpu" else 1
    rows = _UNET_ROWS_FROM_INIT if arguments.init else _UNET_ROWS
    plan = _plan(arguments, rows // (arguments.batch * processes), 0.3, evaluate_every=1800)
    work = partial(
        train_unet,
        run=run,
        init=arguments.init,
        rate=arguments.rate or 1e-3,
        batch=arguments.batch,
        plan=plan,
    )
    _train(arguments, run, work)


def _decoder(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .autoencoder.sharpen import train_decoder

    plan = _plan(arguments, 1200, 0.4, ema_decay=0.99)
    _train(arguments, run, partial(train_decoder, run=run, rate=arguments.rate or 5e-4, plan=plan))


def _export(arguments: argparse.Namespace, run: RunFolder) -> None:
    import numpy as np

    from .export.check import check_export
    from .export.int8 import remove_int8, write_int8
    from .export.layout import load_parts, write_layout
    from .export.modulation import fold_modulation, measure_bytes
    from .export.onnx_parts import write_onnx
    from .text.classifier import fit_classifier

    folder = _model(arguments, run)
    remove_int8(folder)
    parts = load_parts(run, arguments.checkpoint or run.unet / "last.pt")
    write_layout(run, parts, folder)
    write_onnx(parts, folder)
    print("classifier:", fit_classifier(run, folder))
    if not arguments.no_int8:
        write_int8(run, folder, arguments.pictures)
    # Last: calibration would store the folded weights beside those of the safetensors file.
    for graph in (folder / "unet").glob("*.onnx"):
        measure_bytes(graph)
        fold_modulation(graph)
    check_export(folder, np.load(run.held_out)[1])


def _judge(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.classifier import train_judge

    plan = _plan(arguments, 2900, 0.6, ema_decay=0.99)
    _train(arguments, run, partial(train_judge, run=run, plan=plan))


def _evaluate(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.report import evaluate

    evaluate(run, _model(arguments, run), arguments.name, 1 if arguments.quick else arguments.pictures, arguments.only)


def _words(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.words import judge_words

    judge_words(run, _model(arguments, run), arguments.name)


def _montage(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.montage import write_sheets

    write_sheets(run, _model(arguments, run), arguments.name, arguments.tile)


def _videos(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.videos import write_videos

    write_videos(run, _model(arguments, run), run.evaluation / arguments.name)


def _cards(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .evaluate.cards import write_cards

    if not arguments.picture:
        raise SystemExit("cards: needs --picture FILE, a square photo to paint")
    write_cards(_model(arguments, run), arguments.picture, run.evaluation / f"{arguments.name}-cards")


def _card(arguments: argparse.Namespace, run: RunFolder) -> None:
    from .export.card import write_card

    write_card(run, _model(arguments, run), arguments.name)


_STAGES: dict[str, Callable[[argparse.Namespace, RunFolder], None]] = {
    "data": _data,
    "targets": _targets,
    "autoencoder": _autoencoder,
    "meanings": _meanings,
    "text-encoder": _text_encoder,
    "latents": _latents,
    "unet": _unet,
    "decoder": _decoder,
    "export": _export,
    "judge": _judge,
    "evaluate": _evaluate,
    "words": _words,
    "montage": _montage,
    "videos": _videos,
    "card": _card,
}


_APART: dict[str, Callable[[argparse.Namespace, RunFolder], None]] = {"cards": _cards}


def main() -> None:
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.stage == "all" and (arguments.steps or arguments.decay_steps or arguments.rate):
        parser.error("--steps, --decay-steps and --rate belong to a single stage")
    torch.set_num_threads(arguments.threads)
    run = RunFolder(arguments.run)
    run.root.mkdir(parents=True, exist_ok=True)
    for stage in _STAGES if arguments.stage == "all" else [arguments.stage]:
        (_STAGES | _APART)[stage](arguments, run)
