"""Compares each graph with its network, on random inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .errors import ExportError, first_line
from .parts import Part, Values

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
    """Return the network's outputs for two batch and picture sizes, and with its steering at zero.

    Leaves the network in float32.
    """
    random = torch.Generator().manual_seed(1)
    network = (part.unrounded or part.network).float()
    cases = []
    for lengths in part.check_lengths:
        inputs = part.draw(lengths, random)
        outputs = network(*_floats(inputs).values())
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        cases.append(_case(inputs, dict(zip(part.outputs, outputs, strict=True))))
        if part.plain is not None:
            off = {name: value * 0 if name in part.plain.zeros else value for name, value in inputs.items()}
            cases.append(_case(off, {next(iter(part.outputs)): part.plain.call(_floats(off))}))
    return cases


def _floats(values: Values) -> Values:
    return {name: value.float() if value.is_floating_point() else value for name, value in values.items()}


def _case(inputs: Values, wanted: Values) -> Case:
    return Case(*({name: value.numpy() for name, value in values.items()} for values in (inputs, wanted)))


def compare(path: Path, cases: list[Case]) -> Difference:
    """Return the largest differences of all outputs and cases. Raises ExportError if the graph fails to run."""
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        differences = [_difference(session, case, name) for case in cases for name in case.wanted]
    except Exception as error:  # of a class that onnxruntime does not export
        raise ExportError(f"{path.parent.name}: the exported graph fails to run: {first_line(error)}") from error
    return Difference(max(d.absolute for d in differences), max(d.relative for d in differences))


def _difference(session: onnxruntime.InferenceSession, case: Case, name: str) -> Difference:
    found = session.run([name], case.inputs)[0]
    wanted = case.wanted[name]
    if found.shape != wanted.shape:
        return Difference(float("inf"), float("inf"))
    if found.dtype == np.uint8:
        return _difference_of_pictures(found, wanted)
    found = found.astype(np.float32)
    # A NaN, or an infinity on one side, must not count as a small difference.
    absolute = float(np.nan_to_num(np.abs(found - wanted), nan=np.inf).max())
    return Difference(absolute, absolute / max(float(np.abs(wanted).max()), 1e-12))


def _difference_of_pictures(found: np.ndarray, wanted: np.ndarray) -> Difference:
    """Return what rounding does not explain, as a difference of values from -1 to 1.

    wanted: levels from 0 to 255 that are not rounded; or bytes, from which rounding may lead to the next one.
    """
    rounding = 1.0 if wanted.dtype == np.uint8 else 0.5
    levels = wanted.astype(np.float32)
    beyond = np.nan_to_num(np.abs(found - levels), nan=np.inf).max() - rounding
    absolute = max(0.0, float(beyond)) / 127.5
    return Difference(absolute, absolute / max(float(np.abs(levels / 127.5 - 1).max()), 1e-12))
