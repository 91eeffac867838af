"""The original StreamDiffusion on the CPU, one round of frames for each line on standard input.

    python original.py MODEL FRAMES SIDE THREADS

FRAMES is a file of raw RGB pictures of SIDE x SIDE pixels. A line is a JSON array: the number of frames, and the
t_index_list of the stream. The response is a JSON object: milliseconds of each frame, from bytes to bytes, and
the path of the last picture.
"""

import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import torch


class NoEvent:
    """Replaces CUDA's events, with which the package measures its time, on a CPU."""

    def __init__(self, *_, **__):
        pass

    def record(self, *_):
        pass

    def elapsed_time(self, _):
        return 0.0


torch.cuda.Event = NoEvent
torch.cuda.synchronize = lambda *_, **__: None

import diffusers
from diffusers import StableDiffusionPipeline
from streamdiffusion import StreamDiffusion

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

PROMPT = "oil painting"


def open_stream(pipe: StableDiffusionPipeline, side: int, indices: list[int]) -> StreamDiffusion:
    stream = StreamDiffusion(pipe, indices, torch_dtype=torch.float32, width=side, height=side, cfg_type="none")
    stream.prepare(PROMPT, guidance_scale=1.0)
    if pipe.scheduler.config.prediction_type == "sample":
        # The package treats every prediction as noise. This model predicts the picture, so this is correct, and
        # slightly less work.
        def step(prediction, x, idx=None):
            return stream.c_out * prediction + stream.c_skip * x

        stream.scheduler_step_batch = step
    return stream


def draw(stream: StreamDiffusion, frame: np.ndarray) -> np.ndarray:
    """Takes and returns uint8 [H, W, 3]."""
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
    drawn = stream(pixels)
    return (drawn[0].clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()


def main() -> None:
    model, path, side, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    frames = np.fromfile(path, np.uint8).reshape(-1, side, side, 3)
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)
    streams: dict[str, StreamDiffusion] = {}
    print(json.dumps({"torch": torch.__version__, "diffusers": diffusers.__version__}), flush=True)
    for line in sys.stdin:
        count, indices = json.loads(line)
        stream = streams.setdefault(str(indices), None) or open_stream(pipe, side, indices)
        streams[str(indices)] = stream
        took, before = [], time.process_time()
        for i in range(count):
            start = time.perf_counter()
            picture = draw(stream, frames[i % len(frames)])
            took.append((time.perf_counter() - start) * 1000)
        cpu = (time.process_time() - before) * 1000 / count
        picture.tofile(path + ".drawn")
        print(json.dumps({"ms": took, "cpuMs": cpu, "drawn": path + ".drawn"}), flush=True)


with torch.no_grad():
    main()
