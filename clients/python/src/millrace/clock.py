"""How the server's clock stands to ours."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

_SAMPLES = 8


def now() -> float:
    """Return the clock of all streams in milliseconds; it only rises."""
    return time.perf_counter() * 1000


class _Sample(NamedTuple):
    round_trip: float
    offset: float


class ClockFilter:
    """Estimates an offset from pings as NTP does: of the last eight, the one with the least round trip counts.

    RFC 5905 sections 8 and 10. All times are in milliseconds.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)

    def add(self, *, sent: float, received: float, returned: float) -> None:
        """Note a ping: sent and returned by our clock, received by the server's."""
        self._samples.append(_Sample(returned - sent, (sent + returned) / 2 - received))

    def forget(self) -> None:
        """Begin afresh: the server is another one."""
        self._samples.clear()

    @property
    def offset(self) -> float | None:
        """Our clock minus the server's; None before the first ping came back."""
        return min(self._samples).offset if self._samples else None

    @property
    def round_trip(self) -> float | None:
        """The least round trip of the last pings."""
        return min(self._samples).round_trip if self._samples else None
