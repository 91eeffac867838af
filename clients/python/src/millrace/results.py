"""The path of the results of a stream from the connection to the consumer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .clock import now
from .freshness import Freshness

if TYPE_CHECKING:
    from ._generated import Frame
    from .connection import Connection
    from .errors import MillraceError


class Arrival(NamedTuple):
    """A result with its time of arrival and its connection; only that connection can acknowledge it."""

    frame: Frame
    time: float
    connection: Connection


class ResultsOwner(Protocol):
    """The stream, as seen by its results."""

    def drop(self, frame: int, reason: str) -> None:
        """Report a discarded result."""

    def consumed(self, arrival: Arrival) -> None:
        """Record that the consumer is done with a result."""

    def expects_after(self, frame: int) -> bool:
        """Return whether a newer result than that of this frame is in progress."""
        ...


class Results:
    """Keeps the newest result for the consumer, discards old ones, and acknowledges."""

    def __init__(self, owner: ResultsOwner) -> None:
        self._owner = owner
        self._freshness = Freshness()
        self._connection: Connection | None = None
        self._held: Arrival | None = None
        self._current: Arrival | None = None
        #: The first refusal of a picture that was not raised yet.
        self._refused: MillraceError | None = None
        self._acknowledged = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._failure: MillraceError | None = None

    def adopt(self, connection: Connection) -> None:
        """Switch to this connection, whose sequence begins at 1."""
        self._connection = connection
        self._freshness.forget()
        self._acknowledged = 0

    def hear(self) -> None:
        """Record that something was read from the connection."""
        self._freshness.hear(now())

    def receive(self, frame: Frame, connection: Connection) -> None:
        """Handle a result."""
        arrival = Arrival(frame, now(), connection)
        if not self._freshness.admit(frame, arrival.time) and self._owner.expects_after(frame.id):
            self._give_up(arrival)
            return
        if self._held is not None:
            self._owner.drop(self._held.frame.id, "unread")
        self._held = arrival
        self._changed.set()

    def skip(self, frame: Frame, connection: Connection) -> None:
        """Acknowledge a result that came before: it is not shown again."""
        self._acknowledge(Arrival(frame, now(), connection))

    def refuse(self, error: MillraceError) -> None:
        """Record that a picture was refused, so that it has no result."""
        self._refused = self._refused or error
        self._changed.set()

    def end(self, failure: MillraceError | None) -> None:
        """End the results, because of the failure, if any."""
        self._ended = True
        self._failure = failure
        self._changed.set()

    async def following(self) -> Frame:
        """Return the next result, and acknowledge the previous one.

        Raises MillraceError: the refusal of a picture, or what ended the stream; StopAsyncIteration
        """
        self._consume_current()
        while True:
            self._changed.clear()
            refused, self._refused = self._refused, None
            if refused is not None:
                raise refused
            held, self._held = self._held, None
            if held is None:
                if self._ended:
                    raise self._failure or StopAsyncIteration
                await self._changed.wait()
            elif self._freshness.outlived(held.time, now()) and self._owner.expects_after(held.frame.id):
                self._give_up(held)
            else:
                self._current = held
                return held.frame

    def _consume_current(self) -> None:
        arrival, self._current = self._current, None
        if arrival is not None:
            self._owner.consumed(arrival)
            self._acknowledge(arrival)

    def _give_up(self, arrival: Arrival) -> None:
        self._owner.drop(arrival.frame.id, "stale")
        self._acknowledge(arrival)

    def _acknowledge(self, arrival: Arrival) -> None:
        sequence = arrival.frame.sequence
        if arrival.connection is self._connection and sequence > self._acknowledged:
            self._acknowledged = sequence
            self._connection.send("ack", sequence=sequence)
