"""An output folder that is complete or absent."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from .errors import ExportError


@contextmanager
def staged_folder(target: Path, replace: bool = False) -> Iterator[Path]:
    """Create a folder that is renamed to `target` at the end, or removed on any failure or interrupt.

    replace: replace an existing folder once the new one is complete.
    """
    target = target.expanduser().absolute()
    if target.is_file():
        raise ExportError(f"{target}: is a file; name a folder with -o")
    if target.exists() and any(target.iterdir()) and not replace:
        raise ExportError(f"{target}: already exists; --force replaces it")
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        partial.mkdir(parents=True)
        yield partial
        if target.exists():
            old = target.with_name(f".{target.name}.old-{os.getpid()}")
            target.rename(old)
            partial.rename(target)
            shutil.rmtree(old)
        else:
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def require_space(folder: Path, needed: int) -> None:
    """Raise ExportError if the disk is too full, before hours of work rather than after."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ExportError(
            f"the disk is too full: about {needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free; choose another folder with -o"
        )
