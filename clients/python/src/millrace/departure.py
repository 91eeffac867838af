"""Leaving a connection without a loss."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ._generated import Checkpoint, Drain, Frame, ServerMessage

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWERS_SECONDS = 5.0
"""Longest wait for the answers to the frames that were sent."""
_TOKEN_SECONDS = 0.5
"""Longest wait for the resume token after them: older servers send it only at their next checkpoint."""


class Departure:
    """Waits until a stream can leave its connection for another server without a loss (PROTOCOL.md section 10).

    Then all frames are answered, and the newest resume token was made after that, so that no frame is generated again.
    """

    def __init__(self) -> None:
        #: Whether a result has come after the newest token.
        self._outdated = False
        self._lost = False
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """Begin with a new connection."""
        self._outdated = False
        self._lost = False

    def received(self, message: ServerMessage) -> None:
        """Record that a message has come, after the stream has handled it."""
        if isinstance(message, Frame):
            self._outdated = True
        elif isinstance(message, (Checkpoint, Drain)):
            self._outdated = False
        self._changed.set()

    def lost(self) -> None:
        """Record that the connection was lost: no answer comes any more."""
        self._lost = True
        self._changed.set()

    async def answers(self, waiting: Callable[[], bool], most: float) -> None:
        """Wait until all frames are answered, for ``most`` seconds at the longest."""
        await self._until(lambda: not waiting(), min(_ANSWERS_SECONDS, most))

    async def token(self) -> None:
        """Wait until the newest resume token was made after all results."""
        await self._until(lambda: not self._outdated, _TOKEN_SECONDS)

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        async def wait() -> None:
            while not done() and not self._lost:
                self._changed.clear()
                await self._changed.wait()

        # In Python 3.10 asyncio.TimeoutError is not the built-in one.
        with suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(wait(), max(0.0, seconds))
