"""Frames that wait for a credit."""

from __future__ import annotations

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Keeps the newest item until there is a credit to send it.

    Credits count from the start of a connection, as in ``credit.total``, so a lost or repeated grant does no harm.
    """

    def __init__(self) -> None:
        self._allowed = 0
        self._taken = 0
        self._held: Item | None = None
        self._closed = False

    @property
    def credits(self) -> int:
        """Number of items that may be taken now."""
        return 0 if self._closed else max(0, self._allowed - self._taken)

    def close(self) -> None:
        """Let no item be taken until ``open`` or ``restart``; credits are still counted."""
        self._closed = True

    def open(self) -> None:
        """Let items be taken again."""
        self._closed = False

    def restart(self, credit: int) -> None:
        """Count from 0 again, for a new connection; keep the waiting item."""
        self._allowed = credit
        self._taken = 0
        self._closed = False

    def allow(self, total: int) -> None:
        """Raise the number of items allowed since the start to ``total``; never lowers it."""
        self._allowed = max(self._allowed, total)

    def put(self, item: Item) -> Item | None:
        """Keep ``item`` and return the older one that it displaces, if any."""
        displaced = self._held
        self._held = item
        return displaced

    def take(self) -> Item | None:
        """Take the waiting item, at the cost of one credit; None without an item or a credit."""
        if self._held is None or self.credits == 0:
            return None
        item = self._held
        self._taken += 1
        self._held = None
        return item

    def refund(self) -> None:
        """Return the credit of an item that was taken and could not be sent."""
        self._taken -= 1
