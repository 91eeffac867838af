"""Frames that were sent and not answered."""

from __future__ import annotations


class InFlight:
    """Knows which frames still wait for an answer, across connections.

    After a resume, frames of the former connection may have results or no answer at all; since results come in
    order, those before a result are known to be lost.
    """

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._orphans: list[int] = []

    def add(self, frame: int) -> None:
        """Note that a frame was sent; ids rise."""
        self._frames.append(frame)

    def answered(self, frame: int) -> None:
        """Note that a frame was dropped by the server."""
        self._frames = [other for other in self._frames if other != frame]
        self._orphans = [other for other in self._orphans if other != frame]

    def finished(self, frame: int) -> list[int]:
        """Note that a frame has its result, and return the frames that are known to be lost by that."""
        self.answered(frame)
        lost = [other for other in self._orphans if other < frame]
        self._orphans = [other for other in self._orphans if other > frame]
        return lost

    def newer_than(self, frame: int) -> bool:
        """Whether a newer frame is on its way."""
        return bool(self._frames) and self._frames[-1] > frame

    @property
    def newest(self) -> int | None:
        """The newest frame without an answer."""
        return max([*self._orphans, *self._frames], default=None)

    def orphan(self) -> None:
        """Note that the stream goes on over another connection."""
        self._orphans += self._frames
        self._frames = []

    def clear(self) -> list[int]:
        """Return all, and forget them: they have no answer any more."""
        lost = self._orphans + self._frames
        self._orphans, self._frames = [], []
        return lost
