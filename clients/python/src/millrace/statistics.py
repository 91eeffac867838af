"""Figures of a stream."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .messages import Frame

WINDOW = 3000.0
"""Length in milliseconds of the window of rates and latency."""


@dataclass(frozen=True)
class Path:
    """Where the time from the capture of a frame to the display of its result went, in milliseconds."""

    upload: float
    """Until it arrived at the server: encoding, waiting for a credit, the network."""
    server: float
    download: float
    display: float
    """Until the consumer was done with the result."""


@dataclass(frozen=True)
class Stats:
    """What ``stream.stats()`` tells; rates and latency are those of the last seconds."""

    sent: int
    """Frames sent, in all."""
    consumed: int
    """Results consumed, in all."""
    fps_in: float
    fps_out: float
    latency_p50: float | None
    """Milliseconds from capture until the consumer was done with the result; None before the first."""
    latency_p95: float | None
    dropped: Mapping[str, int]
    """Frames dropped in all, by reason."""
    reconnects: int
    """How often the connection was replaced, by a loss or by a server that shuts down."""
    round_trip: float | None
    """Milliseconds to the server and back, the least of the last seconds."""
    timings: Mapping[str, float] | None
    """Stage timings of the newest consumed result; None before the first."""
    path: Path | None
    """The way of the newest consumed result; None before the first, and with ``mode: txt2img``."""


class Recorder:
    """Keeps the figures of one stream; ``now`` is the clock that frames are stamped with, in milliseconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._start = now()
        self._sent = 0
        self._consumed = 0
        self._sent_at: deque[float] = deque()
        self._consumed_at: deque[float] = deque()
        self._latencies: deque[tuple[float, float]] = deque()
        self._dropped: Counter[str] = Counter()
        self._timings: Mapping[str, float] | None = None
        self._path: Path | None = None

    def count_sent(self) -> None:
        """Note that a frame left."""
        self._sent += 1
        self._sent_at.append(self._now())
        self._forget()

    def count_consumed(self, frame: Frame, arrived: float, *, captured: bool) -> None:
        """Note that the consumer is done with a result; ``captured`` says whether an image was captured for it."""
        now = self._now()
        self._consumed += 1
        self._consumed_at.append(now)
        self._timings = frame.timings
        self._path = None
        if captured:
            self._latencies.append((now, now - frame.captured))
            received, sent = frame.times["received"], frame.times["sent"]
            self._path = Path(received - frame.captured, sent - received, arrived - sent, now - arrived)
        self._forget()

    def count_dropped(self, reason: str) -> None:
        """Note that a frame was given up."""
        self._dropped[reason] += 1

    def read(self, round_trip: float | None, reconnects: int) -> Stats:
        """Return the figures as they are now."""
        self._forget()
        seconds = max(1.0, min(WINDOW, self._now() - self._start)) / 1000
        rising = sorted(latency for _, latency in self._latencies)
        return Stats(
            sent=self._sent,
            consumed=self._consumed,
            fps_in=len(self._sent_at) / seconds,
            fps_out=len(self._consumed_at) / seconds,
            latency_p50=_quantile(rising, 0.5),
            latency_p95=_quantile(rising, 0.95),
            dropped=dict(self._dropped),
            reconnects=reconnects,
            round_trip=round_trip,
            timings=self._timings,
            path=self._path,
        )

    def _forget(self) -> None:
        start = self._now() - WINDOW
        for times in (self._sent_at, self._consumed_at):
            while times and times[0] <= start:
                times.popleft()
        while self._latencies and self._latencies[0][0] <= start:
            self._latencies.popleft()


def _quantile(rising: list[float], share: float) -> float | None:
    """Nearest-rank quantile."""
    return rising[max(0, math.ceil(len(rising) * share) - 1)] if rising else None
