"""How long a stream tries to connect again."""

from __future__ import annotations

import asyncio

from .backoff import Backoff

SETTLED_SECONDS = 5.0
"""After this time, a connection that is lost counts as a new problem."""


class Persistence:
    """The time of grace of one stream.

    A connection that ends as soon as it was opened belongs to the same problem as the loss before it; otherwise the
    client would try for ever where a server ends every connection.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._since: float | None = None
        self._opened_at = self._now()
        #: The pauses between tries for the present problem.
        self.backoff = Backoff()

    def opened(self) -> None:
        """Note that there is a connection."""
        self._opened_at = self._now()

    def settled(self) -> None:
        """Note that a result came over the connection, so it works."""
        self._since = None

    def lost(self) -> float:
        """Note that the connection was lost, and return the seconds for which to try to connect again."""
        now = self._now()
        if self._since is None or now - self._opened_at > SETTLED_SECONDS:
            self._since = now
            self.backoff = Backoff()
        return self._since + self._grace - now

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
