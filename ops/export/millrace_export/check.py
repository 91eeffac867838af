"""Compares each graph with its network, on random inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .errors import ExportError, first_line
from .parts import Part

# Largest allowed difference / largest value: what float32 and float16 arithmetic in another order causes.
TOLERANCES = {torch.float32: 1e-4, torch.float16: 2e-2}

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One call: the inputs, and the outputs of torch in float32."""

    inputs: Arrays
    wanted: Arrays


@dataclass(frozen=True)
class Difference:
    absolute: float
    # `absolute` / the largest value of that output.
    relative: float


@torch.no_grad()
def reference(part: Part) -> list[Case]:
    """Return the network's outputs for two batch and picture sizes. Leaves the network in float32."""
    random = torch.Generator().manual_seed(1)
    network = part.network.float()
    cases = []
    for lengths in part.check_lengths:
        inputs = part.draw(lengths, random)
        outputs = network(*(value.float() if value.is_floating_point() else value for value in inputs.values()))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        wanted = {name: output.numpy() for name, output in zip(part.outputs, outputs, strict=True)}
        cases.append(Case({name: value.numpy() for name, value in inputs.items()}, wanted))
    return cases


def compare(path: Path, cases: list[Case]) -> Difference:
    """Return the largest differences of all outputs and cases. Raises ExportError if the graph fails to run."""
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        differences = [_difference(session, case, name) for case in cases for name in case.wanted]
    except Exception as error:  # of a class that onnxruntime does not export
        raise ExportError(f"{path.parent.name}: the exported graph fails to run: {first_line(error)}") from error
    return Difference(max(d.absolute for d in differences), max(d.relative for d in differences))


def _difference(session: onnxruntime.InferenceSession, case: Case, name: str) -> Difference:
    found = session.run([name], case.inputs)[0].astype(np.float32)
    wanted = case.wanted[name]
    if found.shape != wanted.shape:
        return Difference(float("inf"), float("inf"))
    # A NaN, or an infinity on one side, must not count as a small difference.
    absolute = float(np.nan_to_num(np.abs(found - wanted), nan=np.inf).max())
    return Difference(absolute, absolute / max(float(np.abs(wanted).max()), 1e-12))
