"""How long a stream tries to connect again."""

from __future__ import annotations

import asyncio

from .backoff import Backoff

SETTLED_SECONDS = 5.0
"""Age from which the loss of a connection counts as a new problem."""


class Persistence:
    """Decides how long a stream tries to connect again.

    A connection that ends as soon as it was opened belongs to the same problem as the loss before it; otherwise the
    client would try forever if a server ends every connection.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._since: float | None = None
        self._opened_at = self._now()
        #: The pauses between attempts for the current problem.
        self.backoff = Backoff()

    def opened(self) -> None:
        """Record that there is a connection."""
        self._opened_at = self._now()

    def settled(self) -> None:
        """Record that a result arrived, so the connection works."""
        self._since = None

    def lost(self) -> float:
        """Record a lost connection, and return the seconds for which to try to connect again."""
        now = self._now()
        if self._since is None or now - self._opened_at > SETTLED_SECONDS:
            self._since = now
            self.backoff = Backoff()
        return self._since + self._grace - now

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
