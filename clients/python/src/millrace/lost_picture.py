"""The picture that was in flight when a connection was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 15.0
"""Time for which the result of a picture may still arrive after its connection was lost."""


class LostPicture:
    """Waits for the result of a picture of a former connection.

    The next connection may bring it, or no answer at all. If a newer picture follows, this one no longer matters.
    ``given_up`` is called with the picture's id when the time has passed.
    """

    def __init__(self, given_up: Callable[[int], None]) -> None:
        self._given_up = given_up
        self._timer: asyncio.TimerHandle | None = None
        self._id = 0

    def wait_for(self, frame: int | None) -> None:
        """Start to wait, on a new connection; ``frame`` is the newest frame in flight, if any."""
        self.forget()
        if frame is not None:
            self._id = frame
            self._timer = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._given_up, frame)

    def answered(self, frame: int) -> None:
        """Stop waiting if this picture, or an older one, was the one awaited."""
        if frame >= self._id:
            self.forget()

    def forget(self) -> None:
        """Stop waiting: a newer picture was sent, or the stream has ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
