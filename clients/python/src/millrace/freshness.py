"""Detecting results that are too old to be shown after a pause."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._generated import Frame

_MAX_SEEN = 8
"""Number of recent results that define what is usual."""
PAUSE_FRAMES = 4
"""A pause is longer than this many frame intervals."""
_SHORTEST_PAUSE = 100.0
"""A pause is longer than this many milliseconds."""


class _Seen(NamedTuple):
    sent: float
    transit: float
    age: float


class Freshness:
    """Detects results that waited in buffers while this side could not read; times are in milliseconds.

    After a pause, a result is stale if the time since it was sent, or since its input frame was captured, exceeds the
    usual time by more than one frame interval. A result whose input frame was captured after the pause is never stale,
    however slow the server has become.
    """

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=_MAX_SEEN)
        self._heard: float | None = None
        self._resumed: float | None = None
        """When reading resumed after a pause; None once a fresh result has arrived."""

    def hear(self, now: float) -> None:
        """Record that something was read from the connection."""
        if self._heard is not None and self.outlived(self._heard, now) and self._resumed is None:
            self._resumed = now
        self._heard = now

    def outlived(self, since: float, now: float) -> bool:
        """Return whether ``since`` is several frame intervals ago; False while the interval is unknown."""
        interval = self._interval
        return interval is not None and now - since > max(_SHORTEST_PAUSE, PAUSE_FRAMES * interval)

    def admit(self, frame: Frame, now: float) -> bool:
        """Return whether a result that arrived ``now`` is fresh enough to be shown, and remember it if so."""
        seen = _Seen(frame.times["sent"], now - frame.times["sent"], now - frame.captured)
        old = self._resumed is not None and frame.captured < self._resumed
        if old and not self._is_fresh(seen):
            return False
        self._resumed = None
        self._seen.append(seen)
        return True

    def forget(self) -> None:
        """Start over, for a new connection."""
        self._seen.clear()
        self._heard = None
        self._resumed = None

    def _is_fresh(self, seen: _Seen) -> bool:
        interval = self._interval or 0.0
        transit = min(earlier.transit for earlier in self._seen)
        age = max(earlier.age for earlier in self._seen)
        return seen.transit <= transit + interval and seen.age <= age + interval

    @property
    def _interval(self) -> float | None:
        """Mean time between results in milliseconds; None before the second."""
        if len(self._seen) <= 1:
            return None
        return (self._seen[-1].sent - self._seen[0].sent) / (len(self._seen) - 1)
