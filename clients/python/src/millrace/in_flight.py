"""Frames that were sent and have no answer yet."""

from __future__ import annotations


class InFlight:
    """Keeps the frames without an answer, across connections.

    After a resume, frames of the former connection may get results or no answer at all; results arrive in order, so a
    result shows that the frames before it are lost.
    """

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._orphans: list[int] = []
        self._newest_finished = -1

    @property
    def waiting(self) -> bool:
        """Whether frames of this connection have no answer yet."""
        return bool(self._frames)

    def add(self, frame: int) -> None:
        """Record a sent frame; ids increase."""
        self._frames.append(frame)

    def answered(self, frame: int) -> None:
        """Remove a frame that the server dropped."""
        self._frames = [other for other in self._frames if other != frame]
        self._orphans = [other for other in self._orphans if other != frame]

    def repeats(self, frame: int) -> bool:
        """Return whether a result is one that came before, or an older one.

        A stream that continues from an older state may repeat it. Says nothing about frames that the server generates
        by itself (txt2img), whose ids it counts.
        """
        return frame <= self._newest_finished

    def finished(self, frame: int) -> list[int]:
        """Remove a frame that has its result, and return the frames that are therefore lost."""
        if frame in self._frames or frame in self._orphans:
            self._newest_finished = frame
        self.answered(frame)
        lost = [other for other in self._orphans if other < frame]
        self._orphans = [other for other in self._orphans if other > frame]
        return lost

    def newer_than(self, frame: int) -> bool:
        """Return whether a newer frame is in flight."""
        return bool(self._frames) and self._frames[-1] > frame

    @property
    def newest(self) -> int | None:
        """The newest frame without an answer."""
        return max([*self._orphans, *self._frames], default=None)

    def orphan(self) -> None:
        """Mark all frames as those of a former connection."""
        self._orphans += self._frames
        self._frames = []

    def clear(self) -> list[int]:
        """Remove and return all frames: they will not be answered."""
        lost = self._orphans + self._frames
        self._orphans, self._frames = [], []
        return lost
