"""An open stream."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .connection import error_of
from .errors import MillraceError
from .events import Problem, guarded
from .freshness import Freshness
from .images import encode_image
from .in_flight import InFlight
from .link import Link
from .messages import (
    Credit,
    Dropped,
    Failure,
    Frame,
    Limits,
    Parameters,
    Quality,
    Ready,
    ServerMessage,
    Updated,
)
from .outbox import Outbox
from .statistics import Recorder, Stats
from .updates import Updates
from .wire import encode_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .connection import Connection
    from .dialler import Dialler
    from .events import Event
    from .images import Image


def now() -> float:
    """Return the clock of all streams in milliseconds; it only rises."""
    return time.perf_counter() * 1000


class _Arrival(NamedTuple):
    """A result, when it came, and over which connection: it can be acknowledged over no other."""

    frame: Frame
    time: float
    connection: Connection


class Stream:
    """Images in, images out; ``connect`` makes it.

    It is an async iterator of the results: the newest one if the consumer is slow. Asking for the next tells the
    server that the one before was shown, so results are never sent faster than they are consumed.
    """

    #: Opaque name of the session, for support and logs.
    session: str
    #: Name and version of the server software.
    server: str
    model: str
    limits: Limits
    #: All parameters as the server last said they are.
    parameters: Parameters

    def __init__(
        self,
        dialler: Dialler,
        opened: tuple[Connection, Ready],
        parameters: Parameters,
        *,
        reconnect_seconds: float,
        on_event: Callable[[Event], None],
    ) -> None:
        self._emit = guarded(on_event)
        self._outbox: Outbox[tuple[int, float, bytes]] = Outbox()
        self._in_flight = InFlight()
        self._updates = Updates(parameters)
        self._recorder = Recorder(now)
        self._freshness = Freshness()
        self._next_id = 0
        self._held: _Arrival | None = None
        self._current: _Arrival | None = None
        self._arrived = asyncio.Event()
        self._ended = False
        self._failure: MillraceError | None = None
        self._link = Link(dialler, self, now=now, reconnect_seconds=reconnect_seconds, emit=self._emit)
        self._link.start(*opened)

    @property
    def credits(self) -> int:
        """Frames that would be sent at once; at 0 the newest waits here for the server's next grant."""
        return self._outbox.credits

    @property
    def closed(self) -> bool:
        """Whether the stream is over."""
        return self._link.closing or self._ended

    def send(self, image: bytes | Image, *, captured: float | None = None) -> int:
        """Send one image, now or, without a credit, as soon as the server allows it.

        ``image`` is a JPEG, PNG or WebP file, or an RGB array of uint8 with the shape (height, width, 3).
        ``captured`` is when it was captured, in milliseconds of ``time.perf_counter()``; now, if left out. A newer
        frame takes the place of one that still waits, which is then dropped for ``no_credit``.

        Returns the frame's id, which its result repeats.
        Raises MillraceError: closed, or what ended the stream
        """
        self._assert_open()
        data = bytes(image) if isinstance(image, (bytes, bytearray, memoryview)) else encode_image(image)
        frame = self._next_id
        self._next_id += 1
        displaced = self._outbox.put((frame, now() if captured is None else captured, data))
        if displaced is not None:
            self._drop(displaced[0], "no_credit")
        self._connection.wake()
        return frame

    async def update(self, parameters: Parameters | None = None, **more: Any) -> Updated:
        """Change parameters, all at one frame boundary or not at all.

        If the connection is lost meanwhile, the change is made when there is another.

        Raises MillraceError: invalid_parameter with ``field``, rate_limited, closed, ...
        """
        self._assert_open()
        changes = {**(parameters or {}), **more}
        request, answer = self._updates.open(changes)
        self._connection.send("update", request=request, parameters=changes)
        return await answer

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Frame:
        self._consume_current()
        while True:
            held, self._held = self._held, None
            if held is None:
                if self._ended:
                    if self._failure is not None:
                        raise self._failure
                    raise StopAsyncIteration
                self._arrived.clear()
                await self._arrived.wait()
            elif self._freshness.outlived(held.time, now()) and self._expects_after(held.frame):
                self._give_up(held)
            else:
                self._current = held
                return held.frame

    def stats(self) -> Stats:
        """Return frames per second, latency, drops by reason and more."""
        return self._recorder.read(self._link.round_trip, self._link.reconnects)

    def retry_now(self) -> None:
        """End the pause before the next try, while the connection is sought anew: the network is back, say."""
        self._link.hurry()

    async def close(self) -> None:
        """Close the stream and wait until it is closed. Calling it again does no harm."""
        await self._link.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def adopt(self, connection: Connection, ready: Ready) -> None:
        """Go on with this connection; for the link."""
        self.session, self.server, self.model = ready.session, ready.server, ready.model
        self.limits, self.parameters = ready.limits, ready.parameters
        self._connection = connection
        if not ready.resumed:
            self._lose(self._in_flight.clear())
        self._in_flight.orphan()
        self._outbox.restart(ready.credits)
        self._freshness.forget()
        connection.start(self._next_frame)
        for request, parameters in self._updates.waiting():
            connection.send("update", request=request, parameters=parameters)
        connection.wake()

    def start_parameters(self) -> Parameters:
        """Return what a stream that starts afresh needs to be as this one; for the link."""
        return self._updates.chosen

    def lost(self) -> None:
        """Have frames wait: there is no connection; for the link."""
        self._outbox.restart(0)

    def receive(self, message: ServerMessage) -> None:
        """Take what the server says about frames and parameters; for the link."""
        self._freshness.hear(now())
        match message:
            case Frame():
                self._receive_frame(message)
            case Credit():
                self._outbox.allow(message.total)
                self._connection.wake()
            case Dropped():
                self._in_flight.answered(message.id)
                self._drop(message.id, message.reason)
            case Updated():
                self.parameters = message.parameters
                self._updates.resolve(message)
                self._emit(message)
            case Failure():
                error = error_of(message)
                if message.request is None or not self._updates.reject(message.request, error):
                    self._emit(Problem(error))
            case Quality():
                self._emit(message)

    def ended(self, error: MillraceError | None) -> None:
        """Take note of the end; for the link."""
        self._ended = True
        self._failure = error
        self._lose(self._in_flight.clear())
        self._updates.reject_all(error or MillraceError("closed", "The stream is closed."))
        self._arrived.set()

    def _receive_frame(self, frame: Frame) -> None:
        self._lose(self._in_flight.finished(frame.id))
        arrival = _Arrival(frame, now(), self._connection)
        if not self._freshness.admit(frame, arrival.time) and self._expects_after(frame):
            self._give_up(arrival)
            return
        if self._held is not None:
            self._drop(self._held.frame.id, "unread")
        self._held = arrival
        self._arrived.set()

    def _next_frame(self) -> bytes | None:
        """Take what waits to be sent, if the server allows it."""
        item = self._outbox.take()
        if item is None:
            return None
        frame, captured, data = item
        self._in_flight.add(frame)
        self._recorder.count_sent()
        return encode_message("frame", id=frame, captured=captured, data=data)

    def _expects_after(self, frame: Frame) -> bool:
        """Whether a newer result is on its way."""
        return self._in_flight.newer_than(frame.id) or self._makes_frames

    @property
    def _makes_frames(self) -> bool:
        """Whether the server makes frames by itself."""
        return self.parameters.get("mode") == "txt2img"

    def _consume_current(self) -> None:
        arrival, self._current = self._current, None
        if arrival is not None:
            self._recorder.count_consumed(arrival.frame, arrival.time, captured=not self._makes_frames)
            self._acknowledge(arrival)

    def _give_up(self, arrival: _Arrival) -> None:
        self._drop(arrival.frame.id, "stale")
        self._acknowledge(arrival)

    def _acknowledge(self, arrival: _Arrival) -> None:
        if arrival.connection is self._connection:
            self._connection.send("ack", sequence=arrival.frame.sequence)

    def _drop(self, frame: int, reason: str) -> None:
        self._recorder.count_dropped(reason)
        self._emit(Dropped(frame, reason))

    def _lose(self, frames: list[int]) -> None:
        for frame in frames:
            self._drop(frame, "failed")

    def _assert_open(self) -> None:
        if self.closed:
            raise self._failure or MillraceError("closed", "The stream is closed.")
