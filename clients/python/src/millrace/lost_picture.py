"""The picture that was on its way when a connection was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 15.0
"""Seconds for which the result of a picture may still come after its connection was lost."""


class LostPicture:
    """Waits for the result of a picture of a former connection.

    The next connection may bring it, or no answer at all. Where a newer picture follows, this one is not missed.
    ``given_up`` is called with the picture's id when the time has passed.
    """

    def __init__(self, given_up: Callable[[int], None]) -> None:
        self._given_up = given_up
        self._timer: asyncio.TimerHandle | None = None
        self._id = 0

    def wait_for(self, frame: int | None) -> None:
        """Begin: there is another connection; ``frame`` is the newest that was on its way, if any."""
        self.forget()
        if frame is not None:
            self._id = frame
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._given_up, frame)

    def answered(self, frame: int) -> None:
        """Note that a picture has its answer."""
        if frame >= self._id:
            self.forget()

    def forget(self) -> None:
        """End: a newer picture is on its way, or the stream is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
