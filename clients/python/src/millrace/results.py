"""The way of the results of a stream from the connection to the consumer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .clock import now
from .freshness import Freshness

if TYPE_CHECKING:
    from .connection import Connection
    from .errors import MillraceError
    from .messages import Frame


class Arrival(NamedTuple):
    """A result, when it came, and over which connection: it can be acknowledged over no other."""

    frame: Frame
    time: float
    connection: Connection


class ResultsOwner(Protocol):
    """The stream, as its results see it."""

    def drop(self, frame: int, reason: str) -> None:
        """Take note that a result was given up."""

    def consumed(self, arrival: Arrival) -> None:
        """Take note that the consumer is done with a result."""

    def expects_after(self, frame: int) -> bool:
        """Whether a newer result than that of this frame is on its way."""
        ...


class Results:
    """Keeps the newest result for the consumer, gives up what is old, and acknowledges."""

    def __init__(self, owner: ResultsOwner) -> None:
        self._owner = owner
        self._freshness = Freshness()
        self._connection: Connection | None = None
        self._held: Arrival | None = None
        self._current: Arrival | None = None
        #: Why a picture has no result; the first such error that was not raised yet.
        self._refused: MillraceError | None = None
        self._acknowledged = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._failure: MillraceError | None = None

    def adopt(self, connection: Connection) -> None:
        """Go on with this connection, whose sequence begins at 1."""
        self._connection = connection
        self._freshness.forget()
        self._acknowledged = 0

    def hear(self) -> None:
        """Note that something was read from the connection."""
        self._freshness.hear(now())

    def receive(self, frame: Frame, connection: Connection) -> None:
        """Take a result."""
        arrival = Arrival(frame, now(), connection)
        if not self._freshness.admit(frame, arrival.time) and self._owner.expects_after(frame.id):
            self._give_up(arrival)
            return
        if self._held is not None:
            self._owner.drop(self._held.frame.id, "unread")
        self._held = arrival
        self._changed.set()

    def refuse(self, error: MillraceError) -> None:
        """Note that a picture was refused, so it has no result."""
        self._refused = self._refused or error
        self._changed.set()

    def end(self, failure: MillraceError | None) -> None:
        """Note that no further result comes."""
        self._ended = True
        self._failure = failure
        self._changed.set()

    async def following(self) -> Frame:
        """Return the next result, and say that the one before is done with.

        Raises MillraceError: what a picture was refused with, or what ended the stream; StopAsyncIteration
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
