"""What waits to be sent, under credit flow control."""

from __future__ import annotations

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Holds at most one item, the newest.

    Credits count from the start of a connection, as in ``credit.total``, so a lost or repeated grant does no harm.
    """

    def __init__(self) -> None:
        self._allowed = 0
        self._taken = 0
        self._held: Item | None = None

    @property
    def credits(self) -> int:
        """Items that may be taken now."""
        return max(0, self._allowed - self._taken)

    def restart(self, credit: int) -> None:
        """Count from 0 again, as a new connection does; what is held stays."""
        self._allowed = credit
        self._taken = 0

    def allow(self, total: int) -> None:
        """Raise the allowance to ``total`` items since the start; never lowers it."""
        self._allowed = max(self._allowed, total)

    def put(self, item: Item) -> Item | None:
        """Hold ``item`` and return the older one that it displaces, if any."""
        displaced = self._held
        self._held = item
        return displaced

    def take(self) -> Item | None:
        """Return the held item at the cost of one credit; None without an item or without a credit."""
        if self._held is None or self.credits == 0:
            return None
        item = self._held
        self._taken += 1
        self._held = None
        return item

    def refund(self) -> None:
        """Give back the credit of an item that was taken and could not be sent."""
        self._taken -= 1
