"""The layout of a run folder, which has all files that training reads or writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunFolder:
    """Paths below one folder; each stage writes its own and reads those of earlier stages."""

    root: Path

    @property
    def packages(self) -> Path:
        return self.root / "deb"

    @property
    def dictionary(self) -> Path:
        """A list of English words, one per line."""
        return self.packages / "wamerican/usr/share/dict/american-english"

    @property
    def common_words(self) -> Path:
        """A folder of lists of English words, by how common they are."""
        return self.packages / "scowl/usr/share/dict/scowl"

    @property
    def meanings(self) -> Path:
        """Prompts that name no look, with the looks that the teacher finds nearest."""
        return self.root / "meanings.npz"

    @property
    def cascades(self) -> Path:
        """Detectors of faces and eyes."""
        return self.packages / "opencv-data/usr/share/opencv4/haarcascades"

    @property
    def crops(self) -> Path:
        """uint8 [N, 256, 256, 3]: training crops."""
        return self.root / "crops.npy"

    @property
    def held_out(self) -> Path:
        """uint8 [M, 256, 256, 3]: crops of held-out photos; the first two are a portrait."""
        return self.root / "held-out.npy"

    @property
    def held_out_video(self) -> Path:
        """uint8 [V, F, 256, 256, 3]: F consecutive frames of each held-out video."""
        return self.root / "held-out-video.npy"

    @property
    def large(self) -> RunFolder:
        """The same for a few crops of 512 pixels: crops, targets and latents."""
        return RunFolder(self.root / "large")

    @property
    def plain(self) -> RunFolder:
        """The same for crops of one or two colours, without anything on them."""
        return RunFolder(self.root / "plain")

    @property
    def looks(self) -> Path:
        """Names of the looks that this run trains, one per line; without it, all."""
        return self.root / "looks.txt"

    @property
    def targets(self) -> Path:
        """uint8 [N, K, 256, 256, 3]: K styled versions of each crop."""
        return self.root / "targets.npy"

    @property
    def target_styles(self) -> Path:
        """int32 [N, K]: the index of each target's style."""
        return self.root / "target-styles.npy"

    @property
    def latents(self) -> Path:
        """float16 [N, S, 4, 64, 64]: the photo, its targets, targets and photo with a mood; then the styled ones finished."""
        return self.root / "latents.npy"

    @property
    def latent_labels(self) -> Path:
        """int32 [N, L, 2]: style and mood of each unfinished latent, -1 for none."""
        return self.root / "latent-labels.npy"

    @property
    def tokenizer(self) -> Path:
        return self.root / "tokenizer"

    @property
    def autoencoder(self) -> Path:
        return self.root / "autoencoder"

    @property
    def text_encoder(self) -> Path:
        return self.root / "text-encoder"

    @property
    def unet(self) -> Path:
        return self.root / "unet"

    @property
    def decoder(self) -> Path:
        """Checkpoints of the separate training of the decoder; its result is written to `autoencoder`."""
        return self.root / "decoder"

    @property
    def export(self) -> Path:
        return self.root / "export"

    @property
    def evaluation(self) -> Path:
        return self.root / "evaluation"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        """Process ids of the running training, one per line: send them SIGSTOP to pause it."""
        return self.root / "pids"

    def log(self, stage: str, **entry: Any) -> None:
        """Append one line to the stage's JSON-lines log and print it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        line = json.dumps(entry)
        with (self.logs / f"{stage}.jsonl").open("a") as file:
            file.write(line + "\n")
        print(stage, line, flush=True)


def write_atomically(path: Path, write: Any) -> None:
    """Call write(temporary path), then rename: a kill at any time leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    write(temporary)
    os.replace(temporary, path)
