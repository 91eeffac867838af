"""Which results are too old to be shown after a pause."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .messages import Frame

_REMEMBERED = 8
SEVERAL = 4
"""A pause is as long as this many frames usually take."""
_SHORTEST_PAUSE = 100.0


class _Seen(NamedTuple):
    sent: float
    transit: float
    age: float


class Freshness:
    """Finds the results that lay in buffers while this side could not read; times are in milliseconds.

    After a pause, a result that left the server, or whose input frame was captured, longer ago than is usual plus
    one frame interval is stale: what the person would see is not now. One whose input frame was captured since is
    never stale, however slow the server has become.
    """

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=_REMEMBERED)
        self._heard: float | None = None
        self._resumed: float | None = None
        """When reading went on after a pause; None once a fresh result has come."""

    def hear(self, now: float) -> None:
        """Note that something was read from the connection."""
        if self._heard is not None and self.outlived(self._heard, now) and self._resumed is None:
            self._resumed = now
        self._heard = now

    def outlived(self, since: float, now: float) -> bool:
        """Whether ``since`` is several frame intervals ago; never before the interval is known."""
        interval = self._interval
        return interval is not None and now - since > max(_SHORTEST_PAUSE, SEVERAL * interval)

    def admit(self, frame: Frame, now: float) -> bool:
        """Whether a result that arrived ``now`` is fresh enough to be shown."""
        seen = _Seen(frame.times["sent"], now - frame.times["sent"], now - frame.captured)
        old = self._resumed is not None and frame.captured < self._resumed
        if old and not self._is_fresh(seen):
            return False
        self._resumed = None
        self._seen.append(seen)
        return True

    def forget(self) -> None:
        """Begin afresh: the connection is another one."""
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
        """Milliseconds between two results, on average; None before there were two."""
        if len(self._seen) <= 1:
            return None
        return (self._seen[-1].sent - self._seen[0].sent) / (len(self._seen) - 1)
