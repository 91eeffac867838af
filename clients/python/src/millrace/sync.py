"""Streams without asyncio: an event loop in a separate thread does the work."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from .client import connect
from .errors import MillraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from types import TracebackType

    from ._generated import Frame, Limits, Parameters, Understood, Updated
    from .dialler import Token
    from .events import Event
    from .images import Image, Mask
    from .statistics import Stats
    from .stream import Stream

_Result = TypeVar("_Result")


class _LoopThread:
    """An event loop that runs until it is stopped."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="millrace", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class SyncStream:
    """A ``Stream`` for threads: calls block, and iterating yields the results.

    A picture that was refused (invalid_frame, ...) has no result: ``next`` raises the MillraceError, whose ``frame`` is
    the picture's id, and the stream continues.
    """

    def __init__(self, thread: _LoopThread, stream: Stream) -> None:
        self._thread = thread
        self._stream = stream
        self._open = True

    @property
    def session(self) -> str:
        """Opaque name of the session, for support and logs."""
        return self._stream.session

    @property
    def server(self) -> str:
        """Name and version of the server software."""
        return self._stream.server

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._stream.model

    @property
    def limits(self) -> Limits:
        """Limits of this stream."""
        return self._stream.limits

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._stream.closed

    @property
    def parameters(self) -> Parameters:
        """All parameters, as last reported by the server."""
        return self._stream.parameters

    @property
    def understood(self) -> tuple[Understood, ...] | None:
        """What the model made of each prompt in force; None if the server does not say."""
        return self._stream.understood

    @property
    def credits(self) -> int:
        """Number of frames that would be sent at once."""
        return self._stream.credits

    def send(
        self,
        image: bytes | Image,
        *,
        captured: float | None = None,
        mask: bytes | Mask | None = None,
        controls: Mapping[str, bytes | Image] | None = None,
    ) -> int:
        """Send one image and return its id; see ``Stream.send``."""

        async def send() -> int:
            return self._stream.send(image, captured=captured, mask=mask, controls=controls)

        return self._call(send())

    def update(self, parameters: Parameters | None = None, **more: Any) -> Updated:
        """Change parameters and wait until they are in force; see ``Stream.update``."""
        return self._call(self._stream.update(parameters, **more))

    def frames(self, *, skip_refused: bool = False) -> Iterator[Frame]:
        """Yield the results, as iterating over the stream does; see ``Stream.frames``."""
        frames = self._stream.frames(skip_refused=skip_refused)

        async def following() -> Frame | None:
            return await anext(frames, None)

        while (frame := self._call(following())) is not None:
            yield frame

    def __iter__(self) -> SyncStream:
        return self

    def __next__(self) -> Frame:
        async def following() -> Frame | None:
            return await anext(self._stream, None)

        frame = self._call(following())
        if frame is None:
            raise StopIteration
        return frame

    def stats(self) -> Stats:
        """Return frames per second, latency, drops by reason and more."""
        return self._stream.stats()

    def retry_now(self) -> None:
        """End the pause before the next attempt to reconnect; see ``Stream.retry_now``."""

        async def hurry() -> None:
            self._stream.retry_now()

        self._call(hurry())

    def close(self) -> None:
        """Close the stream and wait until it is closed. May be called more than once."""
        if self._open:
            self._open = False
            self._thread.call(self._stream.close())
            self._thread.stop()

    def __enter__(self) -> SyncStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        if not self._open:
            work.close()
            raise MillraceError("closed", "The stream is closed.")
        return self._thread.call(work)


def connect_sync(
    url: str,
    parameters: Parameters | None = None,
    *,
    token: Token | None = None,
    client: str | None = None,
    wait_seconds: float = 120.0,
    reconnect_seconds: float = 30.0,
    on_event: Callable[[Event], None] = lambda _: None,
) -> SyncStream:
    """Open a stream, for ``with``; the parameters are those of ``connect``.

    ``on_event`` is called in the thread that does the work.

    Raises MillraceError: invalid_url, connection_failed, or the server's refusal
    """

    async def open_stream() -> Stream:
        return await connect(
            url,
            parameters,
            token=token,
            client=client,
            wait_seconds=wait_seconds,
            reconnect_seconds=reconnect_seconds,
            on_event=on_event,
        )

    thread = _LoopThread()
    try:
        return SyncStream(thread, thread.call(open_stream()))
    except BaseException:
        thread.stop()
        raise
