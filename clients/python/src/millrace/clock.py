"""The offset between the server's clock and ours."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

_SAMPLES = 8


def now() -> float:
    """Return the time of the monotonic clock of all streams, in milliseconds."""
    return time.perf_counter() * 1000


class _Sample(NamedTuple):
    round_trip: float
    offset: float


class ClockFilter:
    """Estimates the offset as NTP does, from the shortest round trip of the last eight pings.

    RFC 5905 sections 8 and 10. All times are in milliseconds.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)

    def add(self, *, sent: float, received: float, returned: float) -> None:
        """Record a ping: sent and returned by our clock, received by the server's."""
        self._samples.append(_Sample(returned - sent, (sent + returned) / 2 - received))

    def forget(self) -> None:
        """Discard all samples, for use with another server."""
        self._samples.clear()

    @property
    def offset(self) -> float | None:
        """Our clock minus the server's; None before the first pong."""
        return min(self._samples).offset if self._samples else None

    @property
    def round_trip(self) -> float | None:
        """The shortest of the recent round trips; None before the first pong."""
        return min(self._samples).round_trip if self._samples else None
