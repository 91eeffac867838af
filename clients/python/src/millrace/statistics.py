"""Figures of a stream."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._generated import Frame

WINDOW = 3000.0
"""Length of the window of rates and latency, in milliseconds."""


@dataclass(frozen=True)
class Path:
    """Parts of the time from a frame's capture to the display of its result, in milliseconds."""

    upload: float
    """Until it arrived at the server: encoding, waiting for a credit, the network."""
    server: float
    download: float
    display: float
    """Until the consumer was done with the result."""


@dataclass(frozen=True)
class Stats:
    """Figures of a stream; rates and latency cover the last seconds."""

    sent: int
    """Total number of frames sent."""
    consumed: int
    """Total number of results consumed."""
    fps_in: float
    fps_out: float
    latency_p50: float | None
    """Milliseconds from capture until the consumer was done with the result; None before the first."""
    latency_p95: float | None
    dropped: Mapping[str, int]
    """Total number of frames dropped, by reason."""
    reconnects: int
    """Number of times that the connection was replaced, after a loss or a drain."""
    round_trip: float | None
    """Shortest of the recent round trips to the server, in milliseconds; None before the first."""
    timings: Mapping[str, float] | None
    """Stage timings of the newest consumed result; None before the first."""
    path: Path | None
    """How the newest consumed result spent its time; None before the first, and with ``mode: txt2img``."""


class Recorder:
    """Collects the figures of one stream; ``now`` returns milliseconds of the clock of the frames' timestamps."""

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
        """Count a sent frame."""
        self._sent += 1
        self._sent_at.append(self._now())
        self._forget()

    def count_consumed(self, frame: Frame, arrived: float, *, captured: bool) -> None:
        """Count a consumed result; ``captured`` is False if it was generated without an input frame."""
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
        """Count a dropped frame."""
        self._dropped[reason] += 1

    def read(self, round_trip: float | None, reconnects: int) -> Stats:
        """Return the current figures."""
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
    """Return the nearest-rank quantile."""
    return rising[max(0, math.ceil(len(rising) * share) - 1)] if rising else None
