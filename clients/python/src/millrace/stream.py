"""An open stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._generated import (
    Authenticated,
    Credit,
    Dropped,
    Failure,
    Frame,
    Limits,
    Parameters,
    Quality,
    Ready,
    ServerMessage,
    Understood,
    Updated,
)
from .clock import now
from .connection import error_of
from .errors import MillraceError
from .events import Problem, guarded
from .images import encode_image, encode_mask
from .in_flight import InFlight
from .link import Link
from .lost_picture import LostPicture
from .outbox import Outbox
from .results import Results
from .statistics import Recorder, Stats
from .updates import Updates
from .wire import encode_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    from .connection import Connection
    from .dialler import Dialler
    from .events import Event
    from .images import Image, Mask
    from .results import Arrival


class Stream:
    """Images in, images out; created by ``connect``.

    It is an async iterator of the results; only of the newest one if the consumer is slow. Requesting the next result
    acknowledges the previous one, so results are never sent faster than they are consumed.

    A picture that was refused (invalid_frame, ...), or lost with its connection (connection_lost), has no result: the
    iteration then raises the MillraceError, whose ``frame`` is the picture's id, and the stream stays open for another
    iteration. ``frames`` can skip such pictures instead; a ``Problem`` event reports them.
    """

    #: Opaque name of the session, for support and logs.
    session: str
    #: Name and version of the server software.
    server: str
    model: str
    limits: Limits
    #: All parameters, as last reported by the server.
    parameters: Parameters
    #: What the model made of each prompt in force; None if the server does not say.
    understood: tuple[Understood, ...] | None

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
        self._outbox: Outbox[tuple[int, bytes]] = Outbox()
        self._in_flight = InFlight()
        self._updates = Updates(parameters)
        self._recorder = Recorder(now)
        self._results = Results(self)
        self._lost_picture = LostPicture(self._give_up)
        self._next_id = 0
        self._ended = False
        self._failure: MillraceError | None = None
        self._link = Link(dialler, self, now=now, reconnect_seconds=reconnect_seconds, emit=self._emit)
        self._link.start(*opened)

    @property
    def credits(self) -> int:
        """Number of frames that would be sent at once; at 0 the newest frame waits for the next credit."""
        return self._outbox.credits

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._link.closing or self._ended

    def send(
        self,
        image: bytes | Image,
        *,
        captured: float | None = None,
        mask: bytes | Mask | None = None,
        controls: Mapping[str, bytes | Image] | None = None,
    ) -> int:
        """Send one image, at once or as soon as there is a credit.

        ``image`` is a JPEG, PNG or WebP file, or an RGB array of uint8 with the shape (height, width, 3).
        ``captured`` is its time of capture, in milliseconds of ``time.perf_counter()``; default now. ``mask`` says
        where this image changes, from black (it stays) to white: a file, or an array of uint8 or bool with the shape
        (height, width); it takes precedence over the parameter ``mask``. ``controls`` are pictures for controls of the
        model (the parameter ``controls``), by the control's name. A newer frame replaces one that still waits, which
        is then dropped for ``no_credit``.

        Returns the frame's id, which its result repeats.
        Raises MillraceError: closed, what ended the stream, or message_too_large if the message would exceed
        ``limits.message_bytes``
        """
        self._assert_open()
        frame = self._next_id
        message = encode_message(
            "frame",
            id=frame,
            captured=now() if captured is None else captured,
            data=_file(image),
            mask=None if mask is None else _mask_file(mask),
            controls=None if controls is None else {name: _file(picture) for name, picture in controls.items()},
        )
        if len(message) > self.limits.message_bytes:
            raise self._too_large("The picture", frame)
        self._next_id += 1
        displaced = self._outbox.put((frame, message))
        if displaced is not None:
            self.drop(displaced[0], "no_credit")
        self._connection.wake()
        return frame

    async def update(self, parameters: Parameters | None = None, **more: Any) -> Updated:
        """Change parameters, all at one frame boundary or not at all.

        If the connection is lost before the answer, the update is sent again over the next one.

        Raises MillraceError: invalid_parameter or limit_exceeded with ``field``, rate_limited, closed, ...
        """
        self._assert_open()
        changes = {**(parameters or {}), **more}
        encode_message("update", request=0, parameters=changes)  # Raises here, before anything waits for an answer.
        request, answer = self._updates.open(changes)
        self._send_update(request, changes)
        return await answer

    async def frames(self, *, skip_refused: bool = False) -> AsyncIterator[Frame]:
        """Yield the results, as iterating over the stream does; ``skip_refused`` skips refused pictures.

        Raises MillraceError: what ended the stream, or the refusal of a picture
        """
        while True:
            try:
                yield await self.__anext__()
            except StopAsyncIteration:
                return
            except MillraceError as error:
                if not skip_refused or error.frame is None or self._ended:
                    raise

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Frame:
        return await self._results.following()

    def stats(self) -> Stats:
        """Return frames per second, latency, drops by reason and more."""
        return self._recorder.read(self._link.round_trip, self._link.reconnects)

    def retry_now(self) -> None:
        """End the pause before the next attempt to reconnect, for example when the network is back."""
        self._link.hurry()

    async def close(self) -> None:
        """Close the stream and wait until it is closed. May be called more than once."""
        await self._link.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def adopt(self, connection: Connection, ready: Ready) -> None:
        """Switch to this connection; for the link."""
        self.session, self.server, self.model = ready.session, ready.server, ready.model
        self.limits, self.parameters = ready.limits, ready.parameters
        self.understood = ready.understood
        self._connection = connection
        self._lost_picture.wait_for(self._in_flight.newest)
        if not ready.resumed:
            self._lose(self._in_flight.clear())
        self._in_flight.orphan()
        self._outbox.restart(ready.credits)
        self._results.adopt(connection)
        connection.start(self._next_frame)
        for request, parameters in self._updates.waiting():
            self._send_update(request, parameters)
        connection.wake()

    def start_parameters(self) -> Parameters:
        """Return the parameters with which a new stream continues this one; for the link."""
        return self._updates.chosen

    def lost(self) -> None:
        """Stop sending while there is no connection; for the link."""
        self._outbox.restart(0)

    def hold(self) -> None:
        """Send no frame until ``go_on`` or ``adopt``; for the link."""
        self._outbox.close()

    def go_on(self) -> None:
        """Send frames again; for the link."""
        self._outbox.open()
        self._connection.wake()

    def waiting(self) -> bool:
        """Return whether frames of this connection have no answer yet; for the link."""
        return self._in_flight.waiting

    def receive(self, message: ServerMessage) -> None:
        """Handle a message about frames or parameters; for the link."""
        self._results.hear()
        match message:
            case Frame() if self._in_flight.repeats(message.id) and not self._makes_frames:
                self._results.skip(message, self._connection)
            case Frame():
                self._lost_picture.answered(message.id)
                self._lose(self._in_flight.finished(message.id))
                self._results.receive(message, self._connection)
            case Credit():
                self._outbox.allow(message.total)
                self._connection.wake()
            case Dropped():
                self._lost_picture.answered(message.id)
                self._in_flight.answered(message.id)
                self.drop(message.id, message.reason)
            case Updated():
                self.parameters = message.parameters
                self.understood = message.understood
                self._updates.resolve(message)
                self._emit(message)
            case Failure():
                error = error_of(message)
                if message.request is None or not self._updates.reject(message.request, error):
                    self._refuse(error)
            case Authenticated():
                self.limits = message.session_limits or self.limits
            case Quality():
                self._emit(message)

    def drop(self, frame: int, reason: str) -> None:
        """Report that a frame has no result; for ``Results`` too."""
        self._recorder.count_dropped(reason)
        self._emit(Dropped(frame, reason))

    def consumed(self, arrival: Arrival) -> None:
        """Count a result that was shown; for ``Results``."""
        self._recorder.count_consumed(arrival.frame, arrival.time, captured=not self._makes_frames)

    def expects_after(self, frame: int) -> bool:
        """Return whether a newer result is in progress; for ``Results``."""
        return self._in_flight.newer_than(frame) or self._makes_frames

    def ended(self, error: MillraceError | None) -> None:
        """Handle the end of the stream; for the link."""
        self._ended = True
        self._failure = error
        self._lost_picture.forget()
        self._lose(self._in_flight.clear())
        self._updates.reject_all(error or MillraceError("closed", "The stream is closed."))
        self._results.end(error)

    def _next_frame(self) -> bytes | None:
        """Return the waiting frame as a message, if there is a credit."""
        item = self._outbox.take()
        if item is None:
            return None
        frame, message = item
        # The server, and its limit, may have changed since ``send``.
        if len(message) > self.limits.message_bytes:
            self._outbox.refund()
            self.drop(frame, "invalid")
            self._refuse(self._too_large("The picture", frame))
            return None
        self._in_flight.add(frame)
        self._lost_picture.forget()
        self._recorder.count_sent()
        return message

    def _send_update(self, request: int, parameters: Parameters) -> None:
        size = len(encode_message("update", request=request, parameters=parameters))
        if size <= self.limits.message_bytes:
            self._connection.send("update", request=request, parameters=parameters)
        else:
            self._updates.reject(request, self._too_large("The update"))

    def _too_large(self, what: str, frame: int | None = None) -> MillraceError:
        most = self.limits.message_bytes
        message = f"{what} is too large: the server accepts messages of at most {most} bytes."
        return MillraceError("message_too_large", message, frame=frame)

    def _refuse(self, error: MillraceError) -> None:
        """Report a refusal; that of a picture also to the iteration over the results."""
        self._emit(Problem(error))
        if error.frame is not None:
            self._results.refuse(error)

    @property
    def _makes_frames(self) -> bool:
        """Whether the server generates frames without input."""
        return self.parameters.get("mode") == "txt2img"

    def _give_up(self, frame: int) -> None:
        self._lose(self._in_flight.clear())
        message = "The picture was lost with the connection, and no newer one was sent."
        self._refuse(MillraceError("connection_lost", message, frame=frame))

    def _lose(self, frames: list[int]) -> None:
        for frame in frames:
            self.drop(frame, "failed")

    def _assert_open(self) -> None:
        if self.closed:
            raise self._failure or MillraceError("closed", "The stream is closed.")


def _file(image: bytes | Image) -> bytes:
    return bytes(image) if isinstance(image, (bytes, bytearray, memoryview)) else encode_image(image)


def _mask_file(mask: bytes | Mask) -> bytes:
    return bytes(mask) if isinstance(mask, (bytes, bytearray, memoryview)) else encode_mask(mask)
