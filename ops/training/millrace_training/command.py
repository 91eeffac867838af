"""The command line of steps that take a run and a model's folder, and print what they found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from .run_folder import RunFolder


def run_on_model(description: str | None, work: Callable[[RunFolder, Path], object]) -> None:
    """Do the work for `--run` and `--model`, and print its result as JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps(work(RunFolder(options.run), options.model), indent=1))
