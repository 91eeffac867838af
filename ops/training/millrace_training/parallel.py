"""Data-parallel training: one single-threaded process per core on a CPU, one process on a GPU.

On a shared CPU, two single-threaded processes are faster than one process with two threads:
operators of a small model are too short to split. Gradients are averaged with gloo on the
loopback interface, with a timeout of a day, so that all processes can be paused (SIGSTOP)
and continued (SIGCONT) at any time.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from .precision import autocast


@dataclass(frozen=True)
class Group:
    """The process group of a training, as seen by one process."""

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat.div_(self.size)
        offset = 0
        for gradient in gradients:
            gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
            offset += gradient.numel()

    def autocast(self) -> torch.autocast:
        return autocast(self.device)


def pick_device(name: str) -> torch.device:
    """Return the device; `auto` selects a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _enter(rank: int, size: int, port: int, device: torch.device, work: Callable[[Group], None]) -> None:
    if device.type == "cpu":
        torch.set_num_threads(1)
    if size > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size, timeout=timedelta(days=1))
    work(Group(rank, size, device))
    if size > 1:
        dist.destroy_process_group()


def _edit_pids(path: Path, add: Sequence[int] = (), remove: Sequence[int] = ()) -> None:
    """Add and remove lines in the list of running training processes (several stages may run at once)."""
    listed = [int(line) for line in path.read_text().split()] if path.exists() else []
    kept = [pid for pid in (*listed, *add) if pid not in remove and Path(f"/proc/{pid}").exists()]
    path.write_text("".join(f"{pid}\n" for pid in kept))


def run_parallel(work: Callable[[Group], None], processes: int, device: torch.device, pids: Path) -> None:
    """Run work(group) in `processes` processes and wait; `work` must be picklable.

    While it runs, `pids` lists the ids of all its processes.
    """
    size = processes if device.type == "cpu" else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the workers exit too
    mine = [os.getpid()]
    workers: list[mp.Process] = []
    _edit_pids(pids, add=mine)
    try:
        if size == 1:
            _enter(0, 1, 0, device, work)
            return
        context = mp.start_processes(_enter, args=(size, _free_port(), device, work), nprocs=size, join=False, start_method="spawn")
        workers = context.processes
        mine += context.pids()
        _edit_pids(pids, add=mine[1:])
        while not context.join():
            pass
    finally:
        for worker in workers:
            worker.terminate()
        _edit_pids(pids, remove=mine)
