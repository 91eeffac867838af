"""python -m millrace_export"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .bases import BASES
from .errors import ExportError
from .export import Options, Row, export
from .family import FAMILIES
from .graph import EMBEDDED_BYTES
from .lora import Lora
from .optimize import optimize
from .source import Source
from .steering.request import SteeringRequest


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="millrace_export",
        description="Exports a Stable Diffusion model to ONNX graphs in the layout that Millrace runs.",
    )
    parser.add_argument("model", help="a diffusers folder, a hub id (owner/name), or a .safetensors checkpoint")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write the exported model"
    )
    parser.add_argument("--force", action="store_true", help="replace FOLDER if it exists, once the export is complete")
    parser.add_argument("--fp16", action="store_true", help="weights and arithmetic in float16 (GPUs)")
    parser.add_argument(
        "--weights-fp16",
        action="store_true",
        help="weights stored as float16, arithmetic in float32 (CPUs): half the file",
    )
    parser.add_argument(
        "--vae", metavar="FOLDER|ID|taesd", help="a VAE to use instead of the model's own; taesd is small and fast"
    )
    parser.add_argument(
        "--lora",
        type=Lora.parse,
        action="append",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="a LoRA to fuse; may be given several times",
    )
    parser.add_argument(
        "--controlnet",
        action="append",
        default=[],
        metavar="[NAME=]FOLDER|ID",
        help="a ControlNet that can steer streams; may be given several times",
    )
    parser.add_argument(
        "--t2i-adapter",
        action="append",
        default=[],
        metavar="[NAME=]FOLDER|ID",
        help="a T2I-Adapter, likewise; it is computed once a frame, not once a step",
    )
    parser.add_argument(
        "--ip-adapter",
        metavar="FILE|FOLDER|ID",
        help="an IP-Adapter for style images; ID: owner/name/file on the hub",
    )
    parser.add_argument(
        "--image-encoder",
        metavar="FOLDER|ID",
        help="its image encoder; default: the folder image_encoder beside its file",
    )
    parser.add_argument(
        "--attention-bank",
        metavar="BLOCK[,BLOCK...]|all",
        help="blocks whose self-attention also sees earlier frames, such as mid_block,up_blocks",
    )
    parser.add_argument(
        "--base",
        metavar="NAME|FOLDER",
        help=f"base of a single checkpoint: {', '.join(BASES)}, or a diffusers folder; default: detected",
    )
    parser.add_argument(
        "--family",
        choices=FAMILIES,
        help="what the model was distilled for, which sets the defaults in millrace.json; default: detected",
    )
    parser.add_argument(
        "--precompute",
        action="store_true",
        help="the U-Net takes keys and values of prompts and what timesteps give, which small graphs compute once",
    )
    parser.add_argument(
        "--attention",
        choices=("fused", "plain"),
        default="fused",
        help="one operator of ONNX Runtime (CPU, CUDA, WebGPU, DirectML), or plain ones of ONNX (TensorRT, CoreML); "
        "default: %(default)s",
    )
    parser.add_argument("--revision", help="branch, tag or commit of a hub repository")
    parser.add_argument("--variant", help="weights variant of a diffusers model, such as fp16")
    parser.add_argument(
        "--external-data-above",
        type=float,
        default=EMBEDDED_BYTES / 1e6,
        metavar="MB",
        help="store weights in model.onnx_data if a graph has more than this (default: %(default).0f)",
    )
    return parser


def _optimize_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="millrace_export optimize",
        description="Writes a copy of an exported model in which each attention is one operator of ONNX Runtime.",
    )
    parser.add_argument("model", type=Path, metavar="FOLDER", help="a model folder, as optimum writes it")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write the copy")
    parser.add_argument("--force", action="store_true", help="replace the output if it exists, once it is complete")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the exporter and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["optimize"]:
        chosen = _optimize_parser().parse_args(given[1:])
        return _write(chosen.output, lambda: optimize(chosen.model, chosen.output, chosen.force, _say))
    parser = _parser()
    options = parser.parse_args(given)
    if options.fp16 and options.weights_fp16:
        parser.error("--fp16 already stores float16 weights; omit --weights-fp16")
    source = Source(options.model, options.base, options.vae, options.lora, options.revision, options.variant)
    how = Options(
        options.fp16,
        options.weights_fp16,
        options.family,
        options.force,
        int(options.external_data_above * 1e6),
        options.precompute,
        options.attention == "fused",
    )

    def written() -> list[Row]:
        steering = SteeringRequest.parse(
            options.controlnet,
            options.t2i_adapter,
            options.ip_adapter,
            options.image_encoder,
            options.attention_bank,
        )
        return export(source, options.output, how, _say, steering)

    return _write(options.output, written)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(target: Path, write: Callable[[], list[Row]]) -> int:
    """Write a folder, report it, and return the exit code."""
    try:
        rows = write()
    except ExportError as error:
        _say(f"millrace_export: {error}")
        return 1
    except KeyboardInterrupt:
        _say("millrace_export: interrupted; nothing was written")
        return 130
    except OSError as error:
        reason = (
            "the disk is full"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else os.strerror(error.errno)
            if error.errno
            else str(error)
        )
        _say(f"millrace_export: {target}: cannot be written: {reason}; no files were left there")
        return 1
    print(table(rows))
    print(f"\nWritten to {target}. Run it: millrace serve --model {target}")
    return 0


def table(rows: Sequence[Row]) -> str:
    """Return a table of the parts and their differences from torch."""
    head = ("part", "computed in", "MB", "largest difference", "relative", "allowed", "seconds")
    body = [
        (
            row.part,
            row.type,
            f"{row.bytes / 1e6:.1f}",
            f"{row.difference.absolute:.2e}",
            f"{row.difference.relative:.2e}",
            f"{row.tolerance:g}",
            f"{row.seconds:.1f}",
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    left = 2
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *body)
    )
