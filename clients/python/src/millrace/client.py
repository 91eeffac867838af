"""Opening a stream."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .clock import now
from .dialler import Dialler
from .errors import MillraceError
from .events import Waiting, guarded
from .stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

    from ._generated import Parameters
    from .dialler import Token
    from .events import Event

_TRANSIENT_REFUSALS = ("not_ready", "shutting_down")
"""Refusals of a server that will soon be ready."""


def _client_name() -> str:
    try:
        return f"millrace-python/{version('millrace-client')}"
    except PackageNotFoundError:
        return "millrace-python"


class Opening:
    """A stream that is being opened: ``await`` it, or use it in ``async with``, which closes the stream too."""

    def __init__(self, open_stream: Callable[[], Generator[object, None, Stream]]) -> None:
        self._open = open_stream
        self._stream: Stream | None = None

    def __await__(self) -> Generator[object, None, Stream]:
        return self._open()

    async def __aenter__(self) -> Stream:
        self._stream = await self
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            await self._stream.close()


def connect(
    url: str,
    parameters: Parameters | None = None,
    *,
    token: Token | None = None,
    client: str | None = None,
    wait_seconds: float = 120.0,
    reconnect_seconds: float = 30.0,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Opening:
    """Open a stream; for ``async with``, or for ``await``.

    ``url`` is the address of the server; http and https mean ws and wss, and the default path is /v1/stream. Without a
    scheme, localhost, 127.0.0.1 and [::1] use ws, and all other hosts wss. ``parameters`` are the initial ones; omitted
    ones have the model's defaults. ``token`` is an API key or a JWT, or a function (it may be async) that returns one,
    which is called again before the token in use expires. ``client`` is the name and version of the application, for
    the server's log. ``wait_seconds`` is how long to wait for a server that is starting or restarting, with ``Waiting``
    events; 0 turns that off. ``reconnect_seconds`` is how long to try to connect again after a loss; 0 turns that off.
    ``on_event`` is called with everything that the stream reports besides its frames.

    An attempt fails if the connection is not open within 10 seconds, or the server does not answer ``hello`` within a
    minute.

    Raises MillraceError: invalid_url, connection_failed, or the server's refusal
    """
    start = dict(parameters or {})

    async def open_stream() -> Stream:
        dialler = Dialler(url, token=token, client=client or _client_name(), now=now, queued=on_event)
        try:
            opened = await dialler.open(start)
        except MillraceError as error:
            if error.code not in _TRANSIENT_REFUSALS or wait_seconds <= 0:
                raise
            emit = guarded(on_event)
            emit(Waiting(error))
            opened = await dialler.reopen(
                lambda: start, wait_seconds, after=error, failed=lambda error: emit(Waiting(error))
            )
        return Stream(dialler, opened, start, reconnect_seconds=reconnect_seconds, on_event=on_event)

    return Opening(lambda: open_stream().__await__())
