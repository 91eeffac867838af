"""Keeping a stream connected."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ._generated import Authenticated, Checkpoint, Drain, Failure, Frame, Pong, Queued, Ready, ServerMessage
from .clock import ClockFilter
from .connection import error_of
from .departure import Departure
from .errors import MillraceError
from .events import Problem, Reconnected, Reconnecting
from .persistence import Persistence

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._generated import Parameters
    from .connection import Connection
    from .dialler import Dialler
    from .events import Event

_PING_SECONDS = 2.0
_MAX_UNANSWERED_PINGS = 3
"""Number of pings without any message from the server after which the connection counts as lost."""
_RENEWAL_POINT = 0.8
"""Fraction of a token's lifetime after which it is renewed."""


class LinkOwner(Protocol):
    """The stream, as seen by its link."""

    def adopt(self, connection: Connection, ready: Ready) -> None:
        """Switch to this connection."""

    def lost(self) -> None:
        """Stop sending while there is no connection."""

    def hold(self) -> None:
        """Send no frame until ``go_on`` or ``adopt``."""

    def go_on(self) -> None:
        """Send frames again."""

    def waiting(self) -> bool:
        """Return whether frames of this connection have no answer yet."""
        ...

    def receive(self, message: ServerMessage) -> None:
        """Handle a message about frames or parameters."""

    def start_parameters(self) -> Parameters:
        """Return the parameters with which a new stream continues this one."""

    def ended(self, error: MillraceError | None) -> None:
        """Handle the end of the stream, with an error unless this side closed it."""


class Link:
    """Keeps a stream connected: reconnects after a loss, and moves to another server when one drains.

    It owns the state of a connection: clock, resume token, access token.
    """

    def __init__(
        self,
        dialler: Dialler,
        owner: LinkOwner,
        *,
        now: Callable[[], float],
        reconnect_seconds: float,
        emit: Callable[[Event], None],
    ) -> None:
        self._dialler = dialler
        self._owner = owner
        self._now = now
        self._reconnect_seconds = reconnect_seconds
        self._emit = emit
        self._persistence = Persistence(reconnect_seconds)
        self._clock = ClockFilter()
        self._departure = Departure()
        self._connection: Connection | None = None
        self._fatal: MillraceError | None = None
        self._move: asyncio.Task[tuple[Connection, Ready] | None] | None = None
        #: Whether the connection ends because a new one replaces it.
        self._left = False
        self._renewal: asyncio.TimerHandle | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._unanswered = 0
        self.closing = False
        #: Number of times that the connection was replaced.
        self.reconnects = 0

    def start(self, connection: Connection, ready: Ready) -> None:
        """Start with this connection."""
        self._adopt(connection, ready)
        self._task = asyncio.create_task(self._run(connection))

    @property
    def round_trip(self) -> float | None:
        """Round trip to the server in milliseconds."""
        return self._clock.round_trip

    def hurry(self) -> None:
        """End the pause before the next attempt."""
        self._dialler.hurry()

    async def close(self) -> None:
        """Close the connection, or stop trying to open one."""
        self.closing = True
        if self._connection is not None:
            await self._connection.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _adopt(self, connection: Connection, ready: Ready) -> None:
        self._connection = connection
        self._fatal = None
        self._left = False
        self._persistence.opened()
        self._departure.begin()
        # The new server has another clock.
        self._clock.forget()
        self._renew_later(ready.token_expires)
        self._owner.adopt(connection, ready)

    async def _run(self, connection: Connection) -> None:
        failure: MillraceError | None = None
        try:
            while True:
                failure = await self._serve(connection)
                connection, ready = await self._replace(failure)
                self.reconnects += 1
                self._adopt(connection, ready)
                self._emit(Reconnected(ready.resumed))
        except MillraceError as error:
            failure = error
        finally:
            for pending in (self._renewal, self._renewing, self._move):
                if pending is not None:
                    pending.cancel()
            self._owner.ended(None if self.closing else failure)

    async def _serve(self, connection: Connection) -> MillraceError:
        """Handle the messages of a connection until it ends, and return the reason."""
        pings = asyncio.create_task(self._ping(connection))
        try:
            async for message in connection.messages():
                self._receive(connection, message)
                self._departure.received(message)
        except MillraceError as error:
            return error
        finally:
            pings.cancel()
            self._departure.lost()
        return self._fatal or connection.end("connection_lost", "The connection to the server was lost")

    async def _replace(self, error: MillraceError) -> tuple[Connection, Ready]:
        """Return the next connection; raises the error if there is none."""
        seconds = self._persistence.lost()
        lost = not self._left and not self.closing and error.retryable and seconds > 0
        if lost:
            self._owner.lost()
            self._emit(Reconnecting(error))
        move, self._move = self._move, None
        moved = None if move is None or self.closing else await move
        if moved is not None:
            return moved
        if not lost:
            raise error
        return await self._dialler.reopen(self._owner.start_parameters, seconds, backoff=self._persistence.backoff)

    def _receive(self, connection: Connection, message: ServerMessage) -> None:
        self._unanswered = 0
        match message:
            case Pong():
                self._clock.add(sent=message.sent, received=message.received, returned=self._now())
            case Checkpoint():
                self._dialler.resume = message.token
            case Authenticated():
                self._renew_later(message.expires_seconds)
                self._owner.receive(message)
            case Ready() | Queued():
                # It is unknown which of two sessions the server means (PROTOCOL.md section 4).
                what = type(message).__name__.lower()
                self._fatal = MillraceError("protocol_error", f"The server sent {what} late, on an open stream.")
                self._leaving = asyncio.create_task(connection.close(4400, f"{what} came late"))
            case Drain():
                self._receive_drain(connection, message)
            case Failure() if (error := error_of(message)).fatal:
                self._fatal = error
            case _:
                if isinstance(message, Frame):
                    self._persistence.settled()
                self._owner.receive(message)

    def _receive_drain(self, connection: Connection, drain: Drain) -> None:
        self._dialler.resume = drain.token or self._dialler.resume
        self._emit(drain)
        if self._reconnect_seconds > 0 and self._move is None:
            self._move = asyncio.create_task(self._move_over(connection, drain.deadline_seconds))

    async def _move_over(self, connection: Connection, seconds: float) -> tuple[Connection, Ready] | None:
        """Connect to the server that replaces a stopping one, and then leave the old connection.

        As soon as the other server can be reached, no frame is sent any more to the old one, and ``hello`` waits for
        the results of those that were. The stream goes on over the old connection while it waits for a slot or for
        another attempt.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds / 2

        async def answers() -> None:
            self._owner.hold()
            await self._departure.answers(self._owner.waiting, end - loop.time())

        async def leave() -> None:
            await answers()
            await self._departure.token()

        try:
            opened = await self._dialler.reopen(
                self._owner.start_parameters,
                seconds,
                leave=leave,
                wait=self._owner.go_on,
                failed=lambda _: self._owner.go_on(),
            )
        except MillraceError:
            self._owner.go_on()
            return None
        # Frames were sent if it had to wait for a slot.
        await answers()
        self._left = True
        await connection.close()
        return opened

    async def _ping(self, connection: Connection) -> None:
        self._unanswered = 0
        while True:
            if self._unanswered >= _MAX_UNANSWERED_PINGS:
                connection.abandon()
                return
            self._unanswered += 1
            connection.send("ping", sent=self._now(), offset=self._clock.offset)
            await asyncio.sleep(_PING_SECONDS)

    def _renew_later(self, expires_seconds: float | None) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        self._renewal = None
        if expires_seconds is not None and self._dialler.renews_tokens:
            self._renewal = asyncio.get_running_loop().call_later(expires_seconds * _RENEWAL_POINT, self._renew)

    def _renew(self) -> None:
        async def renew() -> None:
            try:
                token = await self._dialler.read_token()
            except MillraceError as error:
                self._emit(Problem(error))
                return
            if self._connection is not None:
                self._connection.send("authenticate", token=token)

        self._renewing = asyncio.create_task(renew())
