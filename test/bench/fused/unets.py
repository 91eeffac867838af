"""U-Nets with the blocks of Stable Diffusion 1.5 at a part of its width, with random weights:

    python test/bench/fused/unets.py make FOLDER WIDTH
    python test/bench/fused/unets.py time FOLDER WIDTH ROWS SIDE ROUNDS THREADS

WIDTH is that of the first block: 320 is the full size. `make` writes one with attention in plain operators and one with
fused attention, as the exporter does; `time` prints what torch takes for the same network, as JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "ops/export"), str(ROOT / "ops/export/tests")]

import torch
from diffusers import UNet2DConditionModel
from millrace_export.graph import write_graph
from millrace_export.parts import plain_unet
from models import fill

# Width of a head in the first block, as in the original.
HEAD = 40
TOKENS, TEXT_WIDTH = 77, 192


def unet_of(width: int) -> UNet2DConditionModel:
    network = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(width, 2 * width, 4 * width, 4 * width),
        attention_head_dim=width // HEAD,
        norm_num_groups=width // 10,
        cross_attention_dim=TEXT_WIDTH,
    )
    return fill(network, 1)


def make(folder: Path, width: int) -> None:
    unet = unet_of(width)
    for name, fused in (("plain", False), ("fused", True)):
        part = plain_unet(unet, unet.config, torch.float32)
        write_graph(part, folder / name / "model.onnx", fused_attention=fused)


@torch.no_grad()
def timed(width: int, rows: int, side: int, rounds: int, threads: int) -> dict[str, float]:
    torch.set_num_threads(threads)
    unet = unet_of(width)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sample, text = torch.randn(rows, 4, side, side), torch.randn(rows, TOKENS, TEXT_WIDTH)
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        unet(sample, torch.full((rows,), 500), text)
        times.append(1000 * (time.perf_counter() - start))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The first call warms up.
    return {"ms": statistics.median(times[1:]), "mb": (after - before) / 1024}


if __name__ == "__main__":
    task, folder, width, *numbers = sys.argv[1:]
    if task == "make":
        make(Path(folder), int(width))
    else:
        print(json.dumps(timed(int(width), *map(int, numbers))))
