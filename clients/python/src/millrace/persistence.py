"""For how long a stream looks for another connection."""

from __future__ import annotations

import asyncio

from .backoff import Backoff

SETTLED_SECONDS = 5.0
"""A connection that lasted for so long was not in vain."""


class Persistence:
    """The time of grace of one stream.

    A connection that ends as soon as it was opened belongs to the same trouble as the loss before it: else a server
    that ends every connection would be asked for ever.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._since: float | None = None
        self._opened_at = self._now()
        #: Pauses of the trouble that goes on.
        self.backoff = Backoff()

    def opened(self) -> None:
        """Note that there is a connection."""
        self._opened_at = self._now()

    def settled(self) -> None:
        """Note that the connection was of use: a result came over it."""
        self._since = None

    def lost(self) -> float:
        """Note that the connection was lost, and return seconds for which another may be sought."""
        now = self._now()
        if self._since is None or now - self._opened_at > SETTLED_SECONDS:
            self._since = now
            self.backoff = Backoff()
        return self._since + self._grace - now

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
